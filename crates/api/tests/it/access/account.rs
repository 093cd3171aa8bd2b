//! Who may use `/account` and what belongs to no server.

use hatchery_testkit::{Person, TestPanel};

use super::{Prepared, Row};

pub(super) const ROWS: &[Row] = &[
    Row::account("listPermissions"),
    Row::account("viewAccount"),
    Row::account("listAccountActivity"),
    Row::account("listApiKeys"),
    Row::account("createApiKey").json(r#"{"description": "x", "allowed_ips": []}"#),
    Row::account("deleteApiKey").about(a_key).answers("204"),
];

/// One more key of the caller's.
fn a_key<'a>(panel: &'a TestPanel, caller: &'a Person) -> Prepared<'a> {
    Box::pin(async move {
        let kind = hatchery_store::ApiKeyKind::Client;
        let key = panel.add_key(caller.id, kind, &[]).await.unwrap();
        vec![("identifier", key[..16].to_owned())]
    })
}
