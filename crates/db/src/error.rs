//! What can go wrong between a query and its rows, the same for both engines.

/// A database's refusal, or the loss of the database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// A row with the same key exists. `constraint` is the name of the unique index, the same on
    /// both engines.
    #[error("another row has the same value already (unique index {constraint})")]
    Unique {
        /// The name of the unique index.
        constraint: String,
    },
    /// A row that is referred to does not exist, or a row to be deleted is still referred to.
    #[error("a row that is referred to is missing, or the row is still in use")]
    ForeignKey,
    /// Others hold the database for longer than a caller should wait.
    #[error("the database is busy with other writes; try again")]
    Busy,
    /// The database cannot be reached now. The next call tries again.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A statement failed earlier in this transaction, so nothing more can be done in it.
    #[error("the transaction has failed already and can only be rolled back")]
    Aborted,
    /// A query that always has a row had none.
    #[error("a query that must give a row gave none")]
    NoRow,
    /// A column holds something else than the program expects.
    #[error("a column should hold {expected} but holds {found}")]
    Column {
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The statement is wrong or cannot be carried out.
    #[error("the database refused a statement: {0}")]
    Query(String),
    /// The database cannot be opened at all.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// The schema is not what the program brought or expects.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migration(String),
}
