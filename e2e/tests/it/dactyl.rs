//! py-dactyl, a published client library, unchanged.

use std::path::Path;
use std::process::Command;

use hatchery_e2e::Engine;

use crate::world::{World, cache, once, run};

/// What the script says, in this order, when all went well.
const STEPS: [&str; 8] = [
    "listed",
    "viewed",
    "files",
    "started",
    "followed the console",
    "resources",
    "stopped",
    "account",
];

#[test]
fn py_dactyl_drives_a_server() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let environment = cache().join("dactyl");
    once(
        &environment,
        include_str!("../../clients/requirements.txt"),
        |environment| {
            run(Command::new("python3")
                .args(["-m", "venv"])
                .arg(environment));
            let mut pip = Command::new(environment.join("bin/pip"));
            pip.args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ]);
            run(pip.arg(folder.join("requirements.txt")));
        },
    );

    let world = World::new(Engine::Process);
    let game = world.server("demo", &[]);
    let mut python = Command::new(environment.join("bin/python"));
    python
        .arg(folder.join("dactyl.py"))
        .args([&world.panel.url(), &world.key, &game.id]);
    let steps = run(&mut python);
    assert_eq!(steps.lines().collect::<Vec<_>>(), STEPS);
}
