//! What to run, and within which bounds.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use hatchery_vocab::{CpuPercent, MiB, Port, ServerUuid, Swap};

/// All that a runtime needs to know to run one server.
#[derive(Clone)]
pub struct InstanceSpec {
    /// The server; instances are named after it.
    pub server: ServerUuid,
    /// The folder with the server's files. The instance sees it as `/home/container`, its home and
    /// working directory and the only place that it can write, `/tmp` apart.
    pub root: PathBuf,
    /// The start line with its `{{NAME}}` placeholders, run by a shell that sees `environment`.
    pub invocation: String,
    /// The environment in order, `STARTUP`, `SERVER_MEMORY`, `SERVER_IP` and `SERVER_PORT`
    /// included. Names are unique.
    pub environment: Vec<(String, String)>,
    /// The container image, where the runtime uses one. A leading `~` says that it is local and
    /// must not be pulled.
    pub image: String,
    /// The bounds.
    pub limits: ResourceLimits,
    /// Addresses that the server may listen on, for TCP and UDP alike.
    pub ports: Vec<PortBinding>,
    /// Further folders of the machine that the server sees. They were checked already.
    pub mounts: Vec<BindMount>,
    /// Labels for a container.
    pub labels: Vec<(String, String)>,
}

/// An installation: a script that fills a server's folder.
#[derive(Clone)]
pub struct InstallSpec {
    /// The server.
    pub server: ServerUuid,
    /// The folder with the server's files. The script sees it as `/mnt/server`.
    pub root: PathBuf,
    /// The program that runs the script, such as `bash`.
    pub entrypoint: String,
    /// The script's text, with `\n` line ends. It is passed by descriptor or by a read-only
    /// mount, never by a path that the script could change.
    pub script: String,
    /// The environment, as for [`InstanceSpec`].
    pub environment: Vec<(String, String)>,
    /// The container image for the installation, where the runtime uses one.
    pub image: String,
    /// The bounds.
    pub limits: ResourceLimits,
}

/// Bounds of an instance. An unlimited instance is unlimited only in what is `None`: the number of
/// processes is always bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Memory, zero for unlimited.
    pub memory: MiB,
    /// Swap on top of the memory.
    pub swap: Swap,
    /// Processor share, zero for unlimited.
    pub cpu: CpuPercent,
    /// The processors to run on, as a list such as `0,2-3`.
    pub threads: Option<String>,
    /// Weight among the machine's users of its disks, 10 to 1000.
    pub io_weight: u16,
    /// The largest number of processes and threads.
    pub pids: u32,
    /// Whether the kernel must pause the instance rather than end it when memory runs out.
    pub oom_kill_disabled: bool,
}

/// An address that a server may listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortBinding {
    /// The address of this machine.
    pub ip: IpAddr,
    /// The port, the same inside and outside.
    pub port: Port,
}

/// A folder of the machine that a server sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindMount {
    /// The folder on the machine.
    pub source: PathBuf,
    /// Where the server sees it.
    pub target: PathBuf,
    /// Whether the server may only read.
    pub read_only: bool,
}

/// Shows the names of the variables only: the values may be secrets, and they end up in logs.
impl fmt::Debug for InstanceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceSpec")
            .field("server", &self.server)
            .field("root", &self.root)
            .field("invocation", &self.invocation)
            .field("environment", &Names(&self.environment))
            .field("image", &self.image)
            .field("limits", &self.limits)
            .field("ports", &self.ports)
            .field("mounts", &self.mounts)
            .field("labels", &self.labels)
            .finish()
    }
}

/// Shows the names of the variables only, as for [`InstanceSpec`].
impl fmt::Debug for InstallSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstallSpec")
            .field("server", &self.server)
            .field("root", &self.root)
            .field("entrypoint", &self.entrypoint)
            .field("environment", &Names(&self.environment))
            .field("image", &self.image)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

struct Names<'a>(&'a [(String, String)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}
