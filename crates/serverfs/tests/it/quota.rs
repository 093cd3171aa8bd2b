//! The disk limit, and the disk's own end.

use hatchery_serverfs::{DiskLimit, FsError, ServerDir};
use hatchery_vocab::Timestamp;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::{Fixture, names, path, read, write};

#[test]
fn usage_follows_writes_copies_and_deletions() {
    let fixture = Fixture::new();
    fixture.put("old/file", [0; 1000]);
    std::fs::hard_link(fixture.root().join("old/file"), fixture.root().join("hard")).unwrap();
    std::os::unix::fs::symlink("old/file", fixture.root().join("link")).unwrap();
    let dir = fixture.dir();
    assert_eq!(dir.disk_usage(), 0);
    assert_eq!(dir.measure().unwrap(), 2000);
    write(&dir, "new", &[0; 500]).unwrap();
    assert_eq!(dir.disk_usage(), 2500);
    write(&dir, "new", &[0; 100]).unwrap();
    assert_eq!(dir.disk_usage(), 2100);
    dir.copy(&path("new"), Timestamp::from_seconds(0)).unwrap();
    assert_eq!(dir.disk_usage(), 2200);
    dir.delete(&path("old")).unwrap();
    dir.delete(&path("link")).unwrap();
    assert_eq!(dir.disk_usage(), 1200);
    assert_eq!(dir.measure().unwrap(), 1200);
}

#[test]
fn nothing_grows_past_the_limit() {
    let fixture = Fixture::new();
    let dir = fixture.dir();
    dir.set_disk_limit(DiskLimit::Bytes(1000));
    write(&dir, "a", &[1; 600]).unwrap();
    assert!(matches!(write(&dir, "b", &[0; 401]), Err(FsError::NoSpace)));
    assert!(matches!(
        dir.copy(&path("a"), Timestamp::from_seconds(0)),
        Err(FsError::NoSpace)
    ));
    assert_eq!(
        (names(&dir, "/"), dir.disk_usage()),
        (vec!["a".to_owned()], 600)
    );
    // A replacement is weighed against what it replaces.
    write(&dir, "a", &[2; 1000]).unwrap();
    assert!(matches!(
        write(&dir, "a", &[3; 1001]),
        Err(FsError::NoSpace)
    ));
    assert_eq!(read(&dir, "a").unwrap(), [2; 1000]);

    // Over the limit already: only less is possible.
    dir.set_disk_limit(DiskLimit::Bytes(500));
    assert!(dir.is_over_limit());
    write(&dir, "a", &[4; 700]).unwrap();
    assert!(matches!(write(&dir, "b", b"x"), Err(FsError::NoSpace)));
    write(&dir, "empty", b"").unwrap();
    dir.delete(&path("a")).unwrap();
    assert!(!dir.is_over_limit());
}

#[test]
fn writers_share_the_limit_while_they_write() {
    let fixture = Fixture::new();
    let dir = fixture.dir();
    dir.set_disk_limit(DiskLimit::Bytes(1000));
    let mut one = dir.write(&path("one")).unwrap();
    let mut two = dir.write(&path("two")).unwrap();
    one.write(&[0; 600]).unwrap();
    assert!(matches!(two.write(&[0; 600]), Err(FsError::NoSpace)));
    drop(one);
    two.write(&[0; 600]).unwrap();
    two.commit().unwrap();
    assert_eq!(dir.disk_usage(), 600);
}

#[test]
fn parallel_writers_never_exceed_the_limit() {
    let fixture = Fixture::new();
    let dir = fixture.dir();
    dir.set_disk_limit(DiskLimit::Bytes(10_000));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let dir = &dir;
            scope.spawn(move || {
                for index in 0..50 {
                    let _ = write(dir, &format!("{thread}-{index}"), &[0; 100]);
                }
            });
        }
    });
    assert_eq!(dir.disk_usage(), 10_000);
    assert_eq!(dir.measure().unwrap(), 10_000);
}

#[test]
fn a_full_disk_costs_nothing_that_was_there() {
    let fixture = Fixture::new();
    let root = fixture.root();
    if let Err(error) = mount(
        "tmpfs",
        &root,
        "tmpfs",
        MountFlags::empty(),
        Some(c"size=256k"),
    ) {
        println!("SKIPPED: no file system of its own can be mounted here ({error})");
        return;
    }
    let dir = ServerDir::open(&root).unwrap();
    write(&dir, "world", &vec![1; 100_000]).unwrap();
    let failed = write(&dir, "world", &vec![2; 1_000_000]);
    let copied = dir
        .copy(&path("world"), Timestamp::from_seconds(0))
        .and_then(|_| dir.copy(&path("world"), Timestamp::from_seconds(0)));
    let kept = read(&dir, "world");
    let usage = (dir.disk_usage(), dir.measure());
    drop(dir);
    unmount(&root, UnmountFlags::DETACH).unwrap();
    assert!(matches!(failed, Err(FsError::NoSpace)), "{failed:?}");
    assert!(matches!(copied, Err(FsError::NoSpace)), "{copied:?}");
    assert_eq!(kept.unwrap(), vec![1; 100_000]);
    assert_eq!((usage.0, usage.1.unwrap()), (200_000, 200_000));
}
