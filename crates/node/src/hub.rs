//! Hands what happens on a server to everybody who watches it.
//!
//! Each event becomes one frame, which all viewers share. Each viewer has a bounded queue; who
//! reads slowly loses the oldest frames, and neither the server's task nor other viewers wait.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use hatchery_node_proto::ws::{self, outbound};
use hatchery_vocab::UserUuid;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How many frames of the console and of installations wait for one viewer.
const MAX_LINES: usize = 512;
/// How many bytes of them.
const MAX_BYTES: usize = 1024 * 1024;
/// How many other frames wait for one viewer.
const MAX_EVENTS: usize = 64;

/// Who gets an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One client, whatever becomes of its token.
    This,
    /// Everybody who may connect.
    All,
    /// Those who see installations.
    Install,
    /// Those who see backups.
    Backup,
}

/// Something that happened, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) text: Utf8Bytes,
    pub(crate) audience: Audience,
    /// Whether it is one line of many, which a slow reader can do without.
    is_line: bool,
}

impl Frame {
    /// An event for everybody.
    pub(crate) fn event(event: &str, args: &[&str]) -> Self {
        Self {
            text: ws::frame(event, args).into(),
            audience: Audience::All,
            is_line: false,
        }
    }

    /// An event for one client, whatever becomes of its token.
    pub(crate) fn reply(event: &str, args: &[&str]) -> Self {
        Self {
            audience: Audience::This,
            ..Self::event(event, args)
        }
    }

    /// An event for those who see backups.
    pub(crate) fn backup(event: &str, args: &[&str]) -> Self {
        Self {
            audience: Audience::Backup,
            ..Self::event(event, args)
        }
    }

    /// One word of many from the daemon.
    pub(crate) fn message(text: &str) -> Self {
        Self {
            is_line: true,
            ..Self::event(outbound::DAEMON_MESSAGE, &[text])
        }
    }

    /// A line of the console.
    pub(crate) fn console(line: &str) -> Self {
        Self {
            is_line: true,
            ..Self::event(outbound::CONSOLE_OUTPUT, &[line])
        }
    }

    /// A line of an installation.
    pub(crate) fn install(line: &str) -> Self {
        Self {
            is_line: true,
            audience: Audience::Install,
            ..Self::event(outbound::INSTALL_OUTPUT, &[line])
        }
    }
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Close {
    /// The server is gone.
    pub(crate) const DELETED: Self = Self {
        code: 1001,
        reason: "server deleted",
    };
    /// The node stops.
    pub(crate) const STOPPING: Self = Self {
        code: 1001,
        reason: "node is stopping",
    };
    /// The server is out of service.
    pub(crate) const SUSPENDED: Self = Self {
        code: 4409,
        reason: "server is suspended",
    };
    /// The user may not be here any more.
    pub(crate) const DEAUTHORIZED: Self = Self {
        code: 1008,
        reason: "authorization was withdrawn",
    };
    /// No token came in time.
    pub(crate) const UNAUTHENTICATED: Self = Self {
        code: 1008,
        reason: "no authentication",
    };
    /// The user has too many sockets.
    pub(crate) const TOO_MANY: Self = Self {
        code: 1008,
        reason: "too many open websocket connections",
    };
}

/// The viewers of a server.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<Vec<Arc<Viewer>>>);

impl Hub {
    /// Adds a viewer, who gets nothing until [`Viewer::admit`].
    pub(crate) fn join(&self) -> Arc<Viewer> {
        let viewer = Arc::new(Viewer::default());
        self.0.lock().push(Arc::clone(&viewer));
        viewer
    }

    pub(crate) fn leave(&self, viewer: &Arc<Viewer>) {
        self.0.lock().retain(|other| !Arc::ptr_eq(other, viewer));
    }

    /// Whether nobody would get an event, so that it need not be made.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    pub(crate) fn publish(&self, frame: &Frame) {
        for viewer in self.0.lock().iter() {
            viewer.forward(frame);
        }
    }

    /// Closes every viewer's socket once what waits for them is sent.
    pub(crate) fn close(&self, close: Close) {
        self.0.lock().iter().for_each(|viewer| viewer.close(close));
    }

    /// Closes the sockets of one user.
    pub(crate) fn close_user(&self, user: UserUuid, close: Close) {
        let viewers = self.0.lock();
        viewers
            .iter()
            .filter(|viewer| viewer.queue.lock().user == Some(user))
            .for_each(|viewer| viewer.close(close));
    }
}

/// One who watches a server: a bounded queue between the server's task and a socket.
#[derive(Debug, Default)]
pub(crate) struct Viewer {
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    user: Option<UserUuid>,
    lines: VecDeque<(u64, Frame)>,
    line_bytes: usize,
    events: VecDeque<(u64, Frame)>,
    /// Numbers frames, so that both kinds leave in the order in which they came.
    next: u64,
    close: Option<Close>,
}

/// What a socket has to do next.
#[derive(Debug)]
pub(crate) enum Next {
    Send(Frame),
    Close(Close),
}

impl Viewer {
    /// Lets events through from now on.
    pub(crate) fn admit(&self, user: UserUuid) {
        self.queue.lock().user = Some(user);
    }

    /// Adds an event for this viewer alone.
    pub(crate) fn send(&self, frame: Frame) {
        self.queue.lock().push(frame);
        self.wake.notify_one();
    }

    /// Closes the socket once what waits is sent.
    pub(crate) fn close(&self, close: Close) {
        self.queue.lock().close.get_or_insert(close);
        self.wake.notify_one();
    }

    /// Waits for what to do next. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            self.wake.notified().await;
        }
    }

    /// What to do next, if there is anything.
    pub(crate) fn try_next(&self) -> Option<Next> {
        self.queue.lock().pop()
    }

    fn forward(&self, frame: &Frame) {
        let mut queue = self.queue.lock();
        if queue.user.is_some() {
            queue.push(frame.clone());
            drop(queue);
            self.wake.notify_one();
        }
    }
}

impl Queue {
    fn push(&mut self, frame: Frame) {
        let number = self.next;
        self.next += 1;
        if !frame.is_line {
            if self.events.len() == MAX_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back((number, frame));
            return;
        }
        self.line_bytes += frame.text.len();
        self.lines.push_back((number, frame));
        while self.lines.len() > MAX_LINES || self.line_bytes > MAX_BYTES {
            self.pop_line();
        }
    }

    fn pop_line(&mut self) -> Option<Frame> {
        let (_, frame) = self.lines.pop_front()?;
        self.line_bytes -= frame.text.len();
        Some(frame)
    }

    fn pop(&mut self) -> Option<Next> {
        let line = self.lines.front().map(|(number, _)| *number);
        let event = self.events.front().map(|(number, _)| *number);
        let frame = match (line, event) {
            (Some(line), Some(event)) if line < event => self.pop_line(),
            (Some(_), None) => self.pop_line(),
            _ => self.events.pop_front().map(|(_, frame)| frame),
        };
        frame
            .map(Next::Send)
            .or_else(|| self.close.map(Next::Close))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(viewer: &Viewer) -> Vec<String> {
        let mut queue = viewer.queue.lock();
        std::iter::from_fn(|| queue.pop())
            .map_while(|next| match next {
                Next::Send(frame) => Some(frame.text.to_string()),
                Next::Close(_) => None,
            })
            .collect()
    }

    fn admitted(hub: &Hub) -> Arc<Viewer> {
        let viewer = hub.join();
        viewer.admit("d3aac109-cfa8-4ac0-b09c-09f78c8c77a5".parse().unwrap());
        viewer
    }

    #[test]
    fn viewers_share_a_frame_and_get_it_in_order() {
        let hub = Hub::default();
        let (first, second, stranger) = (admitted(&hub), admitted(&hub), hub.join());
        hub.publish(&Frame::console("one"));
        hub.publish(&Frame::event("status", &["running"]));
        hub.publish(&Frame::console("two"));
        let expected = [
            r#"{"event":"console output","args":["one"]}"#,
            r#"{"event":"status","args":["running"]}"#,
            r#"{"event":"console output","args":["two"]}"#,
        ];
        assert_eq!(drain(&first), expected);
        hub.leave(&first);
        hub.publish(&Frame::console("three"));
        assert_eq!(drain(&first), [""; 0]);
        assert_eq!(drain(&second).len(), 4);
        assert_eq!(drain(&stranger), [""; 0]);
    }

    #[test]
    fn a_slow_viewer_loses_old_lines_and_keeps_events() {
        let hub = Hub::default();
        let viewer = admitted(&hub);
        hub.publish(&Frame::event("status", &["running"]));
        (0..100_000).for_each(|number| hub.publish(&Frame::console(&number.to_string())));
        let got = drain(&viewer);
        assert_eq!(got.len(), MAX_LINES + 1);
        assert!(got[0].contains("status") && got[MAX_LINES].contains("99999"));
        let long = "x".repeat(MAX_BYTES / 3);
        (0..5).for_each(|_| hub.publish(&Frame::console(&long)));
        assert_eq!(drain(&viewer).len(), 2);
        (0..1000).for_each(|_| hub.publish(&Frame::event("stats", &["{}"])));
        assert_eq!(drain(&viewer).len(), MAX_EVENTS);
    }

    #[tokio::test]
    async fn closing_comes_after_what_waits() {
        let hub = Hub::default();
        let viewer = admitted(&hub);
        hub.publish(&Frame::event("deleted", &["null"]));
        hub.close(Close::DELETED);
        hub.close(Close::STOPPING);
        assert!(matches!(viewer.next().await, Next::Send(_)));
        assert!(matches!(viewer.next().await, Next::Close(Close::DELETED)));
    }
}
