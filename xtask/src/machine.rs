//! What chores need from the machine, and how to get it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{mariadb, postgres, program};

/// Something that a chore cannot do without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// The Debian package that brings it.
    pub package: &'static str,
    /// Whether the machine has it.
    pub present: fn() -> bool,
}

/// `curl`, with which the demo pastes its own lines.
pub(crate) const CURL: Need = Need {
    package: "curl",
    present: || program::find("curl").is_some(),
};
/// The C compiler that the bundled SQLite is built with.
pub(crate) const CC: Need = Need {
    package: "gcc",
    present: || program::find("cc").is_some(),
};
/// PostgreSQL's server programs.
pub(crate) const POSTGRES: Need = Need {
    package: "postgresql",
    present: || postgres::programs().is_some(),
};
/// MariaDB's server and client programs.
pub(crate) const MARIADB: Need = Need {
    package: "mariadb-server",
    present: || mariadb::server().is_some() && program::find("mariadb").is_some(),
};
/// The Docker Engine.
pub(crate) const DOCKERD: Need = Need {
    package: "docker.io",
    present: || program::find("dockerd").is_some(),
};
/// The client that loads images into the engine.
pub(crate) const DOCKER: Need = Need {
    package: "docker.io",
    present: || program::find("docker").is_some(),
};
/// Builds the root file system of test images.
pub(crate) const DEBOOTSTRAP: Need = Need {
    package: "debootstrap",
    present: || program::find("debootstrap").is_some(),
};
/// The one program of the images that the runtime's own tests make.
pub(crate) const BUSYBOX: Need = Need {
    package: "busybox-static",
    present: || program::find("busybox").is_some(),
};
/// A real game server.
pub(crate) const OPENARENA: Need = Need {
    package: "openarena-server",
    present: || program::find("openarena-server").is_some(),
};
/// Runs flying-squid and mineflayer.
pub(crate) const NODE: Need = Need {
    package: "nodejs",
    present: || program::find("node").is_some(),
};
/// Installs flying-squid and mineflayer.
pub(crate) const NPM: Need = Need {
    package: "npm",
    present: || program::find("npm").is_some(),
};
/// Runs py-dactyl in an environment of its own.
pub(crate) const PYTHON: Need = Need {
    package: "python3-venv",
    present: || {
        let mut python = Command::new("python3");
        python.args(["-c", "import ensurepip, venv"]);
        program::output(&mut python).is_ok()
    },
};

/// Whether this is root, who may install packages and start services as other users.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs what is missing as root; else says in one line how to get it.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let mut missing: Vec<&str> = needs
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| need.package)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !is_root() || program::find("apt-get").is_none() {
        bail!("missing on this machine: {names}. Get it by `sudo apt-get install {names}`");
    }
    program::run(apt_get().args(["--quiet", "--quiet", "update"]))?;
    program::run(
        apt_get()
            .args([
                "--quiet",
                "--quiet",
                "--yes",
                "--no-install-recommends",
                "install",
            ])
            .args(&missing),
    )?;
    match needs.iter().find(|need| !(need.present)()) {
        Some(need) => bail!(
            "{} was installed, but does not bring what is needed",
            need.package
        ),
        None => Ok(()),
    }
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Packages of services would start them; the chores start their own.
    command.env("RUNLEVEL", "1");
    command
}
