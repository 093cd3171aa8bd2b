//! The tree of files that a confined program sees.
//!
//! Everything that comes from the machine is first copied as a detached mount and restricted, then
//! an empty root takes the old one's place, and only then are the copies attached: a symbolic link
//! inside can point to nothing but the inside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::{Doing, Error};
use crate::plan::{Identity, Plan};
use crate::sys::{self, Restrict};

/// Where the helper program is, first in the search path. The folders of the machine cannot take
/// it, since nothing can be created in them.
pub const HELPER_FOLDER: &str = "/.hatchery/bin";
const HELPER_NAME: &str = "hatchery";

/// Programs and libraries. Where one is a symbolic link (`/lib` to `usr/lib`), so is it inside.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
];

/// What programs need of `/etc`. Nothing here is secret to the users of a machine.
const ETC: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "fonts",
    "gai.conf",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "locale.conf",
    "localtime",
    "magic",
    "mime.types",
    "mono",
    "nsswitch.conf",
    "openal",
    "os-release",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "terminfo",
    "timezone",
    "xdg",
];

/// Prefixes of further entries of `/etc`: run-times keep their settings under versioned names.
const ETC_PREFIXES: &[&str] = &["java", "dotnet", "python"];

/// Where secrets may lie beneath what is shown.
const ALWAYS_HIDDEN: &[&str] = &["/etc/ssl/private", "/etc/pki/tls/private", "/usr/local/etc"];

const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// Files of `/proc` that tell of or act on the whole machine.
const PROC_HIDDEN_FILES: &[&str] = &[
    "sysrq-trigger",
    "kcore",
    "keys",
    "timer_list",
    "sched_debug",
    "latency_stats",
];
const PROC_HIDDEN_FOLDERS: &[&str] = &["acpi", "scsi"];
const PROC_READ_ONLY: &[&str] = &["sys", "bus", "fs", "irq"];

const SHM_BYTES: u64 = 64 * 1024 * 1024;
/// The root holds names and a few small files only.
const ROOT_OPTIONS: &str = "size=8m,nr_inodes=8192,mode=755";
const OLD_ROOT: &str = "/.old";

/// A copied mount that waits for its place.
struct Detached {
    mount: OwnedFd,
    target: PathBuf,
    folder: bool,
}

/// Everything that is taken from the machine.
pub(crate) struct Sources {
    home: Detached,
    system: Vec<Detached>,
    links: Vec<(PathBuf, PathBuf)>,
    devices: Vec<Detached>,
    helper: Option<Detached>,
    extra: Vec<Detached>,
    hidden: Vec<PathBuf>,
    old_root_place: PathBuf,
}

impl Sources {
    /// Copies all mounts that the plan asks for.
    pub(crate) fn open(plan: &Plan) -> Result<Self, Error> {
        let mut system = Vec::new();
        let mut links = Vec::new();
        for path in SYSTEM.iter().map(PathBuf::from).chain(etc_entries()) {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            match fs::read_link(&path) {
                // A link that leaves `/etc` may lead to where nothing is shown: then its target
                // takes its place.
                Ok(target) if !path.starts_with("/etc") => links.push((path, target)),
                _ if metadata.is_symlink() && !path.exists() => {}
                _ => system.push(Detached::copy(&path, &path, Restrict::READ_ONLY)?),
            }
        }
        for path in &plan.visible {
            if path.exists() {
                system.push(Detached::copy(path, path, Restrict::READ_ONLY)?);
            }
        }
        let devices = DEVICES
            .iter()
            .map(|name| {
                let path = Path::new("/dev").join(name);
                Detached::copy(&path, &path, Restrict::DEVICE)
            })
            .collect::<Result<_, _>>()?;
        let extra = plan
            .mounts
            .iter()
            .map(|mount| {
                let restrict = if mount.read_only {
                    Restrict::READ_ONLY
                } else {
                    Restrict::WRITABLE
                };
                Detached::copy(&mount.source, &mount.target, restrict)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            home: Detached::copy(&plan.home.source, &plan.home.target, Restrict::WRITABLE)?,
            system,
            links,
            devices,
            helper: plan
                .helper
                .as_deref()
                .map(|path| {
                    Detached::copy(
                        path,
                        &Path::new(HELPER_FOLDER).join(HELPER_NAME),
                        Restrict::READ_ONLY,
                    )
                })
                .transpose()?,
            extra,
            hidden: ALWAYS_HIDDEN
                .iter()
                .map(PathBuf::from)
                .chain(plan.hidden.iter().cloned())
                .collect(),
            old_root_place: plan.home.source.clone(),
        })
    }

    /// Changes over to the new root and fills it. The mount namespace must be private.
    pub(crate) fn build(self, plan: &Plan) -> Result<(), Error> {
        // Any folder would do to stand on; this one surely exists, and its own mount was copied.
        let base = &self.old_root_place;
        sys::mount_new(
            "tmpfs",
            base,
            libc::MS_NOSUID | libc::MS_NODEV,
            ROOT_OPTIONS,
        )
        .doing(|| "mounting the new root")?;
        let old = base.join(OLD_ROOT.trim_start_matches('/'));
        fs::create_dir(&old).doing(|| "making a place for the old root")?;
        sys::pivot_root(base, &old).doing(|| "changing the root")?;
        std::env::set_current_dir("/").doing(|| "entering the new root")?;

        // The kernel gives out a new /proc only where an old one is still to be seen.
        mount_proc()?;
        sys::detach_mount(Path::new(OLD_ROOT)).doing(|| "leaving the old root")?;
        fs::remove_dir(OLD_ROOT).doing(|| "leaving the old root")?;

        for (link, target) in &self.links {
            symlink(target, link).doing(|| format!("linking {}", link.display()))?;
        }
        for detached in &self.system {
            detached.attach()?;
        }
        for path in &self.hidden {
            hide_folder(path)?;
        }
        self.build_devices(plan)?;
        build_tmp(plan)?;
        write_files(plan)?;
        if let Some(helper) = &self.helper {
            helper.attach()?;
        }
        self.home.attach()?;
        for detached in &self.extra {
            detached.attach()?;
        }
        let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .doing(|| "opening the root")?;
        sys::restrict_mount(root.as_fd(), Restrict::READ_ONLY, false)
            .doing(|| "making the root read-only")?;
        std::env::set_current_dir(&plan.home.target).doing(|| "entering the server's folder")
    }

    fn build_devices(&self, plan: &Plan) -> Result<(), Error> {
        for device in &self.devices {
            device.attach()?;
        }
        make_folder(Path::new("/dev/pts"))?;
        sys::mount_new(
            "devpts",
            Path::new("/dev/pts"),
            libc::MS_NOSUID | libc::MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=620",
        )
        .doing(|| "mounting /dev/pts")?;
        mount_tmpfs(Path::new("/dev/shm"), SHM_BYTES, plan.identity)?;
        for (link, target) in [
            ("/dev/ptmx", "pts/ptmx"),
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
        ] {
            symlink(target, link).doing(|| format!("linking {link}"))?;
        }
        Ok(())
    }
}

impl Detached {
    fn copy(source: &Path, target: &Path, restrict: Restrict) -> Result<Self, Error> {
        let folder = fs::metadata(source)
            .doing(|| format!("looking at {}", source.display()))?
            .is_dir();
        let mount = sys::clone_mount(source)
            .doing(|| format!("copying the mount of {}", source.display()))?;
        sys::restrict_mount(mount.as_fd(), restrict, true)
            .doing(|| format!("restricting the mount of {}", source.display()))?;
        Ok(Self {
            mount,
            target: target.to_owned(),
            folder,
        })
    }

    fn attach(&self) -> Result<(), Error> {
        if self.folder {
            make_folder(&self.target)?;
        } else {
            if let Some(parent) = self.target.parent() {
                make_folder(parent)?;
            }
            make_file(&self.target, b"")?;
        }
        let place = rustix::fs::open(
            &self.target,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .doing(|| format!("opening {}", self.target.display()))?;
        sys::attach_mount(self.mount.as_fd(), place.as_fd())
            .doing(|| format!("mounting {}", self.target.display()))
    }
}

fn etc_entries() -> impl Iterator<Item = PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the machine's own settings, not a server's files"
    )]
    let entries = fs::read_dir("/etc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| {
                ETC.contains(&name) || ETC_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            })
        })
        .map(|entry| entry.path())
}

fn mount_proc() -> Result<(), Error> {
    let proc = Path::new("/proc");
    make_folder(proc)?;
    sys::mount_new(
        "proc",
        proc,
        libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC,
        "",
    )
    .doing(|| "mounting /proc")?;
    for (names, cover) in [
        (PROC_HIDDEN_FILES, Some("/.old/dev/null")),
        (PROC_READ_ONLY, None),
    ] {
        for name in names {
            let path = proc.join(name);
            if !path.exists() {
                continue;
            }
            let source = cover.map_or_else(|| path.clone(), PathBuf::from);
            Detached::copy(&source, &path, Restrict::INERT)?.attach_over()?;
        }
    }
    for name in PROC_HIDDEN_FOLDERS {
        hide_folder(&proc.join(name))?;
    }
    Ok(())
}

impl Detached {
    /// As [`Self::attach`], over something that exists.
    fn attach_over(&self) -> Result<(), Error> {
        let place = rustix::fs::open(
            &self.target,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .doing(|| format!("opening {}", self.target.display()))?;
        sys::attach_mount(self.mount.as_fd(), place.as_fd())
            .doing(|| format!("covering {}", self.target.display()))
    }
}

/// Covers a folder with an empty one, where it exists.
fn hide_folder(path: &Path) -> Result<(), Error> {
    if !path.is_dir() {
        return Ok(());
    }
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_RDONLY;
    sys::mount_new("tmpfs", path, flags, "size=4k,nr_inodes=2,mode=555")
        .doing(|| format!("hiding {}", path.display()))
}

fn mount_tmpfs(path: &Path, bytes: u64, identity: Identity) -> Result<(), Error> {
    make_folder(path)?;
    let options = format!(
        "size={bytes},mode=1777,uid={},gid={}",
        identity.uid, identity.gid
    );
    sys::mount_new("tmpfs", path, libc::MS_NOSUID | libc::MS_NODEV, &options)
        .doing(|| format!("mounting {}", path.display()))
}

fn build_tmp(plan: &Plan) -> Result<(), Error> {
    mount_tmpfs(Path::new("/tmp"), plan.tmp_bytes, plan.identity)?;
    make_folder(Path::new("/var"))?;
    make_folder(Path::new("/run"))?;
    make_folder(Path::new("/root"))?;
    symlink("/tmp", "/var/tmp").doing(|| "linking /var/tmp")?;
    symlink("/run", "/var/run").doing(|| "linking /var/run")
}

fn write_files(plan: &Plan) -> Result<(), Error> {
    let Identity { uid, gid, .. } = plan.identity;
    let home = plan.home.target.display();
    let (user, group) = match uid {
        0 => Default::default(),
        _ => (
            format!("container:x:{uid}:{gid}::{home}:/bin/bash\n"),
            format!("container:x:{gid}:\n"),
        ),
    };
    let users = format!(
        "root:x:0:0:root:/root:/bin/sh\n{user}nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
    );
    let groups = format!("root:x:0:\n{group}nogroup:x:65534:\n");
    let own = [
        ("/etc/passwd", users),
        ("/etc/group", groups),
        ("/etc/hostname", format!("{}\n", plan.hostname)),
    ];
    let own = own
        .into_iter()
        .map(|(path, text)| (PathBuf::from(path), text));
    for (path, text) in own.chain(plan.files.iter().cloned()) {
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        make_file(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Makes a folder and all above it. What is made is for everybody to enter.
fn make_folder(path: &Path) -> Result<(), Error> {
    let mut at = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => continue,
            Component::Normal(name) => at.push(name),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::from(io::ErrorKind::InvalidInput))
                    .doing(|| format!("making {}", path.display()));
            }
        }
        match fs::create_dir(&at) {
            Ok(()) => {
                let mode = fs::Permissions::from_mode(0o755);
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the sandbox's own root, not a server's files"
                )]
                fs::set_permissions(&at, mode).doing(|| format!("making {}", at.display()))?;
            }
            // A link could have been put there by the server.
            Err(_) if fs::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_dir()) => {}
            Err(error) => return Err(error).doing(|| format!("making {}", at.display())),
        }
    }
    Ok(())
}

fn make_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let create = |path: &Path| -> io::Result<File> {
        let flags = OFlags::NOFOLLOW.bits() as i32;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .custom_flags(flags)
            .open(path)
    };
    match create(path) {
        Ok(mut file) => file
            .write_all(content)
            .doing(|| format!("writing {}", path.display())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && content.is_empty() => Ok(()),
        Err(error) => Err(error).doing(|| format!("making {}", path.display())),
    }
}
