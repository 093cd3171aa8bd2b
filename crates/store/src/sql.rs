//! From the words of the field to database values and back.

use std::str::FromStr;
use std::vec;

use hatchery_db::{DbError, Row, Value};
use hatchery_vocab::{
    AllocationId, ApiKeyId, BackupId, BackupUuid, CpuPercent, DatabaseEngine, DatabaseHostId,
    DatabaseId, EggId, EggUuid, EggVariableId, LocationId, MiB, MountId, NestId, NodeId, NodeUuid,
    Port, ScheduleId, ServerId, ServerStatus, ServerUuid, SessionId, ShortId, SshKeyId, SubuserId,
    Swap, TaskAction, TaskId, Timestamp, TransferId, UserId, UserUuid,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Secret, StoreError};

/// Something that can be a parameter of a query.
pub(crate) trait Param {
    fn value(&self) -> Value;
}

/// Something that can be read from a column.
pub(crate) trait Column: Sized {
    fn read(value: Value) -> Result<Self, StoreError>;
}

/// The parameters `$1…$n` of a query.
macro_rules! params {
    ($($param:expr),* $(,)?) => {
        [$($crate::sql::Param::value(&$param)),*]
    };
}
pub(crate) use params;

/// Takes a row apart from left to right: fields are read in the order of the columns.
pub(crate) struct Cells(vec::IntoIter<Value>);

impl Cells {
    pub(crate) fn new(row: Row) -> Self {
        Self(row.into_values().into_iter())
    }

    pub(crate) fn take<T: Column>(&mut self) -> Result<T, StoreError> {
        T::read(self.0.next().ok_or(DbError::NoRow)?)
    }
}

/// The only column of a row.
pub(crate) fn cell<T: Column>(row: Row) -> Result<T, StoreError> {
    T::read(row.into_value())
}

/// The only column of an optional row.
pub(crate) fn opt_cell<T: Column>(row: Option<Row>) -> Result<Option<T>, StoreError> {
    row.map(cell).transpose()
}

/// The only column of each row.
pub(crate) fn column<T: Column>(rows: Vec<Row>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(cell).collect()
}

/// Each row through a reader.
pub(crate) fn read_all<T>(
    rows: Vec<Row>,
    read: impl Fn(&mut Cells) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter()
        .map(|row| read(&mut Cells::new(row)))
        .collect()
}

/// An optional row through a reader.
pub(crate) fn read_opt<T>(
    row: Option<Row>,
    read: impl Fn(&mut Cells) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    row.map(|row| read(&mut Cells::new(row))).transpose()
}

/// A value kept as a JSON document.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> Param for Json<T> {
    fn value(&self) -> Value {
        // Only maps with keys that are not text cannot be written, and there are none.
        Value::Json(serde_json::to_string(&self.0).unwrap_or_else(|_| "null".to_owned()))
    }
}

impl<T: DeserializeOwned> Column for Json<T> {
    fn read(value: Value) -> Result<Self, StoreError> {
        serde_json::from_str(&value.into_json()?)
            .map(Self)
            .map_err(|error| StoreError::Corrupt(format!("JSON that does not fit: {error}")))
    }
}

impl<T: Param> Param for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Param::value)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: Value) -> Result<Self, StoreError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::read(value).map(Some)
        }
    }
}

impl<T: Param + ?Sized> Param for &T {
    fn value(&self) -> Value {
        (**self).value()
    }
}

impl Param for str {
    fn value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl Param for [u8] {
    fn value(&self) -> Value {
        Value::Blob(self.to_vec())
    }
}

impl Param for [u8; 32] {
    fn value(&self) -> Value {
        Value::Blob(self.to_vec())
    }
}

impl Column for [u8; 32] {
    fn read(value: Value) -> Result<Self, StoreError> {
        value
            .into_blob()?
            .try_into()
            .map_err(|_| StoreError::Corrupt("a digest that has not 32 bytes".to_owned()))
    }
}

/// `Type: (value) => into a database value, (database value) => into the type`.
macro_rules! columns {
    ($($ty:ty: |$out:ident| $to:expr, |$in:ident| $from:expr;)*) => {$(
        impl Param for $ty {
            fn value(&self) -> Value {
                let $out = self;
                $to
            }
        }

        impl Column for $ty {
            fn read($in: Value) -> Result<Self, StoreError> {
                $from
            }
        }
    )*};
}

columns! {
    i64: |n| Value::Int(*n), |v| Ok(v.into_int()?);
    u64: |n| Value::Int(i64::try_from(*n).unwrap_or(i64::MAX)), |v| whole(v);
    u32: |n| Value::Int((*n).into()), |v| whole(v);
    u16: |n| Value::Int((*n).into()), |v| whole(v);
    bool: |b| Value::Bool(*b), |v| Ok(v.into_bool()?);
    String: |s| Value::Text(s.clone()), |v| Ok(v.into_text()?);
    Secret: |s| Value::Text(s.expose().to_owned()), |v| Ok(Self::new(v.into_text()?));
    Uuid: |u| Value::Uuid(*u), |v| Ok(v.into_uuid()?);
    Timestamp: |t| Value::Time(t.micros()), |v| Ok(Self::from_micros(v.into_time()?));
    MiB: |m| m.get().value(), |v| Ok(Self::new(whole(v)?));
    CpuPercent: |c| c.get().value(), |v| Ok(Self::new(whole(v)?));
    Swap: |s| Value::Int(s.to_wire()), |v| Ok(Self::from_wire(v.into_int()?));
    Port: |p| p.get().value(),
        |v| Self::new(whole(v)?).ok_or_else(|| StoreError::Corrupt("a port that is zero".to_owned()));
    ShortId: |s| Value::Text(s.as_str().to_owned()), |v| parse(v);
    DatabaseEngine: |e| Value::Text(e.as_str().to_owned()), |v| parse(v);
    ServerStatus: |s| Value::Text(s.as_str().to_owned()), |v| parse(v);
    TaskAction: |a| Value::Text(a.as_str().to_owned()), |v| parse(v);
}

macro_rules! ids {
    ($($id:ident)*) => {
        columns! {$( $id: |id| Value::Int(id.get()), |v| Ok(Self::new(v.into_int()?)); )*}
    };
}

macro_rules! uuids {
    ($($id:ident)*) => {
        columns! {$( $id: |id| Value::Uuid(id.get()), |v| Ok(Self::new(v.into_uuid()?)); )*}
    };
}

ids! {
    AllocationId ApiKeyId BackupId DatabaseHostId DatabaseId EggId EggVariableId LocationId MountId
    NestId NodeId ScheduleId ServerId SessionId SshKeyId SubuserId TaskId TransferId UserId
}
uuids! { BackupUuid EggUuid NodeUuid ServerUuid UserUuid }

fn whole<T: TryFrom<i64>>(value: Value) -> Result<T, StoreError> {
    let number = value.into_int()?;
    T::try_from(number)
        .map_err(|_| StoreError::Corrupt(format!("the number {number} is out of range")))
}

fn parse<T: FromStr>(value: Value) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    value
        .into_text()?
        .parse()
        .map_err(|error: T::Err| StoreError::Corrupt(error.to_string()))
}

/// Text as a pattern for `LIKE … ESCAPE '\'` that stands for itself alone.
pub(crate) fn like_literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
