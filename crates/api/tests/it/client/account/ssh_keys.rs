//! `/api/client/account/ssh-keys`.

use hatchery_testkit::{Answer, Person, TestPanel};
use serde_json::{Value, json};

use super::log;
use crate::panel;

const PATH: &str = "/api/client/account/ssh-keys";
const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMaQEWY4XSq+2sx11KsQ8nVZyCt0UktKaMqRH50/WaFx somebody";
const FINGERPRINT: &str = "swyTQ3WHvKr+Ejq4X9CLv/8wGaA+x5rMug6dFeriGvU";
const SHORT_RSA: &str = include_str!("../../../../../auth/src/ssh_key/fixtures/rsa_1024.pub");
const DSA: &str = include_str!("../../../../../auth/src/ssh_key/fixtures/dsa.pub");

async fn create(panel: &TestPanel, person: &Person, body: &Value) -> Answer {
    panel.call_as(person, "POST", PATH).json(body).send().await
}

async fn remove(panel: &TestPanel, body: &Value) -> Answer {
    let path = format!("{PATH}/remove");
    let call = panel.call_as(&panel.world.owner, "POST", &path);
    call.json(body).send().await
}

#[tokio::test]
async fn a_key_is_added_listed_and_removed() {
    let panel = panel().await;
    let owner = &panel.world.owner;
    let body = json!({"name": " laptop ", "public_key": ED25519});
    let created = create(&panel, owner, &body).await;
    insta::assert_json_snapshot!(created.json(), @r#"
        {
          "object": "ssh_key",
          "attributes": {
            "name": "laptop",
            "fingerprint": "swyTQ3WHvKr+Ejq4X9CLv/8wGaA+x5rMug6dFeriGvU",
            "public_key": "-----BEGIN PUBLIC KEY-----\r\nMCowBQYDK2VwAyEAxpARZjhdKr7azHXUqxDydVnIK3RSS0poypEfnT9ZoXE=\r\n-----END PUBLIC KEY-----",
            "created_at": "2026-01-01T00:00:00+00:00"
          }
        }
        "#);
    let listed = panel.call_as(owner, "GET", PATH).send().await.json();
    assert_eq!(listed["data"], json!([created.json()]));
    assert!(listed.get("meta").is_none(), "the list is not paginated");
    let pem = created.json()["attributes"]["public_key"].clone();
    let again = json!({"name": "again", "public_key": pem});
    assert_eq!(
        create(&panel, owner, &again).await.errors(),
        "422 ValidationException: The public key provided already exists on your account. [public_key ]"
    );
    assert_eq!(
        create(&panel, &panel.world.helper, &again).await.status,
        200,
        "another account may have it too"
    );

    for fingerprint in ["nope", FINGERPRINT, FINGERPRINT] {
        let answer = remove(&panel, &json!({"fingerprint": fingerprint})).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    let listed = panel.call_as(owner, "GET", PATH).send().await.json();
    assert_eq!(listed, json!({"object": "list", "data": []}));
    let named = format!(r#"{{"fingerprint":"{FINGERPRINT}"}}"#);
    assert_eq!(
        log(&panel, owner).await,
        [
            format!("user:ssh-key.create {named}"),
            format!("user:ssh-key.delete {named}")
        ],
        "a key that was not there is not recorded"
    );
}

#[tokio::test]
async fn everything_that_speaks_against_a_key_is_told() {
    const INVALID: &str =
        "422 ValidationException: The public key provided is not valid. [public_key ]";
    let panel = panel().await;
    let owner = &panel.world.owner;
    let first = json!({"name": "first", "public_key": ED25519});
    assert_eq!(create(&panel, owner, &first).await.status, 200);
    let field = |field: &str, rule: &str, sentence: &str| {
        format!("422 ValidationException: {sentence} [{field} {rule}]")
    };
    let name_required = field("name", "required", "The name field is required.");
    let key_required = field(
        "public_key",
        "required",
        "The public key field is required.",
    );
    for (body, expected) in [
        (
            json!({}),
            format!("{name_required}\n{key_required}\n{INVALID}"),
        ),
        (json!({"name": "x"}), format!("{key_required}\n{INVALID}")),
        (
            json!({"name": "x", "public_key": ""}),
            format!("{key_required}\n{INVALID}"),
        ),
        (
            json!({"public_key": ED25519}),
            format!(
                "{name_required}\n{}",
                field(
                    "public_key",
                    "",
                    "The public key provided already exists on your account."
                )
            ),
        ),
        (
            json!({"name": "x", "public_key": 5}),
            format!(
                "{}\n{INVALID}",
                field("public_key", "string", "The public key must be a string.")
            ),
        ),
        (
            json!({"name": 5, "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBhV3iZ3tfxY5OWzgwtB4a8x93jcy37dUbv6zd2G0DJ+"}),
            field("name", "string", "The name must be a string."),
        ),
        (
            json!({"name": "x".repeat(192), "public_key": "hello"}),
            format!(
                "{}\n{INVALID}",
                field(
                    "name",
                    "max",
                    "The name may not be greater than 191 characters."
                )
            ),
        ),
        (
            json!({"name": "x", "public_key": SHORT_RSA}),
            field(
                "public_key",
                "",
                "RSA keys must be at least 2048 bytes in length.",
            ),
        ),
        (
            json!({"name": "x", "public_key": DSA}),
            field("public_key", "", "DSA keys are not supported."),
        ),
        (
            json!({"name": "x", "public_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"}),
            INVALID.to_owned(),
        ),
    ] {
        assert_eq!(
            create(&panel, owner, &body).await.errors(),
            expected,
            "{body}"
        );
    }
    for (body, rule, sentence) in [
        (json!({}), "required", "The fingerprint field is required."),
        (
            json!({"fingerprint": ["x"]}),
            "string",
            "The fingerprint must be a string.",
        ),
    ] {
        let expected = field("fingerprint", rule, sentence);
        assert_eq!(remove(&panel, &body).await.errors(), expected, "{body}");
    }
}

#[tokio::test]
async fn the_same_key_many_times_at_once_is_one_key() {
    let panel = panel().await;
    let body = json!({"name": "x", "public_key": ED25519});
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let call = panel.call_as(&panel.world.owner, "POST", PATH).json(&body);
        asked.spawn(async move { call.send().await.status.as_u16() });
    }
    let answers = asked.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
    assert!(
        answers.iter().all(|status| matches!(status, 200 | 422)),
        "{answers:?}"
    );
}
