//! Who may use `/account` and what belongs to no server.

use hatchery_testkit::{Person, TestPanel};

use super::{Prepared, Row};

pub(super) const ROWS: &[Row] = &[
    Row::account("listPermissions"),
    Row::account("viewAccount"),
    Row::account("listAccountActivity"),
    Row::account("listApiKeys"),
    Row::account("createApiKey").json(r#"{"description": "x", "allowed_ips": []}"#),
    Row::account("beginTwoFactor"),
    Row::account("enableTwoFactor")
        .json(r#"{"code": "000000", "password": "wrong"}"#)
        .answers("400 BadRequestHttpException: The password provided was not valid."),
    Row::account("disableTwoFactor")
        .json(r#"{"password": "wrong"}"#)
        .answers("400 BadRequestHttpException: The password provided was not valid."),
    Row::account("updateEmail")
        .json(r#"{"email": "x@example.com", "password": "wrong"}"#)
        .answers(WRONG_PASSWORD),
    Row::account("updatePassword")
        .json(r#"{"current_password": "wrong"}"#)
        .answers(WRONG_PASSWORD),
    Row::account("listSshKeys"),
    Row::account("createSshKey")
        .json(r#"{"name": "x"}"#)
        .answers("422 ValidationException: The public key field is required. [public_key required]\n422 ValidationException: The public key provided is not valid. [public_key ]"),
    Row::account("removeSshKey")
        .json(r#"{"fingerprint": "none"}"#)
        .answers("204"),
    Row::account("deleteApiKey").about(a_key).answers("204"),
];

/// Who is let in is asked for the password, which shows that they were let in.
const WRONG_PASSWORD: &str =
    "400 InvalidPasswordProvidedException: The password provided was invalid for this account.";

/// One more key of the caller's.
fn a_key<'a>(panel: &'a TestPanel, caller: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let kind = hatchery_store::ApiKeyKind::Client;
        let key = panel.add_key(caller.id, kind, &[]).await.unwrap();
        vec![("identifier", key[..16].to_owned())]
    })
}
