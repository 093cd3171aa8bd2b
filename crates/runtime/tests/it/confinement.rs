//! What a server must not be able to see or do: each known trick, tried from inside.
//!
//! The tricks are system calls made by `perl`, which every Debian has, since a shell cannot make
//! them; numbers are those of x86-64.

use std::io::{BufRead, BufReader};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use hatchery_runtime::BindMount;

use crate::support::{World, code, is_root, machine_has};

/// Who runs the panel where it is not root.
const SOMEBODY: u32 = 54_321;

/// Runs a line and gives back what it printed after its announcement.
async fn output(world: &World, line: &str) -> String {
    let (_, seen) = world.run(&format!("{line}\n")).await;
    let shown = line.replace('\n', "\r\n");
    let start = seen.find(&shown).map_or(0, |at| at + shown.len());
    seen[start..].trim().to_owned()
}

#[tokio::test]
async fn a_server_is_a_user_of_its_own_without_any_privilege() {
    let world = World::new();
    if !is_root() {
        return;
    }
    let seen = output(&world, "id -u; id -G; whoami; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr -d '\\t'").await;
    let mut lines = seen.lines();
    let uid: u32 = lines.next().unwrap().parse().unwrap();
    assert!((200_000..300_000).contains(&uid), "{seen}");
    assert_eq!(lines.next(), Some(uid.to_string().as_str()));
    assert_eq!(lines.next(), Some("container"));
    let status: Vec<&str> = lines.collect();
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            status.contains(&format!("{name}:0000000000000000").as_str()),
            "{status:?}"
        );
    }
    assert!(
        status.contains(&"NoNewPrivs:1") && status.contains(&"Seccomp:2"),
        "{status:?}"
    );

    let other = World::new();
    let second = output(&other, "id -u").await;
    assert_eq!(
        output(&world, "id -u").await,
        uid.to_string(),
        "it keeps its user"
    );
    // Two tables could agree by chance; within one, servers never share.
    assert!(second.parse::<u32>().is_ok());
    assert_eq!(std::fs::metadata(world.root()).unwrap().uid(), uid);
}

#[tokio::test]
async fn the_machine_and_the_panel_are_out_of_sight() {
    let world = World::new();
    std::fs::write(world.data.path().join("database"), "secret").unwrap();
    let data = world.data.path().display();
    for (line, expected) in [
        (format!("cat {data}/database || cat /proc/1/root{data}/database || echo hidden"), "hidden"),
        ("ls /root /home /var/lib /srv /mnt /media /sys 2>/dev/null | grep -v '^$' | tr '\\n' ' '".into(), "/home: container /root:"),
        ("cat /etc/shadow || echo hidden".into(), "hidden"),
        ("ls /proc | grep -c '^[0-9]' | grep -qx '[2-9]' && echo few".into(), "few"),
        ("cat /proc/1/environ || echo hidden".into(), "hidden"),
        ("ls -A /.old 2>/dev/null; ls -A /etc/ssl/private 2>/dev/null; echo nothing".into(), "nothing"),
        ("cat /proc/kcore /proc/keys /proc/timer_list 2>&1 | head -c 100; echo; echo empty".into(), "empty"),
        ("echo ../../../..; cat ../../../../../..".to_owned() + &format!("{data}/database || echo hidden"), "hidden"),
        (format!("ln -s {data}/database link; cat link || echo hidden"), "hidden"),
        ("ln -s /proc/1/root/etc/shadow link2; cat link2 || echo hidden".into(), "hidden"),
        ("env | grep -c -i -E 'cargo|ssh|token'".into(), "0"),
    ] {
        let seen = output(&world, &line).await;
        assert!(seen.ends_with(expected), "{line}: {seen}");
        assert!(!seen.contains("secret"), "{line}: {seen}");
    }
}

#[tokio::test]
async fn only_the_folder_and_the_temporary_ones_can_be_written() {
    let world = World::new();
    for folder in [
        "/",
        "/usr",
        "/usr/bin",
        "/usr/local",
        "/etc",
        "/opt",
        "/var",
        "/run",
        "/root",
        "/dev",
        "/proc/sys/kernel",
        "/.hatchery",
        "/.hatchery/bin",
        "/mnt",
        "/home",
    ] {
        let seen = output(
            &world,
            &format!("touch {folder}/x 2>/dev/null && echo written || echo refused"),
        )
        .await;
        assert!(seen.ends_with("refused"), "{folder}: {seen}");
    }
    for folder in ["/home/container", "/tmp", "/var/tmp", "/dev/shm"] {
        let seen = output(
            &world,
            &format!("touch {folder}/x && echo written || echo refused"),
        )
        .await;
        assert!(seen.ends_with("written"), "{folder}: {seen}");
    }
    let program = output(
        &world,
        "printf '#!/bin/sh\\necho ran' > /tmp/p; chmod +x /tmp/p; /tmp/p",
    )
    .await;
    assert!(
        program.ends_with("ran"),
        "programs may be put into /tmp: {program}"
    );
    let helper = output(&world, "command -v hatchery; hatchery nothing; echo $?").await;
    assert!(helper.ends_with("/.hatchery/bin/hatchery\r\n2"), "{helper}");
}

#[tokio::test]
async fn dangerous_calls_are_refused() {
    if !machine_has("perl") || !cfg!(target_arch = "x86_64") {
        return;
    }
    let world = World::new();
    if !is_root() {
        return;
    }
    // Name, call with its arguments, and whether it must fail with EPERM (1) or ENOSYS (38).
    let calls = [
        ("mount", "165, 0, my $t = '/tmp', 0, 0, 0", 1),
        ("umount2", "166, my $t = '/proc', 2", 1),
        ("pivot_root", "155, my $a = '.', my $b = '.'", 1),
        ("chroot", "161, my $a = '/tmp'", 1),
        ("ptrace the first process", "101, 16, 1, 0, 0", 1),
        ("unshare a user namespace", "272, 0x10000000", 1),
        ("clone a user namespace", "56, 0x10000011, 0, 0, 0, 0", 1),
        ("clone3", "435, 0, 0", 38),
        ("setns", "308, 0, 0", 1),
        ("keyctl", "250, 0, -3, 0", 1),
        ("add_key", "248, 0, 0, 0, 0, 0", 1),
        ("bpf", "321, 0, 0, 0", 1),
        ("perf_event_open", "298, 0, 0, 0, 0, 0", 1),
        ("userfaultfd", "323, 0", 1),
        ("init_module", "175, 0, 0, 0", 1),
        ("kexec_load", "246, 0, 0, 0, 0", 1),
        ("open_by_handle_at", "304, 0, 0, 0", 1),
        ("reboot", "169, 0, 0, 0, 0", 1),
        ("io_uring_setup", "425, 1, 0", 38),
        ("mount by its x32 number", "0x400000a5, 0, 0, 0, 0, 0", 38),
        ("type into the terminal", "16, 0, 0x5412, 0", 1),
        ("setuid to root", "105, 0", 1),
        ("sethostname", "170, my $a = 'x', 1", 1),
    ];
    for (name, call, error) in calls {
        let script = format!("$r = syscall({call}); printf \"%d %d\\n\", $r, $!+0;");
        std::fs::write(world.root().join("try.pl"), script).unwrap();
        let seen = output(&world, "perl try.pl").await;
        assert_eq!(
            seen.lines().last(),
            Some(format!("-1 {error}").as_str()),
            "{name}: {seen}"
        );
    }
}

#[tokio::test]
async fn the_well_known_escapes_fail() {
    let world = World::new();
    // A program with the set-user-id bit of root in the server's folder, as a careless owner may
    // have left it there, and the machine's own.
    let shell = world.root().join("rootshell");
    std::fs::copy("/bin/cat", &shell).unwrap();
    std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o4755)).unwrap();
    for (name, line) in [
        (
            "release_agent",
            "mkdir -p /tmp/cg; mount -t cgroup -o memory cgroup /tmp/cg && echo escaped; ls /sys/fs/cgroup && echo escaped",
        ),
        (
            "sysrq",
            "echo h > /proc/sysrq-trigger && [ ! -c /proc/sysrq-trigger ] && echo escaped",
        ),
        (
            "core_pattern",
            "echo '|/tmp/x' > /proc/sys/kernel/core_pattern && echo escaped",
        ),
        (
            "mknod",
            "mknod /tmp/disk b 254 0 && echo escaped; mknod disk c 1 1 && echo escaped",
        ),
        (
            "devices",
            "ls /dev | grep -E '^(sd|vd|nvme|mem|kmsg|fuse|kvm|loop|mapper)' && echo escaped",
        ),
        (
            "set-user-id",
            "./rootshell /proc/self/status | grep -E '^Uid:.*\\b0\\b' && echo escaped",
        ),
        ("su", "su -c id </dev/null | grep -q uid=0 && echo escaped"),
        ("unshare", "unshare -Ur id | grep -q uid=0 && echo escaped"),
        ("nsenter", "nsenter -t 1 -m ls /root && echo escaped"),
        (
            "first process's memory",
            "head -c 1 /proc/1/mem && echo escaped; ls /proc/1/fd/ && echo escaped; cat /proc/1/maps && echo escaped",
        ),
        (
            "other processes",
            "kill -9 1; kill -0 2147483 && echo escaped",
        ),
        (
            "remount",
            "mount -o remount,rw / && echo escaped; umount /proc && echo escaped",
        ),
        (
            "descriptors",
            "ls /proc/self/fd | sort -n | awk '$1 > 3' | grep . && echo escaped",
        ),
    ] {
        let seen = output(&world, &format!("( {line} ) 2>/dev/null; echo through")).await;
        assert!(
            !seen.lines().any(|line| line == "escaped"),
            "{name}: {seen}"
        );
        assert!(seen.ends_with("through"), "{name}: {seen}");
    }
}

#[tokio::test]
async fn mounts_are_seen_where_they_are_asked_for_and_links_do_not_lead_them_astray() {
    let world = World::new();
    let shared = tempfile::tempdir().unwrap();
    std::fs::write(shared.path().join("map"), "de_dust").unwrap();
    std::fs::set_permissions(shared.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink("/etc", world.root().join("astray")).unwrap();
    let mut spec = world.spec("cat maps/map; echo; touch maps/x 2>/dev/null || echo read-only; touch /mnt/rw/y && echo writable");
    let mount = |target: &str, read_only| BindMount {
        source: shared.path().to_owned(),
        target: target.into(),
        read_only,
    };
    spec.mounts = vec![mount("/home/container/maps", true), mount("/mnt/rw", false)];
    let (exit, seen) = world.start_spec(&spec).await.end().await;
    assert_eq!(exit, code(0), "{seen}");
    assert!(
        seen.ends_with("de_dust\r\nread-only\r\nwritable\r\n"),
        "{seen}"
    );
    assert!(shared.path().join("y").exists() && !shared.path().join("x").exists());

    // The server has put a link where the mount shall be made.
    spec.invocation = "true".into();
    spec.mounts = vec![mount("/home/container/astray/made", false)];
    let started = hatchery_runtime::Runtime::start(&world.runtime, &spec).await;
    assert!(started.is_err(), "{started:?}");
    assert!(!std::path::Path::new("/etc/made").exists());
}

#[tokio::test]
async fn abstract_sockets_of_the_machine_cannot_be_reached() {
    if !machine_has("perl") {
        return;
    }
    let world = World::new();
    let name = format!("hatchery-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let script = format!(
        "use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, sockaddr_un(\"\\0{name}\")) ? 'reached' : \"refused $!\", \"\\n\";"
    );
    std::fs::write(world.root().join("try.pl"), script).unwrap();
    let seen = output(&world, "perl try.pl").await;
    let scoped = world
        .runtime
        .diagnose()
        .iter()
        .any(|finding| finding.subject == "landlock" && finding.text.starts_with("version"));
    if scoped {
        assert!(seen.contains("refused"), "{seen}");
    } else {
        eprintln!("SKIPPED: this kernel has no Landlock scopes");
    }
}

#[tokio::test]
async fn without_root_a_server_is_confined_by_a_user_namespace() {
    if !is_root() {
        return;
    }
    let world = World::new();
    // The panel runs as somebody, who must be able to get at its data and at the program.
    let program = world.data.path().join("probe");
    std::fs::copy(env!("CARGO_BIN_EXE_runtime-probe"), &program).unwrap();
    let (run, root) = (world.data.path().join("elsewhere"), world.root());
    std::fs::create_dir(&run).unwrap();
    for path in [world.data.path(), &run, &root, &root.join("..")] {
        std::os::unix::fs::chown(path, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    }
    let line = "grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; id -u; touch /x || echo refused; \
        cat /etc/shadow || echo hidden; echo ok > made; unshare -Ur true || echo no namespace; ls /proc | grep -c '^[0-9]'; echo through";
    let mut panel = Command::new(&program)
        .arg("panel")
        .args([&run, &root])
        .args([&world.server.to_string(), line])
        .uid(SOMEBODY)
        .gid(SOMEBODY)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(panel.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let seen: Vec<String> = lines.take_while(|line| !line.starts_with("exit")).collect();
    panel.kill().unwrap();
    panel.wait().unwrap();
    let seen = seen.join("\n");
    for expected in [
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
        "54321",
        "refused",
        "hidden",
        "no namespace",
        "through",
    ] {
        assert!(seen.contains(expected), "{expected}: {seen}");
    }
    assert!(root.join("made").exists());
}
