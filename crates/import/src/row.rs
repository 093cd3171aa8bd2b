//! One row of the other panel's database, column by column.

use hatchery_store::Secret;
use hatchery_vocab::Timestamp;
use mysql_async::Value;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app_key::AppKey;
use crate::broken::Broken;

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A row. A column that the panel's version does not have is as good as NULL.
#[derive(Debug)]
pub(crate) struct Row(mysql_async::Row);

impl Row {
    pub(crate) const fn new(row: mysql_async::Row) -> Self {
        Self(row)
    }

    /// The names of its columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = String> {
        let columns = self.0.columns_ref().iter();
        columns.map(|column| column.name_str().into_owned())
    }

    fn value(&self, name: &str) -> &Value {
        self.0
            .columns_ref()
            .iter()
            .position(|column| column.name_ref() == name.as_bytes())
            .and_then(|place| self.0.as_ref(place))
            .unwrap_or(&Value::NULL)
    }

    pub(crate) fn opt_int<T: TryFrom<i128>>(&self, name: &str) -> Result<Option<T>, Broken> {
        let number = match self.value(name) {
            Value::NULL => return Ok(None),
            Value::Int(number) => i128::from(*number),
            Value::UInt(number) => i128::from(*number),
            Value::Bytes(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Broken::column(name, "a whole number"))?,
            _ => return Err(Broken::column(name, "a whole number")),
        };
        T::try_from(number)
            .map(Some)
            .map_err(|_| Broken(format!("{name} is out of range")))
    }

    pub(crate) fn int<T: TryFrom<i128>>(&self, name: &str) -> Result<T, Broken> {
        self.opt_int(name)?.ok_or_else(|| missing(name))
    }

    /// A number that became a column only later: older panels had this one.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Broken> {
        Ok(self.opt_int::<i64>(name)?.unwrap_or(0) != 0)
    }

    pub(crate) fn opt_text(&self, name: &str) -> Result<Option<String>, Broken> {
        let text = match self.value(name) {
            Value::NULL => return Ok(None),
            Value::Bytes(bytes) => String::from_utf8(bytes.clone())
                .map_err(|_| Broken::column(name, "text in UTF-8"))?,
            Value::Int(number) => number.to_string(),
            Value::UInt(number) => number.to_string(),
            _ => return Err(Broken::column(name, "text")),
        };
        // PostgreSQL cannot keep them.
        if text.contains('\0') {
            return Err(Broken(format!("{name} has a NUL character")));
        }
        Ok(Some(text))
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Broken> {
        self.opt_text(name)?.ok_or_else(|| missing(name))
    }

    /// Text that may be empty where there is none.
    pub(crate) fn text_or_empty(&self, name: &str) -> Result<String, Broken> {
        Ok(self.opt_text(name)?.unwrap_or_default())
    }

    pub(crate) fn uuid(&self, name: &str) -> Result<Uuid, Broken> {
        Uuid::try_parse(&self.text(name)?).map_err(|_| Broken::column(name, "a UUID"))
    }

    /// A JSON document; `None` where there is none, or only an empty text.
    pub(crate) fn opt_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Broken> {
        match self.opt_text(name)? {
            Some(text) if !text.trim().is_empty() => serde_json::from_str(&text)
                .map_err(|_| Broken::column(name, "the JSON that it should be")),
            _ => Ok(None),
        }
    }

    /// A point in time. The connection's time zone is UTC.
    pub(crate) fn opt_time(&self, name: &str) -> Result<Option<Timestamp>, Broken> {
        match *self.value(name) {
            // MySQL's zero date stands for no date.
            Value::NULL | Value::Date(_, 0, ..) | Value::Date(_, _, 0, ..) => Ok(None),
            Value::Date(year, month, day, hour, minute, second, micros) => {
                let days = days_since_1970(year.into(), month.into(), day.into());
                let seconds = days * SECONDS_PER_DAY
                    + i64::from(hour) * 3600
                    + i64::from(minute) * 60
                    + i64::from(second);
                Ok(Some(Timestamp::from_micros(
                    seconds * MICROS_PER_SECOND + i64::from(micros),
                )))
            }
            _ => Err(Broken::column(name, "a point in time")),
        }
    }

    /// What is sealed in a column.
    pub(crate) fn sealed(&self, name: &str, key: &AppKey) -> Result<Secret, Broken> {
        key.open(&self.text(name)?)
            .map_err(|error| Broken(format!("{name} {error}")))
    }
}

fn missing(name: &str) -> Broken {
    Broken(format!("{name} is missing"))
}

/// Days from 1970-01-01 in the Gregorian calendar, by counting from a March so that the leap day
/// comes last in its year.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}
