//! What the panel was told: the salt of public ids, and what people set on its settings pages. Ours
//! come from a file and the environment, so the latter become lines to put there.

use std::collections::BTreeMap;

use crate::bring::{Bring, Table};
use crate::{HASHIDS_LENGTH, HASHIDS_SALT, ImportError};

const SETTINGS: Table = Table::numbered("settings");
/// How the panel's names begin.
const BEGINNING: &str = "settings::";
/// Its settings that are one of ours under another name.
const RENAMED: [(&str, &str); 7] = [
    ("app:name", "name"),
    ("mail:mailers:smtp:host", "mail.host"),
    ("mail:mailers:smtp:port", "mail.port"),
    ("mail:mailers:smtp:username", "mail.username"),
    ("mail:from:address", "mail.from_address"),
    ("mail:from:name", "mail.from_name"),
    (
        "pterodactyl:client_features:allocations:enabled",
        "client_allocations.enabled",
    ),
];
const TWO_FACTOR: &str = "pterodactyl:auth:2fa_required";
const FIRST_PORT: &str = "pterodactyl:client_features:allocations:range_start";
const LAST_PORT: &str = "pterodactyl:client_features:allocations:range_end";

pub(crate) async fn all(
    bring: &mut Bring,
    salt: Option<&str>,
    length: Option<u8>,
) -> Result<(), ImportError> {
    if let Some(salt) = salt {
        bring.tx.set_setting(HASHIDS_SALT, salt).await?;
    }
    if let Some(length) = length {
        let length = length.to_string();
        bring.tx.set_setting(HASHIDS_LENGTH, &length).await?;
    }
    let has_databases = bring
        .report
        .table("databases")
        .is_some_and(|table| table.read > table.skipped);
    if salt.is_none() && has_databases {
        bring.report.note(
            "databases get other public ids than they had: give the panel's HASHIDS_SALT by --hashids-salt to keep them",
        );
    }
    from_pages(bring).await
}

async fn from_pages(bring: &mut Bring) -> Result<(), ImportError> {
    let mut theirs = BTreeMap::new();
    let mut after = None;
    while let Some(rows) = bring.next_page(SETTINGS, &mut after).await? {
        for row in rows {
            match (row.text("key"), row.text("value")) {
                (Ok(key), Ok(value)) => {
                    let key = key.strip_prefix(BEGINNING).unwrap_or(&key).to_owned();
                    theirs.insert(key, value);
                    bring.report.read(SETTINGS.name);
                }
                (Err(reason), _) | (_, Err(reason)) => {
                    let key = SETTINGS.key_of(&row).unwrap_or_default();
                    bring.report.skip(SETTINGS.name, &key, reason);
                }
            }
        }
    }
    let (mut lines, rest) = ours(theirs);
    if let Some(home) = &bring.context.home {
        let folder = toml(&home.volumes.display().to_string());
        lines.push(format!("node.volumes = {folder}"));
    }
    bring.report.settings = lines;
    for key in rest {
        bring
            .report
            .note(format!("the setting {key} was not carried over"));
    }
    Ok(())
}

/// The lines for `hatchery.toml`, and the names of what has no line.
fn ours(mut theirs: BTreeMap<String, String>) -> (Vec<String>, Vec<String>) {
    let mut lines = Vec::new();
    for (their, our) in RENAMED {
        if let Some(value) = theirs.remove(their).filter(|value| !value.is_empty()) {
            lines.push(format!("{our} = {}", toml(&value)));
        }
    }
    let rule = match theirs.remove(TWO_FACTOR).as_deref() {
        Some("1") => Some("admins"),
        Some("2") => Some("everybody"),
        _ => None,
    };
    lines.extend(rule.map(|rule| format!("two_factor = {}", toml(rule))));
    if let (Some(first), Some(last)) = (theirs.remove(FIRST_PORT), theirs.remove(LAST_PORT)) {
        lines.push(format!(
            "client_allocations.ports = {}",
            toml(&format!("{first}-{last}"))
        ));
    }
    (lines, theirs.into_keys().collect())
}

/// A value as TOML writes it.
fn toml(value: &str) -> String {
    if value == "true" || value == "false" || value.parse::<u32>().is_ok() {
        return value.to_owned();
    }
    // JSON's escapes are among those of TOML.
    serde_json::Value::from(value).to_string()
}
