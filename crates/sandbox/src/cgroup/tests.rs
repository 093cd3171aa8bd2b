//! Both versions on a folder that stands for the kernel's; version 1 runs for real in the tests of
//! the runtime.

use std::collections::BTreeMap;

use super::*;

fn limits() -> GroupLimits {
    GroupLimits {
        memory: MiB::new(512),
        swap: Swap::Limited(MiB::new(128)),
        cpu: CpuPercent::new(150),
        cpus: Some("0".into()),
        io_weight: 500,
        pids: 256,
        oom_kill_disabled: false,
    }
}

/// All files beneath a folder with what is in them.
fn contents(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        #[expect(clippy::disallowed_methods, reason = "the test's own folder")]
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                all.insert(name, read(&path).unwrap().trim().to_owned());
            }
        }
    }
    all
}

fn put(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, text).unwrap();
    }
}

#[test]
fn version_2_hands_controllers_down_and_writes_its_files() {
    let root = tempfile::tempdir().unwrap();
    let all = "cpu cpuset io memory pids";
    put(
        root.path(),
        &[
            ("cgroup.controllers", all),
            ("svc/cgroup.controllers", all),
            ("svc/cgroup.subtree_control", all),
            ("svc/hatchery/cgroup.controllers", "cpu cpuset memory pids"),
            (
                "svc/hatchery/cgroup.subtree_control",
                "cpu cpuset memory pids",
            ),
            ("svc/hatchery/one/memory.swap.max", "max"),
        ],
    );
    let cgroups = Cgroups::detect(root.path(), "0::/svc/supervisor\n");
    // The tree has no `supervisor`, so its parent cannot be told from a foreign path.
    assert_eq!(cgroups.version(), 2);
    let cgroups = {
        fs::create_dir(root.path().join("svc/supervisor")).unwrap();
        drop(cgroups);
        Cgroups::detect(root.path(), "0::/svc/supervisor\n")
    };
    assert!(cgroups.counts_processes());
    let missing = cgroups.missing();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].0, "disk weights");
    assert!(missing[0].1.contains("Delegate=yes"), "{}", missing[0].1);

    let group = cgroups.create("one").unwrap();
    assert_eq!(group.apply(&limits()), Vec::<String>::new());
    let place = root.path().join("svc/hatchery/one");
    let files = contents(&place);
    let expected = [
        ("cpu.max", "150000 100000"),
        ("cpuset.cpus", "0"),
        ("memory.max", "536870912"),
        ("memory.swap.max", "134217728"),
        ("pids.max", "256"),
    ];
    assert_eq!(
        files,
        expected
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    );

    put(
        &place,
        &[
            ("memory.current", "1000\n"),
            ("memory.stat", "anon 1\ninactive_file 300\n"),
            ("cpu.stat", "usage_usec 7\nuser_usec 5\n"),
            ("memory.events", "low 0\noom 3\noom_kill 2\n"),
            ("cgroup.procs", ""),
        ],
    );
    assert_eq!(
        group.usage(),
        GroupUsage {
            memory_bytes: 700,
            cpu_nanos: 7000
        }
    );
    assert_eq!(group.oom_kills(), 2);
    assert!(group.is_empty());
}

#[test]
fn version_1_writes_to_a_tree_for_each_controller() {
    let root = tempfile::tempdir().unwrap();
    put(
        root.path(),
        &[
            ("memory/cgroup.procs", ""),
            ("memory/svc/hatchery/one/memory.memsw.limit_in_bytes", ""),
            ("pids/cgroup.procs", ""),
            ("cpu/cgroup.procs", ""),
            ("cpuset/cgroup.procs", ""),
            ("cpuset/cpuset.cpus", "0-1\n"),
            ("cpuset/cpuset.mems", "0\n"),
            ("cpuset/hatchery/cpuset.cpus", ""),
            ("cpuset/hatchery/cpuset.mems", ""),
            ("cpuset/hatchery/one/cpuset.cpus", ""),
            ("cpuset/hatchery/one/cpuset.mems", ""),
        ],
    );
    let cgroups = Cgroups::detect(
        root.path(),
        "4:memory:/svc\n3:cpuset:/\n2:cpu,cpuacct:/gone\n",
    );
    let lost: Vec<_> = cgroups
        .missing()
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(lost, ["processor figures", "disk weights"]);
    let group = cgroups.create("one").unwrap();
    assert_eq!(group.apply(&limits()), Vec::<String>::new());
    let files = contents(root.path());
    for (name, text) in [
        ("memory/svc/hatchery/one/memory.limit_in_bytes", "536870912"),
        (
            "memory/svc/hatchery/one/memory.memsw.limit_in_bytes",
            "671088640",
        ),
        ("pids/hatchery/one/pids.max", "256"),
        ("cpu/hatchery/one/cpu.cfs_quota_us", "150000"),
        ("cpuset/hatchery/cpuset.mems", "0"),
        ("cpuset/hatchery/one/cpuset.cpus", "0"),
    ] {
        assert_eq!(files.get(name).map(String::as_str), Some(text), "{name}");
    }
    let unlimited = GroupLimits {
        memory: MiB::new(0),
        cpu: CpuPercent::new(0),
        cpus: None,
        swap: Swap::Unlimited,
        ..limits()
    };
    assert_eq!(group.apply(&unlimited), Vec::<String>::new());
    let files = contents(root.path());
    for (name, text) in [
        ("memory/svc/hatchery/one/memory.limit_in_bytes", "-1"),
        ("memory/svc/hatchery/one/memory.memsw.limit_in_bytes", "-1"),
        ("cpu/hatchery/one/cpu.cfs_quota_us", "-1"),
        ("cpuset/hatchery/one/cpuset.cpus", "0-1"),
    ] {
        assert_eq!(files.get(name).map(String::as_str), Some(text), "{name}");
    }
}

#[test]
fn a_group_can_be_written_down() {
    let group = Group {
        version: Version::V1,
        places: vec![
            (Controller::Pids, "/a/b".into()),
            (Controller::Memory, "/c".into()),
        ],
    };
    let text = serde_json::to_string(&group).unwrap();
    assert_eq!(serde_json::from_str::<Group>(&text).unwrap(), group);
}
