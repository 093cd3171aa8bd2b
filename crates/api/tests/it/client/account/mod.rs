//! `/api/client/account`.

mod activity;
mod api_keys;

use crate::panel;

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
