//! Nests, eggs and their variables.

use std::collections::HashMap;

use hatchery_store::import::{EggRecord, EggVariableRecord, NestRecord};
use hatchery_vocab::{EggId, EggUuid, EggVariableId, NestId};
use serde_json::{Map, Value};

use super::times;
use crate::ImportError;
use crate::bring::{Bring, Context, Table};
use crate::broken::Broken;
use crate::row::Row;

const NESTS: Table = Table::numbered("nests");
const EGGS: Table = Table::numbered("eggs");
const EGG_VARIABLES: Table = Table::numbered("egg_variables");

/// The format of the files that the panel exports its eggs to.
const SOURCE_FORMAT: &str = "PTDL_v2";
/// The columns by which an egg inherits from another.
const PARENTS: [&str; 2] = ["config_from", "copy_script_from"];

pub(super) async fn all(bring: &mut Bring) -> Result<(), ImportError> {
    bring.table(NESTS, nest).await?;
    eggs(bring).await?;
    let mut places: HashMap<i64, i64> = HashMap::new();
    bring
        .table(EGG_VARIABLES, |row, context| {
            let record = variable(row, context, &mut places)?;
            Ok(record)
        })
        .await
}

fn nest(row: &Row, _: &Context) -> Result<NestRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    Ok(NestRecord {
        id: NestId::new(row.int("id")?),
        uuid: row.uuid("uuid")?,
        author: row.text("author")?,
        name: row.text("name")?,
        description: row.opt_text("description")?,
        created_at,
        updated_at,
    })
}

/// Eggs come after those that they inherit from, so some wait. There are a few hundred of them at
/// most, since people make each by hand.
async fn eggs(bring: &mut Bring) -> Result<(), ImportError> {
    let mut waiting = Vec::new();
    let mut after = None;
    while let Some(rows) = bring.next_page(EGGS, &mut after).await? {
        waiting.extend(rows);
    }
    loop {
        let (ready, rest): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|row| parents_are_there(row, &bring.context));
        waiting = rest;
        let last_round = ready.is_empty();
        // In the last round the others say what they miss.
        let round = if last_round {
            std::mem::take(&mut waiting)
        } else {
            ready
        };
        for row in round {
            bring.row(EGGS, &row, &mut egg).await?;
        }
        if last_round {
            break;
        }
    }
    let next = bring.source.next_number(EGGS.name).await?;
    bring.tx.count_on_from::<EggRecord>(next).await?;
    Ok(())
}

fn parents_are_there(row: &Row, context: &Context) -> bool {
    PARENTS.into_iter().all(|column| {
        row.opt_int(column)
            .is_ok_and(|parent| parent.is_none_or(|parent| context.known.has("eggs", parent)))
    })
}

fn egg(row: &Row, context: &Context) -> Result<EggRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let parent = |column| match row.opt_int(column)? {
        Some(parent) => Ok(Some(EggId::new(context.known.need("eggs", parent)?))),
        None => Ok(None),
    };
    Ok(EggRecord {
        id: EggId::new(row.int("id")?),
        uuid: EggUuid::new(row.uuid("uuid")?),
        nest_id: NestId::new(context.known.need("nests", row.int("nest_id")?)?),
        author: row.text("author")?,
        name: row.text("name")?,
        description: row.opt_text("description")?,
        source_format: SOURCE_FORMAT.to_owned(),
        update_url: row.opt_text("update_url")?,
        features: row.opt_json("features")?,
        docker_images: images(row)?,
        file_denylist: row.opt_json("file_denylist")?.unwrap_or_default(),
        tags: Vec::new(),
        startup: row.text_or_empty("startup")?,
        config_files: config(row, "config_files")?,
        config_startup: config(row, "config_startup")?,
        config_logs: config(row, "config_logs")?,
        config_stop: row.opt_text("config_stop")?.filter(|text| !text.is_empty()),
        config_from: parent("config_from")?,
        script_container: row.text("script_container")?,
        script_entry: row.text("script_entry")?,
        script_install: row
            .opt_text("script_install")?
            .filter(|text| !text.is_empty()),
        copy_script_from: parent("copy_script_from")?,
        force_outgoing_ip: row.flag("force_outgoing_ip")?,
        created_at,
        updated_at,
    })
}

/// Label and image. Before labels there was a list of images.
fn images(row: &Row) -> Result<Map<String, Value>, Broken> {
    let wrong = || Broken::column("docker_images", "an object of images");
    match row.opt_json("docker_images")? {
        None => Ok(Map::new()),
        Some(Value::Object(images)) if images.values().all(Value::is_string) => Ok(images),
        Some(Value::Array(images)) => images
            .into_iter()
            .map(|image| match image {
                Value::String(name) => Ok((name.clone(), Value::String(name))),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

/// A part of the configuration; an egg that has none inherits it.
fn config(row: &Row, column: &str) -> Result<Option<Value>, Broken> {
    Ok(row
        .opt_json(column)?
        .filter(|value: &Value| !value.is_null()))
}

/// `places` counts the variables of each egg: they are shown in the order of their numbers.
fn variable(
    row: &Row,
    context: &Context,
    places: &mut HashMap<i64, i64>,
) -> Result<EggVariableRecord, Broken> {
    let (created_at, updated_at) = times(row)?;
    let egg = context.known.need("eggs", row.int("egg_id")?)?;
    let place = places.entry(egg).or_default();
    *place += 1;
    Ok(EggVariableRecord {
        id: EggVariableId::new(row.int("id")?),
        egg_id: EggId::new(egg),
        env_variable: row.text("env_variable")?,
        name: row.text("name")?,
        description: row.text("description")?,
        default_value: row.text("default_value")?,
        user_viewable: row.flag("user_viewable")?,
        user_editable: row.flag("user_editable")?,
        rules: row.text_or_empty("rules")?,
        field_type: "text".to_owned(),
        sort: *place,
        created_at,
        updated_at,
    })
}
