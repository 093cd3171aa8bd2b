//! PteroJS, a published client library, unchanged.

use std::path::Path;
use std::process::Command;

use hatchery_e2e::{Engine, Panel};

use crate::world::{World, cache, once, run};

/// Where the script and the list of packages are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/pterojs");

/// What the script says, in this order, when all went well.
const PARTS: [&str; 11] = [
    "servers",
    "files",
    "network",
    "users",
    "schedules",
    "databases",
    "backups",
    "shard",
    "reinstall",
    "account",
    "done",
];

#[test]
fn pterojs_drives_a_server() {
    let folder = cache().join("pterojs");
    once(
        &folder,
        include_str!("../../clients/pterojs/package-lock.json"),
        |folder| {
            for name in ["package.json", "package-lock.json"] {
                std::fs::copy(Path::new(FOLDER).join(name), folder.join(name)).unwrap();
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(folder);
            run(&mut npm);
        },
    );
    // Modules are looked for beside the script.
    let script = folder.join("drive.js");
    std::fs::copy(Path::new(FOLDER).join("drive.js"), &script).unwrap();

    let world = World::new(Engine::Process);
    let game = world.server("openarena", &[]);
    let mut node = Command::new("node");
    node.arg(&script)
        .args([&world.panel.url(), &world.key, &game.id, Panel::PASSWORD]);
    let parts = run(&mut node);
    assert_eq!(parts.lines().collect::<Vec<_>>(), PARTS);
}
