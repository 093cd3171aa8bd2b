//! What the sign-in routes of the web page say (client-api.md §7).

use serde::Serialize;

/// The answer to a successful sign-in.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignInComplete {
    /// Whether nothing more is needed.
    pub complete: bool,
    /// Where to go next.
    pub intended: &'static str,
    /// Who is signed in.
    pub user: SignedInUser,
}

/// The answer to a right password where a second factor is needed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignInPending {
    /// Whether nothing more is needed: here something is.
    pub complete: bool,
    /// What to send along with the second factor.
    pub confirmation_token: String,
}

/// The answer to a request for a forgotten password, whoever asks for whom.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResetRequested {
    /// A sentence.
    pub status: &'static str,
}

/// The answer to a password chosen by a link.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PasswordReset {
    /// Always so.
    pub success: bool,
    /// Where to go next.
    pub redirect_to: &'static str,
    /// Whether the person must still sign in, since they have a second factor.
    pub send_to_login: bool,
}

/// The person who is signed in.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedInUser {
    /// Public id.
    pub uuid: String,
    /// Sign-in name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub name_first: Option<String>,
    /// Last name.
    pub name_last: Option<String>,
    /// Language of the web page.
    pub language: String,
    /// Whether the person is a root administrator.
    pub root_admin: bool,
    /// Whether two-factor authentication is on.
    pub use_totp: bool,
    /// Whether a picture is shown.
    pub gravatar: bool,
    /// When the account was made: the one date of the API with fractions and `Z`
    /// (client-api.md §1.15).
    pub created_at: String,
    /// When it was last changed, in the same form.
    pub updated_at: String,
}
