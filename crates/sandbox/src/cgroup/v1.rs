//! Version 1: one tree of folders for each controller.

use std::io;
use std::path::{Path, PathBuf};

use hatchery_vocab::Swap;

use super::{
    CPU_PERIOD, Cgroups, Controller, FAMILY, Group, GroupLimits, GroupUsage, Version, make_family,
    memory_in_use, number, quota, read, write, write_doing,
};
use crate::error::Error;

/// "Unlimited" to every file of this version that knows it.
const UNLIMITED: &str = "-1";

pub(super) fn detect(root: &Path, own: &str) -> Cgroups {
    let mut found = Cgroups {
        version: Version::V1,
        places: Vec::new(),
        missing: Vec::new(),
    };
    for controller in Controller::ALL {
        match family(root, own, controller) {
            Ok(place) => found.places.push((controller, place)),
            Err(reason) => found.missing.push((controller, reason)),
        }
    }
    found
}

/// Makes the folder for all groups of one controller, beneath the caller's own group where that
/// can be seen.
fn family(root: &Path, own: &str, controller: Controller) -> Result<PathBuf, String> {
    let name = controller.name();
    let tree = root.join(name);
    if !tree.join("cgroup.procs").exists() {
        return Err(format!(
            "no control group tree is mounted at {}",
            tree.display()
        ));
    }
    let own = own_path(own, name)
        .map(|path| tree.join(path.trim_start_matches('/')))
        .filter(|path| path.is_dir());
    // Started from within a group of ours, the new one shall not nest.
    let parent = own
        .filter(|path| !path.iter().any(|part| part == FAMILY))
        .unwrap_or(tree);
    let place = parent.join(FAMILY);
    make_family(&place)?;
    if controller == Controller::Cpuset {
        inherit_cpuset(&parent, &place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    Ok(place)
}

/// The path of the line `id:controllers:path` that names the controller.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let names = parts.next()?;
        let path = parts.next()?;
        names
            .split(',')
            .any(|name| name == controller)
            .then_some(path)
    })
}

/// A new group of this version has no processors and no memory, and takes no process until it has.
pub(super) fn inherit_cpuset(parent: &Path, place: &Path) -> io::Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if read(&place.join(file))?.trim().is_empty() {
            write(&place.join(file), read(&parent.join(file))?.trim())?;
        }
    }
    Ok(())
}

pub(super) fn apply(
    controller: Controller,
    place: &Path,
    limits: &GroupLimits,
) -> Result<(), Error> {
    let set = |file: &str, text: &str| write_doing(&place.join(file), text);
    match controller {
        Controller::Memory => {
            // The sum with swap must never be below the memory alone, whichever of them shrinks.
            let with_swap = place.join("memory.memsw.limit_in_bytes").exists();
            if with_swap {
                set("memory.memsw.limit_in_bytes", UNLIMITED)?;
            }
            let memory = limits.memory.limit_bytes();
            set(
                "memory.limit_in_bytes",
                &memory.map_or_else(|| UNLIMITED.to_owned(), |bytes| bytes.to_string()),
            )?;
            if let (true, Some(memory), Swap::Limited(swap)) = (with_swap, memory, limits.swap) {
                set(
                    "memory.memsw.limit_in_bytes",
                    &memory.saturating_add(swap.bytes()).to_string(),
                )?;
            }
            set(
                "memory.oom_control",
                if limits.oom_kill_disabled { "1" } else { "0" },
            )
        }
        Controller::Pids => set("pids.max", &limits.pids.to_string()),
        Controller::Cpu => {
            set("cpu.cfs_period_us", &CPU_PERIOD.to_string())?;
            set(
                "cpu.cfs_quota_us",
                &quota(limits.cpu).map_or_else(|| UNLIMITED.to_owned(), |quota| quota.to_string()),
            )
        }
        Controller::Cpuacct => Ok(()),
        Controller::Cpuset => match &limits.cpus {
            Some(cpus) => set("cpuset.cpus", cpus),
            None => place.parent().map_or(Ok(()), |family| {
                let all = read(&family.join("cpuset.cpus")).unwrap_or_default();
                set("cpuset.cpus", all.trim())
            }),
        },
        Controller::Io => {
            // Only some disk schedulers know weights, and each has a file of its own.
            for file in ["blkio.weight", "blkio.bfq.weight"] {
                let _ = write(&place.join(file), &limits.io_weight.to_string());
            }
            Ok(())
        }
    }
}

pub(super) fn usage(group: &Group) -> GroupUsage {
    GroupUsage {
        memory_bytes: group.place(Controller::Memory).map_or(0, |place| {
            memory_in_use(place, "memory.usage_in_bytes", "total_inactive_file")
        }),
        cpu_nanos: group
            .place(Controller::Cpuacct)
            .and_then(|place| number(&place.join("cpuacct.usage")))
            .unwrap_or(0),
    }
}
