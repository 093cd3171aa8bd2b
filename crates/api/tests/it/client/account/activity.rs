//! `GET /api/client/account/activity`.

use hatchery_app::activity::Event;
use hatchery_app::{Actor, Credential};
use hatchery_testkit::TestPanel;
use serde_json::Value;

use crate::panel;

const PATH: &str = "/api/client/account/activity";

/// Records events of the owner, a second apart.
async fn record(panel: &TestPanel, events: &[&'static str]) {
    let user = panel
        .store
        .user(panel.world.owner.id)
        .await
        .unwrap()
        .unwrap();
    let key = panel
        .store
        .key_actor(&panel.world.owner.key[..16])
        .await
        .unwrap()
        .unwrap();
    let actor = Actor {
        user,
        credential: Credential::Key(key),
        address: [192, 0, 2, 1].into(),
    };
    for event in events {
        Event::new(event).with("n", 1).on_account(&panel.cx, &actor);
        panel.clock.advance(std::time::Duration::from_secs(1));
    }
}

fn events(body: &Value) -> String {
    let data = body["data"].as_array().unwrap();
    data.iter()
        .map(|entry| entry["attributes"]["event"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test]
async fn filters_sorts_and_pages() {
    let panel = panel().await;
    record(
        &panel,
        &["user:a.one", "user:b.two", "auth:c", "user:a.three"],
    )
    .await;
    let list = async |query: &str| {
        panel
            .call_as(&panel.world.owner, "GET", &format!("{PATH}?{query}"))
            .send()
            .await
    };
    assert_eq!(
        events(&list("").await.json()),
        "user:a.one user:b.two auth:c user:a.three"
    );
    assert_eq!(
        events(&list("sort=-timestamp").await.json()),
        "user:a.three auth:c user:b.two user:a.one"
    );
    assert_eq!(
        events(&list("filter[event]=A.,TWO").await.json()),
        "user:a.one user:b.two user:a.three"
    );
    assert_eq!(
        events(&list("filter[event]=").await.json())
            .split(' ')
            .count(),
        4
    );
    assert_eq!(
        list("filter[nope]=x&filter[event]=y").await.errors(),
        "400 InvalidFilterQuery: Requested filter(s) `nope` are not allowed. Allowed filter(s) are `event`."
    );
    assert_eq!(
        list("sort=id,-timestamp").await.errors(),
        "400 InvalidSortQuery: Requested sort(s) `id` is not allowed. Allowed sort(s) are `timestamp`."
    );
    let page = list("filter[event]=user:a&per_page=1&page=2&sort=timestamp")
        .await
        .json();
    assert_eq!(events(&page), "user:a.three");
    insta::assert_json_snapshot!(page["meta"], @r#"
        {
          "pagination": {
            "total": 2,
            "count": 1,
            "per_page": 1,
            "current_page": 2,
            "total_pages": 2,
            "links": {
              "previous": "http://panel.test/api/client/account/activity?filter%5Bevent%5D=user%3Aa&per_page=1&sort=timestamp&page=1"
            }
          }
        }
        "#);
}

#[tokio::test]
async fn an_entry_and_its_actor() {
    let panel = panel().await;
    record(&panel, &["user:a.one"]).await;
    let query = format!("{PATH}?include[]=actor");
    let answer = panel
        .call_as(&panel.world.owner, "GET", &query)
        .send()
        .await
        .json();
    insta::assert_json_snapshot!(answer["data"][0], {
        ".attributes.relationships.actor.attributes.uuid" => "[uuid]",
    }, @r#"
        {
          "object": "activity_log",
          "attributes": {
            "id": "356a192b7913b04c54574d18c28d46e6395428ab",
            "batch": null,
            "event": "user:a.one",
            "is_api": true,
            "ip": "192.0.2.1",
            "description": null,
            "properties": {
              "n": 1
            },
            "has_additional_metadata": true,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "relationships": {
              "actor": {
                "object": "user",
                "attributes": {
                  "uuid": "[uuid]",
                  "username": "owner",
                  "email": "owner@example.com",
                  "image": "https://gravatar.com/avatar/4cb1f144288e5d61695b0d3f9c63835c",
                  "2fa_enabled": false,
                  "created_at": "2026-01-01T00:00:00+00:00"
                }
              }
            }
          }
        }
        "#);
}
