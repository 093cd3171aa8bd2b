//! What a token says, per purpose.

use std::time::Duration;

use hatchery_vocab::{BackupUuid, ServerUuid, Timestamp, UserId, UserUuid};
use md5::{Digest as _, Md5};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How far back `nbf` lies, for nodes whose clock is behind.
const LEEWAY: Duration = Duration::from_mins(5);

/// What a token can be made for.
pub trait Purpose: Serialize + DeserializeOwned {
    /// The word in the claim `scope`.
    const SCOPE: &'static str;
    /// How long a token lives.
    const LIFETIME: Duration;

    /// The server that it is about.
    fn server(&self) -> ServerUuid;
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident($scope:literal, $minutes:literal) { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Purpose for $name {
            const SCOPE: &'static str = $scope;
            const LIFETIME: Duration = Duration::from_mins($minutes);

            fn server(&self) -> ServerUuid {
                self.server_uuid
            }
        }
    )*};
}

purposes! {
    /// Opens the WebSocket; usable until it expires.
    Websocket("websocket", 10) {
        /// The server that it is about.
        server_uuid: ServerUuid,
        /// What its bearer may do: dotted names, or `*`.
        permissions: Vec<String>,
    }
    /// Downloads one file once.
    FileDownload("file-download", 15) {
        /// The file's path.
        file_path: String,
        /// The server that it is about.
        server_uuid: ServerUuid,
    }
    /// Uploads files once.
    FileUpload("file-upload", 15) {
        /// The server that it is about.
        server_uuid: ServerUuid,
    }
    /// Downloads one backup once.
    BackupDownload("backup-download", 15) {
        /// The backup.
        backup_uuid: BackupUuid,
        /// The server that it is about.
        server_uuid: ServerUuid,
    }
}

/// What every token says beside its purpose.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// The panel's address.
    pub issuer: &'a str,
    /// The node's address.
    pub audience: &'a str,
    /// Whom the token is given to.
    pub user: UserUuid,
    /// The same user's row.
    pub user_id: UserId,
    /// The present moment.
    pub now: Timestamp,
    /// Sixteen random letters and digits, by which single use is told.
    pub unique_id: String,
}

/// The claims of a token. Dates are whole seconds: other daemons cannot read fractions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<P> {
    /// The panel's address.
    #[serde(default)]
    pub iss: String,
    /// The node's address, as a list of one.
    #[serde(default)]
    pub aud: Vec<String>,
    /// The pair of user and server ([`pair_id`]).
    #[serde(default)]
    pub jti: String,
    /// When it was issued.
    pub iat: i64,
    /// From when it is valid.
    #[serde(default)]
    pub nbf: i64,
    /// Until when it is valid, this second included.
    pub exp: i64,
    /// What it is for.
    #[serde(flatten)]
    pub purpose: P,
    /// Whom it was given to.
    pub user_uuid: UserUuid,
    /// The same user's row, for old daemons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// By which single use is told.
    pub unique_id: String,
    /// The purpose's word.
    pub scope: String,
}

impl<P: Purpose> Claims<P> {
    pub(super) fn new(grant: Grant<'_>, purpose: P) -> Self {
        Self {
            iss: grant.issuer.to_owned(),
            aud: vec![grant.audience.to_owned()],
            jti: pair_id(grant.user_id, purpose.server()),
            iat: grant.now.seconds(),
            nbf: grant.now.minus(LEEWAY).seconds(),
            exp: grant.now.plus(P::LIFETIME).seconds(),
            purpose,
            user_uuid: grant.user,
            user_id: Some(grant.user_id),
            unique_id: grant.unique_id,
            scope: P::SCOPE.to_owned(),
        }
    }
}

/// The id that all tokens of a user for a server share, so that denying it takes all of them out
/// of use: the MD5 of the two ids. MD5 is the protocol's choice and protects nothing here.
pub fn pair_id(user: UserId, server: ServerUuid) -> String {
    use std::fmt::Write as _;
    let digest = Md5::digest(format!("{user}{server}"));
    digest
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Only the purpose of a token.
#[derive(Deserialize)]
pub(super) struct ScopeOnly {
    #[serde(default)]
    scope: String,
}

impl ScopeOnly {
    pub(super) fn allows(&self, wanted: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == wanted)
    }
}
