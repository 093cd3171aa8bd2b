//! What operations answer when something is in the way, with an example of each.
//!
//! The gate, the extractors and the node answer the same on every operation of a kind, so they are
//! described here once; what an operation declares itself stays, and gets an example.

use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

const JSON: &str = "application/json";
const SCHEMA: &str = "ErrorDocument";

/// Operations that may answer so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Every,
    /// Those whose address names something.
    Named,
    /// Those of a server.
    Servers,
    /// Those that take a body.
    Bodies,
}

/// Status, where, when, class, sentence.
const ANSWERS: [(&str, On, &str, &str, &str); 12] = [
    (
        "400",
        On::Every,
        "The request is malformed, or a rule of the business says no.",
        "DisplayException",
        "You have reached the account limit for number of API keys.",
    ),
    (
        "401",
        On::Every,
        "No valid key.",
        "AuthenticationException",
        "Unauthenticated.",
    ),
    (
        "403",
        On::Every,
        "A permission is missing, or the key may not be used from here.",
        "AccessDeniedHttpException",
        "This action is unauthorized.",
    ),
    (
        "404",
        On::Named,
        "What the address names does not exist, as far as the caller may know.",
        "NotFoundHttpException",
        "The requested resource could not be found on the server.",
    ),
    (
        "409",
        On::Servers,
        "The server is suspended, being installed, restored or moved.",
        "ServerStateConflictException",
        "This server is currently suspended and the functionality requested is unavailable.",
    ),
    (
        "413",
        On::Bodies,
        "The body is longer than any that is accepted.",
        "PostTooLargeException",
        "The POST data is too large.",
    ),
    (
        "422",
        On::Bodies,
        "Fields were refused.",
        "ValidationException",
        "The name field is required.",
    ),
    (
        "429",
        On::Every,
        "Too many requests; see `Retry-After`.",
        "ThrottleRequestsException",
        "Too Many Attempts.",
    ),
    (
        "500",
        On::Every,
        "The panel itself failed; its log says why.",
        "Exception",
        "An unexpected error was encountered while processing this request, please try again.",
    ),
    (
        "502",
        On::Servers,
        "The server's node cannot do this now.",
        "HttpException",
        "Server must be online in order to send commands.",
    ),
    (
        "503",
        On::Every,
        "The panel is being worked on; see `Retry-After`.",
        "HttpException",
        "Service Unavailable",
    ),
    (
        "504",
        On::Servers,
        "The server's node cannot be reached.",
        "DaemonConnectionException",
        "Could not establish a connection to the machine running this server. Please try again.",
    ),
];

/// Describes them on every operation.
pub(super) fn describe(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            for (status, on, when, class, sentence) in ANSWERS {
                let concerns = match on {
                    On::Every => true,
                    On::Named => path.contains('{'),
                    On::Servers => path.contains("{server}"),
                    On::Bodies => operation.request_body.is_some(),
                };
                if concerns {
                    add(operation, status, when, &example(status, class, sentence));
                }
            }
        }
    }
}

fn example(status: &str, class: &str, sentence: &str) -> serde_json::Value {
    let mut entry = json!({"code": class, "status": status, "detail": sentence});
    if status == "422" {
        entry["meta"] = json!({"source_field": "name", "rule": "required"});
    }
    json!({"errors": [entry]})
}

fn add(operation: &mut Operation, status: &str, when: &str, example: &serde_json::Value) {
    let answers = &mut operation.responses.responses;
    let answer = answers.entry(status.to_owned()).or_insert_with(|| {
        let content = Content::new(Some(Ref::from_schema_name(SCHEMA)));
        let answer: Response = ResponseBuilder::new()
            .description(when)
            .content(JSON, content)
            .build();
        RefOr::T(answer)
    });
    if let RefOr::T(answer) = answer
        && let Some(RefOr::T(content)) = answer.content.get_mut(JSON)
    {
        content.example.get_or_insert_with(|| example.clone());
    }
}
