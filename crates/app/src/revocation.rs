//! Taking back what a person holds outside the panel: open consoles, and tokens in links.
//!
//! A node judges tokens by itself, so it must be told when they are worth nothing any more. That it
//! must be told is written down in the transaction that takes the right away, so it is not lost with
//! the process, and a command line that cannot speak to a node leaves the telling to the panel.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::stream;
use hatchery_node_proto::{NodeClient, NodeError, jwt};
use hatchery_store::{ServerSnapshot, StoreError, Tx};
use hatchery_vocab::{NodeId, ServerUuid, UserId, UserUuid};

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

/// What a node must be told of one server.
#[derive(Clone, Debug)]
#[must_use = "a note is to be delivered after the commit"]
pub struct Note {
    key: String,
    value: String,
}

/// Notes in a transaction that every token of a user for one server is to end. After its commit
/// [`deliver_one`] tells the server's node.
pub async fn mark_on_server(
    cx: &Cx,
    tx: &mut Tx,
    server: &ServerSnapshot,
    user: UserId,
) -> Result<Note, StoreError> {
    let token_id = jwt::pair_id(user, server.uuid);
    let note = Note {
        key: format!("{NOTE}{}:{}:{token_id}", server.node.id, server.uuid),
        value: cx.now().micros().to_string(),
    };
    tx.set_setting(&note.key, &note.value).await?;
    Ok(note)
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

/// Tells nodes everything that was noted. What a node does not take stays noted for the next time; a
/// node that this process has no way to is left to the process that has one.
pub async fn deliver_all(cx: &Cx) -> Result<(), StoreError> {
    let notes = cx.store().settings_beginning(NOTE).await?;
    stream::iter(notes.into_iter().map(Ok))
        .try_for_each_concurrent(AT_ONCE, |(key, value)| async move {
            deliver_one(cx, &Note { key, value }).await.map(drop)
        })
        .await
}

/// Tells one node what was noted of it. Says whether the node took it.
pub async fn deliver_one(cx: &Cx, note: &Note) -> Result<bool, StoreError> {
    let outcome = tell(cx, note).await?;
    if outcome != Outcome::Later {
        let mut tx = cx.store().begin().await?;
        // Noted again in the meantime, it stays.
        tx.take_setting_if(&note.key, &note.value).await?;
        tx.commit().await?;
    }
    Ok(outcome == Outcome::Taken)
}

/// What became of telling a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It knows.
    Taken,
    /// It must still be told.
    Later,
    /// There is nothing to tell any more, or it does not want to know.
    Never,
}

async fn tell(cx: &Cx, note: &Note) -> Result<Outcome, StoreError> {
    let oldest = cx.now().minus(KEPT).micros();
    let is_late = note.value.parse::<i64>().is_ok_and(|noted| noted < oldest);
    let Some((node, ends)) = Ends::parse(&note.key).filter(|_| !is_late) else {
        return Ok(Outcome::Never);
    };
    let Some(node) = cx.store().node(node).await? else {
        return Ok(Outcome::Never);
    };
    let Some(client) = cx.nodes().client(&node) else {
        return Ok(Outcome::Later);
    };
    match ends.tell(&client).await {
        Ok(()) => Ok(Outcome::Taken),
        Err(NodeError::Io(error)) => {
            tracing::warn!(node = node.name, %error, "a node was not told yet that somebody lost their rights");
            Ok(Outcome::Later)
        }
        Err(error) => {
            tracing::error!(node = node.name, %error, "a node refuses to take somebody's rights away");
            Ok(Outcome::Never)
        }
    }
}

/// Which tokens end.
#[derive(Debug)]
enum Ends {
    /// All of a user's.
    User(UserUuid),
    /// Those of one server with this id.
    OnServer(ServerUuid, String),
}

impl Ends {
    fn parse(key: &str) -> Option<(NodeId, Self)> {
        let (node, rest) = key.strip_prefix(NOTE)?.split_once(':')?;
        let ends = match rest.split_once(':') {
            None => Self::User(rest.parse().ok()?),
            Some((server, token_id)) => Self::OnServer(server.parse().ok()?, token_id.to_owned()),
        };
        Some((NodeId::new(node.parse().ok()?), ends))
    }

    async fn tell(self, client: &NodeClient) -> Result<(), NodeError> {
        match self {
            Self::User(user) => client.deauthorize_user(user, Vec::new()).await,
            Self::OnServer(server, token_id) => client.ws_deny(server, vec![token_id]).await,
        }
    }
}
