//! `/api/client/servers/{server}/settings`.

use hatchery_vocab::ServerStatus;
use serde_json::{Value, json};

use super::{answers, asked, recorded, send};
use crate::panel;

const RENAME: &str = "/settings/rename";
const IMAGE: &str = "/settings/docker-image";
const REINSTALL: &str = "/settings/reinstall";

#[tokio::test]
async fn a_server_is_renamed_and_described() {
    let panel = panel().await;
    for (body, name, description) in [
        (json!({"name": " New "}), "New", "Main server"),
        (json!({"name": "New", "description": "D"}), "New", "D"),
        (json!({"name": "New", "description": "D"}), "New", "D"),
        (
            json!({"name": "<b>✓</b>", "description": null}),
            "<b>✓</b>",
            "",
        ),
        (
            json!({"name": "x".repeat(191), "description": ""}),
            &"x".repeat(191),
            "",
        ),
    ] {
        let answer = send(&panel, "POST", RENAME, body).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
        let server = send(&panel, "GET", "", Value::Null).await.json();
        assert_eq!(server["attributes"]["name"], name);
        assert_eq!(server["attributes"]["description"], description);
    }
    assert_eq!(
        recorded(&panel).await,
        [
            json!(["server:settings.rename", {"old": "Main", "new": "New"}]),
            json!(["server:settings.description", {"old": "Main server", "new": "D"}]),
            json!(["server:settings.rename", {"old": "New", "new": "<b>✓</b>"}]),
            json!(["server:settings.description", {"old": "D", "new": ""}]),
            json!(["server:settings.rename", {"old": "<b>✓</b>", "new": "x".repeat(191)}]),
        ]
    );
    assert!(asked(&panel).is_empty(), "the node is not told");
}

#[tokio::test]
async fn what_is_wrong_with_a_name() {
    let panel = panel().await;
    let table = [
        json!({}),
        json!({"description": "x"}),
        json!({"name": null}),
        json!({"name": "  "}),
        json!({"name": "x".repeat(192)}),
        json!({"name": ["x"]}),
        json!({"name": {"x": 1}}),
        json!({"name": 5}),
        json!({"name": true}),
        json!({"name": "x", "description": ["x"]}),
        json!({"name": "x", "description": 5}),
        json!({"name": "x", "description": "x".repeat(65_536)}),
    ];
    insta::assert_snapshot!(answers(&panel, "POST", RENAME, &table).await, @r#"
    {}
      422 ValidationException: The name field is required. [name required]
    {"description":"x"}
      422 ValidationException: The name field is required. [name required]
    {"name":null}
      422 ValidationException: The name field is required. [name required]
    {"name":"  "}
      422 ValidationException: The name field is required. [name required]
    {"name":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      422 ValidationException: The name may not be greater than 191 characters. [name max]
    {"name":["x"]}
      422 ValidationException: The name must be a string. [name string]
    {"name":{"x":1}}
      422 ValidationException: The name must be a string. [name string]
    {"name":5}
      422 ValidationException: The name must be a string. [name string]
    {"name":true}
      422 ValidationException: The name must be a string. [name string]
    {"name":"x","description":["x"]}
      422 ValidationException: The description must be a string. [description string]
    {"name":"x","description":5}
      422 ValidationException: The description must be a string. [description string]
    {"name":"x","description":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      422 ValidationException: The description may not be greater than 65535 characters. [description max]
    "#);
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn an_image_of_the_egg_is_chosen() {
    let panel = panel().await;
    for _ in 0..2 {
        let answer = send(
            &panel,
            "PUT",
            IMAGE,
            json!({"docker_image": "example.com/java:17"}),
        )
        .await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    }
    let server = send(&panel, "GET", "", Value::Null).await.json();
    assert_eq!(server["attributes"]["docker_image"], "example.com/java:17");
    let table = [
        json!({}),
        json!({"docker_image": ""}),
        json!({"docker_image": null}),
        json!({"docker_image": "example.com/other"}),
        json!({"docker_image": "a;b"}),
        json!({"docker_image": "i".repeat(192)}),
        json!({"docker_image": ["example.com/java:17"]}),
        json!({"docker_image": {"a": "example.com/java:17"}}),
        json!({"docker_image": 5}),
        json!({"docker_image": false}),
    ];
    insta::assert_snapshot!(answers(&panel, "PUT", IMAGE, &table).await, @r#"
    {}
      422 ValidationException: The docker image field is required. [docker_image required]
    {"docker_image":""}
      422 ValidationException: The docker image field is required. [docker_image required]
    {"docker_image":null}
      422 ValidationException: The docker image field is required. [docker_image required]
    {"docker_image":"example.com/other"}
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":"a;b"}
      422 ValidationException: The docker image format is invalid. [docker_image regex]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii…
      422 ValidationException: The docker image may not be greater than 191 characters. [docker_image max]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":["example.com/java:17"]}
      422 ValidationException: The docker image must be a string. [docker_image string]
      422 ValidationException: The docker image format is invalid. [docker_image regex]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":{"a":"example.com/java:17"}}
      422 ValidationException: The docker image must be a string. [docker_image string]
      422 ValidationException: The docker image format is invalid. [docker_image regex]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":5}
      422 ValidationException: The docker image must be a string. [docker_image string]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    {"docker_image":false}
      422 ValidationException: The docker image must be a string. [docker_image string]
      422 ValidationException: The docker image format is invalid. [docker_image regex]
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    "#);
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_image(panel.world.server.id, "example.com/special")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let table = [
        json!({"docker_image": "example.com/java:17"}),
        json!({"docker_image": "example.com/special"}),
    ];
    insta::assert_snapshot!(answers(&panel, "PUT", IMAGE, &table).await, @r#"
    {"docker_image":"example.com/java:17"}
      400 BadRequestHttpException: This server's Docker image has been manually set by an administrator and cannot be updated.
    {"docker_image":"example.com/special"}
      422 ValidationException: The selected docker image is invalid. [docker_image in]
    "#);
    assert_eq!(
        recorded(&panel).await,
        [
            json!(["server:startup.image", {"old": "example.com/java:21", "new": "example.com/java:17"}])
        ]
    );
    assert!(
        asked(&panel).is_empty(),
        "the node learns of it at the next start"
    );
}

#[tokio::test]
async fn a_server_is_installed_again() {
    let panel = panel().await;
    let answer = send(&panel, "POST", REINSTALL, json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (202, "[]")
    );
    assert_eq!(asked(&panel), ["POST /reinstall "]);
    let server = send(&panel, "GET", "", Value::Null).await.json();
    assert_eq!(server["attributes"]["status"], "installing");
    insta::assert_snapshot!(send(&panel, "POST", REINSTALL, json!({})).await.errors(), @"409 ServerStateConflictException: This server has not yet completed its installation process, please try again later.");
    set_status(&panel, Some(ServerStatus::ReinstallFailed)).await;
    assert_eq!(
        send(&panel, "POST", REINSTALL, Value::Null).await.status,
        202
    );
    set_status(&panel, None).await;
    assert_eq!(
        recorded(&panel).await,
        vec![json!(["server:reinstall", {}]); 2]
    );
}

#[tokio::test]
async fn a_node_that_fails_leaves_the_server_as_it_was() {
    let panel = panel().await;
    panel.node.answer_next(500, &json!({}));
    insta::assert_snapshot!(send(&panel, "POST", REINSTALL, json!({})).await.errors(), @"500 DaemonConnectionException: There was an error while communicating with the machine running this server. This error has been logged, please try again. (code: 500) (request_id: 00000000-0000-4000-8000-00000000beef)");
    set_status(&panel, Some(ServerStatus::ReinstallFailed)).await;
    panel.node.answer_next(409, &json!({"error": "Busy."}));
    insta::assert_snapshot!(send(&panel, "POST", REINSTALL, json!({})).await.errors(), @"409 DaemonConnectionException: An error occurred on the remote host: Busy.. (request id: 00000000-0000-4000-8000-00000000beef)");
    panel.node.set_unreachable(true);
    insta::assert_snapshot!(send(&panel, "POST", REINSTALL, json!({})).await.errors(), @"504 DaemonConnectionException: Could not establish a connection to the machine running this server. Please try again.");
    let server = send(&panel, "GET", "", Value::Null).await.json();
    assert_eq!(server["attributes"]["status"], "reinstall_failed");
    assert_eq!(recorded(&panel).await, [] as [Value; 0]);
}

#[tokio::test]
async fn of_many_at_once_one_begins() {
    const AT_ONCE: usize = 32;
    let panel = panel().await;
    let requests = (0..AT_ONCE).map(|_| send(&panel, "POST", REINSTALL, json!({})));
    let answers = futures_util::future::join_all(requests).await;
    let begun = answers.iter().filter(|answer| answer.status == 202).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((begun, refused), (1, AT_ONCE - 1));
    assert_eq!(asked(&panel), ["POST /reinstall "]);
}

async fn set_status(panel: &hatchery_testkit::TestPanel, status: Option<ServerStatus>) {
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_status(panel.world.server.id, status)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}
