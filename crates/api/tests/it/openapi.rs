//! The committed OpenAPI document is that of the routes.

use std::path::Path;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the document is a file of the repository, not of a server"
)]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/client.json");
    let current = hatchery_api::openapi::client().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("HATCHERY_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "openapi/client.json is not what the routes say: run `cargo xtask codegen` and look at the difference"
    );
}
