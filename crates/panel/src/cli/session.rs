//! What commands work with that use the database directly, whether or not a panel runs beside them.

use hatchery_app::{Cx, Nodes};
use hatchery_config::Settings;
use hatchery_store::Store;

use super::output::Failure;
use crate::compose::{self, Ambient};
use crate::data_dir::DataDir;
use crate::embedded_node::{self, Address};

/// An open panel without a listener and without a node.
#[derive(Debug)]
pub(super) struct Session {
    /// What every verb works with.
    pub(super) cx: Cx,
}

impl Session {
    /// Opens the panel, lets `work` use it, and writes everything down before it ends. The first
    /// command of all makes the data folder.
    pub(super) fn run(
        settings: &Settings,
        work: impl AsyncFnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        with_store(settings, async |store| {
            let data_dir = DataDir::prepare(settings)?;
            // A running panel knows better where it listens, and says so when it starts.
            let address = Address::of(settings, settings.listen);
            let (store, ambient, nodes) = (store.clone(), Ambient::system(), Nodes::new());
            let cx = compose::context(settings, &data_dir, store, &ambient, nodes, &address)?;
            embedded_node::ensure(&cx, settings, &data_dir.volumes(settings), &address).await?;
            work(&Self { cx }).await
        })
    }
}

/// Opens the database alone, whatever is in it, lets `work` use it, and writes everything down
/// before it ends.
pub(super) fn with_store(
    settings: &Settings,
    work: impl AsyncFnOnce(&Store) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let data_dir = DataDir::prepare(settings)?;
        let store = compose::store(settings, &data_dir, &Ambient::system()).await?;
        let worked = work(&store).await;
        store.flush().await?;
        worked
    })
}
