//! Users and what they sign in with. Hashes of passwords and of recovery tokens stay as they are;
//! what is sealed is opened.

use std::collections::BTreeMap;

use hatchery_auth::SecretDigest;
use hatchery_store::ApiKeyKind;
use hatchery_store::import::{ApiKeyRecord, RecoveryTokenRecord, SshKeyRecord, UserRecord};
use hatchery_vocab::{ApiKeyId, SshKeyId, UserId, UserUuid};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const USERS: Table = Table::numbered("users");
const API_KEYS: Table = Table::numbered("api_keys");
const SSH_KEYS: Table = Table::numbered("user_ssh_keys");
const RECOVERY_TOKENS: Table = Table::numbered("recovery_tokens");

/// The panel's numbers for kinds of keys (client-api.md §1.4).
const CLIENT_KEY: i64 = 1;
const APPLICATION_KEY: i64 = 2;
/// The columns with the rights of an application key begin so.
const RIGHT: &str = "r_";
const IDENTIFIER_CHARACTERS: usize = 16;

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(USERS, user).await?;
    bring.table(API_KEYS, api_key).await?;
    bring.table(SSH_KEYS, ssh_key).await?;
    bring.table(RECOVERY_TOKENS, recovery_token).await
}

fn user(row: &Row, context: &Context) -> Result<UserRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let use_totp = row.flag("use_totp")?;
    let sealed = row.opt_text("totp_secret")?.filter(|text| !text.is_empty());
    Ok(UserRecord {
        id: UserId::new(row.int("id")?),
        uuid: UserUuid::new(row.uuid("uuid")?),
        external_id: row.opt_text("external_id")?,
        username: row.text("username")?,
        email: row.text("email")?,
        name_first: row.opt_text("name_first")?,
        name_last: row.opt_text("name_last")?,
        language: row.text("language")?.trim().to_owned(),
        root_admin: row.flag("root_admin")?,
        use_totp,
        totp_secret: match sealed {
            Some(_) => Some(row.sealed("totp_secret", &context.key)?),
            None => None,
        },
        password: hatchery_store::Secret::new(row.text("password")?),
        totp_authenticated_at: row.opt_time("totp_authenticated_at")?,
        created_at,
        updated_at,
    })
}

fn api_key(row: &Row, context: &Context) -> Result<ApiKeyRecord, Broken> {
    let key_type = match row.int("key_type")? {
        CLIENT_KEY => ApiKeyKind::Client,
        APPLICATION_KEY => ApiKeyKind::Application,
        other => {
            return Err(Broken(format!(
                "keys of the kind {other} open nothing any more"
            )));
        }
    };
    let identifier = row.text("identifier")?;
    if identifier.len() != IDENTIFIER_CHARACTERS {
        return Err(Broken::column("identifier", "16 characters long"));
    }
    let token = row.sealed("token", &context.key)?;
    let (created_at, _) = times(row)?;
    Ok(ApiKeyRecord {
        id: ApiKeyId::new(row.int("id")?),
        identifier,
        user_id: UserId::new(context.known.need("users", row.int("user_id")?)?),
        key_type,
        secret_hash: *SecretDigest::of(token.expose()).as_bytes(),
        memo: row.text_or_empty("memo")?,
        allowed_ips: row.opt_json("allowed_ips")?.unwrap_or_default(),
        rights: match key_type {
            ApiKeyKind::Client => BTreeMap::new(),
            ApiKeyKind::Application => rights(row)?,
        },
        expires_at: row.opt_time("expires_at")?,
        last_used_at: row.opt_time("last_used_at")?,
        created_at,
    })
}

/// The columns `r_servers` and so on, without the beginning.
fn rights(row: &Row) -> Result<BTreeMap<String, u8>, Broken> {
    row.columns()
        .filter_map(|column| column.strip_prefix(RIGHT).map(str::to_owned))
        .map(|resource| {
            let right = row.int(&format!("{RIGHT}{resource}"))?;
            Ok((resource, right))
        })
        .collect()
}

fn ssh_key(row: &Row, context: &Context) -> Result<SshKeyRecord, Broken> {
    if row.opt_time("deleted_at")?.is_some() {
        return Err(Broken::new("it was deleted"));
    }
    let (created_at, _) = times(row)?;
    Ok(SshKeyRecord {
        id: SshKeyId::new(row.int("id")?),
        user_id: UserId::new(context.known.need("users", row.int("user_id")?)?),
        fingerprint: row.text("fingerprint")?,
        name: row.text("name")?,
        public_key: row.text("public_key")?,
        created_at,
    })
}

fn recovery_token(row: &Row, context: &Context) -> Result<RecoveryTokenRecord, Broken> {
    let (created_at, _) = times(row)?;
    Ok(RecoveryTokenRecord {
        id: row.int("id")?,
        user_id: UserId::new(context.known.need("users", row.int("user_id")?)?),
        token_hash: hatchery_store::Secret::new(row.text("token")?),
        created_at,
    })
}
