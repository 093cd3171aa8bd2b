//! Tokens against the words of the specification, and against forgers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hatchery_vocab::{ServerUuid, UserId};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn key() -> NodeToken {
    NodeToken::new("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
}

fn server() -> ServerUuid {
    "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap()
}

fn grant() -> Grant<'static> {
    Grant {
        issuer: "https://panel.example",
        audience: "https://node.example:8080",
        user: "d3aac109-cfa8-4ac0-b09c-09f78c8c77a5".parse().unwrap(),
        user_id: UserId::new(7),
        now: NOW,
        unique_id: "abcdefghijklmnop".to_owned(),
    }
}

fn download() -> String {
    issue(
        &key(),
        grant(),
        FileDownload {
            server_uuid: server(),
            file_path: "/a b.txt".to_owned(),
        },
    )
}

/// A token as another implementation writes it: the header and claims given, signed with the key.
fn forge(header: &str, claims: &str, key: &NodeToken) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.expose().as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

#[test]
fn the_token_is_that_of_the_specification() {
    let token = download();
    let mut parts = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut json = || serde_json::from_slice::<serde_json::Value>(&parts.next().unwrap()).unwrap();
    // printf '7f3f95466-7e8b-42a4-8504-6e7055874e39' | md5sum
    let jti = "5e22307078a01d3c51fb2107c5a76dfb";
    assert_eq!(
        json(),
        serde_json::json!({"typ": "JWT", "alg": "HS256", "jti": jti})
    );
    assert_eq!(
        json(),
        serde_json::json!({
            "iss": "https://panel.example", "aud": ["https://node.example:8080"], "jti": jti,
            "iat": 1_700_000_000, "nbf": 1_699_999_700, "exp": 1_700_000_900,
            "server_uuid": server(), "file_path": "/a b.txt",
            "user_uuid": "d3aac109-cfa8-4ac0-b09c-09f78c8c77a5", "user_id": 7,
            "unique_id": "abcdefghijklmnop", "scope": "file-download"
        })
    );
}

#[test]
fn the_example_of_rfc_7515_has_a_valid_signature() {
    // RFC 7515, appendix A.1, whose key is binary; the same text signed with a textual key.
    let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
    let claims =
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    let token = forge(header, claims, &key());
    assert!(token.starts_with(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
         eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    ));
    // It is authentic, but made for nothing that we know.
    assert_eq!(
        verify::<FileUpload>(&key(), &token, NOW),
        Err(JwtError::Purpose)
    );
    assert_eq!(
        verify::<FileUpload>(&NodeToken::new("other"), &token, NOW),
        Err(JwtError::Signature)
    );
}

#[test]
fn one_purpose_is_asked_for() {
    let token = download();
    assert_eq!(
        verify::<FileDownload>(&key(), &token, NOW)
            .unwrap()
            .purpose
            .file_path,
        "/a b.txt"
    );
    assert_eq!(
        verify::<FileUpload>(&key(), &token, NOW),
        Err(JwtError::Purpose)
    );
    assert_eq!(
        verify::<Websocket>(&key(), &token, NOW),
        Err(JwtError::Purpose)
    );
    assert_eq!(
        verify::<BackupDownload>(&key(), &token, NOW),
        Err(JwtError::Purpose)
    );
}

#[test]
fn time_bounds_are_whole_seconds() {
    let token = download();
    let at = |offset: i64| {
        verify::<FileDownload>(
            &key(),
            &token,
            Timestamp::from_seconds(NOW.seconds() + offset),
        )
    };
    assert!(at(900).is_ok() && at(-300).is_ok());
    assert_eq!(at(901), Err(JwtError::Expired));
    assert_eq!(at(-301), Err(JwtError::Early));
    let late = NOW.plus(Duration::from_millis(900_999));
    assert!(verify::<FileDownload>(&key(), &token, late).is_ok());
}

#[test]
fn no_algorithm_but_ours_is_accepted() {
    let claims = r#"{"iat":1,"exp":9999999999,"scope":"file-upload","unique_id":"u",
        "user_uuid":"d3aac109-cfa8-4ac0-b09c-09f78c8c77a5","server_uuid":"f3f95466-7e8b-42a4-8504-6e7055874e39"}"#;
    assert!(
        verify::<FileUpload>(&key(), &forge(r#"{"alg":"HS256"}"#, claims, &key()), NOW).is_ok()
    );
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":""}"#,
    ] {
        assert_eq!(
            verify::<FileUpload>(&key(), &forge(header, claims, &key()), NOW),
            Err(JwtError::Signature)
        );
    }
    assert_eq!(
        verify::<FileUpload>(&key(), &forge("{}", claims, &key()), NOW),
        Err(JwtError::Malformed)
    );
}

#[test]
fn every_change_of_a_token_is_noticed() {
    let token = download();
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(
            verify::<FileDownload>(&key(), &changed, NOW).is_err(),
            "{index}"
        );
    }
    for broken in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        &token[1..],
        &token[..token.len() - 1],
    ] {
        assert!(
            verify::<FileDownload>(&key(), broken, NOW).is_err(),
            "{broken}"
        );
    }
    let long = format!("{token}{}", "A".repeat(MAX_TOKEN));
    assert_eq!(
        verify::<FileDownload>(&key(), &long, NOW),
        Err(JwtError::Malformed)
    );
}

#[test]
fn claims_that_the_protocol_demands_cannot_be_missing() {
    let full = serde_json::json!({
        "iat": 1, "exp": 9_999_999_999_i64, "scope": "a websocket b", "unique_id": "u", "permissions": ["*"],
        "user_uuid": "d3aac109-cfa8-4ac0-b09c-09f78c8c77a5", "server_uuid": server(),
    });
    let check = |claims: &serde_json::Value| {
        verify::<Websocket>(
            &key(),
            &forge(r#"{"alg":"HS256"}"#, &claims.to_string(), &key()),
            NOW,
        )
    };
    assert!(check(&full).is_ok());
    for name in [
        "iat",
        "exp",
        "unique_id",
        "user_uuid",
        "server_uuid",
        "permissions",
    ] {
        let mut claims = full.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(check(&claims), Err(JwtError::Malformed), "{name}");
    }
    let mut fraction = full;
    fraction["exp"] = serde_json::json!(1_800_000_000.5);
    assert_eq!(check(&fraction), Err(JwtError::Malformed));
}
