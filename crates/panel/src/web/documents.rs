//! What can be called: the OpenAPI document, and the same as a page.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hatchery_api::kit::origin::Here;
use serde_json::Value;

use super::html::Html;
use super::{Web, page};

const DOCS: &str = include_str!("pages/docs.html");
const STYLE: &str = include_str!("pages/plain.css");
/// In the order in which a page lists them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Made once, when somebody asks: it never changes while the program runs.
static CLIENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(hatchery_api::openapi::client()).unwrap_or_default());

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/docs", get(docs))
        .route("/openapi/client.json", get(client))
        .route("/assets/plain.css", get(style))
}

async fn client() -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], CLIENT.to_string()).into_response()
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

async fn docs(here: Here) -> Response {
    let title = CLIENT["info"]["title"].as_str().unwrap_or("API");
    let values = [
        ("title", Html::text(title)),
        (
            "version",
            Html::text(CLIENT["info"]["version"].as_str().unwrap_or_default()),
        ),
        ("origin", Html::text(here.origin())),
        ("groups", groups(&CLIENT)),
    ];
    page(200, Html::template(DOCS, &values).into_page(title))
}

/// A table for every tag, in the order of the document.
fn groups(document: &Value) -> Html {
    const GROUP: &str = "<h2>{{tag}}</h2><table><thead><tr><th scope=\"col\">Call</th>\
                         <th scope=\"col\">Path</th><th scope=\"col\">What it does</th></tr></thead>\
                         <tbody>{{rows}}</tbody></table>";
    const ROW: &str = "<tr><td class=\"method\">{{method}}</td><td><code>{{path}}</code></td><td>{{summary}}</td></tr>";
    let mut tables: Vec<(String, Vec<Html>)> = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let tag = operation["tags"][0].as_str().unwrap_or("Other");
            let row = Html::template(
                ROW,
                &[
                    ("method", Html::text(&method.to_uppercase())),
                    ("path", Html::text(path)),
                    (
                        "summary",
                        Html::text(operation["summary"].as_str().unwrap_or_default()),
                    ),
                ],
            );
            match tables.iter_mut().find(|(known, _)| known == tag) {
                Some((_, rows)) => rows.push(row),
                None => tables.push((tag.to_owned(), vec![row])),
            }
        }
    }
    Html::all(tables.into_iter().map(|(tag, rows)| {
        Html::template(
            GROUP,
            &[("tag", Html::text(&tag)), ("rows", Html::all(rows))],
        )
    }))
}
