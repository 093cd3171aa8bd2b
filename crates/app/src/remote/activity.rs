//! What people did on a node (node-protocol.md §2.9).

use std::collections::HashMap;

use hatchery_store::{ActivityEntry, Node, StoreError, Subject};
use hatchery_vocab::{ServerId, ServerUuid, Timestamp, UserId, UserUuid};
use serde_json::{Map, Value};

use crate::Cx;

/// An entry as a node reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Who, if the node knows.
    pub user: Option<UserUuid>,
    /// To which server.
    pub server: ServerUuid,
    /// What.
    pub event: String,
    /// Details.
    pub metadata: Map<String, Value>,
    /// From where.
    pub ip: Option<String>,
    /// When: RFC 3339.
    pub timestamp: String,
}

/// The address of an entry that has none.
const NO_ADDRESS: &str = "127.0.0.1";

/// Records what a node reports. Entries about servers of other nodes, and events that are not about
/// a server, are dropped.
pub async fn record(cx: &Cx, node: &Node, entries: Vec<Reported>) -> Result<(), StoreError> {
    let mut known = Known {
        cx,
        node,
        servers: HashMap::new(),
        users: HashMap::new(),
    };
    for entry in entries {
        if !entry.event.starts_with("server:") {
            continue;
        }
        let Some(server) = known.server(entry.server).await? else {
            continue;
        };
        let actor = match entry.user {
            Some(user) => known.user(user).await?,
            None => None,
        };
        let mut properties = entry.metadata;
        let at = if let Ok(at) = entry.timestamp.parse::<Timestamp>() {
            Timestamp::from_seconds(at.seconds())
        } else {
            properties.insert(
                "original_timestamp".to_owned(),
                Value::from(entry.timestamp),
            );
            cx.now()
        };
        let ip = entry
            .ip
            .filter(|ip| !ip.is_empty())
            .unwrap_or_else(|| NO_ADDRESS.to_owned());
        cx.store().record_activity(ActivityEntry {
            event: entry.event,
            ip: Some(ip),
            description: None,
            actor,
            api_key: None,
            properties,
            subjects: vec![Subject::Server(server)],
            at,
        });
    }
    Ok(())
}

/// Whom and what a batch named before: its entries are mostly about the same few.
struct Known<'a> {
    cx: &'a Cx,
    node: &'a Node,
    servers: HashMap<ServerUuid, Option<ServerId>>,
    users: HashMap<UserUuid, Option<UserId>>,
}

impl Known<'_> {
    /// A server of this node.
    async fn server(&mut self, uuid: ServerUuid) -> Result<Option<ServerId>, StoreError> {
        if let Some(known) = self.servers.get(&uuid) {
            return Ok(*known);
        }
        let server = self.cx.store().server_by_uuid(uuid).await?;
        let id = server
            .filter(|server| server.node.id == self.node.id)
            .map(|server| server.id);
        self.servers.insert(uuid, id);
        Ok(id)
    }

    async fn user(&mut self, uuid: UserUuid) -> Result<Option<UserId>, StoreError> {
        if let Some(known) = self.users.get(&uuid) {
            return Ok(*known);
        }
        let id = self
            .cx
            .store()
            .user_by_uuid(uuid)
            .await?
            .map(|user| user.id);
        self.users.insert(uuid, id);
        Ok(id)
    }
}
