//! Installations (node-protocol.md §6).

use hatchery_node_proto::ws::outbound;
use hatchery_node_proto::{InstallReport, PanelError};
use hatchery_runtime::{Console, Exit, RuntimeError};

use super::{Server, spec};
use crate::console::Lines;
use crate::hub::Frame;
use crate::state::NodeState;

#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("the panel does not know this server any more")]
    Unknown,
    #[error(transparent)]
    Panel(#[from] PanelError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

/// Runs the installation script to its end. Returns whether it ran; like the reference it does not
/// judge the script's exit code, since many scripts end with the code of a failed `rm`.
pub(super) async fn run(node: &NodeState, server: &Server) -> bool {
    match begin(node, server).await {
        Ok(Some(console)) => follow(server, console).await,
        Ok(None) => true,
        Err(error) => {
            tracing::warn!(server = %server.uuid(), %error, "an installation did not start");
            server.say(
                &node.config.app_name,
                &format!("The installation could not be started: {error}"),
            );
            false
        }
    }
}

/// Starts the script, where there is one to run.
async fn begin(node: &NodeState, server: &Server) -> Result<Option<Console>, InstallError> {
    let configuration = node
        .panel
        .server(server.uuid())
        .await?
        .ok_or(InstallError::Unknown)?;
    let settings = configuration.settings.clone();
    server.configure(configuration.into());
    if settings.skip_egg_scripts {
        return Ok(None);
    }
    server.publish(outbound::INSTALL_STARTED, &[""]);
    let script = node.panel.install_script(server.uuid()).await?;
    if script
        .script
        .as_deref()
        .is_none_or(|text| text.trim().is_empty())
    {
        return Ok(None);
    }
    server.installation.lock().clear();
    let spec = spec::installation(&node.config, &settings, script, node.runtime.host_address());
    server.publish(
        outbound::DAEMON_MESSAGE,
        &["Starting installation process, this could take a few minutes..."],
    );
    Ok(Some(node.runtime.install(&spec).await?))
}

/// Shows what an installation prints until it has ended. It counts as failed when the kernel ended
/// it, or somebody did.
pub(super) async fn follow(server: &Server, mut console: Console) -> bool {
    let mut lines = Lines::default();
    let show = |line: &str| {
        server.installation.lock().push(line);
        server.hub.publish(&Frame::install(line));
    };
    while let Some(bytes) = console.output.recv().await {
        lines.push(&bytes, show);
    }
    lines.finish(show);
    let exit = console.exit.await.unwrap_or(Exit::KILLED);
    !exit.out_of_memory && exit != Exit::KILLED
}

/// Tells the panel how an installation ended, and then everybody who watches.
pub(super) async fn report(node: &NodeState, server: &Server, report: InstallReport) {
    if let Err(error) = node.panel.report_install(server.uuid(), report).await {
        tracing::error!(server = %server.uuid(), %error, "the panel was not told how an installation ended");
    }
    server.publish(outbound::INSTALL_COMPLETED, &[""]);
}
