//! `PUT /api/client/account/password`.

use hatchery_testkit::{Answer, TestPanel};
use serde_json::{Value, json};

use super::log;
use crate::auth::{Browser, signed_in};
use crate::panel;

const PATH: &str = "/api/client/account/password";
const NEW: &str = "battery staple";

async fn update(panel: &TestPanel, body: &Value) -> Answer {
    let call = panel.call_as(&panel.world.owner, "PUT", PATH);
    call.json(body).send().await
}

fn change(from: &str, to: &str) -> Value {
    json!({"current_password": from, "password": to, "password_confirmation": to})
}

#[tokio::test]
async fn other_browsers_are_signed_out_and_keys_go_on() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let (here, elsewhere) = (
        signed_in(&panel, "owner").await,
        signed_in(&panel, "owner").await,
    );
    panel.node.take_calls();
    let call = panel
        .call("PUT", PATH)
        .json(&change(TestPanel::PASSWORD, NEW));
    let answer = here.send(call).send().await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));

    let account = async |browser: &Browser| {
        let call = panel.call("GET", "/api/client/account");
        browser.send(call).send().await.status.as_u16()
    };
    assert_eq!(account(&here).await, 200, "this browser stays");
    assert_eq!(account(&elsewhere).await, 401);
    let by_key = panel.call_as(owner, "GET", "/api/client/account");
    assert_eq!(by_key.send().await.status, 200);
    let told: Vec<String> = panel
        .node
        .take_calls()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = format!(
        "POST /api/deauthorize-user {{\"user\":\"{}\",\"servers\":[]}}",
        owner.uuid
    );
    assert_eq!(told, [expected], "consoles and links end");
    assert_eq!(
        log(&panel, owner).await.last().map(String::as_str),
        Some("user:account.password-changed {}")
    );
    let mail = panel.take_mail();
    assert_eq!(
        mail.iter().map(|mail| mail.kind).collect::<Vec<_>>(),
        ["password-changed"]
    );

    let again = update(&panel, &change(TestPanel::PASSWORD, NEW)).await;
    assert_eq!(again.status, 400, "the old password is worth nothing");
    assert_eq!(update(&panel, &change(NEW, NEW)).await.status, 204);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_specification() {
    const PASSWORD: &str =
        "400 InvalidPasswordProvidedException: The password provided was invalid for this account.";
    const CONFIRM: &str =
        "422 ValidationException: The password confirmation does not match. [password confirmed]";
    const SHORT: &str =
        "422 ValidationException: The password must be at least 8 characters. [password min]";
    let panel = panel().await;
    let right = TestPanel::PASSWORD;
    for (body, expected) in [
        (json!({}), PASSWORD.to_owned()),
        (json!({"current_password": ["x"]}), PASSWORD.to_owned()),
        (change("bad", NEW), PASSWORD.to_owned()),
        (
            json!({"password": NEW, "password_confirmation": NEW}),
            PASSWORD.to_owned(),
        ),
        (
            json!({"current_password": right}),
            "422 ValidationException: The password field is required. [password required]"
                .to_owned(),
        ),
        (
            json!({"current_password": right, "password": NEW}),
            CONFIRM.to_owned(),
        ),
        (
            json!({"current_password": right, "password": NEW, "password_confirmation": "x"}),
            CONFIRM.to_owned(),
        ),
        (change(right, "a1!"), SHORT.to_owned()),
        (
            json!({"current_password": right, "password": "a", "password_confirmation": "b"}),
            format!("{CONFIRM}\n{SHORT}"),
        ),
        (
            json!({"current_password": right, "password": 12_345_678, "password_confirmation": 12_345_678}),
            "422 ValidationException: The password must be a string. [password string]".to_owned(),
        ),
    ] {
        let answer = update(&panel, &body).await;
        assert_eq!(answer.errors(), expected, "{body}");
    }
    assert!(log(&panel, &panel.world.owner).await.is_empty());
}

/// Of many who know the old password only one sets a new one.
#[tokio::test]
async fn two_changes_at_once_do_not_both_succeed() {
    let panel = panel().await;
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..8 {
        let body = change(TestPanel::PASSWORD, &format!("new password {number}"));
        let call = panel.call_as(&panel.world.owner, "PUT", PATH).json(&body);
        asked.spawn(async move { call.send().await.status.as_u16() });
    }
    let answers = asked.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 204).count(),
        1,
        "{answers:?}"
    );
}
