//! Mounts, and which eggs, nodes and servers have them.

use hatchery_store::import::{EggMountRecord, MountRecord, NodeMountRecord, ServerMountRecord};
use hatchery_vocab::{EggId, MountId, NodeId, ServerId};

use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const MOUNTS: Table = Table::numbered("mounts");
const EGGS: Table = Table::pairs("egg_mount", &["egg_id", "mount_id"]);
const NODES: Table = Table::pairs("mount_node", &["node_id", "mount_id"]);
const SERVERS: Table = Table::pairs("mount_server", &["server_id", "mount_id"]);

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(MOUNTS, mount).await?;
    bring
        .table(EGGS, |row, context| {
            Ok(EggMountRecord {
                egg_id: EggId::new(context.known.need("eggs", row.int("egg_id")?)?),
                mount_id: mount_id(row, context)?,
            })
        })
        .await?;
    bring
        .table(NODES, |row, context| {
            Ok(NodeMountRecord {
                node_id: NodeId::new(context.known.need("nodes", row.int("node_id")?)?),
                mount_id: mount_id(row, context)?,
            })
        })
        .await?;
    bring
        .table(SERVERS, |row, context| {
            Ok(ServerMountRecord {
                server_id: ServerId::new(context.known.need("servers", row.int("server_id")?)?),
                mount_id: mount_id(row, context)?,
            })
        })
        .await
}

fn mount(row: &Row, _: &Context) -> Result<MountRecord, Broken> {
    Ok(MountRecord {
        id: MountId::new(row.int("id")?),
        uuid: row.uuid("uuid")?,
        name: row.text("name")?,
        description: row.opt_text("description")?,
        source: row.text("source")?,
        target: row.text("target")?,
        read_only: row.flag("read_only")?,
        user_mountable: row.flag("user_mountable")?,
    })
}

fn mount_id(row: &Row, context: &Context) -> Result<MountId, Broken> {
    context
        .known
        .need("mounts", row.int("mount_id")?)
        .map(MountId::new)
}
