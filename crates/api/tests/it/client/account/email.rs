//! `PUT /api/client/account/email`.

use hatchery_testkit::{Answer, Person, TestPanel};
use serde_json::{Value, json};

use super::log;
use crate::panel;

async fn update(panel: &TestPanel, person: &Person, body: &Value) -> Answer {
    panel
        .call_as(person, "PUT", "/api/client/account/email")
        .json(body)
        .send()
        .await
}

#[tokio::test]
async fn an_address_is_changed_and_the_old_one_told() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let body = json!({"email": " new@example.com ", "password": TestPanel::PASSWORD});
    for _ in 0..2 {
        let answer = update(&panel, owner, &body).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    let account = panel
        .call_as(owner, "GET", "/api/client/account")
        .send()
        .await;
    assert_eq!(account.json()["attributes"]["email"], "new@example.com");
    assert_eq!(
        log(&panel, owner).await,
        [r#"user:account.email-changed {"old":"owner@example.com","new":"new@example.com"}"#],
        "nothing is recorded where nothing changed"
    );
    let mail = panel.take_mail();
    assert_eq!(mail.len(), 1);
    assert_eq!(
        (mail[0].kind, mail[0].to.as_str()),
        ("email-changed", "owner@example.com")
    );
    assert!(mail[0].text.contains("new@example.com"), "{}", mail[0].text);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_order_of_the_specification() {
    const PASSWORD: &str =
        "400 InvalidPasswordProvidedException: The password provided was invalid for this account.";
    let panel = panel().await;
    let right = TestPanel::PASSWORD;
    let long = format!("{}@example.com", "a".repeat(190));
    for (body, expected) in [
        (json!({}), PASSWORD),
        (json!({"email": "new@example.com"}), PASSWORD),
        (
            json!({"email": "new@example.com", "password": null}),
            PASSWORD,
        ),
        (
            json!({"email": "new@example.com", "password": "nope"}),
            PASSWORD,
        ),
        (
            json!({"email": "new@example.com", "password": ["x"]}),
            PASSWORD,
        ),
        (json!({"email": "", "password": "nope"}), PASSWORD),
        (
            json!({"password": right}),
            "422 ValidationException: The email field is required. [email required]",
        ),
        (
            json!({"email": "", "password": right}),
            "422 ValidationException: The email field is required. [email required]",
        ),
        (
            json!({"email": "not-an-email", "password": right}),
            "422 ValidationException: The email must be a valid email address. [email email]",
        ),
        (
            json!({"email": 5, "password": right}),
            "422 ValidationException: The email must be a valid email address. [email email]",
        ),
        (
            json!({"email": "OTHER@example.com\r\nBcc: x@example.com", "password": right}),
            "422 ValidationException: The email must be a valid email address. [email email]",
        ),
        (
            json!({"email": long, "password": right}),
            "422 ValidationException: The email must be between 1 and 191 characters. [email between]",
        ),
        (
            json!({"email": "HELPER@example.com", "password": right}),
            "422 ValidationException: The email has already been taken. [email unique]",
        ),
    ] {
        let answer = update(&panel, &panel.world.owner, &body).await;
        assert_eq!(answer.errors(), expected, "{body}");
    }
    assert!(log(&panel, &panel.world.owner).await.is_empty());
    assert!(panel.take_mail().is_empty());
}

/// An account is worth a few looks at who else has one, no more (GHSA-j7f5-gfqm-pcx3).
#[tokio::test]
async fn nobody_goes_through_addresses_to_see_which_are_taken() {
    let panel = panel().await;
    let try_address = async |address: &str| {
        let body = json!({"email": address, "password": TestPanel::PASSWORD});
        update(&panel, &panel.world.owner, &body)
            .await
            .status
            .as_u16()
    };
    for number in 0..20 {
        assert_eq!(try_address(&format!("free{number}@example.com")).await, 204);
    }
    for _ in 0..5 {
        assert_eq!(try_address("helper@example.com").await, 422);
    }
    // Taken or not, the answer is the same from now on.
    assert_eq!(try_address("helper@example.com").await, 429);
    assert_eq!(try_address("another@example.com").await, 429);
    let body = json!({"email": "stranger2@example.com", "password": TestPanel::PASSWORD});
    let other = update(&panel, &panel.world.stranger, &body).await;
    assert_eq!(other.status, 204, "another account is not affected");
}

/// Whoever found a key does not find out the password with it.
#[tokio::test]
async fn a_key_does_not_serve_to_guess_the_password() {
    let panel = panel().await;
    let guess = async |password: &str| {
        let body = json!({"email": "x@example.com", "password": password});
        update(&panel, &panel.world.owner, &body)
            .await
            .status
            .as_u16()
    };
    for _ in 0..30 {
        assert_eq!(guess("wrong").await, 400);
    }
    assert_eq!(guess("wrong").await, 429);
    assert_eq!(guess(TestPanel::PASSWORD).await, 429);
}
