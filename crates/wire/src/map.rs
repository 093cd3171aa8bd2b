//! JSON objects whose keys are not known in advance.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// An object that keeps the order in which its keys were added. Empty, it is `{}` and never `[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderedMap<V>(Vec<(String, V)>);

impl<K: Into<String>, V> FromIterator<(K, V)> for OrderedMap<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }
}

impl<V: Serialize> Serialize for OrderedMap<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_order() {
        let map: OrderedMap<u8> = [("z", 1), ("a", 2)].into_iter().collect();
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"z":1,"a":2}"#);
        let empty: OrderedMap<u8> = OrderedMap::from_iter([] as [(&str, u8); 0]);
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
    }
}
