//! `/api/client/servers/{server}/startup`.

use serde_json::{Value, json};

use super::{answers, ask, asked, recorded, send};
use crate::panel;

const PATH: &str = "/startup/variable";

#[tokio::test]
async fn variables_command_and_images() {
    let panel = panel().await;
    insta::assert_json_snapshot!(send(&panel, "GET", "/startup", Value::Null).await.json(), @r#"
    {
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
      ],
      "meta": {
        "startup_command": "run -m 1024 -p 25565 paper.jar [hidden] world {{X}}",
        "docker_images": {
          "Java 21": "example.com/java:21",
          "Java 17": "example.com/java:17"
        },
        "raw_startup_command": "run -m {{SERVER_MEMORY}} -p {{SERVER_PORT}} {{JARFILE}} {{SECRET}} {{LEVEL}} {{X}}"
      }
    }
    "#);
    let sorted = send(
        &panel,
        "GET",
        "/startup?sort=-env_variable&per_page=1",
        Value::Null,
    )
    .await
    .json();
    assert_eq!(sorted["data"][0]["attributes"]["env_variable"], "LEVEL");
    assert_eq!(sorted["meta"]["pagination"]["total"], 2);
    assert_eq!(
        sorted["meta"]["docker_images"]["Java 17"],
        "example.com/java:17"
    );
    let sorted = send(&panel, "GET", "/startup?sort=-env_variable", Value::Null)
        .await
        .json();
    assert!(sorted["meta"].get("pagination").is_none());
    assert_eq!(
        sorted["meta"]["raw_startup_command"].as_str().unwrap()[..3],
        *"run"
    );
}

#[tokio::test]
async fn a_variable_is_changed() {
    let panel = panel().await;
    let changed = send(
        &panel,
        "PUT",
        PATH,
        json!({"key": "JARFILE", "value": " x.jar "}),
    )
    .await;
    insta::assert_json_snapshot!(changed.json(), @r#"
    {
      "object": "egg_variable",
      "attributes": {
        "name": "jarfile",
        "description": "What JARFILE is for.",
        "env_variable": "JARFILE",
        "default_value": "server.jar",
        "server_value": "x.jar",
        "is_editable": true,
        "rules": "required|string|max:20"
      },
      "meta": {
        "startup_command": "run -m 1024 -p 25565 x.jar [hidden] world {{X}}",
        "raw_startup_command": "run -m {{SERVER_MEMORY}} -p {{SERVER_PORT}} {{JARFILE}} {{SECRET}} {{LEVEL}} {{X}}"
      }
    }
    "#);
    let listed = send(&panel, "GET", "/startup", Value::Null).await.json();
    assert_eq!(listed["data"][0]["attributes"]["server_value"], "x.jar");
    assert_eq!(
        listed["meta"]["startup_command"],
        changed.json()["meta"]["startup_command"]
    );
    // Names are found in any case, and what is no text is taken by its text.
    for (key, value, shown) in [
        ("level", json!("nether"), json!("nether")),
        ("LEVEL", json!(5), json!("5")),
        ("LEVEL", json!(1.5), json!("1.5")),
        ("LEVEL", json!(true), json!("1")),
        ("LEVEL", json!(""), Value::Null),
        ("LEVEL", Value::Null, Value::Null),
    ] {
        panel
            .change_egg(|egg| egg.variables[2].rules = "nullable".to_owned())
            .await
            .unwrap();
        let answer = send(&panel, "PUT", PATH, json!({"key": key, "value": value})).await;
        assert_eq!(
            answer.json()["attributes"]["server_value"],
            shown,
            "{value}"
        );
    }
    let listed = send(&panel, "GET", "/startup", Value::Null).await.json();
    assert_eq!(
        listed["data"][1]["attributes"]["server_value"], "",
        "empty is stored as empty"
    );
    let change = |variable: &str, old: Value, new: Value| json!(["server:startup.edit", {"variable": variable, "old": old, "new": new}]);
    assert_eq!(
        recorded(&panel).await,
        [
            change("JARFILE", json!("paper.jar"), json!("x.jar")),
            change("LEVEL", Value::Null, json!("nether")),
            change("LEVEL", json!("nether"), json!("5")),
            change("LEVEL", json!("5"), json!("1.5")),
            change("LEVEL", json!("1.5"), json!("1")),
            change("LEVEL", json!("1"), Value::Null),
            change("LEVEL", json!(""), Value::Null),
        ]
    );
    assert!(
        asked(&panel).is_empty(),
        "the node learns of it at the next start"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_variable() {
    let panel = panel().await;
    panel
        .change_egg(|egg| egg.variables[2].rules = "required|regex:/^[a|b]+$/|bogus".to_owned())
        .await
        .unwrap();
    let table = [
        json!({}),
        json!({"key": "JARFILE"}),
        json!({"value": "x"}),
        json!({"key": "", "value": "x"}),
        json!({"key": ["JARFILE"], "value": "x"}),
        json!({"key": {"a": 1}, "value": "x"}),
        json!({"key": 5, "value": "x"}),
        json!({"key": true, "value": "x"}),
        json!({"key": "x".repeat(70_000), "value": "x"}),
        json!({"key": "NOPE", "value": "x"}),
        json!({"key": "SECRET", "value": "x"}),
        json!({"key": "JARFILE", "value": null}),
        json!({"key": "JARFILE", "value": "  "}),
        json!({"key": "JARFILE", "value": "x".repeat(21)}),
        json!({"key": "JARFILE", "value": 5}),
        json!({"key": "JARFILE", "value": false}),
        json!({"key": "JARFILE", "value": ["a.jar"]}),
        json!({"key": "JARFILE", "value": {"a": {"b": 1}}}),
        json!({"key": "LEVEL", "value": "c"}),
        json!({"key": "LEVEL", "value": "a|b", "unknown": {"key": 1}}),
        json!([]),
        json!("JARFILE"),
    ];
    insta::assert_snapshot!(answers(&panel, "PUT", PATH, &table).await, @r#"
    {}
      422 ValidationException: The key field is required. [key required]
      422 ValidationException: The value field must be present. [value present]
    {"key":"JARFILE"}
      422 ValidationException: The value field must be present. [value present]
    {"value":"x"}
      422 ValidationException: The key field is required. [key required]
    {"key":"","value":"x"}
      422 ValidationException: The key field is required. [key required]
    {"key":["JARFILE"],"value":"x"}
      422 ValidationException: The key must be a string. [key string]
    {"key":{"a":1},"value":"x"}
      422 ValidationException: The key must be a string. [key string]
    {"key":5,"value":"x"}
      422 ValidationException: The key must be a string. [key string]
    {"key":true,"value":"x"}
      422 ValidationException: The key must be a string. [key string]
    {"key":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      400 BadRequestHttpException: The environment variable you are trying to edit does not exist.
    {"key":"NOPE","value":"x"}
      400 BadRequestHttpException: The environment variable you are trying to edit does not exist.
    {"key":"SECRET","value":"x"}
      400 BadRequestHttpException: The environment variable you are trying to edit does not exist.
    {"key":"JARFILE","value":null}
      422 ValidationException: The value field is required. [value required]
    {"key":"JARFILE","value":"  "}
      422 ValidationException: The value field is required. [value required]
    {"key":"JARFILE","value":"xxxxxxxxxxxxxxxxxxxxx"}
      422 ValidationException: The value may not be greater than 20 characters. [value max]
    {"key":"JARFILE","value":5}
      422 ValidationException: The value must be a string. [value string]
    {"key":"JARFILE","value":false}
      422 ValidationException: The value must be a string. [value string]
    {"key":"JARFILE","value":["a.jar"]}
      422 ValidationException: The value must be a string. [value string]
    {"key":"JARFILE","value":{"a":{"b":1}}}
      422 ValidationException: The value must be a string. [value string]
    {"key":"LEVEL","value":"c"}
      422 ValidationException: The value format is invalid. [value regex]
    {"key":"LEVEL","value":"a|b","unknown":{"key":1}}
      200
    []
      422 ValidationException: The key field is required. [key required]
      422 ValidationException: The value field must be present. [value present]
    "JARFILE"
      422 ValidationException: The key field is required. [key required]
      422 ValidationException: The value field must be present. [value present]
    "#);
    panel
        .change_egg(|egg| {
            egg.variables[0].user_editable = false;
            egg.variables[2].rules = "nullable".to_owned();
        })
        .await
        .unwrap();
    let table = [
        json!({"key": "JARFILE", "value": "x"}),
        json!({"key": "LEVEL", "value": ["x"]}),
        json!({"key": "LEVEL", "value": {}}),
        json!({"key": "LEVEL", "value": "x".repeat(65_536)}),
    ];
    insta::assert_snapshot!(answers(&panel, "PUT", PATH, &table).await, @r#"
    {"key":"JARFILE","value":"x"}
      400 BadRequestHttpException: The environment variable you are trying to edit is read-only.
    {"key":"LEVEL","value":["x"]}
      422 ValidationException: The value must be a string. [value string]
    {"key":"LEVEL","value":{}}
      422 ValidationException: The value must be a string. [value string]
    {"key":"LEVEL","value":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      422 ValidationException: The value may not be greater than 65535 characters. [value max]
    "#);
    let duplicated = panel
        .call_as(&panel.world.owner, "PUT", &panel.world.server.path(PATH))
        .raw(
            "application/json",
            r#"{"key": "NOPE", "key": "LEVEL", "value": "a", "value": "b"}"#,
        )
        .send()
        .await;
    assert_eq!(
        duplicated.json()["attributes"]["server_value"],
        "b",
        "the last one counts"
    );
}

#[tokio::test]
async fn a_value_that_nobody_may_see_stays_hidden() {
    let panel = panel().await;
    let server = panel.world.server.id;
    let egg = panel.store.egg(panel.world.egg).await.unwrap().unwrap();
    let mut tx = panel.store.begin().await.unwrap();
    tx.set_server_variable(server, egg.variables[1].id, "topsecret")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for person in [&panel.world.owner, &panel.world.admin] {
        let answer = ask(&panel, person, "GET", "/startup", &Value::Null).await;
        assert!(!answer.text().contains("topsecret") && answer.text().contains("[hidden]"));
    }
}
