//! Measures a sandbox by its processes, where no control group does.

use std::collections::HashMap;
use std::path::Path;

use crate::cgroup::GroupUsage;

/// What a process and all its descendants use. Pages that they share are counted more than once.
pub fn tree_usage(root: i32) -> GroupUsage {
    let processes = processes();
    let mut usage = GroupUsage::default();
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let page = rustix::param::page_size() as u64;
    for (pid, process) in &processes {
        if belongs(*pid, root, &processes) {
            usage.memory_bytes += process.pages * page;
            usage.cpu_nanos += process.ticks * (1_000_000_000 / ticks);
        }
    }
    usage
}

struct Process {
    parent: i32,
    /// Processor time, that of buried children included.
    ticks: u64,
    pages: u64,
}

fn belongs(mut pid: i32, root: i32, processes: &HashMap<i32, Process>) -> bool {
    // No chain is longer than there are processes, whatever changes while it is read.
    for _ in 0..processes.len() {
        if pid == root {
            return true;
        }
        match processes.get(&pid) {
            Some(process) => pid = process.parent,
            None => return false,
        }
    }
    false
}

fn processes() -> HashMap<i32, Process> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a folder of the kernel's, not of a server"
    )]
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, process(&entry.path())?))
        })
        .collect()
}

fn process(folder: &Path) -> Option<Process> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a file of the kernel's, not of a server"
    )]
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    parse(&stat)
}

/// The name in parentheses may hold anything, so the fields are counted from its end.
fn parse(stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let ticks = (11..15).map(number).sum::<Option<u64>>()?;
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        ticks,
        pages: number(21)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_hostile_name_is_read() {
        let line = "42 (a) R 1 (x) S 7 42 42 0 -1 4194560 100 0 0 0 3 4 5 6 20 0 1 0 100 1000000 250 18446744073709551615\n";
        let process = parse(line).unwrap();
        assert_eq!((process.parent, process.ticks, process.pages), (7, 18, 250));
        assert!(parse("nonsense").is_none());
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(tree_usage(std::process::id() as i32).memory_bytes > 0);
    }
}
