//! The database host of the recorded world: the databases and users of its three rows, and nothing
//! that an exchange left behind.

use anyhow::Result;

use crate::mariadb::MariaDb;

/// How the panel signs in there.
const PANEL: (&str, &str) = ("dbhost", "dbhostpass");

/// Database, user, from where, password.
const SEEDED: [(&str, &str, &str, &str); 3] = [
    ("s1_survival", "u1_abcdefghij", "%", "SeededDbPass1"),
    ("s6_other", "u6_abcdefghij", "127.0.0.1", "SeededDbPass2"),
    ("s11_full", "u11_abcdefghij", "%", "SeededDbPass3"),
];

/// A database host.
#[derive(Debug)]
pub(crate) struct Host(MariaDb);

impl Host {
    /// Makes a host of a server.
    pub(crate) fn new(server: MariaDb) -> Result<Host> {
        let (user, password) = PANEL;
        server.run(&format!(
            "CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{password}';
             GRANT ALL ON *.* TO {user}@'127.0.0.1' WITH GRANT OPTION;"
        ))?;
        let host = Host(server);
        host.reset()?;
        Ok(host)
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.0.port()
    }

    /// Puts the seeded databases and users back, and drops all others.
    pub(crate) fn reset(&self) -> Result<()> {
        let mut statements = self.0.run(
            "SELECT concat('DROP DATABASE `', schema_name, '`;') FROM information_schema.schemata
                 WHERE schema_name LIKE 's%\\_%' AND schema_name NOT IN ('performance_schema');
             SELECT concat('DROP USER `', user, '`@`', host, '`;') FROM mysql.user
                 WHERE user LIKE 'u%\\_%';",
        )?;
        for (database, user, from, password) in SEEDED {
            statements.push_str(&format!(
                "CREATE DATABASE {database}; CREATE USER {user}@'{from}' IDENTIFIED BY '{password}';
                 GRANT ALL ON {database}.* TO {user}@'{from}';"
            ));
        }
        self.0.run(&statements).map(drop)
    }
}
