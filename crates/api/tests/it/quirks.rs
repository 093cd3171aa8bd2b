//! What published clients rely on, item by item of client-quirks.md; docs/client-quirks.md says
//! which test defends which. Those about a node's socket and links are in the node's tests.

use hatchery_auth::SecretDigest;
use hatchery_store::{ApiKeyKind, NewApiKey};
use hatchery_testkit::{Answer, ServerSketch, TestPanel};
use serde_json::{Value, json};

use crate::panel;

async fn get(panel: &TestPanel, path: &str) -> Answer {
    panel.call_as(&panel.world.owner, "GET", path).send().await
}

/// The same beneath the world's server.
async fn of_server(panel: &TestPanel, rest: &str) -> Answer {
    get(panel, &panel.world.server.path(rest)).await
}

#[tokio::test]
async fn item_1_the_list_has_three_addresses_and_no_redirect() {
    let panel = panel().await;
    let plain = get(&panel, "/api/client").await;
    assert_eq!(plain.status, 200);
    for path in [
        "/api/client/",
        "/api/client/?type=owner&page=1",
        "/api/client?page=1",
    ] {
        let answer = get(&panel, path).await;
        assert_eq!(
            (answer.status, &answer.json()["data"]),
            (plain.status, &plain.json()["data"]),
            "{path}"
        );
    }
}

#[tokio::test]
async fn item_2_links_of_pages_are_an_object_and_end_without_next() {
    let panel = panel().await;
    let links =
        async |path: &str| get(&panel, path).await.json()["meta"]["pagination"]["links"].clone();
    assert_eq!(links("/api/client").await, json!({}));
    for name in ["Two", "Three"] {
        let owner = panel.world.owner.id;
        let sketch = ServerSketch {
            name,
            owner,
            status: None,
            allocations: 1,
        };
        panel.add_server(&sketch).await.unwrap();
    }
    let first = links("/api/client?per_page=2").await;
    assert!(
        first["next"].as_str().unwrap().contains("page=2"),
        "{first}"
    );
    let last = links("/api/client?per_page=2&page=2").await;
    assert!(
        last["previous"].is_string() && last.get("next").is_none(),
        "{last}"
    );
    let pages = get(&panel, "/api/client?per_page=2").await.json();
    assert_eq!(pages["meta"]["pagination"]["total_pages"], 2);
}

#[tokio::test]
async fn item_3_unknown_query_keys_and_pages_past_the_end_are_no_errors() {
    let panel = panel().await;
    assert_eq!(of_server(&panel, "/resources?page=7").await.status, 200);
    for path in ["/backups?per_page=50&page=7", "/activity?page=7"] {
        let answer = of_server(&panel, path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["data"]),
            (200, &json!([])),
            "{path}"
        );
    }
    let answer = get(&panel, "/api/client?page=7&what=ever").await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["data"]),
        (200, &json!([]))
    );
}

#[tokio::test]
async fn item_4_list_items_keep_the_old_flags_beside_the_status() {
    let panel = panel().await;
    let item = get(&panel, "/api/client").await.json()["data"][0]["attributes"].clone();
    for flag in [
        "is_suspended",
        "is_installing",
        "is_transferring",
        "is_node_under_maintenance",
    ] {
        assert_eq!(item[flag], json!(false), "{flag}");
    }
    assert_eq!(item["status"], Value::Null);
}

#[tokio::test]
async fn item_5_the_way_to_the_console_has_no_envelope() {
    let panel = panel().await;
    let answer = of_server(&panel, "/websocket").await.json();
    let keys: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["data"]);
    let keys: Vec<_> = answer["data"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["token", "socket"]);
}

#[tokio::test]
async fn item_6_what_has_no_body_has_none() {
    let panel = panel().await;
    for (rest, body) in [
        ("/command", json!({"command": "x"})),
        ("/power", json!({"signal": "start"})),
    ] {
        let path = panel.world.server.path(rest);
        let answer = panel
            .call_as(&panel.world.owner, "POST", &path)
            .json(&body)
            .send()
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (204, 0),
            "{rest}"
        );
    }
}

#[tokio::test]
async fn item_7_every_error_has_code_status_and_detail() {
    let panel = panel().await;
    panel.node.answer_next(500, &json!({"error": "x"}));
    for (path, status) in [
        ("/api/client/nope", 404),
        ("/api/client/servers/ffffffff", 404),
        (&*panel.world.server.path("/command"), 405),
        (&*panel.world.server.path("/files/contents"), 422),
        (&*panel.world.server.path("/resources"), 504),
    ] {
        let answer = get(&panel, path).await;
        assert_eq!(answer.status, status, "{path}");
        let error = &answer.json()["errors"][0];
        assert_eq!(error["status"], status.to_string());
        for key in ["code", "detail"] {
            assert!(
                error[key].as_str().is_some_and(|text| !text.is_empty()),
                "{path} {key}"
            );
        }
    }
}

#[tokio::test]
async fn item_8_any_accept_will_do_and_a_type_without_a_body_is_no_body() {
    let panel = panel().await;
    for accept in [
        "application/json",
        "application/json, text/plain",
        "Application/vnd.pterodactyl.v1+json",
        "",
    ] {
        let call = panel.call_as(&panel.world.owner, "GET", "/api/client");
        let call = if accept.is_empty() {
            call
        } else {
            call.header("accept", accept)
        };
        let answer = call.header("content-type", "application/json").send().await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["object"]),
            (200, &json!("list")),
            "{accept}"
        );
    }
}

#[tokio::test]
async fn item_9_files_are_raw_bytes_both_ways() {
    let panel = panel().await;
    for kind in ["text/plain", "application/text", "application/json", ""] {
        let path = panel.world.server.path("/files/write?file=a.txt");
        let answer = panel
            .call_as(&panel.world.owner, "POST", &path)
            .raw(kind, "{not json")
            .send()
            .await;
        assert_eq!(
            answer.status,
            if kind == "application/json" { 400 } else { 204 },
            "{kind}"
        );
    }
    let calls = panel.node.take_calls();
    assert!(
        calls.iter().all(|call| call.body == "{not json"),
        "{calls:?}"
    );
    let path = panel.world.server.path("/files/contents?file=eula.txt");
    let call = panel
        .call_as(&panel.world.owner, "GET", &path)
        .header("accept", "application/json");
    assert_eq!(call.send().await.text(), "eula=true\n");
}

#[tokio::test]
async fn item_10_limits_are_told_and_say_when_to_come_back() {
    let panel = crate::panel_with(|settings| settings.requests_per_minute = 1).await;
    let answer = get(&panel, "/api/client").await;
    assert_eq!(
        (
            answer.header("x-ratelimit-limit"),
            answer.header("x-ratelimit-remaining")
        ),
        ("1", "0")
    );
    let answer = get(&panel, "/api/client").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() <= 60);
}

#[tokio::test]
async fn item_11_times_are_full_iso_8601() {
    let panel = panel().await;
    let keys = get(&panel, "/api/client/account/api-keys").await.json();
    let time = keys["data"][0]["attributes"]["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00+00:00");
}

#[tokio::test]
async fn item_12_what_may_be_null_and_what_may_not() {
    let panel = panel().await;
    let server = of_server(&panel, "").await.json()["attributes"].clone();
    for (pointer, expected) in [
        ("/status", "null"),
        ("/limits/threads", "null"),
        ("/description", "text"),
        ("/sftp_details/ip", "text"),
        ("/egg_features", "list"),
    ] {
        let kind = match server.pointer(pointer) {
            Some(Value::Null) => "null",
            Some(Value::String(_)) => "text",
            Some(Value::Array(_)) => "list",
            other => panic!("{pointer}: {other:?}"),
        };
        assert_eq!(kind, expected, "{pointer}");
    }
    let files = of_server(&panel, "/files/list").await.json();
    let modes: Vec<_> = files["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["attributes"]["mode"].as_str().unwrap())
        .collect();
    assert_eq!(modes, ["drwxr-xr-x", "-rw-r--r--"]);
}

#[tokio::test]
async fn item_14_a_server_has_two_names() {
    let panel = panel().await;
    let short = of_server(&panel, "/startup").await;
    let long = get(
        &panel,
        &format!("/api/client/servers/{}/startup", panel.world.server.uuid),
    )
    .await;
    assert_eq!((short.status, short.text()), (long.status, long.text()));
}

#[tokio::test]
async fn item_15_new_keys_have_their_prefix_and_imported_ones_another() {
    let panel = panel().await;
    assert!(panel.world.owner.key.starts_with("ptlc_"));
    for identifier in ["pacc_00000000000", "papp_00000000000", "0123456789abcdef"] {
        let secret = "S".repeat(32);
        let mut tx = panel.store.begin().await.unwrap();
        tx.create_api_key(&NewApiKey {
            user_id: panel.world.owner.id,
            kind: ApiKeyKind::Client,
            identifier: identifier.to_owned(),
            secret_sha256: *SecretDigest::of(&secret).as_bytes(),
            memo: String::new(),
            allowed_ips: Vec::new(),
            rights: std::collections::BTreeMap::new(),
            expires_at: None,
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let call = panel
            .call("GET", "/api/client")
            .key(&format!("{identifier}{secret}"));
        assert_eq!(call.send().await.status, 200, "{identifier}");
    }
}
