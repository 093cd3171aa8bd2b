//! Replays the exchanges of one area in order.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::compare::{self, Difference, Outcome, shown};
use crate::fixture::Fixture;
use crate::host::Host;
use crate::node::Node;
use crate::normal::Ports;
use crate::panel::{Panel, Variant};
use crate::recording::{Exchange, Recordings};
use crate::send::Sender;
use crate::settings;
use crate::template::Template;

/// How long a row that the recording has may take to be in the log.
const LATE: Duration = Duration::from_secs(2);

/// How often to look for it.
const POLL: Duration = Duration::from_millis(5);

/// Where things are that every area uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    /// The binary under test.
    pub binary: &'a Path,
    /// The recordings.
    pub recordings: &'a Recordings,
    /// The seeded world.
    pub template: &'a Template,
    /// The database host.
    pub host: &'a Host,
}

/// What an exchange came to.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// What was sent, for people.
    pub request: String,
    /// What was answered, for people.
    pub answer: String,
    /// The exchange's name.
    pub name: String,
    /// Whether there is nothing to compare with.
    pub withheld: bool,
    /// Where we differ.
    pub differences: Vec<Difference>,
}

/// Replays all exchanges of `area`.
pub(crate) fn area(world: World<'_>, area: &str) -> Result<Vec<Replayed>> {
    let exchanges = world.recordings.area(area)?;
    let folder = tempfile::Builder::new()
        .prefix("hatchery-replay-")
        .tempdir()?;
    let node = Node::start(&world.recordings.stand_in())?;
    let mut replay = Replay {
        world,
        panel: Panel::new(world.binary, folder.path())?,
        ports: Ports {
            node: node.port(),
            host: world.host.port(),
        },
        node,
        sender: Sender::new(),
        reset_tokens: reset_tokens(&exchanges),
        _folder: folder,
    };
    let mut replayed = Vec::with_capacity(exchanges.len());
    for (index, exchange) in exchanges.iter().enumerate() {
        let variant = settings::variant(&exchanges, index);
        let calm = settings::speaks_of_limits(&exchanges, index);
        let result = replay
            .one(area, exchange, variant, calm)
            .with_context(|| format!("{area}: {}", exchange.name))?;
        replayed.push(result);
    }
    replay.panel.stop()?;
    Ok(replayed)
}

struct Replay<'a> {
    world: World<'a>,
    panel: Panel,
    node: Node,
    ports: Ports,
    sender: Sender,
    reset_tokens: HashMap<String, String>,
    // Last: the panel ends before its folder goes.
    _folder: TempDir,
}

impl Replay<'_> {
    fn one(
        &mut self,
        area: &str,
        exchange: &Exchange,
        variant: Variant,
        calm: bool,
    ) -> Result<Replayed> {
        self.bring_about(area, exchange, variant, calm)?;
        self.node.behave(exchange.daemon_mode.as_ref())?;
        let last = self.panel.look()?.last_activity()?;
        let sent = self.sender.send(self.panel.address(), exchange);
        let answer = sent.with_context(|| format!("the panel said: {}", self.panel.said()))?;
        let expected = exchange.daemon_requests.as_ref().map_or(0, Vec::len);
        let requests = self.node.requests(expected)?;
        let expected = exchange.activity.as_ref().map_or(0, Vec::len);
        let activity = self.activity(last, expected)?;
        let outcome = Outcome {
            answer,
            requests,
            activity,
        };
        let differences = if exchange.withheld {
            compare::withheld(exchange, &outcome)
        } else {
            let comparison = compare::compare(exchange, &outcome, self.ports);
            self.sender.rename(comparison.renamed);
            comparison.differences
        };
        Ok(Replayed {
            request: format!(
                "{} {} {} as {}",
                exchange.method,
                exchange.path,
                shown(&exchange.request_body),
                exchange.actor
            ),
            answer: outcome.to_string(),
            name: exchange.name.clone(),
            withheld: exchange.withheld,
            differences,
        })
    }

    /// Puts the world, the settings and the rows into the state that the exchange is about.
    fn bring_about(
        &mut self,
        area: &str,
        exchange: &Exchange,
        variant: Variant,
        calm: bool,
    ) -> Result<()> {
        let fresh = exchange.reset || !self.panel.runs();
        let full = area == "account" && exchange.name.contains("limit reached");
        let reset_token = self.reset_token(exchange);
        let changes = !exchange.preconditions().is_empty() || full || reset_token.is_some();
        let limits = !calm && settings::keeps_state_in_memory(exchange);
        if !(fresh || changes || limits) && self.panel.variant() == &variant {
            return Ok(());
        }
        self.panel.stop()?;
        if fresh {
            self.world
                .template
                .copy_to(self.panel.data(), self.ports.node, self.ports.host)?;
            self.sender = Sender::new();
        }
        if area == "databases" && (fresh || !exchange.preconditions().is_empty()) {
            self.world.host.reset()?;
        }
        if changes {
            let fixture = Fixture::open(self.panel.data())?;
            if full {
                fixture.fill_api_keys(&exchange.actor)?;
            }
            if let Some((token, email)) = &reset_token {
                fixture.password_reset(token, email)?;
            }
            for statement in exchange.preconditions() {
                fixture.apply(statement)?;
            }
        }
        self.panel.start(variant)
    }

    /// A token that the reference mailed before this exchange, the first time that it is used.
    fn reset_token(&mut self, exchange: &Exchange) -> Option<(String, String)> {
        let token = exchange.request_body.get("token")?.as_str()?;
        self.reset_tokens.remove_entry(token)
    }

    /// The rows after `last`; waits a little where those are less than `expected`.
    fn activity(&self, last: i64, expected: usize) -> Result<Vec<Value>> {
        self.panel.flush()?;
        let look = self.panel.look()?;
        let deadline = Instant::now() + LATE;
        let mut rows = look.activity_after(last)?;
        while rows.len() < expected && Instant::now() < deadline {
            std::thread::sleep(POLL);
            rows = look.activity_after(last)?;
        }
        Ok(rows)
    }
}

/// The tokens for a new password in the recording, each with the address that it was mailed to:
/// the one that most requests with it name.
fn reset_tokens(exchanges: &[Exchange]) -> HashMap<String, String> {
    let mut uses: HashMap<(&str, &str), usize> = HashMap::new();
    for exchange in exchanges
        .iter()
        .filter(|exchange| exchange.path == "/auth/password/reset")
    {
        let text = |name: &str| exchange.request_body.get(name).and_then(Value::as_str);
        if let (Some(token), Some(email)) = (text("token"), text("email"))
            && token.len() == 64
        {
            *uses.entry((token, email)).or_default() += 1;
        }
    }
    let mut uses: Vec<_> = uses.into_iter().collect();
    uses.sort_by_key(|(_, count)| *count);
    uses.into_iter()
        .map(|((token, email), _)| (token.to_owned(), email.to_owned()))
        .collect()
}
