//! `hatchery serve`: puts panel and node together behind one listener, and takes them apart again.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::middleware::{self, Next};
use hatchery_api::kit::origin::ClientAddress;
use hatchery_app::first_admin;
use hatchery_app::servers::{self, ReconcileError};
use hatchery_app::{Cx, Nodes, backups, databases, password_resets, revocation, sign_in};
use hatchery_config::{Problem, Settings};
use hatchery_node::{Node, NodeConfig};
use hatchery_node_proto::{NodeClient, NodeService, NodeToken, PanelClient, PanelCredentials};
use hatchery_store::StoreError;
use hatchery_vocab::NodeId;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::compose::{self, Ambient};
use crate::data_dir::DataDir;
use crate::embedded_node::{self, Address};
use crate::listener::{self, Limits};
use crate::supervise::{Shutdown, Supervisor};
use crate::web::{HttpMetrics, Web};
use crate::{logs, runtimes, schedules};

/// Enough for thousands of requests a second; more only take memory.
const MAX_WORKERS: usize = 4;
/// Threads for what cannot wait asynchronously: files, password hashes.
const MAX_BLOCKING: usize = 64;
/// How often what failed creations left on database hosts is looked for.
const CLEAR_LEFTOVERS_EVERY: Duration = Duration::from_mins(1);
/// How often what has ended is cleared away.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// How often backups are looked for that nobody reports on any more (client-api.md §10.2).
const PRUNE_BACKUPS_EVERY: Duration = Duration::from_mins(30);
/// How often nodes are told of rights that another process took away; within a second they must be.
const REVOKE_EVERY: Duration = Duration::from_millis(500);
/// How long the runtime waits for such threads once everything else has ended.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// The answer to a request that crashed (client-api.md §2.4).
const CRASHED: &str = concat!(
    r#"{"errors":[{"code":"HttpException","status":"500","#,
    r#""detail":"An unexpected error was encountered while processing this request, please try again."}]}"#,
);

/// Why the panel does not run: a sentence that says what to mend.
pub(crate) type ServeError = Box<dyn std::error::Error + Send + Sync>;

/// Runs until the process is told to end.
pub(crate) fn run(settings: &Settings, warnings: &[Problem]) -> Result<(), ServeError> {
    logs::start(&settings.log);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let data_dir = DataDir::prepare(settings)?;
    let _lock = data_dir.lock()?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve(settings, &data_dir));
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

/// The async runtime that serves requests.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, MAX_WORKERS))
        .max_blocking_threads(MAX_BLOCKING)
        .thread_name("hatchery")
        .enable_all()
        .build()
}

async fn serve(settings: &Settings, data_dir: &DataDir) -> Result<(), ServeError> {
    let ended = termination()?;
    let listener = listener::bind(settings.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}. Choose another address with --listen",
            settings.listen
        )
    })?;
    let listening = listener.local_addr()?;
    let ambient = Ambient::system();
    let store = compose::store(settings, data_dir, &ambient).await?;
    let nodes = Nodes::new();
    let address = Address::of(settings, listening);
    let cx = compose::context(settings, data_dir, store, &ambient, nodes.clone(), &address)?;
    let api = hatchery_api::router(cx.clone());
    let (node, node_id) =
        start_node(settings, data_dir, &ambient, &cx, &nodes, &api, &address).await?;

    let (end, shutdown) = Shutdown::new();
    let mut supervisor = Supervisor::new(shutdown.clone());
    look_after(&mut supervisor, settings, &cx, &node, node_id);

    let metrics = HttpMetrics::default();
    let routes = routes(settings, &cx, &node, api, metrics);
    let limits = Limits {
        connections: settings.http.max_connections.get() as usize,
        per_address: settings.http.max_connections_per_address.get() as usize,
        proxies: settings.trusted_proxies.clone(),
        header_timeout: Duration::from_secs(settings.http.header_timeout.get().into()),
        body_timeout: Duration::from_secs(settings.http.body_timeout.get().into()),
        drain: Duration::from_secs(settings.http.shutdown_timeout.into()),
    };
    let server = tokio::spawn(listener::serve(listener, routes, limits, shutdown));
    greet(&cx, &address, listening).await?;

    ended.await;
    tracing::info!("ending: no new requests are accepted; game servers go on");
    // Nobody listens only when everything has ended already.
    let _ = end.send(true);
    server.await?;
    supervisor.join().await;
    node.shut_down().await;
    cx.store().close().await?;
    tracing::info!("ended");
    Ok(())
}

async fn start_node(
    settings: &Settings,
    data_dir: &DataDir,
    ambient: &Ambient,
    cx: &Cx,
    nodes: &Nodes,
    api: &Router,
    address: &Address,
) -> Result<(Arc<Node>, NodeId), ServeError> {
    let volumes = data_dir.volumes(settings);
    let row = embedded_node::ensure(cx, settings, &volumes, address).await?;
    embedded_node::announce(cx, &row, address).await?;
    hatchery_app::eggs::install_builtin(cx).await?;
    let token = NodeToken::new(row.daemon_token.expose());
    let credentials = PanelCredentials {
        token_id: row.daemon_token_id.clone(),
        token: token.clone(),
    };
    let panel = PanelClient::new(service(api.clone()), &credentials)?;
    let config = NodeConfig {
        app_name: settings.name.clone(),
        allowed_origins: vec![address.url()],
        upload_limit_mib: settings.node.upload_limit.get(),
        backups: data_dir.path().join("backups"),
        backup_hosts: backups_bucket_host(cx),
        pull_hosts: settings.node.pull_hosts.clone(),
        ..NodeConfig::new(token.clone(), volumes)
    };
    let runtime = runtimes::choose(settings, data_dir, ambient).await?;
    tracing::info!(runtime = runtime.name(), "game servers run by this runtime");
    let node = Node::start(
        config,
        runtime,
        panel,
        Arc::clone(&ambient.clock),
        Arc::clone(&ambient.entropy),
    );
    nodes.register(row.id, NodeClient::new(node.protocol_service(), token)?);
    Ok((Arc::new(node), row.id))
}

/// The panel's own bucket may be in a private network.
fn backups_bucket_host(cx: &Cx) -> Vec<String> {
    let bucket = cx.settings().backups.bucket.as_ref();
    bucket
        .map(|bucket| bucket.host().to_owned())
        .into_iter()
        .collect()
}

/// Requests inside this process go straight to the router.
fn service(router: Router) -> NodeService {
    BoxCloneSyncService::new(ServiceExt::<Request>::map_err(
        router,
        |never: Infallible| match never {},
    ))
}

/// Keeps the node in step with the data, and the data free of what has ended.
fn look_after(
    supervisor: &mut Supervisor,
    settings: &Settings,
    cx: &Cx,
    node: &Arc<Node>,
    node_id: NodeId,
) {
    supervisor.keep("reconcile", {
        let (cx, node) = (cx.clone(), Arc::clone(node));
        move || reconcile(cx.clone(), Arc::clone(&node), node_id)
    });
    supervisor.keep("revocation", {
        let (cx, node) = (cx.clone(), Arc::clone(node));
        move || revoke(cx.clone(), Arc::clone(&node))
    });
    supervisor.keep("mail", {
        let cx = cx.clone();
        move || deliver_mail(cx.clone())
    });
    supervisor.keep("database leftovers", {
        let cx = cx.clone();
        move || clear_leftovers(cx.clone())
    });
    if settings.schedules.run {
        supervisor.keep("schedules", {
            let cx = cx.clone();
            move || schedules::run(cx.clone())
        });
    }
    let days = u64::from(settings.activity.keep_days);
    let lifetime = (days > 0).then(|| Duration::from_hours(24 * days));
    supervisor.keep("prune backups", {
        let cx = cx.clone();
        move || prune_backups(cx.clone())
    });
    supervisor.keep("prune", {
        let cx = cx.clone();
        move || prune(cx.clone(), lifetime)
    });
}

/// Brings to the node what other processes commit, such as `hatchery server create`.
async fn reconcile(cx: Cx, node: Arc<Node>, node_id: NodeId) -> Result<(), ReconcileError> {
    node.booted().await;
    let mut commits = cx.store().external_commits();
    loop {
        servers::reconcile(&cx, node_id).await?;
        if commits.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Takes consoles and links away from those who lost their right to them by what another process
/// did, such as `hatchery user reset-password`.
async fn revoke(cx: Cx, node: Arc<Node>) -> Result<(), StoreError> {
    node.booted().await;
    let mut turns = tokio::time::interval(REVOKE_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        revocation::deliver_all(&cx).await?;
    }
}

/// Sends what is written to people.
async fn deliver_mail(cx: Cx) -> Result<(), Infallible> {
    match cx.mail().deliver().await {}
}

/// Gives up backups that nobody reports on any more.
async fn prune_backups(cx: Cx) -> Result<(), StoreError> {
    loop {
        // Not at once: a node that starts now may have something to say about them.
        tokio::time::sleep(PRUNE_BACKUPS_EVERY).await;
        backups::prune(&cx).await?;
    }
}

/// Clears away what failed creations left on database hosts.
async fn clear_leftovers(cx: Cx) -> Result<(), StoreError> {
    loop {
        databases::clear_leftovers(&cx).await?;
        tokio::time::sleep(CLEAR_LEFTOVERS_EVERY).await;
    }
}

/// Clears away sessions that have ended, and activity that is older than `lifetime`.
async fn prune(cx: Cx, lifetime: Option<Duration>) -> Result<(), StoreError> {
    loop {
        let mut tx = cx.store().begin().await?;
        tx.delete_ended_sessions().await?;
        tx.delete_ended_pending_sign_ins(sign_in::PENDING_LIFETIME)
            .await?;
        tx.delete_ended_password_resets(password_resets::LIFETIME)
            .await?;
        tx.commit().await?;
        if let Some(lifetime) = lifetime {
            cx.store().prune_activity(cx.now().minus(lifetime)).await?;
        }
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

fn routes(
    settings: &Settings,
    cx: &Cx,
    node: &Arc<Node>,
    api: Router,
    metrics: HttpMetrics,
) -> Router {
    let web = Web::new(
        cx.clone(),
        Arc::clone(node),
        metrics.clone(),
        settings.metrics.access,
    );
    let node_routes = node
        .public_router()
        .layer(middleware::from_fn_with_state(cx.clone(), name_client));
    web.routes()
        .merge(node_routes)
        .merge(api)
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(crashed))
        .layer(middleware::from_fn_with_state(metrics, HttpMetrics::count))
}

/// Tells the node's routes who the client is, proxies taken into account.
async fn name_client(
    State(cx): State<Cx>,
    request: Request,
    next: Next,
) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    let ClientAddress(address) = ClientAddress::of(&parts, &cx.settings().trusted_proxies);
    parts
        .extensions
        .insert(hatchery_node::ClientAddress(address));
    next.run(Request::from_parts(parts, body)).await
}

/// A handler that panicked ends its own request and nothing else.
fn crashed(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = text, "a request crashed");
    let mut response = Response::new(Body::from(CRASHED));
    *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
    let json = axum::http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_TYPE, json);
    response
}

/// Says where the panel is; once, and with a set-up link while there is no administrator.
async fn greet(cx: &Cx, address: &Address, listening: SocketAddr) -> Result<(), ServeError> {
    let url = address.url();
    tracing::info!(%listening, url, "ready");
    let line = match first_admin::invite(cx).await? {
        Some(token) => format!(
            "Open this link to set up your panel: {url}/setup?token={}",
            token.expose()
        ),
        None => format!("Hatchery answers at {url}"),
    };
    // Without standard output there is nobody to greet.
    let _ = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
    Ok(())
}

/// Resolves when the process is told to end.
fn termination() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
