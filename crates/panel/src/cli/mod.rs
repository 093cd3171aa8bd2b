//! The command line: its shape, and what every command has in common.

mod api_key;
mod bench;
mod database_host;
mod doctor;
mod documents;
mod egg;
mod import;
mod output;
mod server;
mod session;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use hatchery_config::{Layers, Settings};

use output::{Failure, Output};

/// A game-server panel and its node in one program.
#[derive(Debug, Parser)]
#[command(
    name = "hatchery",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Common {
    /// The folder that holds everything [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// The file with the settings [default: hatchery.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// postgres://user:password@host/name, or the path of an SQLite file [default: panel.db in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the panel and its embedded node
    Serve(ServeArguments),
    /// People who can sign in
    #[command(subcommand)]
    User(user::Command),
    /// Keys for programs that call the API
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Recipes for games
    #[command(subcommand)]
    Egg(egg::Command),
    /// Game servers
    #[command(subcommand)]
    Server(server::Command),
    /// Servers on which users' databases are made
    #[command(subcommand)]
    DatabaseHost(database_host::Command),
    /// Bring in what another panel has
    #[command(subcommand)]
    Import(import::Command),
    /// Check the machine and say how to fix what is missing
    Doctor,
    /// Print the OpenAPI document of an interface
    Openapi(documents::OpenapiArguments),
    /// Print the version
    Version,
    /// Print a page of the documentation that is made from the code
    #[command(hide = true)]
    Docs(documents::DocsArguments),
    /// Fill a database for measurements
    #[command(hide = true)]
    BenchSeed(bench::Seed),
    /// Answer with files from memory, as a yardstick
    #[command(hide = true)]
    BenchBare(bench::Bare),
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// The address and port to answer on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

/// Runs the command that the arguments name, and says how the process should end: 0 when all is
/// well, 1 when it failed, 2 when the arguments make no sense.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as "errors", too, and clap knows where each belongs.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let output = Output::new(cli.common.json);
    match dispatch(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli, output: Output) -> Result<(), Failure> {
    let Cli {
        mut common,
        command,
    } = cli;
    match command {
        Command::Serve(arguments) => {
            let layers = common.layers(arguments.listen)?;
            let settings = settings(&layers)?;
            crate::serve::run(&settings, &layers.stray_variables())
                .map_err(|error| Failure::new(error.to_string()))
        }
        Command::User(command) => user::run(command, &common.settings()?, output),
        Command::ApiKey(command) => api_key::run(command, &common.settings()?, output),
        Command::Egg(command) => egg::run(command, &common.settings()?, output),
        Command::Server(command) => server::run(command, &common.settings()?, output),
        Command::DatabaseHost(command) => database_host::run(command, &common.settings()?, output),
        Command::Import(command) => {
            let source = command.source(&mut common.database)?;
            import::run(command, source, &common.settings()?, output)
        }
        Command::Doctor => doctor::run(&common.settings()?, output),
        Command::Openapi(arguments) => documents::openapi(&arguments),
        Command::Version => documents::version(output),
        Command::Docs(arguments) => documents::docs(&arguments),
        Command::BenchSeed(arguments) => bench::seed(&arguments, &common.settings()?, output),
        Command::BenchBare(arguments) => bench::bare(&arguments),
    }
}

impl Common {
    /// Everything that was said about settings; `listen` is the flag of the one command that has it.
    fn layers(self, listen: Option<String>) -> Result<Layers, Failure> {
        let flags = [
            ("data-dir", self.data_dir),
            ("database", self.database),
            ("listen", listen),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Ok(Layers::collect(
            self.config.as_deref(),
            std::env::vars_os(),
            given,
        )?)
    }

    fn settings(self) -> Result<Settings, Failure> {
        settings(&self.layers(None)?)
    }
}

fn settings(layers: &Layers) -> Result<Settings, Failure> {
    Settings::from_layers(layers).map_err(Failure::settings)
}
