//! People and their keys (client-api.md §4.2 to §4.4).

use serde::Serialize;

crate::resources! {
    Account: "user",
    PublicUser: "user",
    ApiKey: "api_key",
    SshKey: "ssh_key",
}

/// The caller's own account.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Account {
    /// Row id.
    pub id: i64,
    /// Whether the person is a root administrator.
    pub admin: bool,
    /// Sign-in name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Language of the web page, such as `en`.
    pub language: String,
}

/// A person as others see them.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PublicUser {
    /// Public id.
    pub uuid: String,
    /// Sign-in name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Address of a picture.
    pub image: String,
    /// Whether two-factor authentication is on.
    #[serde(rename = "2fa_enabled")]
    pub two_factor_enabled: bool,
    /// When the account was made.
    pub created_at: String,
}

/// A key for this API, without its secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// The public first 16 characters of the key.
    pub identifier: String,
    /// What the key is for.
    pub description: String,
    /// Addresses, ranges and networks from which the key works; empty means any.
    pub allowed_ips: Vec<String>,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A public key for SFTP. The fingerprint is its handle.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SshKey {
    /// What the person calls it.
    pub name: String,
    /// SHA-256 of the key, in base 64 without padding.
    pub fingerprint: String,
    /// The key as `SubjectPublicKeyInfo` PEM, with CRLF between the lines.
    pub public_key: String,
    /// When it was added.
    pub created_at: String,
}

/// Beside a key that was just made.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SecretMeta {
    /// The last 32 characters of the key, shown this once: the whole key is the identifier
    /// followed by this.
    pub secret_token: String,
}
