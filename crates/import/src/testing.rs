//! A Pterodactyl panel to import in tests: a database of its own on the MariaDB server that
//! `HATCHERY_TEST_MARIADB` names, filled from SQL.

use std::sync::atomic::{AtomicU64, Ordering};

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::json;
use sha2::Sha256;

use crate::AppKey;

/// The variable with the URL of a MariaDB server's administrator.
const VARIABLE: &str = "HATCHERY_TEST_MARIADB";

/// The tables of a panel, with the columns that an import reads.
const SCHEMA: &str = include_str!("testing/schema.sql");
/// A small panel.
const ROWS: &str = include_str!("testing/rows.sql");

/// The `APP_KEY` of the small panel.
pub const APP_KEY: &str = "base64:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
/// The password of everybody in the small panel.
pub const PASSWORD: &str = "correct horse";

/// A panel's database that nobody else uses.
#[derive(Debug)]
pub struct SourcePanel {
    /// `mysql://…`, as an import takes it.
    pub url: String,
}

impl SourcePanel {
    /// The small panel. Without a server the test prints a line that says so and is to end.
    pub async fn small() -> Result<Option<Self>, mysql_async::Error> {
        Self::of(&format!("{SCHEMA}\n{}", filled_in(ROWS))).await
    }

    /// The panel that this SQL makes.
    #[expect(clippy::print_stdout, reason = "the runner counts these lines")]
    pub async fn of(sql: &str) -> Result<Option<Self>, mysql_async::Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Ok(server) = std::env::var(VARIABLE) else {
            println!("SKIPPED: {VARIABLE} names no MariaDB server");
            return Ok(None);
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("panel_{}_{number}", std::process::id());
        let mut connection = Conn::from_url(&server).await?;
        connection
            .query_drop(format!("DROP DATABASE IF EXISTS {name}"))
            .await?;
        connection
            .query_drop(format!("CREATE DATABASE {name}"))
            .await?;
        connection.disconnect().await?;
        let panel = Self {
            url: format!("{server}/{name}"),
        };
        panel.run(sql).await?;
        Ok(Some(panel))
    }

    /// Changes something in the panel.
    pub async fn run(&self, sql: &str) -> Result<(), mysql_async::Error> {
        let mut connection = Conn::from_url(&self.url).await?;
        connection.query_drop(sql).await?;
        connection.disconnect().await
    }
}

/// Seals a value as the panel does.
pub fn seal(key: &AppKey, plain: &str) -> String {
    const IV: [u8; 16] = *b"always the same.";
    let mut bytes = plain.as_bytes().to_vec();
    bytes.resize(plain.len() + IV.len(), 0);
    let sealed = Encryptor::<Aes256>::new(key.bytes().into(), &IV.into())
        .encrypt_padded::<Pkcs7>(&mut bytes, plain.len())
        .unwrap_or_default();
    let (iv, value) = (STANDARD.encode(IV), STANDARD.encode(sealed));
    let mac = Hmac::<Sha256>::new_from_slice(key.bytes()).map(|mut mac| {
        mac.update(iv.as_bytes());
        mac.update(value.as_bytes());
        let mac = mac.finalize().into_bytes();
        let digits = |byte: &u8| format!("{byte:02x}");
        mac.iter().map(digits).collect::<Vec<_>>().concat()
    });
    let mac = mac.unwrap_or_default();
    STANDARD.encode(json!({ "iv": iv, "value": value, "mac": mac, "tag": "" }).to_string())
}

/// Seals what is within `{sealed:…}`, in PHP's serialized form, and within `{sealed plain:…}`
/// without it.
fn filled_in(sql: &str) -> String {
    let Ok(key) = AppKey::parse(APP_KEY) else {
        return String::new();
    };
    let mut filled = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("{sealed") {
        let (content, behind) = after.split_once('}').unwrap_or((after, ""));
        let plain = match content.split_once(':') {
            Some((" plain", text)) => text.to_owned(),
            Some((_, text)) => format!("s:{}:\"{text}\";", text.len()),
            None => String::new(),
        };
        filled.push_str(before);
        filled.push_str(&seal(&key, &plain));
        rest = behind;
    }
    filled + rest
}
