//! Delivery to a mail server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hatchery_vocab::Port;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::mailer::MailError;
use crate::outbox::Outcome;

/// How long a mail server may take for each step before the letter is tried later.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all: for a server on the same machine.
    None,
    /// It begins in the clear, and nothing is sent unless the server goes over to TLS.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

impl Encryption {
    /// The port that such servers usually have.
    const fn usual_port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

/// A mail server.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port; none is the usual one.
    pub port: Option<Port>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// Name and password, where it wants them.
    pub credentials: Option<(String, String)>,
    /// A file with one more authority whose certificates are believed, as PEM.
    pub authority: Option<PathBuf>,
}

impl fmt::Debug for SmtpSettings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// The way to a mail server.
#[derive(Clone, Debug)]
pub(crate) struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

impl Smtp {
    pub(crate) fn new(settings: &SmtpSettings) -> Result<Self, MailError> {
        let encryption = settings.encryption;
        let port = settings.port.map_or(encryption.usual_port(), Port::get);
        let tls = match encryption {
            Encryption::None => Tls::None,
            Encryption::StartTls => Tls::Required(parameters(settings)?),
            Encryption::Tls => Tls::Wrapper(parameters(settings)?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = settings.credentials.clone() {
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self(transport.build()))
    }

    pub(crate) async fn send(&self, message: Message, kind: &str) -> Outcome {
        match self.0.send(message).await {
            Ok(_) => Outcome::Settled,
            Err(error) if error.is_permanent() => {
                // A server's sentence may repeat the address, but never the letter.
                tracing::warn!(kind, %error, "the mail server refuses a mail for good");
                Outcome::Settled
            }
            Err(error) => {
                tracing::warn!(kind, %error, "a mail was not sent");
                Outcome::Failed
            }
        }
    }
}

fn parameters(settings: &SmtpSettings) -> Result<TlsParameters, MailError> {
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.authority {
        let certificate = Certificate::from_pem(&read(path)?).map_err(MailError::Tls)?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(MailError::Tls)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the operator names the file, which is no server's"
)]
fn read(path: &Path) -> Result<Vec<u8>, MailError> {
    std::fs::read(path).map_err(|source| MailError::Authority {
        path: path.to_owned(),
        source,
    })
}
