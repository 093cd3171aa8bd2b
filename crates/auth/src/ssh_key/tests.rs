//! Keys as the tools of the field write them, and what they get wrong.

use proptest::prelude::*;

use super::*;

/// What `ssh-keygen` makes of one key: its line, PEM, SSH2 form and fingerprint.
macro_rules! key {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("fixtures/", $name, ".pub")),
            include_str!(concat!("fixtures/", $name, ".pem")),
            include_str!(concat!("fixtures/", $name, ".ssh2")),
            include_str!(concat!("fixtures/", $name, ".fingerprint")),
        )
    };
}

fn read(text: &str) -> Result<SshPublicKey, ParseSshKey> {
    text.parse()
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (name, line, pem, ssh2, fingerprint) in [
        key!("rsa_2048"),
        key!("rsa_1024"),
        key!("ecdsa_256"),
        key!("ecdsa_384"),
        key!("ecdsa_521"),
        key!("ed25519"),
    ] {
        let key = read(line).expect(name);
        assert_eq!(key.fingerprint(), fingerprint.trim(), "{name}");
        assert_eq!(key.to_pem(), pem.trim().replace('\n', "\r\n"), "{name}");
        assert!(!key.is_dsa());
        assert_eq!(key.is_short_rsa(), name == "rsa_1024", "{name}");
        for other in [pem, ssh2, &key.to_pem(), line.split(' ').nth(1).unwrap()] {
            assert_eq!(read(other), Ok(key.clone()), "{name}: {other}");
        }
    }
    let pkcs1 = include_str!("fixtures/rsa_2048.pkcs1");
    assert_eq!(read(pkcs1), read(include_str!("fixtures/rsa_2048.pub")));
}

#[test]
fn a_dsa_key_is_told_by_name() {
    for text in [
        include_str!("fixtures/dsa.pub"),
        include_str!("fixtures/dsa.pem"),
    ] {
        assert!(read(text).unwrap().is_dsa());
    }
}

#[test]
fn what_is_no_public_key_is_refused() {
    let line = include_str!("fixtures/ed25519.pub");
    let (_, key) = line.trim().split_once(' ').unwrap();
    for text in [
        "",
        "hello",
        "ssh-ed25519 AAAA",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        &format!("ssh-rsa {key}"),
        &format!("{line}{line}"),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA",
        &"A".repeat(MAX_TEXT + 1),
    ] {
        assert_eq!(read(text), Err(ParseSshKey), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&text);
        let body = STANDARD.encode(&bytes);
        let _ = read(&body);
        for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
            let _ = read(&format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----"));
        }
    }

    #[test]
    fn a_key_that_lost_or_gained_something_is_another_or_none(at in 0_usize..800, flip in 1_u8..=255) {
        for line in [include_str!("fixtures/rsa_2048.pub"), include_str!("fixtures/ecdsa_521.pub")] {
            let mut blob = decode(line.split(' ').nth(1).unwrap()).unwrap();
            let at = at % blob.len();
            blob[at] ^= flip;
            if let Some(kind) = from_blob(&blob, None) {
                prop_assert_ne!(Ok(SshPublicKey(kind)), read(line));
            }
            prop_assert_eq!(from_blob(&blob[..at], None), None);
        }
    }
}
