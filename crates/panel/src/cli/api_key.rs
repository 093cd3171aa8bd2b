//! `hatchery api-key`: keys for programs.

use clap::{Args, Subcommand};
use hatchery_auth::{AddressRule, KeyKind};
use hatchery_config::Settings;
use serde_json::json;

use super::output::{Failure, Output};
use super::session::Session;
use hatchery_app::api_keys::{self, Asker, KeyRequest};
use hatchery_app::users;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key and print it, alone, on standard output; it cannot be shown again
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whose key: a user name or e-mail address
    #[arg(long)]
    user: String,
    /// Make a key of the application interface, with all rights, instead of the client interface
    #[arg(long)]
    application: bool,
    /// What the key is for
    #[arg(long, default_value = "Made on the command line")]
    description: String,
    /// An address, network, range or wildcard that may use it; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = |text: &str| text.parse::<AddressRule>().map(|_| text.to_owned()))]
    allowed_ip: Vec<String>,
}

pub(super) fn run(command: Command, settings: &Settings, output: Output) -> Result<(), Failure> {
    let Command::Create(arguments) = command;
    Session::run(settings, async |session| {
        let cx = &session.cx;
        let user = users::find(cx, &arguments.user).await?;
        if arguments.application && !user.root_admin {
            let name = &user.username;
            return Err(Failure::new(format!(
                "{name} is no administrator, and only they may have application keys"
            )));
        }
        let request = KeyRequest {
            kind: if arguments.application {
                KeyKind::Application
            } else {
                KeyKind::Client
            },
            description: arguments.description,
            allowed_ips: arguments.allowed_ip,
        };
        let key = api_keys::make_for(cx, user.id, Asker::Operator, request).await?;
        let json = json!({ "identifier": key.key.identifier.as_str(), "key": key.expose(), "user": user.username });
        output.answer(key.expose(), &json)
    })
}
