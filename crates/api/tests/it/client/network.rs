//! `/api/client/servers/{server}/network/allocations`.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hatchery_testkit::{ServerSketch, TestPanel};
use serde_json::{Value, json};

use super::{answers, asked, recorded, send};
use crate::{panel, panel_with};

const PATH: &str = "/network/allocations";

#[tokio::test]
async fn allocations_are_listed() {
    let panel = panel().await;
    insta::assert_json_snapshot!(send(&panel, "GET", PATH, Value::Null).await.json(), @r#"
    {
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
    }
    "#);
    let page = format!("{PATH}?sort=-port&per_page=1");
    let page = send(&panel, "GET", &page, Value::Null).await.json();
    assert_eq!(page["data"][0]["attributes"]["port"], 25566);
    assert_eq!(page["meta"]["pagination"]["total"], 2);
}

#[tokio::test]
async fn notes_are_changed() {
    let panel = panel().await;
    let path = format!("{PATH}/2");
    let long = "n".repeat(256);
    for notes in [
        json!(" query "),
        json!("query"),
        json!(long),
        json!(""),
        Value::Null,
    ] {
        let answer = send(&panel, "POST", &path, json!({"notes": notes}))
            .await
            .json();
        let shown = notes
            .as_str()
            .map(str::trim)
            .filter(|notes| !notes.is_empty());
        assert_eq!(answer["object"], "allocation");
        assert_eq!(answer["attributes"]["notes"], json!(shown));
        let listed = send(&panel, "GET", PATH, Value::Null).await.json();
        assert_eq!(
            listed["data"][1], answer,
            "what is answered is what is kept"
        );
    }
    let change = |old: Value, new: Value| json!(["server:allocation.notes", {"allocation": "192.0.2.10:25566", "old": old, "new": new}]);
    assert_eq!(
        recorded(&panel).await,
        [
            change(Value::Null, json!("query")),
            change(json!("query"), json!(long)),
            change(json!(long), Value::Null),
        ]
    );
    let table = [
        json!({}),
        json!({"notes": "n".repeat(257)}),
        json!({"notes": 5}),
        json!({"notes": true}),
        json!({"notes": ["x"]}),
        json!({"notes": {"x": "y"}}),
    ];
    insta::assert_snapshot!(answers(&panel, "POST", &path, &table).await, @r#"
    {}
      422 ValidationException: The notes field must be present. [notes present]
    {"notes":"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…
      422 ValidationException: The notes may not be greater than 256 characters. [notes max]
    {"notes":5}
      422 ValidationException: The notes must be a string. [notes string]
    {"notes":true}
      422 ValidationException: The notes must be a string. [notes string]
    {"notes":["x"]}
      422 ValidationException: The notes must be a string. [notes string]
    {"notes":{"x":"y"}}
      422 ValidationException: The notes must be a string. [notes string]
    "#);
}

#[tokio::test]
async fn another_allocation_becomes_the_primary_one() {
    let panel = panel().await;
    for _ in 0..2 {
        let answer = send(&panel, "POST", &format!("{PATH}/2/primary"), json!({}))
            .await
            .json();
        assert_eq!(answer["attributes"]["is_default"], true);
    }
    let listed = send(&panel, "GET", PATH, Value::Null).await.json();
    let primary: Vec<_> = listed["data"].as_array().unwrap().iter().collect();
    let primary: Vec<_> = primary
        .iter()
        .map(|item| &item["attributes"]["is_default"])
        .collect();
    assert_eq!(primary, [false, true]);
    let event = json!(["server:allocation.primary", {"allocation": "192.0.2.10:25566"}]);
    assert_eq!(recorded(&panel).await, [event.clone(), event]);
    assert!(
        asked(&panel).is_empty(),
        "the node learns of it at the next start"
    );
}

#[tokio::test]
async fn an_allocation_is_removed() {
    let panel = panel().await;
    send(
        &panel,
        "POST",
        &format!("{PATH}/2"),
        json!({"notes": "mine"}),
    )
    .await;
    let answer = send(&panel, "DELETE", &format!("{PATH}/2"), Value::Null).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    let free = panel
        .store
        .free_allocations(panel.world.node, 1)
        .await
        .unwrap();
    assert_eq!(
        (free[0].port.get(), free[0].notes.as_deref()),
        (25566, None)
    );
    insta::assert_snapshot!(send(&panel, "DELETE", &format!("{PATH}/2"), Value::Null).await.errors(), @"404 NotFoundHttpException: The requested resource could not be found on the server.");
    insta::assert_snapshot!(send(&panel, "DELETE", &format!("{PATH}/1"), Value::Null).await.errors(), @"400 DisplayException: You cannot delete the primary allocation for this server.");
    set_limit(&panel, None).await;
    insta::assert_snapshot!(send(&panel, "DELETE", &format!("{PATH}/1"), Value::Null).await.errors(), @"400 DisplayException: You cannot delete allocations for this server: no allocation limit is set.");
    let event = json!(["server:allocation.delete", {"allocation": "192.0.2.10:25566"}]);
    assert_eq!(recorded(&panel).await[1..], [event]);
}

#[tokio::test]
async fn what_belongs_to_others_is_not_found() {
    let panel = panel().await;
    let sketch = ServerSketch {
        name: "Other",
        owner: panel.world.stranger.id,
        status: None,
        allocations: 1,
    };
    panel.add_server(&sketch).await.unwrap();
    // The other server's, a free one, and what is none.
    for id in ["3", "4", "99999", "abc", "-1", "1e0", "9223372036854775808"] {
        for (method, rest) in [("POST", ""), ("POST", "/primary"), ("DELETE", "")] {
            let path = format!("{PATH}/{id}{rest}");
            let answer = send(&panel, method, &path, json!({"notes": "x"})).await;
            assert_eq!(
                answer.errors(),
                "404 NotFoundHttpException: The requested resource could not be found on the server."
            );
        }
    }
}

#[tokio::test]
async fn a_free_allocation_is_given_out() {
    let panel = panel().await;
    let answer = send(&panel, "POST", PATH, Value::Null).await.json();
    assert_eq!(answer["attributes"]["ip"], "192.0.2.10");
    assert_eq!(
        (
            &answer["attributes"]["notes"],
            &answer["attributes"]["is_default"]
        ),
        (&Value::Null, &json!(false))
    );
    let port = answer["attributes"]["port"].as_u64().unwrap();
    assert!([25567, 25568].contains(&port));
    let listed = send(&panel, "GET", PATH, Value::Null).await.json();
    assert_eq!(listed["data"][2], answer);
    let event = json!(["server:allocation.create", {"allocation": format!("192.0.2.10:{port}")}]);
    assert_eq!(recorded(&panel).await, [event]);
    insta::assert_snapshot!(send(&panel, "POST", PATH, json!({})).await.errors(), @"400 DisplayException: Cannot assign additional allocations to this server: limit has been reached.");
    set_limit(&panel, None).await;
    insta::assert_snapshot!(send(&panel, "POST", PATH, json!({})).await.errors(), @"400 DisplayException: Cannot assign additional allocations to this server: limit has been reached.");
    assert!(
        asked(&panel).is_empty(),
        "the node learns of it at the next start"
    );
}

#[tokio::test]
async fn ports_are_made_into_allocations_where_none_is_free() {
    let table = [
        (
            true,
            vec![],
            "400 NoAutoAllocationSpaceAvailableException: Cannot assign additional allocation: no more space available on node.",
        ),
        (
            true,
            vec![25_565..=25_566],
            "400 NoAutoAllocationSpaceAvailableException: Cannot assign additional allocation: no more space available on node.",
        ),
        (
            true,
            vec![80..=1024],
            "400 PortOutOfRangeException: Ports in an allocation must be greater than 1024 and less than or equal to 65535.",
        ),
        (true, vec![1024..=1025], "1025"),
        (true, vec![25_565..=25_565, 30_000..=30_000], "30000"),
        (
            false,
            vec![30_000..=30_000],
            "400 AutoAllocationNotEnabledException: Server auto-allocation is not enabled for this instance.",
        ),
    ];
    for (enabled, ports, expected) in table {
        let panel = panel_with(|settings| {
            settings.client_allocations.enabled = enabled;
            settings.client_allocations.ports = ports;
        })
        .await;
        take_all(&panel).await;
        let answer = send(
            &panel,
            "POST",
            PATH,
            json!({"ip": "198.51.100.1", "port": 5}),
        )
        .await;
        let port = &answer.json()["attributes"]["port"];
        let outcome = if port.is_null() {
            answer.errors()
        } else {
            port.to_string()
        };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn many_at_once_never_exceed_the_limit_nor_share_a_port() {
    const SERVERS: usize = 8;
    const EACH: usize = 4;
    let panel =
        panel_with(|settings| settings.client_allocations.ports = vec![30_000..=30_011]).await;
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let sketch = ServerSketch {
            name: "One",
            owner: panel.world.owner.id,
            status: None,
            allocations: 1,
        };
        servers.push(panel.add_server(&sketch).await.unwrap());
    }
    take_all(&panel).await;
    let requests = (0..SERVERS * EACH).map(|index| {
        let path = servers[index % SERVERS].path(PATH);
        panel.call_as(&panel.world.owner, "POST", &path).send()
    });
    let answers = join_all(requests).await;
    let ports: Vec<u64> = answers
        .iter()
        .filter_map(|answer| answer.json()["attributes"]["port"].as_u64())
        .collect();
    assert_eq!(ports.len(), 12, "as many as there are ports");
    assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    for server in &servers {
        let server = panel.store.server(server.id).await.unwrap().unwrap();
        assert!(server.allocations.len() <= 3, "no more than the limit");
    }
    let sentences: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status != 200)
        .map(hatchery_testkit::Answer::errors)
        .collect();
    for sentence in sentences {
        assert!(
            sentence.contains("limit has been reached") || sentence.contains("no more space"),
            "{sentence}"
        );
    }
}

/// Gives every free allocation to somebody's server.
async fn take_all(panel: &TestPanel) {
    let free = panel
        .store
        .free_allocations(panel.world.node, 1000)
        .await
        .unwrap();
    let ids: Vec<_> = free.iter().map(|allocation| allocation.id).collect();
    let sketch = ServerSketch {
        name: "All",
        owner: panel.world.stranger.id,
        status: None,
        allocations: 0,
    };
    let server = panel.add_server(&sketch).await.unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.assign_allocations(server.id, &ids, false).await.unwrap();
    tx.commit().await.unwrap();
}

async fn set_limit(panel: &TestPanel, allocations: Option<u32>) {
    let server = panel
        .store
        .server(panel.world.server.id)
        .await
        .unwrap()
        .unwrap();
    let mut limits = server.feature_limits;
    limits.allocations = allocations;
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_feature_limits(server.id, limits).await.unwrap();
    tx.commit().await.unwrap();
}
