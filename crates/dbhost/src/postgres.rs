//! PostgreSQL: a role, and a database that it owns and nobody else can enter.
//!
//! From where a role may come is written in the server's own `pg_hba.conf`, which no statement can
//! change: `remote` is kept by the panel and means nothing here.

use std::fmt;

use tokio::task::AbortHandle;
use tokio_postgres::{Config, NoTls};

use crate::quote::{postgres_name, postgres_text};
use crate::{CONNECT_PATIENCE, Host, HostError, LOCK_PATIENCE, Tenant};

/// The database that every server has, from which others are made.
const MAINTENANCE: &str = "postgres";

pub(crate) struct Client {
    client: tokio_postgres::Client,
    driver: AbortHandle,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A statement under way would keep the connection, and its lock, until it ends.
        self.driver.abort();
    }
}

impl Client {
    pub(crate) async fn connect(host: &Host) -> Result<Self, HostError> {
        let mut config = Config::new();
        config
            .host(&host.address)
            .port(host.port)
            .user(&host.username)
            .password(&host.password)
            .dbname(MAINTENANCE)
            .application_name("hatchery")
            .connect_timeout(CONNECT_PATIENCE)
            .options(format!("-c lock_timeout={}s", LOCK_PATIENCE.as_secs()));
        let (client, connection) = config.connect(NoTls).await?;
        let driver = tokio::spawn(async move {
            // Its errors are those of the statements that wait for it.
            let _ = connection.await;
        });
        Ok(Self {
            client,
            driver: driver.abort_handle(),
        })
    }

    pub(crate) async fn lock(&mut self, database: &str) -> Result<(), HostError> {
        let sql = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
        self.client
            .execute(sql, &[&format!("hatchery:{database}")])
            .await?;
        Ok(())
    }

    pub(crate) async fn has_database(&mut self, name: &str) -> Result<bool, HostError> {
        let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
        Ok(self.client.query_opt(sql, &[&name]).await?.is_some())
    }

    pub(crate) async fn has_user(&mut self, tenant: &Tenant<'_>) -> Result<bool, HostError> {
        let sql = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        let row = self.client.query_opt(sql, &[&tenant.username]).await?;
        Ok(row.is_some())
    }

    pub(crate) async fn create(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let (role, database) = (
            postgres_name(tenant.username)?,
            postgres_name(tenant.database)?,
        );
        let login = login(tenant)?;
        self.run(&format!("CREATE ROLE {role} {login}")).await?;
        // Only members of a role may give it a database, unless they are superusers.
        self.run(&format!("GRANT {role} TO CURRENT_USER")).await?;
        // Nobody gets in before PUBLIC is shut out.
        self.run(&format!(
            "CREATE DATABASE {database} OWNER {role} TEMPLATE template0 ALLOW_CONNECTIONS false"
        ))
        .await?;
        self.run(&format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"))
            .await?;
        self.run(&format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"))
            .await
    }

    pub(crate) async fn set_password(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let role = postgres_name(tenant.username)?;
        let login = login(tenant)?;
        self.run(&format!("ALTER ROLE {role} {login}")).await
    }

    pub(crate) async fn drop(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let database = postgres_name(tenant.database)?;
        self.run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            .await?;
        self.drop_account(tenant).await
    }

    pub(crate) async fn drop_account(&mut self, tenant: &Tenant<'_>) -> Result<(), HostError> {
        let role = postgres_name(tenant.username)?;
        if self.has_user(tenant).await? {
            // What it may have made in the database that everybody can enter.
            self.run(&format!("DROP OWNED BY {role}")).await?;
            self.run(&format!("DROP ROLE {role}")).await?;
        }
        Ok(())
    }

    pub(crate) async fn version(&mut self) -> Result<String, HostError> {
        let row = self.client.query_one("SHOW server_version", &[]).await?;
        Ok(row.try_get(0)?)
    }

    async fn run(&mut self, statement: &str) -> Result<(), HostError> {
        Ok(self.client.batch_execute(statement).await?)
    }
}

/// The options of a role that may sign in.
fn login(tenant: &Tenant<'_>) -> Result<String, HostError> {
    // Without a limit is -1; 0 would be nobody.
    let limit = tenant
        .max_connections
        .filter(|limit| *limit > 0)
        .map_or(-1, i64::from);
    Ok(format!(
        "LOGIN CONNECTION LIMIT {limit} PASSWORD {}",
        postgres_text(tenant.password)?
    ))
}
