//! Servers, their variables, the people who share them, and moves between nodes.

use std::collections::{HashMap, HashSet};

use hatchery_store::import::{ServerRecord, ServerVariableRecord, SubuserRecord, TransferRecord};
use hatchery_vocab::{
    AllocationId, CpuPercent, EggId, EggVariableId, MiB, NodeId, ServerId, ServerUuid, SubuserId,
    Swap, TransferId, UserId,
};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const SERVERS: Table = Table::numbered("servers");
const SERVER_VARIABLES: Table = Table::numbered("server_variables");
const SUBUSERS: Table = Table::numbered("subusers");
const TRANSFERS: Table = Table::numbered("server_transfers");

/// Imports the servers and tells the primary allocation of each.
pub(super) async fn all(bring: &mut Bring) -> Result<HashMap<i64, i64>, ImportError> {
    let mut primaries = HashMap::new();
    bring
        .table(SERVERS, |row, context| {
            let record = server(row, context)?;
            primaries.insert(record.id.get(), row.int("allocation_id")?);
            Ok(record)
        })
        .await?;
    Ok(primaries)
}

/// Imports what belongs to servers, after their allocations.
pub(super) async fn on_top(bring: &mut Bring) -> Result<(), ImportError> {
    variables(bring).await?;
    bring.table(SUBUSERS, subuser).await?;
    let mut moving = HashSet::new();
    bring
        .table(TRANSFERS, |row, context| {
            transfer(row, context, &mut moving)
        })
        .await
}

fn server(row: &Row, context: &Context) -> Result<ServerRecord, Broken> {
    let known = &context.known;
    let (created_at, updated_at) = times(row)?;
    let uuid = ServerUuid::new(row.uuid("uuid")?);
    if row.text("uuidShort")? != uuid.short().as_str() {
        return Err(Broken::column("uuidShort", "the start of its UUID"));
    }
    let status = match row.opt_text("status")? {
        Some(status) if !status.is_empty() => Some(
            status
                .parse()
                .map_err(|_| Broken(format!("the status {status:?} is unknown")))?,
        ),
        _ => None,
    };
    Ok(ServerRecord {
        id: ServerId::new(row.int("id")?),
        uuid,
        short: uuid.short(),
        external_id: row.opt_text("external_id")?,
        node_id: NodeId::new(known.need("nodes", row.int("node_id")?)?),
        owner_id: UserId::new(known.need("users", row.int("owner_id")?)?),
        egg_id: EggId::new(known.need("eggs", row.int("egg_id")?)?),
        name: row.text("name")?,
        description: row.text_or_empty("description")?,
        skip_scripts: row.flag("skip_scripts")?,
        memory: MiB::new(row.int("memory")?),
        swap: Swap::from_wire(row.int("swap")?),
        disk: MiB::new(row.int("disk")?),
        io: row.int("io")?,
        cpu: CpuPercent::new(row.int("cpu")?),
        threads: row.opt_text("threads")?.filter(|text| !text.is_empty()),
        oom_disabled: row.flag("oom_disabled")?,
        startup: row.text("startup")?,
        image: row.text("image")?,
        allocation_limit: row.opt_int("allocation_limit")?,
        database_limit: row.opt_int("database_limit")?,
        backup_limit: row.int("backup_limit")?,
        status,
        installed_at: row.opt_time("installed_at")?,
        created_at,
        updated_at,
    })
}

/// The panel allows several values for one variable of one server; the first counts.
async fn variables(bring: &mut Bring) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    bring
        .table(SERVER_VARIABLES, |row, context| {
            let known = &context.known;
            let server = known.need(
                "servers",
                row.opt_int("server_id")?
                    .ok_or_else(|| Broken::new("it belongs to no server"))?,
            )?;
            let variable = known.need("egg_variables", row.int("variable_id")?)?;
            if !seen.insert((server, variable)) {
                return Err(Broken(format!(
                    "server {server} has another value for the variable {variable}"
                )));
            }
            Ok(ServerVariableRecord {
                server_id: ServerId::new(server),
                variable_id: EggVariableId::new(variable),
                value: row.text_or_empty("variable_value")?,
            })
        })
        .await
}

fn subuser(row: &Row, context: &Context) -> Result<SubuserRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(SubuserRecord {
        id: SubuserId::new(row.int("id")?),
        user_id: UserId::new(context.known.need("users", row.int("user_id")?)?),
        server_id: ServerId::new(context.known.need("servers", row.int("server_id")?)?),
        permissions: row.opt_json("permissions")?.unwrap_or_default(),
        created_at,
        updated_at,
    })
}

fn transfer(
    row: &Row,
    context: &Context,
    moving: &mut HashSet<i64>,
) -> Result<TransferRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let server = context.known.need("servers", row.int("server_id")?)?;
    let successful = row.opt_int::<i64>("successful")?.map(|flag| flag != 0);
    if successful.is_none() && !moving.insert(server) {
        return Err(Broken(format!(
            "server {server} has another move under way"
        )));
    }
    Ok(TransferRecord {
        id: TransferId::new(row.int("id")?),
        server_id: ServerId::new(server),
        old_node: NodeId::new(row.int("old_node")?),
        new_node: NodeId::new(row.int("new_node")?),
        old_allocation: AllocationId::new(row.int("old_allocation")?),
        new_allocation: AllocationId::new(row.int("new_allocation")?),
        old_additional_allocations: row
            .opt_json("old_additional_allocations")?
            .unwrap_or_default(),
        new_additional_allocations: row
            .opt_json("new_additional_allocations")?
            .unwrap_or_default(),
        successful,
        archived: row.flag("archived")?,
        created_at,
        updated_at,
    })
}
