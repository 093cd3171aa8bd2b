//! What people may change of a server itself: its name, its image, and the installation
//! (client-api.md §3.12).

use hatchery_node_proto::NodeError;
use hatchery_store::{EggSnapshot, StoreError};
use hatchery_vocab::ServerStatus;

use crate::access::{Access, Conflict, needs};
use crate::activity::Event;
use crate::detached::to_the_end;
use crate::{Cx, node_call};

/// Renames a server, and describes it anew unless the description is to stay.
pub async fn rename(
    cx: &Cx,
    access: &Access<needs::SettingsRename>,
    name: &str,
    description: Option<&str>,
) -> Result<(), StoreError> {
    let server = &access.server;
    let description = description.unwrap_or(&server.description);
    if name == server.name && description == server.description {
        return Ok(());
    }
    let mut tx = cx.store().begin().await?;
    tx.rename_server(server.id, name, description).await?;
    tx.commit().await?;
    for (event, old, new) in [
        ("server:settings.rename", server.name.as_str(), name),
        (
            "server:settings.description",
            &server.description,
            description,
        ),
    ] {
        if old != new {
            Event::new(event)
                .with("old", old)
                .with("new", new)
                .on_server(cx, access);
        }
    }
    Ok(())
}

/// The images that an egg offers.
pub fn images(egg: &EggSnapshot) -> impl Iterator<Item = &str> {
    egg.egg
        .docker_images
        .iter()
        .map(|(_, image)| image.as_str())
}

/// Why the image stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// An administrator chose one that the egg does not offer.
    #[error("an administrator chose the image")]
    Chosen,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Chooses one of the images that the egg offers. It counts from the next start.
pub async fn set_image(
    cx: &Cx,
    access: &Access<needs::StartupDockerImage>,
    image: &str,
) -> Result<(), ImageError> {
    let server = &access.server;
    if !images(&server.egg).any(|offered| offered == server.image) {
        return Err(ImageError::Chosen);
    }
    if image == server.image {
        return Ok(());
    }
    let mut tx = cx.store().begin().await?;
    tx.set_server_image(server.id, image).await?;
    tx.commit().await?;
    Event::new("server:startup.image")
        .with("old", server.image.as_str())
        .with("new", image)
        .on_server(cx, access);
    Ok(())
}

/// Why nothing is installed again.
#[derive(Debug, thiserror::Error)]
pub enum ReinstallError {
    /// The server's state changed in the meantime.
    #[error("the server's state does not allow it")]
    Conflict(Conflict),
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs the installation again over the server's files.
pub async fn reinstall(
    cx: &Cx,
    access: &Access<needs::SettingsReinstall>,
) -> Result<(), ReinstallError> {
    let (cx, access) = (cx.clone(), access.clone());
    to_the_end(async move { install_again(&cx, &access).await }).await
}

/// The status is set before the node is asked, since the node may be done at once, and taken back
/// when the node fails. No transaction is open while a node is waited for.
async fn install_again(
    cx: &Cx,
    access: &Access<needs::SettingsReinstall>,
) -> Result<(), ReinstallError> {
    const INSTALLING: Option<ServerStatus> = Some(ServerStatus::Installing);
    let server = &access.server;
    let node = node_call::client(cx, &server.node)?;
    let mut tx = cx.store().begin().await?;
    if !tx
        .move_server_status(server.id, server.status, INSTALLING)
        .await?
    {
        return Err(ReinstallError::Conflict(Conflict::Installing));
    }
    tx.commit().await?;
    if let Err(error) = node.reinstall(server.uuid).await {
        let mut tx = cx.store().begin().await?;
        tx.move_server_status(server.id, INSTALLING, server.status)
            .await?;
        tx.commit().await?;
        return Err(error.into());
    }
    Event::new("server:reinstall").on_server(cx, access);
    Ok(())
}
