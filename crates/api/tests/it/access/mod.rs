//! Nobody gets in where they should not, and everybody where they may: every operation of the API
//! document is tried by every kind of caller in every state of a server. An operation without a row
//! fails. The rows lie beside this file, one file per noun.

mod account;
mod backups;
mod databases;
mod files;
mod matrix;
mod network;
mod power;
mod schedules;
mod servers;
mod settings;
mod startup;
mod users;

use std::pin::Pin;

use hatchery_testkit::{Person, TestPanel};

/// What guards an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Any account.
    Account,
    /// Access to the server.
    Member,
    /// A permission on the server.
    Permission(&'static str),
}

/// In which states of a server an operation works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Works {
    /// Where nothing is in the way.
    Normally,
    /// In every state.
    Always,
    /// As `Normally`, and for administrators while a server is installed, restored or moved.
    ForWatchers,
}

/// What stands for the placeholders of an address, such as `("schedule", "7")`.
pub(crate) type Names = Vec<(&'static str, String)>;
/// [`Names`] that are on their way.
pub(crate) type Prepared<'a> = Pin<Box<dyn Future<Output = Names> + Send + 'a>>;
/// Makes what an operation is about on the world's server, for a caller.
pub(crate) type Prepare = for<'a> fn(&'a TestPanel, &'a Person) -> Prepared<'a>;

/// What is known of an operation: its method and address are those of the API document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    operation: &'static str,
    guard: Guard,
    works: Works,
    query: &'static str,
    body: &'static str,
    content_type: &'static str,
    prepare: Option<Prepare>,
    refusal: &'static str,
    answer: &'static str,
}

impl Row {
    const fn new(operation: &'static str, guard: Guard) -> Self {
        Self {
            operation,
            guard,
            works: Works::Normally,
            query: "",
            body: "",
            content_type: "application/json",
            prepare: None,
            refusal: "AccessDeniedHttpException: This action is unauthorized.",
            answer: "200",
        }
    }

    /// An operation for every account.
    pub(crate) const fn account(operation: &'static str) -> Self {
        Self::new(operation, Guard::Account)
    }

    /// An operation for everybody who may know of the server.
    pub(crate) const fn member(operation: &'static str) -> Self {
        Self::new(operation, Guard::Member)
    }

    /// An operation that needs a permission, such as `file.read`.
    pub(crate) const fn needs(operation: &'static str, permission: &'static str) -> Self {
        Self::new(operation, Guard::Permission(permission))
    }

    /// Works in other states than usual.
    pub(crate) const fn works(mut self, works: Works) -> Self {
        self.works = works;
        self
    }

    /// With a query, such as `?file=x`.
    pub(crate) const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    /// With a JSON body.
    pub(crate) const fn json(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    /// With any other body.
    pub(crate) const fn text(mut self, body: &'static str) -> Self {
        self.body = body;
        self.content_type = "text/plain";
        self
    }

    /// About something that must be made first.
    pub(crate) const fn about(mut self, prepare: Prepare) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// Answers this to those without the permission, instead of the usual sentence.
    pub(crate) const fn refuses(mut self, refusal: &'static str) -> Self {
        self.refusal = refusal;
        self
    }

    /// Answers this to those who may, instead of `200`; see `Answer::errors` of the test kit.
    pub(crate) const fn answers(mut self, answer: &'static str) -> Self {
        self.answer = answer;
        self
    }
}

/// Every row.
fn rows() -> impl Iterator<Item = &'static Row> {
    [
        account::ROWS,
        servers::ROWS,
        files::ROWS,
        databases::ROWS,
        schedules::ROWS,
        network::ROWS,
        users::ROWS,
        backups::ROWS,
        startup::ROWS,
        settings::ROWS,
    ]
    .into_iter()
    .flatten()
}
