//! Letters that wait for delivery: a queue of bounded length, and when each is tried again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A letter, ready to be sent.
#[derive(Clone)]
pub struct Mail {
    /// What kind of letter it is.
    pub kind: &'static str,
    /// To whom, by name.
    pub name: String,
    /// To which address.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The letter as text.
    pub text: String,
    /// The letter as HTML.
    pub html: String,
}

impl fmt::Debug for Mail {
    /// The kind alone: letters carry links that open accounts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({})", self.kind)
    }
}

/// How often and when delivery is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// How many times a letter is tried in all.
    pub attempts: u32,
    /// How long the wait after the first failure is. It doubles with each further one.
    pub first_wait: Duration,
    /// How long a wait is at most.
    pub longest_wait: Duration,
}

impl Default for Retries {
    /// Eight attempts within an hour: a link that a letter carries works no longer.
    fn default() -> Self {
        Self {
            attempts: 8,
            first_wait: Duration::from_secs(15),
            longest_wait: Duration::from_mins(20),
        }
    }
}

impl Retries {
    fn wait(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first_wait
            .saturating_mul(doubled)
            .min(self.longest_wait)
    }
}

/// How a letter fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on its way, or never will be.
    Settled,
    /// It may succeed later.
    Failed,
}

/// The letters that wait.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    retries: Retries,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    letters: Vec<Entry>,
    next_number: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    mail: Arc<Mail>,
    attempts: u32,
    due: Instant,
}

/// A letter whose turn it is.
#[derive(Debug)]
pub(crate) struct Turn {
    number: u64,
    pub(crate) mail: Arc<Mail>,
    pub(crate) attempts: u32,
}

impl Outbox {
    /// How many letters wait at most: a mail server that is gone for an hour on a busy panel, in a few
    /// MiB of memory.
    const CAPACITY: usize = 1_000;

    pub(crate) fn new(retries: Retries) -> Self {
        Self {
            waiting: Mutex::default(),
            retries,
            news: Notify::new(),
        }
    }

    /// Takes a letter, unless there are too many already. Says whether it was taken.
    pub(crate) fn push(&self, mail: Mail) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.letters.len() >= Self::CAPACITY {
            return false;
        }
        let number = waiting.next_number;
        waiting.next_number += 1;
        waiting.letters.push(Entry {
            number,
            mail: Arc::new(mail),
            attempts: 0,
            due: Instant::now(),
        });
        drop(waiting);
        self.news.notify_one();
        true
    }

    /// Waits for the next letter whose time has come. It counts as tried from now on, so that a
    /// letter which ends the task that delivers it is not tried for ever.
    pub(crate) async fn next(&self) -> Turn {
        loop {
            let news = self.news.notified();
            let until = match self.due() {
                Ok(turn) => return turn,
                Err(until) => until,
            };
            match until {
                Some(until) => tokio::select! {
                    () = news => {}
                    () = tokio::time::sleep_until(until) => {}
                },
                None => news.await,
            }
        }
    }

    /// The letter whose turn it is, or when the next one's is.
    fn due(&self) -> Result<Turn, Option<Instant>> {
        let mut waiting = self.waiting.lock();
        let now = Instant::now();
        let entry = waiting.letters.iter_mut().min_by_key(|entry| entry.due);
        match entry {
            Some(entry) if entry.due <= now => {
                entry.attempts += 1;
                entry.due = now + self.retries.wait(entry.attempts);
                Ok(Turn {
                    number: entry.number,
                    mail: Arc::clone(&entry.mail),
                    attempts: entry.attempts,
                })
            }
            Some(entry) => Err(Some(entry.due)),
            None => Err(None),
        }
    }

    /// Notes how a letter fared. Says whether it is tried again.
    pub(crate) fn finish(&self, turn: &Turn, outcome: Outcome) -> bool {
        let again = outcome == Outcome::Failed && turn.attempts < self.retries.attempts;
        if !again {
            let letters = &mut self.waiting.lock().letters;
            letters.retain(|entry| entry.number != turn.number);
        }
        again
    }

    /// How many wait, the one that is being tried included.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().letters.len()
    }

    /// Takes everything out.
    pub(crate) fn drain(&self) -> Vec<Mail> {
        let letters = std::mem::take(&mut self.waiting.lock().letters);
        letters
            .into_iter()
            .map(|entry| Arc::unwrap_or_clone(entry.mail))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str) -> Mail {
        Mail {
            kind: "test",
            name: "Anna".to_owned(),
            to: "anna@example.com".to_owned(),
            subject: subject.to_owned(),
            text: String::new(),
            html: String::new(),
        }
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        let retries = Retries {
            attempts: 9,
            first_wait: Duration::from_secs(10),
            longest_wait: Duration::from_mins(1),
        };
        let waits = (1..=5).map(|failures| retries.wait(failures).as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [10, 20, 40, 60, 60]);
        assert_eq!(retries.wait(u32::MAX).as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_letter_that_fails_comes_again_and_at_last_no_more() {
        let outbox = Outbox::new(Retries {
            attempts: 3,
            ..Retries::default()
        });
        assert!(outbox.push(mail("one")));
        for attempt in 1..=3 {
            let turn = outbox.next().await;
            assert_eq!(turn.attempts, attempt);
            assert_eq!(outbox.finish(&turn, Outcome::Failed), attempt < 3);
        }
        assert!(outbox.drain().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_letter_that_fails_does_not_hold_up_the_others() {
        let outbox = Outbox::new(Retries::default());
        outbox.push(mail("one"));
        let first = outbox.next().await;
        outbox.finish(&first, Outcome::Failed);
        outbox.push(mail("two"));
        let second = outbox.next().await;
        assert_eq!(second.mail.subject, "two");
        outbox.finish(&second, Outcome::Settled);
        assert_eq!(outbox.next().await.mail.subject, "one");
    }

    #[tokio::test]
    async fn there_is_an_end_to_what_waits() {
        let outbox = Outbox::new(Retries::default());
        for _ in 0..Outbox::CAPACITY {
            assert!(outbox.push(mail("x")));
        }
        assert!(!outbox.push(mail("x")));
        assert_eq!(outbox.drain().len(), Outbox::CAPACITY);
    }
}
