//! The eggs that ship with the product.

use std::sync::LazyLock;

use crate::egg::Egg;
use crate::import::import;

/// An egg that ships with the product.
#[derive(Clone, Debug)]
pub struct Builtin {
    /// A short name for command lines, such as `minecraft-paper`.
    pub slug: &'static str,
    /// The file itself, in PTDL_v2 JSON.
    pub file: &'static str,
    /// The egg that the file holds.
    pub egg: Egg,
}

macro_rules! files {
    ($($slug:literal)*) => {
        &[$(($slug, include_str!(concat!("../builtin/", $slug, ".json")))),*]
    };
}

/// Short names and files in the order in which they are shown.
const FILES: &[(&str, &str)] = files! {
    "demo"
    "minecraft-vanilla"
    "minecraft-paper"
    "minecraft-bedrock"
    "minecraft-flying-squid"
    "minetest"
    "openarena"
    "openttd"
    "freeciv"
    "factorio"
    "terraria"
    "generic-java"
    "generic-node"
    "generic-python"
};

/// All eggs that ship with the product.
pub fn builtin() -> &'static [Builtin] {
    static EGGS: LazyLock<Vec<Builtin>> = LazyLock::new(|| {
        // The files are part of the program, and a test reads every one of them.
        let read = |(slug, file): &(&'static str, &'static str)| {
            import(file.as_bytes()).ok().map(|import| Builtin {
                slug,
                file,
                egg: import.egg,
            })
        };
        FILES.iter().filter_map(read).collect()
    });
    &EGGS
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hatchery_rules::RuleSet;
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_file_is_a_complete_egg() {
        let mut seen = HashSet::new();
        for (slug, file) in FILES {
            let import = import(file.as_bytes()).unwrap_or_else(|error| panic!("{slug}: {error}"));
            assert_eq!(import.warnings, Vec::<String>::new(), "{slug}");
            let egg = import.egg;
            let uuid = egg.uuid.unwrap_or_else(|| panic!("{slug} has no uuid"));
            assert!(seen.insert(uuid), "{slug} repeats a uuid");
            assert!(
                !egg.description.is_empty() && !egg.docker_images.is_empty(),
                "{slug}"
            );
            for variable in &egg.variables {
                let value = Value::from(variable.default_value.as_str());
                let fits = RuleSet::parse(&variable.rules).check_value("value", &value);
                assert_eq!(
                    fits,
                    Ok(()),
                    "{slug}: the default of {}",
                    variable.env_variable
                );
            }
        }
        assert_eq!(builtin().len(), FILES.len());
    }

    #[test]
    fn start_lines_name_only_known_variables() {
        const STANDARD: [&str; 4] = ["SERVER_MEMORY", "SERVER_IP", "SERVER_PORT", "P_SERVER_UUID"];
        for Builtin { slug, egg, .. } in builtin() {
            for piece in egg.start_line().split("{{").skip(1) {
                let name = piece.split("}}").next().unwrap_or_default();
                let known = STANDARD.contains(&name)
                    || egg.variables.iter().any(|v| v.env_variable == name);
                assert!(known, "{slug}: {name}");
            }
        }
    }
}
