//! The recorded world as a data folder: made once by the importer, copied for every reset.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::mariadb::MariaDb;
use crate::panel;
use crate::recording::Recordings;

/// The key of the recording instance: a test value, published with the recordings.
const APP_KEY: &str = "base64:dlyNVw4O8+jd9BlePj8tXcIzO89rDLCiz/ZmeefzDZ4=";

/// The salt of the recording instance's public ids.
const HASHIDS_SALT: &str = "peerSaltForGoldens01";

/// The database that the dump is loaded into.
const DATABASE: &str = "panel";

/// The port at which the recorded nodes listen.
pub(crate) const RECORDED_NODE_PORT: u16 = 18080;

/// The port of the recorded database host.
pub(crate) const RECORDED_HOST_PORT: u16 = 3306;

/// The first ids of new rows, which the dump does not carry.
const FIRST_IDS: [(&str, i64); 14] = [
    ("activity", 1000),
    ("allocations", 100),
    ("api_keys", 100),
    ("backups", 100),
    ("database_hosts", 10),
    ("databases", 100),
    ("locations", 10),
    ("nodes", 10),
    ("schedules", 100),
    ("servers", 200),
    ("subusers", 100),
    ("tasks", 100),
    ("transfers", 10),
    ("users", 20),
];

/// The world as it was recorded.
#[derive(Debug)]
pub(crate) struct Template {
    folder: TempDir,
}

impl Template {
    /// Imports the dump of the recorded world.
    pub(crate) fn import(
        binary: &Path,
        recordings: &Recordings,
        mariadb: &MariaDb,
    ) -> Result<Template> {
        mariadb.load(DATABASE, &recordings.dump())?;
        mariadb.run("CREATE USER importer@'127.0.0.1' IDENTIFIED BY 'importer'; GRANT SELECT ON *.* TO importer@'127.0.0.1'")?;
        let folder = new_folder()?;
        let url = format!(
            "mysql://importer:importer@127.0.0.1:{}/{DATABASE}",
            mariadb.port()
        );
        let output = Command::new(binary)
            .args(["import", "pterodactyl", "--database", &url])
            .args(["--hashids-salt", HASHIDS_SALT])
            .env("APP_KEY", APP_KEY)
            .arg("--data-dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.status.success(),
            "`hatchery import pterodactyl` failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Template { folder }.prepared()
    }

    /// A data folder that holds the recorded world already.
    pub(crate) fn existing(world: &Path) -> Result<Template> {
        let folder = new_folder()?;
        copy_tree(world, folder.path())?;
        Template { folder }.prepared()
    }

    fn prepared(self) -> Result<Template> {
        let database = Connection::open(panel::database(self.folder.path()))?;
        for (table, first) in FIRST_IDS {
            database.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?2 - 1) WHERE name = ?1",
                (table, first),
            )?;
            database.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 - 1
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
                (table, first),
            )?;
        }
        Ok(self)
    }

    /// Puts a fresh copy of the world into `folder`, its nodes and database host where they are now.
    pub(crate) fn copy_to(&self, folder: &Path, node_port: u16, host_port: u16) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        copy_tree(self.folder.path(), folder)?;
        let database = Connection::open(panel::database(folder))?;
        database.execute(
            "UPDATE nodes SET daemon_listen = ?1 WHERE daemon_listen = ?2",
            (node_port, RECORDED_NODE_PORT),
        )?;
        database.execute(
            "UPDATE database_hosts SET port = ?1 WHERE port = ?2",
            (host_port, RECORDED_HOST_PORT),
        )?;
        Ok(())
    }
}

fn new_folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("hatchery-world-")
        .tempdir()?;
    Ok(folder)
}

/// Copies a folder that holds plain files and folders.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
