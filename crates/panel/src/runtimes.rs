//! Which runtime runs the games.

use std::sync::Arc;
use std::time::Duration;

use hatchery_config::{RuntimeChoice, Settings};
use hatchery_runtime::docker::{DockerConfig, DockerRuntime};
use hatchery_runtime::process::{ProcessConfig, ProcessRuntime, Severity};
use hatchery_runtime::{Runtime, RuntimeError};

use crate::compose::Ambient;
use crate::data_dir::DataDir;

/// How long an engine may take to answer before it counts as absent.
const ENGINE_PATIENCE: Duration = Duration::from_secs(5);
/// The user that games in containers run as when the panel is root (node-protocol.md §1.1).
const CONTAINER_USER: u32 = 988;

/// The runtime that the settings name. `auto` takes containers where an engine answers.
pub(crate) async fn choose(
    settings: &Settings,
    data_dir: &DataDir,
    ambient: &Ambient,
) -> Result<Arc<dyn Runtime>, RuntimeError> {
    match settings.node.runtime {
        RuntimeChoice::Docker => docker(settings, data_dir, ambient).await,
        RuntimeChoice::Process => process(settings, data_dir, ambient),
        RuntimeChoice::Auto if !settings.node.docker_socket.exists() => {
            process(settings, data_dir, ambient)
        }
        RuntimeChoice::Auto => match docker(settings, data_dir, ambient).await {
            Ok(runtime) => Ok(runtime),
            Err(error) => {
                tracing::info!(%error, "no container engine can be used, so games run as sandboxed processes");
                process(settings, data_dir, ambient)
            }
        },
    }
}

async fn docker(
    settings: &Settings,
    data_dir: &DataDir,
    ambient: &Ambient,
) -> Result<Arc<dyn Runtime>, RuntimeError> {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    let user = if uid.is_root() {
        (CONTAINER_USER, CONTAINER_USER)
    } else {
        (uid.as_raw(), gid.as_raw())
    };
    let node = data_dir.path().display().to_string();
    let config = DockerConfig::new(settings.node.docker_socket.clone(), node, user);
    let connect = DockerRuntime::connect(config, Arc::clone(&ambient.clock));
    match tokio::time::timeout(ENGINE_PATIENCE, connect).await {
        Ok(runtime) => Ok(Arc::new(runtime?)),
        Err(_) => Err(RuntimeError::Unsupported(format!(
            "the container engine at {} does not answer within {} seconds",
            settings.node.docker_socket.display(),
            ENGINE_PATIENCE.as_secs()
        ))),
    }
}

fn process(
    settings: &Settings,
    data_dir: &DataDir,
    ambient: &Ambient,
) -> Result<Arc<dyn Runtime>, RuntimeError> {
    let config = ProcessConfig {
        visible: settings.node.visible.clone(),
        hidden: vec![data_dir.path().to_owned()],
        ..ProcessConfig::new(data_dir.node())
    };
    let runtime = ProcessRuntime::new(config, Arc::clone(&ambient.clock))?;
    for finding in runtime.diagnose() {
        if finding.severity != Severity::Good {
            tracing::warn!(what = finding.subject, "{}", finding.text);
        }
    }
    Ok(Arc::new(runtime))
}
