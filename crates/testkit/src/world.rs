//! Who and what there is in a test panel.

use hatchery_auth::{ApiKeySecret, SecretDigest};
use hatchery_store::{
    ApiKeyKind, FeatureLimits, NewApiKey, NewEgg, NewEggVariable, NewNode, NewServer, NewUser,
    Secret, ServerLimits, Store, StoreError,
};
use hatchery_vocab::{
    ApiKeyId, CpuPercent, EggId, EggUuid, EggVariableId, MiB, NestId, NodeId, NodeUuid, Port,
    ServerId, ServerStatus, ServerUuid, Swap, UserId, UserUuid,
};

use hatchery_ambient::Entropy;

/// The secret between panel and node.
pub const NODE_TOKEN: &str = "the-secret-of-the-test-node-0123456789abcdefghijklmnopqrstuvwxyz";

/// Someone with an account and a key.
#[derive(Clone, Debug)]
pub struct Person {
    /// The row.
    pub id: UserId,
    /// The public id.
    pub uuid: UserUuid,
    /// The name to sign in with.
    pub name: String,
    /// The key's row.
    pub key_id: ApiKeyId,
    /// The whole client key.
    pub key: String,
}

/// A server of the world.
#[derive(Clone, Debug)]
pub struct TestServer {
    /// The row.
    pub id: ServerId,
    /// The public id.
    pub uuid: ServerUuid,
    /// The short id.
    pub short: String,
}

impl TestServer {
    /// The address of something of the server, such as `/power`.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/client/servers/{}{rest}", self.short)
    }
}

/// What a server is to be like.
#[derive(Clone, Debug)]
pub struct ServerSketch<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whose it is.
    pub owner: UserId,
    /// Its status.
    pub status: Option<ServerStatus>,
    /// How many allocations it has.
    pub allocations: usize,
}

/// People and servers that every test panel has.
#[derive(Clone, Debug)]
pub struct World {
    /// A root administrator who owns nothing.
    pub admin: Person,
    /// The owner of `server`.
    pub owner: Person,
    /// A subuser of `server` with a few permissions.
    pub helper: Person,
    /// A subuser of `server` who may only connect to the console.
    pub bare: Person,
    /// Nobody in particular.
    pub stranger: Person,
    /// The embedded node.
    pub node: NodeId,
    /// The egg of every server.
    pub egg: EggId,
    /// The server of most tests: two allocations, three variables of which one is hidden.
    pub server: TestServer,
}

/// What the helper may do.
const HELPER: [&str; 5] = [
    "control.console",
    "file.read",
    "activity.read",
    "user.read",
    "websocket.connect",
];

impl World {
    /// Puts everybody in their place.
    pub(crate) async fn create(
        store: &Store,
        password: &str,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let mut people = Vec::new();
        for (name, admin) in [
            ("admin", true),
            ("owner", false),
            ("helper", false),
            ("bare", false),
            ("stranger", false),
        ] {
            people.push(create_person(store, name, admin, password, entropy).await?);
        }
        let [admin, owner, helper, bare, stranger] = <[Person; 5]>::try_from(people)
            .map_err(|_| StoreError::Corrupt("five people were made".to_owned()))?;
        let node = create_node(store).await?;
        let egg = create_egg(store, entropy).await?;
        let sketch = ServerSketch {
            name: "Main",
            owner: owner.id,
            status: None,
            allocations: 2,
        };
        let server = create_server(store, node, egg, &sketch, entropy).await?;
        let mut tx = store.begin().await?;
        tx.create_subuser(server.id, helper.id, &HELPER.map(str::to_owned))
            .await?;
        tx.create_subuser(server.id, bare.id, &["websocket.connect".to_owned()])
            .await?;
        tx.commit().await?;
        Ok(Self {
            admin,
            owner,
            helper,
            bare,
            stranger,
            node,
            egg,
            server,
        })
    }
}

/// A person with a client key. The password's hash is given as it is to be stored.
pub(crate) async fn create_person(
    store: &Store,
    name: &str,
    root_admin: bool,
    password: &str,
    entropy: &dyn Entropy,
) -> Result<Person, StoreError> {
    let uuid = UserUuid::new(entropy.uuid());
    let mut tx = store.begin().await?;
    let id = tx
        .create_user(&NewUser {
            uuid,
            external_id: None,
            username: name.to_owned(),
            email: format!("{name}@example.com"),
            name_first: Some(name.to_owned()),
            name_last: Some("Person".to_owned()),
            password: Secret::new(password),
            language: "en".to_owned(),
            root_admin,
        })
        .await?;
    tx.commit().await?;
    let (key_id, key) = create_key(store, id, ApiKeyKind::Client, Vec::new(), entropy).await?;
    Ok(Person {
        id,
        uuid,
        name: name.to_owned(),
        key_id,
        key,
    })
}

/// A key of a user: its row, and the whole of it.
pub(crate) async fn create_key(
    store: &Store,
    user: UserId,
    kind: ApiKeyKind,
    allowed_ips: Vec<String>,
    entropy: &dyn Entropy,
) -> Result<(ApiKeyId, String), StoreError> {
    let secret = ApiKeySecret::generate(entropy);
    let prefix = if kind == ApiKeyKind::Client {
        "ptlc_"
    } else {
        "ptla_"
    };
    let identifier = format!("{prefix}{}", entropy.alphanumeric(11));
    let mut tx = store.begin().await?;
    let key = tx
        .create_api_key(&NewApiKey {
            user_id: user,
            kind,
            identifier: identifier.clone(),
            secret_sha256: *SecretDigest::of(secret.expose()).as_bytes(),
            memo: "made for a test".to_owned(),
            allowed_ips,
            rights: std::collections::BTreeMap::new(),
            expires_at: None,
        })
        .await?;
    tx.commit().await?;
    Ok((key.id, format!("{identifier}{}", secret.expose())))
}

async fn create_node(store: &Store) -> Result<NodeId, StoreError> {
    let (Some(listen), Some(sftp)) = (Port::new(8080), Port::new(2022)) else {
        return Err(StoreError::Corrupt("ports are not zero".to_owned()));
    };
    let mut tx = store.begin().await?;
    let location = tx.create_location("here", None).await?;
    let node = tx
        .create_node(&NewNode {
            uuid: NodeUuid::new(uuid_of(2)),
            location_id: location,
            name: "node1".to_owned(),
            description: None,
            embedded: true,
            public: true,
            fqdn: "node.test".to_owned(),
            scheme: "http".to_owned(),
            behind_proxy: false,
            maintenance_mode: false,
            memory: MiB::new(65_536),
            memory_overallocate: 0,
            disk: MiB::new(512_000),
            disk_overallocate: 0,
            upload_size: MiB::new(100),
            daemon_base: "/srv".to_owned(),
            daemon_listen: listen,
            daemon_sftp: sftp,
            daemon_token_id: "test-token-id-01".to_owned(),
            daemon_token: Secret::new(NODE_TOKEN),
        })
        .await?;
    tx.commit().await?;
    Ok(node)
}

/// The egg of every server, in a nest.
pub(crate) fn egg_of(nest_id: NestId) -> NewEgg {
    let variable = |name: &str, default: &str, viewable: bool, rules: &str| NewEggVariable {
        name: name.to_lowercase(),
        description: format!("What {name} is for."),
        env_variable: name.to_owned(),
        default_value: default.to_owned(),
        user_viewable: viewable,
        user_editable: viewable,
        rules: rules.to_owned(),
        field_type: "text".to_owned(),
    };
    NewEgg {
        uuid: EggUuid::new(uuid_of(3)),
        nest_id,
        author: "tests@example.com".to_owned(),
        name: "Test Game".to_owned(),
        description: None,
        source_format: "PTDL_v2".to_owned(),
        update_url: None,
        features: Some(vec!["eula".to_owned()]),
        docker_images: vec![
            ("Java 21".to_owned(), "example.com/java:21".to_owned()),
            ("Java 17".to_owned(), "example.com/java:17".to_owned()),
        ],
        file_denylist: Vec::new(),
        tags: Vec::new(),
        startup: "run {{JARFILE}}".to_owned(),
        config_files: None,
        config_startup: None,
        config_logs: None,
        config_stop: Some("stop".to_owned()),
        config_from: None,
        script_container: "example.com/installer".to_owned(),
        script_entry: "bash".to_owned(),
        script_install: None,
        copy_script_from: None,
        force_outgoing_ip: false,
        variables: vec![
            variable("JARFILE", "server.jar", true, "required|string|max:20"),
            variable("SECRET", "hush", false, "nullable|string"),
            variable("LEVEL", "world", true, "nullable|string"),
        ],
    }
}

async fn create_egg(store: &Store, entropy: &dyn Entropy) -> Result<EggId, StoreError> {
    let mut tx = store.begin().await?;
    let nest = tx
        .upsert_nest(entropy.uuid(), "tests", "Tests", None)
        .await?;
    let egg = tx.upsert_egg(&egg_of(nest)).await?;
    tx.commit().await?;
    Ok(egg)
}

/// A server, ready to be used unless its sketch says otherwise.
pub(crate) async fn create_server(
    store: &Store,
    node: NodeId,
    egg: EggId,
    sketch: &ServerSketch<'_>,
    entropy: &dyn Entropy,
) -> Result<TestServer, StoreError> {
    let uuid = ServerUuid::new(entropy.uuid());
    let allocations = free_allocations(store, node, sketch.allocations).await?;
    let snapshot = store.egg(egg).await?;
    let values: Vec<(EggVariableId, String)> = snapshot
        .iter()
        .filter_map(|egg| egg.variables.first())
        .map(|variable| (variable.id, "paper.jar".to_owned()))
        .collect();
    let mut tx = store.begin().await?;
    let id = tx
        .create_server(&NewServer {
            uuid,
            external_id: None,
            node_id: node,
            owner_id: sketch.owner,
            egg_id: egg,
            name: sketch.name.to_owned(),
            description: format!("{} server", sketch.name),
            status: sketch.status,
            skip_scripts: false,
            limits: ServerLimits {
                memory: MiB::new(1024),
                swap: Swap::Limited(MiB::new(0)),
                disk: MiB::new(5120),
                io: 500,
                cpu: CpuPercent::new(100),
                threads: None,
                oom_disabled: true,
            },
            feature_limits: FeatureLimits {
                databases: Some(2),
                allocations: Some(3),
                backups: 2,
            },
            startup:
                "run -m {{SERVER_MEMORY}} -p {{SERVER_PORT}} {{JARFILE}} {{SECRET}} {{LEVEL}} {{X}}"
                    .to_owned(),
            image: "example.com/java:21".to_owned(),
            allocations,
            variables: values,
        })
        .await?;
    tx.commit().await?;
    Ok(TestServer {
        id,
        uuid,
        short: uuid.short().to_string(),
    })
}

async fn free_allocations(
    store: &Store,
    node: NodeId,
    wanted: usize,
) -> Result<Vec<hatchery_vocab::AllocationId>, StoreError> {
    const FIRST: u16 = 25_565;
    let free = store.free_allocations(node, wanted as u64).await?;
    let mut ids: Vec<_> = free.into_iter().map(|allocation| allocation.id).collect();
    if ids.len() < wanted {
        // Ports that exist are left alone, so this adds as many as are missing, or more.
        let servers = u16::try_from(store.count_servers().await?).unwrap_or(u16::MAX);
        let last =
            FIRST.saturating_add(servers.saturating_add(1).saturating_mul(wanted as u16 + 1));
        if let (Some(first), Some(last)) = (Port::new(FIRST), Port::new(last)) {
            let mut tx = store.begin().await?;
            tx.create_allocations(node, "192.0.2.10", None, first, last)
                .await?;
            tx.commit().await?;
        }
        let free = store.free_allocations(node, wanted as u64).await?;
        ids = free.into_iter().map(|allocation| allocation.id).collect();
    }
    ids.truncate(wanted);
    Ok(ids)
}

/// A UUID that says that it was made up.
fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 + number)
}
