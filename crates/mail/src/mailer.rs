//! The one through whom letters go: takes them at once, delivers them later.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hatchery_ambient::{Clock, Entropy};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::folder;
use crate::letter::{Letter, Recipient, one_line};
use crate::outbox::{Mail, Outbox, Outcome, Retries};
use crate::render::{Panel, render};
use crate::smtp::{Smtp, SmtpSettings};

/// How many characters the random parts of a message have.
const RANDOM: usize = 24;

/// Whose letters these are, and where they go.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The panel's name.
    pub panel: String,
    /// The panel's address, without a slash at the end. It is never taken from a request: whoever
    /// asks for a link must not choose where it leads.
    pub url: String,
    /// Who they come from.
    pub sender: Sender,
    /// Where they go.
    pub route: Route,
    /// How often delivery is tried.
    pub retries: Retries,
}

/// Who letters come from.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Route {
    /// To a mail server.
    Smtp(SmtpSettings),
    /// Into a folder, one file each.
    Folder(PathBuf),
}

/// Why letters cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender's address is none.
    #[error("`{address}` is no e-mail address: correct mail.from_address")]
    Sender {
        /// What was set.
        address: String,
    },
    /// The file with an authority cannot be read.
    #[error("cannot read {}: {source}. Correct mail.authority", path.display())]
    Authority {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What protects the connection cannot be set up.
    #[error("mail cannot be sent with TLS: {0}. Correct mail.host or mail.authority")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Takes letters and delivers them. Clones share the outbox.
#[derive(Clone, Debug)]
pub struct Mailer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outbox: Outbox,
    panel: Panel,
    sender: Mailbox,
    carrier: Carrier,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

#[derive(Debug)]
enum Carrier {
    Smtp(Smtp),
    Folder(PathBuf),
}

impl Mailer {
    /// One that nothing was given to yet.
    pub fn new(
        settings: MailSettings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, MailError> {
        let Sender { name, address } = settings.sender;
        let Ok(email) = address.parse::<Address>() else {
            return Err(MailError::Sender { address });
        };
        let carrier = match settings.route {
            Route::Smtp(server) => Carrier::Smtp(Smtp::new(&server)?),
            Route::Folder(folder) => Carrier::Folder(folder),
        };
        Ok(Self(Arc::new(Inner {
            outbox: Outbox::new(settings.retries),
            panel: Panel {
                name: one_line(&settings.panel),
                url: settings.url,
            },
            sender: Mailbox::new(Some(one_line(&name)), email),
            carrier,
            clock,
            entropy,
        })))
    }

    /// Puts a letter into the outbox. What does not fit is dropped with a line in the log: nobody's
    /// request fails because of mail.
    pub fn send(&self, to: Recipient<'_>, letter: Letter<'_>) {
        let (kind, panel) = (letter.kind(), &self.0.panel);
        let content = letter.content(&panel.name, &panel.url);
        let (text, html) = match render(panel, to.name, &content) {
            Ok(rendered) => rendered,
            Err(error) => {
                tracing::error!(kind, %error, "a letter could not be written");
                return;
            }
        };
        let taken = self.0.outbox.push(Mail {
            kind,
            name: one_line(to.name),
            to: to.address.to_owned(),
            subject: content.subject,
            text,
            html,
        });
        if !taken {
            tracing::error!(kind, "too many mails wait to be sent; one was dropped");
        }
    }

    /// Delivers what is in the outbox and what comes into it. Never ends.
    pub async fn deliver(&self) -> Infallible {
        loop {
            let turn = self.0.outbox.next().await;
            let kind = turn.mail.kind;
            let outcome = match self.message(&turn.mail) {
                Ok(message) => self.carry(message, kind).await,
                Err(error) => {
                    tracing::warn!(kind, %error, "a mail cannot be sent");
                    Outcome::Settled
                }
            };
            let again = self.0.outbox.finish(&turn, outcome);
            if outcome == Outcome::Failed && !again {
                tracing::error!(kind, attempts = turn.attempts, "a mail was given up");
            }
        }
    }

    /// How many letters wait.
    pub fn waiting(&self) -> usize {
        self.0.outbox.len()
    }

    /// Takes everything that still waits out of the outbox. Where nobody delivers, as in tests, this
    /// is how letters are read.
    pub fn take_waiting(&self) -> Vec<Mail> {
        self.0.outbox.drain()
    }

    async fn carry(&self, message: Message, kind: &'static str) -> Outcome {
        match &self.0.carrier {
            Carrier::Smtp(server) => server.send(message, kind).await,
            Carrier::Folder(folder) => {
                let (folder, now) = (folder.clone(), self.0.clock.now());
                let number = self.0.entropy.alphanumeric(RANDOM);
                let bytes = message.formatted();
                let written = tokio::task::spawn_blocking(move || {
                    folder::write(&folder, now, &number, &bytes)
                });
                match written.await {
                    Ok(Ok(path)) => {
                        tracing::info!(kind, path = %path.display(), "no mail server is set: a mail was written to a file");
                        Outcome::Settled
                    }
                    Ok(Err(error)) => {
                        tracing::error!(kind, %error, "a mail could not be written to a file");
                        Outcome::Failed
                    }
                    Err(_) => Outcome::Failed,
                }
            }
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MessageError> {
        let Inner {
            sender,
            clock,
            entropy,
            ..
        } = &*self.0;
        let seconds = u64::try_from(clock.now().seconds()).unwrap_or_default();
        let id = entropy.alphanumeric(RANDOM);
        let part = |kind, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
        let message = Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(Some(mail.name.clone()), mail.to.parse()?))
            .subject(mail.subject.as_str())
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{id}@{}>", sender.email.domain())))
            .multipart(
                MultiPart::alternative()
                    .boundary(entropy.alphanumeric(RANDOM))
                    .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
                    .singlepart(part(ContentType::TEXT_HTML, &mail.html)),
            )?;
        Ok(message)
    }
}

/// Why a letter is no message.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error("the address is none: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error(transparent)]
    Message(#[from] lettre::error::Error),
}
