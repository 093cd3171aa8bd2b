//! Setting up two-factor authentication (client-api.md §3.2.2 and §4.14).

use serde::Serialize;

crate::resources! {
    RecoveryTokens: "recovery_tokens",
}

/// What an authenticator is set up with.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TwoFactorSetup {
    /// The link that an authenticator scans.
    pub image_url_data: String,
    /// The secret, for those who type it.
    pub secret: String,
}

/// Tokens for the day on which the authenticator is lost; each works once.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecoveryTokens {
    /// The tokens, shown this once.
    pub tokens: Vec<String>,
}
