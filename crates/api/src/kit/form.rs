//! Query strings and forms with PHP's bracket syntax, into JSON values and back
//! (client-api.md §1.11).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use serde_json::{Map, Value};

/// How many variables of one query or form count; the rest is dropped, as PHP does.
const MAX_VARIABLES: usize = 1000;
/// How deep brackets may nest; deeper ones are dropped, as PHP does.
const MAX_DEPTH: usize = 16;

/// What a query of ours leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Reads `a=1&b[]=2&c[x]=3`. A later variable of the same name wins.
pub fn parse(text: &[u8]) -> Map<String, Value> {
    let mut form = Form::default();
    for pair in text
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let split = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = match split {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        form.add(&decode(name), decode(value));
    }
    form.finish()
}

/// Writes a query in the form in which the links of a page have it: nested names in brackets,
/// everything unusual escaped, nulls left out.
pub fn write(input: &Map<String, Value>) -> String {
    let mut query = String::new();
    for (name, value) in input {
        write_variable(&mut query, name.clone(), value);
    }
    query
}

fn write_variable(query: &mut String, name: String, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                write_variable(query, format!("{name}[{index}]"), item);
            }
            return;
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                write_variable(query, format!("{name}[{key}]"), entry);
            }
            return;
        }
        Value::String(text) => text.clone(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Number(number) => number.to_string(),
    };
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(&name, UNRESERVED));
    query.push('=');
    query.extend(utf8_percent_encode(&text, UNRESERVED));
}

fn decode(text: &[u8]) -> String {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// Variables as they come in, one by one.
#[derive(Debug, Default)]
pub struct Form {
    variables: Map<String, Value>,
    count: usize,
}

impl Form {
    /// Adds one variable; `name` may have brackets.
    pub fn add(&mut self, name: &str, value: String) {
        if self.count >= MAX_VARIABLES {
            return;
        }
        let Some(path) = path_of(name) else { return };
        self.count += 1;
        insert(&mut self.variables, &path, Value::String(value));
    }

    /// All variables. What has the keys 0, 1, 2 … became a list.
    pub fn finish(self) -> Map<String, Value> {
        self.variables
            .into_iter()
            .map(|(key, value)| (key, listed(value)))
            .collect()
    }
}

/// `a[b][]` → `["a", "b", ""]`; nothing for a name that PHP would ignore.
fn path_of(name: &str) -> Option<Vec<&str>> {
    let Some(open) = name.find('[').filter(|open| *open > 0) else {
        return (!name.is_empty()).then(|| vec![name]);
    };
    let mut path = vec![&name[..open]];
    let mut rest = &name[open..];
    while let Some(inner) = rest.strip_prefix('[') {
        let Some(close) = inner.find(']') else { break };
        path.push(&inner[..close]);
        rest = &inner[close + 1..];
    }
    match path.len() {
        // A bracket that never closes is part of the name.
        1 => Some(vec![name]),
        depth if depth <= MAX_DEPTH => Some(path),
        _ => None,
    }
}

fn insert(into: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        return;
    };
    let key = if key.is_empty() {
        next_index(into)
    } else {
        (*key).to_owned()
    };
    if rest.is_empty() {
        into.insert(key, value);
        return;
    }
    let child = into.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !child.is_object() {
        *child = Value::Object(Map::new());
    }
    if let Value::Object(child) = child {
        insert(child, rest, value);
    }
}

fn next_index(map: &Map<String, Value>) -> String {
    let last = map.keys().filter_map(|key| key.parse::<u32>().ok()).max();
    last.map_or(0, |last| last.saturating_add(1)).to_string()
}

fn listed(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let is_list = map
        .keys()
        .enumerate()
        .all(|(index, key)| *key == index.to_string());
    if is_list {
        Value::Array(map.into_iter().map(|(_, value)| listed(value)).collect())
    } else {
        Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, listed(value)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn brackets_make_lists_and_objects() {
        let table = [
            ("", json!({})),
            ("a=1&a=2", json!({"a": "2"})),
            ("a&b=", json!({"a": "", "b": ""})),
            ("a=x+y%20%26z", json!({"a": "x y &z"})),
            (
                "permissions[]=a&permissions[]=b",
                json!({"permissions": ["a", "b"]}),
            ),
            (
                "files[0][from]=a&files[0][to]=b&files[1][from]=c",
                json!({"files": [{"from": "a", "to": "b"}, {"from": "c"}]}),
            ),
            ("filter%5B*%5D=x", json!({"filter": {"*": "x"}})),
            ("a[5]=x&a[]=y", json!({"a": {"5": "x", "6": "y"}})),
            ("a[b=1&[c]=2&=3", json!({"a[b": "1", "[c]": "2"})),
            ("a=1&a[b]=2", json!({"a": {"b": "2"}})),
            ("a=%FF", json!({"a": "\u{fffd}"})),
        ];
        for (text, expected) in table {
            assert_eq!(Value::Object(parse(text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn hostile_forms_stay_small() {
        let many = "a[]=1&".repeat(5_000);
        assert_eq!(
            parse(many.as_bytes())["a"].as_array().map(Vec::len),
            Some(MAX_VARIABLES)
        );
        let deep = format!("a{}=1", "[x]".repeat(10_000));
        assert!(parse(deep.as_bytes()).is_empty());
    }

    #[test]
    fn queries_are_written_as_the_reference_writes_them() {
        let query = parse(
            b"per_page=1&type=admin-all&filter[event]=server:power&filter[*]=a b&include[]=egg",
        );
        assert_eq!(
            write(&query),
            "per_page=1&type=admin-all&filter%5Bevent%5D=server%3Apower&filter%5B%2A%5D=a%20b&include%5B0%5D=egg"
        );
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_written_reads_the_same(text in "[a-c\\[\\]=&0-2%+ ]{0,60}") {
            let once = parse(text.as_bytes());
            prop_assert_eq!(parse(write(&once).as_bytes()), once);
        }
    }
}
