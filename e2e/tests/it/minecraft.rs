//! flying-squid, a Minecraft server from npm, with a real player.

use std::path::{Path, PathBuf};
use std::process::Command;

use hatchery_e2e::Engine;

use crate::image;
use crate::world::{World, cache, containers, once, own_addresses, run};

/// Where the player's program and the list of packages are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/games/minecraft");

/// The folder of modules, installed once for all tests and runs.
pub(crate) fn modules() -> PathBuf {
    let folder = cache().join("minecraft");
    once(
        &folder,
        include_str!("../../games/minecraft/package-lock.json"),
        |folder| {
            for name in ["package.json", "package-lock.json"] {
                std::fs::copy(Path::new(FOLDER).join(name), folder.join(name)).unwrap();
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(folder);
            run(&mut npm);
            // Two thirds of all bytes are for a game that nobody plays here.
            let unused = folder.join("node_modules/minecraft-data/minecraft-data/data/bedrock");
            for version in std::fs::read_dir(unused).unwrap().flatten() {
                if version.file_name() != "common" {
                    std::fs::remove_dir_all(version.path()).unwrap();
                }
            }
        },
    );
    folder.join("node_modules")
}

#[test]
fn a_player_joins_a_process() {
    let modules = modules();
    play(Engine::Process, &modules);
}

#[test]
fn a_player_joins_a_container() {
    if let Some(engine) = containers() {
        play(engine, Path::new(image::MODULES));
    }
}

/// `seen` is where the egg's installation finds the modules.
fn play(engine: Engine, seen: &Path) {
    let modules = modules();
    let world = World::with(
        engine,
        &[("HATCHERY_NODE_VISIBLE", modules.to_str().unwrap())],
    );
    let variable = format!("MODULES_FOLDER={}", seen.display());
    let game = world.server("minecraft-flying-squid", &["--variable", &variable]);
    let mut console = game.console();
    game.start(&mut console);

    let player = modules.with_file_name("player.js");
    std::fs::copy(Path::new(FOLDER).join("player.js"), &player).unwrap();
    let heard = own_addresses().into_iter().find_map(|address| {
        let mut node = Command::new("node");
        node.arg(&player)
            .args([&address, &game.port.to_string(), "1.16.5", "cluck cluck"]);
        let output = node.output().unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    let heard = heard.expect("no address let the player in");
    assert!(heard.contains("heard Hen: cluck cluck"), "{heard}");
    console.line("Hen (");
    console.line("<Hen> cluck cluck");

    assert_eq!(game.command("say the hens greet you"), 204);
    console.line("the hens greet you");
    game.power("stop");
    console.status("stopping");
    console.status("offline");
    console.never("console output", "crashed state");
}
