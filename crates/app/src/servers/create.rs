//! Creating a server.

use std::net::IpAddr;
use std::sync::Arc;

use hatchery_node_proto::NodeError;
use hatchery_rules::{FieldError, Fields, RuleSet};
use hatchery_store::{EggSnapshot, FeatureLimits, Node, ServerLimits, StoreError, Tx};
use hatchery_vocab::{
    AllocationId, EggVariableId, NodeId, Port, ServerId, ServerStatus, ServerUuid, UserId,
};
use serde_json::{Value, json};

use crate::Cx;

/// A server to create.
#[derive(Clone, Debug)]
pub struct NewServer {
    /// Its name.
    pub name: String,
    /// A few words about it.
    pub description: String,
    /// Its id in another system, such as a shop.
    pub external_id: Option<String>,
    /// Whose it is.
    pub owner: UserId,
    /// What it runs.
    pub egg: Arc<EggSnapshot>,
    /// Where it runs; the embedded node without one.
    pub node: Option<NodeId>,
    /// What it may use.
    pub limits: ServerLimits,
    /// How many of each it may have.
    pub feature_limits: FeatureLimits,
    /// Its primary port; the first free one without it. A port that the node has no allocation for
    /// is added.
    pub port: Option<Port>,
    /// The egg's variables by their names in the environment; defaults for those left out.
    pub variables: Vec<(String, String)>,
    /// The image; the egg's first without one.
    pub image: Option<String>,
    /// The start line; the egg's without one.
    pub startup: Option<String>,
    /// Whether the egg's installation script is skipped.
    pub skip_scripts: bool,
    /// Whether it starts as soon as it is installed.
    pub start_on_completion: bool,
}

/// A server that was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its row.
    pub id: ServerId,
    /// Its public id.
    pub uuid: ServerUuid,
}

/// Why a server was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateServerError {
    /// Fields were refused, the egg's variables as `environment.NAME` among them.
    #[error("{}", sentences(.0))]
    Fields(Vec<FieldError>),
    /// There is no such user.
    #[error("there is no user with the id {0}")]
    NoSuchUser(UserId),
    /// There is no such node.
    #[error("there is no such node; start the panel once so that its own node is set up")]
    NoSuchNode,
    /// No allocation of the node is free.
    #[error("the node has no free port left; add allocations, or name a port")]
    NoFreeAllocation,
    /// Another server has the port.
    #[error("another server has the port {0}; name another one")]
    PortTaken(Port),
    /// The node did not take the server, which was therefore removed again.
    #[error("the node did not take the server: {0}")]
    Node(#[from] NodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn sentences(errors: &[FieldError]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.detail))
        .collect();
    lines.join("\n")
}

/// Creates a server, with everything that belongs to it in one transaction, and hands it to its
/// node, which installs it. A process that cannot speak to the node leaves the server waiting for
/// [`reconcile`](super::reconcile()).
///
/// # Errors
/// What was refused, or what failed. Nothing is left behind then.
pub async fn create(cx: &Cx, new: NewServer) -> Result<Created, CreateServerError> {
    let values = checked(&new)?;
    if cx.store().user(new.owner).await?.is_none() {
        return Err(CreateServerError::NoSuchUser(new.owner));
    }
    let node = match new.node {
        Some(node) => cx.store().node(node).await?,
        None => cx.store().embedded_node().await?,
    };
    let node = node.ok_or(CreateServerError::NoSuchNode)?;
    let first_image = new
        .egg
        .egg
        .docker_images
        .first()
        .map(|(_, image)| image.clone());

    let mut tx = cx.store().begin().await?;
    let allocation = allocation(cx, &mut tx, &node, new.port).await?;
    let uuid = tx.new_server_uuid().await?;
    let row = hatchery_store::NewServer {
        uuid,
        external_id: new.external_id,
        node_id: node.id,
        owner_id: new.owner,
        egg_id: new.egg.egg.id,
        name: new.name,
        description: new.description,
        status: Some(ServerStatus::Installing),
        skip_scripts: new.skip_scripts,
        limits: new.limits,
        feature_limits: new.feature_limits,
        startup: new.startup.unwrap_or_else(|| new.egg.egg.startup.clone()),
        image: new.image.or(first_image).unwrap_or_default(),
        allocations: vec![allocation],
        variables: values,
    };
    let client = cx.nodes().client(&node);
    if client.is_none() && new.start_on_completion {
        tx.set_setting(&start_setting(uuid), "").await?;
    }
    let id = match tx.create_server(&row).await {
        // Somebody was faster.
        Err(StoreError::AllocationTaken) => {
            return Err(new.port.map_or(
                CreateServerError::NoFreeAllocation,
                CreateServerError::PortTaken,
            ));
        }
        created => created?,
    };
    tx.commit().await?;

    if let Some(client) = client
        && let Err(error) = client.create(uuid, new.start_on_completion).await
    {
        let mut tx = cx.store().begin().await?;
        tx.delete_server(id).await?;
        tx.commit().await?;
        return Err(error.into());
    }
    Ok(Created { id, uuid })
}

/// The setting by which a server that waits for its node is to start once it is installed.
pub(super) fn start_setting(server: ServerUuid) -> String {
    format!("server:start:{server}")
}

/// Checks the fields and gives every variable of the egg its value.
fn checked(new: &NewServer) -> Result<Vec<(EggVariableId, String)>, CreateServerError> {
    let fields = Fields::new()
        .field("name", "required|string|min:1|max:191")
        .field("description", "nullable|string")
        .field("external_id", "nullable|string|between:1,191")
        .field("image", "nullable|string|max:191")
        .field("limits.io", "numeric|between:10,1000")
        .field("limits.threads", r"nullable|regex:/^[0-9-,]+$/");
    let input = json!({
        "name": new.name,
        "description": new.description,
        "external_id": new.external_id,
        "image": new.image,
        "limits": {"io": new.limits.io, "threads": new.limits.threads},
    });
    let mut errors = fields.check(&input).err().unwrap_or_default();
    let mut values = Vec::with_capacity(new.egg.variables.len());
    for variable in &new.egg.variables {
        let given = new
            .variables
            .iter()
            .find(|(name, _)| *name == variable.env_variable);
        let value = given.map_or(&variable.default_value, |(_, value)| value);
        let checked =
            RuleSet::parse(&variable.rules).check_value("value", &Value::from(value.as_str()));
        for error in checked.err().unwrap_or_default() {
            let field = format!("environment.{}", variable.env_variable);
            errors.push(FieldError::new(field, error.rule, error.detail));
        }
        values.push((variable.id, value.clone()));
    }
    for (name, _) in &new.variables {
        if !new
            .egg
            .variables
            .iter()
            .any(|variable| variable.env_variable == *name)
        {
            errors.push(FieldError::custom(
                format!("environment.{name}"),
                "The egg has no such variable.",
            ));
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(CreateServerError::Fields(errors))
    }
}

/// The allocation for a port, made where the node has none, or the first free one.
async fn allocation(
    cx: &Cx,
    tx: &mut Tx,
    node: &Node,
    port: Option<Port>,
) -> Result<AllocationId, CreateServerError> {
    let Some(port) = port else {
        let free = cx.store().free_allocations(node.id, 1).await?;
        return free
            .first()
            .map(|free| free.id)
            .ok_or(CreateServerError::NoFreeAllocation);
    };
    let of_port = tx.allocations_by_port(node.id, port).await?;
    if let Some(free) = of_port
        .iter()
        .find(|allocation| allocation.server_id.is_none())
    {
        return Ok(free.id);
    }
    if !of_port.is_empty() {
        return Err(CreateServerError::PortTaken(port));
    }
    let address = own_address(cx, node).await?;
    tx.create_allocations(node.id, &address, None, port, port)
        .await?;
    let made = tx.allocations_by_port(node.id, port).await?;
    made.first()
        .map(|made| made.id)
        .ok_or(CreateServerError::NoFreeAllocation)
}

/// Where a node's servers listen when nothing says otherwise.
const LOOPBACK: &str = "127.0.0.1";

/// The address of a node's other allocations, else that of the node itself.
async fn own_address(cx: &Cx, node: &Node) -> Result<String, StoreError> {
    if let Some(free) = cx.store().free_allocations(node.id, 1).await?.first() {
        return Ok(free.ip.clone());
    }
    let address = node
        .fqdn
        .parse::<IpAddr>()
        .map(|address| address.to_string());
    Ok(address.unwrap_or_else(|_| LOOPBACK.to_owned()))
}
