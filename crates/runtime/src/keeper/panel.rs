//! The keeper's side of the connection to the panel.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::ring::Ring;
use super::wire::{Frame, take_frame};
use crate::MAX_CHUNK;

const READ_SIZE: usize = 16 * 1024;

/// The panel that is connected. Nothing here ever blocks.
pub(super) struct Panel {
    stream: UnixStream,
    received: Vec<u8>,
    /// Encoded frames on their way.
    sending: VecDeque<u8>,
    /// The next position to send; none before it was asked for.
    position: Option<u64>,
    /// Since when the panel has taken nothing of what it could have taken.
    progress: Instant,
}

impl Panel {
    pub(super) fn new(stream: UnixStream, hello: &Frame) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            sending: hello.encode().into(),
            position: None,
            progress: Instant::now(),
        })
    }

    pub(super) fn position(&self) -> Option<u64> {
        self.position
    }

    /// Says that more output is about to come: a panel that has all there was is not late.
    pub(super) fn expect_more(&mut self, ring: &Ring) {
        if self.sending.is_empty() && self.position == Some(ring.end()) {
            self.progress = Instant::now();
        }
    }

    /// For how long the panel has taken nothing of what there is.
    pub(super) fn idle(&self) -> Duration {
        self.progress.elapsed()
    }

    pub(super) fn attach(&mut self, position: u64) {
        self.position = Some(position);
    }

    pub(super) fn poll_fd(&self, ring: &Ring) -> PollFd<'_> {
        let more = self.position.is_some_and(|position| position < ring.end());
        let writing = if more || !self.sending.is_empty() {
            PollFlags::OUT
        } else {
            PollFlags::empty()
        };
        PollFd::new(&self.stream, PollFlags::IN | writing)
    }

    /// The frames that have come. An error ends the connection.
    pub(super) fn receive(&mut self) -> io::Result<Vec<Frame>> {
        let mut buffer = [0; READ_SIZE];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => self.received.extend(&buffer[..length]),
            Err(error) if would_block(&error) => {}
            Err(error) => return Err(error),
        }
        let mut frames = Vec::new();
        while let Some(frame) = take_frame(&mut self.received).map_err(io::Error::other)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    /// Sends what fits at once. What the ring has forgotten meanwhile is left out, which the
    /// position of the next frame shows.
    pub(super) fn send(&mut self, ring: &Ring) -> io::Result<()> {
        if self.sending.is_empty()
            && let Some(position) = self.position
            && position < ring.end()
        {
            let (from, bytes) = ring.read(position, MAX_CHUNK);
            self.position = Some(from + bytes.len() as u64);
            self.sending = Frame::Output(from, bytes).encode().into();
        }
        if self.sending.is_empty() {
            return Ok(());
        }
        let (front, _) = self.sending.as_slices();
        match self.stream.write(front) {
            Ok(written) => {
                self.sending.drain(..written);
                self.progress = Instant::now();
                Ok(())
            }
            Err(error) if would_block(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
