//! Version 2: one tree for all controllers, which must be handed down from each folder to the next.

use std::io;
use std::path::{Path, PathBuf};

use hatchery_vocab::Swap;

use super::{
    CPU_PERIOD, Cgroups, Controller, FAMILY, Group, GroupLimits, GroupUsage, Version, keyed,
    make_family, make_folder, memory_in_use, quota, read, write, write_doing,
};
use crate::error::Error;

/// Where this program goes itself: a group that hands controllers down must have no processes.
const SUPERVISOR: &str = "supervisor";
const UNLIMITED: &str = "max";
const NANOS_PER_MICRO: u64 = 1000;

pub(super) fn detect(root: &Path, own: &str) -> Cgroups {
    let mut found = Cgroups {
        version: Version::V2,
        places: Vec::new(),
        missing: Vec::new(),
    };
    let base = base(root, own);
    let family = base.join(FAMILY);
    let prepared = make_family(&family);
    for controller in Controller::ALL {
        let handed_down = prepared
            .clone()
            .and_then(|()| match kernel_name(controller) {
                Some(name) => hand_down(&base, name).and_then(|()| hand_down(&family, name)),
                None => Ok(()),
            });
        match handed_down {
            Ok(()) => found.places.push((controller, family.clone())),
            Err(reason) => found.missing.push((controller, reason)),
        }
    }
    found
}

/// The caller's own group, without the leaf that an earlier start has moved to.
fn base(root: &Path, own: &str) -> PathBuf {
    let own = own
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .unwrap_or("/")
        .trim_start_matches('/');
    let path = root.join(own);
    let path = if path.is_dir() { path } else { root.to_owned() };
    match path.parent() {
        Some(parent) if path.ends_with(SUPERVISOR) => parent.to_owned(),
        _ => path,
    }
}

/// The controller's name; processor figures need none.
fn kernel_name(controller: Controller) -> Option<&'static str> {
    match controller {
        Controller::Cpuacct => None,
        Controller::Io => Some("io"),
        other => Some(other.name()),
    }
}

fn hand_down(folder: &Path, controller: &str) -> Result<(), String> {
    let available = read(&folder.join("cgroup.controllers")).unwrap_or_default();
    if !available.split_whitespace().any(|name| name == controller) {
        return Err(format!(
            "the controller `{controller}` is not given to {}: under systemd, set `Delegate=yes` for the service",
            folder.display()
        ));
    }
    let control = folder.join("cgroup.subtree_control");
    if read(&control)
        .unwrap_or_default()
        .split_whitespace()
        .any(|name| name == controller)
    {
        return Ok(());
    }
    let enable = format!("+{controller}");
    write(&control, &enable)
        .or_else(|error| {
            if error.kind() != io::ErrorKind::ResourceBusy {
                return Err(error);
            }
            step_aside(folder)?;
            write(&control, &enable)
        })
        .map_err(|error| {
            format!(
                "`{controller}` cannot be handed down by {}: {error}",
                folder.display()
            )
        })
}

/// Moves this program out of the way.
fn step_aside(folder: &Path) -> io::Result<()> {
    let leaf = folder.join(SUPERVISOR);
    make_folder(&leaf)?;
    for pid in read(&folder.join("cgroup.procs"))?.lines() {
        write(&leaf.join("cgroup.procs"), pid)?;
    }
    Ok(())
}

pub(super) fn apply(
    controller: Controller,
    place: &Path,
    limits: &GroupLimits,
) -> Result<(), Error> {
    let set = |file: &str, text: &str| write_doing(&place.join(file), text);
    let bytes =
        |limit: Option<u64>| limit.map_or_else(|| UNLIMITED.to_owned(), |bytes| bytes.to_string());
    match controller {
        Controller::Memory => {
            set("memory.max", &bytes(limits.memory.limit_bytes()))?;
            let swap = match limits.swap {
                // Without a bound on memory, one on swap means nothing.
                Swap::Limited(swap) if limits.memory.get() > 0 => Some(swap.bytes()),
                _ => None,
            };
            if place.join("memory.swap.max").exists() {
                set("memory.swap.max", &bytes(swap))?;
            }
            Ok(())
        }
        Controller::Pids => set("pids.max", &limits.pids.to_string()),
        Controller::Cpu => set(
            "cpu.max",
            &format!("{} {CPU_PERIOD}", bytes(quota(limits.cpu))),
        ),
        Controller::Cpuacct => Ok(()),
        Controller::Cpuset => set("cpuset.cpus", limits.cpus.as_deref().unwrap_or("")),
        Controller::Io => {
            // The new scale is 1 to 10000, mapped as container engines do.
            let weight = 1 + (u32::from(limits.io_weight.clamp(10, 1000)) - 10) * 9999 / 990;
            let _ = write(&place.join("io.weight"), &format!("default {weight}"));
            Ok(())
        }
    }
}

pub(super) fn usage(group: &Group) -> GroupUsage {
    GroupUsage {
        memory_bytes: group.place(Controller::Memory).map_or(0, |place| {
            memory_in_use(place, "memory.current", "inactive_file")
        }),
        cpu_nanos: group
            .place(Controller::Cpuacct)
            .and_then(|place| keyed(&place.join("cpu.stat"), "usage_usec"))
            .unwrap_or(0)
            .saturating_mul(NANOS_PER_MICRO),
    }
}
