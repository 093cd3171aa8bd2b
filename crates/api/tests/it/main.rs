//! The client API as its clients see it: requests through the real router, over a real database,
//! with a scripted node behind the panel. Files mirror addresses.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod auth;
mod client;
mod database_server;
mod openapi;
mod quirks;
mod races;
mod remote;
mod wire;

use hatchery_testkit::{PanelOptions, TestPanel};

/// The usual panel.
async fn panel() -> TestPanel {
    TestPanel::start(hatchery_api::router).await.unwrap()
}

/// A panel whose operator chose differently.
async fn panel_with(change: impl FnOnce(&mut hatchery_app::Settings)) -> TestPanel {
    let mut options = PanelOptions::default();
    change(&mut options.settings);
    TestPanel::with(options, hatchery_api::router)
        .await
        .unwrap()
}
