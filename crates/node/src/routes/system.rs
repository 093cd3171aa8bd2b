//! What kind of machine this is.

use axum::extract::State;
use hatchery_node_proto::SystemInformation;

use crate::http::JsonBody;
use crate::state::NodeState;

pub(super) async fn show(State(_): State<NodeState>) -> JsonBody<SystemInformation> {
    // The protocol speaks the names of the reference's language.
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    JsonBody(SystemInformation {
        architecture: architecture.to_owned(),
        cpu_count: std::thread::available_parallelism().map_or(1, usize::from),
        kernel_version: rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned(),
        os: std::env::consts::OS.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
