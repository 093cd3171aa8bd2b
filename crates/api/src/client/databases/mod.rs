//! `/servers/{server}/databases`: one file per route.

use utoipa_axum::router::OpenApiRouter;

use crate::Api;

/// The routes.
pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
}
