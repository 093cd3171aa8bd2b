//! The program that the tests start: a keeper, or a panel that starts one server and is killed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::process::ExitCode;
use std::sync::Arc;

use hatchery_ambient::SystemClock;
use hatchery_runtime::process::{ProcessConfig, ProcessRuntime};
use hatchery_runtime::{InstanceSpec, ResourceLimits, Runtime, keeper};
use hatchery_vocab::{CpuPercent, MiB, Swap};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [keeper::SUBCOMMAND, ..] => ExitCode::from(keeper::main() as u8),
        ["panel", run_dir, root, server, line] => panel(run_dir, root, server, line),
        _ => ExitCode::from(2),
    }
}

/// Starts one server and waits to be killed.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn panel(run_dir: &str, root: &str, server: &str, line: &str) -> ExitCode {
    let runtime = ProcessRuntime::new(ProcessConfig::new(run_dir), Arc::new(SystemClock)).unwrap();
    let spec = InstanceSpec {
        server: server.parse().unwrap(),
        root: root.into(),
        invocation: line.to_owned(),
        environment: Vec::new(),
        image: String::new(),
        limits: ResourceLimits {
            memory: MiB::new(256),
            swap: Swap::Limited(MiB::new(0)),
            cpu: CpuPercent::new(0),
            threads: None,
            io_weight: 500,
            pids: 128,
            oom_kill_disabled: false,
        },
        ports: Vec::new(),
        mounts: Vec::new(),
        labels: Vec::new(),
    };
    let mut console = runtime.start(&spec).await.unwrap();
    println!("started");
    while let Some(chunk) = console.output.recv().await {
        print!("{}", String::from_utf8_lossy(&chunk));
    }
    println!("exit {}", console.exit.await.unwrap().code);
    std::future::pending().await
}
