//! Why a call to a node failed, in the terms that a client of the public API is told
//! (client-api.md §2.5).

use http::StatusCode;

/// No answer came: the node was not reached, or did not answer in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeIoError {
    /// No connection, or it broke.
    #[error("the node could not be reached: {0}")]
    Unreachable(String),
    /// The answer did not come in time.
    #[error("the node did not answer in time")]
    TimedOut,
}

/// A call to a node failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// No answer came.
    #[error(transparent)]
    Io(#[from] NodeIoError),
    /// The node refused.
    #[error("the node answered {status}: {}", error.as_deref().unwrap_or("no reason given"))]
    Refused {
        /// Its status, at least 400.
        status: StatusCode,
        /// The field `error` of its answer.
        error: Option<String>,
        /// Its `X-Request-Id`.
        request_id: Option<String>,
    },
    /// The node claimed success, but its answer is not what the protocol says.
    #[error("the node answered {status} with a body that the protocol does not allow: {reason}")]
    Malformed {
        /// Its status, below 400.
        status: StatusCode,
        /// What is wrong with the body.
        reason: String,
        /// Its `X-Request-Id`.
        request_id: Option<String>,
    },
}

impl NodeError {
    /// The status of the node's answer, if there was one.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Io(_) => None,
            Self::Refused { status, .. } | Self::Malformed { status, .. } => Some(*status),
        }
    }

    /// Whether the node answered that it does not know what was asked for.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}
