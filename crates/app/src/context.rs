//! What every verb works with.

use std::sync::Arc;

use hatchery_ambient::{Clock, Entropy};
use hatchery_auth::Passwords;
use hatchery_dbhost::Hosts;
use hatchery_mail::Mailer;
use hatchery_store::Store;
use hatchery_vocab::Timestamp;

use crate::actor::BlockedKeys;
use crate::resources::ResourceCache;
use crate::sign_in::Limits;
use crate::{Nodes, Settings};

/// What every verb works with: data, time, randomness, nodes and settings. Clones share it all.
#[derive(Clone, Debug)]
pub struct Cx(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    resources: ResourceCache,
    blocked: BlockedKeys,
    database_hosts: Hosts,
    sign_in_limits: Limits,
}

/// What a [`Cx`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The data.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Writes to people.
    pub mail: Mailer,
    /// The nodes that can be spoken to.
    pub nodes: Nodes,
    /// What the operator chose.
    pub settings: Settings,
}

impl Cx {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            resources: ResourceCache::new(),
            blocked: BlockedKeys::new(),
            database_hosts: Hosts::default(),
            sign_in_limits: Limits::new(),
        }))
    }

    /// The data.
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.0.parts.entropy
    }

    /// Hashes and checks passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.0.parts.passwords
    }

    /// Writes to people. Letters are sent after the commit of what they tell.
    pub fn mail(&self) -> &Mailer {
        &self.0.parts.mail
    }

    /// The nodes that can be spoken to.
    pub fn nodes(&self) -> &Nodes {
        &self.0.parts.nodes
    }

    /// What the operator chose.
    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub(crate) fn database_hosts(&self) -> &Hosts {
        &self.0.database_hosts
    }

    pub(crate) fn blocked_keys(&self) -> &BlockedKeys {
        &self.0.blocked
    }

    pub(crate) fn sign_in_limits(&self) -> &Limits {
        &self.0.sign_in_limits
    }

    pub(crate) fn resources(&self) -> &ResourceCache {
        &self.0.resources
    }
}
