//! Files that the node fetches from the internet.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, LOCATION};
use axum::response::IntoResponse as _;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::world::{TOKEN, World, eventually};

/// Somebody's web server on this machine.
struct Web {
    address: SocketAddr,
    /// Lets `/slow` go on to its end.
    go_on: Arc<Notify>,
}

impl Web {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.port();
        let to = |target: String| get(async move || (StatusCode::FOUND, [(LOCATION, target)]));
        let go_on = Arc::new(Notify::new());
        let waits = Arc::clone(&go_on);
        let routes = Router::new()
            .route("/files/a%20b.zip", get(async || "zip"))
            .route(
                "/named",
                get(async || {
                    let name = "attachment; filename=\"../../evil.jar\"";
                    ([(CONTENT_DISPOSITION, name)], "jar")
                }),
            )
            .route("/moved", to("/files/a%20b.zip".to_owned()))
            .route("/inward", to(format!("http://localhost:{port}/named")))
            .route("/metadata", to("http://169.254.169.254/latest".to_owned()))
            .route("/round", to("/round".to_owned()))
            .route("/big", get(async || vec![b'x'; 2 * 1024 * 1024]))
            .route(
                "/slow",
                get(async move || {
                    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from("12345")) });
                    let rest = stream::once(async move {
                        waits.notified().await;
                        Ok(Bytes::from("67890"))
                    });
                    let body = Body::from_stream(first.chain(rest));
                    ([("content-length", "10")], body).into_response()
                }),
            );
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, go_on }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn world() -> World {
    World::with(
        |_| {},
        |config| config.pull_hosts = vec!["127.0.0.1".to_owned()],
    )
    .await
}

impl World {
    async fn call(&self, method: &str, rest: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/servers/{}/files/pull{rest}", self.server))
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = self.node.protocol_service().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn pull(&self, mut body: Value) -> (u16, Value) {
        body["foreground"] = json!(true);
        let (status, answer) = self.call("POST", "", body).await;
        let shown = answer.get("error").or_else(|| answer.get("name")).cloned();
        (status, shown.unwrap_or_default())
    }
}

#[tokio::test]
async fn a_file_is_fetched_and_named() {
    let (web, world) = (Web::start().await, world().await);
    for (body, name, place, content) in [
        (
            json!({"root": "/in", "url": web.url("/files/a%20b.zip")}),
            "a b.zip",
            "in/a b.zip",
            "zip",
        ),
        (
            json!({"root": "/", "url": web.url("/moved"), "file_name": "c.zip", "use_header": "1"}),
            "c.zip",
            "c.zip",
            "zip",
        ),
        (
            json!({"directory": "x", "url": web.url("/named"), "use_header": true}),
            "evil.jar",
            "x/evil.jar",
            "jar",
        ),
        (
            json!({"root": "x", "url": web.url("/named"), "file_name": "../../up"}),
            "up",
            "up",
            "jar",
        ),
    ] {
        assert_eq!(world.pull(body).await, (200, json!(name)));
        assert_eq!(world.content(place).as_deref(), Some(content));
    }
}

#[tokio::test]
async fn what_is_private_or_wrong_is_not_fetched() {
    let (web, world) = (Web::start().await, world().await);
    let port = web.address.port();
    let private = "The file could not be fetched: it leads into a private network.";
    for (url, error) in [
        (format!("http://[::1]:{port}/named"), private),
        (web.url("/metadata"), private),
        (format!("http://[::ffff:127.0.0.1]:{port}/named"), private),
        ("http://10.0.0.1/x".to_owned(), private),
        (
            "ftp://example.com/x".to_owned(),
            "The file could not be fetched: it is no address of the web.",
        ),
        (
            web.url("/gone"),
            "The file could not be fetched: the other side answered 404 Not Found.",
        ),
        (
            web.url("/round"),
            "The file could not be fetched: the other side sent 5 redirects and no file.",
        ),
        (
            "http://exa mple/".to_owned(),
            "An error occurred while parsing that URL: invalid uri character",
        ),
    ] {
        let answer = world.pull(json!({"root": "/", "url": url})).await;
        assert_eq!(answer, (400, json!(error)), "{url}");
    }
    // A name is judged by what it leads to, also after a redirect from somebody trusted.
    for url in [format!("http://localhost:{port}/named"), web.url("/inward")] {
        let (status, error) = world.pull(json!({"root": "/", "url": url})).await;
        assert_eq!(status, 400);
        assert!(
            error.as_str().unwrap().contains("a private network"),
            "{error}"
        );
    }
    assert_eq!(world.content("named"), None);
}

#[tokio::test]
async fn a_pull_keeps_to_the_disk_limit_and_the_denylist() {
    let web = Web::start().await;
    let world = World::with(
        |document| {
            document["settings"]["build"]["disk_space"] = json!(1);
            document["settings"]["egg"]["file_denylist"] = json!(["*.jar"]);
        },
        |config| config.pull_hosts = vec!["127.0.0.1".to_owned()],
    )
    .await;
    let full = "There is not enough disk space available to perform that action.";
    let answer = world
        .pull(json!({"root": "/", "url": web.url("/big")}))
        .await;
    assert_eq!(answer, (400, json!(full)));
    let denied = "This file cannot be modified: present in egg denylist.";
    let body = json!({"root": "/", "url": web.url("/named"), "file_name": "server.jar"});
    assert_eq!(world.pull(body).await, (403, json!(denied)));
    assert_eq!(
        (world.content("big"), world.content("server.jar")),
        (None, None)
    );
}

#[tokio::test]
async fn three_run_at_once_and_can_be_watched_and_ended() {
    let (web, world) = (Web::start().await, world().await);
    assert_eq!(
        world.call("GET", "", Value::Null).await,
        (200, json!({"downloads": null}))
    );
    let mut ids = Vec::new();
    for number in 0..3 {
        let body = json!({"root": "/", "url": web.url("/slow"), "file_name": number.to_string()});
        let (status, answer) = world.call("POST", "", body).await;
        assert_eq!(status, 202);
        ids.push(answer["identifier"].as_str().unwrap().to_owned());
    }
    let (status, error) = world
        .pull(json!({"root": "/", "url": web.url("/slow")}))
        .await;
    assert_eq!(
        (status, error.as_str().unwrap()),
        (
            400,
            "This server has reached its limit of 3 simultaneous remote file downloads at once. \
             Please wait for one to complete before trying again."
        )
    );
    let shares = async || {
        let (_, list) = world.call("GET", "", Value::Null).await;
        let downloads = list["downloads"].as_array().cloned().unwrap_or_default();
        let share = |pull: &Value| pull["Progress"].as_f64().unwrap();
        downloads.iter().map(share).collect::<Vec<_>>()
    };
    eventually("half of each has arrived", || async {
        shares().await == [0.5, 0.5, 0.5]
    })
    .await;
    for id in [ids[0].as_str(), "unknown"] {
        let (status, _) = world.call("DELETE", &format!("/{id}"), Value::Null).await;
        assert_eq!(status, 204);
    }
    eventually("the cancelled one is gone", || async {
        shares().await.len() == 2
    })
    .await;
    eventually("the others have ended", || async {
        web.go_on.notify_waiters();
        shares().await.is_empty()
    })
    .await;
    assert_eq!(
        [0, 1, 2].map(|number: u32| world.content(&number.to_string())),
        [
            None,
            Some("1234567890".to_owned()),
            Some("1234567890".to_owned())
        ]
    );
}
