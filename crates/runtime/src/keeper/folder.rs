//! The folder in which one instance is known to the machine: its socket, what it is, how it ended.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hatchery_sandbox::Group;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Exit, Job};

const SOCKET: &str = "keeper.sock";
const INSTANCE: &str = "instance.json";
const EXIT: &str = "exit.json";

/// The longest file that is read here: an exit record with a whole ring of output.
const MAX_FILE: u64 = 1024 * 1024;

/// What is known about an instance while its keeper cannot be asked. No secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstanceRecord {
    pub(crate) job: Job,
    /// Microseconds since 1970.
    pub(crate) started_at: i64,
    pub(crate) group: Option<Group>,
    /// The memory limit in bytes; zero when there is none.
    pub(crate) memory_limit: u64,
}

/// How an instance ended, with the last of its output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    pub(crate) code: i32,
    pub(crate) out_of_memory: bool,
    /// The position of the first byte of `tail`.
    pub(crate) tail_start: u64,
    /// Base64.
    tail: String,
}

impl ExitRecord {
    pub(crate) fn new(exit: Exit, tail_start: u64, tail: &[u8]) -> Self {
        Self {
            code: exit.code,
            out_of_memory: exit.out_of_memory,
            tail_start,
            tail: BASE64_STANDARD.encode(tail),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        Exit {
            code: self.code,
            out_of_memory: self.out_of_memory,
        }
    }

    /// What was printed from a position on, and where it begins.
    pub(crate) fn tail_from(&self, position: u64) -> (u64, Vec<u8>) {
        let mut tail = BASE64_STANDARD.decode(&self.tail).unwrap_or_default();
        let seen = usize::try_from(position.saturating_sub(self.tail_start))
            .unwrap_or(usize::MAX)
            .min(tail.len());
        tail.drain(..seen);
        (self.tail_start + seen as u64, tail)
    }
}

/// The folder of one instance.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder(PathBuf);

impl RunFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder, empty and for its owner alone.
    pub(crate) fn create(&self) -> io::Result<()> {
        self.remove()?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
    }

    /// Takes the folder away with all that is in it.
    pub(crate) fn remove(&self) -> io::Result<()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the runtime's own folder, not a server's"
        )]
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        self.at_socket(|path| UnixListener::bind(path))
    }

    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        self.at_socket(|path| UnixStream::connect(path))
    }

    /// The path of a socket must fit into 108 bytes, which a data folder can exceed: it is reached
    /// through a descriptor of its folder.
    fn at_socket<T>(&self, action: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
        let folder = open(&self.0)?;
        action(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET))
    }

    pub(crate) fn write_instance(&self, record: &InstanceRecord) -> io::Result<()> {
        self.write(INSTANCE, record)
    }

    pub(crate) fn read_instance(&self) -> Option<InstanceRecord> {
        self.read(INSTANCE)
    }

    /// Writes the exit record so that it is whole or absent, whatever happens to the machine.
    pub(crate) fn write_exit(&self, record: &ExitRecord) -> io::Result<()> {
        self.write(EXIT, record)
    }

    pub(crate) fn read_exit(&self) -> Option<ExitRecord> {
        self.read(EXIT)
    }

    fn write(&self, name: &str, record: &impl Serialize) -> io::Result<()> {
        let target = self.0.join(name);
        let draft = target.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_all()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the runtime's own file, not a server's"
        )]
        fs::rename(&draft, &target)?;
        open(&self.0)?.sync_all()
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let mut bytes = Vec::new();
        open(&self.0.join(name))
            .ok()?
            .take(MAX_FILE)
            .read_to_end(&mut bytes)
            .ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn open(path: &Path) -> io::Result<File> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime's own file, not a server's"
    )]
    File::open(path)
}
