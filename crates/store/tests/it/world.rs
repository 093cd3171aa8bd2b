//! A small world: one node, one egg, a few people.

use std::collections::BTreeMap;

use hatchery_store::testing::TestStore;
use hatchery_store::{
    FeatureLimits, NewEgg, NewEggVariable, NewNode, NewServer, NewUser, Secret, ServerLimits, Store,
};
use hatchery_vocab::{
    AllocationId, CpuPercent, EggId, EggUuid, MiB, NodeId, NodeUuid, Port, ServerId, ServerUuid,
    Swap, UserId, UserUuid,
};
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) node: NodeId,
    pub(crate) egg: EggId,
    pub(crate) admin: UserId,
    pub(crate) owner: UserId,
    pub(crate) friend: UserId,
}

pub(crate) fn new_user(name: &str, root_admin: bool) -> NewUser {
    NewUser {
        uuid: UserUuid::new(uuid_of(name)),
        external_id: None,
        username: name.to_owned(),
        email: format!("{name}@example.com"),
        name_first: Some("First".to_owned()),
        name_last: None,
        password: Secret::new("$argon2id$"),
        language: "en".to_owned(),
        root_admin,
    }
}

/// Different texts, different UUIDs.
pub(crate) fn uuid_of(text: &str) -> Uuid {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in text.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    Uuid::from_u128(hash)
}

pub(crate) fn new_egg(nest: hatchery_vocab::NestId, name: &str) -> NewEgg {
    NewEgg {
        uuid: EggUuid::new(uuid_of(name)),
        nest_id: nest,
        author: "us@example.com".to_owned(),
        name: name.to_owned(),
        description: None,
        source_format: "PTDL_v2".to_owned(),
        update_url: None,
        features: Some(vec!["eula".to_owned()]),
        docker_images: vec![
            ("Z".to_owned(), "z:1".to_owned()),
            ("A".to_owned(), "a:1".to_owned()),
        ],
        file_denylist: vec!["*.key".to_owned()],
        tags: Vec::new(),
        startup: "run {{PORT}}".to_owned(),
        config_files: Some(serde_json::json!({"b.yml": {"parser": "yaml"}, "a.ini": {}})),
        config_startup: None,
        config_logs: None,
        config_stop: Some("^C".to_owned()),
        config_from: None,
        script_container: "alpine".to_owned(),
        script_entry: "ash".to_owned(),
        script_install: Some("true".to_owned()),
        copy_script_from: None,
        force_outgoing_ip: false,
        variables: vec![variable("JAR", "server.jar"), variable("WORLD", "earth")],
    }
}

pub(crate) fn variable(name: &str, default: &str) -> NewEggVariable {
    NewEggVariable {
        name: name.to_lowercase(),
        description: String::new(),
        env_variable: name.to_owned(),
        default_value: default.to_owned(),
        user_viewable: true,
        user_editable: true,
        rules: "required|string".to_owned(),
        field_type: "text".to_owned(),
    }
}

pub(crate) fn port(number: u16) -> Port {
    Port::new(number).unwrap()
}

impl World {
    pub(crate) async fn create(store: &TestStore) -> Self {
        let mut tx = store.begin().await.unwrap();
        let location_id = tx.create_location("eu", None).await.unwrap();
        let node = NewNode {
            uuid: NodeUuid::new(uuid_of("node")),
            location_id,
            name: "node1".to_owned(),
            description: None,
            embedded: true,
            public: true,
            fqdn: "node1.example.com".to_owned(),
            scheme: "http".to_owned(),
            behind_proxy: false,
            maintenance_mode: false,
            memory: MiB::new(1024),
            memory_overallocate: -1,
            disk: MiB::new(1024),
            disk_overallocate: 0,
            upload_size: MiB::new(100),
            daemon_base: "/srv".to_owned(),
            daemon_listen: port(8080),
            daemon_sftp: port(2022),
            daemon_token_id: "TokenId".to_owned(),
            daemon_token: Secret::new("secret of the node"),
        };
        let node = tx.create_node(&node).await.unwrap();
        let made = tx
            .create_allocations(node, "10.0.0.1", None, port(25565), port(25664))
            .await
            .unwrap();
        assert_eq!(made, 100);
        let nest = tx
            .upsert_nest(uuid_of("nest"), "us", "Games", None)
            .await
            .unwrap();
        let egg = tx.upsert_egg(&new_egg(nest, "Paper")).await.unwrap();
        let admin = tx.create_user(&new_user("admin", true)).await.unwrap();
        let owner = tx.create_user(&new_user("owner", false)).await.unwrap();
        let friend = tx.create_user(&new_user("friend", false)).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            node,
            egg,
            admin,
            owner,
            friend,
        }
    }

    pub(crate) fn server(
        &self,
        owner: UserId,
        name: &str,
        allocations: Vec<AllocationId>,
    ) -> NewServer {
        NewServer {
            uuid: ServerUuid::new(uuid_of(name)),
            external_id: None,
            node_id: self.node,
            owner_id: owner,
            egg_id: self.egg,
            name: name.to_owned(),
            description: format!("{name} description"),
            status: None,
            skip_scripts: false,
            limits: ServerLimits {
                memory: MiB::new(512),
                swap: Swap::Unlimited,
                disk: MiB::new(0),
                io: 500,
                cpu: CpuPercent::new(100),
                threads: Some("0,2-3".to_owned()),
                oom_disabled: true,
            },
            feature_limits: FeatureLimits {
                databases: None,
                allocations: Some(3),
                backups: 2,
            },
            startup: "run".to_owned(),
            image: "z:1".to_owned(),
            allocations,
            variables: Vec::new(),
        }
    }

    pub(crate) async fn add_server(&self, store: &Store, owner: UserId, name: &str) -> ServerId {
        let free = store.free_allocations(self.node, 1).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let server = self.server(owner, name, vec![free[0].id]);
        let id = tx.create_server(&server).await.unwrap();
        tx.commit().await.unwrap();
        id
    }
}

pub(crate) fn no_rights() -> BTreeMap<String, u8> {
    BTreeMap::new()
}
