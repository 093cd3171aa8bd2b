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

/// Records what a node reports. Entries about servers of other nodes, and events that are not about
/// a server, are dropped.
pub async fn record(cx: &Cx, node: &Node, entries: Vec<Reported>) -> Result<(), StoreError> {
    let mut servers: HashMap<ServerUuid, Option<ServerId>> = HashMap::new();
    let mut users: HashMap<UserUuid, Option<UserId>> = HashMap::new();
    for entry in entries {
        if !entry.event.starts_with("server:") {
            continue;
        }
        let server = match servers.get(&entry.server) {
            Some(known) => *known,
            None => {
                let found = cx.store().server_by_uuid(entry.server).await?;
                let id = found.filter(|server| server.node.id == node.id).map(|server| server.id);
                servers.insert(entry.server, id);
                id
            }
        };
        let Some(server) = server else { continue };
        let actor = match entry.user {
            None => None,
            Some(uuid) => match users.get(&uuid) {
                Some(known) => *known,
                None => {
                    let id = cx.store().user_by_uuid(uuid).await?.map(|user| user.id);
                    users.insert(uuid, id);
                    id
                }
            },
        };
        let mut properties = entry.metadata;
        let at = match entry.timestamp.parse::<Timestamp>() {
            Ok(at) => Timestamp::from_seconds(at.seconds()),
            Err(_) => {
                properties.insert("original_timestamp".to_owned(), Value::from(entry.timestamp));
                cx.now()
            }
        };
        const NO_ADDRESS: &str = "127.0.0.1";
        let ip = entry.ip.filter(|ip| !ip.is_empty()).unwrap_or_else(|| NO_ADDRESS.to_owned());
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
