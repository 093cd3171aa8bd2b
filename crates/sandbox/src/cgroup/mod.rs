//! Bounds and measures groups of processes through the kernel's control groups, in both versions
//! of their interface.
//!
//! A group is a set of folders. It can be written down and opened again by another process, which
//! is how a group outlives the program that made it.

mod v1;
mod v2;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatchery_vocab::{CpuPercent, MiB, Swap};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::error::{Doing, Error};

/// The folder beneath which all groups are made.
const FAMILY: &str = "hatchery";

/// The period that processor quotas are counted in, in microseconds.
const CPU_PERIOD: u64 = 100_000;

/// How often a group is looked at until it is empty, and how long in between. The kernel ends
/// processes soon after they are told, but not at once.
const EMPTYING_ROUNDS: u32 = 500;
const EMPTYING_PAUSE: Duration = Duration::from_millis(10);

/// Bounds of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// Memory; zero is unlimited.
    pub memory: MiB,
    /// Swap on top of the memory.
    pub swap: Swap,
    /// Processor share; zero is unlimited.
    pub cpu: CpuPercent,
    /// The processors to run on, as a list such as `0,2-3`.
    pub cpus: Option<String>,
    /// Weight among the users of the disks, 10 to 1000.
    pub io_weight: u16,
    /// Processes and threads at most.
    pub pids: u32,
    /// Whether to pause rather than to end processes when memory runs out, where the kernel can.
    pub oom_kill_disabled: bool,
}

/// What a group uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupUsage {
    /// Memory in bytes, without files that the kernel would give back.
    pub memory_bytes: u64,
    /// Processor time in nanoseconds.
    pub cpu_nanos: u64,
}

/// The version of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Version {
    V1,
    V2,
}

/// What a folder of a group controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Controller {
    Memory,
    Pids,
    Cpu,
    Cpuacct,
    Cpuset,
    #[serde(rename = "blkio")]
    Io,
}

/// A place where groups can be made.
#[derive(Clone, Debug)]
pub struct Cgroups {
    version: Version,
    /// The family's folder of each controller; of version 2 there is one folder with several.
    places: Vec<(Controller, PathBuf)>,
    /// What does not work here, and why.
    missing: Vec<(Controller, String)>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    version: Version,
    places: Vec<(Controller, PathBuf)>,
}

impl Controller {
    const ALL: [Self; 6] = [
        Self::Memory,
        Self::Pids,
        Self::Cpu,
        Self::Cpuacct,
        Self::Cpuset,
        Self::Io,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Cpuset => "cpuset",
            Self::Io => "blkio",
        }
    }

    /// What is lost without it.
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Self::Memory => "memory limits and figures",
            Self::Pids => "limits of the number of processes",
            Self::Cpu => "processor limits",
            Self::Cpuacct => "processor figures",
            Self::Cpuset => "binding to processors",
            Self::Io => "disk weights",
        }
    }
}

impl Cgroups {
    /// Looks at what is mounted at `root` (`/sys/fs/cgroup`) and prepares a folder for the groups.
    /// `own` is the content of `/proc/self/cgroup`: groups are made beneath the caller's own.
    pub fn detect(root: &Path, own: &str) -> Self {
        if root.join("cgroup.controllers").exists() {
            v2::detect(root, own)
        } else {
            v1::detect(root, own)
        }
    }

    /// The same for this process.
    pub fn of_this_process(root: &Path) -> Self {
        Self::detect(
            root,
            &read(Path::new("/proc/self/cgroup")).unwrap_or_default(),
        )
    }

    /// Makes a group, or takes the one that is there.
    pub fn create(&self, name: &str) -> Result<Group, Error> {
        let mut group = Group {
            version: self.version,
            places: Vec::new(),
        };
        for (controller, family) in &self.places {
            let place = family.join(name);
            make_folder(&place)
                .doing(|| format!("making the control group {}", place.display()))?;
            if self.version == Version::V1 && *controller == Controller::Cpuset {
                v1::inherit_cpuset(family, &place)
                    .doing(|| "giving processors to the control group")?;
            }
            group.places.push((*controller, place));
        }
        Ok(group)
    }

    /// What does not work here: what is lost, and why.
    pub fn missing(&self) -> Vec<(&'static str, &str)> {
        self.missing
            .iter()
            .map(|(controller, reason)| (controller.purpose(), reason.as_str()))
            .collect()
    }

    /// Whether anything can be bounded or measured at all.
    pub fn usable(&self) -> bool {
        !self.places.is_empty()
    }

    /// Whether the number of processes can be bounded.
    pub fn counts_processes(&self) -> bool {
        self.places
            .iter()
            .any(|(controller, _)| *controller == Controller::Pids)
    }

    /// `1` or `2`.
    pub fn version(&self) -> u8 {
        match self.version {
            Version::V1 => 1,
            Version::V2 => 2,
        }
    }
}

impl Group {
    /// Applies limits, and says which could not be applied and why. Only the weight of the disks
    /// is left out silently where the machine has no such thing.
    pub fn apply(&self, limits: &GroupLimits) -> Vec<String> {
        let mut failures = Vec::new();
        for (controller, place) in &self.places {
            let result = match self.version {
                Version::V1 => v1::apply(*controller, place, limits),
                Version::V2 => v2::apply(*controller, place, limits),
            };
            if let Err(error) = result {
                failures.push(error.to_string());
            }
        }
        failures
    }

    /// Puts a process into the group.
    pub fn add(&self, pid: i32) -> Result<(), Error> {
        for place in self.folders() {
            write(&place.join("cgroup.procs"), &pid.to_string())
                .doing(|| format!("putting the program into {}", place.display()))?;
        }
        Ok(())
    }

    /// What the group uses now.
    pub fn usage(&self) -> GroupUsage {
        match self.version {
            Version::V1 => v1::usage(self),
            Version::V2 => v2::usage(self),
        }
    }

    /// How many processes the kernel ended since there was not enough memory.
    pub fn oom_kills(&self) -> u64 {
        let file = match self.version {
            Version::V1 => "memory.oom_control",
            Version::V2 => "memory.events",
        };
        self.place(Controller::Memory)
            .and_then(|place| keyed(&place.join(file), "oom_kill"))
            .unwrap_or(0)
    }

    /// Whether any process is in the group.
    pub fn is_empty(&self) -> bool {
        self.members().is_empty()
    }

    /// Ends every process of the group and waits, within bounds, until none is left. Must not be
    /// called where waiting is forbidden.
    pub fn kill_all(&self) -> bool {
        for _ in 0..EMPTYING_ROUNDS {
            let members = self.members();
            if members.is_empty() {
                return true;
            }
            let at_once = self.version == Version::V2
                && self
                    .folders()
                    .next()
                    .is_some_and(|place| write(&place.join("cgroup.kill"), "1").is_ok());
            if !at_once {
                for pid in members {
                    if let Some(pid) = Pid::from_raw(pid) {
                        // It may have ended meanwhile.
                        let _ = kill_process(pid, Signal::KILL);
                    }
                }
            }
            std::thread::sleep(EMPTYING_PAUSE);
        }
        false
    }

    /// Takes the group away. It must be empty, but the kernel may still be burying its processes.
    pub fn remove(&self) -> Result<(), Error> {
        for place in self.folders() {
            let mut round = 0;
            loop {
                match fs::remove_dir(place) {
                    Ok(()) => break,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                    Err(error)
                        if error.kind() == io::ErrorKind::ResourceBusy
                            && round < EMPTYING_ROUNDS => {}
                    Err(error) => {
                        return Err(error).doing(|| format!("removing {}", place.display()));
                    }
                }
                round += 1;
                std::thread::sleep(EMPTYING_PAUSE);
            }
        }
        Ok(())
    }

    fn members(&self) -> Vec<i32> {
        // Every folder has the same members; the pids controller's is preferred for no reason but
        // to have one.
        self.folders()
            .next()
            .and_then(|place| read(&place.join("cgroup.procs")).ok())
            .map(|text| text.lines().filter_map(|line| line.parse().ok()).collect())
            .unwrap_or_default()
    }

    /// The group's folders, each once.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(index, (_, place))| {
                (!self.places[..index]
                    .iter()
                    .any(|(_, earlier)| earlier == place))
                .then_some(place.as_path())
            })
    }

    fn place(&self, wanted: Controller) -> Option<&Path> {
        self.places
            .iter()
            .find(|(controller, _)| *controller == wanted)
            .map(|(_, place)| place.as_path())
    }
}

/// The memory in use, without the files that were not used lately: a usage file and the key of the
/// statistics to take away from it.
fn memory_in_use(place: &Path, usage_file: &str, inactive_key: &str) -> u64 {
    let usage = number(&place.join(usage_file)).unwrap_or(0);
    let inactive = keyed(&place.join("memory.stat"), inactive_key).unwrap_or(0);
    // A larger figure than the whole is of another moment (node-protocol.md §12).
    if inactive < usage {
        usage - inactive
    } else {
        usage
    }
}

/// A processor share as a quota of each [`CPU_PERIOD`].
fn quota(cpu: CpuPercent) -> Option<u64> {
    (cpu.get() > 0).then(|| u64::from(cpu.get()) * (CPU_PERIOD / 100))
}

fn number(path: &Path) -> Option<u64> {
    read(path).ok()?.trim().parse().ok()
}

/// The value of a line `key value`.
fn keyed(path: &Path, key: &str) -> Option<u64> {
    read(path).ok()?.lines().find_map(|line| {
        line.strip_prefix(key)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    })
}

/// Makes the folder for all groups, or finds out that groups cannot be made there.
fn make_family(path: &Path) -> Result<(), String> {
    make_folder(path)
        .and_then(|()| Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?))
        .map_err(|error| format!("{} cannot be used: {error}", path.display()))
}

fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

fn read(path: &Path) -> io::Result<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a file of the kernel's, not of a server"
    )]
    fs::read_to_string(path)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a file of the kernel's, not of a server"
    )]
    fs::write(path, text)
}

fn write_doing(path: &Path, text: &str) -> Result<(), Error> {
    write(path, text).doing(|| format!("writing {text:?} to {}", path.display()))
}

#[cfg(test)]
mod tests;
