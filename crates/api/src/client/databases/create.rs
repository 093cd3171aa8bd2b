//! `POST /servers/{server}/databases`.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::databases::{self, CreateError};
use hatchery_rules::{FieldError, Fields};
use hatchery_wire::Item;
use hatchery_wire::client::Database;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{host_failed, shown_with_password};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// What a new database is made of.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateDatabase {
    /// Its name: letters, digits, `_` and `-`. `s<server>_` comes before it.
    #[schema(min_length = 3, max_length = 48)]
    database: String,
    /// From where its account may connect, as MySQL writes it; `%` is anywhere.
    #[schema(max_length = 255, pattern = r"^[\w\-\/.%:]+$", example = "%")]
    remote: String,
}

static CREATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("database", "required|alpha_dash|min:3|max:48")
        .field("remote", r"required|string|regex:/^[\w\-\/.%:]+$/|max:255")
});

/// Create a database
///
/// Makes a database and an account for it on one of the panel's database hosts. The answer holds the
/// account's password, if the caller may see it.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/databases",
    operation_id = "createDatabase",
    tag = "databases",
    params(ServerPath),
    request_body = CreateDatabase,
    responses(
        (status = 200, body = Item<Database>),
        (status = 500, description = "The database host failed. Nothing was created.", body = hatchery_wire::ErrorDocument),
        (status = 503, description = "Too many databases are being changed. Try again soon.", body = hatchery_wire::ErrorDocument),
        ServerErrors
    )
)]
pub(crate) async fn create_database(
    State(cx): State<Cx>,
    Server(access): Server<needs::DatabaseCreate>,
    input: Input,
) -> Result<Ok200<Item<Database>>, ApiError> {
    input.check(&CREATE)?;
    // A number passes the rules, too.
    let name = match input.get("database") {
        Some(Value::String(name)) => Cow::Borrowed(name.as_str()),
        Some(other) => Cow::Owned(other.to_string()),
        None => Cow::Borrowed(""),
    };
    if name.chars().any(is_no_character_of_mysql) {
        return Err(ApiError::validation(vec![FieldError::new(
            "database",
            "alpha_dash",
            "The database may only contain letters, numbers, and dashes.",
        )]));
    }
    let created = databases::create(&cx, &access, &name, input.required_text("remote")).await?;
    let ids = databases::public_ids(&cx).await?;
    let mut resource = shown_with_password(created, &ids, &access);
    // The reference has not read the row again (client-api.md §3.4.2).
    resource.max_connections = None;
    Ok(Ok200(resource.into()))
}

/// Names of MySQL end where Unicode's first plane does.
fn is_no_character_of_mysql(character: char) -> bool {
    u32::from(character) > 0xffff
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::NoHost => Self::display(
                "NoSuitableDatabaseHostException",
                "No database host was found that meets the requirements for this server.",
            ),
            CreateError::Disabled => Self::display(
                "DatabaseClientFeatureNotEnabledException",
                "Creating databases is not enabled for this instance.",
            ),
            CreateError::LimitReached => Self::display(
                "TooManyDatabasesException",
                "Operation aborted: creating a new database would put this server over the defined limit.",
            ),
            CreateError::Duplicate => Self::display(
                "DuplicateDatabaseNameException",
                "A database with that name already exists for this server.",
            ),
            CreateError::Host(error) => host_failed(&error),
            CreateError::Store(error) => error.into(),
        }
    }
}
