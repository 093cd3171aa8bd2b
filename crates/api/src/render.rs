//! Servers as JSON, written once for everybody who sees the same.
//!
//! A server's JSON depends on the server and on three bits of its reader: whether it is theirs, and
//! whether they may read allocations and start variables. So each server is written at most eight
//! times per revision, and a list is a concatenation.

pub(crate) mod startup;

use std::sync::Arc;

use bytes::Bytes;
use hatchery_app::access::Standing;
use hatchery_store::{ServerSnapshot, Subuser, User};
use hatchery_vocab::{Permission, ServerId, ServerStatus, UserId};
use hatchery_wire::client::{
    Allocation, Egg, FeatureLimits, PublicUser, Server, ServerLimits, ServerRelationships,
    SftpDetails, Subuser as SubuserResource,
};
use hatchery_wire::{Included, Item, List, ListWith};
use md5::{Digest as _, Md5};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::kit::error::ApiError;
use crate::kit::page::write_item;

/// How many bytes of JSON are kept.
const KEPT_BYTES: u64 = 16 << 20;
/// How many servers are expected to fit.
const EXPECTED: usize = 8_000;
/// How many bytes of whole pages are kept.
const KEPT_PAGE_BYTES: u64 = 8 << 20;
/// How many pages are expected to fit.
const EXPECTED_PAGES: usize = 500;

/// What of a server's JSON depends on its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct View {
    owner: bool,
    allocations: bool,
    startup: bool,
}

impl View {
    pub(crate) fn of(standing: &Standing) -> Self {
        Self {
            owner: standing.is_owner,
            allocations: standing.allows(Permission::AllocationRead),
            startup: standing.allows(Permission::StartupRead),
        }
    }
}

/// JSON of servers: each one with what is always included, and how it starts.
#[derive(Debug)]
pub(crate) struct RenderedServers(Cache<(ServerId, Shown), Rendered, ByLength>);

/// What is shown of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shown {
    /// Its item.
    Item(View),
    /// The list of its variables, which is the same for all who may see it.
    Startup,
}

#[derive(Clone, Debug)]
struct Rendered {
    revision: u64,
    json: Bytes,
}

#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<(ServerId, Shown), Rendered> for ByLength {
    fn weight(&self, _: &(ServerId, Shown), rendered: &Rendered) -> u64 {
        rendered.json.len() as u64
    }
}

impl Default for RenderedServers {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, KEPT_BYTES, ByLength))
    }
}

impl RenderedServers {
    /// The item of a server, without meta data.
    pub(crate) fn item(&self, server: &ServerSnapshot, view: View) -> Result<Bytes, ApiError> {
        self.kept(server, Shown::Item(view), || {
            write_item(resource(server, view, Extras::default()))
        })
    }

    /// The list of a server's variables with its meta data.
    pub(crate) fn startup(&self, server: &ServerSnapshot) -> Result<Bytes, ApiError> {
        self.kept(server, Shown::Startup, || {
            let list = ListWith::new(startup::variables(server), startup::meta(server));
            serde_json::to_vec(&list).map(Bytes::from)
        })
    }

    fn kept(
        &self,
        server: &ServerSnapshot,
        shown: Shown,
        write: impl FnOnce() -> serde_json::Result<Bytes>,
    ) -> Result<Bytes, ApiError> {
        let key = (server.id, shown);
        if let Some(rendered) = self.0.get(&key)
            && rendered.revision == server.revision
        {
            return Ok(rendered.json);
        }
        let json = write().map_err(|error| ApiError::internal(&error))?;
        let rendered = Rendered {
            revision: server.revision,
            json: json.clone(),
        };
        self.0.insert(key, rendered);
        Ok(json)
    }
}

/// A page of the servers that somebody sees, by all that its text depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PageKey {
    pub(crate) reader: UserId,
    /// Where the links of its meta data lead.
    pub(crate) url: String,
    pub(crate) query: String,
}

/// Pages that were made from the store's copies alone.
#[derive(Debug)]
pub(crate) struct RenderedPages(Cache<PageKey, RenderedPage, ByLength>);

#[derive(Clone, Debug)]
struct RenderedPage {
    generation: u64,
    json: Bytes,
}

impl Weighter<PageKey, RenderedPage> for ByLength {
    fn weight(&self, key: &PageKey, page: &RenderedPage) -> u64 {
        (key.url.len() + key.query.len() + page.json.len()) as u64
    }
}

impl Default for RenderedPages {
    fn default() -> Self {
        Self(Cache::with_weighter(
            EXPECTED_PAGES,
            KEPT_PAGE_BYTES,
            ByLength,
        ))
    }
}

impl RenderedPages {
    /// The page as it is in this generation of the store's data.
    pub(crate) fn get(&self, key: &PageKey, generation: u64) -> Option<Bytes> {
        let page = self.0.get(key)?;
        (page.generation == generation).then_some(page.json)
    }

    /// Keeps a page that was begun in this generation.
    pub(crate) fn keep(&self, key: PageKey, generation: u64, json: Bytes) {
        self.0.insert(key, RenderedPage { generation, json });
    }
}

/// What is included on request.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) egg: bool,
    pub(crate) subusers: Option<Included<List<SubuserResource>>>,
}

/// A server as a reader sees it.
pub(crate) fn resource(server: &ServerSnapshot, view: View, extras: Extras) -> Server {
    let limits = &server.limits;
    let features = server.feature_limits;
    Server {
        server_owner: view.owner,
        identifier: server.short.to_string(),
        internal_id: server.id.get(),
        uuid: server.uuid.to_string(),
        name: server.name.clone(),
        node: server.node.name.clone(),
        is_node_under_maintenance: server.node.maintenance_mode,
        sftp_details: SftpDetails {
            ip: server.node.fqdn.clone(),
            port: server.node.daemon_sftp.get(),
        },
        description: server.description.clone(),
        limits: ServerLimits {
            memory: limits.memory.get(),
            swap: limits.swap.to_wire(),
            disk: limits.disk.get(),
            io: limits.io,
            cpu: limits.cpu.get(),
            threads: limits.threads.clone(),
            oom_disabled: limits.oom_disabled,
        },
        invocation: startup::invocation(server, view.startup),
        docker_image: server.image.clone(),
        egg_features: server.egg.features().map(<[String]>::to_vec),
        feature_limits: FeatureLimits {
            databases: features.databases,
            allocations: features.allocations,
            backups: features.backups,
        },
        status: server.status.map(ServerStatus::as_str),
        is_suspended: server.status == Some(ServerStatus::Suspended),
        is_installing: matches!(
            server.status,
            Some(ServerStatus::Installing | ServerStatus::InstallFailed)
        ),
        is_transferring: server.transfer.is_some(),
        relationships: ServerRelationships {
            allocations: allocations(server, view.allocations),
            variables: if view.startup {
                Included::Shown(startup::variables(server).collect())
            } else {
                Included::HIDDEN
            },
            egg: extras.egg.then(|| {
                let egg = &server.egg.egg;
                Item::from(Egg {
                    uuid: egg.uuid.to_string(),
                    name: egg.name.clone(),
                })
            }),
            subusers: extras.subusers,
        },
    }
}

/// All allocations, or the primary one alone without its notes.
fn allocations(server: &ServerSnapshot, may_read: bool) -> List<Allocation> {
    let seen = server
        .allocations
        .iter()
        .filter(|allocation| may_read || allocation.is_primary);
    seen.map(|seen| Allocation {
        notes: seen.notes.clone().filter(|_| may_read),
        ..allocation(seen)
    })
    .collect()
}

/// An allocation as those see it who may.
pub(crate) fn allocation(allocation: &hatchery_store::Allocation) -> Allocation {
    Allocation {
        id: allocation.id.get(),
        ip: allocation.ip.clone(),
        ip_alias: allocation.ip_alias.clone(),
        port: allocation.port.get(),
        notes: allocation.notes.clone(),
        is_default: allocation.is_primary,
    }
}

/// A person as others see them.
pub(crate) fn public_user(user: &User) -> PublicUser {
    PublicUser {
        uuid: user.uuid.to_string(),
        username: user.username.clone(),
        email: user.email.clone(),
        image: format!(
            "https://gravatar.com/avatar/{}",
            md5_hex(&user.email.to_lowercase())
        ),
        two_factor_enabled: user.use_totp,
        created_at: user.created_at.iso_utc(),
    }
}

/// A subuser as others see them.
pub(crate) fn subuser((subuser, user): (Subuser, Arc<User>)) -> SubuserResource {
    SubuserResource {
        user: public_user(&user),
        permissions: subuser.permissions,
    }
}

/// The picture service's name for an address. MD5 is its choice and protects nothing here.
fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
