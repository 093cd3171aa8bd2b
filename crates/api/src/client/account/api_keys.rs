//! `/account/api-keys`.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use hatchery_app::Cx;
use hatchery_app::api_keys::{self, CreateError};
use hatchery_rules::Fields;
use hatchery_wire::client::{ApiKey, SecretMeta};
use hatchery_wire::{ItemWith, List};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::AccountErrors;
use crate::kit::actor::{Account, Segments};
use crate::kit::answer::{NoContent, Ok200};
use crate::kit::error::ApiError;
use crate::kit::input::{Input, Query};
use crate::kit::origin::Here;
use crate::kit::page::whole_list;

/// List API keys
///
/// The caller's own keys, without their secrets.
#[utoipa::path(
    get,
    path = "/api/client/account/api-keys",
    operation_id = "listApiKeys",
    tag = "account",
    responses((status = 200, body = List<ApiKey>), AccountErrors)
)]
pub(crate) async fn list_api_keys(
    Account(actor): Account,
    State(cx): State<Cx>,
    query: Query,
    here: Here,
) -> Result<Response, ApiError> {
    let keys = api_keys::list(&cx, &actor).await?;
    Ok(whole_list(keys.into_iter().map(shown), &query, &here))
}

/// What a new key is made of.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateApiKey {
    /// What the key is for.
    #[schema(max_length = 500)]
    description: String,
    /// Addresses, networks (`10.0.0.0/8`), ranges (`10.0.0.1-10.0.0.9`) and wildcards (`10.0.*.*`)
    /// from which the key works; none means any.
    #[schema(max_items = 50)]
    allowed_ips: Option<Vec<String>>,
}

static CREATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("description", "required|nullable|string|max:500")
        .field("allowed_ips", "nullable|array|max:50")
        .field("allowed_ips.*", "string")
});

/// Create an API key
///
/// The whole key is `attributes.identifier` followed by `meta.secret_token`, which is shown once.
#[utoipa::path(
    post,
    path = "/api/client/account/api-keys",
    operation_id = "createApiKey",
    tag = "account",
    request_body = CreateApiKey,
    responses((status = 200, body = ItemWith<ApiKey, SecretMeta>), AccountErrors)
)]
pub(crate) async fn create_api_key(
    Account(actor): Account,
    State(cx): State<Cx>,
    input: Input,
) -> Result<Ok200<ItemWith<ApiKey, SecretMeta>>, ApiError> {
    input.check(&CREATE)?;
    let description = input.required_text("description");
    let created = api_keys::create(&cx, &actor, description, input.texts("allowed_ips")).await?;
    let meta = SecretMeta {
        secret_token: created.secret.expose().to_owned(),
    };
    Ok(Ok200(ItemWith::new(shown(created.key), meta)))
}

/// Delete an API key
#[utoipa::path(
    delete,
    path = "/api/client/account/api-keys/{identifier}",
    operation_id = "deleteApiKey",
    tag = "account",
    params(("identifier" = String, Path, description = "The key's first 16 characters.")),
    responses((status = 204), AccountErrors)
)]
pub(crate) async fn delete_api_key(
    Account(actor): Account,
    State(cx): State<Cx>,
    segments: Segments,
) -> Result<NoContent, ApiError> {
    let identifier = segments.get("identifier").unwrap_or_default();
    if api_keys::delete(&cx, &actor, identifier).await? {
        Ok(NoContent)
    } else {
        Err(ApiError::not_found())
    }
}

fn shown(key: hatchery_store::ApiKey) -> ApiKey {
    ApiKey {
        identifier: key.identifier,
        description: key.memo,
        allowed_ips: key.allowed_ips,
        last_used_at: key.last_used_at.map(hatchery_vocab::Timestamp::iso_utc),
        created_at: key.created_at.iso_utc(),
    }
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::LimitReached => Self::display(
                "DisplayException",
                "You have reached the account limit for number of API keys.",
            ),
            CreateError::Addresses(errors) => Self::validation(errors),
            CreateError::Store(error) => error.into(),
        }
    }
}
