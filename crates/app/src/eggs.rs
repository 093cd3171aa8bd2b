//! Eggs: the shipped ones, importing, finding.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use hatchery_eggs::{ConfigFile, Import, ImportError};
use hatchery_store::{Egg, EggSnapshot, NewEgg, NewEggVariable, Store, StoreError, Tx};
use hatchery_vocab::{EggId, EggUuid, NestId};
use uuid::Uuid;

use crate::Cx;

/// The nest of the eggs that ship with the product.
const SHIPPED: Group = Group {
    uuid: Uuid::from_u128(0x5d0a_8a3e_61f2_4c0d_9a3e_2f5a_7c1e_0b01),
    name: "Hatchery",
    description: "The eggs that ship with Hatchery.",
};
/// The nest of eggs that are imported without naming one.
const IMPORTED: Group = Group {
    uuid: Uuid::from_u128(0x5d0a_8a3e_61f2_4c0d_9a3e_2f5a_7c1e_0b02),
    name: "Imported",
    description: "Eggs that were imported.",
};
/// What an egg without an installation script is stored with, for a script that comes later.
const INSTALL_IMAGE: &str = "debian:bookworm-slim";
const INSTALL_ENTRY: &str = "bash";
/// The setting that remembers which shipped eggs were installed.
const SHIPPED_SETTING: &str = "eggs:shipped";

struct Group {
    uuid: Uuid,
    name: &'static str,
    description: &'static str,
}

/// What came of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The egg's row.
    pub id: EggId,
    /// Its public id.
    pub uuid: EggUuid,
    /// Its name.
    pub name: String,
    /// Whether it is new; otherwise one was updated in its place.
    pub created: bool,
    /// What in the file was not understood.
    pub warnings: Vec<String>,
}

/// Why an egg was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportEggError {
    /// The file is no egg.
    #[error(transparent)]
    File(#[from] ImportError),
    /// There is no such nest.
    #[error("there is no nest with the id {0}")]
    NoSuchNest(NestId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts the shipped eggs into the database, unless this very set is there already.
pub async fn install_builtin(cx: &Cx) -> Result<(), StoreError> {
    let mut hasher = DefaultHasher::new();
    for shipped in hatchery_eggs::builtin() {
        shipped.file.hash(&mut hasher);
    }
    let set = format!("{:016x}", hasher.finish());
    if cx.store().setting(SHIPPED_SETTING).await?.as_ref() == Some(&set) {
        return Ok(());
    }
    let mut tx = cx.store().begin().await?;
    let nest = ensure_nest(&mut tx, &SHIPPED).await?;
    for shipped in hatchery_eggs::builtin() {
        let uuid = shipped
            .egg
            .uuid
            .unwrap_or_else(|| EggUuid::new(cx.entropy().uuid()));
        tx.upsert_egg(&row(&shipped.egg, uuid, nest)).await?;
    }
    tx.set_setting(SHIPPED_SETTING, &set).await?;
    tx.commit().await?;
    Ok(())
}

/// Imports an egg file into a nest. An egg with the same UUID is updated in its place; so is, for
/// files without one, the egg of that nest with the same name and author.
///
/// # Errors
/// The file is no egg, the nest does not exist, or the store failed.
pub async fn import(
    cx: &Cx,
    file: &[u8],
    nest: Option<NestId>,
) -> Result<Imported, ImportEggError> {
    let Import { egg, warnings } = hatchery_eggs::import(file)?;
    if let Some(nest) = nest
        && cx.store().nest(nest).await?.is_none()
    {
        return Err(ImportEggError::NoSuchNest(nest));
    }
    let mut tx = cx.store().begin().await?;
    let nest = match nest {
        Some(nest) => nest,
        None => ensure_nest(&mut tx, &IMPORTED).await?,
    };
    let known = match egg.uuid {
        Some(uuid) => cx
            .store()
            .egg_by_uuid(uuid)
            .await?
            .map(|known| (known.egg.uuid, known.egg.nest_id)),
        None => namesake(cx.store(), &egg, nest)
            .await?
            .map(|uuid| (uuid, nest)),
    };
    let uuid = known.map(|(uuid, _)| uuid).or(egg.uuid);
    let uuid = uuid.unwrap_or_else(|| EggUuid::new(cx.entropy().uuid()));
    // An egg that is updated stays in its nest.
    let nest = known.map_or(nest, |(_, nest)| nest);
    let id = tx.upsert_egg(&row(&egg, uuid, nest)).await?;
    tx.commit().await?;
    Ok(Imported {
        id,
        uuid,
        name: egg.name,
        created: known.is_none(),
        warnings,
    })
}

async fn namesake(
    store: &Store,
    egg: &hatchery_eggs::Egg,
    nest: NestId,
) -> Result<Option<EggUuid>, StoreError> {
    let named = store.eggs_by_name(&egg.name).await?;
    Ok(named
        .into_iter()
        .find(|known| known.nest_id == nest && known.author == egg.author)
        .map(|known| known.uuid))
}

/// All eggs.
pub async fn list(cx: &Cx) -> Result<Vec<Egg>, StoreError> {
    cx.store().eggs().await
}

/// The egg that someone means: by UUID, by the short name of a shipped one (`minecraft-paper`), or
/// by a name that only one egg has.
pub async fn find(cx: &Cx, text: &str) -> Result<Option<Arc<EggSnapshot>>, StoreError> {
    let shipped = hatchery_eggs::builtin()
        .iter()
        .find(|shipped| shipped.slug == text);
    let uuid = shipped
        .and_then(|shipped| shipped.egg.uuid)
        .or_else(|| text.parse().ok());
    if let Some(uuid) = uuid {
        return cx.store().egg_by_uuid(uuid).await;
    }
    match cx.store().eggs_by_name(text).await?.as_slice() {
        [only] => cx.store().egg(only.id).await,
        _ => Ok(None),
    }
}

async fn ensure_nest(tx: &mut Tx, group: &Group) -> Result<NestId, StoreError> {
    tx.upsert_nest(
        group.uuid,
        "eggs@hatchery.invalid",
        group.name,
        Some(group.description),
    )
    .await
}

/// An egg as it is stored.
fn row(egg: &hatchery_eggs::Egg, uuid: EggUuid, nest: NestId) -> NewEgg {
    let install = egg.install.as_ref();
    let variable = |variable: &hatchery_eggs::Variable| NewEggVariable {
        name: variable.name.clone(),
        description: variable.description.clone(),
        env_variable: variable.env_variable.clone(),
        default_value: variable.default_value.clone(),
        user_viewable: variable.user_viewable,
        user_editable: variable.user_editable,
        rules: variable.rules.clone(),
        field_type: variable.field_type.clone(),
    };
    NewEgg {
        uuid,
        nest_id: nest,
        author: egg.author.clone(),
        name: egg.name.clone(),
        description: (!egg.description.is_empty()).then(|| egg.description.clone()),
        source_format: egg.source_format.clone(),
        update_url: egg.update_url.clone(),
        features: egg.features.clone(),
        docker_images: egg
            .docker_images
            .iter()
            .map(|image| (image.label.clone(), image.value.clone()))
            .collect(),
        file_denylist: egg.file_denylist.clone(),
        tags: egg.tags.clone(),
        startup: egg.start_line().to_owned(),
        config_files: Some(ConfigFile::write(&egg.config_files)),
        config_startup: Some(egg.startup.write()),
        config_logs: None,
        config_stop: Some(egg.stop.to_string()),
        config_from: None,
        script_container: install
            .map_or(INSTALL_IMAGE, |install| &install.container)
            .to_owned(),
        script_entry: install
            .map_or(INSTALL_ENTRY, |install| &install.entrypoint)
            .to_owned(),
        script_install: install.map(|install| install.script.clone()),
        copy_script_from: None,
        force_outgoing_ip: false,
        variables: egg.variables.iter().map(variable).collect(),
    }
}
