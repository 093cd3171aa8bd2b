//! Packing, and getting back what was packed.

use std::io::Write;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use hatchery_archive::{
    ArchiveError, Ignored, Origin, Progress, Selection, Unpack, pack_tar_gz, verify_tar_gz,
};
use hatchery_serverfs::{Denylist, DiskLimit, FsError, RelPath};

use crate::{Fixture, path, unpack};

fn pack(fixture: &Fixture, selection: &Selection) -> Vec<u8> {
    pack_tar_gz(&fixture.dir(), selection, Vec::new(), &Progress::default()).unwrap()
}

fn backup() -> Unpack {
    Unpack {
        into: RelPath::root(),
        denylist: Denylist::empty(),
        origin: Origin::Backup,
    }
}

#[test]
fn a_backup_comes_back_as_it_was() {
    let from = Fixture::new();
    let long = format!("deep/{}/{}", "a".repeat(200), "b".repeat(200));
    from.put(&long, "far down");
    from.put("empty", "");
    let script = from.put("run.sh", "#!/bin/sh");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o751)).unwrap();
    std::fs::create_dir(from.root().join("no files")).unwrap();
    symlink("run.sh", from.root().join("start")).unwrap();
    symlink("../secret", from.root().join("out")).unwrap();
    rustix_fifo(&from);

    let progress = Progress::default();
    let selection = Selection::all_but(Ignored::default());
    let archive = pack_tar_gz(&from.dir(), &selection, Vec::new(), &progress).unwrap();
    assert_eq!(progress.bytes(), 17);
    assert_eq!(
        verify_tar_gz(&archive[..], &Progress::default()).unwrap(),
        17
    );

    let to = Fixture::new();
    unpack(&to.dir(), &backup(), &archive).unwrap();
    std::fs::remove_file(from.root().join("pipe")).unwrap();
    assert_eq!(to.all(), from.all());
    let (old, new) = (
        script.metadata().unwrap(),
        to.root().join("run.sh").metadata().unwrap(),
    );
    assert_eq!(
        (new.mode() & 0o7777, new.mtime()),
        (0o751, old.mtime()),
        "mode and time"
    );

    // Over what is there by now: files are replaced, links too, and nothing goes through one.
    std::fs::remove_file(to.root().join("run.sh")).unwrap();
    symlink("../secret", to.root().join("run.sh")).unwrap();
    to.put("empty", "not any more");
    to.put("new", "stays");
    unpack(&to.dir(), &backup(), &archive).unwrap();
    to.assert_unharmed();
    let mut expected = from.all();
    expected.push(("new".to_owned(), "stays".to_owned()));
    expected.sort();
    assert_eq!(to.all(), expected);
}

fn rustix_fifo(fixture: &Fixture) {
    let made = std::process::Command::new("mkfifo")
        .arg(fixture.root().join("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
}

#[test]
fn what_is_ignored_stays_out() {
    let from = Fixture::new();
    for name in [
        "world/level.dat",
        "world/session.lock",
        "logs/1.gz",
        "server.jar",
    ] {
        from.put(name, name);
    }
    for (patterns, expected) in [
        (
            "logs/\n*.lock",
            &["server.jar", "world/", "world/level.dat"][..],
        ),
        (
            "*\n!world",
            &["world/", "world/level.dat", "world/session.lock"][..],
        ),
        ("*", &[][..]),
    ] {
        let archive = pack(&from, &Selection::all_but(Ignored::parse(patterns)));
        let to = Fixture::new();
        unpack(&to.dir(), &backup(), &archive).unwrap();
        let names: Vec<_> = to.all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{patterns:?}");
    }
}

#[test]
fn a_selection_is_told_from_its_base() {
    let from = Fixture::new();
    for name in ["a/x/1", "a/xy", "a/y", "b"] {
        from.put(name, name);
    }
    let roots = ["a/x", "a/y", "a/gone", "b"].map(path);
    let archive = pack(&from, &Selection::of(path("a"), roots));
    let to = Fixture::new();
    unpack(&to.dir(), &backup(), &archive).unwrap();
    let names: Vec<_> = to.all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["x/", "x/1", "y"]);
}

/// Takes so many bytes and then cancels.
struct Impatient<'a>(&'a Progress);

impl Write for Impatient<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.cancel();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn packing_ends_when_it_is_cancelled_or_its_output_is_full() {
    let from = Fixture::new();
    for number in 0..4_u64 {
        // Content that does not compress.
        let mut state = number + 1;
        let content: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        })
        .take(300_000)
        .collect();
        from.put(&number.to_string(), content);
    }
    let selection = Selection::all_but(Ignored::default());
    let progress = Progress::default();
    let cancelled = pack_tar_gz(&from.dir(), &selection, Impatient(&progress), &progress);
    assert!(matches!(cancelled, Err(ArchiveError::Cancelled)));
    assert!(progress.bytes() < 1_200_000);

    let dir = from.dir();
    dir.measure().unwrap();
    dir.set_disk_limit(DiskLimit::Bytes(1_500_000));
    let writer = dir.write(&path("archive.tar.gz")).unwrap();
    let full = pack_tar_gz(&dir, &selection, writer, &Progress::default());
    assert!(matches!(full, Err(ArchiveError::Files(FsError::NoSpace))));
    assert!(!from.root().join("archive.tar.gz").exists());
}

#[test]
fn a_damaged_backup_is_noticed() {
    let from = Fixture::new();
    from.put("a", "content".repeat(1000));
    let archive = pack(&from, &Selection::all_but(Ignored::default()));
    let mut flipped = archive.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    for damaged in [
        &archive[..archive.len() / 2],
        &flipped[..],
        b"",
        b"PK\x03\x04",
    ] {
        let verified = verify_tar_gz(damaged, &Progress::default());
        assert!(matches!(verified, Err(ArchiveError::Unreadable(_))));
    }
}
