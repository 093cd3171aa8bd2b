//! `hatchery database-host`: the servers on which users' databases are made.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hatchery_app::databases;
use hatchery_config::Settings;
use hatchery_store::{DatabaseHost, NewDatabaseHost, Node, Secret};
use hatchery_vocab::{DatabaseEngine, DatabaseHostId, Port};
use serde_json::{Value, json};

use super::output::{Failure, Output};
use super::session::Session;

/// The variable with the password, for those who keep it in no file.
const PASSWORD_VARIABLE: &str = "HATCHERY_DATABASE_HOST_PASSWORD";
/// The longest password file that is read, in bytes.
const MAX_PASSWORD: u64 = 4096;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a host, after a test that makes a database on it and drops it again
    Create(Create),
    /// Show all hosts
    List,
    /// Test a host the same way
    Check(Id),
    /// Remove a host that has no databases
    Delete(Id),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What to call it
    #[arg(long)]
    name: String,
    /// mysql (MariaDB, too) or postgres
    #[arg(long)]
    engine: DatabaseEngine,
    /// Its name or address, as the panel and the games reach it
    #[arg(long)]
    host: String,
    /// Its port [default: 3306 for mysql, 5432 for postgres]
    #[arg(long)]
    port: Option<u16>,
    /// The account that may make databases and accounts
    #[arg(long)]
    username: String,
    /// A file with that account's password; without it, the variable HATCHERY_DATABASE_HOST_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The node whose servers use this host first: its name or number
    #[arg(long)]
    node: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Id {
    /// The host's number, as the list shows it
    id: i64,
}

pub(super) fn run(command: Command, settings: &Settings, output: Output) -> Result<(), Failure> {
    Session::run(settings, async |session| match command {
        Command::Create(arguments) => create(session, arguments, output).await,
        Command::List => list(session, output).await,
        Command::Check(Id { id }) => check(session, id, output).await,
        Command::Delete(Id { id }) => delete(session, id, output).await,
    })
}

async fn create(session: &Session, arguments: Create, output: Output) -> Result<(), Failure> {
    let port = arguments
        .port
        .unwrap_or_else(|| arguments.engine.usual_port());
    let node = match &arguments.node {
        Some(name) => Some(find_node(session, name).await?.id),
        None => None,
    };
    let host = NewDatabaseHost {
        engine: arguments.engine,
        port: Port::new(port).ok_or_else(|| Failure::new("port 0 is no port"))?,
        password: password(arguments.password_file.as_deref())?,
        name: arguments.name,
        host: arguments.host,
        username: arguments.username,
        max_databases: None,
        node_id: node,
    };
    let (id, version) = databases::add_host(&session.cx, &host).await?;
    let line = format!("added the database host {id}: {} {version}", host.engine);
    output.answer(line, &json!({ "id": id.get(), "version": version }))
}

async fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let hosts = session.cx.store().database_hosts().await?;
    let lines = hosts.iter().map(|host| {
        let DatabaseHost {
            id,
            name,
            engine,
            port,
            username,
            ..
        } = host;
        format!("{id}  {name}  {engine}  {username}@{}:{port}", host.host)
    });
    let json = hosts.iter().map(|host| {
        json!({
            "id": host.id.get(),
            "name": host.name,
            "engine": host.engine.as_str(),
            "host": host.host,
            "port": host.port.get(),
            "username": host.username,
            "node": host.node_id.map(hatchery_vocab::NodeId::get),
        })
    });
    let json = Value::Array(json.collect());
    output.answer(lines.collect::<Vec<_>>().join("\n"), &json)
}

async fn check(session: &Session, id: i64, output: Output) -> Result<(), Failure> {
    let cx = &session.cx;
    let host = cx.store().database_host(DatabaseHostId::new(id)).await?;
    let host = host.ok_or_else(|| unknown(id))?;
    let version = databases::check_host(cx, &host).await?;
    let line = format!("{} works: {} {version}", host.name, host.engine);
    output.answer(line, &json!({ "id": id, "version": version }))
}

async fn delete(session: &Session, id: i64, output: Output) -> Result<(), Failure> {
    if !databases::remove_host(&session.cx, DatabaseHostId::new(id)).await? {
        return Err(unknown(id));
    }
    output.answer(
        format!("removed the database host {id}"),
        &json!({ "id": id }),
    )
}

fn unknown(id: i64) -> Failure {
    Failure::new(format!(
        "there is no database host {id}: see hatchery database-host list"
    ))
}

async fn find_node(session: &Session, name: &str) -> Result<Node, Failure> {
    let nodes = session.cx.store().nodes().await?;
    let found = nodes
        .into_iter()
        .find(|node| node.name == name || node.id.to_string() == name);
    found.ok_or_else(|| Failure::new(format!("there is no node {name}")))
}

fn password(file: Option<&Path>) -> Result<Secret, Failure> {
    let password = match file {
        Some(path) => read(path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?,
        None => std::env::var(PASSWORD_VARIABLE).map_err(|_| {
            Failure::new(format!(
                "the password is missing: name its file by --password-file, or set {PASSWORD_VARIABLE}"
            ))
        })?,
    };
    Ok(Secret::new(password.trim_end_matches(['\r', '\n'])))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file of the person at the terminal, not of a server"
)]
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_PASSWORD)
        .read_to_string(&mut text)?;
    Ok(text)
}
