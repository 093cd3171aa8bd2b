//! Archives that want out, or too much.

use std::os::unix::fs::{MetadataExt as _, symlink};

use hatchery_archive::{ArchiveError, Origin, Progress, Unpack, unpack_tar_gz};
use hatchery_serverfs::{Denylist, DiskLimit, FsError};
use tar::EntryType;

use crate::{Fixture, Tar, foreign, path, unpack};

#[test]
fn names_cannot_climb() {
    let fixture = Fixture::new();
    let archive = Tar::default()
        .file("/absolute", "1")
        .file("../up", "2")
        .file("a/../../../b", "3")
        .file("../../secret", "4")
        .entry(EntryType::Directory, "../../dir/", "", b"")
        .gz();
    unpack(&fixture.dir(), &foreign("in/here"), &archive).unwrap();
    fixture.assert_unharmed();
    let names: Vec<_> = fixture.all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["absolute", "b", "dir/", "secret", "up"]
            .map(|name| format!("in/here/{name}"))
            .into_iter()
            .fold(
                vec!["in/".to_owned(), "in/here/".to_owned()],
                |mut all, name| {
                    all.push(name);
                    all
                }
            )
    );
}

#[test]
fn nothing_is_written_through_links() {
    let fixture = Fixture::new();
    let outside = fixture.base.path().to_str().unwrap().to_owned();
    let secret = format!("{outside}/secret");
    let archive = Tar::default()
        .entry(EntryType::Symlink, "out", &outside, b"")
        .entry(EntryType::Symlink, "file", &secret, b"")
        .entry(EntryType::Link, "hard", &secret, b"")
        .entry(EntryType::Link, "hard2", "../../secret", b"")
        .entry(EntryType::Fifo, "pipe", "", b"")
        .entry(EntryType::Char, "null", "", b"")
        .entry(EntryType::Block, "disk", "", b"")
        .file("out/secret", "hacked")
        .file("file", "hacked")
        .gz();
    for origin in [Origin::Foreign, Origin::Backup] {
        let how = Unpack {
            origin,
            ..foreign("")
        };
        unpack(&fixture.dir(), &how, &archive).unwrap();
        fixture.assert_unharmed();
        let expected = [("file", "hacked"), ("out/", ""), ("out/secret", "hacked")];
        let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
        assert_eq!(fixture.all(), expected);
    }

    // A link that the server itself put there beforehand.
    let fixture = Fixture::new();
    symlink(&outside, fixture.root().join("out")).unwrap();
    for origin in [Origin::Foreign, Origin::Backup] {
        let how = Unpack {
            origin,
            ..foreign("")
        };
        let outcome = unpack(&fixture.dir(), &how, &archive);
        assert!(
            matches!(outcome, Err(ArchiveError::Files(_))),
            "{outcome:?}"
        );
        fixture.assert_unharmed();
    }
}

#[test]
fn a_hard_link_becomes_a_copy_without_special_bits() {
    let fixture = Fixture::new();
    let archive = Tar::default()
        .file("a", "content")
        .entry(EntryType::Link, "b", "a", b"")
        .gz();
    unpack(&fixture.dir(), &foreign("x"), &archive).unwrap();
    let metadata = fixture.root().join("x/b").metadata().unwrap();
    assert_eq!((metadata.nlink(), metadata.mode() & 0o7777), (1, 0o755));
    assert_eq!(metadata.mtime(), 1_700_000_000);
    let content = std::fs::read_to_string(fixture.root().join("x/b")).unwrap();
    assert_eq!(content, "content");
}

#[test]
fn what_is_denied_is_passed_over_and_what_is_there_keeps_its_mode() {
    let fixture = Fixture::new();
    fixture.put("in/old", "old");
    let how = Unpack {
        denylist: Denylist::new(["*.jar"]),
        ..foreign("in")
    };
    let archive = Tar::default()
        .file("server.jar", "no")
        .file("old", "new")
        .file("x.jar/inside", "no")
        .gz();
    unpack(&fixture.dir(), &how, &archive).unwrap();
    let expected = [("in/", ""), ("in/old", "new")];
    let expected = expected.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(fixture.all(), expected);
    let mode = fixture.root().join("in/old").metadata().unwrap().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn the_disk_limit_counts_while_it_is_written() {
    let fixture = Fixture::new();
    let dir = fixture.dir();
    dir.set_disk_limit(DiskLimit::Bytes(1_500_000));
    let archive = Tar::default()
        .file("a", vec![0; 1_000_000])
        .file("b", vec![0; 1_000_000])
        .gz();
    let outcome = unpack(&dir, &foreign(""), &archive);
    assert!(matches!(
        outcome,
        Err(ArchiveError::Files(FsError::NoSpace))
    ));
    assert_eq!(dir.disk_usage(), 1_000_000);
    assert!(!fixture.root().join("b").exists());
}

#[test]
fn a_bomb_is_put_out() {
    // What a few hundred kilobytes can hold, twice over the limit for their size.
    let archive = Tar::default()
        .file("zeros", vec![0; 300 * 1024 * 1024])
        .gz();
    assert!(archive.len() < 2 * 1024 * 1024, "{}", archive.len());
    let fixture = Fixture::new();
    let outcome = unpack(&fixture.dir(), &foreign(""), &archive);
    assert!(
        matches!(outcome, Err(ArchiveError::TooDense(_))),
        "{outcome:?}"
    );
    assert_eq!(fixture.all(), []);

    // A name of many mebibytes, which a reader of tar archives gathers in memory.
    let name = vec![b'x'; 8 * 1024 * 1024];
    let archive = Tar::default()
        .entry(EntryType::GNULongName, "././@LongLink", "", &name)
        .file("short", "")
        .gz();
    let outcome = unpack(&fixture.dir(), &foreign(""), &archive);
    assert!(
        matches!(outcome, Err(ArchiveError::Unreadable(_))),
        "{outcome:?}"
    );
    assert_eq!(fixture.all(), []);

    let deep = "a/".repeat(45);
    let deep = Tar::default()
        .entry(
            EntryType::GNULongName,
            "././@LongLink",
            "",
            deep.repeat(3).as_bytes(),
        )
        .file("deep", "")
        .gz();
    let outcome = unpack(&fixture.dir(), &foreign(""), &deep);
    assert!(
        matches!(outcome, Err(ArchiveError::Files(FsError::Path(_)))),
        "{outcome:?}"
    );
}

#[test]
fn unpacking_ends_when_it_is_cancelled() {
    let fixture = Fixture::new();
    let archive = Tar::default().file("a", "1").file("b", "2").gz();
    let progress = Progress::default();
    let mut names = Vec::new();
    let outcome = unpack_tar_gz(
        &fixture.dir(),
        &foreign("in"),
        &archive[..],
        &progress,
        &mut |path| {
            names.push(path.to_string());
            progress.cancel();
        },
    );
    assert!(matches!(outcome, Err(ArchiveError::Cancelled)));
    assert_eq!(names, [path("in/a").to_string()]);
}
