//! Where servers are: locations, nodes, addresses.

use std::collections::HashMap;

use hatchery_store::import::{AllocationRecord, LocationRecord, NodeRecord};
use hatchery_vocab::{AllocationId, LocationId, MiB, NodeId, NodeUuid, Port, ServerId};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const LOCATIONS: Table = Table::numbered("locations");
const NODES: Table = Table::numbered("nodes");
const ALLOCATIONS: Table = Table::numbered("allocations");

pub(super) async fn nodes(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(LOCATIONS, location).await?;
    bring.table(NODES, node).await
}

/// Imports the allocations. `primaries` names the primary one of each server.
pub(super) async fn allocations(
    bring: &mut Bring,
    primaries: &HashMap<i64, i64>,
) -> Result<(), ImportError> {
    let mut without = primaries.clone();
    bring
        .table(ALLOCATIONS, |row, context| {
            let record = allocation(row, context, primaries)?;
            if let (Some(server), true) = (record.server_id, record.is_primary) {
                without.remove(&server.get());
            }
            Ok(record)
        })
        .await?;
    let mut without: Vec<_> = without.into_iter().collect();
    without.sort_unstable();
    for (server, allocation) in without {
        bring.report.note(format!(
            "servers {server} has no primary allocation here: {allocation} is not among its own"
        ));
    }
    Ok(())
}

fn location(row: &Row, _: &Context) -> Result<LocationRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(LocationRecord {
        id: LocationId::new(row.int("id")?),
        short: row.text("short")?,
        long: row.opt_text("long")?,
        created_at,
        updated_at,
    })
}

fn node(row: &Row, context: &Context) -> Result<NodeRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let id = row.int("id")?;
    let home = context.home.as_ref().filter(|home| home.node == id);
    Ok(NodeRecord {
        id: NodeId::new(id),
        uuid: NodeUuid::new(row.uuid("uuid")?),
        location_id: LocationId::new(context.known.need("locations", row.int("location_id")?)?),
        name: row.text("name")?,
        description: row.opt_text("description")?,
        embedded: home.is_some(),
        public: row.flag("public")?,
        fqdn: row.text("fqdn")?,
        scheme: row.text("scheme")?,
        behind_proxy: row.flag("behind_proxy")?,
        maintenance_mode: row.flag("maintenance_mode")?,
        memory: MiB::new(row.int("memory")?),
        memory_overallocate: row.int("memory_overallocate")?,
        disk: MiB::new(row.int("disk")?),
        disk_overallocate: row.int("disk_overallocate")?,
        upload_size: MiB::new(row.int("upload_size")?),
        daemon_base: match home {
            Some(home) => home.volumes.display().to_string(),
            None => row.text("daemonBase")?,
        },
        daemon_listen: port(row, "daemonListen")?,
        daemon_sftp: port(row, "daemonSFTP")?,
        daemon_token_id: row.text("daemon_token_id")?,
        daemon_token: row.sealed("daemon_token", &context.key)?,
        created_at,
        updated_at,
    })
}

fn allocation(
    row: &Row,
    context: &Context,
    primaries: &HashMap<i64, i64>,
) -> Result<AllocationRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let id = row.int("id")?;
    let server = match row.opt_int("server_id")? {
        Some(server) => Some(context.known.need("servers", server)?),
        None => None,
    };
    Ok(AllocationRecord {
        id: AllocationId::new(id),
        node_id: NodeId::new(context.known.need("nodes", row.int("node_id")?)?),
        ip: row.text("ip")?,
        port: port(row, "port")?,
        ip_alias: row.opt_text("ip_alias")?,
        server_id: server.map(ServerId::new),
        is_primary: server.is_some_and(|server| primaries.get(&server) == Some(&id)),
        notes: row.opt_text("notes")?,
        created_at,
        updated_at,
    })
}

/// A port in a column.
pub(super) fn port(row: &Row, name: &str) -> Result<Port, Broken> {
    Port::new(row.int(name)?).ok_or_else(|| Broken::column(name, "a port"))
}
