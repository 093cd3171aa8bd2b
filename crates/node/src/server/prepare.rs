//! The steps before a start (node-protocol.md §5.3).

use std::sync::Arc;

use hatchery_configfile::{MAX_FILE, Parser};
use hatchery_node_proto::{ConfigurationFile, ServerConfiguration};
use hatchery_runtime::{Console, RuntimeError};
use hatchery_serverfs::{FsError, RelPath, ServerDir};
use tokio::sync::mpsc;

use super::{Server, spec};
use crate::hub::Frame;
use crate::state::NodeState;

/// How many lines of progress of a pull wait to be shown.
const PROGRESS: usize = 32;

/// Why a server cannot be started. The texts go to its console.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error("The panel does not know this server any more.")]
    Unknown,
    #[error("The server's settings could not be fetched: {0}")]
    Panel(#[from] hatchery_node_proto::PanelError),
    #[error("The server is suspended.")]
    Suspended,
    #[error("The server is over its disk limit. Delete some files, then start it again.")]
    Disk,
}

/// Makes the server's folder ready and returns the settings to start it with.
pub(super) async fn prepare(
    node: &NodeState,
    server: &Server,
) -> Result<Arc<ServerConfiguration>, PrepareError> {
    let configuration = node
        .panel
        .server(server.uuid())
        .await?
        .ok_or(PrepareError::Unknown)?;
    let configuration = Arc::new(configuration);
    server.configure(Arc::clone(&configuration));
    if configuration.settings.suspended {
        return Err(PrepareError::Suspended);
    }
    let say = |text| server.say(&node.config.app_name, text);
    if configuration.settings.build.disk_space > 0 {
        say("Checking server disk space usage, this could take a few seconds...");
        server.measure(node).await;
        if server.files().is_over_limit() {
            return Err(PrepareError::Disk);
        }
    }
    say("Updating process configuration files...");
    edit_files(node, server, &configuration).await;
    Ok(configuration)
}

/// Edits the files that the egg names. One that cannot be edited is left as it is: the game may
/// still run, and says itself what it misses.
async fn edit_files(node: &NodeState, server: &Server, configuration: &Arc<ServerConfiguration>) {
    let files = server.files();
    let uuid = server.uuid();
    let configuration = Arc::clone(configuration);
    let interface = node.runtime.host_address().to_string();
    let edits = tokio::task::spawn_blocking(move || {
        for config in &configuration.process_configuration.configs {
            if let Err(error) = edit_file(&files, config, &interface) {
                tracing::warn!(server = %uuid, file = config.file, %error, "a configuration file was not edited");
            }
        }
    });
    if let Err(error) = edits.await {
        tracing::error!(server = %uuid, %error, "editing configuration files ended badly");
    }
}

#[derive(Debug, thiserror::Error)]
enum EditFailure {
    #[error(transparent)]
    File(#[from] FsError),
    #[error(transparent)]
    Path(#[from] hatchery_serverfs::PathError),
    #[error(transparent)]
    Edit(#[from] hatchery_configfile::EditError),
}

fn edit_file(
    files: &ServerDir,
    config: &ConfigurationFile,
    interface: &str,
) -> Result<(), EditFailure> {
    // An unknown format is left out without a word, as in the reference (node-protocol.md §5.8).
    let Some(parser) = Parser::from_name(&config.parser) else {
        return Ok(());
    };
    let path = RelPath::parse(&config.file)?;
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    let existing = match files.read(&path, limit) {
        Ok(bytes) => Some(bytes),
        Err(FsError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let replacements: Vec<_> = config
        .replace
        .iter()
        .map(|replacement| hatchery_configfile::Replacement {
            path: replacement.r#match.clone(),
            if_value: replacement.if_value.clone(),
            value: replacement.replace_with.clone(),
        })
        .collect();
    let edited = hatchery_configfile::edit(parser, existing.as_deref(), &replacements, interface)?;
    if existing.as_ref() != Some(&edited) {
        let mut writer = files.write(&path)?;
        writer.write(&edited)?;
        writer.commit()?;
    }
    Ok(())
}

/// Pulls what has to be pulled, then starts the server.
pub(super) async fn launch(
    node: &NodeState,
    server: &Server,
    configuration: &ServerConfiguration,
) -> Result<Console, RuntimeError> {
    let spec = spec::instance(
        &node.config,
        &configuration.settings,
        node.runtime.host_address(),
    );
    let (sender, mut lines) = mpsc::channel::<String>(PROGRESS);
    let show = async {
        let mut pulled = false;
        while let Some(line) = lines.recv().await {
            if !pulled {
                pulled = true;
                let text =
                    "Pulling Docker container image, this could take a few minutes to complete...";
                server.say(&node.config.app_name, text);
            }
            server.hub.publish(&Frame::install(&line));
        }
        if pulled {
            server.say(
                &node.config.app_name,
                "Finished pulling Docker container image",
            );
        }
    };
    let (prepared, ()) = tokio::join!(node.runtime.prepare(&spec, sender), show);
    prepared?;
    node.runtime.start(&spec).await
}
