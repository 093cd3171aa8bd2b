//! Hosts of databases, and the databases of servers. The databases themselves stay where they are.

use hatchery_store::import::{DatabaseHostRecord, DatabaseRecord};
use hatchery_vocab::{DatabaseHostId, DatabaseId, NodeId, ServerId};

use super::places::port;
use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const HOSTS: Table = Table::numbered("database_hosts");
const DATABASES: Table = Table::numbered("databases");

/// The panel knows MySQL and MariaDB alone, which speak alike.
const ENGINE: &str = "mysql";

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(HOSTS, host).await?;
    bring.table(DATABASES, database).await
}

fn host(row: &Row, context: &Context) -> Result<DatabaseHostRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let node = match row.opt_int("node_id")? {
        Some(node) => Some(NodeId::new(context.known.need("nodes", node)?)),
        None => None,
    };
    Ok(DatabaseHostRecord {
        id: DatabaseHostId::new(row.int("id")?),
        host: row.text("host")?,
        port: port(row, "port")?,
        name: row.text("name")?,
        engine: ENGINE.to_owned(),
        username: row.text("username")?,
        password: row.sealed("password", &context.key)?,
        max_databases: row.opt_int("max_databases")?,
        node_id: node,
        created_at,
        updated_at,
    })
}

fn database(row: &Row, context: &Context) -> Result<DatabaseRecord, Broken> {
    let known = &context.known;
    let (created_at, updated_at) = times(row)?;
    let host = known.need("database_hosts", row.int("database_host_id")?)?;
    Ok(DatabaseRecord {
        id: DatabaseId::new(row.int("id")?),
        server_id: ServerId::new(known.need("servers", row.int("server_id")?)?),
        database_host_id: DatabaseHostId::new(host),
        name: row.text("database")?,
        username: row.text("username")?,
        remote: row.text("remote")?,
        password: row.sealed("password", &context.key)?,
        max_connections: row.opt_int("max_connections")?,
        created_at,
        updated_at,
    })
}
