//! Values as they go in and come out, and how each engine writes them down. The only file that
//! knows column types.
//!
//! | `Value` | SQLite (STRICT) | PostgreSQL |
//! | --- | --- | --- |
//! | `Int` | INTEGER | BIGINT |
//! | `Bool` | INTEGER 0 or 1 | BOOLEAN |
//! | `Text` | TEXT | TEXT |
//! | `Uuid` | TEXT, hyphenated, so that `CAST(x AS TEXT)` means the same on both | UUID |
//! | `Time` | INTEGER, microseconds since 1970 | TIMESTAMPTZ |
//! | `Json` | TEXT | JSON (not JSONB, which forgets the order of keys) |
//! | `Blob` | BLOB | BYTEA |

use std::error::Error;

use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::DbError;

/// A parameter, or a cell of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Text without NUL characters.
    Text(String),
    /// A UUID.
    Uuid(Uuid),
    /// Microseconds since 1970.
    Time(i64),
    /// A JSON document as text, kept as it was written.
    Json(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Whether there is no value.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A whole number.
    pub fn into_int(self) -> Result<i64, DbError> {
        match self {
            Self::Int(value) => Ok(value),
            other => Err(other.mismatch("a whole number")),
        }
    }

    /// True or false.
    pub fn into_bool(self) -> Result<bool, DbError> {
        match self {
            Self::Bool(value) => Ok(value),
            Self::Int(value @ (0 | 1)) => Ok(value == 1),
            other => Err(other.mismatch("true or false")),
        }
    }

    /// Text.
    pub fn into_text(self) -> Result<String, DbError> {
        match self {
            Self::Text(value) => Ok(value),
            other => Err(other.mismatch("text")),
        }
    }

    /// A UUID.
    pub fn into_uuid(self) -> Result<Uuid, DbError> {
        match self {
            Self::Uuid(value) => Ok(value),
            Self::Text(text) => {
                Uuid::try_parse(&text).map_err(|_| Self::Text(text).mismatch("a UUID"))
            }
            other => Err(other.mismatch("a UUID")),
        }
    }

    /// Microseconds since 1970.
    pub fn into_time(self) -> Result<i64, DbError> {
        match self {
            Self::Time(value) | Self::Int(value) => Ok(value),
            other => Err(other.mismatch("a point in time")),
        }
    }

    /// The text of a JSON document.
    pub fn into_json(self) -> Result<String, DbError> {
        match self {
            Self::Json(value) | Self::Text(value) => Ok(value),
            other => Err(other.mismatch("JSON")),
        }
    }

    /// Bytes.
    pub fn into_blob(self) -> Result<Vec<u8>, DbError> {
        match self {
            Self::Blob(value) => Ok(value),
            other => Err(other.mismatch("bytes")),
        }
    }

    /// The kind of value. Errors name it instead of the value, which may be a secret.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Int(_) => "a whole number",
            Self::Bool(_) => "true or false",
            Self::Text(_) => "text",
            Self::Uuid(_) => "a UUID",
            Self::Time(_) => "a point in time",
            Self::Json(_) => "JSON",
            Self::Blob(_) => "bytes",
        }
    }

    const fn mismatch(&self, expected: &'static str) -> DbError {
        DbError::Column {
            expected,
            found: self.kind(),
        }
    }
}

/// One row of a result: its cells from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// The cells from left to right.
    pub fn into_values(self) -> Vec<Value> {
        self.0
    }

    /// The only cell of a row with one column, the first one otherwise.
    pub fn into_value(self) -> Value {
        self.0.into_iter().next().unwrap_or(Value::Null)
    }
}

// ---- SQLite ----

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(value) | Self::Time(value) => ToSqlOutput::from(*value),
            Self::Bool(value) => ToSqlOutput::from(*value),
            Self::Text(value) | Self::Json(value) => {
                ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes()))
            }
            Self::Uuid(value) => ToSqlOutput::from(value.as_hyphenated().to_string()),
            Self::Blob(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
        })
    }
}

impl rusqlite::types::FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Int(value),
            ValueRef::Text(_) => Self::Text(value.as_str()?.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_owned()),
            // No column of ours is REAL, and no expression makes one.
            ValueRef::Real(_) => return Err(rusqlite::types::FromSqlError::InvalidType),
        })
    }
}

// ---- PostgreSQL ----

/// PostgreSQL counts from the start of 2000.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Int(value), &Type::INT8) => out.extend_from_slice(&value.to_be_bytes()),
            (Self::Int(value), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(*value)?.to_be_bytes());
            }
            (Self::Bool(value), &Type::BOOL) => out.extend_from_slice(&[u8::from(*value)]),
            (
                Self::Text(value) | Self::Json(value),
                &(Type::TEXT | Type::VARCHAR | Type::JSON | Type::UNKNOWN),
            ) => out.extend_from_slice(value.as_bytes()),
            (Self::Uuid(value), &Type::UUID) => out.extend_from_slice(value.as_bytes()),
            (Self::Uuid(value), &Type::TEXT) => {
                out.extend_from_slice(value.as_hyphenated().to_string().as_bytes());
            }
            (Self::Time(value), &Type::TIMESTAMPTZ) => {
                let since_2000 = value.saturating_sub(POSTGRES_EPOCH_MICROS);
                out.extend_from_slice(&since_2000.to_be_bytes());
            }
            (Self::Blob(value), &Type::BYTEA) => out.extend_from_slice(value),
            (value, ty) => {
                return Err(format!("{} for a column of the type {ty}", value.kind()).into());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Self::Bool(raw == [1]),
            Type::TEXT | Type::VARCHAR | Type::NAME => {
                Self::Text(std::str::from_utf8(raw)?.to_owned())
            }
            Type::UUID => Self::Uuid(Uuid::from_slice(raw)?),
            Type::TIMESTAMPTZ => {
                let since_2000 = i64::from_be_bytes(raw.try_into()?);
                Self::Time(since_2000.saturating_add(POSTGRES_EPOCH_MICROS))
            }
            Type::JSON => Self::Json(std::str::from_utf8(raw)?.to_owned()),
            Type::BYTEA => Self::Blob(raw.to_owned()),
            ref other => {
                return Err(format!("columns of the type {other} are not used here").into());
            }
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
