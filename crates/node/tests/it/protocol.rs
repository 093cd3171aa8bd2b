//! Statuses and bodies of the panel's routes, word for word.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{TOKEN, World};

struct Answer {
    status: u16,
    body: String,
    request_id: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn call(world: &World, method: &str, path: &str, bearer: Option<&str>, body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(bearer) = bearer {
        request = request.header("authorization", bearer);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = world
        .node
        .protocol_service()
        .oneshot(request)
        .await
        .unwrap();
    let request_id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        body: String::from_utf8(body.to_vec()).unwrap(),
        request_id,
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_panel_gets_in() {
    let world = World::new().await;
    let headers = "The required authorization heads were not present in the request.";
    let wrong = "You are not authorized to access this endpoint.";
    for (bearer, status, error) in [
        (None, 401, headers),
        (Some("Basic abc"), 401, headers),
        (Some("bearer abc"), 401, headers),
        (Some("Bearer "), 401, headers),
        (Some("Bearer abc"), 403, wrong),
        (Some(&*format!("Bearer id.{TOKEN}")), 403, wrong),
    ] {
        for path in ["/api/servers", "/nowhere"] {
            let answer = call(&world, "GET", path, bearer, "").await;
            assert_eq!(
                (answer.status, answer.json()),
                (status, json!({"error": error})),
                "{bearer:?} {path}"
            );
        }
    }
    let bearer = format!("Bearer {TOKEN}");
    let answer = call(&world, "GET", "/nowhere", Some(&bearer), "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (404, "404 page not found")
    );
}

#[tokio::test(start_paused = true)]
async fn refusals_have_the_protocol_s_words() {
    let world = World::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let server = world.server;
    let unknown = "The requested resource does not exist on this instance.";
    let generic = "An unexpected error was encountered while processing this request";
    for (method, path, body, status, error, with_id) in [
        (
            "GET",
            "/api/servers/b3f95466-7e8b-42a4-8504-6e7055874e39".to_owned(),
            "",
            404,
            unknown,
            false,
        ),
        (
            "GET",
            "/api/servers/a3f95466".to_owned(),
            "",
            404,
            unknown,
            false,
        ),
        (
            "POST",
            format!("/api/servers/{server}/power"),
            r#"{"action":"explode"}"#,
            422,
            "The power action provided was not valid, should be one of \"stop\", \"start\", \"restart\", \"kill\"",
            false,
        ),
        (
            "POST",
            format!("/api/servers/{server}/power"),
            "",
            400,
            "The data passed in the request was not in a parsable format. Please try again.",
            false,
        ),
        (
            "POST",
            format!("/api/servers/{server}/power"),
            "{",
            400,
            generic,
            true,
        ),
        (
            "POST",
            format!("/api/servers/{server}/commands"),
            r#"{"commands":["a"]}"#,
            502,
            "Cannot send commands to a stopped server instance.",
            false,
        ),
        (
            "POST",
            "/api/servers".to_owned(),
            r#"{"uuid":"short"}"#,
            422,
            "The data provided in the request could not be validated.",
            false,
        ),
        (
            "POST",
            "/api/servers".to_owned(),
            r#"{"uuid":"c3f95466-7e8b-42a4-8504-6e7055874e39"}"#,
            500,
            generic,
            true,
        ),
    ] {
        let answer = call(&world, method, &path, Some(&bearer), body).await;
        let mut expected = json!({"error": error});
        if with_id {
            expected["request_id"] = json!(answer.request_id);
        }
        assert_eq!(
            (answer.status, answer.json()),
            (status, expected),
            "{method} {path} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_is_told_in_full() {
    let world = World::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let answer = call(
        &world,
        "GET",
        &format!("/api/servers/{}", world.server),
        Some(&bearer),
        "",
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(
        (&body["state"], &body["is_suspended"]),
        (&json!("offline"), &json!(false))
    );
    assert_eq!(
        body["utilization"],
        json!({"memory_bytes": 0, "memory_limit_bytes": 0, "cpu_absolute": 0.0,
               "network": {"rx_bytes": 0, "tx_bytes": 0}, "uptime": 0, "state": "offline", "disk_bytes": 0})
    );
    assert_eq!(
        body["configuration"]["allocations"]["mappings"],
        json!({"127.0.0.1": [25565]})
    );
    assert_eq!(body["configuration"]["labels"], Value::Null);
    let list = call(&world, "GET", "/api/servers", Some(&bearer), "").await;
    assert_eq!(list.json(), json!([body]));
    let system = call(&world, "GET", "/api/system", Some(&bearer), "")
        .await
        .json();
    assert_eq!(system["os"], "linux");
}
