//! Servers as JSON, written once for everybody who sees the same.
//!
//! A server's JSON depends on the server and on three bits of its reader: whether it is theirs, and
//! whether they may read allocations and start variables. So each server is written at most eight
//! times per revision, and a list is a concatenation.

use std::sync::Arc;

use bytes::Bytes;
use hatchery_app::access::Standing;
use hatchery_app::startup::{self, HIDDEN, Placeholder};
use hatchery_store::{ServerSnapshot, Subuser, User};
use hatchery_vocab::{Permission, ServerId, ServerStatus, UserId};
use hatchery_wire::client::{
    Allocation, Egg, EggVariable, FeatureLimits, PublicUser, Server, ServerLimits,
    ServerRelationships, SftpDetails, Subuser as SubuserResource,
};
use hatchery_wire::{Included, Item, List};
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

/// JSON of servers with what is always included.
#[derive(Debug)]
pub(crate) struct RenderedServers(Cache<(ServerId, View), Rendered, ByLength>);

#[derive(Clone, Debug)]
struct Rendered {
    revision: u64,
    json: Bytes,
}

#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<(ServerId, View), Rendered> for ByLength {
    fn weight(&self, _: &(ServerId, View), rendered: &Rendered) -> u64 {
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
        let key = (server.id, view);
        if let Some(rendered) = self.0.get(&key)
            && rendered.revision == server.revision
        {
            return Ok(rendered.json);
        }
        let json = write_item(resource(server, view, Extras::default()))
            .map_err(|error| ApiError::internal(&error))?;
        self.0.insert(
            key,
            Rendered {
                revision: server.revision,
                json: json.clone(),
            },
        );
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
        invocation: invocation(server, view.startup),
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
                Included::Shown(variables(server))
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

/// The start command; values that the reader may not see stay hidden (client-api.md §4.1.2).
fn invocation(server: &ServerSnapshot, may_read: bool) -> String {
    let memory = server.limits.memory.get().to_string();
    let primary = server.primary_allocation();
    let ip = primary.map_or("", |allocation| &allocation.ip);
    let port = primary
        .map(|allocation| allocation.port.to_string())
        .unwrap_or_default();
    let built_in = [
        ("SERVER_MEMORY", memory.as_str()),
        ("SERVER_IP", ip),
        ("SERVER_PORT", &port),
    ];
    let built_in = built_in
        .into_iter()
        .map(|(name, value)| Placeholder { name, value });
    let variables = server.variables().map(|(variable, value)| Placeholder {
        name: &variable.env_variable,
        value: if may_read && variable.user_viewable {
            value.unwrap_or(&variable.default_value)
        } else {
            HIDDEN
        },
    });
    startup::invocation(&server.startup, built_in.chain(variables))
}

/// All allocations, or the primary one alone without its notes.
fn allocations(server: &ServerSnapshot, may_read: bool) -> List<Allocation> {
    let seen = server
        .allocations
        .iter()
        .filter(|allocation| may_read || allocation.is_primary);
    seen.map(|allocation| Allocation {
        id: allocation.id.get(),
        ip: allocation.ip.clone(),
        ip_alias: allocation.ip_alias.clone(),
        port: allocation.port.get(),
        notes: allocation.notes.clone().filter(|_| may_read),
        is_default: allocation.is_primary,
    })
    .collect()
}

fn variables(server: &ServerSnapshot) -> List<EggVariable> {
    let seen = server
        .variables()
        .filter(|(variable, _)| variable.user_viewable);
    seen.map(|(variable, value)| EggVariable {
        name: variable.name.clone(),
        description: variable.description.clone(),
        env_variable: variable.env_variable.clone(),
        default_value: variable.default_value.clone(),
        server_value: value.map(str::to_owned),
        is_editable: variable.user_editable,
        rules: variable.rules.clone(),
    })
    .collect()
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
