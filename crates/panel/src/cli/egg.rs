//! `hatchery egg`: recipes for games.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hatchery_app::eggs;
use hatchery_config::Settings;
use serde_json::{Value, json};

use super::output::{Failure, Output};
use super::session::Session;

/// The longest egg file that is read, in bytes; the importer has its own, smaller limits.
const MAX_FILE: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take eggs from files, JSON or YAML, of Pterodactyl and Pelican
    Import(Import),
    /// Show all eggs
    List,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(command: Command, settings: &Settings, output: Output) -> Result<(), Failure> {
    Session::run(settings, async |session| match command {
        Command::Import(arguments) => import(session, &arguments.files, output).await,
        Command::List => list(session, output).await,
    })
}

async fn import(session: &Session, files: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let mut imported = Vec::new();
    for path in files {
        let at =
            |reason: &dyn std::fmt::Display| Failure::new(format!("{}: {reason}", path.display()));
        let file = read(path).map_err(|error| at(&error))?;
        let egg = eggs::import(&session.cx, &file, None)
            .await
            .map_err(|error| at(&error))?;
        let verb = if egg.created { "imported" } else { "updated" };
        lines.push(format!("{verb} {} ({})", egg.name, egg.uuid));
        lines.extend(
            egg.warnings
                .iter()
                .map(|warning| format!("  not understood: {warning}")),
        );
        imported.push(json!({
            "uuid": egg.uuid.to_string(),
            "name": egg.name,
            "created": egg.created,
            "warnings": egg.warnings,
        }));
    }
    output.answer(lines.join("\n"), &Value::Array(imported))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file of the person at the terminal, not of a server"
)]
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let eggs = eggs::list(&session.cx).await?;
    let lines: Vec<String> = eggs
        .iter()
        .map(|egg| format!("{}  {}", egg.uuid, egg.name))
        .collect();
    let json = eggs.iter().map(|egg| {
        json!({
            "uuid": egg.uuid.to_string(),
            "name": egg.name,
            "author": egg.author,
            "description": egg.description,
        })
    });
    output.answer(lines.join("\n"), &json.collect())
}
