//! `POST /auth/password` and `POST /auth/password/reset`.

use std::time::Duration;

use hatchery_testkit::{Answer, TestPanel};
use serde_json::{Value, json};

use super::{Browser, sign_in, signed_in};
use crate::client::account::log;
use crate::client::account::two_factor::turn_on;
use crate::panel;

const INVALID: &str = "400 DisplayException: This password reset token is invalid.";
const NEW: &str = "battery staple";

async fn forgot(panel: &TestPanel, body: &Value) -> Answer {
    let browser = Browser::open(panel).await;
    let call = panel.call("POST", "/auth/password").json(body);
    browser.send(call).send().await
}

async fn reset(panel: &TestPanel, body: &Value) -> Answer {
    let browser = Browser::open(panel).await;
    let call = panel.call("POST", "/auth/password/reset").json(body);
    browser.send(call).send().await
}

/// Asks for a link and takes its token from the mail.
async fn token(panel: &TestPanel, email: &str) -> String {
    panel.clock.advance(Duration::from_mins(1));
    let answer = forgot(panel, &json!({"email": email})).await;
    assert_eq!(answer.status, 200);
    let mail = panel.take_mail();
    let mail = mail.last().unwrap();
    assert_eq!((mail.kind, mail.to.as_str()), ("password-reset", email));
    let link = "https://panel.test/auth/password/reset/";
    let (_, rest) = mail.text.split_once(link).unwrap();
    let (token, rest) = rest.split_once('?').unwrap();
    let encoded = email.replace('@', "%40").replace('.', "%2E");
    assert!(rest.starts_with(&format!("email={encoded}\n")), "{rest}");
    token.to_owned()
}

fn choose(token: &str, email: &str) -> Value {
    json!({"token": token, "email": email, "password": NEW, "password_confirmation": NEW})
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let before = signed_in(&panel, "owner").await;
    let token = token(&panel, "owner@example.com").await;
    panel.node.take_calls();

    let answer = reset(&panel, &choose(&token, "owner@example.com")).await;
    assert_eq!(
        answer.json(),
        json!({"success": true, "redirect_to": "/", "send_to_login": false})
    );
    let account = panel.call("GET", "/api/client/account");
    let here = Browser::of(&answer).send(account).send().await;
    assert_eq!(here.status, 200, "this browser is signed in");
    let account = panel.call("GET", "/api/client/account");
    assert_eq!(before.send(account).send().await.status, 401);
    let by_key = panel.call_as(owner, "GET", "/api/client/account");
    assert_eq!(by_key.send().await.status, 200, "keys go on working");
    let calls = panel.node.take_calls();
    assert_eq!(calls.len(), 1, "consoles and links end: {calls:?}");
    assert_eq!(
        sign_in(&panel, "owner", TestPanel::PASSWORD).await.status,
        400
    );
    assert_eq!(sign_in(&panel, "owner", NEW).await.status, 200);
    assert_eq!(
        panel
            .take_mail()
            .iter()
            .map(|mail| mail.kind)
            .collect::<Vec<_>>(),
        ["password-changed"]
    );

    let again = reset(&panel, &choose(&token, "owner@example.com")).await;
    assert_eq!(again.errors(), INVALID, "a link works once");
    let events = log(&panel, owner).await;
    let asked = r#"auth:reset-password {"ip":"[hidden]","useragent":null}"#;
    assert!(events.iter().any(|event| event == asked), "{events:?}");
}

#[tokio::test]
async fn who_has_a_second_factor_is_not_signed_in_by_a_link() {
    let panel = panel().await;
    turn_on(&panel, &panel.world.owner).await;
    let token = token(&panel, "owner@example.com").await;
    let answer = reset(&panel, &choose(&token, "owner@example.com")).await;
    assert_eq!(answer.json()["send_to_login"], true);
    let account = panel.call("GET", "/api/client/account");
    let here = Browser::of(&answer).send(account).send().await;
    assert_eq!(here.status, 401);
}

/// Neither the answer nor the address of the link helps to find out who has an account.
#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let panel = panel().await;
    let status = json!({"status": "We have e-mailed your password reset link!"});
    let known = forgot(&panel, &json!({"email": "Owner@example.com"})).await;
    let unknown = forgot(&panel, &json!({"email": "ghost@example.com"})).await;
    assert_eq!(
        (known.json(), unknown.json()),
        (status.clone(), status.clone())
    );
    assert_eq!(panel.take_mail().len(), 1);
    assert_eq!(known.header("x-ratelimit-limit"), "2");
    let third = forgot(&panel, &json!({"email": "owner@example.com"})).await;
    assert_eq!(
        third.errors(),
        "429 ThrottleRequestsException: Too Many Attempts."
    );
    for email in [
        "owner@example.com",
        "helper@example.com",
        "ghost@example.com",
    ] {
        let answer = reset(&panel, &choose("bad", email)).await;
        assert_eq!(answer.errors(), INVALID, "{email}");
    }
    // The next one that is sent comes a minute after the first.
    panel.clock.advance(Duration::from_secs(59));
    assert!(panel.take_mail().is_empty());
}

#[tokio::test]
async fn one_mail_a_minute_and_a_link_for_an_hour() {
    let panel = panel().await;
    let first = token(&panel, "owner@example.com").await;
    panel.clock.advance(Duration::from_secs(59));
    let again = forgot(&panel, &json!({"email": "owner@example.com"})).await;
    assert_eq!(again.status, 200);
    assert!(panel.take_mail().is_empty(), "the first is too young");
    let second = token(&panel, "owner@example.com").await;
    assert_eq!(
        reset(&panel, &choose(&first, "owner@example.com"))
            .await
            .errors(),
        INVALID,
        "a new link takes the place of the old one"
    );
    assert_eq!(
        reset(&panel, &choose(&second, "helper@example.com"))
            .await
            .errors(),
        INVALID,
        "a link is for one account"
    );
    panel.clock.advance(Duration::from_hours(1));
    assert_eq!(
        reset(&panel, &choose(&second, "owner@example.com"))
            .await
            .errors(),
        INVALID,
        "a link ends"
    );
}

#[tokio::test]
async fn many_who_hold_the_same_link_choose_one_password() {
    let panel = panel().await;
    let token = token(&panel, "owner@example.com").await;
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..32 {
        let browser = Browser::open(&panel).await;
        let password = format!("new password {number}");
        let body = json!({
            "token": token, "email": "owner@example.com",
            "password": password, "password_confirmation": password,
        });
        let call = panel.call("POST", "/auth/password/reset").json(&body);
        asked.spawn(async move { browser.send(call).send().await.status.as_u16() });
    }
    let answers = asked.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
}

#[tokio::test]
async fn fields_are_checked_first() {
    let panel = panel().await;
    let field = |field: &str, rule: &str, sentence: &str| {
        format!("422 ValidationException: {sentence} [{field} {rule}]")
    };
    let token = field("token", "required", "The token field is required.");
    let email = field("email", "required", "The email field is required.");
    let wrong = field("email", "email", "The email must be a valid email address.");
    let password = field("password", "required", "The password field is required.");
    for (body, expected) in [
        (json!({"email": "x"}), wrong.clone()),
        (json!({}), email.clone()),
    ] {
        panel.clock.advance(Duration::from_mins(1));
        assert_eq!(forgot(&panel, &body).await.errors(), expected, "{body}");
    }
    for (body, expected) in [
        (json!({}), format!("{token}\n{email}\n{password}")),
        (
            json!({"token": "x", "email": "x", "password": NEW, "password_confirmation": NEW}),
            wrong,
        ),
        (
            json!({"token": "x", "email": "a@b", "password": NEW, "password_confirmation": "x"}),
            field(
                "password",
                "confirmed",
                "The password confirmation does not match.",
            ),
        ),
        (
            json!({"token": "x", "email": "a@b", "password": "a", "password_confirmation": "a"}),
            field(
                "password",
                "min",
                "The password must be at least 8 characters.",
            ),
        ),
        (
            json!({"token": ["x"], "email": "a@b", "password": NEW, "password_confirmation": NEW}),
            field("token", "string", "The token must be a string."),
        ),
    ] {
        assert_eq!(reset(&panel, &body).await.errors(), expected, "{body}");
    }
    for path in ["/auth/password", "/auth/password/reset"] {
        let call = panel.call("POST", path).json(&json!({}));
        assert_eq!(call.send().await.status, 419, "{path}");
    }
}

#[tokio::test]
async fn who_is_signed_in_is_sent_home() {
    let panel = panel().await;
    let browser = signed_in(&panel, "owner").await;
    for path in [
        "/auth/login",
        "/auth/login/checkpoint",
        "/auth/password",
        "/auth/password/reset",
    ] {
        let call = panel.call("POST", path).json(&json!({}));
        let answer = browser.send(call).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (302, "/"),
            "{path}"
        );
    }
}
