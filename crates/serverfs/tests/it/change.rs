//! Renaming, copying, deleting and modes.

use hatchery_serverfs::FsError;
use hatchery_vocab::Timestamp;

use crate::{Fixture, names, path, permissions, read, write};

#[test]
fn renaming_moves_and_never_replaces() {
    let fixture = Fixture::new();
    for dir in fixture.both() {
        write(&dir, "a", b"a").unwrap();
        write(&dir, "b", b"b").unwrap();
        assert!(matches!(
            dir.rename(&path("a"), &path("b")),
            Err(FsError::Exists)
        ));
        assert!(matches!(
            dir.rename(&path("a"), &path("a")),
            Err(FsError::Exists)
        ));
        assert!(matches!(
            dir.rename(&path("none"), &path("x/y")),
            Err(FsError::NotFound)
        ));
        dir.rename(&path("a"), &path("new/place/c")).unwrap();
        assert_eq!(read(&dir, "new/place/c").unwrap(), b"a");
        assert!(matches!(
            dir.rename(&path("new"), &path("new/place/new")),
            Err(FsError::IntoItself)
        ));
        assert_eq!(names(&dir, ""), ["new", "b"]);
        dir.clear().unwrap();
    }
}

#[test]
fn copies_count_up_and_keep_mode_and_content() {
    let fixture = Fixture::new();
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|index| (index % 251) as u8)
        .collect();
    fixture.put("world.tar.gz", &content);
    for dir in fixture.both() {
        dir.chmod(&path("world.tar.gz"), 0o640).unwrap();
        for expected in ["/world copy.tar.gz", "/world copy 1.tar.gz"] {
            let copy = dir
                .copy(&path("world.tar.gz"), Timestamp::from_seconds(0))
                .unwrap();
            assert_eq!(copy.to_string(), expected);
            assert_eq!(dir.read(&copy, 1 << 30).unwrap(), content);
            assert_eq!(permissions(&fixture.root().join(&expected[1..])), 0o640);
        }
        dir.delete(&path("world copy.tar.gz")).unwrap();
        dir.delete(&path("world copy 1.tar.gz")).unwrap();
        std::fs::create_dir_all(fixture.root().join("dir")).unwrap();
        for (at, missing) in [("none", true), ("dir", false), ("", false)] {
            let error = dir.copy(&path(at), Timestamp::from_seconds(0)).unwrap_err();
            assert_eq!(matches!(error, FsError::NotFound), missing, "{at}: {error}");
        }
    }
}

#[test]
fn modes_are_set_even_where_reading_is_forbidden() {
    let fixture = Fixture::new();
    let file = fixture.put("dir/file", "x");
    for dir in fixture.both() {
        dir.chmod(&path("dir/file"), 0).unwrap();
        assert_eq!(permissions(&file), 0);
        dir.chmod(&path("dir/file"), 0o7644).unwrap();
        assert_eq!(permissions(&file), 0o644);
        dir.chmod(&path("dir"), 0o700).unwrap();
        assert_eq!(permissions(file.parent().unwrap()), 0o700);
        assert!(matches!(
            dir.chmod(&path("none"), 0o644),
            Err(FsError::NotFound)
        ));
    }
}

#[test]
fn deleting_takes_whole_trees_however_deep() {
    let fixture = Fixture::new();
    for dir in fixture.both() {
        write(&dir, "tree/a/b/c", b"123").unwrap();
        write(&dir, "tree/d", b"123").unwrap();
        assert!(dir.delete(&path("tree")).unwrap());
        assert!(!dir.delete(&path("tree")).unwrap());
        assert!(!dir.delete(&path("none/below")).unwrap());
        assert_eq!(names(&dir, ""), [""; 0]);
    }
    // Deeper than any path can name, and than any process may hold open.
    nest(&fixture.root(), 5000);
    let dir = fixture.dir();
    assert_eq!(dir.measure().unwrap(), 4);
    assert!(dir.delete(&path("deep")).unwrap());
    assert_eq!(names(&dir, ""), [""; 0]);
    assert_eq!(dir.disk_usage(), 0);
}

/// Directories in directories, with a file of four bytes in the last.
fn nest(root: &std::path::Path, depth: usize) {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut here = openat(CWD, root, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&here, "deep", Mode::RWXU).unwrap();
        here = openat(&here, "deep", flags, Mode::empty()).unwrap();
    }
    let file = openat(&here, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
    rustix::io::write(file, b"deep").unwrap();
}
