//! Who may use `/servers/{server}/settings`.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row::needs("renameServer", "settings.rename")
        .json(r#"{"name": "Survival"}"#)
        .answers("204"),
    Row::needs("reinstallServer", "settings.reinstall").answers("202"),
    Row::needs("updateDockerImage", "startup.docker-image")
        .json(r#"{"docker_image": "example.com/java:21"}"#)
        .answers("204"),
];
