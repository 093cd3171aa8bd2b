//! Every row by every caller in every state, and the table of it for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use hatchery_store::{NewTransfer, StoreError};
use hatchery_testkit::{PanelOptions, Person, TestPanel};
use hatchery_vocab::{Permission, ServerStatus};
use serde_json::Value;

use super::{Guard, Names, Row, Works, rows};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
    WrongKey,
    Stranger,
    /// A subuser with every permission but the one that is needed.
    Without,
    /// A subuser with the permission that is needed and no other.
    With,
    Owner,
    Administrator,
}

impl Caller {
    const ALL: [Self; 7] = [
        Self::Nobody,
        Self::WrongKey,
        Self::Stranger,
        Self::Without,
        Self::With,
        Self::Owner,
        Self::Administrator,
    ];
}

/// What state the server is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Normal,
    Suspended,
    Maintenance,
    Installing,
    Restoring,
    Transferring,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Normal,
        Self::Suspended,
        Self::Maintenance,
        Self::Installing,
        Self::Restoring,
        Self::Transferring,
    ];

    /// What is answered where the state is in the way (client-api.md §1.8).
    fn refusal(self) -> Option<&'static str> {
        Some(match self {
            Self::Normal => return None,
            Self::Suspended => {
                "This server is currently suspended and the functionality requested is unavailable."
            }
            Self::Maintenance => {
                "The node of this server is currently under maintenance and the functionality requested is unavailable."
            }
            Self::Installing => {
                "This server has not yet completed its installation process, please try again later."
            }
            Self::Restoring => {
                "This server is currently restoring from a backup, please try again later."
            }
            Self::Transferring => {
                "This server is currently being transferred to a new machine, please try again later."
            }
        })
    }
}

/// What a caller is answered.
fn expected(row: &Row, caller: Caller, state: State) -> String {
    if matches!(caller, Caller::Nobody | Caller::WrongKey) {
        return "401 AuthenticationException: Unauthenticated.".to_owned();
    }
    if row.guard == Guard::Account {
        return row.answer.to_owned();
    }
    if caller == Caller::Stranger {
        return "404 NotFoundHttpException: The requested resource does not exist on this server."
            .to_owned();
    }
    let watched =
        caller == Caller::Administrator && !matches!(state, State::Suspended | State::Maintenance);
    let works = match row.works {
        Works::Normally => false,
        Works::Always => true,
        Works::ForWatchers => watched,
    };
    match state.refusal() {
        Some(sentence) if !works => format!("409 ServerStateConflictException: {sentence}"),
        _ if caller == Caller::Without && matches!(row.guard, Guard::Permission(_)) => {
            format!("403 {}", row.refusal)
        }
        _ => row.answer.to_owned(),
    }
}

/// A panel with the callers of the matrix.
struct Stage {
    panel: TestPanel,
    without: Person,
    with: Person,
}

impl Stage {
    async fn new() -> Self {
        let mut options = PanelOptions::default();
        options.settings.requests_per_minute = 0;
        let panel = TestPanel::with(options, hatchery_api::router)
            .await
            .unwrap();
        let without = panel.add_person("without").await.unwrap();
        let with = panel.add_person("with").await.unwrap();
        let mut tx = panel.store.begin().await.unwrap();
        for person in [&without, &with] {
            tx.create_subuser(panel.world.server.id, person.id, &[])
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        Self {
            panel,
            without,
            with,
        }
    }

    /// Gives the subusers the permissions that a row is about.
    async fn grant(&self, row: &Row) {
        let needed = match row.guard {
            Guard::Permission(key) => Some(Permission::from_key(key).unwrap()),
            Guard::Account | Guard::Member => None,
        };
        let all = Permission::ALL.iter().copied();
        let without: Vec<String> = all
            .filter(|permission| needed.is_some() && Some(*permission) != needed)
            .map(|permission| permission.key().to_owned())
            .collect();
        let with: Vec<String> = needed
            .iter()
            .map(|permission| permission.key().to_owned())
            .collect();
        let server = self.panel.world.server.id;
        let mut tx = self.panel.store.begin().await.unwrap();
        tx.set_subuser_permissions(server, self.without.id, &without)
            .await
            .unwrap();
        tx.set_subuser_permissions(server, self.with.id, &with)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Puts the server into a state, from the normal one.
    async fn enter(&self, state: State) -> Result<(), StoreError> {
        let world = &self.panel.world;
        let mut tx = self.panel.store.begin().await?;
        let status = match state {
            State::Normal => return Ok(()),
            State::Maintenance => {
                tx.set_node_maintenance(world.node, true).await?;
                return tx.commit().await.map(drop);
            }
            State::Transferring => {
                let server = self.panel.store.server(world.server.id).await?.unwrap();
                let allocation = server.primary_allocation().unwrap().id;
                tx.create_transfer(&NewTransfer {
                    server_id: server.id,
                    old_node: world.node,
                    new_node: world.node,
                    old_allocation: allocation,
                    new_allocation: allocation,
                    old_additional: Vec::new(),
                    new_additional: Vec::new(),
                })
                .await?;
                return tx.commit().await.map(drop);
            }
            State::Suspended => ServerStatus::Suspended,
            State::Installing => ServerStatus::Installing,
            State::Restoring => ServerStatus::RestoringBackup,
        };
        tx.set_server_status(world.server.id, Some(status)).await?;
        tx.commit().await.map(drop)
    }

    fn person(&self, caller: Caller) -> &Person {
        let world = &self.panel.world;
        match caller {
            Caller::Nobody | Caller::WrongKey | Caller::Stranger => &world.stranger,
            Caller::Without => &self.without,
            Caller::With => &self.with,
            Caller::Owner => &world.owner,
            Caller::Administrator => &world.admin,
        }
    }

    /// What a row's operation is about.
    async fn prepare(&self, row: &Row, caller: Caller) -> Names {
        let names = match row.prepare {
            Some(prepare) => prepare(&self.panel, self.person(caller)).await,
            None => Names::new(),
        };
        self.panel.node.take_calls();
        names
    }

    async fn ask(&self, row: &Row, route: &Route, names: &Names, caller: Caller) -> String {
        let mut path = route
            .address
            .replace("{server}", &self.panel.world.server.short);
        for (name, value) in names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(
            !path.contains('{'),
            "{}: {path} names something that nobody made",
            row.operation
        );
        path.push_str(row.query);
        let call = self.panel.call(&route.method, &path);
        let call = match caller {
            Caller::Nobody => call,
            Caller::WrongKey => {
                let key = &self.panel.world.owner.key;
                call.key(&format!("{}{}", &key[..16], "x".repeat(32)))
            }
            _ => call.key(&self.person(caller).key),
        };
        let call = match row.body {
            "" => call,
            body => call.raw(row.content_type, body),
        };
        call.send().await.errors()
    }
}

/// Where an operation is found.
struct Route {
    method: String,
    address: String,
}

/// Method and address of each operation of the API document.
fn declared() -> BTreeMap<String, Route> {
    let document: Value = serde_json::to_value(hatchery_api::openapi::client()).unwrap();
    let mut routes = BTreeMap::new();
    for (address, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let route = Route {
                method: method.to_uppercase(),
                address: address.clone(),
            };
            assert!(
                routes.insert(id.clone(), route).is_none(),
                "{id} is declared twice"
            );
        }
    }
    routes
}

/// The states in which a row is tried: a route of the account knows no server.
fn states(row: &Row) -> &'static [State] {
    if row.guard == Guard::Account {
        &State::ALL[..1]
    } else {
        &State::ALL
    }
}

fn is_let_in(row: &Row, caller: Caller, state: State) -> bool {
    expected(row, caller, state) == row.answer
}

#[test]
fn every_operation_has_one_row() {
    let declared: Vec<String> = declared().into_keys().collect();
    let mut tried: Vec<&str> = rows().map(|row| row.operation).collect();
    tried.sort_unstable();
    assert_eq!(
        tried, declared,
        "give every operation exactly one row in tests/it/access"
    );
}

#[tokio::test]
async fn nobody_gets_in_without_the_right_to() {
    let routes = declared();
    let mut wrong = String::new();
    for state in State::ALL {
        let stage = Stage::new().await;
        let mut all_names = Vec::new();
        for row in rows().filter(|row| states(row).contains(&state)) {
            let names = stage.prepare(row, Caller::Owner).await;
            all_names.push((row, names));
        }
        stage.enter(state).await.unwrap();
        for (row, names) in &all_names {
            stage.grant(row).await;
            for caller in Caller::ALL {
                if is_let_in(row, caller, state) {
                    continue;
                }
                let answer = stage.ask(row, &routes[row.operation], names, caller).await;
                note(&mut wrong, row, caller, state, &answer);
            }
        }
        let calls = stage.panel.node.take_calls();
        assert!(
            calls.is_empty(),
            "a refused request reached the node: {calls:?}"
        );
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn everybody_gets_in_with_the_right_to() {
    let routes = declared();
    let mut wrong = String::new();
    for row in rows() {
        for state in states(row).iter().copied() {
            for caller in Caller::ALL {
                if !is_let_in(row, caller, state) {
                    continue;
                }
                let stage = Stage::new().await;
                stage.grant(row).await;
                let names = stage.prepare(row, caller).await;
                stage.enter(state).await.unwrap();
                let answer = stage.ask(row, &routes[row.operation], &names, caller).await;
                note(&mut wrong, row, caller, state, &answer);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn note(wrong: &mut String, row: &Row, caller: Caller, state: State, answer: &str) {
    let expected = expected(row, caller, state);
    if answer != expected {
        writeln!(
            wrong,
            "{} by {caller:?} in {state:?}: {answer}, not {expected}",
            row.operation
        )
        .unwrap();
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the table is a file of the repository, not of a server"
)]
fn the_committed_table_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let current = table();
    if std::env::var_os("HATCHERY_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/access.md is not what the tests try: run `HATCHERY_UPDATE=1 cargo test -p hatchery-api access`"
    );
}

/// The matrix for people.
fn table() -> String {
    let routes = declared();
    let mut text = String::from(
        "# Who may do what\n\n\
        Generated from the declarations of the routes and the rows of `crates/api/tests/it/access`, whose\n\
        tests try every cell: `HATCHERY_UPDATE=1 cargo test -p hatchery-api access` rewrites it.\n\n\
        Nobody, and anybody with a wrong key, is answered 401 everywhere. A cell holds the status in the normal\n\
        state, and behind it those of other states where they differ: S suspended, M node under maintenance,\n\
        I being installed, R being restored, T being transferred.\n\n\
        | operation | route | permission | stranger | subuser without it | subuser with it alone | owner | administrator |\n\
        | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows() {
        let route = &routes[row.operation];
        let permission = match row.guard {
            Guard::Account => "any account".to_owned(),
            Guard::Member => "access".to_owned(),
            Guard::Permission(key) => format!("`{key}`"),
        };
        let address = route.address.replace("/api/client", "");
        let address = if address.is_empty() { "/" } else { &address };
        write!(
            text,
            "| {} | `{} {address}` | {permission} |",
            row.operation, route.method
        )
        .unwrap();
        for caller in &Caller::ALL[2..] {
            write!(text, " {} |", cell(row, *caller)).unwrap();
        }
        text.push('\n');
    }
    text
}

/// The status in the normal state, and those of the others where they differ.
fn cell(row: &Row, caller: Caller) -> String {
    let status = |state| expected(row, caller, state)[..3].to_owned();
    let normal = status(State::Normal);
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    for state in states(row)
        .iter()
        .copied()
        .filter(|state| *state != State::Normal)
    {
        if status(state) != normal {
            let letter = &format!("{state:?}")[..1];
            others.entry(status(state)).or_default().push_str(letter);
        }
    }
    let others: Vec<String> = others
        .into_iter()
        .map(|(status, letters)| format!("{status} {letters}"))
        .collect();
    if others.is_empty() {
        normal
    } else {
        format!("{normal} ({})", others.join(", "))
    }
}
