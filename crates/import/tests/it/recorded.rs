//! The world of the recorded exchanges, where it lies beside the checkout.

use std::path::PathBuf;

use hatchery_auth::{PasswordCost, Passwords, PresentedKey, SecretDigest, TotpSecret, TotpStep};
use hatchery_import::Mode;
use hatchery_import::testing::SourcePanel;
use hatchery_store::both_dbs;
use hatchery_store::testing::{TEST_START, TestStore};

use crate::{import, named};

/// Of the throw-away panel that was recorded.
const APP_KEY: &str = "base64:dlyNVw4O8+jd9BlePj8tXcIzO89rDLCiz/ZmeefzDZ4=";

const KEYS: [&str; 15] = [
    "ptlc_admin000000AdminTokenAdminTokenAdminTokenAd",
    "ptlc_owner000000OwnerTokenOwnerTokenOwnerTokenOw",
    "ptlc_limited0000LimitedTokenLimitedTokenLimitedT",
    "ptlc_helper00000HelperTokenHelperTokenHelperToke",
    "ptlc_other000000OtherTokenOtherTokenOtherTokenOt",
    "ptlc_empty000000EmptyTokenEmptyTokenEmptyTokenEm",
    "ptlc_totp0000000TotpTokenTotpTokenTotpTokenTotpT",
    "ptlc_bench000000BenchTokenBenchTokenBenchTokenBe",
    "ptlc_noperm00000NopermTokenNopermTokenNopermToke",
    "ptla_adminappRW0AdminAppTokenReadWriteAdminApp01",
    "ptla_adminappRO0AdminAppTokenReadOnlyAdminAppT02",
    "ptla_adminappNO0AdminAppTokenNoAccessAdminAppT03",
    "ptlc_ownerIPbad0OwnerIpBlockedTokenOwnerIpBlock1",
    "ptlc_ownerIPok00OwnerIpAllowedTokenOwnerIpAllow1",
    "ptlc_ownerexpireOwnerExpiredTokenOwnerExpiredTo1",
];

/// The recorded dump; without it the test says so.
#[expect(clippy::print_stdout, reason = "the runner counts these lines")]
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the tests, not of a server"
)]
fn dump() -> Option<String> {
    let folder = std::env::var_os("HATCHERY_CONFORMANCE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/conformance"
            ))
        },
        PathBuf::from,
    );
    let dump = std::fs::read_to_string(folder.join("world/panel.sql")).ok();
    if dump.is_none() {
        println!("SKIPPED: the recordings are not beside the checkout");
    }
    dump
}

both_dbs! {
    async fn every_key_password_and_code_of_the_recorded_world_works(store: TestStore) {
        let Some(dump) = dump() else { return };
        let Some(panel) = SourcePanel::of(&dump).await.unwrap() else { return };
        let report = import(&store, &panel, APP_KEY, Mode::Keep).await.unwrap();
        assert_eq!(named(&report), [""; 0]);

        for key in KEYS {
            let presented = PresentedKey::from_bearer(key).unwrap();
            let actor = store.key_actor(presented.identifier.as_str()).await.unwrap().expect(key);
            let stored = SecretDigest::from_stored(&actor.key.secret_sha256).unwrap();
            assert!(presented.proves(&stored), "{key}");
        }
        let entropy = std::sync::Arc::new(hatchery_ambient::SeededEntropy::new(3));
        let passwords = Passwords::new(PasswordCost::CHEAPEST, std::num::NonZeroUsize::MIN, entropy);
        for name in ["Admin", "Owner", "Limited", "Helper", "Other", "Empty", "Totp", "Bench", "Noperm"] {
            let user = store.user_by_login(&name.to_lowercase()).await.unwrap().expect(name);
            let right = format!("{name}Pass1!");
            let verdict = passwords.verify(&right, Some(user.password.expose())).await.unwrap();
            assert!(verdict.is_right(), "{name}");
        }
        let totp = store.user_by_login("totp").await.unwrap().unwrap();
        let secret: TotpSecret = totp.totp_secret.as_ref().unwrap().expose().parse().unwrap();
        let same: TotpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".parse().unwrap();
        assert!(secret.accept(&same.code(TotpStep::at(TEST_START)), TEST_START, 1, None).is_some());
        let tokens = store.recovery_tokens_of(totp.id).await.unwrap();
        for token in ["RecoverAAA", "RecoverBBB"] {
            let mut fits = 0;
            for stored in &tokens {
                let verdict = passwords.verify(token, Some(stored.hash.expose())).await.unwrap();
                fits += u32::from(verdict.is_right());
            }
            assert_eq!(fits, 1, "{token}");
        }
    }
}
