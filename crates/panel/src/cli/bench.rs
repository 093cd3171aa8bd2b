//! Hidden commands of `cargo xtask bench`: a database with many rows, and a yardstick.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use clap::Args;
use hatchery_app::{Cx, eggs};
use hatchery_auth::KeyKind;
use hatchery_config::Settings;
use hatchery_store::import::{BackupRecord, ScheduleRecord, TaskRecord};
use hatchery_store::{
    ActivityEntry, EggSnapshot, FeatureLimits, NewNode, NewServer, NewUser, Node, Secret,
    ServerLimits, StoreError, Subject, Tx,
};
use hatchery_vocab::{
    BackupId, BackupUuid, CpuPercent, MiB, NodeId, NodeUuid, Port, ScheduleId, ServerId, Swap,
    TaskId, UserId, UserUuid,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::output::{Failure, Output, print};
use super::session::Session;
use crate::listener::{self, Limits};
use crate::supervise::Shutdown;
use hatchery_app::api_keys::{self, KeyRequest};

/// Rows in one transaction.
const BATCH: u64 = 500;
/// Servers on the embedded node at most; the rest is on another one, as with a host of that size.
const ON_THIS_NODE: u64 = 1_000;
/// Servers of each user beside the one who is measured.
const OF_OTHERS: u64 = 50;
/// Entries of the activity log that may wait to be written.
const ACTIVITY_BATCH: u64 = 10_000;
/// What the first server has: as many backups as a page shows, and schedules with as many tasks as
/// there may be.
const BACKUPS: i64 = 20;
const SCHEDULES: i64 = 10;
const TASKS: i64 = 10;
/// The first port of the seeded allocations.
const FIRST_PORT: u16 = 10_000;
/// Their address: no real game listens there.
const ADDRESS: &str = "127.99.0.1";

#[derive(Debug, Args)]
pub(super) struct Seed {
    /// How many servers in all
    #[arg(long)]
    servers: u64,
    /// How many of them belong to the user whose key is printed
    #[arg(long)]
    of_one_user: u64,
    /// How many entries of the activity log
    #[arg(long, default_value_t = 100_000)]
    activity: u64,
}

/// Fills the database, and prints the key of the user who is measured.
pub(super) fn seed(arguments: &Seed, settings: &Settings, output: Output) -> Result<(), Failure> {
    Session::run(settings, async |session| {
        let cx = &session.cx;
        let Some(egg) = eggs::find(cx, "demo").await? else {
            return Err(Failure::new(
                "the egg of the demo is missing; start the panel once",
            ));
        };
        let Some(node) = cx.store().embedded_node().await? else {
            return Err(Failure::new(
                "the embedded node is missing; start the panel once",
            ));
        };
        let (owner, key) = measured_user(cx).await?;
        let seeder = Seeder {
            cx,
            elsewhere: second_node(cx, &node).await?,
            node,
            egg,
        };
        let servers = seeder.servers(arguments, owner).await?;
        if let Some(first) = servers.first() {
            seeder.much_used(*first).await?;
        }
        seeder.activity(arguments.activity, &servers, owner).await?;
        output.answer(
            &key,
            &json!({ "user": "measured", "key": key, "servers": servers.len() }),
        )
    })
}

async fn measured_user(cx: &Cx) -> Result<(UserId, String), StoreError> {
    let mut tx = cx.store().begin().await?;
    let owner = user(cx, &mut tx, "measured").await?;
    let request = KeyRequest {
        kind: KeyKind::Client,
        description: "bench".to_owned(),
        allowed_ips: Vec::new(),
    };
    let key = api_keys::make(cx, &mut tx, owner, request).await?.expose();
    tx.commit().await?;
    Ok((owner, key))
}

/// A user who cannot sign in: no password has this hash.
async fn user(cx: &Cx, tx: &mut Tx, name: &str) -> Result<UserId, StoreError> {
    tx.create_user(&NewUser {
        uuid: UserUuid::new(cx.entropy().uuid()),
        external_id: None,
        username: name.to_owned(),
        email: format!("{name}@example.com"),
        name_first: None,
        name_last: None,
        password: Secret::new("!"),
        language: "en".to_owned(),
        root_admin: false,
    })
    .await
}

async fn second_node(cx: &Cx, like: &Node) -> Result<NodeId, StoreError> {
    let mut tx = cx.store().begin().await?;
    let node = tx
        .create_node(&NewNode {
            uuid: NodeUuid::new(cx.entropy().uuid()),
            location_id: like.location_id,
            name: "Elsewhere".to_owned(),
            description: None,
            embedded: false,
            public: true,
            fqdn: "node.example.com".to_owned(),
            scheme: "https".to_owned(),
            behind_proxy: false,
            maintenance_mode: false,
            memory: like.memory,
            memory_overallocate: like.memory_overallocate,
            disk: like.disk,
            disk_overallocate: like.disk_overallocate,
            upload_size: like.upload_size,
            daemon_base: like.daemon_base.clone(),
            daemon_listen: like.daemon_listen,
            daemon_sftp: like.daemon_sftp,
            daemon_token_id: cx.entropy().alphanumeric(16),
            daemon_token: Secret::new(cx.entropy().alphanumeric(64)),
        })
        .await?;
    tx.commit().await?;
    Ok(node)
}

struct Seeder<'a> {
    cx: &'a Cx,
    node: Arc<Node>,
    elsewhere: NodeId,
    egg: Arc<EggSnapshot>,
}

impl Seeder<'_> {
    /// The measured user's servers first, then those of the others.
    async fn servers(&self, arguments: &Seed, measured: UserId) -> Result<Vec<ServerId>, Failure> {
        let mut servers = Vec::new();
        let mut tx = self.cx.store().begin().await?;
        let mut owner = measured;
        for number in 0..arguments.servers {
            if number >= arguments.of_one_user
                && (number - arguments.of_one_user).is_multiple_of(OF_OTHERS)
            {
                owner = user(self.cx, &mut tx, &format!("other{number}")).await?;
            }
            servers.push(self.server(&mut tx, number, owner).await?);
            if number % BATCH == BATCH - 1 {
                tx.commit().await?;
                tx = self.cx.store().begin().await?;
            }
        }
        tx.commit().await?;
        Ok(servers)
    }

    async fn server(&self, tx: &mut Tx, number: u64, owner: UserId) -> Result<ServerId, Failure> {
        let node = if number < ON_THIS_NODE {
            self.node.id
        } else {
            self.elsewhere
        };
        let port = u16::try_from(number)
            .ok()
            .and_then(|number| Port::new(FIRST_PORT.checked_add(number)?));
        let Some(port) = port else {
            return Err(Failure::new(format!(
                "there are ports for {} servers only",
                u16::MAX - FIRST_PORT
            )));
        };
        tx.create_allocations(node, ADDRESS, None, port, port)
            .await?;
        let allocations = tx.allocations_by_port(node, port).await?;
        let egg = &self.egg.egg;
        let server = NewServer {
            uuid: tx.new_server_uuid().await?,
            external_id: None,
            node_id: node,
            owner_id: owner,
            egg_id: egg.id,
            name: format!("Server {number}"),
            description: "Made to be measured".to_owned(),
            status: None,
            skip_scripts: false,
            limits: ServerLimits {
                memory: MiB::new(1024),
                swap: Swap::Limited(MiB::new(0)),
                disk: MiB::new(4096),
                io: 500,
                cpu: CpuPercent::new(100),
                threads: None,
                oom_disabled: false,
            },
            feature_limits: FeatureLimits {
                databases: Some(5),
                allocations: Some(5),
                backups: 5,
            },
            startup: egg.startup.clone(),
            image: egg
                .docker_images
                .first()
                .map(|(_, image)| image.clone())
                .unwrap_or_default(),
            allocations: allocations
                .iter()
                .take(1)
                .map(|allocation| allocation.id)
                .collect(),
            variables: Vec::new(),
        };
        Ok(tx.create_server(&server).await?)
    }

    /// Backups and schedules, as a server has them that people use.
    async fn much_used(&self, server: ServerId) -> Result<(), Failure> {
        let now = self.cx.now();
        let mut tx = self.cx.store().begin().await?;
        for number in 1..=BACKUPS {
            tx.put(&BackupRecord {
                id: BackupId::new(number),
                uuid: BackupUuid::new(self.cx.entropy().uuid()),
                server_id: server,
                name: format!("Backup {number}"),
                ignored_files: vec!["logs".to_owned()],
                disk: "wings".to_owned(),
                is_locked: false,
                upload_id: None,
                is_successful: true,
                checksum: Some(format!("sha1:{number:040}")),
                bytes: 123_456_789,
                completed_at: Some(now),
                created_at: now,
                updated_at: now,
                deleted_at: None,
            })
            .await?;
        }
        for number in 1..=SCHEDULES {
            let schedule = ScheduleId::new(number);
            tx.put(&ScheduleRecord {
                id: schedule,
                server_id: server,
                name: format!("Schedule {number}"),
                cron_minute: "*/5".to_owned(),
                cron_hour: "*".to_owned(),
                cron_day_of_month: "*".to_owned(),
                cron_month: "*".to_owned(),
                cron_day_of_week: "*".to_owned(),
                // None of them is to run while something is measured.
                is_active: false,
                only_when_online: false,
                is_processing: false,
                last_run_at: None,
                next_run_at: None,
                created_at: now,
                updated_at: now,
            })
            .await?;
            for place in 1..=TASKS {
                tx.put(&TaskRecord {
                    id: TaskId::new((number - 1) * TASKS + place),
                    schedule_id: schedule,
                    sequence_id: place,
                    action: "command".to_owned(),
                    payload: "say hello".to_owned(),
                    time_offset: 0,
                    continue_on_failure: false,
                    is_queued: false,
                    created_at: now,
                    updated_at: now,
                })
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Every second entry is about the first server, the others about all in turn.
    async fn activity(
        &self,
        entries: u64,
        servers: &[ServerId],
        actor: UserId,
    ) -> Result<(), Failure> {
        let store = self.cx.store();
        let first = servers.iter().take(1).cycle();
        let about = first.zip(servers.iter().cycle());
        let about = about.flat_map(|(first, other)| [first, other]);
        for (number, server) in (0..entries).zip(about) {
            store.record_activity(ActivityEntry {
                event: "server:console.command".to_owned(),
                ip: Some("192.0.2.1".to_owned()),
                description: None,
                actor: Some(actor),
                api_key: None,
                properties: serde_json::Map::from_iter([(
                    "command".to_owned(),
                    json!("say hello"),
                )]),
                subjects: vec![Subject::Server(*server)],
                at: self.cx.now(),
            });
            if number % ACTIVITY_BATCH == ACTIVITY_BATCH - 1 {
                store.flush().await?;
            }
        }
        Ok(store.flush().await?)
    }
}

#[derive(Debug, Args)]
pub(super) struct Bare {
    /// Where to answer
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// `GET /0` answers with the first file, `GET /1` with the second, and so on
    files: Vec<PathBuf>,
}

/// The same listener and HTTP stack as the panel's, with nothing behind it but bytes in memory.
pub(super) fn bare(arguments: &Bare) -> Result<(), Failure> {
    let mut router =
        Router::new().route("/empty", post(|_: Bytes| async { StatusCode::NO_CONTENT }));
    for (number, path) in arguments.files.iter().enumerate() {
        let bytes = read(path)?;
        let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], bytes) };
        router = router.route(&format!("/{number}"), get(answer));
    }
    let limits = Limits {
        connections: 4096,
        per_address: 4096,
        proxies: Vec::new(),
        header_timeout: Duration::from_mins(1),
        body_timeout: Duration::from_mins(1),
        drain: Duration::ZERO,
    };
    crate::serve::runtime()?.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await?;
        print(format!("http://{}", listener.local_addr()?))?;
        std::io::stdout().flush()?;
        // Nobody gives the word: the process is ended by a signal.
        let (_giver, shutdown) = Shutdown::new();
        listener::serve(listener, router, limits, shutdown).await;
        Ok(())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file of the benchmark, not of a server"
)]
fn read(path: &PathBuf) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
