//! The panel under test: the real binary on a copy of the world, and a look at its log of activity.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use hatchery_e2e::{Client, Service, free_port};
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};

const START_PATIENCE: Duration = Duration::from_mins(1);

/// Settings of the recording instance.
const SETTINGS: [(&str, &str); 10] = [
    ("HATCHERY_ACTIVITY_KEEP_DAYS", "0"),
    // Backups of the year 2024 that are under way stay so.
    ("HATCHERY_BACKUPS_PRUNE_AGE", "100000000"),
    ("HATCHERY_CLIENT_ALLOCATIONS_PORTS", "25600-25700"),
    ("HATCHERY_LOG_FORMAT", "human"),
    ("HATCHERY_LOG_LEVEL", "info"),
    ("HATCHERY_NAME", "Pterodactyl"),
    ("HATCHERY_NODE_RUNTIME", "process"),
    ("HATCHERY_RATE_LIMIT_PER_MINUTE", "100000000"),
    ("HATCHERY_SCHEDULES_RUN", "false"),
    ("HATCHERY_URL", "http://127.0.0.1:8800"),
];

/// A key of the world that no exchange looks at.
const BYSTANDER: &str = "ptlc_bench000000BenchTokenBenchTokenBenchTokenBe";

/// Settings that differ from those of the recording instance.
pub(crate) type Variant = Vec<(&'static str, String)>;

/// A panel on a folder of its own.
#[derive(Debug)]
pub(crate) struct Panel {
    binary: PathBuf,
    data: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    variant: Variant,
    service: Option<Service>,
}

impl Panel {
    /// A panel in `folder` that does not run yet.
    pub(crate) fn new(binary: &Path, folder: &Path) -> Result<Panel> {
        Ok(Panel {
            binary: binary.to_owned(),
            data: folder.join("data"),
            log: folder.join("panel.log"),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)),
            variant: Variant::new(),
            service: None,
        })
    }

    /// Where it answers.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// How its settings differ.
    pub(crate) const fn variant(&self) -> &Variant {
        &self.variant
    }

    /// Whether it runs.
    pub(crate) const fn runs(&self) -> bool {
        self.service.is_some()
    }

    /// Starts it with these settings.
    pub(crate) fn start(&mut self, variant: Variant) -> Result<()> {
        self.stop()?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let errors = log.try_clone()?;
        let listen = self.address.to_string();
        let arguments = [
            OsStr::new("serve"),
            OsStr::new("--listen"),
            OsStr::new(&listen),
            OsStr::new("--data-dir"),
            self.data.as_os_str(),
        ];
        let mut service = Service::start(
            "the panel",
            &self.binary,
            &arguments,
            None,
            Signal::TERM,
            |command| {
                command.envs(SETTINGS);
                command.envs(variant.iter().map(|(name, value)| (name, value)));
                command.stdout(log).stderr(errors);
            },
        )?;
        let client = Client::new(self.address, None);
        service
            .wait_until(START_PATIENCE, || {
                Ok(client
                    .get("/ready")
                    .is_ok_and(|answer| answer.status == 200))
            })
            .with_context(|| format!("the panel said: {}", self.said()))?;
        self.service = Some(service);
        self.variant = variant;
        Ok(())
    }

    /// Stops it in order, if it runs.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if let Some(service) = self.service.take() {
            service.stop()?;
        }
        Ok(())
    }

    /// The end of its own log.
    pub(crate) fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let start = text.len().saturating_sub(2000);
        let start = (start..=text.len()).find(|at| text.is_char_boundary(*at));
        text[start.unwrap_or(text.len())..].to_owned()
    }

    /// Makes it write what it writes behind: a list of activity shows the latest.
    pub(crate) fn flush(&self) -> Result<()> {
        let bystander = Client::new(self.address, Some(BYSTANDER));
        bystander.get("/api/client/account/activity").map(drop)
    }

    /// Looks into its database.
    pub(crate) fn look(&self) -> Result<Look> {
        Ok(Look(Connection::open(database(&self.data))?))
    }
}

/// The file with a panel's rows.
pub(crate) fn database(data: &Path) -> PathBuf {
    data.join("panel.db")
}

/// A second connection to the panel's database.
#[derive(Debug)]
pub(crate) struct Look(Connection);

impl Look {
    /// The latest row of the activity log.
    pub(crate) fn last_activity(&self) -> Result<i64> {
        let sql = "SELECT coalesce(max(id), 0) FROM activity";
        Ok(self.0.query_row(sql, (), |row| row.get(0))?)
    }

    /// The rows after `last`, written as the recordings write them.
    pub(crate) fn activity_after(&self, last: i64) -> Result<Vec<Value>> {
        let mut rows = self.0.prepare_cached(
            "SELECT a.id, e.name, a.ip, a.actor_id, a.api_key_id, a.properties
             FROM activity a JOIN activity_events e ON e.id = a.event_id
             WHERE a.id > ?1 ORDER BY a.id",
        )?;
        let mut subjects = self.0.prepare_cached(
            "SELECT subject_type || ':' || subject_id FROM activity_subjects
             WHERE activity_id = ?1 ORDER BY 1",
        )?;
        let rows = rows.query_map([last], |row| {
            let properties: String = row.get(5)?;
            let subjects: Vec<String> = subjects
                .query_map([row.get::<_, i64>(0)?], |subject| subject.get(0))?
                .collect::<Result<_, _>>()?;
            let properties = match serde_json::from_str(&properties) {
                Ok(Value::Object(none)) if none.is_empty() => json!([]),
                Ok(properties) => properties,
                Err(_) => Value::String(properties),
            };
            Ok(json!({
                "event": row.get::<_, String>(1)?,
                "ip": row.get::<_, Option<String>>(2)?,
                "actor": row.get::<_, Option<i64>>(3)?.map(|id| format!("user:{id}")),
                "api_key_id": row.get::<_, Option<i64>>(4)?,
                "properties": properties,
                "subjects": subjects,
            }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
