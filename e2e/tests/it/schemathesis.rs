//! Requests that nobody thought of, made from the API document by schemathesis, a published tester.

use std::path::Path;
use std::process::Command;

use hatchery_e2e::Engine;

use crate::world::{World, python, run};

/// How many requests each operation gets: enough to meet every field with something odd, and still
/// a matter of a minute or two.
const EXAMPLES: &str = "12";
/// The same requests each time.
const SEED: &str = "20261123";

#[test]
fn no_request_crashes_the_panel_or_gets_an_answer_that_is_not_described() {
    let environment = python(
        "schemathesis",
        include_str!("../../clients/schemathesis.txt"),
    );

    let world = World::new(Engine::Process);
    let game = world.server("demo", &[]);
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    // Most made-up servers do not exist, so each request goes to one that does. What the node says
    // is passed on: 502 and 504 are its failures.
    let text = format!(
        "[parameters]\n\"path.server\" = \"{}\"\n\n[checks.not_a_server_error]\nexpected-statuses = [\"2xx\", \"3xx\", \"4xx\", 502, 504]\n",
        game.id
    );
    std::fs::write(&settings, text).unwrap();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/client.json");
    let mut tester = Command::new(environment.join("bin/schemathesis"));
    tester
        .current_dir(folder.path())
        .arg("--config-file")
        .arg(settings)
        .arg("run")
        .arg(document)
        .args(["--url", &world.panel.url()])
        .args(["--header", &format!("Authorization: Bearer {}", world.key)])
        .args(["--checks", "not_a_server_error,status_code_conformance"])
        .args(["--phases", "examples,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--seed", SEED])
        .args([
            "--warnings",
            "off",
            "--no-color",
            "--generation-database",
            "none",
        ]);
    run(&mut tester);
}
