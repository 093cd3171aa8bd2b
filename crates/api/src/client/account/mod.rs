//! `/account`: the caller's own affairs.

mod activity;
mod api_keys;
mod email;
mod password;
mod ssh_keys;
mod two_factor;

use hatchery_wire::Item;
use hatchery_wire::client::Account as AccountResource;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::documented::AccountErrors;
use crate::Api;
use crate::kit::actor::Account;
use crate::kit::answer::Ok200;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(view_account))
        .routes(routes!(
            two_factor::begin_two_factor,
            two_factor::enable_two_factor
        ))
        .routes(routes!(two_factor::disable_two_factor))
        .routes(routes!(email::update_email))
        .routes(routes!(password::update_password))
        .routes(routes!(activity::list_account_activity))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::delete_api_key))
        .routes(routes!(ssh_keys::list_ssh_keys, ssh_keys::create_ssh_key))
        .routes(routes!(ssh_keys::remove_ssh_key))
}

/// View account
///
/// The account that the key belongs to.
#[utoipa::path(
    get,
    path = "/api/client/account",
    operation_id = "viewAccount",
    tag = "account",
    responses((status = 200, body = Item<AccountResource>), AccountErrors)
)]
pub(crate) async fn view_account(Account(actor): Account) -> Ok200<Item<AccountResource>> {
    let user = &actor.user;
    let account = AccountResource {
        id: user.id.get(),
        admin: user.root_admin,
        username: user.username.clone(),
        email: user.email.clone(),
        first_name: user.name_first.clone(),
        last_name: user.name_last.clone(),
        language: user.language.clone(),
    };
    Ok200(account.into())
}
