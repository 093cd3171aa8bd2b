//! Commands that print what the program knows of itself: `openapi`, `version`, `docs`.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::output::{Failure, Output, print};

#[derive(Debug, Args)]
pub(super) struct OpenapiArguments {
    /// Which interface
    #[arg(value_enum, default_value = "client")]
    interface: Interface,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Interface {
    /// The client API
    Client,
}

#[derive(Debug, Args)]
pub(super) struct DocsArguments {
    /// Which page
    #[arg(value_enum)]
    page: DocsPage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DocsPage {
    /// docs/configuration.md
    Configuration,
}

pub(super) fn version(output: Output) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output.answer(
        format!("hatchery {version}"),
        &json!({ "version": version }),
    )
}

pub(super) fn openapi(arguments: &OpenapiArguments) -> Result<(), Failure> {
    let document = match arguments.interface {
        Interface::Client => hatchery_api::openapi::client(),
    };
    print(serde_json::to_string_pretty(&document)?)
}

pub(super) fn docs(arguments: &DocsArguments) -> Result<(), Failure> {
    let page = match arguments.page {
        DocsPage::Configuration => hatchery_config::reference(),
    };
    print(page.trim_end())
}
