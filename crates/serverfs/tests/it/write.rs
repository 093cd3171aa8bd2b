//! Writing and reading.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use hatchery_serverfs::{FsError, Owner, ServerDir};

use crate::{Fixture, names, path, permissions, read, write};

#[test]
fn a_written_file_has_parents_a_mode_and_its_content() {
    let fixture = Fixture::new();
    for dir in fixture.both() {
        write(&dir, "new/deep/file.txt", b"one").unwrap();
        assert_eq!(permissions(&fixture.root().join("new")), 0o755);
        assert_eq!(
            permissions(&fixture.root().join("new/deep/file.txt")),
            0o644
        );
        write(&dir, "new/deep/file.txt", b"").unwrap();
        assert_eq!(read(&dir, "new/deep/file.txt").unwrap(), b"");
        assert_eq!(names(&dir, "new/deep"), ["file.txt"]);
        dir.delete(&path("new")).unwrap();
    }
}

#[test]
fn an_existing_mode_is_kept_without_special_bits() {
    let fixture = Fixture::new();
    let script = fixture.put("run.sh", "old");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o4750)).unwrap();
    write(&fixture.dir(), "run.sh", b"new").unwrap();
    assert_eq!(permissions(&script), 0o750);
}

#[test]
fn a_write_that_breaks_off_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.put("world", "precious");
    let dir = fixture.dir();
    for name in ["world", "fresh"] {
        let mut writer = dir.write(&path(name)).unwrap();
        writer.write(b"half of ").unwrap();
        drop(writer);
    }
    assert_eq!(names(&dir, "/"), ["world"]);
    assert_eq!(read(&dir, "world").unwrap(), b"precious");
}

#[test]
fn directories_and_files_do_not_replace_each_other() {
    let fixture = Fixture::new();
    fixture.put("dir/file", "x");
    for dir in fixture.both() {
        assert!(matches!(write(&dir, "dir", b""), Err(FsError::IsDirectory)));
        assert!(matches!(
            write(&dir, "dir/file/below", b""),
            Err(FsError::NotDirectory)
        ));
        assert!(matches!(
            dir.create_directory(&path("dir/file")),
            Err(FsError::NotDirectory)
        ));
        assert!(matches!(
            dir.create_directory(&path("dir/file/a/b")),
            Err(FsError::NotDirectory)
        ));
        dir.create_directory(&path("dir")).unwrap();
    }
    // A directory that appears while the file is being written.
    let dir = fixture.dir();
    let writer = dir.write(&path("late")).unwrap();
    std::fs::create_dir(fixture.root().join("late")).unwrap();
    assert!(matches!(writer.commit(), Err(FsError::IsDirectory)));
    assert_eq!(names(&dir, "/"), ["dir", "late"]);
}

#[test]
fn reading_stops_at_the_limit() {
    let fixture = Fixture::new();
    fixture.put("ten", "0123456789");
    let dir = fixture.dir();
    assert_eq!(dir.read(&path("ten"), 10).unwrap().len(), 10);
    assert!(matches!(
        dir.read(&path("ten"), 9),
        Err(FsError::TooLarge { limit: 9 })
    ));
}

#[test]
fn what_is_written_belongs_to_the_server() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: only root can give files away");
        return;
    }
    let fixture = Fixture::new();
    std::os::unix::fs::chown(fixture.root(), Some(54_321), Some(54_322)).unwrap();
    let dir = ServerDir::create(&fixture.root()).unwrap();
    write(&dir, "a/b", b"").unwrap();
    dir.copy(&path("a/b"), hatchery_vocab::Timestamp::from_seconds(0))
        .unwrap();
    fixture.put("game/wrote", "x");
    std::os::unix::fs::symlink("../outside/secret", fixture.root().join("link")).unwrap();
    let owner_of = |name: &str| {
        let metadata = fixture.root().join(name).symlink_metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    for name in ["", "a", "a/b", "a/b copy"] {
        assert_eq!(owner_of(name), (54_321, 54_322), "{name}");
    }
    assert_eq!(owner_of("game/wrote"), (0, 0));
    dir.give_to(Owner {
        uid: 65_432,
        gid: 65_433,
    })
    .unwrap();
    for name in ["", "a/b", "game", "game/wrote", "link"] {
        assert_eq!(owner_of(name), (65_432, 65_433), "{name}");
    }
    assert_eq!(owner_of("../outside/secret"), (0, 0));
}
