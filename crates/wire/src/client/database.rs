//! Databases of a server (client-api.md §4.5).

use serde::Serialize;

use crate::{Included, Item};

crate::resources! {
    Database: "server_database",
    DatabasePassword: "database_password",
}

/// A database.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Database {
    /// Public id.
    pub id: String,
    /// Where to connect to.
    pub host: DatabaseAddress,
    /// The database's name.
    pub name: String,
    /// The account's name.
    pub username: String,
    /// From where the account may connect, as MySQL writes it; `%` is anywhere.
    pub connections_from: String,
    /// How many connections the account may have; 0 is without limit. `null` in the answer that
    /// follows its creation.
    pub max_connections: Option<u32>,
    /// What was asked for beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationships: Option<DatabaseRelationships>,
}

/// Where a database is.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DatabaseAddress {
    /// Name or address of its host.
    pub address: String,
    /// Port of its host.
    pub port: u16,
}

/// What a database has beside it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DatabaseRelationships {
    /// The account's password, for those who may see it.
    pub password: Included<Item<DatabasePassword>>,
}

/// The password of a database's account.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DatabasePassword {
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for DatabasePassword {
    /// Leaves out the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabasePassword").finish_non_exhaustive()
    }
}
