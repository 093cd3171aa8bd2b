//! Which user each server runs as: no two servers share one, and a server keeps its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use hatchery_sandbox::Identity;
use hatchery_vocab::ServerUuid;

use super::{ProcessConfig, launch};
use crate::RuntimeError;

const FILE: &str = "users.json";

/// The table of users, kept on the disk. User and group have the same number.
#[derive(Debug)]
pub(super) struct Identities {
    file: PathBuf,
    first: u32,
    count: u32,
    by_server: BTreeMap<String, u32>,
    root: bool,
}

impl Identities {
    pub(super) fn load(config: &ProcessConfig) -> io::Result<Self> {
        let file = config.run_dir.join(FILE);
        let by_server = match launch::open(&file) {
            Ok(file) => serde_json::from_reader(io::BufReader::new(file))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let root = rustix::process::geteuid().is_root();
        Ok(Self {
            file,
            first: config.first_uid,
            count: config.uid_count.max(1),
            by_server,
            root,
        })
    }

    /// The server's user; a new server gets a free one. Without root, everybody is this program's
    /// own user.
    pub(super) fn of(&mut self, server: ServerUuid) -> Result<Identity, RuntimeError> {
        if !self.root {
            let (uid, gid) = (
                rustix::process::geteuid().as_raw(),
                rustix::process::getegid().as_raw(),
            );
            return Ok(Identity {
                uid,
                gid,
                user_namespace: true,
            });
        }
        let uid = match self.by_server.get(&server.to_string()) {
            Some(uid) => *uid,
            None => self.claim(server)?,
        };
        Ok(Identity {
            uid,
            gid: uid,
            user_namespace: false,
        })
    }

    /// Forgets the server's user, which the next new server may get.
    pub(super) fn forget(&mut self, server: ServerUuid) -> io::Result<()> {
        if self.by_server.remove(&server.to_string()).is_some() {
            self.save()?;
        }
        Ok(())
    }

    fn claim(&mut self, server: ServerUuid) -> Result<u32, RuntimeError> {
        // Where the search starts depends on the server, so that a lost table gives most servers
        // the user that owns their files already.
        let start = (server.get().as_u128() % u128::from(self.count)) as u32;
        let free = (0..self.count)
            .map(|step| self.first + (start + step) % self.count)
            .find(|uid| !self.by_server.values().any(|taken| taken == uid))
            .ok_or_else(|| {
                RuntimeError::failed(
                    "giving the server a user",
                    "all users of the range are taken",
                )
            })?;
        self.by_server.insert(server.to_string(), free);
        self.save()
            .map_err(|error| RuntimeError::failed("writing the servers' users", error))?;
        Ok(free)
    }

    fn save(&self) -> io::Result<()> {
        let draft = self.file.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec(&self.by_server)?)?;
        file.sync_all()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the runtime's own file, not a server's"
        )]
        fs::rename(&draft, &self.file)
    }
}
