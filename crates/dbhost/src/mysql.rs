//! MySQL and MariaDB: a database, and an account that may do everything inside it.

use std::fmt;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use crate::quote::{mysql_grant_name, mysql_name, mysql_text};
use crate::{Host, HostError, LOCK_PATIENCE, Tenant};

/// What an account may do inside its database (client-api.md §9.5).
const PRIVILEGES: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, REFERENCES, INDEX, \
    LOCK TABLES, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, CREATE TEMPORARY TABLES, CREATE VIEW, \
    SHOW VIEW, EVENT, TRIGGER";

/// The error of a statement about an account that does not exist, or exists already.
const CANNOT_USER: u16 = 1396;
/// The largest answer that is read; ours are a few bytes.
const MAX_PACKET: usize = 1 << 20;
/// After how many seconds of silence the server closes a session of ours.
const IDLE_SECONDS: usize = 120;

pub(crate) struct Client(Conn);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Client {
    pub(crate) async fn connect(host: &Host) -> Result<Self, HostError> {
        let options = OptsBuilder::default()
            .ip_or_hostname(host.address.clone())
            .tcp_port(host.port)
            .user(Some(host.username.clone()))
            .pass(Some(host.password.clone()))
            // Named sockets of the panel's machine are not where the operator pointed to.
            .prefer_socket(false)
            .max_allowed_packet(Some(MAX_PACKET))
            .wait_timeout(Some(IDLE_SECONDS))
            // Texts are quoted for this mode.
            .init(vec!["SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'"]);
        Ok(Self(Conn::new(options).await?))
    }

    pub(crate) async fn lock(&mut self, database: &str) -> Result<(), HostError> {
        let parameters = (format!("hatchery:{database}"), LOCK_PATIENCE.as_secs());
        let got: Option<Option<u8>> = self
            .0
            .exec_first("SELECT GET_LOCK(?, ?)", parameters)
            .await?;
        match got.flatten() {
            Some(1) => Ok(()),
            _ => Err(HostError::Locked),
        }
    }

    pub(crate) async fn has_database(&mut self, name: &str) -> Result<bool, HostError> {
        let sql = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
        let row: Option<u8> = self.0.exec_first(sql, (name,)).await?;
        Ok(row.is_some())
    }

    /// Looking into `mysql.user` is a privilege of its own; changing nothing of an account is not.
    pub(crate) async fn has_user(&mut self, tenant: &Tenant<'_>) -> Result<bool, HostError> {
        let sql = format!(
            "ALTER USER {} WITH MAX_USER_CONNECTIONS {}",
            account(tenant)?,
            tenant.max_connections.unwrap_or(0)
        );
        match self.0.query_drop(sql).await {
            Ok(()) => Ok(true),
            Err(mysql_async::Error::Server(error)) if error.code == CANNOT_USER => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn create(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let create_user = format!(
            "CREATE USER {} IDENTIFIED BY {} WITH MAX_USER_CONNECTIONS {}",
            account(tenant)?,
            mysql_text(tenant.password)?,
            tenant.max_connections.unwrap_or(0)
        );
        self.run(create_user).await?;
        let name = mysql_name(tenant.database)?;
        self.run(format!("CREATE DATABASE {name}")).await?;
        self.grant(tenant).await
    }

    /// The last statement alone changes anything of an account that is as it should be, so a
    /// connection that breaks leaves the old password or the new one, never none.
    pub(crate) async fn set_password(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let (account, password) = (account(tenant)?, mysql_text(tenant.password)?);
        self.run(format!(
            "CREATE USER IF NOT EXISTS {account} IDENTIFIED BY {password}"
        ))
        .await?;
        self.grant(tenant).await?;
        self.run(format!(
            "ALTER USER {account} IDENTIFIED BY {password} WITH MAX_USER_CONNECTIONS {}",
            tenant.max_connections.unwrap_or(0)
        ))
        .await
    }

    pub(crate) async fn drop(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let name = mysql_name(tenant.database)?;
        self.run(format!("DROP DATABASE IF EXISTS {name}")).await?;
        self.drop_account(tenant).await
    }

    pub(crate) async fn drop_account(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        self.run(format!("DROP USER IF EXISTS {}", account(tenant)?))
            .await
    }

    pub(crate) async fn version(&mut self) -> Result<String, HostError> {
        let version: Option<String> = self.0.query_first("SELECT VERSION()").await?;
        Ok(version.unwrap_or_default())
    }

    pub(crate) async fn close(self) {
        // It is over either way.
        let _ = self.0.disconnect().await;
    }

    async fn grant(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let database = mysql_grant_name(tenant.database)?;
        self.run(format!(
            "GRANT {PRIVILEGES} ON {database}.* TO {}",
            account(tenant)?
        ))
        .await
    }

    async fn run(&mut self, statement: String) -> Result<(), HostError> {
        Ok(self.0.query_drop(statement).await?)
    }
}

/// `` `user`@`remote` ``
fn account(tenant: &Tenant<'_>) -> Result<String, HostError> {
    Ok(format!(
        "{}@{}",
        mysql_name(tenant.username)?,
        mysql_name(tenant.remote)?
    ))
}
