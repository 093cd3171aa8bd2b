//! `POST …/backups`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::backups::{self, BackupRequest, CreateError};
use hatchery_rules::Fields;
use hatchery_wire::Item;
use hatchery_wire::client::Backup;
use http::{HeaderValue, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::shown;
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// What to save, and under which name.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct CreateBackup {
    /// Its name; made up from the time when there is none.
    #[schema(max_length = 191)]
    name: Option<String>,
    /// Whether it is locked; takes the permission `backup.delete`, without which it is ignored.
    is_locked: Option<bool>,
    /// What is left out: patterns in the syntax of `.gitignore`, one a line. Without any, the
    /// server's file `.pteroignore` counts.
    ignored: Option<String>,
}

static CREATE: LazyLock<Fields> = LazyLock::new(|| {
    Fields::new()
        .field("name", "nullable|string|max:191")
        .field("is_locked", "nullable|boolean")
        .field("ignored", "nullable|string")
});

/// Create a backup
///
/// It is made in the background: `completed_at` is null until it has ended.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/backups",
    operation_id = "createBackup",
    tag = "backups",
    params(ServerPath),
    request_body = CreateBackup,
    responses((status = 200, body = Item<Backup>), ServerErrors)
)]
pub(crate) async fn create_backup(
    State(cx): State<Cx>,
    Server(access): Server<needs::BackupCreate>,
    input: Input,
) -> Result<Ok200<Item<Backup>>, ApiError> {
    input.check(&CREATE)?;
    let request = BackupRequest {
        name: input.text("name").map(str::to_owned),
        ignored: input.text("ignored").unwrap_or_default().to_owned(),
        lock: input.truth("is_locked"),
    };
    let backup = backups::create(&cx, &access, request).await?;
    Ok(Ok200(shown(backup).into()))
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Throttled {
                limit,
                period,
                retry_after,
            } => Self::too_many_requests(format!(
                "Only {limit} backups may be generated within a {} second span of time.",
                period.as_secs()
            ))
            .with_header(
                header::RETRY_AFTER,
                HeaderValue::from(retry_after.as_secs()),
            ),
            CreateError::TooMany { limit } => Self::display(
                "TooManyBackupsException",
                format!(
                    "Cannot create a new backup, this server has reached its limit of {limit} backups."
                ),
            ),
            CreateError::ServerGone => Self::not_found(),
            CreateError::Node(error) => error.into(),
            CreateError::Rotation(error) => error.into(),
            CreateError::Store(error) => error.into(),
        }
    }
}
