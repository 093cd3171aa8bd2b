//! `/api/client/account/two-factor`.

use std::time::Duration;

use hatchery_auth::{TotpSecret, TotpStep};
use hatchery_testkit::{Answer, Person, TestPanel};
use serde_json::{Value, json};

use super::log;
use crate::{panel, panel_with};

const PATH: &str = "/api/client/account/two-factor";

/// Begins the set-up and plays the authenticator.
pub(crate) async fn begin(panel: &TestPanel, person: &Person) -> TotpSecret {
    let answer = panel.call_as(person, "GET", PATH).send().await;
    let secret = answer.json()["data"]["secret"].as_str().unwrap().to_owned();
    secret.parse().unwrap()
}

pub(crate) fn code(panel: &TestPanel, secret: &TotpSecret) -> String {
    secret.code(TotpStep::at(panel.cx.now()))
}

async fn enable(panel: &TestPanel, body: &Value) -> Answer {
    let call = panel.call_as(&panel.world.owner, "POST", PATH);
    call.json(body).send().await
}

async fn disable(panel: &TestPanel, body: &Value) -> Answer {
    let path = format!("{PATH}/disable");
    let call = panel.call_as(&panel.world.owner, "POST", &path);
    call.json(body).send().await
}

/// Turns it on and gives secret and recovery tokens.
pub(crate) async fn turn_on(panel: &TestPanel, person: &Person) -> (TotpSecret, Vec<String>) {
    let secret = begin(panel, person).await;
    let body = json!({"code": code(panel, &secret), "password": TestPanel::PASSWORD});
    let call = panel.call_as(person, "POST", PATH).json(&body);
    let tokens = call.send().await.json()["attributes"]["tokens"].clone();
    // The next code is another one.
    panel.clock.advance(Duration::from_secs(TotpStep::SECONDS));
    (secret, serde_json::from_value(tokens).unwrap())
}

#[tokio::test]
async fn it_is_set_up_turned_on_and_turned_off() {
    let panel = panel_with(|settings| settings.app_name = "My Panél & Co".to_owned()).await;
    let owner = &panel.world.owner;
    let first = panel.call_as(owner, "GET", PATH).send().await.json();
    let secret = begin(&panel, owner).await;
    assert_ne!(
        first["data"]["secret"],
        secret.expose(),
        "each call makes a new secret"
    );
    assert_eq!(secret.expose().len(), 32);
    assert_eq!(
        first["data"]["image_url_data"],
        format!(
            "otpauth://totp/MyPan%25C3%25A9l%2526Co:owner%40example.com?secret={}&issuer=MyPan%25C3%25A9l%2526Co",
            first["data"]["secret"].as_str().unwrap()
        )
    );

    let body = json!({"code": code(&panel, &secret), "password": TestPanel::PASSWORD});
    let answer = enable(&panel, &body).await.json();
    assert_eq!(answer["object"], "recovery_tokens");
    let tokens = answer["attributes"]["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 10);
    assert!(
        tokens
            .iter()
            .all(|token| token.as_str().unwrap().len() == 10)
    );
    assert_eq!(
        panel.call_as(owner, "GET", PATH).send().await.errors(),
        "400 BadRequestHttpException: Two-factor authentication is already enabled on this account."
    );

    // It gives new recovery tokens when it is on, but not for a code that was used.
    assert_eq!(enable(&panel, &body).await.status, 400);
    panel.clock.advance(Duration::from_secs(TotpStep::SECONDS));
    let body = json!({"code": code(&panel, &secret), "password": TestPanel::PASSWORD});
    assert_ne!(enable(&panel, &body).await.json(), answer);

    let body = json!({"password": TestPanel::PASSWORD});
    for _ in 0..2 {
        let answer = disable(&panel, &body).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    let user = panel.store.user(owner.id).await.unwrap().unwrap();
    assert!(
        !user.use_totp && user.totp_secret.is_some(),
        "the secret stays"
    );
    assert_eq!(
        log(&panel, owner).await,
        [
            "user:two-factor.create {}",
            "user:two-factor.create {}",
            "user:two-factor.delete {}",
            "user:two-factor.delete {}"
        ]
    );
    let kinds: Vec<_> = panel.take_mail().iter().map(|mail| mail.kind).collect();
    assert_eq!(
        kinds,
        [
            "two-factor-enabled",
            "two-factor-enabled",
            "two-factor-disabled"
        ]
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_specification() {
    const PASSWORD: &str = "400 BadRequestHttpException: The password provided was not valid.";
    const CODE: &str = "400 TwoFactorAuthenticationTokenInvalid: The provided two-factor authentication token was not valid.";
    let panel = panel().await;
    let right = TestPanel::PASSWORD;
    let body = json!({"code": "123456", "password": right});
    assert_eq!(
        enable(&panel, &body).await.errors(),
        CODE,
        "there is no secret yet"
    );
    let secret = begin(&panel, &panel.world.owner).await;
    let code = code(&panel, &secret);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for (body, expected) in [
        (json!({"code": code, "password": "bad"}), PASSWORD),
        (json!({"code": wrong, "password": right}), CODE),
        (
            json!({"password": right}),
            "422 ValidationException: The code field is required. [code required]",
        ),
        (
            json!({"code": code}),
            "422 ValidationException: The password field is required. [password required]",
        ),
        (
            json!({"code": "123", "password": right}),
            "422 ValidationException: The code must be 6 characters. [code size]",
        ),
        (
            json!({"code": 123_456, "password": right}),
            "422 ValidationException: The code must be a string. [code string]",
        ),
        (
            json!({}),
            "422 ValidationException: The code field is required. [code required]\n422 ValidationException: The password field is required. [password required]",
        ),
    ] {
        assert_eq!(enable(&panel, &body).await.errors(), expected, "{body}");
    }
    for body in [
        json!({"password": "bad"}),
        json!({}),
        json!({"password": ["x"]}),
    ] {
        assert_eq!(disable(&panel, &body).await.errors(), PASSWORD, "{body}");
    }
    assert!(log(&panel, &panel.world.owner).await.is_empty());
}

/// A code is worth one answer, also to many who send it at the same moment.
#[tokio::test]
async fn a_code_turns_it_on_once() {
    let panel = panel().await;
    let secret = begin(&panel, &panel.world.owner).await;
    let body = json!({"code": code(&panel, &secret), "password": TestPanel::PASSWORD});
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let call = panel.call_as(&panel.world.owner, "POST", PATH).json(&body);
        asked.spawn(async move { call.send().await.status.as_u16() });
    }
    let answers = asked.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
}
