//! Paths and links that lead out, and files that are none.

use std::os::unix::fs::symlink;

use hatchery_serverfs::{FsError, Kind};
use hatchery_vocab::Timestamp;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::{Fixture, names, path, permissions, read, write};

/// Every way to touch what a path names. Each must fail, or have nothing to do.
#[track_caller]
fn assert_unreachable(dir: &hatchery_serverfs::ServerDir, at: &str) {
    let now = Timestamp::from_seconds(0);
    assert!(read(dir, at).is_err(), "read {at}");
    assert!(dir.list(&path(at)).is_err(), "list {at}");
    assert!(write(dir, at, b"owned").is_err(), "write {at}");
    assert!(dir.copy(&path(at), now).is_err(), "copy {at}");
    assert!(dir.chmod(&path(at), 0o777).is_err(), "chmod {at}");
}

#[test]
fn dots_and_absolute_paths_stay_inside() {
    let fixture = Fixture::new();
    let outside = fixture.outside().join("secret");
    for dir in fixture.both() {
        for text in [
            "../outside/secret",
            "a/../../outside/secret",
            outside.to_str().unwrap(),
        ] {
            assert!(matches!(read(&dir, text), Err(FsError::NotFound)), "{text}");
        }
        write(&dir, "../../escaped", b"inside").unwrap();
        assert_eq!(read(&dir, "/escaped").unwrap(), b"inside");
        dir.delete(&path("/../escaped")).unwrap();
    }
    fixture.assert_outside_untouched();
    assert!(!fixture.base.path().join("escaped").exists());
}

#[test]
fn links_that_lead_out_are_dead_ends() {
    let fixture = Fixture::new();
    symlink("../outside", fixture.root().join("relative")).unwrap();
    symlink(fixture.outside(), fixture.root().join("absolute")).unwrap();
    symlink("../outside/secret", fixture.root().join("file")).unwrap();
    symlink("/proc/self/root", fixture.root().join("magic")).unwrap();
    symlink("loop", fixture.root().join("loop")).unwrap();
    let mode = permissions(&fixture.outside().join("secret"));
    for dir in fixture.both() {
        for at in ["relative", "absolute", "file", "magic", "loop"] {
            assert_unreachable(&dir, at);
        }
        for at in [
            "relative/secret",
            "absolute/secret",
            "magic/etc/passwd",
            "loop/x",
        ] {
            assert_unreachable(&dir, at);
            assert!(
                dir.create_directory(&path(at).join("new").unwrap())
                    .is_err(),
                "{at}"
            );
            assert!(dir.rename(&path(at), &path("stolen")).is_err(), "{at}");
            write(&dir, "loot", b"").unwrap();
            assert!(dir.rename(&path("loot"), &path(at)).is_err(), "{at}");
            // Either refused or nothing there; never deleted.
            let _ = dir.delete(&path(at));
        }
        assert_eq!(dir.entry(&path("file")).unwrap().unwrap().kind, Kind::Link);
    }
    fixture.assert_outside_untouched();
    assert_eq!(permissions(&fixture.outside().join("secret")), mode);
}

#[test]
fn links_themselves_can_be_moved_and_deleted() {
    let fixture = Fixture::new();
    for dir in fixture.both() {
        symlink("../outside", fixture.root().join("link")).unwrap();
        dir.rename(&path("link"), &path("moved")).unwrap();
        assert!(fixture.root().join("moved").is_symlink());
        assert!(dir.delete(&path("moved")).unwrap());
        std::fs::create_dir(fixture.root().join("tree")).unwrap();
        symlink("../../outside", fixture.root().join("tree/link")).unwrap();
        assert!(dir.delete(&path("tree")).unwrap());
        assert_eq!(names(&dir, "/"), [""; 0]);
    }
    fixture.assert_outside_untouched();
}

#[test]
fn links_that_stay_inside_work_further_up() {
    let fixture = Fixture::new();
    fixture.put("versions/one/config.yml", "a: 1");
    symlink("versions/one", fixture.root().join("current")).unwrap();
    let dir = fixture.dir();
    assert_eq!(read(&dir, "current/config.yml").unwrap(), b"a: 1");
    // Without the kernel's help no link is followed at all.
    assert!(read(&dir.resolving_by_parts(), "current/config.yml").is_err());
}

#[test]
fn a_write_never_goes_through_a_hard_link() {
    let fixture = Fixture::new();
    std::fs::hard_link(
        fixture.outside().join("secret"),
        fixture.root().join("hard"),
    )
    .unwrap();
    let dir = fixture.dir();
    write(&dir, "hard", b"mine now").unwrap();
    assert_eq!(read(&dir, "hard").unwrap(), b"mine now");
    fixture.assert_outside_untouched();
}

#[test]
fn pipes_sockets_and_devices_are_refused_without_waiting() {
    let fixture = Fixture::new();
    let root = fixture.root();
    mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let mut special = vec!["pipe", "socket"];
    let device = mknodat(
        CWD,
        root.join("device"),
        FileType::CharacterDevice,
        Mode::RWXU,
        makedev(1, 5),
    );
    match device {
        Ok(()) => special.push("device"),
        Err(error) => println!("no device node here, left out: {error}"),
    }
    for dir in fixture.both() {
        for at in &special {
            assert!(matches!(read(&dir, at), Err(FsError::NotRegular)), "{at}");
            assert_unreachable(&dir, at);
            assert_eq!(
                dir.entry(&path(at)).unwrap().unwrap().mime,
                "application/octet-stream"
            );
        }
        assert_eq!(dir.list(&path("/")).unwrap().len(), special.len());
    }
    for at in special {
        assert!(fixture.dir().delete(&path(at)).unwrap());
    }
}

#[test]
fn the_root_itself_stays() {
    let fixture = Fixture::new();
    for dir in fixture.both() {
        write(&dir, "a/b", b"").unwrap();
        for root in ["", "/", "a/..", "../.."] {
            assert!(matches!(dir.delete(&path(root)), Err(FsError::Root)));
            assert!(matches!(
                dir.rename(&path(root), &path("x")),
                Err(FsError::Root)
            ));
            assert!(matches!(
                dir.rename(&path("a"), &path(root)),
                Err(FsError::Root)
            ));
            assert!(matches!(dir.write(&path(root)), Err(FsError::IsDirectory)));
            assert!(matches!(
                dir.open_file(&path(root)),
                Err(FsError::IsDirectory)
            ));
            dir.create_directory(&path(root)).unwrap();
            assert!(dir.entry(&path(root)).unwrap().unwrap().is_directory());
        }
        dir.clear().unwrap();
        assert_eq!(names(&dir, ""), [""; 0]);
    }
}
