//! `/api/remote` as a node sees it, and what hands servers to nodes (node-protocol.md §2).

mod backups;

use std::sync::Arc;

use hatchery_app::{eggs, servers};
use hatchery_store::{EggSnapshot, FeatureLimits, NewNode, Secret, ServerLimits};
use hatchery_testkit::{Call, NODE_TOKEN, ServerSketch, TestPanel};
use hatchery_vocab::{CpuPercent, MiB, NodeId, NodeUuid, Port, ServerStatus, Swap};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::panel;

const TOKEN_ID: &str = "test-token-id-01";

trait AsNode {
    fn node(self) -> Call;
    fn other_node(self) -> Call;
}

impl AsNode for Call {
    fn node(self) -> Call {
        self.header("authorization", &format!("Bearer {TOKEN_ID}.{NODE_TOKEN}"))
    }

    fn other_node(self) -> Call {
        self.header("authorization", "Bearer other-token-id.other-secret")
    }
}

/// A second node, which has no servers.
async fn add_node(panel: &TestPanel) -> NodeId {
    let here = panel.store.node(panel.world.node).await.unwrap().unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    let id = tx
        .create_node(&NewNode {
            uuid: NodeUuid::new(panel.cx.entropy().uuid()),
            location_id: here.location_id,
            name: "node2".to_owned(),
            description: None,
            embedded: false,
            public: true,
            fqdn: "192.0.2.77".to_owned(),
            scheme: "http".to_owned(),
            behind_proxy: false,
            maintenance_mode: false,
            memory: MiB::new(0),
            memory_overallocate: 0,
            disk: MiB::new(0),
            disk_overallocate: 0,
            upload_size: MiB::new(100),
            daemon_base: "/srv".to_owned(),
            daemon_listen: Port::new(8080).unwrap(),
            daemon_sftp: Port::new(2022).unwrap(),
            daemon_token_id: "other-token-id".to_owned(),
            daemon_token: Secret::new("other-secret"),
        })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn status(panel: &TestPanel) -> Option<ServerStatus> {
    panel
        .store
        .server(panel.world.server.id)
        .await
        .unwrap()
        .unwrap()
        .status
}

async fn set_status(panel: &TestPanel, status: Option<ServerStatus>) {
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_status(panel.world.server.id, status)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// An egg that names everything once, in the words of both families of eggs.
async fn import_egg(panel: &TestPanel) -> Arc<EggSnapshot> {
    let file = json!({
        "meta": {"version": "PLCN_v1"},
        "uuid": "9e6b409e-4028-4947-aea8-50a2c404c271",
        "name": "Everything", "author": "someone@example.com",
        "docker_images": {"One": "example.com/one", "Two": "example.com/two"},
        "file_denylist": ["*.key"],
        "startup": "./run {{LEVEL}}",
        "config": {
            "files": {"a.yml": {"parser": "yaml", "find": {
                "ports": "{{server.build.default.port}}/{{server.allocations.default.port}}",
                "memory": "{{server.build.memory}}/{{server.build.memory_limit}}",
                "level": "{{env.LEVEL}}/{{server.build.env.LEVEL}}/{{server.environment.LEVEL}}",
                "own": "{{env.SERVER_PORT}}/{{server.build.env.SERVER_MEMORY}}",
                "unknown": "<{{server.token}}{{env.NOPE}}>",
                "kept": "{{config.token}}/{{other}}/{{ env.LEVEL }}/{{",
                "servers.*.address": {"regex:^localhost": "{{config.docker.interface}}"},
                "flag": true,
                "number": 5,
            }}},
            "startup": {"done": ["ready", "regex:^go"]},
            "logs": {},
            "stop": "^^C",
        },
        "scripts": {"installation": {"script": "echo hi\n", "container": "example.com/i", "entrypoint": "ash"}},
        "variables": [{
            "name": "Level", "description": "", "env_variable": "LEVEL", "default_value": "world",
            "user_viewable": true, "user_editable": true, "rules": ["required", "alpha_dash", "max:10"], "sort": 1,
        }],
    });
    let imported = eggs::import(&panel.cx, file.to_string().as_bytes(), None)
        .await
        .unwrap();
    assert_eq!(imported.warnings, Vec::<String>::new());
    panel.store.egg(imported.id).await.unwrap().unwrap()
}

fn new_server(panel: &TestPanel, egg: Arc<EggSnapshot>) -> servers::NewServer {
    servers::NewServer {
        name: "Fresh".to_owned(),
        description: String::new(),
        external_id: None,
        owner: panel.world.owner.id,
        egg,
        node: None,
        limits: ServerLimits {
            memory: MiB::new(512),
            swap: Swap::Unlimited,
            disk: MiB::new(1000),
            io: 500,
            cpu: CpuPercent::new(50),
            threads: None,
            oom_disabled: false,
        },
        feature_limits: FeatureLimits {
            databases: None,
            allocations: Some(2),
            backups: 0,
        },
        port: Port::new(30_001),
        variables: vec![("LEVEL".to_owned(), "{{env".to_owned() + ".X}}")],
        image: None,
        startup: None,
        skip_scripts: false,
        start_on_completion: true,
    }
}

#[tokio::test]
async fn only_a_node_gets_in() {
    let panel = panel().await;
    let cases = [
        ("", "401 HttpException"),
        ("Basic abc", "401 HttpException"),
        ("Bearer ", "401 HttpException"),
        ("Bearer token", "400 BadRequestHttpException"),
        ("Bearer .token", "400 BadRequestHttpException"),
        ("Bearer a.b.c", "400 BadRequestHttpException"),
        ("Bearer nobody.token", "403 AccessDeniedHttpException"),
        (
            "Bearer test-token-id-01.wrong",
            "403 AccessDeniedHttpException",
        ),
    ];
    let routes = [
        ("GET", "/api/remote/servers".to_owned()),
        ("POST", "/api/remote/servers/reset".to_owned()),
        (
            "GET",
            format!("/api/remote/servers/{}", panel.world.server.uuid),
        ),
        (
            "GET",
            format!("/api/remote/servers/{}/install", panel.world.server.uuid),
        ),
        (
            "POST",
            format!("/api/remote/servers/{}/install", panel.world.server.uuid),
        ),
        ("POST", "/api/remote/activity".to_owned()),
    ];
    for (method, path) in &routes {
        for (header, expected) in cases {
            let answer = panel
                .call(method, path)
                .header("authorization", header)
                .send()
                .await;
            assert!(
                answer.errors().starts_with(expected),
                "{method} {path} {header}: {}",
                answer.errors()
            );
            let challenge = if expected.starts_with("401") {
                "Bearer"
            } else {
                ""
            };
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
        let key = panel.call_as(&panel.world.admin, method, path).send().await;
        assert_eq!(
            key.status, 400,
            "{method} {path}: a person's key opens nothing here"
        );
    }
}

#[tokio::test]
async fn a_server_s_configuration() {
    let panel = panel().await;
    let egg = import_egg(&panel).await;
    let mut new = new_server(&panel, egg);
    new.variables = vec![("LEVEL".to_owned(), "moon".to_owned())];
    let created = servers::create(&panel.cx, new).await.unwrap();
    let path = format!("/api/remote/servers/{}", created.uuid);
    let answer = panel.call("GET", &path).node().send().await;
    assert_eq!(answer.status, 200);
    let expected = json!({
        "settings": {
            "uuid": created.uuid,
            "meta": {"name": "Fresh", "description": ""},
            "suspended": false,
            "invocation": "./run {{LEVEL}}",
            "skip_egg_scripts": false,
            "environment": {
                "LEVEL": "moon",
                "STARTUP": "./run {{LEVEL}}",
                "P_SERVER_LOCATION": "here",
                "P_SERVER_UUID": created.uuid,
                "P_SERVER_ALLOCATION_LIMIT": "2",
            },
            "labels": null,
            "allocations": {
                "force_outgoing_ip": false,
                "default": {"ip": "192.0.2.10", "port": 30_001},
                "mappings": {"192.0.2.10": [30_001]},
            },
            "build": {
                "memory_limit": 512, "swap": -1, "io_weight": 500, "cpu_limit": 50, "threads": null,
                "disk_space": 1000, "oom_disabled": false,
            },
            "mounts": [],
            "egg": {"id": "9e6b409e-4028-4947-aea8-50a2c404c271", "file_denylist": ["*.key"]},
            "container": {"image": "example.com/one"},
        },
        "process_configuration": {
            "startup": {"done": ["ready", "regex:^go"], "user_interaction": [], "strip_ansi": false},
            "stop": {"type": "signal", "value": "C"},
            "configs": [{"parser": "yaml", "file": "a.yml", "replace": [
                {"match": "ports", "replace_with": "30001/30001"},
                {"match": "memory", "replace_with": "512/512"},
                {"match": "level", "replace_with": "moon/moon/moon"},
                {"match": "own", "replace_with": "30001/512"},
                {"match": "unknown", "replace_with": "<>"},
                {"match": "kept", "replace_with": "{{config.token}}/{{other}}/{{ env.LEVEL }}/{{"},
                {"match": "servers.*.address", "if_value": "regex:^localhost",
                 "replace_with": "{{config.docker.network.interface}}"},
                {"match": "flag", "replace_with": true},
                {"match": "number", "replace_with": 5},
            ]}],
        },
    });
    assert_eq!(answer.json(), expected);
    let short = panel
        .call(
            "GET",
            &format!("/api/remote/servers/{}", created.uuid.short()),
        )
        .node()
        .send()
        .await;
    assert_eq!(short.json(), expected);
    let script = panel
        .call("GET", &format!("{path}/install"))
        .node()
        .send()
        .await;
    let expected =
        json!({"container_image": "example.com/i", "entrypoint": "ash", "script": "echo hi\n"});
    assert_eq!(script.json(), expected);
}

#[tokio::test]
async fn a_node_s_list_is_paged() {
    let panel = panel().await;
    for name in ["Two", "Three"] {
        let sketch = ServerSketch {
            name,
            owner: panel.world.owner.id,
            status: None,
            allocations: 1,
        };
        panel.add_server(&sketch).await.unwrap();
    }
    let first = panel
        .call("GET", "/api/remote/servers?page=0&per_page=2")
        .node()
        .send()
        .await
        .json();
    let meta = json!({
        "current_page": 1, "from": 1, "last_page": 2, "links": [], "path": "http://panel.test/api/remote/servers",
        "per_page": 2, "to": 2, "total": 3,
    });
    assert_eq!(first["meta"], meta);
    assert_eq!(first["data"][0]["uuid"], json!(panel.world.server.uuid));
    assert_eq!(first["data"][0]["settings"]["meta"]["name"], "Main");
    // Its egg has no installation script.
    assert_eq!(
        first["data"][0]["settings"]["skip_egg_scripts"],
        json!(true)
    );
    assert_eq!(
        first["data"][0]["process_configuration"]["stop"],
        json!({"type": "command", "value": "stop"})
    );
    assert_eq!(
        first["links"]["next"],
        "http://panel.test/api/remote/servers?page=2"
    );
    let second = panel
        .call("GET", "/api/remote/servers?page=2&per_page=2")
        .node()
        .send()
        .await
        .json();
    assert_eq!(
        (
            second["data"].as_array().unwrap().len(),
            &second["meta"]["from"]
        ),
        (1, &json!(3))
    );
    let behind = panel
        .call("GET", "/api/remote/servers?page=9")
        .node()
        .send()
        .await
        .json();
    assert_eq!(
        (&behind["data"], &behind["meta"]["from"]),
        (&json!([]), &Value::Null)
    );
}

/// CVE-2026-26016: a node must not see or change another node's servers.
#[tokio::test]
async fn a_node_reaches_only_its_own_servers() {
    let panel = panel().await;
    add_node(&panel).await;
    set_status(&panel, Some(ServerStatus::Installing)).await;
    let server = format!("/api/remote/servers/{}", panel.world.server.uuid);
    let list = panel
        .call("GET", "/api/remote/servers")
        .other_node()
        .send()
        .await;
    assert_eq!(list.json()["data"], json!([]));
    for (method, path) in [
        ("GET", server.clone()),
        ("GET", format!("{server}/install")),
        ("POST", format!("{server}/install")),
    ] {
        let call = panel
            .call(method, &path)
            .other_node()
            .json(&json!({"successful": true}));
        assert_eq!(call.send().await.status, 404, "{method} {path}");
    }
    assert_eq!(
        panel
            .call("POST", "/api/remote/servers/reset")
            .other_node()
            .raw("application/json", "null")
            .send()
            .await
            .status,
        204
    );
    assert_eq!(status(&panel).await, Some(ServerStatus::Installing));
    let entry = json!({"data": [{
        "user": null, "server": panel.world.server.uuid, "event": "server:power.start", "metadata": null, "ip": null,
        "timestamp": "2026-01-01T00:00:00Z",
    }]});
    assert_eq!(
        panel
            .call("POST", "/api/remote/activity")
            .other_node()
            .json(&entry)
            .send()
            .await
            .status,
        200
    );
    set_status(&panel, None).await;
    let log = panel
        .call_as(
            &panel.world.owner,
            "GET",
            &panel.world.server.path("/activity"),
        )
        .send()
        .await;
    assert_eq!(log.json()["data"], json!([]));
}

#[tokio::test]
async fn how_an_installation_ended() {
    let panel = panel().await;
    let path = format!("/api/remote/servers/{}/install", panel.world.server.uuid);
    let cases = [
        (
            json!({"successful": true, "reinstall": false}),
            Some(ServerStatus::Installing),
            None,
        ),
        (
            json!({"successful": false}),
            Some(ServerStatus::Installing),
            Some(ServerStatus::InstallFailed),
        ),
        (
            json!({"successful": false, "reinstall": true}),
            Some(ServerStatus::Installing),
            Some(ServerStatus::ReinstallFailed),
        ),
        (
            json!({"successful": "1"}),
            Some(ServerStatus::InstallFailed),
            None,
        ),
        (
            json!({"successful": true}),
            Some(ServerStatus::Suspended),
            Some(ServerStatus::Suspended),
        ),
    ];
    for (report, before, after) in cases {
        set_status(&panel, before).await;
        assert_eq!(
            panel
                .call("POST", &path)
                .node()
                .json(&report)
                .send()
                .await
                .status,
            204,
            "{report}"
        );
        assert_eq!(status(&panel).await, after, "{report}");
    }
    let refused = panel
        .call("POST", &path)
        .node()
        .json(&json!({"reinstall": true}))
        .send()
        .await;
    assert_eq!(
        refused.errors(),
        "422 ValidationException: The successful field must be present. [successful present]"
    );
    let unknown = panel
        .call("POST", "/api/remote/servers/00000000/install")
        .node()
        .json(&json!({"successful": true}))
        .send()
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn a_node_that_has_started_frees_its_servers() {
    let panel = panel().await;
    let reset = || {
        panel
            .call("POST", "/api/remote/servers/reset")
            .node()
            .raw("application/json", "null")
            .send()
    };
    // A first installation is taken up again, so it stays.
    set_status(&panel, Some(ServerStatus::Installing)).await;
    assert_eq!(reset().await.status, 204);
    assert_eq!(status(&panel).await, Some(ServerStatus::Installing));
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_installed(panel.world.server.id, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for before in [ServerStatus::Installing, ServerStatus::RestoringBackup] {
        set_status(&panel, Some(before)).await;
        assert_eq!(reset().await.status, 204);
        assert_eq!(status(&panel).await, None, "{before}");
    }
    set_status(&panel, Some(ServerStatus::Suspended)).await;
    assert_eq!(reset().await.status, 204);
    assert_eq!(status(&panel).await, Some(ServerStatus::Suspended));
    set_status(&panel, None).await;
    let log = panel
        .call_as(
            &panel.world.owner,
            "GET",
            &panel.world.server.path("/activity"),
        )
        .send()
        .await;
    assert_eq!(
        log.json()["data"][0]["attributes"]["event"],
        "server:backup.restore-failed"
    );
}

#[tokio::test]
async fn what_people_did_on_a_node_is_recorded() {
    let panel = panel().await;
    let entry = |event: &str, timestamp: &str| {
        json!({
            "user": panel.world.helper.uuid, "server": panel.world.server.uuid, "event": event,
            "metadata": {"command": "say hi"}, "ip": "203.0.113.7", "timestamp": timestamp,
        })
    };
    let report = json!({"data": [
        entry("server:console.command", "2026-01-01T10:20:30.123456789Z"),
        entry("auth:success", "2026-01-01T10:20:30Z"),
        entry("server:power.start", "yesterday"),
    ]});
    let answer = panel
        .call("POST", "/api/remote/activity")
        .node()
        .json(&report)
        .send()
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, String::new())
    );
    let log = panel
        .call_as(
            &panel.world.owner,
            "GET",
            &panel
                .world
                .server
                .path("/activity?sort=timestamp&include=actor"),
        )
        .send()
        .await;
    let log = log.json();
    let entries = log["data"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{log:#}");
    let find = |event: &str| {
        let found = entries
            .iter()
            .find(|entry| entry["attributes"]["event"] == event);
        found.unwrap()["attributes"].clone()
    };
    let command = find("server:console.command");
    assert_eq!(command["timestamp"], "2026-01-01T10:20:30+00:00");
    assert_eq!(
        command["relationships"]["actor"]["attributes"]["username"],
        "helper"
    );
    assert_eq!(
        find("server:power.start")["properties"]["original_timestamp"],
        "yesterday"
    );

    let broken = json!({"data": [{"server": "x", "event": "", "ip": "nowhere", "timestamp": 5}]});
    let answer = panel
        .call("POST", "/api/remote/activity")
        .node()
        .json(&broken)
        .send()
        .await;
    let rules: Vec<String> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["meta"]["rule"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rules, ["uuid", "required", "present", "ip", "string"]);
}

#[tokio::test]
async fn a_server_is_created_and_handed_to_its_node() {
    let panel = panel().await;
    let egg = import_egg(&panel).await;
    panel.node.take_calls();

    let mut new = new_server(&panel, Arc::clone(&egg));
    new.name = String::new();
    new.variables = vec![
        ("LEVEL".to_owned(), "far too long".to_owned()),
        ("NOPE".to_owned(), "x".to_owned()),
    ];
    let refused = servers::create(&panel.cx, new).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "name: The name field is required.\n\
         environment.LEVEL: The value may only contain letters, numbers, and dashes.\n\
         environment.LEVEL: The value may not be greater than 10 characters.\n\
         environment.NOPE: The egg has no such variable."
    );
    assert_eq!(panel.node.take_calls(), []);

    let sound = || servers::NewServer {
        variables: Vec::new(),
        ..new_server(&panel, Arc::clone(&egg))
    };
    let created = servers::create(&panel.cx, sound()).await.unwrap();
    let calls: Vec<String> = panel
        .node
        .take_calls()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        calls,
        [format!(
            "POST /api/servers {{\"uuid\":\"{}\",\"start_on_completion\":true}}",
            created.uuid
        )]
    );
    let server = panel.store.server(created.id).await.unwrap().unwrap();
    assert_eq!(
        (server.status, server.image.as_str()),
        (Some(ServerStatus::Installing), "example.com/one")
    );
    assert_eq!(server.values, [Some("world".to_owned())]);

    let taken = servers::create(&panel.cx, sound()).await.unwrap_err();
    assert_eq!(
        taken.to_string(),
        "another server has the port 30001; name another one"
    );

    // A node that refuses leaves nothing behind: the port is free again.
    panel.node.answer_next(500, &json!({"error": "disk full"}));
    let new = || servers::NewServer {
        port: Port::new(30_002),
        ..sound()
    };
    assert!(matches!(
        servers::create(&panel.cx, new()).await,
        Err(servers::CreateServerError::Node(_))
    ));
    assert_eq!(panel.store.count_servers().await.unwrap(), 2);
    servers::create(&panel.cx, new()).await.unwrap();
}

/// A server that was deleted while nobody could speak to its node.
async fn deleted_server(panel: &TestPanel) -> String {
    let sketch = ServerSketch {
        name: "Gone",
        owner: panel.world.owner.id,
        status: None,
        allocations: 0,
    };
    let server = panel.add_server(&sketch).await.unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.delete_server(server.id).await.unwrap();
    tx.commit().await.unwrap();
    server.uuid.to_string()
}

/// A node elsewhere: says yes to everything, and tells what it was asked.
async fn listen() -> (Port, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = Port::new(listener.local_addr().unwrap().port()).unwrap();
    let (sender, asked) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.unwrap();
            }
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
            let line = head.lines().next().unwrap();
            let bearer = head.lines().find(|line| line.starts_with("authorization"));
            let body = String::from_utf8(body).unwrap();
            let told = format!("{line} {} {body}", bearer.unwrap());
            sender.send(told).await.unwrap();
        }
    });
    (port, asked)
}

#[tokio::test]
async fn servers_of_a_node_elsewhere_are_reached_at_its_address() {
    let panel = panel().await;
    let egg = import_egg(&panel).await;
    let (port, mut asked) = listen().await;
    let node = add_node(&panel).await;
    let game = Port::new(30_001).unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_node_address(node, "http", "127.0.0.1", port, port)
        .await
        .unwrap();
    tx.create_allocations(node, "127.0.0.1", None, game, game)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let new = servers::NewServer {
        node: Some(node),
        variables: Vec::new(),
        ..new_server(&panel, egg)
    };
    let created = servers::create(&panel.cx, new).await.unwrap();
    let uuid = created.uuid;
    let bearer = "HTTP/1.1 authorization: Bearer other-secret";
    let expected =
        format!("POST /api/servers {bearer} {{\"uuid\":\"{uuid}\",\"start_on_completion\":true}}");
    assert_eq!(asked.recv().await.unwrap(), expected);

    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_status(created.id, None).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/api/client/servers/{uuid}");
    let answer = panel
        .call_as(&panel.world.owner, "POST", &format!("{path}/command"))
        .json(&json!({"command": "list"}))
        .send()
        .await;
    assert_eq!(answer.errors(), "204");
    let expected =
        format!("POST /api/servers/{uuid}/commands {bearer} {{\"commands\":[\"list\"]}}");
    assert_eq!(asked.recv().await.unwrap(), expected);

    let socket = panel
        .call_as(&panel.world.owner, "GET", &format!("{path}/websocket"))
        .send()
        .await
        .json();
    assert_eq!(
        socket["data"]["socket"],
        format!("ws://127.0.0.1:{port}/api/servers/{uuid}/ws")
    );
    assert_eq!(
        panel.node.take_calls(),
        [],
        "the embedded node is not asked"
    );
}

#[tokio::test]
async fn servers_that_wait_are_handed_over_later() {
    let panel = panel().await;
    let egg = import_egg(&panel).await;
    let row = panel.store.node(panel.world.node).await.unwrap().unwrap();
    let client = panel.cx.nodes().client(&row).unwrap();
    panel.cx.nodes().forget(panel.world.node);
    let new = servers::NewServer {
        variables: Vec::new(),
        ..new_server(&panel, egg)
    };
    let created = servers::create(&panel.cx, new).await.unwrap();
    servers::reconcile(&panel.cx, panel.world.node)
        .await
        .unwrap();
    assert_eq!(panel.node.take_calls(), []);

    panel.cx.nodes().register(panel.world.node, client);
    let gone = deleted_server(&panel).await;
    let unknown = "11111111-2222-4333-8444-555555555555";
    let mut settings = panel
        .call("GET", &format!("/api/remote/servers/{}", created.uuid))
        .node()
        .send()
        .await
        .json()["settings"]
        .clone();
    let known = settings.clone();
    settings["uuid"] = json!(gone);
    let mut stray = settings.clone();
    stray["uuid"] = json!(unknown);
    let details = |settings: &Value| json!({"state": "offline", "is_suspended": false, "utilization": {}, "configuration": settings});
    panel.node.answer_next(409, &json!({"error": "exists"}));
    panel.node.answer_next(202, &json!(null));
    panel.node.answer_next(
        200,
        &json!([details(&known), details(&settings), details(&stray)]),
    );
    servers::reconcile(&panel.cx, panel.world.node)
        .await
        .unwrap();
    let calls = panel.node.take_calls();
    let lines: Vec<&str> = calls.iter().map(|call| call.line.as_str()).collect();
    let install = format!("POST /api/servers/{}/install", created.uuid);
    // What was not deleted on purpose keeps its files, although the data does not know it.
    let delete = format!("DELETE /api/servers/{gone}");
    assert_eq!(
        lines,
        ["POST /api/servers", &install, "GET /api/servers", &delete]
    );
    // That it is to start was remembered until the node knew.
    let starts =
        |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["start_on_completion"] == true;
    assert!(starts(&calls[0].body));
    panel.node.answer_next(202, &json!(null));
    panel.node.answer_next(200, &json!([]));
    servers::reconcile(&panel.cx, panel.world.node)
        .await
        .unwrap();
    assert!(!starts(&panel.node.take_calls()[0].body));
}

#[tokio::test]
async fn eggs_are_imported_in_place() {
    let panel = panel().await;
    eggs::install_builtin(&panel.cx).await.unwrap();
    let count = eggs::list(&panel.cx).await.unwrap().len();
    eggs::install_builtin(&panel.cx).await.unwrap();
    assert_eq!(eggs::list(&panel.cx).await.unwrap().len(), count);
    let demo = eggs::find(&panel.cx, "demo").await.unwrap().unwrap();
    assert_eq!(
        demo.egg.startup,
        "hatchery demo-game --port {{SERVER_PORT}}"
    );
    assert_eq!(
        eggs::find(&panel.cx, "hen house")
            .await
            .unwrap()
            .unwrap()
            .egg
            .id,
        demo.egg.id
    );
    assert_eq!(
        eggs::find(&panel.cx, &demo.egg.uuid.to_string())
            .await
            .unwrap()
            .unwrap()
            .egg
            .id,
        demo.egg.id
    );
    assert!(eggs::find(&panel.cx, "nothing").await.unwrap().is_none());

    let first = import_egg(&panel).await;
    let again = import_egg(&panel).await;
    assert_eq!(
        (again.egg.id, &again.variables),
        (first.egg.id, &first.variables)
    );

    // Files without a UUID are the same egg by nest, name and author.
    let file = demo.egg.clone();
    let nameless = json!({
        "meta": {"version": "PTDL_v2"}, "name": "Nameless", "author": file.author, "startup": "x",
        "docker_images": {"a": "b"}, "config": {"files": "{}", "startup": "{}", "logs": "{}", "stop": "stop"},
    });
    let nameless = nameless.to_string();
    let import = || eggs::import(&panel.cx, nameless.as_bytes(), None);
    let (first, second) = (import().await.unwrap(), import().await.unwrap());
    assert_eq!(
        (first.created, second.created, first.uuid),
        (true, false, second.uuid)
    );
    assert!(eggs::import(&panel.cx, b"{}", None).await.is_err());
}

/// Data that was put back from an old copy, or another database, must cost nobody their files.
#[tokio::test]
async fn files_of_servers_that_the_data_forgot_are_left_alone() {
    let panel = panel().await;
    let settings = panel
        .call(
            "GET",
            &format!("/api/remote/servers/{}", panel.world.server.uuid),
        )
        .node()
        .send()
        .await
        .json()["settings"]
        .clone();
    let mut stray = settings.clone();
    stray["uuid"] = json!("11111111-2222-4333-8444-555555555555");
    let known = |settings: &Value| json!({"state": "offline", "is_suspended": false, "utilization": {}, "configuration": settings});
    panel.node.take_calls();
    for _ in 0..2 {
        panel
            .node
            .answer_next(200, &json!([known(&settings), known(&stray)]));
        servers::reconcile(&panel.cx, panel.world.node)
            .await
            .unwrap();
    }
    let calls = panel.node.take_calls();
    assert!(
        calls.iter().all(|call| call.line == "GET /api/servers"),
        "{calls:?}"
    );
    assert_eq!(calls.len(), 2);
}

/// A node that refuses is asked again, one that has done it is not.
#[tokio::test]
async fn a_deletion_is_told_until_the_node_has_done_it() {
    let panel = panel().await;
    let gone = deleted_server(&panel).await;
    let mut settings = panel
        .call(
            "GET",
            &format!("/api/remote/servers/{}", panel.world.server.uuid),
        )
        .node()
        .send()
        .await
        .json()["settings"]
        .clone();
    settings["uuid"] = json!(gone);
    let known = json!([{"state": "offline", "is_suspended": false, "utilization": {}, "configuration": settings}]);
    panel.node.take_calls();
    let delete = format!("DELETE /api/servers/{gone}");
    for (status, told) in [(500, true), (204, true), (204, false)] {
        panel.node.answer_next(200, &known);
        panel.node.answer_next(status, &json!(null));
        servers::reconcile(&panel.cx, panel.world.node)
            .await
            .unwrap();
        let calls = panel.node.take_calls();
        assert_eq!(
            calls.iter().any(|call| call.line == delete),
            told,
            "{calls:?}"
        );
    }
}
