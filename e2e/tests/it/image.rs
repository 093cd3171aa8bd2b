//! The container image of the tests: a Debian root file system made of packages that are installed
//! on this machine, so that no registry is needed.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::minecraft;
use crate::world::{cache, once, run};

/// The image, and under which names the shipped eggs ask for it. A name with a registry cannot be
/// pulled here; an engine that has the name already is then content with what it has.
const NAMES: [&str; 4] = [
    "hatchery-e2e:latest",
    "hatchery-openarena:latest",
    "ghcr.io/pterodactyl/yolks:nodejs_22",
    "ghcr.io/pterodactyl/installers:debian",
];

/// Where the image has the modules of flying-squid.
pub(crate) const MODULES: &str = "/opt/flying-squid/node_modules";

/// What the image is made of, with all that they depend on.
const PACKAGES: &str = "base-files bash coreutils dash findutils grep libc-bin libstdc++6 \
                        openarena-server procps sed util-linux";

/// Makes the root file system as a tar file, then loads it. `$1` is the folder to work in, `$2` the
/// folder of the entry point, `$3` the folder of modules, `$4` where they go.
const MAKE: &str = r#"
set -eu
packages=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances $PACKAGES | grep -v '^ ' | grep -v '^<' | sort -u)
for package in $packages; do dpkg-query --listfiles "$package" 2>/dev/null || true; done |
    grep -vE '^/usr/share/(doc|man|locale|info|lintian)/' | sort -u |
    while read -r path; do [ ! -d "$path" ] && [ -e "$path" ] && echo "${path#/}"; done >"$1/list"
# The folders of this machine that are links, such as bin, stay links.
(cd / && for link in bin sbin lib lib64; do [ -L "$link" ] && echo "$link"; done) >>"$1/list" || true
tar --create --file "$1/root.tar" --directory / --files-from "$1/list" --transform \
    's,^\(bin\|sbin\|lib\|lib64\)/,usr/\1/,'
mkdir -p "$1/more/home/container" "$1/more/tmp" "$1/more/proc" "$1/more/sys" "$1/more/dev" \
    "$1/more/etc" "$1/more/usr/bin" "$1/more/mnt/server" "$1/more$(dirname "$4")"
printf 'root:x:0:0::/root:/bin/bash\ncontainer:x:988:988::/home/container:/bin/bash\n' >"$1/more/etc/passwd"
printf 'root:x:0:\ncontainer:x:988:\n' >"$1/more/etc/group"
cp "$2/entrypoint.sh" "$1/more/entrypoint.sh"
cp "$(command -v node)" "$1/more/usr/bin/node"
cp -R "$3" "$1/more$4"
tar --append --file "$1/root.tar" --owner 0 --group 0 --directory "$1/more" .
rm -rf "$1/more"
"#;

/// Makes sure that the engine has the image.
pub(crate) fn load(socket: &Path) {
    let modules = minecraft::modules();
    let folder = cache().join("image");
    once(&folder, |folder| {
        let entry = Path::new(env!("CARGO_MANIFEST_DIR")).join("games/image");
        let mut bash = Command::new("bash");
        bash.args(["-c", MAKE, "bash"])
            .args([folder, &entry, &modules])
            .arg(MODULES);
        run(bash.env("PACKAGES", PACKAGES));
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
        "ENTRYPOINT [\"/bin/bash\", \"/entrypoint.sh\"]",
        "USER container",
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
