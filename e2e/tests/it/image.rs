//! The container image of the tests: a Debian root file system made of packages that are installed
//! on this machine, so that no registry is needed.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::minecraft;
use crate::world::{cache, once, run};

/// The image, and under which names the shipped eggs ask for it. A name with a registry cannot be
/// pulled here; an engine that has the name already is then content with what it has.
const NAMES: [&str; 5] = [
    "hatchery-e2e:latest",
    "hatchery-openarena:latest",
    "ghcr.io/pterodactyl/yolks:nodejs_22",
    "ghcr.io/pterodactyl/installers:debian",
    "node:22-bookworm-slim",
];

/// Where the image has the modules of flying-squid.
pub(crate) const MODULES: &str = "/opt/flying-squid/node_modules";

/// What the image is made of, with all that they depend on.
const PACKAGES: [&str; 12] = [
    "base-files",
    "bash",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "libc-bin",
    "libstdc++6",
    "openarena-server",
    "procps",
    "sed",
    "util-linux",
];

/// Makes sure that the engine has the image.
pub(crate) fn load(socket: &Path) {
    let modules = minecraft::modules();
    let folder = cache().join("image");
    let made_from = concat!(
        include_str!("../../games/image/make.sh"),
        include_str!("../../games/image/entrypoint.sh"),
        include_str!("../../games/minecraft/package-lock.json"),
    );
    once(&folder, made_from, |folder| {
        let mut make = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/games/image/make.sh"));
        run(make.args([folder, &modules]).arg(MODULES).args(PACKAGES));
    });
    let lock = std::fs::File::create(cache().join("docker.lock")).unwrap();
    lock.lock().unwrap();
    let docker = || {
        let mut docker = Command::new("docker");
        docker
            .arg("--host")
            .arg(format!("unix://{}", socket.display()));
        docker
    };
    let known = docker()
        .args(["image", "inspect", NAMES[0]])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    if known.success() {
        return;
    }
    let changes = [
        // As a command, so that an installation can run another one.
        "CMD [\"/bin/bash\", \"/entrypoint.sh\"]",
        "WORKDIR /home/container",
        "ENV HOME=/home/container PATH=/usr/local/bin:/usr/bin:/bin:/usr/games LANG=C.UTF-8",
    ];
    let mut import = docker();
    import.arg("import");
    for change in changes {
        import.args(["--change", change]);
    }
    run(import.arg(folder.join("root.tar")).arg(NAMES[0]));
    for name in &NAMES[1..] {
        run(docker().args(["tag", NAMES[0], name]));
    }
}
