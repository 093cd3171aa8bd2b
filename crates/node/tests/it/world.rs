//! A node with a scripted panel and a scripted runtime.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hatchery_ambient::{Clock as _, ManualClock, SeededEntropy};
use hatchery_node::{Node, NodeConfig};
use hatchery_node_proto::jwt::{Grant, Purpose, Websocket, issue};
use hatchery_node_proto::{NodeClient, NodeService, NodeToken, PanelClient, PanelCredentials};
use hatchery_runtime::fake::FakeRuntime;
use hatchery_vocab::{PowerState, ServerUuid, Timestamp, UserId, UserUuid};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// How often a condition is looked at before a test gives up.
const LOOKS: u32 = 10_000;

/// The panel, as far as a node sees it.
#[derive(Debug, Default)]
pub(crate) struct Panel {
    pub(crate) servers: Mutex<BTreeMap<ServerUuid, Value>>,
    /// Every call in order: method, path below `/api/remote`, body.
    pub(crate) calls: Mutex<Vec<(Method, String, Value)>>,
    /// How many calls are still answered with 503.
    pub(crate) failures: Mutex<u32>,
    /// Paths that are refused with 404.
    pub(crate) unknown: Mutex<Vec<String>>,
    /// Where parts of backups go.
    pub(crate) addresses: Mutex<Value>,
}

impl Panel {
    /// The bodies of all calls of a path.
    pub(crate) fn bodies(&self, path: &str) -> Vec<Value> {
        let calls = self.calls.lock();
        calls
            .iter()
            .filter(|call| call.0 == Method::POST && call.1 == path)
            .map(|call| call.2.clone())
            .collect()
    }

    /// Changes a server's settings.
    pub(crate) fn change(&self, server: ServerUuid, change: impl FnOnce(&mut Value)) {
        change(self.servers.lock().get_mut(&server).unwrap());
    }

    async fn answer(self: Arc<Self>, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let path = head
            .uri
            .path()
            .strip_prefix("/api/remote/")
            .unwrap()
            .to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        self.calls
            .lock()
            .push((head.method.clone(), path.clone(), body));
        {
            let mut failures = self.failures.lock();
            if *failures > 0 {
                *failures -= 1;
                return respond(StatusCode::SERVICE_UNAVAILABLE, &Value::Null);
            }
        }
        if self.unknown.lock().contains(&path) {
            return respond(StatusCode::NOT_FOUND, &Value::Null);
        }
        let servers = self.servers.lock();
        let segments: Vec<_> = path.split('/').collect();
        match (&head.method, segments.as_slice()) {
            (&Method::GET, ["servers"]) => {
                let data: Vec<_> = servers
                    .iter()
                    .map(|(uuid, document)| {
                        let mut entry = document.clone();
                        entry["uuid"] = json!(uuid);
                        entry
                    })
                    .collect();
                respond(
                    StatusCode::OK,
                    &json!({"data": data, "meta": {"current_page": 1, "last_page": 1}}),
                )
            }
            (&Method::GET, ["servers", uuid]) => match servers.get(&uuid.parse().unwrap()) {
                Some(document) => respond(StatusCode::OK, document),
                None => respond(StatusCode::NOT_FOUND, &Value::Null),
            },
            (&Method::GET, ["servers", _, "install"]) => respond(
                StatusCode::OK,
                &json!({"container_image": "installer", "entrypoint": "bash", "script": "echo hello\r\n"}),
            ),
            (&Method::GET, ["backups", _]) => respond(StatusCode::OK, &self.addresses.lock()),
            (&Method::POST, _) => respond(StatusCode::NO_CONTENT, &Value::Null),
            _ => respond(StatusCode::NOT_FOUND, &Value::Null),
        }
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// A node with everything around it.
pub(crate) struct World {
    pub(crate) panel: Arc<Panel>,
    pub(crate) runtime: FakeRuntime,
    pub(crate) clock: ManualClock,
    pub(crate) data: TempDir,
    pub(crate) node: Node,
    pub(crate) client: NodeClient,
    /// The one server that there is from the beginning.
    pub(crate) server: ServerUuid,
}

impl World {
    /// Where a file of the server lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(self.server.to_string()).join(name)
    }

    /// What a file of the server holds.
    pub(crate) fn content(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// A booted node with one server.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    /// The same with changes of the server's document and the node's settings.
    pub(crate) async fn with(
        document: impl FnOnce(&mut Value),
        config: impl FnOnce(&mut NodeConfig),
    ) -> Self {
        let clock = ManualClock::new(Timestamp::from_seconds(1_700_000_000));
        let runtime = FakeRuntime::new(Arc::new(clock.clone()));
        let panel = Arc::new(Panel::default());
        let server = uuid('a');
        let mut settings = self::document(server);
        document(&mut settings);
        panel.servers.lock().insert(server, settings);
        let data = TempDir::new().unwrap();
        let (node, client) = start(&panel, &runtime, &clock, &data, config);
        node.booted().await;
        Self {
            panel,
            runtime,
            clock,
            data,
            node,
            client,
            server,
        }
    }

    /// Stops the node as the death of its process does, and starts another.
    pub(crate) async fn restart(mut self) -> Self {
        drop(self.node);
        self.runtime.detach_all();
        self.clock.advance(Duration::from_secs(1));
        let (node, client) = start(&self.panel, &self.runtime, &self.clock, &self.data, |_| {});
        node.booted().await;
        (self.node, self.client) = (node, client);
        self
    }

    /// Waits until the server is in this state.
    pub(crate) async fn state(&self, state: PowerState) {
        let (client, server) = (&self.client, self.server);
        eventually(&format!("the server is {state}"), || async move {
            client.details(server).await.unwrap().state == state
        })
        .await;
    }

    /// A signed token for this purpose, for the user of this digit.
    pub(crate) fn sign<P: Purpose>(&self, user: char, purpose: P) -> String {
        let grant = Grant {
            issuer: "http://panel.example",
            audience: "http://node.example",
            user: user_uuid(user),
            user_id: UserId::new(i64::from(u32::from(user))),
            now: self.clock.now(),
            unique_id: format!("unique{}", self.clock.now().micros()),
        };
        issue(&NodeToken::new(TOKEN), grant, purpose)
    }

    /// A token for the server's WebSocket with these permissions.
    pub(crate) fn ticket(&self, user: char, permissions: &[&str]) -> String {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        self.sign(
            user,
            Websocket {
                server_uuid: self.server,
                permissions,
            },
        )
    }
}

fn start(
    panel: &Arc<Panel>,
    runtime: &FakeRuntime,
    clock: &ManualClock,
    data: &TempDir,
    change: impl FnOnce(&mut NodeConfig),
) -> (Node, NodeClient) {
    let panel = Arc::clone(panel);
    let service = NodeService::new(tower::service_fn(move |request| {
        let panel = Arc::clone(&panel);
        async move { Ok(panel.answer(request).await) }
    }));
    let credentials = PanelCredentials {
        token_id: "id".to_owned(),
        token: NodeToken::new(TOKEN),
    };
    let mut config = NodeConfig::new(NodeToken::new(TOKEN), data.path().to_owned());
    change(&mut config);
    let node = Node::start(
        config,
        Arc::new(runtime.clone()),
        PanelClient::new(service, &credentials).unwrap(),
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(7)),
    );
    let client = NodeClient::new(node.protocol_service(), NodeToken::new(TOKEN)).unwrap();
    (node, client)
}

/// The UUID of the server of this digit.
pub(crate) fn uuid(digit: char) -> ServerUuid {
    format!("{digit}3f95466-7e8b-42a4-8504-6e7055874e39")
        .parse()
        .unwrap()
}

/// The UUID of the user of this digit.
pub(crate) fn user_uuid(digit: char) -> UserUuid {
    format!("{digit}3aac109-cfa8-4ac0-b09c-09f78c8c77a5")
        .parse()
        .unwrap()
}

/// What the panel says of a server: ready at `ready`, stopped by the command `stop`.
pub(crate) fn document(server: ServerUuid) -> Value {
    json!({
        "settings": {
            "uuid": server,
            "meta": {"name": "Test", "description": ""},
            "suspended": false,
            "environment": {"MODE": "creative"},
            "invocation": "./game {{MODE}}",
            "skip_egg_scripts": false,
            "build": {"memory_limit": 512, "swap": 0, "io_weight": 500, "cpu_limit": 100, "threads": null,
                      "disk_space": 0, "oom_disabled": false},
            "container": {"image": "game"},
            "allocations": {"force_outgoing_ip": false, "default": {"ip": "127.0.0.1", "port": 25565},
                            "mappings": {"127.0.0.1": [25565]}},
            "mounts": [],
            "egg": {"id": "", "file_denylist": []},
        },
        "process_configuration": {
            "startup": {"done": ["ready"], "user_interaction": [], "strip_ansi": false},
            "stop": {"type": "command", "value": "stop"},
            "configs": [{"parser": "properties", "file": "server.properties",
                         "replace": [{"match": "server-port", "replace_with": "25565"}]}],
        },
    })
}

/// Waits until a condition holds, looking again and again.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    for _ in 0..LOOKS {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never happened that {what}");
}
