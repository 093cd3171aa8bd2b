//! Installations (node-protocol.md §2.6).

use hatchery_node_proto::{InstallReport, InstallScript};
use hatchery_store::{Node, ServerSnapshot, StoreError};
use hatchery_vocab::ServerStatus;

use crate::Cx;

/// The script that installs a server.
pub fn install_script(server: &ServerSnapshot) -> InstallScript {
    let script = server.egg.install_script();
    InstallScript {
        container_image: script.container.to_owned(),
        entrypoint: script.entry.to_owned(),
        script: (!script.script.is_empty()).then(|| script.script.to_owned()),
    }
}

/// Notes how an installation ended. A suspended server stays suspended. Only the node that a server
/// is on may say so; the result tells whether it was that one.
pub async fn report_install(
    cx: &Cx,
    node: &Node,
    server: &ServerSnapshot,
    report: InstallReport,
) -> Result<bool, StoreError> {
    if server.node.id != node.id {
        return Ok(false);
    }
    let status = match report {
        _ if server.status == Some(ServerStatus::Suspended) => Some(ServerStatus::Suspended),
        InstallReport {
            successful: true, ..
        } => None,
        InstallReport {
            reinstall: true, ..
        } => Some(ServerStatus::ReinstallFailed),
        InstallReport { .. } => Some(ServerStatus::InstallFailed),
    };
    let mut tx = cx.store().begin().await?;
    tx.set_server_installed(server.id, status).await?;
    tx.commit().await?;
    Ok(true)
}
