//! A server that swaps its files while we work on them. Whatever the operations answer, nothing
//! outside may be read or changed.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use hatchery_vocab::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{Fixture, path, permissions, read, write};

const ROUNDS: usize = 1000;

/// Runs `attack` while another thread swaps `spot` (a directory or file) with `trap` (a link).
fn while_swapping(fixture: &Fixture, spot: &str, trap: &str, mut attack: impl FnMut()) {
    let (spot, trap) = (fixture.root().join(spot), fixture.root().join(trap));
    let done = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u64;
            while !done.load(Ordering::Relaxed) {
                // Deleting may have taken one of them away; then it is put back.
                if renameat_with(CWD, &spot, CWD, &trap, RenameFlags::EXCHANGE).is_ok() {
                    swaps += 1;
                } else {
                    let _ = std::fs::create_dir(&spot);
                    let _ = symlink(fixture.outside(), &trap);
                }
            }
            swaps
        });
        for _ in 0..ROUNDS {
            attack();
        }
        done.store(true, Ordering::Relaxed);
        swapper.join().unwrap()
    });
    assert!(swaps > 0, "the race never ran");
    fixture.assert_outside_untouched();
}

#[test]
fn a_directory_swapped_for_a_link_lets_nothing_out() {
    let fixture = Fixture::new();
    fixture.put("spot/secret", "harmless");
    symlink(fixture.outside(), fixture.root().join("trap")).unwrap();
    let mode = permissions(&fixture.outside().join("secret"));
    for dir in fixture.both() {
        while_swapping(&fixture, "spot", "trap", || {
            if let Ok(content) = read(&dir, "spot/secret") {
                assert_eq!(content, b"harmless");
            }
            let _ = dir.list(&path("spot"));
            let _ = write(&dir, "spot/secret", b"harmless");
            let _ = write(&dir, "spot/new/file", b"");
            let _ = dir.create_directory(&path("spot/sub/sub"));
            let _ = dir.chmod(&path("spot/secret"), 0o600);
            if let Ok(copy) = dir.copy(&path("spot/secret"), Timestamp::from_seconds(0)) {
                let _ = dir.delete(&copy);
            }
            let _ = dir.rename(&path("spot/secret"), &path("spot/moved"));
            let _ = dir.rename(&path("spot/moved"), &path("spot/secret"));
        });
    }
    assert_eq!(permissions(&fixture.outside().join("secret")), mode);
}

#[test]
fn deleting_a_tree_that_turns_into_a_link_deletes_nothing_outside() {
    let fixture = Fixture::new();
    symlink(fixture.outside(), fixture.root().join("trap")).unwrap();
    let dir = fixture.dir();
    while_swapping(&fixture, "spot", "trap", || {
        let _ = write(&dir, "spot/secret", b"harmless");
        let _ = write(&dir, "spot/deep/secret", b"harmless");
        let _ = dir.delete(&path("spot"));
    });
}

#[test]
fn a_file_swapped_for_a_link_lets_nothing_out() {
    let fixture = Fixture::new();
    fixture.put("spot", "harmless");
    symlink(
        fixture.outside().join("secret"),
        fixture.root().join("trap"),
    )
    .unwrap();
    let mode = permissions(&fixture.outside().join("secret"));
    let dir = fixture.dir();
    while_swapping(&fixture, "spot", "trap", || {
        if let Ok(content) = read(&dir, "spot") {
            assert_eq!(content, b"harmless");
        }
        let _ = dir.chmod(&path("spot"), 0o666);
        let _ = write(&dir, "spot", b"harmless");
    });
    assert_eq!(permissions(&fixture.outside().join("secret")), mode);
}

#[test]
fn a_walk_survives_directories_that_move() {
    let fixture = Fixture::new();
    for index in 0..20 {
        fixture.put(&format!("one/{index}/deep/file"), "12345");
    }
    std::fs::create_dir(fixture.root().join("two")).unwrap();
    let dir = fixture.dir();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (from, to) = (
                fixture.root().join("one/7/deep"),
                fixture.root().join("two/deep"),
            );
            while !done.load(Ordering::Relaxed) {
                let _ = std::fs::rename(&from, &to);
                let _ = std::fs::rename(&to, &from);
            }
        });
        for _ in 0..ROUNDS {
            let size = dir.measure().unwrap();
            assert!((95..=105).contains(&size), "{size}");
        }
        done.store(true, Ordering::Relaxed);
    });
    fixture.assert_outside_untouched();
}
