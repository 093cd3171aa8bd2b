//! Why a query gave nothing. "There is no such row" is not an error but `None`.

use hatchery_db::DbError;

/// The store could not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, or is away.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There are as many as there may be.
    #[error("there are {limit} already, which is the limit")]
    LimitReached {
        /// How many there may be.
        limit: u64,
    },
    /// An allocation is missing, belongs to another node, or another server has it.
    #[error("an allocation is not free on this node")]
    AllocationTaken,
    /// What is stored is not what the program writes.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// The name of the unique index that a row violated, such as `users_email`.
    pub fn unique(&self) -> Option<&str> {
        match self {
            Self::Db(DbError::Unique { constraint }) => Some(constraint),
            _ => None,
        }
    }

    /// Whether the row is still in use, or one that it refers to is missing.
    pub const fn is_reference(&self) -> bool {
        matches!(self, Self::Db(DbError::ForeignKey))
    }
}
