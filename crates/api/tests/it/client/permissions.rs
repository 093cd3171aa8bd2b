//! `GET /api/client/permissions`.

use crate::panel;

#[tokio::test]
async fn groups_and_keys_stand_in_the_specified_order() {
    let panel = panel().await;
    let answer = panel
        .call_as(&panel.world.bare, "GET", "/api/client/permissions")
        .send()
        .await;
    let body = answer.json();
    assert_eq!(body["object"], "system_permissions");
    let groups = body["attributes"]["permissions"].as_object().unwrap();
    let listed: Vec<String> = groups
        .iter()
        .map(|(name, group)| {
            let keys: Vec<&str> = group["keys"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            format!("{name}: {}", keys.join(" "))
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
        websocket: connect
        control: console start stop restart
        user: create read update delete
        file: create read read-content update delete archive sftp
        backup: create read delete download restore
        allocation: read create update delete
        startup: read update docker-image
        database: create read update delete view_password
        schedule: create read update delete
        settings: rename reinstall
        activity: read
        "#);
}
