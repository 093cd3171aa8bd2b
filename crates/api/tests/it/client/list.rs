//! `GET /api/client`.

use hatchery_testkit::{Person, ServerSketch, TestPanel};
use serde_json::Value;

use crate::panel;

async fn add(panel: &TestPanel, name: &str) {
    let sketch = ServerSketch {
        name,
        owner: panel.world.owner.id,
        status: None,
        allocations: 1,
    };
    panel.clock.advance(std::time::Duration::from_secs(1));
    panel.add_server(&sketch).await.unwrap();
}

fn names(body: &Value) -> String {
    let data = body["data"].as_array().unwrap();
    data.iter()
        .map(|entry| entry["attributes"]["name"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

async fn list(panel: &TestPanel, query: &str) -> Value {
    let answer = panel
        .call_as(&panel.world.owner, "GET", &format!("/api/client{query}"))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn who_sees_which_servers() {
    let panel = panel().await;
    let sketch = ServerSketch {
        name: "Foreign",
        owner: panel.world.stranger.id,
        status: None,
        allocations: 1,
    };
    panel.add_server(&sketch).await.unwrap();
    let world = &panel.world;
    for (person, query, expected) in [
        (&world.owner, "", "Main"),
        (&world.owner, "?type=admin-all", ""),
        (&world.owner, "?type=admin", ""),
        (&world.helper, "", "Main"),
        (&world.helper, "?type=owner", ""),
        (&world.helper, "?type=whatever", "Main"),
        (&world.stranger, "", "Foreign"),
        (&world.admin, "", ""),
        (&world.admin, "?type=admin", "Main Foreign"),
        (&world.admin, "?type=admin-all", "Main Foreign"),
    ] {
        let answer = panel
            .call_as(person, "GET", &format!("/api/client{query}"))
            .send()
            .await
            .json();
        assert_eq!(names(&answer), expected, "{} {query}", person.name);
    }
}

#[tokio::test]
async fn filters() {
    let panel = panel().await;
    for name in ["Alpha One", "Beta", "100% true", "Gamma, Delta"] {
        add(&panel, name).await;
    }
    let short = &panel.world.server.short;
    for (query, expected) in [
        ("?filter[name]=alpha,BETA".to_owned(), "Alpha One Beta"),
        ("?filter[name]=0%25".to_owned(), "100% true"),
        (
            "?filter[name]=".to_owned(),
            "Main Alpha One Beta 100% true Gamma, Delta",
        ),
        (
            "?filter[name]=false".to_owned(),
            "Main Alpha One Beta 100% true Gamma, Delta",
        ),
        (
            "?filter=beta".to_owned(),
            "Main Alpha One Beta 100% true Gamma, Delta",
        ),
        ("?filter[description]=beta%20server".to_owned(), "Beta"),
        (format!("?filter[uuid]={short}"), "Main"),
        (format!("?filter[*]={}", short.to_uppercase()), "Main"),
        ("?filter[*]=gamma,%20delta".to_owned(), "Gamma, Delta"),
        ("?filter[*]=192.0.2.10:25565".to_owned(), "Main"),
        ("?filter[*]=192.0.2.11".to_owned(), ""),
        ("?filter[*]=zzz".to_owned(), ""),
    ] {
        assert_eq!(names(&list(&panel, &query).await), expected, "{query}");
    }
    let wrong = panel.call_as(
        &panel.world.owner,
        "GET",
        "/api/client?filter[bad]=x&filter[worse]=y",
    );
    assert_eq!(
        wrong.send().await.errors(),
        "400 InvalidFilterQuery: Requested filter(s) `bad, worse` are not allowed. \
         Allowed filter(s) are `uuid, name, description, external_id, *`."
    );
}

#[tokio::test]
async fn sorts() {
    let panel = panel().await;
    for name in ["beta", "Alpha", "beta"] {
        add(&panel, name).await;
    }
    for (query, expected) in [
        ("?sort=name", "Alpha beta beta Main"),
        ("?sort=-name", "Main beta beta Alpha"),
        ("?sort=-created_at", "beta Alpha beta Main"),
        ("?sort=name,-created_at", "Alpha beta beta Main"),
        ("?sort=-id", "Main beta Alpha beta"),
        ("?sort=", "Main beta Alpha beta"),
    ] {
        assert_eq!(names(&list(&panel, query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn pages() {
    let panel = panel().await;
    for name in ["B", "C"] {
        add(&panel, name).await;
    }
    let pagination = async |query: &str| {
        let meta = list(&panel, query).await["meta"]["pagination"].clone();
        let number = |key: &str| meta[key].as_u64().unwrap();
        (
            number("count"),
            number("per_page"),
            number("current_page"),
            number("total_pages"),
        )
    };
    for (query, expected) in [
        ("", (3, 50, 1, 1)),
        ("?per_page=2", (2, 2, 1, 2)),
        ("?per_page=2&page=2", (1, 2, 2, 2)),
        ("?per_page=2&page=9", (0, 2, 9, 2)),
        ("?per_page=", (3, 50, 1, 1)),
        ("?per_page=0", (3, 15, 1, 1)),
        ("?per_page=101", (3, 100, 1, 1)),
        ("?per_page=abc", (3, 100, 1, 1)),
        ("?per_page=-5", (1, 1, 1, 3)),
        ("?page=0", (3, 50, 1, 1)),
        ("?page=-1", (3, 50, 1, 1)),
        ("?page=abc", (3, 50, 1, 1)),
    ] {
        assert_eq!(pagination(query).await, expected, "{query}");
    }
    let query = "?page=2&per_page=1&type=owner&filter[*]=server&include[]=nope";
    let links = &list(&panel, "?per_page=1&page=9").await["meta"]["pagination"]["links"];
    assert_eq!(
        links["previous"],
        "http://panel.test/api/client?per_page=1&page=8"
    );
    assert!(links.get("next").is_none());
    let answer = list(&panel, query).await;
    assert_eq!(names(&answer), "");
    insta::assert_json_snapshot!(answer["meta"]["pagination"]["links"], @r#"
        {
          "previous": "http://panel.test/api/client?per_page=1&type=owner&filter%5B%2A%5D=server&include%5B0%5D=nope&page=1"
        }
        "#);
    assert_eq!(
        list(&panel, "").await["meta"]["pagination"]["links"],
        serde_json::json!({})
    );
}

/// What is said very often costs no more than what is said once, or is refused.
#[tokio::test]
async fn endless_sorts_and_filters() {
    let panel = panel().await;
    let ask = async |query: String| {
        let path = format!("/api/client?{query}");
        panel.call_as(&panel.world.owner, "GET", &path).send().await
    };
    let sorted = ask(format!("sort={}-name", "name,-name,uuid,".repeat(3_000))).await;
    assert_eq!(
        (
            sorted.status.as_u16(),
            sorted.json()["data"].as_array().unwrap().len()
        ),
        (200, 1)
    );
    for field in ["name", "uuid", "description"] {
        let many = ask(format!("filter[{field}]={}x", "x,".repeat(5_000))).await;
        assert_eq!(
            many.errors(),
            format!("400 InvalidFilterQuery: The filter `{field}` takes at most 100 values.")
        );
        let some = ask(format!("filter[{field}]={}x", "x,".repeat(99))).await;
        assert_eq!(some.status, 200);
    }
    let long = ask(format!("filter[*]={}", "%25_\\".repeat(5_000))).await;
    assert_eq!(long.status, 200);
}

/// Lists are kept as text, which must never show what was true a moment ago.
#[tokio::test]
async fn a_list_is_never_older_than_the_last_commit() {
    let panel = panel().await;
    add(&panel, "Second").await;
    let seen = async |person: &Person, query: &str| {
        let path = format!("/api/client{query}");
        names(&panel.call_as(person, "GET", &path).send().await.json())
    };
    let (owner, helper) = (&panel.world.owner, &panel.world.helper);
    for _ in 0..2 {
        assert_eq!(seen(owner, "").await, "Main Second");
        assert_eq!(seen(owner, "?per_page=1").await, "Main");
        assert_eq!(seen(owner, "?per_page=1&page=2").await, "Second");
        assert_eq!(seen(helper, "").await, "Main");
    }

    let server = panel.world.server.id;
    let mut tx = panel.cx.store().begin().await.unwrap();
    assert!(tx.rename_server(server, "Renamed", "").await.unwrap());
    assert!(tx.delete_subuser(server, helper.id).await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(seen(owner, "").await, "Renamed Second");
    let path = panel.world.server.path("");
    let viewed = panel.call_as(owner, "GET", &path).send().await.json();
    assert_eq!(viewed["attributes"]["name"], "Renamed");
    assert_eq!(seen(owner, "?per_page=1").await, "Renamed");
    assert_eq!(seen(helper, "").await, "");
}
