//! A place to run servers in, and a hand on their consoles.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hatchery_ambient::SystemClock;
use hatchery_runtime::process::{ProcessConfig, ProcessRuntime, Severity};
use hatchery_runtime::{Console, Exit, InstanceSpec, ResourceLimits, Runtime};
use hatchery_vocab::{CpuPercent, MiB, ServerUuid, Swap};
use tempfile::TempDir;

/// No test waits longer for anything; on a healthy machine none waits a hundredth of it.
const DEADLINE: Duration = Duration::from_mins(1);

/// A machine with a data folder and one server.
pub(crate) struct World {
    pub(crate) data: TempDir,
    pub(crate) server: ServerUuid,
    pub(crate) runtime: ProcessRuntime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ProcessConfig)) -> Self {
        let data = TempDir::with_prefix("hatchery-runtime-").unwrap();
        let server = fresh_server();
        std::fs::create_dir_all(data.path().join("volumes").join(server.to_string())).unwrap();
        let mut config = config(data.path());
        change(&mut config);
        let runtime = ProcessRuntime::new(config, Arc::new(SystemClock)).unwrap();
        Self {
            data,
            server,
            runtime,
        }
    }

    /// The same machine after a restart of the panel.
    pub(crate) fn restarted(&self) -> ProcessRuntime {
        ProcessRuntime::new(config(self.data.path()), Arc::new(SystemClock)).unwrap()
    }

    /// Whether limits are enforced here; says so when a test cannot run.
    pub(crate) fn has_groups(&self) -> bool {
        let complete = self.runtime.diagnose().iter().any(|finding| {
            finding.subject == "control groups" && finding.severity == Severity::Good
        });
        if !complete {
            eprintln!("SKIPPED: not every control group can be used here");
        }
        complete
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.data
            .path()
            .join("volumes")
            .join(self.server.to_string())
    }

    pub(crate) fn spec(&self, line: &str) -> InstanceSpec {
        InstanceSpec {
            server: self.server,
            root: self.root(),
            invocation: line.to_owned(),
            environment: vec![("SERVER_MEMORY".into(), "128".into())],
            image: String::new(),
            limits: limits(),
            ports: Vec::new(),
            mounts: Vec::new(),
            labels: Vec::new(),
        }
    }

    pub(crate) async fn start(&self, line: &str) -> Hand {
        self.start_spec(&self.spec(line)).await
    }

    pub(crate) async fn start_spec(&self, spec: &InstanceSpec) -> Hand {
        Hand::new(self.runtime.start(spec).await.unwrap())
    }

    /// Runs a line to its end: the exit and everything that was printed.
    pub(crate) async fn run(&self, line: &str) -> (Exit, String) {
        self.start(line).await.end().await
    }
}

impl Drop for World {
    /// Kills what a failed test has left running; the group's folder is named after the server.
    fn drop(&mut self) {
        let run = self.data.path().join("run").join(self.server.to_string());
        let Ok(record) = std::fs::read_to_string(run.join("instance.json")) else {
            return;
        };
        for folder in record
            .split('"')
            .filter(|text| text.starts_with("/sys/fs/cgroup"))
        {
            let members =
                std::fs::read_to_string(Path::new(folder).join("cgroup.procs")).unwrap_or_default();
            for pid in members
                .lines()
                .filter_map(|line| line.parse().ok())
                .filter_map(rustix::process::Pid::from_raw)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

fn config(data: &Path) -> ProcessConfig {
    ProcessConfig {
        executable: env!("CARGO_BIN_EXE_runtime-probe").into(),
        hidden: vec![data.to_owned()],
        ..ProcessConfig::new(data.join("run"))
    }
}

/// A server that no other test has, in this run or in one beside it.
pub(crate) fn fresh_server() -> ServerUuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(
        "00000000-0000-4000-8000-{:06x}{number:06x}",
        std::process::id()
    )
    .parse()
    .unwrap()
}

pub(crate) fn limits() -> ResourceLimits {
    ResourceLimits {
        memory: MiB::new(128),
        swap: Swap::Limited(MiB::new(0)),
        cpu: CpuPercent::new(0),
        threads: None,
        io_weight: 500,
        pids: 128,
        oom_kill_disabled: false,
    }
}

/// A hand on a console.
pub(crate) struct Hand {
    pub(crate) console: Console,
    pub(crate) seen: String,
    /// All that was printed up to the last text that was waited for.
    pub(crate) passed: String,
}

impl Hand {
    pub(crate) fn new(console: Console) -> Self {
        Self {
            console,
            seen: String::new(),
            passed: String::new(),
        }
    }

    /// Reads until a text has been printed, beginning after the last one that was waited for.
    pub(crate) async fn until(&mut self, text: &str) {
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                if let Some(at) = self.seen.find(text) {
                    self.passed.extend(self.seen.drain(..at + text.len()));
                    return true;
                }
                let Some(chunk) = self.console.output.recv().await else {
                    return false;
                };
                self.seen.push_str(&String::from_utf8_lossy(&chunk));
            }
        });
        let found = found.await;
        assert!(
            found == Ok(true),
            "{text:?} was not printed, only: {}",
            self.seen
        );
    }

    pub(crate) async fn send(&self, line: &str) {
        self.console
            .input
            .send(Bytes::from(format!("{line}\n")))
            .await
            .unwrap();
    }

    /// Reads to the end: the exit, and what was printed since the last text that was waited for.
    pub(crate) async fn end(mut self) -> (Exit, String) {
        let ended = tokio::time::timeout(DEADLINE, async {
            while let Some(chunk) = self.console.output.recv().await {
                self.seen.push_str(&String::from_utf8_lossy(&chunk));
            }
            self.console.exit.await.unwrap()
        });
        let exit = ended
            .await
            .unwrap_or_else(|_| panic!("it does not end; it has printed: {}", self.seen));
        (exit, self.seen)
    }
}

/// An exit with a code that memory has nothing to do with.
pub(crate) fn code(code: i32) -> Exit {
    Exit {
        code,
        out_of_memory: false,
    }
}

/// Whether a program is on this machine; says so when a test cannot run.
pub(crate) fn machine_has(program: &str) -> bool {
    let has = ["/usr/bin", "/bin", "/usr/games"]
        .iter()
        .any(|folder| Path::new(folder).join(program).exists());
    if !has {
        eprintln!("SKIPPED: this machine has no {program}");
    }
    has
}

/// Whether the tests run as root; says so when a test cannot run.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: only root gives every server a user of its own");
    }
    root
}
