//! Eggs: what a game is and how it runs (spec/eggs.md).

use std::sync::Arc;

use hatchery_vocab::{EggId, EggUuid, EggVariableId, NestId, Timestamp};
use serde_json::Value as JsonValue;
use serde_json::value::Map;

use crate::sql::{Cells, Json, cell, column, opt_cell, params, read_all, read_opt};
use crate::{Store, StoreError, Tx};

/// An egg as it is stored. What it inherits from others is in [`EggSnapshot`].
#[derive(Clone, Debug)]
pub struct Egg {
    /// The row.
    pub id: EggId,
    /// The public id.
    pub uuid: EggUuid,
    /// The group it belongs to.
    pub nest_id: NestId,
    /// Who made it.
    pub author: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// The version tag of the file it came from, such as `PTDL_v2`.
    pub source_format: String,
    /// Where newer versions are.
    pub update_url: Option<String>,
    /// Switches for helpers in user interfaces; `None` inherits.
    pub features: Option<Vec<String>>,
    /// Label and image, in order.
    pub docker_images: Vec<(String, String)>,
    /// Patterns of files that users must not touch.
    pub file_denylist: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The start line.
    pub startup: String,
    /// File to parser and replacements; `None` inherits.
    pub config_files: Option<JsonValue>,
    /// What says that the game is ready; `None` inherits.
    pub config_startup: Option<JsonValue>,
    /// About logs; unused; `None` inherits.
    pub config_logs: Option<JsonValue>,
    /// The console line or the signal that stops it; `None` inherits.
    pub config_stop: Option<String>,
    /// The egg whose features and configuration fill the gaps.
    pub config_from: Option<EggId>,
    /// The image of the installation.
    pub script_container: String,
    /// The program that runs the installation script.
    pub script_entry: String,
    /// The installation script; `None` inherits.
    pub script_install: Option<String>,
    /// The egg whose installation script is used where there is none.
    pub copy_script_from: Option<EggId>,
    /// Whether outgoing connections must come from the server's own address.
    pub force_outgoing_ip: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A start variable of an egg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EggVariable {
    /// The row.
    pub id: EggVariableId,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The name in the environment; unique in the egg.
    pub env_variable: String,
    /// The value where a server has none of its own.
    pub default_value: String,
    /// Whether users see it.
    pub user_viewable: bool,
    /// Whether users may change it.
    pub user_editable: bool,
    /// Rules for its value, divided by `|`.
    pub rules: String,
    /// The kind of input field, such as `text`.
    pub field_type: String,
}

/// An egg with its variables and the eggs from which it inherits.
#[derive(Clone, Debug)]
pub struct EggSnapshot {
    /// The egg itself.
    pub egg: Egg,
    /// Its variables in its own order.
    pub variables: Vec<EggVariable>,
    /// The egg behind `config_from`.
    pub config_parent: Option<Egg>,
    /// The egg behind `copy_script_from`.
    pub script_parent: Option<Egg>,
}

/// An installation script and what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstallScript<'a> {
    /// The image.
    pub container: &'a str,
    /// The program that runs it.
    pub entry: &'a str,
    /// Its text, possibly empty.
    pub script: &'a str,
}

impl EggSnapshot {
    /// The egg's own value, else that of the egg it inherits from.
    fn inherited<'a, T: ?Sized>(
        &'a self,
        field: impl Fn(&'a Egg) -> Option<&'a T>,
    ) -> Option<&'a T> {
        field(&self.egg).or_else(|| self.config_parent.as_ref().and_then(field))
    }

    /// Switches for helpers in user interfaces (client-api.md §4.1.1).
    pub fn features(&self) -> Option<&[String]> {
        self.inherited(|egg| egg.features.as_deref())
    }

    /// Patterns of files that users must not touch: those of the parent where there is one
    /// (node-protocol.md §2.5).
    pub fn file_denylist(&self) -> &[String] {
        &self
            .config_parent
            .as_ref()
            .unwrap_or(&self.egg)
            .file_denylist
    }

    /// Configuration files to edit before each start.
    pub fn config_files(&self) -> Option<&JsonValue> {
        self.inherited(|egg| egg.config_files.as_ref())
    }

    /// What says that the game is ready.
    pub fn config_startup(&self) -> Option<&JsonValue> {
        self.inherited(|egg| egg.config_startup.as_ref())
    }

    /// About logs.
    pub fn config_logs(&self) -> Option<&JsonValue> {
        self.inherited(|egg| egg.config_logs.as_ref())
    }

    /// The console line or the signal that stops the game.
    pub fn config_stop(&self) -> Option<&str> {
        self.inherited(|egg| egg.config_stop.as_deref())
    }

    /// The installation script.
    pub fn install_script(&self) -> InstallScript<'_> {
        let egg = match (&self.egg.script_install, &self.script_parent) {
            (None, Some(parent)) => parent,
            _ => &self.egg,
        };
        InstallScript {
            container: &egg.script_container,
            entry: &egg.script_entry,
            script: egg.script_install.as_deref().unwrap_or_default(),
        }
    }
}

/// An egg to create, or to put in the place of the one with the same UUID. The fields are those of
/// [`Egg`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented at Egg")]
pub struct NewEgg {
    pub uuid: EggUuid,
    pub nest_id: NestId,
    pub author: String,
    pub name: String,
    pub description: Option<String>,
    pub source_format: String,
    pub update_url: Option<String>,
    pub features: Option<Vec<String>>,
    pub docker_images: Vec<(String, String)>,
    pub file_denylist: Vec<String>,
    pub tags: Vec<String>,
    pub startup: String,
    pub config_files: Option<JsonValue>,
    pub config_startup: Option<JsonValue>,
    pub config_logs: Option<JsonValue>,
    pub config_stop: Option<String>,
    pub config_from: Option<EggId>,
    pub script_container: String,
    pub script_entry: String,
    pub script_install: Option<String>,
    pub copy_script_from: Option<EggId>,
    pub force_outgoing_ip: bool,
    pub variables: Vec<NewEggVariable>,
}

/// A variable of an egg to create. The fields are those of [`EggVariable`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented at EggVariable")]
pub struct NewEggVariable {
    pub name: String,
    pub description: String,
    pub env_variable: String,
    pub default_value: String,
    pub user_viewable: bool,
    pub user_editable: bool,
    pub rules: String,
    pub field_type: String,
}

const COLUMNS: &str = "id, uuid, nest_id, author, name, description, source_format, update_url, features,
    docker_images, file_denylist, tags, startup, config_files, config_startup, config_logs, config_stop,
    config_from, script_container, script_entry, script_install, copy_script_from, force_outgoing_ip,
    created_at, updated_at";

fn read(cells: &mut Cells) -> Result<Egg, StoreError> {
    Ok(Egg {
        id: cells.take()?,
        uuid: cells.take()?,
        nest_id: cells.take()?,
        author: cells.take()?,
        name: cells.take()?,
        description: cells.take()?,
        source_format: cells.take()?,
        update_url: cells.take()?,
        features: json_opt(cells)?,
        docker_images: cells
            .take::<Json<Map<String, JsonValue>>>()?
            .0
            .into_iter()
            .map(|(label, image)| (label, image.as_str().unwrap_or_default().to_owned()))
            .collect(),
        file_denylist: cells.take::<Json<_>>()?.0,
        tags: cells.take::<Json<_>>()?.0,
        startup: cells.take()?,
        config_files: json_opt(cells)?,
        config_startup: json_opt(cells)?,
        config_logs: json_opt(cells)?,
        config_stop: cells.take()?,
        config_from: cells.take()?,
        script_container: cells.take()?,
        script_entry: cells.take()?,
        script_install: cells.take()?,
        copy_script_from: cells.take()?,
        force_outgoing_ip: cells.take()?,
        created_at: cells.take()?,
        updated_at: cells.take()?,
    })
}

fn json_opt<T: serde::de::DeserializeOwned>(cells: &mut Cells) -> Result<Option<T>, StoreError> {
    Ok(cells.take::<Option<Json<T>>>()?.map(|json| json.0))
}

fn read_variable(cells: &mut Cells) -> Result<EggVariable, StoreError> {
    Ok(EggVariable {
        id: cells.take()?,
        name: cells.take()?,
        description: cells.take()?,
        env_variable: cells.take()?,
        default_value: cells.take()?,
        user_viewable: cells.take()?,
        user_editable: cells.take()?,
        rules: cells.take()?,
        field_type: cells.take()?,
    })
}

impl Store {
    /// An egg with all that it inherits. Cached.
    pub async fn egg(&self, id: EggId) -> Result<Option<Arc<EggSnapshot>>, StoreError> {
        if let Some(egg) = self.caches().eggs.get(&id) {
            return Ok(Some(egg));
        }
        let generation = self.caches().generation();
        let Some(egg) = self.egg_row(id).await? else {
            return Ok(None);
        };
        let config_parent = match egg.config_from {
            Some(parent) => self.egg_row(parent).await?,
            None => None,
        };
        let script_parent = match egg.copy_script_from {
            Some(parent) => self.egg_row(parent).await?,
            None => None,
        };
        let sql = "SELECT id, name, description, env_variable, default_value, user_viewable, user_editable,
                rules, field_type
            FROM egg_variables WHERE egg_id = $1 ORDER BY sort, id";
        let variables = read_all(self.db().few(sql, &params![id]).await?, read_variable)?;
        let snapshot = Arc::new(EggSnapshot {
            egg,
            variables,
            config_parent,
            script_parent,
        });
        self.caches().keep(generation, |caches| {
            caches.eggs.insert(id, Arc::clone(&snapshot));
        });
        Ok(Some(snapshot))
    }

    async fn egg_row(&self, id: EggId) -> Result<Option<Egg>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM eggs WHERE id = $1");
        read_opt(self.db().opt(&sql, &params![id]).await?, read)
    }

    /// The egg with this public id.
    pub async fn egg_by_uuid(&self, uuid: EggUuid) -> Result<Option<Arc<EggSnapshot>>, StoreError> {
        let sql = "SELECT id FROM eggs WHERE uuid = $1";
        match opt_cell(self.db().opt(sql, &params![uuid]).await?)? {
            Some(id) => self.egg(id).await,
            None => Ok(None),
        }
    }

    /// The eggs with this name, whatever its case; names need not be unique.
    pub async fn eggs_by_name(&self, name: &str) -> Result<Vec<Egg>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM eggs WHERE lower(name) = lower($1) ORDER BY id");
        read_all(self.db().few(&sql, &params![name]).await?, read)
    }

    /// All eggs.
    pub async fn eggs(&self) -> Result<Vec<Egg>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM eggs ORDER BY id");
        read_all(self.db().scan(&sql, Vec::new()).await?, read)
    }
}

impl Tx {
    /// Creates the egg, or updates the one with the same UUID in its place: servers keep it, and
    /// keep the values of variables that are still there.
    pub async fn upsert_egg(&mut self, egg: &NewEgg) -> Result<EggId, StoreError> {
        let now = self.now();
        let images: Map<String, JsonValue> = egg
            .docker_images
            .iter()
            .map(|(label, image)| (label.clone(), JsonValue::String(image.clone())))
            .collect();
        let row = self
            .db()
            .one(
                "INSERT INTO eggs (uuid, nest_id, author, name, description, source_format, update_url,
                    features, docker_images, file_denylist, tags, startup, config_files, config_startup,
                    config_logs, config_stop, config_from, script_container, script_entry, script_install,
                    copy_script_from, force_outgoing_ip, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                    $19, $20, $21, $22, $23, $23)
                 ON CONFLICT (uuid) DO UPDATE SET nest_id = excluded.nest_id, author = excluded.author,
                    name = excluded.name, description = excluded.description,
                    source_format = excluded.source_format, update_url = excluded.update_url,
                    features = excluded.features, docker_images = excluded.docker_images,
                    file_denylist = excluded.file_denylist, tags = excluded.tags,
                    startup = excluded.startup, config_files = excluded.config_files,
                    config_startup = excluded.config_startup, config_logs = excluded.config_logs,
                    config_stop = excluded.config_stop, config_from = excluded.config_from,
                    script_container = excluded.script_container, script_entry = excluded.script_entry,
                    script_install = excluded.script_install,
                    copy_script_from = excluded.copy_script_from,
                    force_outgoing_ip = excluded.force_outgoing_ip, updated_at = excluded.updated_at
                 RETURNING id",
                &params![
                    egg.uuid,
                    egg.nest_id,
                    egg.author,
                    egg.name,
                    egg.description,
                    egg.source_format,
                    egg.update_url,
                    egg.features.as_ref().map(Json),
                    Json(images),
                    Json(&egg.file_denylist),
                    Json(&egg.tags),
                    egg.startup,
                    egg.config_files.as_ref().map(Json),
                    egg.config_startup.as_ref().map(Json),
                    egg.config_logs.as_ref().map(Json),
                    egg.config_stop,
                    egg.config_from,
                    egg.script_container,
                    egg.script_entry,
                    egg.script_install,
                    egg.copy_script_from,
                    egg.force_outgoing_ip,
                    now
                ],
            )
            .await?;
        let id = cell(row)?;
        self.reconcile_variables(id, &egg.variables).await?;
        self.changes.eggs.push(id);
        Ok(id)
    }

    /// Deletes an egg. Fails by reference while servers use it.
    pub async fn delete_egg(&mut self, id: EggId) -> Result<bool, StoreError> {
        let rows = self
            .db()
            .exec("DELETE FROM eggs WHERE id = $1", &params![id])
            .await?;
        self.changes.eggs.push(id);
        Ok(rows > 0)
    }

    /// Variables are the same where their name in the environment is.
    async fn reconcile_variables(
        &mut self,
        egg: EggId,
        variables: &[NewEggVariable],
    ) -> Result<(), StoreError> {
        let sql = "SELECT env_variable FROM egg_variables WHERE egg_id = $1";
        let there: Vec<String> = column(self.db().few(sql, &params![egg]).await?)?;
        for gone in there.iter().filter(|name| {
            variables
                .iter()
                .all(|variable| variable.env_variable != **name)
        }) {
            self.db()
                .exec(
                    "DELETE FROM egg_variables WHERE egg_id = $1 AND env_variable = $2",
                    &params![egg, gone],
                )
                .await?;
        }
        let now = self.now();
        for (sort, variable) in variables.iter().enumerate() {
            self.db()
                .exec(
                    "INSERT INTO egg_variables (egg_id, name, description, env_variable, default_value,
                        user_viewable, user_editable, rules, field_type, sort, created_at, updated_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
                     ON CONFLICT (egg_id, env_variable) DO UPDATE SET name = excluded.name,
                        description = excluded.description, default_value = excluded.default_value,
                        user_viewable = excluded.user_viewable, user_editable = excluded.user_editable,
                        rules = excluded.rules, field_type = excluded.field_type, sort = excluded.sort,
                        updated_at = excluded.updated_at",
                    &params![
                        egg,
                        variable.name,
                        variable.description,
                        variable.env_variable,
                        variable.default_value,
                        variable.user_viewable,
                        variable.user_editable,
                        variable.rules,
                        variable.field_type,
                        sort as u64,
                        now
                    ],
                )
                .await?;
        }
        Ok(())
    }
}
