//! Recording what was done. Never fails the request: entries are buffered by the store.

use std::net::IpAddr;

use hatchery_store::{ActivityEntry, Subject};
use hatchery_vocab::{ApiKeyId, UserId};
use serde_json::{Map, Value};

use crate::access::Access;
use crate::{Actor, Cx};

/// Something that was done, with its details.
#[derive(Clone, Debug)]
#[must_use = "an event is recorded by one of its last methods"]
pub struct Event {
    name: &'static str,
    properties: Map<String, Value>,
    subjects: Vec<Subject>,
}

impl Event {
    /// An event of this name (client-api.md §12.4).
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            properties: Map::new(),
            subjects: Vec::new(),
        }
    }

    /// Adds a detail. Details keep their order.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.properties.insert(key.to_owned(), value.into());
        self
    }

    /// Adds something that the event is about.
    pub fn about(mut self, subject: Subject) -> Self {
        self.subjects.push(subject);
        self
    }

    /// Records that someone did it, about nothing but what was named.
    pub fn by(self, cx: &Cx, actor: &Actor) {
        self.write(
            cx,
            Some(actor.user.id),
            actor.api_key_id(),
            Some(actor.address),
        );
    }

    /// Records that someone did it to their own account.
    pub fn on_account(mut self, cx: &Cx, actor: &Actor) {
        self.subjects.insert(0, Subject::User(actor.user.id));
        self.write(
            cx,
            Some(actor.user.id),
            actor.api_key_id(),
            Some(actor.address),
        );
    }

    /// Records that someone did it to a server.
    pub fn on_server<P>(mut self, cx: &Cx, access: &Access<P>) {
        self.subjects.insert(0, Subject::Server(access.server.id));
        let actor = &access.actor;
        self.write(
            cx,
            Some(actor.user.id),
            actor.api_key_id(),
            Some(actor.address),
        );
    }

    /// Records that a user did it who has only just signed in.
    pub fn by_user(self, cx: &Cx, user: UserId, address: IpAddr) {
        self.write(cx, Some(user), None, Some(address));
    }

    /// Records that it happened at an address without anybody being signed in.
    pub fn by_nobody(self, cx: &Cx, address: IpAddr) {
        self.write(cx, None, None, Some(address));
    }

    /// Records that it was done on the machine itself, by whoever runs the panel.
    pub fn by_operator(self, cx: &Cx) {
        self.write(cx, None, None, None);
    }

    fn write(
        self,
        cx: &Cx,
        actor: Option<UserId>,
        api_key: Option<ApiKeyId>,
        address: Option<IpAddr>,
    ) {
        cx.store().record_activity(ActivityEntry {
            event: self.name.to_owned(),
            ip: address.map(|address| address.to_string()),
            description: None,
            actor,
            api_key,
            properties: self.properties,
            at: cx.now(),
            subjects: self.subjects,
        });
    }
}
