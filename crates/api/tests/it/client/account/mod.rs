//! `/api/client/account`.

mod activity;
mod api_keys;
mod email;
mod password;
mod ssh_keys;
pub(crate) mod two_factor;

use hatchery_testkit::{Person, TestPanel};

use crate::panel;

/// What an account's log shows its owner, oldest first: events with their properties.
pub(crate) async fn log(panel: &TestPanel, person: &Person) -> Vec<String> {
    panel.store.flush().await.unwrap();
    let path = "/api/client/account/activity?per_page=100&sort=timestamp";
    let body = panel.call_as(person, "GET", path).send().await.json();
    let entries = body["data"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let entry = &entry["attributes"];
            format!(
                "{} {}",
                entry["event"].as_str().unwrap(),
                entry["properties"]
            )
        })
        .collect()
}

#[tokio::test]
async fn the_account_of_the_key() {
    let panel = panel().await;
    let answer = panel
        .call_as(&panel.world.owner, "GET", "/api/client/account")
        .send()
        .await;
    insta::assert_snapshot!(answer, @r#"
        200 OK
        content-type: application/json
        cache-control: no-cache, private

        {
          "object": "user",
          "attributes": {
            "id": 2,
            "admin": false,
            "username": "owner",
            "email": "owner@example.com",
            "first_name": "owner",
            "last_name": "Person",
            "language": "en"
          }
        }
        "#);
    let answer = panel
        .call_as(&panel.world.admin, "HEAD", "/api/client/account")
        .send()
        .await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}
