//! `hatchery server`: game servers. A running panel notices new ones by itself.

use std::sync::Arc;

use clap::{Args, Subcommand};
use hatchery_app::{eggs, servers};
use hatchery_config::Settings;
use hatchery_store::{
    FeatureLimits, Page, ServerFilter, ServerLimits, ServerQuery, ServerScope, ServerSnapshot,
};
use hatchery_vocab::{CpuPercent, MiB, Port, Swap, UserId};
use serde_json::{Value, json};

use super::output::{Failure, Output};
use super::session::Session;
use hatchery_app::users;

/// How many rows are read at once.
const PAGE: u64 = 500;
/// The weight among the users of the disk that the reference gives.
const IO_WEIGHT: u16 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a game server
    Create(Box<Create>),
    /// Show all game servers
    List,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Its name
    #[arg(long)]
    name: String,
    /// Whose it is: a user name or e-mail address
    #[arg(long)]
    owner: String,
    /// What it runs: the name, short name or UUID of an egg
    #[arg(long)]
    egg: String,
    /// A few words about it
    #[arg(long, default_value = "")]
    description: String,
    /// Memory in MiB; 0 is without limit
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u64,
    /// Swap in MiB; -1 is without limit
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    swap: i64,
    /// Disk space in MiB; 0 is without limit
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    disk: u64,
    /// Processor share: 100 is one core, 0 is without limit
    #[arg(long, value_name = "PERCENT", default_value_t = 0)]
    cpu: u32,
    /// Its port [default: the first free one]
    #[arg(long, value_parser = parse_port)]
    port: Option<Port>,
    /// A variable of the egg, NAME=VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_variable)]
    variable: Vec<(String, String)>,
    /// The container image [default: the egg's first]
    #[arg(long)]
    image: Option<String>,
    /// The start line [default: the egg's]
    #[arg(long)]
    startup: Option<String>,
    /// How many databases it may have
    #[arg(long, value_name = "N", default_value_t = 5)]
    databases: u32,
    /// How many ports it may have
    #[arg(long, value_name = "N", default_value_t = 5)]
    allocations: u32,
    /// How many backups it may have
    #[arg(long, value_name = "N", default_value_t = 5)]
    backups: u32,
    /// Do not run the egg's installation script
    #[arg(long)]
    skip_scripts: bool,
    /// Start it as soon as it is installed
    #[arg(long)]
    start: bool,
}

fn parse_port(text: &str) -> Result<Port, &'static str> {
    text.parse()
        .ok()
        .and_then(Port::new)
        .ok_or("a port is a number from 1 to 65535")
}

fn parse_variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn run(command: Command, settings: &Settings, output: Output) -> Result<(), Failure> {
    Session::run(settings, async |session| match command {
        Command::Create(arguments) => create(session, *arguments, output).await,
        Command::List => list(session, output).await,
    })
}

async fn create(session: &Session, arguments: Create, output: Output) -> Result<(), Failure> {
    let cx = &session.cx;
    let owner = users::find(cx, &arguments.owner).await?;
    let Some(egg) = eggs::find(cx, &arguments.egg).await? else {
        let egg = &arguments.egg;
        return Err(Failure::new(format!(
            "no single egg is called `{egg}`. `hatchery egg list` shows all, with UUIDs"
        )));
    };
    let created = servers::create(
        cx,
        servers::NewServer {
            name: arguments.name,
            description: arguments.description,
            external_id: None,
            owner: owner.id,
            egg,
            node: None,
            limits: ServerLimits {
                memory: MiB::new(arguments.memory),
                swap: Swap::from_wire(arguments.swap),
                disk: MiB::new(arguments.disk),
                io: IO_WEIGHT,
                cpu: CpuPercent::new(arguments.cpu),
                threads: None,
                oom_disabled: false,
            },
            feature_limits: FeatureLimits {
                databases: Some(arguments.databases),
                allocations: Some(arguments.allocations),
                backups: arguments.backups,
            },
            port: arguments.port,
            variables: arguments.variable,
            image: arguments.image,
            startup: arguments.startup,
            skip_scripts: arguments.skip_scripts,
            start_on_completion: arguments.start,
        },
    )
    .await?;
    let Some(server) = cx.store().server(created.id).await? else {
        return Err(Failure::new(
            "the server was deleted again by somebody else",
        ));
    };
    let human = format!(
        "created {} ({}); a running panel installs it now, another one when it starts",
        server.name, server.uuid
    );
    output.answer(human, &describe(&server))
}

async fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let mut all = Vec::new();
    for owner in users::all(&session.cx).await? {
        all.extend(owned(session, owner.id).await?);
    }
    all.sort_by_key(|server| server.id);
    let lines: Vec<String> = all
        .iter()
        .map(|server| format!("{}  {}", server.uuid.short(), server.name))
        .collect();
    output.answer(
        lines.join("\n"),
        &all.iter().map(|server| describe(server)).collect(),
    )
}

async fn owned(session: &Session, owner: UserId) -> Result<Vec<Arc<ServerSnapshot>>, Failure> {
    let mut servers = Vec::new();
    let mut number = 1;
    loop {
        let page = Page { number, size: PAGE };
        let query = ServerQuery {
            scope: ServerScope::Owned(owner),
            filter: ServerFilter::default(),
            sort: Vec::new(),
            page,
        };
        let found = session.cx.store().list_servers(&query).await?;
        servers.extend(found.items);
        if page.offset() + PAGE >= found.total {
            return Ok(servers);
        }
        number += 1;
    }
}

fn describe(server: &ServerSnapshot) -> Value {
    json!({
        "uuid": server.uuid.to_string(),
        "identifier": server.uuid.short().as_str(),
        "name": server.name,
        "status": server.status.map(hatchery_vocab::ServerStatus::as_str),
    })
}
