//! Taking back what a person holds outside the panel: open consoles, and tokens in links.
//!
//! A node judges tokens by itself, so it must be told when they are worth nothing any more. That it
//! must be told is written down in the transaction that takes the right away, so it is not lost with
//! the process, and a command line that cannot speak to a node leaves the telling to the panel.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::stream;
use hatchery_node_proto::NodeError;
use hatchery_store::{StoreError, Tx};
use hatchery_vocab::{NodeId, UserUuid};

use crate::Cx;

/// How keys of settings begin that name what a node must still be told.
const NOTE: &str = "node:revoke:";

/// How many notes are delivered at once: a node that is gone does not hold up the others.
const AT_ONCE: usize = 16;

/// How long a note counts: no token lives as long.
const KEPT: Duration = Duration::from_hours(1);

/// How long whoever takes a right away waits for nodes to be told. A node that can be reached takes
/// a few milliseconds; the telling goes on without the one who waited.
const PATIENCE: Duration = Duration::from_millis(500);

/// Notes in a transaction that every token of a user is to end, on all nodes. After its commit
/// [`deliver`] tells them.
pub async fn mark(cx: &Cx, tx: &mut Tx, user: UserUuid) -> Result<(), StoreError> {
    let now = cx.now().micros().to_string();
    for node in cx.store().nodes().await? {
        tx.set_setting(&format!("{NOTE}{}:{user}", node.id), &now)
            .await?;
    }
    Ok(())
}

/// Tells nodes what was noted, and waits a moment for it: who can be reached knows before the answer
/// to the request that took the right away. A node that is gone holds nobody up.
pub async fn deliver(cx: &Cx) -> Result<(), StoreError> {
    let telling = tokio::spawn({
        let cx = cx.clone();
        async move { deliver_all(&cx).await }
    });
    match tokio::time::timeout(PATIENCE, telling).await {
        Ok(Ok(told)) => told,
        // It panicked, which the panel's own task makes up for.
        Ok(Err(error)) => {
            tracing::error!(%error, "telling nodes of ended rights failed");
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// Tells nodes everything that was noted. What a node does not take stays noted for the next time; a node that
/// this process has no way to is left to the process that has one.
pub async fn deliver_all(cx: &Cx) -> Result<(), StoreError> {
    let notes = cx.store().settings_beginning(NOTE).await?;
    stream::iter(notes.into_iter().map(Ok))
        .try_for_each_concurrent(AT_ONCE, |(key, noted)| async move {
            if told(cx, &key, &noted).await? {
                let mut tx = cx.store().begin().await?;
                // Noted again in the meantime, it stays.
                tx.take_setting_if(&key, &noted).await?;
                tx.commit().await?;
            }
            Ok(())
        })
        .await
}

/// Whether nothing is left to tell of a note.
async fn told(cx: &Cx, key: &str, noted: &str) -> Result<bool, StoreError> {
    let oldest = cx.now().minus(KEPT).micros();
    let is_late = noted.parse::<i64>().is_ok_and(|noted| noted < oldest);
    let Some((node, user)) = parse(key).filter(|_| !is_late) else {
        return Ok(true);
    };
    let Some(node) = cx.store().node(node).await? else {
        return Ok(true);
    };
    let Some(client) = cx.nodes().client(&node) else {
        return Ok(false);
    };
    match client.deauthorize_user(user, Vec::new()).await {
        Ok(()) => Ok(true),
        Err(NodeError::Io(error)) => {
            tracing::warn!(node = node.name, %error, "a node was not told yet that somebody lost their rights");
            Ok(false)
        }
        Err(error) => {
            tracing::error!(node = node.name, %error, "a node refuses to take somebody's rights away");
            Ok(true)
        }
    }
}

fn parse(key: &str) -> Option<(NodeId, UserUuid)> {
    let (node, user) = key.strip_prefix(NOTE)?.split_once(':')?;
    Some((NodeId::new(node.parse().ok()?), user.parse().ok()?))
}
