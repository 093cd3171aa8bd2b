//! What a request says: query and body as one JSON object, cleaned (client-api.md §1.11).

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use hatchery_rules::Fields;
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::error::ApiError;
use super::form;

/// The longest JSON or form that is read into memory, in bytes. Contents of files are streamed and
/// have their own limit.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// The cleaned input of a request: its query, and over it its body.
#[derive(Clone, Debug, Default)]
pub struct Input(Value);

/// The cleaned query of a request alone.
#[derive(Clone, Debug, Default)]
pub struct Query(Map<String, Value>);

/// A JSON body that the gate has read already, since the check of its syntax comes before those of
/// the handlers.
#[derive(Clone, Debug)]
pub(crate) struct JsonBody(pub(crate) Value);

/// What a body claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    Multipart,
    Other,
}

impl BodyKind {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let Some(content_type) = content_type.map(str::to_ascii_lowercase) else {
            return Self::Other;
        };
        if content_type.contains("/json") || content_type.contains("+json") {
            Self::Json
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            Self::Form
        } else if content_type.starts_with("multipart/form-data") {
            Self::Multipart
        } else {
            Self::Other
        }
    }
}

impl Input {
    /// Refuses the input with every failed rule.
    pub fn check(&self, fields: &Fields) -> Result<(), ApiError> {
        fields.check(&self.0).map_err(ApiError::validation)
    }

    /// All fields as they came.
    pub const fn fields(&self) -> &Value {
        &self.0
    }

    /// A field as it came.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text, where the rules said that it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// A text that the rules required. Absent it is empty, which the rules make impossible.
    pub fn required_text(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A boolean, where the rules said that it is one; absent it is false.
    pub fn truth(&self, name: &str) -> bool {
        truth(self.get(name))
    }

    /// The items of a list, or the values of an object: the rule `array` accepts both.
    pub fn items(&self, name: &str) -> impl Iterator<Item = &Value> {
        let value = self.get(name);
        let list = value.and_then(Value::as_array).into_iter().flatten();
        let object = value
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values);
        list.chain(object)
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.items(name)
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    fn new(query: Map<String, Value>, body: Option<Value>) -> Self {
        let mut input = query;
        if let Some(Value::Object(body)) = body {
            // What is no object counts as an empty one.
            input.extend(body);
        }
        Self(Value::Object(input))
    }
}

impl Query {
    /// A variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A variable that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Everything in the order in which it came.
    pub const fn variables(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same with or without variables, for the links of a page.
    pub(crate) fn of(parts: &Parts) -> Self {
        let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) else {
            return Self::default();
        };
        Self(clean(
            form::parse(query.as_bytes()),
            trims(parts.uri.path()),
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

impl<S: Sync> FromRequest<S> for Input {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, ApiError> {
        let json = request.extensions_mut().remove::<JsonBody>();
        let (parts, body) = request.into_parts();
        let Query(query) = Query::of(&parts);
        let body = match (json, BodyKind::of(&parts.headers)) {
            (Some(JsonBody(value)), _) => Some(value),
            (None, BodyKind::Form) => Some(Value::Object(form::parse(&collect(body).await?))),
            (None, BodyKind::Multipart) => {
                Some(multipart(Request::from_parts(parts.clone(), body)).await?)
            }
            (None, BodyKind::Json | BodyKind::Other) => None,
        };
        let trim = trims(parts.uri.path());
        let body = body.map(|body| match body {
            Value::Object(fields) => Value::Object(clean(fields, trim)),
            other => other,
        });
        Ok(Self::new(query, body))
    }
}

/// What the rule `boolean` accepts, as a boolean.
pub(crate) fn truth(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        Some(Value::String(text)) => text == "1",
        _ => false,
    }
}

/// Reads a whole body of at most [`MAX_BODY`] bytes.
pub(crate) async fn collect(body: axum::body::Body) -> Result<Bytes, ApiError> {
    collect_at_most(body, MAX_BODY).await
}

/// Reads a whole body of at most so many bytes.
pub(crate) async fn collect_at_most(
    body: axum::body::Body,
    limit: usize,
) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large()),
        // The client went away in the middle of its request; nobody reads this.
        Err(_) => Err(ApiError::bad_request("The request body could not be read.")),
    }
}

/// Parses a JSON body; blank ones are as good as none.
pub(crate) fn parse_json(body: &[u8]) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(body).map(Some).map_err(|error| {
        ApiError::malformed_json(if std::str::from_utf8(body).is_err() {
            "Malformed UTF-8 characters, possibly incorrectly encoded"
        } else if error.to_string().starts_with("recursion limit") {
            "Maximum stack depth exceeded"
        } else if error.to_string().starts_with("control character") {
            "Control character error, possibly incorrectly encoded"
        } else {
            "Syntax error"
        })
    })
}

/// Text fields of a multipart form. Files in it are dropped: no endpoint takes any.
async fn multipart(request: Request) -> Result<Value, ApiError> {
    let malformed = |_| ApiError::bad_request("The form in the request body is malformed.");
    let (parts, body) = request.into_parts();
    let body = collect(body).await?;
    let request = Request::from_parts(parts, axum::body::Body::from(body));
    let mut form = form::Form::default();
    let Ok(mut fields) = axum::extract::Multipart::from_request(request, &()).await else {
        return Ok(Value::Null);
    };
    while let Some(field) = fields.next_field().await.map_err(malformed)? {
        let Some(name) = field.name().map(str::to_owned) else {
            continue;
        };
        if field.file_name().is_none() {
            let value = field.bytes().await.map_err(malformed)?;
            form.add(&name, String::from_utf8_lossy(&value).into_owned());
        }
    }
    Ok(Value::Object(form.finish()))
}

/// Whether texts lose the blanks at their ends: not on the file routes of a server that is named
/// by its whole UUID, since names of files may end in blanks.
fn trims(path: &str) -> bool {
    const UUID: usize = 36;
    !path
        .strip_prefix("/api/client/servers/")
        .is_some_and(|rest| {
            rest.split_once('/')
                .is_some_and(|(server, rest)| server.len() == UUID && rest.starts_with("files"))
        })
}

fn clean(fields: Map<String, Value>, trim: bool) -> Map<String, Value> {
    let clean_field = |(name, value): (String, Value)| {
        let trim = trim && !matches!(name.as_str(), "password" | "password_confirmation");
        let value = clean_value(value, trim);
        (name, value)
    };
    fields.into_iter().map(clean_field).collect()
}

/// Trims texts and turns empty ones into null, however deep. Zero characters in them are dropped,
/// since PostgreSQL cannot keep them; in names of files they stay, and are refused there.
fn clean_value(value: Value, trim: bool) -> Value {
    match value {
        Value::String(text) if trim && text.contains('\0') => {
            clean_value(Value::String(text.replace('\0', "")), trim)
        }
        Value::String(text) => {
            let trimmed = if trim {
                text.trim_matches(blank)
            } else {
                text.as_str()
            };
            match trimmed.len() {
                0 => Value::Null,
                length if length == text.len() => Value::String(text),
                _ => Value::String(trimmed.to_owned()),
            }
        }
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| clean_value(item, trim))
                .collect(),
        ),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name, clean_value(value, trim)))
                .collect(),
        ),
        other => other,
    }
}

fn blank(char: char) -> bool {
    char.is_whitespace() || matches!(char, '\u{feff}' | '\u{200b}' | '\u{200e}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(method: &str, uri: &str, content_type: &str, body: &str) -> Request {
        Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, content_type)
            .body(axum::body::Body::from(body.to_owned()))
            .unwrap()
    }

    async fn read(request: Request) -> Value {
        Input::from_request(request, &()).await.unwrap().0
    }

    #[tokio::test]
    async fn forms_of_both_kinds_are_merged_over_the_query() {
        let form = request(
            "POST",
            "/x?a=1&b=2",
            "application/x-www-form-urlencoded",
            "b=%203+&c[]=",
        );
        assert_eq!(read(form).await, json!({"a": "1", "b": "3", "c": [null]}));
        let body = "--b\r\nContent-Disposition: form-data; name=\"files[0][from]\"\r\n\r\na\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nbytes\r\n--b--\r\n";
        let form = request("POST", "/x", "multipart/form-data; boundary=b", body);
        assert_eq!(read(form).await, json!({"files": [{"from": "a"}]}));
        let unmarked = request("POST", "/x?a=1", "text/plain", "{\"a\": 2}");
        assert_eq!(read(unmarked).await, json!({"a": "1"}));
    }

    #[tokio::test]
    async fn texts_are_trimmed_but_for_passwords_and_names_of_files() {
        let body = "password=+x+&current_password=+x+&deep[0][password]=+y+&blank=+";
        let form = request("POST", "/x", "application/x-www-form-urlencoded", body);
        assert_eq!(
            read(form).await,
            json!({"password": " x ", "current_password": "x", "deep": [{"password": "y"}], "blank": null})
        );
        let whole =
            "/api/client/servers/f3f95466-7e8b-42a4-8504-6e7055874e39/files/list?directory=+a";
        assert_eq!(
            read(request("GET", whole, "", "")).await,
            json!({"directory": " a"})
        );
        let short = "/api/client/servers/f3f95466/files/list?directory=+a";
        assert_eq!(
            read(request("GET", short, "", "")).await,
            json!({"directory": "a"})
        );
    }

    #[tokio::test]
    async fn zero_characters_are_dropped_but_in_names_of_files() {
        let form = request(
            "POST",
            "/x?b=%00",
            "application/x-www-form-urlencoded",
            "a=x%00y&c[]=%00z+",
        );
        assert_eq!(read(form).await, json!({"a": "xy", "b": null, "c": ["z"]}));
        let file =
            "/api/client/servers/f3f95466-7e8b-42a4-8504-6e7055874e39/files/list?directory=a%00";
        assert_eq!(
            read(request("GET", file, "", "")).await,
            json!({"directory": "a\0"})
        );
    }

    #[tokio::test]
    async fn a_form_has_a_limit() {
        let long = "a=".to_owned() + &"x".repeat(MAX_BODY);
        let form = request("POST", "/x", "application/x-www-form-urlencoded", &long);
        assert!(Input::from_request(form, &()).await.is_err());
    }

    #[test]
    fn broken_json_is_told_in_the_words_of_the_reference() {
        let reason = |body: &[u8]| format!("{:?}", parse_json(body).unwrap_err());
        assert!(reason(b"{bad").contains("malformed: Syntax error"));
        assert!(reason(b"{\"a\":\"\xff\"}").contains("Malformed UTF-8 characters"));
        assert!(reason("[".repeat(1000).as_bytes()).contains("Maximum stack depth exceeded"));
        assert!(reason(b"{\"a\":\"\x01\"}").contains("Control character error"));
        for scalar in ["5", "\"x\"", "null", "[]"] {
            assert!(parse_json(scalar.as_bytes()).unwrap().is_some());
        }
        assert!(parse_json(b"").unwrap().is_none());
    }
}
