//! Real database servers for tests, and a wire to them that can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hatchery_store::{DatabaseHost, NewDatabaseHost, Secret};
use hatchery_testkit::{PanelOptions, TestPanel};
use hatchery_vocab::{DatabaseEngine, DatabaseHostId, Port};
use mysql_async::prelude::Queryable as _;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that `HATCHERY_TEST_MARIADB` or `HATCHERY_TEST_POSTGRES` names, and its administrator.
#[derive(Clone)]
pub(crate) struct DatabaseServer {
    pub(crate) engine: DatabaseEngine,
    pub(crate) port: u16,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// A database as somebody signs in to it.
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) database: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

impl DatabaseServer {
    pub(crate) fn mariadb() -> Option<Self> {
        Self::named("HATCHERY_TEST_MARIADB", DatabaseEngine::Mysql)
    }

    /// Every server that there is.
    pub(crate) fn all() -> Vec<Self> {
        let postgres = Self::named("HATCHERY_TEST_POSTGRES", DatabaseEngine::Postgres);
        Self::mariadb().into_iter().chain(postgres).collect()
    }

    #[expect(clippy::print_stdout, reason = "a skip must be seen")]
    fn named(variable: &str, engine: DatabaseEngine) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            println!("SKIPPED: {variable} is not set");
            return None;
        };
        let (_, rest) = url.split_once("://")?;
        let (account, place) = rest.split_once('@')?;
        let (username, password) = account.split_once(':')?;
        let (_, port) = place.split('/').next()?.split_once(':')?;
        Some(Self {
            engine,
            port: port.parse().ok()?,
            username: username.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The server as a host of a panel, reached through another port if need be.
    pub(crate) async fn lend(&self, panel: &TestPanel, port: u16) -> DatabaseHost {
        let mut tx = panel.store.begin().await.unwrap();
        let host = NewDatabaseHost {
            name: "lent".to_owned(),
            engine: self.engine,
            host: "127.0.0.1".to_owned(),
            port: Port::new(port).unwrap(),
            username: self.username.clone(),
            password: Secret::new(self.password.clone()),
            max_databases: None,
            node_id: None,
        };
        let id: DatabaseHostId = tx.create_database_host(&host).await.unwrap();
        tx.commit().await.unwrap();
        panel.store.database_host(id).await.unwrap().unwrap()
    }

    /// Runs statements as the administrator and gives the first column of the last one's rows.
    pub(crate) async fn administer(&self, statements: &[&str]) -> Vec<String> {
        let database = match self.engine {
            DatabaseEngine::Mysql => "mysql",
            DatabaseEngine::Postgres => "postgres",
        };
        let administrator = SignIn {
            database,
            username: &self.username,
            password: &self.password,
        };
        self.run(administrator, statements).await.unwrap()
    }

    /// The same as anybody.
    pub(crate) async fn run(
        &self,
        sign_in: SignIn<'_>,
        statements: &[&str],
    ) -> Result<Vec<String>, String> {
        match self.engine {
            DatabaseEngine::Mysql => self.run_mysql(sign_in, statements).await,
            DatabaseEngine::Postgres => self.run_postgres(sign_in, statements).await,
        }
    }

    async fn run_mysql(
        &self,
        sign_in: SignIn<'_>,
        statements: &[&str],
    ) -> Result<Vec<String>, String> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .prefer_socket(false)
            .user(Some(sign_in.username))
            .pass(Some(sign_in.password))
            .db_name(Some(sign_in.database));
        let said = |error: mysql_async::Error| error.to_string();
        let mut connection = mysql_async::Conn::new(options).await.map_err(said)?;
        let mut rows = Vec::new();
        for statement in statements {
            rows = connection.query(*statement).await.map_err(said)?;
        }
        connection.disconnect().await.map_err(said)?;
        Ok(rows)
    }

    async fn run_postgres(
        &self,
        sign_in: SignIn<'_>,
        statements: &[&str],
    ) -> Result<Vec<String>, String> {
        let said = |error: tokio_postgres::Error| format!("{error:?}");
        let (client, connection) = tokio_postgres::Config::new()
            .host("127.0.0.1")
            .port(self.port)
            .user(sign_in.username)
            .password(sign_in.password)
            .dbname(sign_in.database)
            .connect(tokio_postgres::NoTls)
            .await
            .map_err(said)?;
        let driver = tokio::spawn(connection);
        let mut rows = Vec::new();
        for statement in statements {
            let messages = client.simple_query(statement).await.map_err(said)?;
            rows = messages
                .iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                })
                .collect();
        }
        drop(client);
        let _ = driver.await;
        Ok(rows)
    }

    /// Which of these databases and accounts there are.
    pub(crate) async fn existing(&self, databases: &[String], accounts: &[String]) -> Vec<String> {
        let list = |names: &[String]| {
            let quoted = names.iter().map(|name| format!("'{name}'"));
            std::iter::once("''".to_owned())
                .chain(quoted)
                .collect::<Vec<_>>()
                .join(",")
        };
        let (databases, accounts) = (list(databases), list(accounts));
        let sql = match self.engine {
            DatabaseEngine::Mysql => format!(
                "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata
                 WHERE schema_name IN ({databases})
                 UNION ALL SELECT CONVERT(user USING utf8mb4) FROM mysql.user WHERE user <> '' AND user IN ({accounts})"
            ),
            DatabaseEngine::Postgres => format!(
                "SELECT datname::text FROM pg_database WHERE datname IN ({databases})
                 UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname IN ({accounts})"
            ),
        };
        self.administer(&[&sql]).await
    }
}

/// A number that no other test of this or any other process has at the moment.
pub(crate) fn unique() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    u64::from(std::process::id()) * 1000 + COUNT.fetch_add(1, Ordering::Relaxed)
}

/// A panel whose names on database servers are its own.
pub(crate) async fn panel() -> TestPanel {
    let options = PanelOptions {
        seed: Some(unique()),
        ..PanelOptions::default()
    };
    TestPanel::with(options, hatchery_api::router)
        .await
        .unwrap()
}

/// What a wire still lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Everything passes.
    Never,
    /// So many messages to the server pass, and their answers; the next breaks every connection.
    Before(usize),
    /// So many messages to the server pass; the answer to the last is lost.
    After(usize),
}

/// A wire to a server that breaks when it is told to, and then stays broken.
pub(crate) struct Wire {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    cut: Cut,
    heard: Vec<u8>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let state = Arc::new(Mutex::new(State {
            cut: Cut::Never,
            heard: Vec::new(),
        }));
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::clone(&state),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, port, Arc::clone(&state)));
            }
        });
        wire
    }

    pub(crate) fn set(&self, cut: Cut) {
        self.state.lock().cut = cut;
    }

    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.state.lock().cut, Cut::Before(0) | Cut::After(0))
    }

    /// The accounts that statements were about since the last call.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let heard = std::mem::take(&mut self.state.lock().heard);
        let heard = String::from_utf8_lossy(&heard).into_owned();
        let mut accounts: Vec<String> = heard
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("u1_") && word.len() == 13)
            .map(str::to_owned)
            .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }
}

/// Passes one connection on, message by message.
async fn pass(mut client: TcpStream, port: u16, state: Arc<Mutex<State>>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (mut upward, mut downward) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            biased;
            length = client.read(&mut upward) => {
                let Ok(length @ 1..) = length else { return };
                let cut = {
                    let mut state = state.lock();
                    match &mut state.cut {
                        Cut::Before(0) | Cut::After(0) => return,
                        Cut::Before(left) | Cut::After(left) => *left -= 1,
                        Cut::Never => {}
                    }
                    state.heard.extend_from_slice(&upward[..length]);
                    state.cut
                };
                if server.write_all(&upward[..length]).await.is_err() || cut == Cut::After(0) {
                    return;
                }
            }
            length = server.read(&mut downward) => {
                let Ok(length @ 1..) = length else { return };
                if client.write_all(&downward[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
