//! py-dactyl, a published client library, unchanged.

use std::path::Path;
use std::process::Command;

use hatchery_e2e::{Engine, Panel};

use crate::world::{World, python, run, skip};

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
    let environment = python("dactyl", include_str!("../../clients/requirements.txt"));

    let world = World::new(Engine::Process);
    let game = world.server("openarena", &[]);
    let mut python = Command::new(environment.join("bin/python"));
    python
        .arg(folder.join("dactyl.py"))
        .args([&world.panel.url(), &world.key, &game.id]);
    let steps = run(&mut python);
    assert_eq!(steps.lines().collect::<Vec<_>>(), STEPS);
}

/// Every method of the library's Client API, of the oldest and the newest version in use.
#[test]
fn every_method_of_py_dactyl_works() {
    for version in ["2.0.4", "2.1.3"] {
        whole_surface(version);
    }
}

fn whole_surface(version: &str) {
    const CLASSES: [&str; 10] = [
        "servers",
        "files",
        "databases",
        "network",
        "schedules",
        "startup",
        "users",
        "backups",
        "settings",
        "account",
    ];
    let requirements = format!("py-dactyl=={version}\nwebsocket-client==1.9.2\n");
    let environment = python(&format!("dactyl-{version}"), &requirements);

    let world = World::new(Engine::Process);
    let databases = lend_database_host(&world);
    let game = world.server("openarena", &[]);
    let mut python = Command::new(environment.join("bin/python"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/dactyl_whole.py");
    python.arg(script).args([
        world.panel.url().as_str(),
        &world.key,
        &game.id,
        Panel::PASSWORD,
        if databases { "yes" } else { "no" },
    ]);
    let steps = run(&mut python);
    let expected = CLASSES
        .into_iter()
        .filter(|class| databases || *class != "databases")
        .chain(["nothing left out"]);
    assert_eq!(
        steps.lines().collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "py-dactyl {version}"
    );
}

/// Lends the panel the database server of the tests, if there is one.
fn lend_database_host(world: &World) -> bool {
    let Ok(url) = std::env::var("HATCHERY_TEST_MARIADB") else {
        skip("HATCHERY_TEST_MARIADB names no database server");
        return false;
    };
    let account = url.strip_prefix("mysql://").unwrap();
    let (account, place) = account.split_once('@').unwrap();
    let (username, password) = account.split_once(':').unwrap();
    let (host, port) = place.trim_end_matches('/').split_once(':').unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), password).unwrap();
    let mut create = vec![
        "database-host",
        "create",
        "--name",
        "main",
        "--engine",
        "mysql",
    ];
    let file = file.path().to_str().unwrap();
    create.extend(["--host", host, "--port", port, "--username", username]);
    create.extend(["--password-file", file]);
    world.panel.run(&create).unwrap();
    true
}
