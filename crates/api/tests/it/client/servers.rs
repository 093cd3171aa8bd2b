//! `/api/client/servers/{server}` without its files.

use hatchery_testkit::{Person, ServerSketch, TestPanel, TestServer};
use hatchery_vocab::ServerStatus;
use serde_json::{Value, json};

use crate::panel;

#[tokio::test]
async fn a_server_as_its_owner_sees_it() {
    let panel = panel().await;
    let path = format!(
        "{}?include=egg,%20subusers,nonsense",
        panel.world.server.path("")
    );
    let answer = panel
        .call_as(&panel.world.owner, "GET", &path)
        .send()
        .await
        .json();
    insta::assert_json_snapshot!(answer, {
        ".attributes.uuid" => "[uuid]", ".attributes.identifier" => "[short]",
        ".attributes.relationships.subusers.data[].attributes.uuid" => "[uuid]",
    }, @r#"
        {
          "object": "server",
          "attributes": {
            "server_owner": true,
            "identifier": "[short]",
            "internal_id": 1,
            "uuid": "[uuid]",
            "name": "Main",
            "node": "node1",
            "is_node_under_maintenance": false,
            "sftp_details": {
              "ip": "node.test",
              "port": 2022
            },
            "description": "Main server",
            "limits": {
              "memory": 1024,
              "swap": 0,
              "disk": 5120,
              "io": 500,
              "cpu": 100,
              "threads": null,
              "oom_disabled": true
            },
            "invocation": "run -m 1024 -p 25565 paper.jar [hidden] world {{X}}",
            "docker_image": "example.com/java:21",
            "egg_features": [
              "eula"
            ],
            "feature_limits": {
              "databases": 2,
              "allocations": 3,
              "backups": 2
            },
            "status": null,
            "is_suspended": false,
            "is_installing": false,
            "is_transferring": false,
            "relationships": {
              "allocations": {
                "object": "list",
                "data": [
                  {
                    "object": "allocation",
                    "attributes": {
                      "id": 1,
                      "ip": "192.0.2.10",
                      "ip_alias": null,
                      "port": 25565,
                      "notes": null,
                      "is_default": true
                    }
                  },
                  {
                    "object": "allocation",
                    "attributes": {
                      "id": 2,
                      "ip": "192.0.2.10",
                      "ip_alias": null,
                      "port": 25566,
                      "notes": null,
                      "is_default": false
                    }
                  }
                ]
              },
              "variables": {
                "object": "list",
                "data": [
                  {
                    "object": "egg_variable",
                    "attributes": {
                      "name": "jarfile",
                      "description": "What JARFILE is for.",
                      "env_variable": "JARFILE",
                      "default_value": "server.jar",
                      "server_value": "paper.jar",
                      "is_editable": true,
                      "rules": "required|string|max:20"
                    }
                  },
                  {
                    "object": "egg_variable",
                    "attributes": {
                      "name": "level",
                      "description": "What LEVEL is for.",
                      "env_variable": "LEVEL",
                      "default_value": "world",
                      "server_value": null,
                      "is_editable": true,
                      "rules": "nullable|string"
                    }
                  }
                ]
              },
              "egg": {
                "object": "egg",
                "attributes": {
                  "uuid": "00000000-0000-4000-8000-000000000003",
                  "name": "Test Game"
                }
              },
              "subusers": {
                "object": "list",
                "data": [
                  {
                    "object": "server_subuser",
                    "attributes": {
                      "uuid": "[uuid]",
                      "username": "helper",
                      "email": "helper@example.com",
                      "image": "https://gravatar.com/avatar/be987748d8d0a0e88f8700a44f026ab9",
                      "2fa_enabled": false,
                      "created_at": "2026-01-01T00:00:00+00:00",
                      "permissions": [
                        "control.console",
                        "file.read",
                        "activity.read",
                        "user.read",
                        "websocket.connect"
                      ]
                    }
                  },
                  {
                    "object": "server_subuser",
                    "attributes": {
                      "uuid": "[uuid]",
                      "username": "bare",
                      "email": "bare@example.com",
                      "image": "https://gravatar.com/avatar/d9c6042f8249275dc21444fa25d67245",
                      "2fa_enabled": false,
                      "created_at": "2026-01-01T00:00:00+00:00",
                      "permissions": [
                        "websocket.connect"
                      ]
                    }
                  }
                ]
              }
            }
          },
          "meta": {
            "is_server_owner": true,
            "user_permissions": [
              "*"
            ]
          }
        }
        "#);
}

#[tokio::test]
async fn what_subusers_may_not_see_stays_hidden() {
    let panel = panel().await;
    let path = format!("{}?include=subusers", panel.world.server.path(""));
    let plain = panel.world.server.path("");
    let bare = panel
        .call_as(&panel.world.bare, "GET", &path)
        .send()
        .await
        .json();
    let attributes = &bare["attributes"];
    assert_eq!(attributes["server_owner"], false);
    assert_eq!(
        attributes["invocation"],
        "run -m 1024 -p 25565 [hidden] [hidden] [hidden] {{X}}"
    );
    let null = json!({"object": "null_resource", "attributes": null});
    assert_eq!(attributes["relationships"]["variables"], null);
    assert_eq!(attributes["relationships"]["subusers"], null);
    let allocations = attributes["relationships"]["allocations"]["data"]
        .as_array()
        .unwrap();
    assert_eq!(allocations.len(), 1);
    assert_eq!(
        bare["meta"],
        json!({"is_server_owner": false, "user_permissions": ["websocket.connect"]})
    );
    // The kept answers of one reader are not those of another.
    for person in [&panel.world.owner, &panel.world.bare, &panel.world.owner] {
        let answer = panel.call_as(person, "GET", &plain).send().await.json();
        let hidden = answer["attributes"]["invocation"]
            .as_str()
            .unwrap()
            .matches("[hidden]")
            .count();
        assert_eq!(hidden, if person.name == "owner" { 1 } else { 3 });
        assert_eq!(answer["meta"]["is_server_owner"], person.name == "owner");
    }
    let helper = panel
        .call_as(&panel.world.helper, "GET", &path)
        .send()
        .await
        .json();
    assert_eq!(
        helper["attributes"]["relationships"]["subusers"]["data"][0]["attributes"]["username"],
        "helper"
    );
    let admin = panel
        .call_as(&panel.world.admin, "GET", &plain)
        .send()
        .await
        .json();
    assert_eq!(
        admin["meta"]["user_permissions"],
        json!([
            "*",
            "admin.websocket.errors",
            "admin.websocket.install",
            "admin.websocket.transfer"
        ])
    );
    assert_eq!(
        admin["attributes"]["relationships"]["allocations"]["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_server_is_found_by_both_of_its_names_in_any_case() {
    let panel = panel().await;
    let uuid = panel.world.server.uuid.to_string();
    for (name, status) in [
        (uuid.clone(), 200),
        (uuid.to_uppercase(), 200),
        (uuid[..8].to_uppercase(), 200),
        (uuid[..7].to_owned(), 404),
        ("ffffffff".to_owned(), 404),
        (uuid.replace('-', ""), 404),
        ("1".to_owned(), 404),
        ("%FF%FE".to_owned(), 404),
    ] {
        let path = format!("/api/client/servers/{name}");
        let answer = panel.call_as(&panel.world.owner, "GET", &path).send().await;
        assert_eq!(answer.status, status, "{name}");
        if status == 404 {
            assert_eq!(
                answer.errors(),
                "404 NotFoundHttpException: The requested resource could not be found on the server."
            );
        }
    }
}

async fn in_state(panel: &TestPanel, status: ServerStatus) -> TestServer {
    let sketch = ServerSketch {
        name: status.as_str(),
        owner: panel.world.owner.id,
        status: Some(status),
        allocations: 1,
    };
    panel.add_server(&sketch).await.unwrap()
}

#[tokio::test]
async fn what_works_in_which_state() {
    let panel = panel().await;
    let mut lines = Vec::new();
    for status in [
        ServerStatus::Suspended,
        ServerStatus::Installing,
        ServerStatus::InstallFailed,
        ServerStatus::RestoringBackup,
        ServerStatus::ReinstallFailed,
    ] {
        let server = in_state(&panel, status).await;
        lines.push(states(&panel, &server, status.as_str()).await);
    }
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_node_maintenance(panel.world.node, true)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    lines.push(states(&panel, &panel.world.server, "maintenance").await);
    insta::assert_snapshot!(lines.join("\n"), @r#"
        suspended: view 200 socket 409/409 resources 409/409 | 409 ServerStateConflictException: This server is currently suspended and the functionality requested is unavailable.
        installing: view 200 socket 409/200 resources 409/409 | 409 ServerStateConflictException: This server has not yet completed its installation process, please try again later.
        install_failed: view 200 socket 409/200 resources 409/409 | 409 ServerStateConflictException: This server has not yet completed its installation process, please try again later.
        restoring_backup: view 200 socket 409/200 resources 409/409 | 409 ServerStateConflictException: This server is currently restoring from a backup, please try again later.
        reinstall_failed: view 200 socket 200/200 resources 200/200 | 200
        maintenance: view 200 socket 409/409 resources 409/409 | 409 ServerStateConflictException: The node of this server is currently under maintenance and the functionality requested is unavailable.
        "#);
}

async fn states(panel: &TestPanel, server: &TestServer, name: &str) -> String {
    let status = async |person: &Person, rest: &str| {
        panel
            .call_as(person, "GET", &server.path(rest))
            .send()
            .await
            .status
            .as_u16()
    };
    let (owner, admin) = (&panel.world.owner, &panel.world.admin);
    let refusal = panel
        .call_as(owner, "GET", &server.path("/files/list"))
        .send()
        .await
        .errors();
    format!(
        "{name}: view {} socket {}/{} resources {}/{} | {refusal}",
        status(owner, "").await,
        status(owner, "/websocket").await,
        status(admin, "/websocket").await,
        status(owner, "/resources").await,
        status(admin, "/resources").await,
    )
}

#[tokio::test]
async fn the_way_to_the_console() {
    let panel = panel().await;
    let uuid = panel.world.server.uuid;
    let answer = panel
        .call_as(
            &panel.world.bare,
            "GET",
            &panel.world.server.path("/websocket"),
        )
        .send()
        .await
        .json();
    assert_eq!(
        answer["data"]["socket"],
        format!("ws://panel.test/api/servers/{uuid}/ws")
    );
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let token = hatchery_node_proto::NodeToken::new(hatchery_testkit::NODE_TOKEN);
    let now = panel.cx.now();
    let text = answer["data"]["token"].as_str().unwrap();
    let claims: hatchery_node_proto::jwt::Claims<hatchery_node_proto::jwt::Websocket> =
        hatchery_node_proto::jwt::verify(&token, text, now).unwrap();
    assert_eq!(claims.purpose.permissions, ["websocket.connect"]);
    assert_eq!(
        (claims.purpose.server_uuid, claims.user_uuid),
        (uuid, panel.world.bare.uuid)
    );
    assert_eq!(claims.exp, now.seconds() + 600);
    assert_eq!(panel.node.take_calls(), []);
}

#[tokio::test]
async fn resources_are_asked_of_the_node_every_twenty_seconds() {
    let panel = panel().await;
    let path = panel.world.server.path("/resources?page=2");
    let get = async || panel.call_as(&panel.world.bare, "GET", &path).send().await;
    insta::assert_json_snapshot!(get().await.json(), @r#"
        {
          "object": "stats",
          "attributes": {
            "current_state": "running",
            "is_suspended": false,
            "resources": {
              "memory_bytes": 588701696,
              "cpu_absolute": 12.345,
              "disk_bytes": 130156361,
              "network_rx_bytes": 694220,
              "network_tx_bytes": 337090,
              "uptime": 171000
            }
          }
        }
        "#);
    panel.clock.advance(std::time::Duration::from_secs(19));
    assert_eq!(get().await.status, 200);
    assert_eq!(panel.node.take_calls().len(), 1);
    panel.clock.advance(std::time::Duration::from_secs(1));
    panel.node.answer_next(404, &json!({"error": "gone"}));
    assert_eq!(
        get().await.errors(),
        "504 DaemonConnectionException: There was an error while communicating with the machine running this \
         server. This error has been logged, please try again. (code: 404) \
         (request_id: 00000000-0000-4000-8000-00000000beef)"
    );
    assert_eq!(get().await.status, 200, "failures are not kept");
}

#[tokio::test]
async fn a_command_reaches_the_console_and_the_log() {
    let panel = panel().await;
    let path = panel.world.server.path("/command");
    let call = || panel.call_as(&panel.world.helper, "POST", &path);
    let sent = call()
        .json(&json!({"command": " say hi \u{e9} "}))
        .send()
        .await;
    assert_eq!((sent.status.as_u16(), sent.body.len()), (204, 0));
    let calls = panel.node.take_calls();
    assert_eq!(
        calls[0].to_string(),
        format!(
            "POST /api/servers/{}/commands {{\"commands\":[\"say hi \u{e9}\"]}}",
            panel.world.server.uuid
        )
    );
    for body in [
        json!({}),
        json!({"command": "  "}),
        json!({"command": 5}),
        json!({"command": ["x"]}),
        json!([1]),
    ] {
        let answer = call().json(&body).send().await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
    }
    panel.node.answer_next(502, &json!({"error": "offline"}));
    assert_eq!(
        call().json(&json!({"command": "x"})).send().await.errors(),
        "502 HttpException: Server must be online in order to send commands."
    );
    assert_eq!(
        log(&panel).await,
        [json!(["server:console.command", {"command": "say hi \u{e9}"}])]
    );
}

#[tokio::test]
async fn power_signals() {
    let panel = panel().await;
    let path = panel.world.server.path("/power");
    let send = async |body: Value| {
        panel
            .call_as(&panel.world.owner, "POST", &path)
            .json(&body)
            .send()
            .await
            .errors()
    };
    for signal in ["start", "stop", "restart", "kill"] {
        assert_eq!(send(json!({"signal": signal})).await, "204");
    }
    let calls = panel.node.take_calls();
    assert!(
        calls[3]
            .to_string()
            .ends_with(r#"/power {"action":"kill"}"#),
        "{}",
        calls[3]
    );
    insta::assert_snapshot!(send(json!({"signal": "explode"})).await, @"422 ValidationException: The selected signal is invalid. [signal in]");
    insta::assert_snapshot!(send(json!({})).await, @"422 ValidationException: The signal field is required. [signal required]");
    insta::assert_snapshot!(send(json!({"signal": ["start"]})).await, @r"
    422 ValidationException: The signal must be a string. [signal string]
    422 ValidationException: The selected signal is invalid. [signal in]
    ");
    panel.node.answer_next(
        400,
        &json!({"error": "Cannot start a server that is suspended."}),
    );
    insta::assert_snapshot!(send(json!({"signal": "start"})).await, @"400 DaemonConnectionException: An error occurred on the remote host: Cannot start a server that is suspended.. (request id: 00000000-0000-4000-8000-00000000beef)");
    panel.node.set_unreachable(true);
    insta::assert_snapshot!(send(json!({"signal": "start"})).await, @"504 DaemonConnectionException: Could not establish a connection to the machine running this server. Please try again.");
    let events: Vec<Value> = log(&panel)
        .await
        .iter()
        .map(|entry| entry[0].clone())
        .collect();
    assert_eq!(
        events,
        [
            "server:power.start",
            "server:power.stop",
            "server:power.restart",
            "server:power.kill"
        ]
    );
}

#[tokio::test]
async fn the_log_hides_addresses_from_others() {
    let panel = panel().await;
    let path = panel.world.server.path("/command");
    panel
        .call_as(&panel.world.owner, "POST", &path)
        .json(&json!({"command": "x"}))
        .send()
        .await;
    let path = panel.world.server.path("/activity?include=actor");
    for (person, shown) in [
        (&panel.world.owner, true),
        (&panel.world.helper, false),
        (&panel.world.admin, true),
    ] {
        let answer = panel.call_as(person, "GET", &path).send().await.json();
        let entry = &answer["data"][0]["attributes"];
        assert_eq!(entry["ip"].is_string(), shown, "{}", person.name);
        assert_eq!(entry["is_api"], true);
        assert_eq!(
            entry["relationships"]["actor"]["attributes"]["username"],
            "owner"
        );
    }
}

/// Event and properties of every entry of the server's log.
async fn log(panel: &TestPanel) -> Vec<Value> {
    let path = panel.world.server.path("/activity");
    let answer = panel
        .call_as(&panel.world.owner, "GET", &path)
        .send()
        .await
        .json();
    let entries = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["attributes"]);
    entries
        .map(|entry| json!([entry["event"], entry["properties"]]))
        .collect()
}
