//! `/auth` and `/sanctum`: browser sessions.

mod password;
mod second_factor;

use std::time::Duration;

use hatchery_testkit::{Answer, Call, TestPanel};
use serde_json::json;

use crate::{panel, panel_with};

/// A browser's cookies.
pub(crate) struct Browser {
    session: String,
    csrf: String,
}

impl Browser {
    pub(crate) async fn open(panel: &TestPanel) -> Self {
        Self::of(&panel.call("GET", "/sanctum/csrf-cookie").send().await)
    }

    /// The cookies that an answer sets.
    pub(crate) fn of(answer: &Answer) -> Self {
        let cookies: Vec<&str> = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        let value = |name: &str| {
            let cookie = cookies
                .iter()
                .find(|cookie| cookie.starts_with(name))
                .unwrap();
            cookie[name.len() + 1..]
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        };
        Self {
            session: value("hatchery_session"),
            csrf: value("XSRF-TOKEN"),
        }
    }

    pub(crate) fn send(&self, call: Call) -> Call {
        call.header(
            "cookie",
            &format!(
                "x=y; hatchery_session={}; XSRF-TOKEN={}",
                self.session, self.csrf
            ),
        )
        .header("x-xsrf-token", &self.csrf)
    }
}

async fn sign_in(panel: &TestPanel, user: &str, password: &str) -> Answer {
    let browser = Browser::open(panel).await;
    sign_in_from(panel, &browser, user, password).await
}

/// A browser in which somebody is signed in.
pub(crate) async fn signed_in(panel: &TestPanel, user: &str) -> Browser {
    Browser::of(&sign_in(panel, user, TestPanel::PASSWORD).await)
}

async fn sign_in_from(panel: &TestPanel, browser: &Browser, user: &str, password: &str) -> Answer {
    let call = panel
        .call("POST", "/auth/login")
        .json(&json!({"user": user, "password": password}));
    browser.send(call).send().await
}

#[tokio::test]
async fn a_session_from_its_beginning_to_its_end() {
    let panel = panel().await;
    let before = Browser::open(&panel).await;
    let call = panel.call("POST", "/auth/login");
    let answer = before
        .send(call.json(&json!({"user": "OWNER@example.com", "password": TestPanel::PASSWORD})))
        .send()
        .await;
    insta::assert_json_snapshot!(answer.json(), { ".data.user.uuid" => "[uuid]" }, @r#"
        {
          "data": {
            "complete": true,
            "intended": "/",
            "user": {
              "uuid": "[uuid]",
              "username": "owner",
              "email": "owner@example.com",
              "name_first": "owner",
              "name_last": "Person",
              "language": "en",
              "root_admin": false,
              "use_totp": false,
              "gravatar": true,
              "created_at": "2026-01-01T00:00:00.000000Z",
              "updated_at": "2026-01-01T00:00:00.000000Z"
            }
          }
        }
        "#);
    for cookie in answer.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.contains("SameSite=Lax; ") || cookie.ends_with("SameSite=Lax"),
            "{cookie}"
        );
        assert_eq!(
            cookie.contains("HttpOnly"),
            cookie.starts_with("hatchery_session"),
            "{cookie}"
        );
    }
    let browser = Browser::of(&answer);
    assert_ne!(
        browser.session, before.session,
        "a token from before is worth nothing"
    );
    let account = || panel.call("GET", "/api/client/account");
    assert_eq!(before.send(account()).send().await.status, 401);
    assert_eq!(
        browser.send(account()).send().await.json()["attributes"]["username"],
        "owner"
    );

    let create = || {
        let call = panel
            .call("POST", "/api/client/account/api-keys")
            .json(&json!({"description": "x"}));
        call.header("cookie", &format!("hatchery_session={}", browser.session))
    };
    assert_eq!(
        create().send().await.errors(),
        "419 HttpException: CSRF token mismatch."
    );
    assert_eq!(
        create()
            .header("x-xsrf-token", &before.csrf)
            .send()
            .await
            .status,
        419
    );
    assert_eq!(
        create()
            .header("x-csrf-token", &browser.csrf)
            .send()
            .await
            .status,
        200
    );
    let log = browser
        .send(panel.call("GET", "/api/client/account/activity"))
        .send()
        .await
        .json();
    let shown: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["attributes"]["event"].as_str().unwrap(),
                entry["attributes"]["is_api"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [("auth:success", false), ("user:api-key.create", false)]
    );

    let out = browser
        .send(panel.call("POST", "/auth/logout"))
        .send()
        .await;
    assert_eq!(out.status, 204);
    assert_eq!(browser.send(account()).send().await.status, 401);
    // With the cookies that the answer set and with the old ones.
    for browser in [&Browser::of(&out), &browser] {
        let again = browser.send(panel.call("POST", "/auth/logout"));
        assert_eq!(
            again.send().await.errors(),
            "401 AuthenticationException: Unauthenticated."
        );
    }
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let panel = panel().await;
    let browser = Browser::of(&sign_in(&panel, "owner", TestPanel::PASSWORD).await);
    panel.clock.advance(Duration::from_hours(12));
    assert_eq!(
        browser
            .send(panel.call("GET", "/api/client/account"))
            .send()
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists() {
    let panel = panel().await;
    let (wrong, unknown) = (
        sign_in(&panel, "owner", "wrong").await,
        sign_in(&panel, "nobody", "wrong").await,
    );
    assert_eq!(
        wrong.errors(),
        "400 DisplayException: No account matching those credentials could be found."
    );
    assert_eq!((wrong.status, wrong.body), (unknown.status, unknown.body));
    let log = panel
        .call_as(&panel.world.owner, "GET", "/api/client/account/activity")
        .send()
        .await
        .json();
    let entries = log["data"].as_array().unwrap();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                &entry["attributes"]["event"],
                &entry["attributes"]["properties"],
            )
        })
        .collect();
    assert_eq!(
        shown,
        [(
            &json!("auth:fail"),
            &json!({"ip": "[hidden]", "useragent": null, "username": "owner"})
        )],
        "who was tried sees it"
    );
}

#[tokio::test]
async fn signing_in_needs_our_own_page() {
    let panel = panel().await;
    let body = json!({"user": "owner", "password": TestPanel::PASSWORD});
    for call in [
        panel.call("POST", "/auth/login").json(&body),
        panel
            .call("POST", "/auth/login")
            .json(&body)
            .header("cookie", "hatchery_session=bogus"),
        panel
            .call_as(&panel.world.owner, "POST", "/auth/login")
            .json(&body),
        panel.call("POST", "/auth/logout"),
    ] {
        assert_eq!(
            call.send().await.errors(),
            "419 HttpException: CSRF token mismatch."
        );
    }
    let answer = panel.call("GET", "/auth/logout").send().await;
    assert_eq!(answer.status, 405, "no change by GET");
}

#[tokio::test]
async fn too_many_failures_lock_out_that_account_for_that_address_alone() {
    let panel = panel().await;
    for _ in 0..5 {
        assert_eq!(sign_in(&panel, "owner", "wrong").await.status, 400);
    }
    let locked = sign_in(&panel, "OWNER", TestPanel::PASSWORD).await;
    assert_eq!(
        (locked.status.as_u16(), locked.json()["errors"][0].clone()),
        (
            429,
            json!({
                "code": "ValidationException", "status": "422",
                "detail": "Too many login attempts. Please try again in 60 seconds.",
                "meta": {"source_field": "email", "rule": ""},
            })
        )
    );
    assert_eq!(
        sign_in(&panel, "admin", TestPanel::PASSWORD).await.status,
        200
    );
    panel.clock.advance(Duration::from_mins(1));
    assert_eq!(
        sign_in(&panel, "owner", TestPanel::PASSWORD).await.status,
        200
    );
}

/// Whoever has an account of their own does not get more tries at those of others by it.
#[tokio::test]
async fn one_address_cannot_go_through_everybody_s_accounts() {
    let panel = panel().await;
    let mut refused = 0;
    for number in 0..80 {
        if number % 4 == 0 {
            sign_in(&panel, "stranger", TestPanel::PASSWORD).await;
        }
        refused += u32::from(
            sign_in(&panel, &format!("victim{number}"), "wrong")
                .await
                .status
                == 429,
        );
    }
    assert_eq!(
        refused, 32,
        "all after the sixtieth try, of which twelve were his own"
    );
}

/// Nobody is known yet: little is read, and little is written down.
#[tokio::test]
async fn a_stranger_s_long_words_are_neither_read_nor_kept() {
    let panel = panel().await;
    assert_eq!(
        sign_in(&panel, &"x".repeat(20_000), "wrong").await.status,
        413
    );
    let name = format!("é\0{}", "x".repeat(10_000));
    assert_eq!(sign_in(&panel, &name, "wrong").await.status, 400);
    panel.store.flush().await.unwrap();
}

#[tokio::test]
async fn cookies_keep_to_encrypted_connections_where_the_panel_has_one() {
    for (address, secure) in [
        ("https://panel.example.com", true),
        ("http://panel.test", false),
    ] {
        let panel = panel_with(|settings| settings.app_url = Some(address.to_owned())).await;
        let answers = [
            panel.call("GET", "/sanctum/csrf-cookie").send().await,
            sign_in(&panel, "owner", TestPanel::PASSWORD).await,
        ];
        for answer in answers {
            let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
            assert_eq!(cookies.len(), 2);
            for cookie in cookies {
                let cookie = cookie.to_str().unwrap();
                assert_eq!(cookie.contains("; Secure"), secure, "{address}: {cookie}");
                assert!(!cookie.contains("Domain="), "{cookie}");
            }
        }
    }
}
