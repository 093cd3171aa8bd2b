//! `hatchery import`: what another panel has, with its numbers, keys and passwords.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hatchery_config::Settings;
use hatchery_import::{AppKey, Mode, Options, Report};
use hatchery_store::Store;

use super::output::{Failure, Output};
use super::session;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import a Pterodactyl panel; `--database` names the database of that panel
    Pterodactyl(Pterodactyl),
}

#[derive(Debug, Args)]
pub(super) struct Pterodactyl {
    /// The line APP_KEY of the panel's .env, which opens its secrets
    #[arg(long, env = "APP_KEY", hide_env_values = true, value_name = "KEY", value_parser = AppKey::parse)]
    app_key: AppKey,
    /// The line HASHIDS_SALT of the panel's .env, which keeps the public ids of databases
    #[arg(
        long,
        env = "HASHIDS_SALT",
        hide_env_values = true,
        value_name = "SALT"
    )]
    hashids_salt: Option<String>,
    /// The line HASHIDS_LENGTH of the panel's .env
    #[arg(long, env = "HASHIDS_LENGTH", value_name = "LENGTH")]
    hashids_length: Option<u8>,
    /// The folder with the servers' files, if the panel's Wings ran on this machine: its node becomes
    /// the one inside Hatchery
    #[arg(long, value_name = "DIR")]
    volumes: Option<PathBuf>,
    /// The database to import into, instead of the one of the settings
    #[arg(long, value_name = "URL")]
    into: Option<String>,
    /// Only tell what would be imported
    #[arg(long)]
    dry_run: bool,
}

impl Command {
    /// Takes the other panel's database from the option that names ours everywhere else, and
    /// leaves there the one to import into.
    pub(super) fn source(&self, database: &mut Option<String>) -> Result<String, Failure> {
        let Self::Pterodactyl(arguments) = self;
        std::mem::replace(database, arguments.into.clone()).ok_or_else(|| {
            Failure::new(
                "name the panel's database: --database mysql://user:password@host:3306/panel",
            )
        })
    }
}

pub(super) fn run(
    command: Command,
    source: String,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let Command::Pterodactyl(arguments) = command;
    let mode = if arguments.dry_run {
        Mode::Trial
    } else {
        Mode::Keep
    };
    let options = Options {
        database: source,
        app_key: arguments.app_key,
        hashids_salt: arguments.hashids_salt,
        hashids_length: arguments.hashids_length,
        volumes: arguments.volumes,
        mode,
    };
    session::with_store(settings, async |store: &Store| {
        let report = hatchery_import::pterodactyl(store, options).await?;
        answer(&report, output)
    })
}

fn answer(report: &Report, output: Output) -> Result<(), Failure> {
    output.answer(report, &serde_json::to_value(report)?)
}
