//! The connection to a keeper: from its socket to a [`Console`] and back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hatchery_vocab::{ServerUuid, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Instance, Link, ProcessRuntime, blocking, launch};
use crate::keeper::{Frame, HEADER, Hello, InstanceRecord, RunFolder, header};
use crate::{CONSOLE_DEPTH, Console, Exit, MAX_CHUNK};

/// How long a keeper may take to introduce itself.
const HELLO_DEADLINE: Duration = Duration::from_secs(30);

/// How many commands may wait for a keeper.
const COMMAND_DEPTH: usize = 16;

/// Connects to the instance's keeper and replays what it remembers. Where there is no keeper any
/// more, the console tells how the instance ended. What is missing after `position` is counted;
/// without one, what the keeper has forgotten already is history that nobody misses.
pub(super) async fn attach(
    runtime: &ProcessRuntime,
    server: ServerUuid,
    folder: RunFolder,
    record: InstanceRecord,
    position: Option<u64>,
) -> Console {
    let (input, input_queue) = mpsc::channel(CONSOLE_DEPTH);
    let (output_sender, output) = mpsc::channel(CONSOLE_DEPTH);
    let (exit_sender, exit) = oneshot::channel();
    let (commands, command_queue) = mpsc::channel(COMMAND_DEPTH);
    let (ended_sender, ended) = watch::channel(());
    let pid = Arc::new(AtomicI32::new(0));
    let link = Link {
        commands,
        group: record.group.clone(),
        pid: Arc::clone(&pid),
        memory_limit: Arc::new(AtomicU64::new(record.memory_limit)),
        ended,
    };
    let instance = Instance {
        job: record.job,
        link: Some(link),
    };
    runtime.0.instances.lock().insert(server, instance);

    let started_at = Timestamp::from_micros(record.started_at);
    let connection = connect(&folder, &pid).await;
    let runtime = runtime.clone();
    tokio::spawn(async move {
        let mut replay = Replay {
            output: output_sender,
            position,
        };
        match connection {
            Ok((reader, writer)) => {
                let writing = tokio::spawn(write(writer, input_queue, command_queue));
                if let Err(error) = read(reader, &mut replay).await {
                    tracing::debug!(%server, %error, "the connection to the keeper has ended");
                }
                writing.abort();
            }
            Err(error) => tracing::debug!(%server, %error, "the keeper is gone"),
        }
        let exit = finish(folder, record, &mut replay).await;
        // From here on the server can be started again.
        runtime.0.instances.lock().remove(&server);
        drop(ended_sender);
        drop(replay);
        // Nobody has to wait for the exit.
        let _ = exit_sender.send(exit);
    });
    Console {
        input,
        output,
        exit,
        started_at,
    }
}

/// Brings output into the console, in order and without repetition.
struct Replay {
    output: mpsc::Sender<Bytes>,
    /// Where the next byte belongs.
    position: Option<u64>,
}

impl Replay {
    async fn show(&mut self, position: u64, bytes: Vec<u8>) {
        let expected = self.position.unwrap_or(position);
        if position > expected {
            let lost = position - expected;
            let notice = format!(
                "\r\n[{lost} bytes of output were skipped: the console did not keep up]\r\n"
            );
            self.send(notice.into()).await;
        }
        self.position = Some(position + bytes.len() as u64);
        let mut bytes = Bytes::from(bytes);
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(MAX_CHUNK));
            self.send(chunk).await;
        }
    }

    async fn send(&self, chunk: Bytes) {
        // A console that was dropped shows nothing; the instance runs on all the same.
        let _ = self.output.send(chunk).await;
    }
}

async fn connect(
    folder: &RunFolder,
    pid: &AtomicI32,
) -> io::Result<(OwnedReadHalf, OwnedWriteHalf)> {
    let stream = folder.connect()?;
    stream.set_nonblocking(true)?;
    let (mut reader, mut writer) = UnixStream::from_std(stream)?.into_split();
    let hello = tokio::time::timeout(HELLO_DEADLINE, read_frame(&mut reader)).await??;
    let Frame::Hello(hello) = hello else {
        return Err(io::Error::other("the keeper does not introduce itself"));
    };
    let hello: Hello = serde_json::from_slice(&hello)?;
    pid.store(hello.pid, Ordering::Relaxed);
    tracing::debug!(server = %hello.server, protocol = hello.protocol, "connected to the keeper");
    writer.write_all(&Frame::Attach(0).encode()).await?;
    Ok((reader, writer))
}

async fn read(mut reader: OwnedReadHalf, replay: &mut Replay) -> io::Result<()> {
    loop {
        if let Frame::Output(position, bytes) = read_frame(&mut reader).await? {
            replay.show(position, bytes).await;
        }
    }
}

async fn read_frame(reader: &mut OwnedReadHalf) -> io::Result<Frame> {
    let mut head = [0; HEADER];
    reader.read_exact(&mut head).await?;
    let (kind, length) = header(head).map_err(io::Error::other)?;
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).await?;
    Ok(Frame::decode(kind, &payload))
}

/// Sends commands before input, so that typing cannot hold up a signal.
async fn write(
    mut writer: OwnedWriteHalf,
    mut input: mpsc::Receiver<Bytes>,
    mut commands: mpsc::Receiver<Frame>,
) {
    loop {
        let frame = tokio::select! {
            biased;
            command = commands.recv() => command,
            Some(bytes) = input.recv() => {
                for part in bytes.chunks(MAX_CHUNK) {
                    if writer.write_all(&Frame::Input(part.to_vec()).encode()).await.is_err() {
                        return;
                    }
                }
                continue;
            }
        };
        let Some(frame) = frame else { return };
        if writer.write_all(&frame.encode()).await.is_err() {
            return;
        }
    }
}

/// Reads how the instance ended, shows its last words, and clears up after it.
async fn finish(folder: RunFolder, record: InstanceRecord, replay: &mut Replay) -> Exit {
    let reading = folder.clone();
    let last = blocking(move || Ok(reading.read_exit()))
        .await
        .ok()
        .flatten();
    let exit = match last {
        Some(last) => {
            let (position, tail) = last.tail_from(replay.position.unwrap_or(0));
            replay.show(position, tail).await;
            last.exit()
        }
        // The keeper was killed, and the kernel ended the instance with it.
        None => Exit::KILLED,
    };
    let swept = blocking(move || {
        launch::sweep(&folder, &record);
        Ok(())
    });
    if let Err(error) = swept.await {
        tracing::warn!(%error, "an ended instance was not cleared away");
    }
    exit
}
