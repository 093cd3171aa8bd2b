//! What the panel was told: the salt of public ids, and settings that people changed on its pages.

use crate::bring::Bring;
use crate::{HASHIDS_LENGTH, HASHIDS_SALT, ImportError};

pub(crate) async fn all(
    bring: &mut Bring,
    salt: Option<&str>,
    length: Option<u8>,
) -> Result<(), ImportError> {
    if let Some(salt) = salt {
        bring.tx.set_setting(HASHIDS_SALT, salt).await?;
    }
    if let Some(length) = length {
        bring
            .tx
            .set_setting(HASHIDS_LENGTH, &length.to_string())
            .await?;
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
    Ok(())
}
