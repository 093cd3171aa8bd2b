//! `POST /auth/login/checkpoint`.

use std::time::Duration;

use hatchery_testkit::{Answer, TestPanel};
use serde_json::{Value, json};

use super::{Browser, sign_in_from};
use crate::client::account::log;
use crate::client::account::two_factor::{code, turn_on};
use crate::panel;

const WRONG_CODE: &str = "400 DisplayException: The two-factor authentication token was invalid.";
const WRONG_TOKEN: &str = "400 DisplayException: The recovery token provided is not valid.";
const EXPIRED: &str = "400 DisplayException: The authentication token provided has expired, please refresh the page and try again.";

/// Gives the right password and the confirmation token for the second step.
async fn begin(panel: &TestPanel, browser: &Browser) -> String {
    let answer = sign_in_from(panel, browser, "owner", TestPanel::PASSWORD).await;
    let body = answer.json();
    assert_eq!(body["data"]["complete"], false, "{body}");
    let token = body["data"]["confirmation_token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    token.to_owned()
}

async fn checkpoint(panel: &TestPanel, browser: &Browser, body: &Value) -> Answer {
    let call = panel.call("POST", "/auth/login/checkpoint").json(body);
    browser.send(call).send().await
}

#[tokio::test]
async fn a_code_completes_the_sign_in_once() {
    let panel = panel().await;
    let (secret, _) = turn_on(&panel, &panel.world.owner).await;
    let browser = Browser::open(&panel).await;
    let token = begin(&panel, &browser).await;
    let account = browser.send(panel.call("GET", "/api/client/account"));
    assert_eq!(account.send().await.status, 401, "nobody is signed in yet");

    let right = code(&panel, &secret);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    let body = |code: &str| json!({"confirmation_token": token, "authentication_code": code});
    assert_eq!(
        checkpoint(&panel, &browser, &body(wrong)).await.errors(),
        WRONG_CODE
    );
    let answer = checkpoint(&panel, &browser, &body(&right)).await;
    assert_eq!(answer.json()["data"]["complete"], true);
    assert_eq!(answer.json()["data"]["user"]["use_totp"], true);
    assert!(
        answer.json()["data"]["user"]
            .get("recovery_tokens")
            .is_none()
    );
    let after = Browser::of(&answer);
    assert_ne!(after.session, browser.session);
    let account = after.send(panel.call("GET", "/api/client/account"));
    assert_eq!(account.send().await.status, 200);

    assert_eq!(
        checkpoint(&panel, &browser, &body(&right)).await.errors(),
        EXPIRED,
        "the confirmation token is used up"
    );
    let other = Browser::open(&panel).await;
    let token = begin(&panel, &other).await;
    let body = json!({"confirmation_token": token, "authentication_code": right});
    assert_eq!(
        checkpoint(&panel, &other, &body).await.errors(),
        WRONG_CODE,
        "a code is worth one sign-in"
    );
    let events = log(&panel, &panel.world.owner).await;
    assert_eq!(
        events[1..],
        [
            r#"auth:checkpoint {"ip":"[hidden]","useragent":null}"#,
            r#"auth:fail {"ip":"[hidden]","useragent":null,"username":null}"#,
            r#"auth:success {"ip":"127.0.0.1","useragent":null}"#,
            r#"auth:checkpoint {"ip":"[hidden]","useragent":null}"#,
            r#"auth:fail {"ip":"[hidden]","useragent":null,"username":null}"#,
        ]
    );
}

/// GHSA (CVE-2021-41129): what somebody else owes cannot be paid here, nor the other way round.
#[tokio::test]
async fn a_confirmation_token_belongs_to_one_browser_for_five_minutes() {
    let panel = panel().await;
    let (secret, _) = turn_on(&panel, &panel.world.owner).await;
    let (mine, yours) = (Browser::open(&panel).await, Browser::open(&panel).await);
    let token = begin(&panel, &mine).await;
    let body = |token: &str| json!({"confirmation_token": token, "authentication_code": code(&panel, &secret)});
    assert_eq!(
        checkpoint(&panel, &yours, &body(&token)).await.errors(),
        EXPIRED
    );
    let begun = begin(&panel, &yours).await;
    assert_eq!(
        checkpoint(&panel, &yours, &body(&token)).await.errors(),
        WRONG_CODE
    );
    assert_eq!(
        checkpoint(&panel, &mine, &body(&begun)).await.errors(),
        WRONG_CODE
    );
    panel.clock.advance(Duration::from_mins(5));
    assert_eq!(
        checkpoint(&panel, &mine, &body(&token)).await.errors(),
        EXPIRED
    );
}

#[tokio::test]
async fn a_recovery_token_works_once_whoever_sends_it_how_often() {
    let panel = panel().await;
    let (_, tokens) = turn_on(&panel, &panel.world.owner).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..32 {
        // The limit of tries is another matter.
        panel.clock.advance(Duration::from_secs(7));
        let browser = Browser::open(&panel).await;
        let token = begin(&panel, &browser).await;
        let body = json!({"confirmation_token": token, "recovery_token": tokens[3]});
        let call = panel.call("POST", "/auth/login/checkpoint").json(&body);
        asked.spawn(async move { browser.send(call).send().await.status.as_u16() });
    }
    let answers = asked.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
    panel.clock.advance(Duration::from_mins(2));
    let left = panel
        .store
        .recovery_tokens_of(panel.world.owner.id)
        .await
        .unwrap();
    assert_eq!(left.len(), tokens.len() - 1);
    let browser = Browser::open(&panel).await;
    let token = begin(&panel, &browser).await;
    for (recovery, expected) in [
        (tokens[3].as_str(), WRONG_TOKEN),
        ("nope", WRONG_TOKEN),
        (&tokens[4], "200"),
    ] {
        let body = json!({"confirmation_token": token, "recovery_token": recovery});
        assert_eq!(
            checkpoint(&panel, &browser, &body).await.errors(),
            expected,
            "{recovery}"
        );
    }
}

#[tokio::test]
async fn fields_are_checked_first() {
    let panel = panel().await;
    turn_on(&panel, &panel.world.owner).await;
    let browser = Browser::open(&panel).await;
    let none = "422 ValidationException: The authentication code field is required. [authentication_code required]\n422 ValidationException: The recovery token field is required. [recovery_token required]";
    for (body, expected) in [
        (
            json!({"authentication_code": "926538"}),
            "422 ValidationException: The confirmation token field is required. [confirmation_token required]",
        ),
        (json!({"confirmation_token": "x"}), none),
        (
            json!({"confirmation_token": "x", "authentication_code": null, "recovery_token": null}),
            none,
        ),
        (
            json!({"confirmation_token": "x", "authentication_code": "12a"}),
            "422 ValidationException: The authentication code must be a number. [authentication_code numeric]",
        ),
        (
            json!({"confirmation_token": "x", "recovery_token": ["x"]}),
            "422 ValidationException: The recovery token must be a string. [recovery_token string]",
        ),
        (
            json!({"confirmation_token": "x", "authentication_code": 123_456}),
            EXPIRED,
        ),
    ] {
        assert_eq!(
            checkpoint(&panel, &browser, &body).await.errors(),
            expected,
            "{body}"
        );
    }
    let body = json!({"confirmation_token": "x", "authentication_code": "1"});
    let call = panel.call("POST", "/auth/login/checkpoint").json(&body);
    assert_eq!(
        call.send().await.errors(),
        "419 HttpException: CSRF token mismatch."
    );
}

/// Who knows the password does not find the code by trying, from wherever.
#[tokio::test]
async fn codes_are_not_found_by_trying() {
    let panel = panel().await;
    let (secret, _) = turn_on(&panel, &panel.world.owner).await;
    let mut outcomes = Vec::new();
    for _ in 0..7 {
        let browser = Browser::open(&panel).await;
        let token = begin(&panel, &browser).await;
        let right = code(&panel, &secret);
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let body = json!({"confirmation_token": token, "authentication_code": wrong});
        outcomes.push(checkpoint(&panel, &browser, &body).await.status.as_u16());
    }
    assert_eq!(outcomes, [400, 400, 400, 400, 400, 429, 429]);
}
