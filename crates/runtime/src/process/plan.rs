//! From what the node wants to what the sandbox does.

use hatchery_sandbox::{HELPER_FOLDER, Identity, Mount, Plan};

use super::ProcessConfig;
use super::start_line::for_shell;
use crate::{InstallSpec, InstanceSpec};

/// Where a game sees its folder.
const HOME: &str = "/home/container";
/// Where an installation sees the server's folder, and its script (node-protocol.md §6).
const INSTALL_TARGET: &str = "/mnt/server";
const INSTALL_SCRIPT: &str = "/mnt/install/install.sh";

const SEARCH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games";

/// The plan for a game.
pub(super) fn game(spec: &InstanceSpec, config: &ProcessConfig, identity: Identity) -> Plan {
    let line = for_shell(&spec.invocation);
    let mounts = spec.mounts.iter().map(|mount| Mount {
        source: mount.source.clone(),
        target: mount.target.clone(),
        read_only: mount.read_only,
    });
    Plan {
        hostname: spec.server.to_string(),
        home: Mount {
            source: spec.root.clone(),
            target: HOME.into(),
            read_only: false,
        },
        mounts: mounts.collect(),
        commands: ["bash", "sh"]
            .map(|shell| vec![shell.to_owned(), "-c".to_owned(), line.clone()])
            .into(),
        environment: environment(&spec.environment, HOME),
        ..common(config, identity)
    }
}

/// The plan for an installation. It has the confinement of a game (security.md, CVE-2023-32080).
pub(super) fn install(spec: &InstallSpec, config: &ProcessConfig, identity: Identity) -> Plan {
    // Scripts made for another distribution's shell are tried with what there is.
    let shells = [spec.entrypoint.as_str(), "bash", "sh"];
    Plan {
        hostname: "installer".to_owned(),
        home: Mount {
            source: spec.root.clone(),
            target: INSTALL_TARGET.into(),
            read_only: false,
        },
        files: vec![(INSTALL_SCRIPT.into(), spec.script.clone())],
        commands: shells
            .map(|shell| vec![shell.to_owned(), INSTALL_SCRIPT.to_owned()])
            .into(),
        // What programs leave at home is not part of the server.
        environment: environment(&spec.environment, "/tmp"),
        ..common(config, identity)
    }
}

fn common(config: &ProcessConfig, identity: Identity) -> Plan {
    Plan {
        hostname: String::new(),
        home: Mount {
            source: "/".into(),
            target: "/".into(),
            read_only: true,
        },
        mounts: Vec::new(),
        visible: config.visible.clone(),
        hidden: config
            .hidden
            .iter()
            .chain([&config.run_dir])
            .cloned()
            .collect(),
        // The keeper knows best which program it is.
        helper: None,
        files: Vec::new(),
        tmp_bytes: config.tmp.bytes(),
        identity,
        max_processes: None,
        commands: Vec::new(),
        environment: Vec::new(),
    }
}

/// The server's environment and, where it says nothing, what a program on a terminal expects.
fn environment(given: &[(String, String)], home: &str) -> Vec<(String, String)> {
    let path = format!("{HELPER_FOLDER}:{SEARCH}");
    let usual = [
        ("HOME", home),
        ("USER", "container"),
        ("PATH", path.as_str()),
        ("TERM", "xterm"),
        ("LANG", "C.UTF-8"),
        // The usual images export it (node-protocol.md §5.9).
        ("INTERNAL_IP", "127.0.0.1"),
    ];
    let missing = usual
        .into_iter()
        .filter(|(name, _)| !given.iter().any(|(key, _)| key == name));
    given
        .iter()
        .cloned()
        .chain(missing.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}
