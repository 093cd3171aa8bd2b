//! `PUT …/settings/docker-image`.

use std::sync::LazyLock;

use axum::extract::State;
use hatchery_app::Cx;
use hatchery_app::access::needs;
use hatchery_app::servers::settings::{self, ImageError};
use hatchery_rules::{Fields, Rule, RuleSet};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::NoContent;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// The image to run in.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "only described: the fields are checked by their rules"
)]
pub(crate) struct UpdateDockerImage {
    /// One of the images that the egg offers.
    #[schema(max_length = 191, example = "ghcr.io/pterodactyl/yolks:java_21")]
    docker_image: String,
}

/// The rules that do not depend on the egg.
static IMAGE: LazyLock<RuleSet> = LazyLock::new(|| {
    RuleSet::parse(r"required|string|max:191|regex:/^[\w#\.\/\- ]*\|?~?[\w\.\/\-:@ ]*$/")
});

/// Choose the Docker image
///
/// It counts from the next start of the server.
#[utoipa::path(
    put,
    path = "/api/client/servers/{server}/settings/docker-image",
    operation_id = "updateDockerImage",
    tag = "settings",
    params(ServerPath),
    request_body = UpdateDockerImage,
    responses((status = 204), ServerErrors)
)]
pub(crate) async fn update_docker_image(
    State(cx): State<Cx>,
    Server(access): Server<needs::StartupDockerImage>,
    input: Input,
) -> Result<NoContent, ApiError> {
    let offered = settings::images(&access.server.egg).map(str::to_owned);
    let rules = IMAGE.clone().and(Rule::In(offered.collect()));
    input.check(&Fields::new().rules("docker_image", rules))?;
    settings::set_image(&cx, &access, input.required_text("docker_image")).await?;
    Ok(NoContent)
}

impl From<ImageError> for ApiError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Chosen => Self::bad_request(
                "This server's Docker image has been manually set by an administrator and cannot be updated.",
            ),
            ImageError::Store(error) => error.into(),
        }
    }
}
