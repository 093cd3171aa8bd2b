//! Listing, names and media types.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use hatchery_serverfs::{FsError, Kind};

use crate::{Fixture, names, path, read, write};

#[test]
fn directories_come_first_and_names_ascend() {
    let fixture = Fixture::new();
    for file in ["b.txt", "a.txt", "Z.txt", "world/level.dat", "config/x"] {
        fixture.put(file, "text");
    }
    for dir in fixture.both() {
        assert_eq!(
            names(&dir, "/"),
            ["config", "world", "Z.txt", "a.txt", "b.txt"]
        );
        let entries = dir.list(&path("")).unwrap();
        assert_eq!(
            (entries[0].kind, &*entries[0].mime),
            (Kind::Directory, "inode/directory")
        );
        assert_eq!(
            (entries[3].size, &*entries[3].mime),
            (4, "text/plain; charset=utf-8")
        );
        assert_eq!(dir.list(&path("world")).unwrap().len(), 1);
        assert!(matches!(dir.list(&path("none")), Err(FsError::NotFound)));
        assert!(matches!(
            dir.list(&path("a.txt")),
            Err(FsError::NotDirectory)
        ));
        assert!(matches!(
            dir.list(&path("a.txt/below")),
            Err(FsError::NotDirectory)
        ));
        assert_eq!(dir.entry(&path("a.txt/below")).unwrap(), None);
    }
}

#[test]
fn a_hundred_thousand_entries_are_listed() {
    let fixture = Fixture::new();
    for index in 0..100_000 {
        std::fs::File::create(fixture.root().join(format!("chunk-{index}.dat"))).unwrap();
    }
    let entries = fixture.dir().list(&path("/")).unwrap();
    assert_eq!(entries.len(), 100_000);
    assert!(entries.is_sorted_by(|one, other| one.name < other.name));
    fixture.dir().clear().unwrap();
    assert_eq!(names(&fixture.dir(), "/"), [""; 0]);
}

#[test]
fn the_longest_names_work_and_longer_ones_are_refused() {
    let fixture = Fixture::new();
    let longest = "x".repeat(255);
    for dir in fixture.both() {
        write(&dir, &longest, b"long").unwrap();
        assert_eq!(read(&dir, &longest).unwrap(), b"long");
        let copied = dir.copy(&path(&longest), hatchery_vocab::Timestamp::from_seconds(0));
        assert!(matches!(copied, Err(FsError::Path(_))));
        assert_eq!(names(&dir, "/"), [longest.as_str()]);
        assert!(dir.delete(&path(&longest)).unwrap());
    }
}

#[test]
fn names_that_are_not_utf8_can_be_seen_renamed_and_deleted() {
    let fixture = Fixture::new();
    let put =
        |name: &[u8]| std::fs::write(fixture.root().join(OsStr::from_bytes(name)), "x").unwrap();
    let dir = fixture.dir();
    put(b"gr\xfc\xdfe");
    let shown = "gr\u{fffd}\u{fffd}e";
    assert_eq!(names(&dir, "/"), [shown]);
    assert_eq!(read(&dir, shown).unwrap(), b"x");
    dir.rename(&path(shown), &path("gruesse")).unwrap();
    assert_eq!(names(&dir, "/"), ["gruesse"]);

    put(b"\xff");
    assert!(dir.delete(&path("\u{fffd}")).unwrap());
    // Two that look alike: neither is meant for sure, so neither is touched.
    put(b"\xfe");
    put(b"\xff");
    assert!(!dir.delete(&path("\u{fffd}")).unwrap());
    // The exact bytes always work.
    for name in [&b"\xfe"[..], b"\xff", b"gruesse"] {
        assert!(
            dir.delete(&hatchery_serverfs::RelPath::parse(name).unwrap())
                .unwrap()
        );
    }
    assert_eq!(names(&dir, "/"), [""; 0]);
}

#[test]
fn a_directory_without_end_is_refused() {
    let fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.put(name, "");
    }
    let dir = fixture.dir();
    assert_eq!(dir.list_at_most(&path("/"), 3).unwrap().len(), 3);
    let refused = dir.list_at_most(&path("/"), 2).unwrap_err();
    assert!(
        matches!(refused, FsError::TooMany { limit: 2 }),
        "{refused}"
    );
}
