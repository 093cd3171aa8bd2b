//! Mail to people: what the letters say, an outbox of bounded size, and delivery in the background,
//! by SMTP or, where no server is set, into a folder that only the operator can read.
//!
//! [`Mailer::send`] never waits and never fails: whoever changes a password is not told that a mail
//! server is down. The outbox is in memory on purpose. Letters carry links that open accounts, and
//! what is not written down cannot be stolen; a letter that is lost with the process is asked for
//! again. For the same reason nothing of a letter but its kind reaches the log.
//!
//! This crate does not know who may write to whom, nor what a link does.

mod folder;
mod letter;
mod mailer;
mod outbox;
mod render;
mod smtp;

pub use letter::{Letter, Recipient};
pub use mailer::{MailError, MailSettings, Mailer, Route, Sender};
pub use outbox::{Mail, Retries};
pub use smtp::{Encryption, SmtpSettings};
