//! Why a database server did not do what it was asked to.

use crate::quote::Nul;

/// A database server failed, or is away.
///
/// No text of the server is kept: it may repeat parts of the statement, and with them a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nobody answers there, or the connection broke.
    #[error("the database host cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the database host does not answer in time")]
    TimedOut,
    /// As many connections as we make to one host are busy.
    #[error("too many databases are being changed on this host at the moment")]
    Busy,
    /// Another process works on the same database.
    #[error("the database is being changed by another process")]
    Locked,
    /// User name or password are wrong.
    #[error("the database host refuses our user name or password")]
    Credentials,
    /// Our user may not do this.
    #[error("our user lacks a privilege on the database host (error {code})")]
    Privilege {
        /// The server's own number.
        code: String,
    },
    /// There is such a database already.
    #[error("the database host has a database of this name already")]
    Exists,
    /// A name that cannot be written in a statement.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Anything else that the server said no to.
    #[error("the database host refused a statement (error {code})")]
    Refused {
        /// The server's own number.
        code: String,
    },
}

/// A name or password that no statement can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name or password holds a zero character")]
pub struct NameError;

impl From<Nul> for HostError {
    fn from(_: Nul) -> Self {
        Self::Name(NameError)
    }
}

impl From<mysql_async::Error> for HostError {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => match error.code {
                1007 => Self::Exists,
                1045 | 1698 => Self::Credentials,
                1044 | 1142 | 1227 | 1410 => Self::Privilege {
                    code: error.code.to_string(),
                },
                code => Self::Refused {
                    code: code.to_string(),
                },
            },
            // These speak of sockets and packets, never of statements.
            mysql_async::Error::Io(error) => Self::Unreachable(error.to_string()),
            mysql_async::Error::Driver(mysql_async::DriverError::ConnectionClosed) => {
                Self::Unreachable("the connection was closed".to_owned())
            }
            _ => Self::Unreachable("what answers there does not speak MySQL's protocol".to_owned()),
        }
    }
}

impl From<tokio_postgres::Error> for HostError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            let cause = std::error::Error::source(&error);
            let cause = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
            return Self::Unreachable(cause.map_or_else(
                || "the connection was closed".to_owned(),
                ToString::to_string,
            ));
        };
        let code = state.code().to_owned();
        match code.as_str() {
            "42P04" => Self::Exists,
            "28P01" | "28000" => Self::Credentials,
            "42501" => Self::Privilege { code },
            // The lock was not to be had in time.
            "55P03" => Self::Locked,
            _ => Self::Refused { code },
        }
    }
}
