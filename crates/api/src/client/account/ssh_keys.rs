//! `/account/ssh-keys`.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use hatchery_app::Cx;
use hatchery_app::ssh_keys::{self, AddError};
use hatchery_rules::Fields;
use hatchery_wire::client::SshKey;
use hatchery_wire::{Item, List};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{AccountErrors, FieldErrors};
use crate::kit::actor::Account;
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::{Input, Query};
use crate::kit::origin::Here;
use crate::kit::page::whole_list;

/// List SSH keys
///
/// The caller's public keys for SFTP.
#[utoipa::path(
    get,
    path = "/api/client/account/ssh-keys",
    operation_id = "listSshKeys",
    tag = "account",
    responses((status = 200, body = List<SshKey>), AccountErrors)
)]
pub(crate) async fn list_ssh_keys(
    Account(actor): Account,
    State(cx): State<Cx>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let keys = ssh_keys::list(&cx, &actor).await?;
    Ok(whole_list(keys.into_iter().map(shown), &query, &here))
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateSshKey {
    /// What to call it.
    #[schema(max_length = 191)]
    name: String,
    /// The public key: an OpenSSH line, the SSH2 form, or PEM.
    public_key: String,
}

static CREATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("name", "required|string|max:191")
        .field("public_key", "required|string")
});

/// Add an SSH key
#[utoipa::path(
    post,
    path = "/api/client/account/ssh-keys",
    operation_id = "createSshKey",
    tag = "account",
    request_body = CreateSshKey,
    responses((status = 200, body = Item<SshKey>), FieldErrors, AccountErrors)
)]
pub(crate) async fn create_ssh_key(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<Ok200<Item<SshKey>>, ApiError> {
    let mut complaints = CREATE.check(input.fields()).err().unwrap_or_default();
    // The key is looked at whether or not the rules are met (client-api.md §3.2.12).
    let key = match ssh_keys::check(&cx, &actor, input.required_text("public_key")).await? {
        Ok(key) if complaints.is_empty() => key,
        Ok(_) => return Err(ApiError::validation(complaints)),
        Err(more) => {
            complaints.extend(more);
            return Err(ApiError::validation(complaints));
        }
    };
    let added = ssh_keys::add(&cx, &actor, input.required_text("name"), &key).await?;
    Ok(Ok200(shown(added).into()))
}

/// Which key.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct RemoveSshKey {
    /// The key's fingerprint as it is shown, without `SHA256:`.
    fingerprint: String,
}

static REMOVE: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("fingerprint", "required|string"));

/// Remove an SSH key
///
/// Answers the same when there was none.
#[utoipa::path(
    post,
    path = "/api/client/account/ssh-keys/remove",
    operation_id = "removeSshKey",
    tag = "account",
    request_body = RemoveSshKey,
    responses((status = 204), FieldErrors, AccountErrors)
)]
pub(crate) async fn remove_ssh_key(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<NoContent, ApiError> {
    input.check(&REMOVE)?;
    ssh_keys::remove(&cx, &actor, input.required_text("fingerprint")).await?;
    Ok(NoContent)
}

fn shown(key: hatchery_store::SshKey) -> SshKey {
    SshKey {
        name: key.name,
        fingerprint: key.fingerprint,
        public_key: key.public_key,
        created_at: key.created_at.iso_utc(),
    }
}

impl From<AddError> for ApiError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Exists(complaint) => Self::validation(vec![complaint]),
            AddError::LimitReached => Self::display(
                "DisplayException",
                "You have reached the account limit for number of SSH keys.",
            ),
            AddError::Store(error) => error.into(),
        }
    }
}
