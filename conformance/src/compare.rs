//! Compares an answer and its effects with the recording, path by path.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatchery_e2e::Answer;
use serde_json::{Value, json};

use crate::normal::{self, Ports};
use crate::recording::Exchange;

/// Longest value that is shown.
const SHOWN: usize = 160;

/// One place in which we differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where: `status`, `body.errors[0].detail`, `headers.allow`, `node[0].query`, `activity`.
    pub at: String,
    expected: String,
    got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { at, expected, got } = self;
        write!(f, "{at}: expected {expected}, got {got}")
    }
}

/// What came of a request, in the recordings' own terms.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// What the node was asked.
    pub requests: Vec<Value>,
    /// The rows that the activity log got.
    pub activity: Vec<Value>,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Where we differ.
    pub differences: Vec<Difference>,
    /// Recorded texts that are new each time, and what they are in this run.
    pub renamed: Vec<(String, String)>,
}

/// Compares everything.
pub(crate) fn compare(exchange: &Exchange, outcome: &Outcome, ports: Ports) -> Comparison {
    let mut comparison = Comparison::default();
    let Outcome {
        answer,
        requests,
        activity,
    } = outcome;
    let (body, tokens) = body(answer, ports);
    if answer.status != exchange.status {
        comparison.differ(
            "status",
            exchange.status.to_string(),
            format!("{} {}", answer.status, shown(&body)),
        );
        return comparison;
    }
    if !is_page(&exchange.response_body, answer) {
        comparison.walk("body", "", &exchange.response_body, &body);
    }
    let expected: Vec<Value> = exchange
        .response_jwt
        .iter()
        .flatten()
        .map(normal::token)
        .collect();
    let tokens = tokens.iter().map(normal::token).collect();
    comparison.walk("jwt", "", &Value::Array(expected), &Value::Array(tokens));

    let recorded = exchange.response_headers.iter();
    let recorded = recorded.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let ours = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    comparison.walk(
        "headers",
        "",
        &normal::headers(recorded),
        &normal::headers(ours),
    );

    let expected = exchange.daemon_requests.clone().unwrap_or_default();
    let mut requests = Value::Array(requests.clone());
    ports.as_recorded(&mut requests);
    comparison.walk("node", "", &Value::Array(expected), &requests);

    let expected = exchange.activity.iter().flatten().map(row).collect();
    comparison.walk(
        "activity",
        "",
        &Value::Array(expected),
        &Value::Array(activity.clone()),
    );
    comparison
}

/// Our body as JSON, or as text, and the tokens in it.
fn body(answer: &Answer, ports: Ports) -> (Value, Vec<Value>) {
    let text = answer.text();
    let mut body = match serde_json::from_str(&text) {
        Ok(body) => body,
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::String(text),
    };
    let mut tokens = Vec::new();
    find_tokens(&body, &mut tokens);
    ports.as_recorded(&mut body);
    for token in &mut tokens {
        ports.as_recorded(token);
    }
    (body, tokens)
}

fn find_tokens(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| find_tokens(field, found)),
        Value::Array(items) => items.iter().for_each(|item| find_tokens(item, found)),
        Value::String(text) => {
            if let Some(start) = text.find("eyJ") {
                found.extend(decoded(&text[start..]));
            }
        }
        _ => {}
    }
}

fn decoded(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let mut part = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    Some(json!({ "header": part()?, "claims": part()? }))
}

/// Whether a page was recorded, of which only the size is known, and we answered a page.
fn is_page(recorded: &Value, answer: &Answer) -> bool {
    let recorded = recorded.as_str().unwrap_or_default();
    let is_size = recorded.starts_with('<') && recorded.ends_with(" bytes>");
    let kind = answer.header("content-type").unwrap_or_default();
    (is_size || recorded.starts_with("<HTML page")) && kind.starts_with("text/html")
}

/// A recorded row with what we compare of it: nobody shows the batch.
fn row(recorded: &Value) -> Value {
    let mut row = recorded.clone();
    if let Some(fields) = row.as_object_mut() {
        fields.shift_remove("batch");
        if let Some(Value::Array(subjects)) = fields.get_mut("subjects") {
            subjects.sort_by_key(ToString::to_string);
        }
    }
    row
}

impl Comparison {
    fn differ(&mut self, at: &str, expected: String, got: String) {
        self.differences.push(Difference {
            at: at.to_owned(),
            expected,
            got,
        });
    }

    fn walk(&mut self, at: &str, key: &str, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            _ if normal::is_ignored(key) => {}
            (Value::Object(expected), Value::Object(got)) => {
                let mut complete = true;
                for (name, value) in expected {
                    let at = format!("{at}.{name}");
                    if let Some(ours) = got.get(name) {
                        self.walk(&at, name, value, ours);
                    } else {
                        complete = false;
                        self.differ(&at, shown(value), "nothing".to_owned());
                    }
                }
                for (name, value) in got.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                    complete = false;
                    self.differ(&format!("{at}.{name}"), "nothing".to_owned(), shown(value));
                }
                if complete && !expected.keys().eq(got.keys()) {
                    let names = |fields: &serde_json::Map<String, Value>| {
                        fields.keys().cloned().collect::<Vec<_>>().join(", ")
                    };
                    self.differ(at, format!("the order {}", names(expected)), names(got));
                }
            }
            (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
                for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
                    self.walk(&format!("{at}[{index}]"), key, expected, got);
                }
            }
            (Value::Array(expected), Value::Array(got)) => {
                let count = |list: &[Value]| {
                    format!("{} ({})", list.len(), shown(&Value::Array(list.to_vec())))
                };
                self.differ(at, count(expected), count(got));
            }
            _ if recorded == ours => {}
            _ if normal::is_same(key, recorded, ours) => {
                if let (Value::String(recorded), Value::String(ours)) = (recorded, ours) {
                    self.renamed.push((recorded.clone(), ours.clone()));
                }
            }
            _ => self.differ(at, shown(recorded), shown(ours)),
        }
    }
}

/// A value on one line, cut off when it is long.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

/// What is wrong with an answer whatever the recording says.
pub(crate) fn withheld(exchange: &Exchange, outcome: &Outcome) -> Vec<Difference> {
    let mut comparison = Comparison::default();
    let answer = &outcome.answer;
    // What a node answers is passed on, and no answer of it is 504. A database host that is away is
    // foreseen, and told so (client-api.md §3.4.2).
    let of_node = |mode: &Value| mode["fail"]["status"] == answer.status;
    let foreseen = [502, 504].contains(&answer.status)
        || exchange.daemon_mode.as_ref().is_some_and(of_node)
        || answer.text().contains("QueryException");
    if answer.status >= 500 && !foreseen {
        let got = format!("{} {}", answer.status, answer.text());
        comparison.differ("status", "no failure".to_owned(), got);
    }
    comparison.differences
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self
            .answer
            .json()
            .unwrap_or_else(|_| Value::String(self.answer.text()));
        write!(f, "{} {}", self.answer.status, shown(&body))?;
        for request in &self.requests {
            let text = |name: &str| request[name].as_str().unwrap_or_default();
            write!(
                f,
                "\n    node: {} {} {}",
                text("method"),
                text("path"),
                shown(&request["body"])
            )?;
        }
        for row in &self.activity {
            write!(f, "\n    activity: {}", shown(row))?;
        }
        Ok(())
    }
}
