//! The reference page, made from the declaration of the settings.

use std::fmt::Write;

use crate::layers::{DEFAULT_FILE, variable_of};
use crate::settings::{Key, Settings};

/// The page `docs/configuration.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for section in Settings::SECTIONS {
        if !section.name.is_empty() {
            line(&mut page, format_args!("\n## `[{}]`\n", section.name));
            line(&mut page, format_args!("{}\n", sentences(section.doc)));
        }
        line(
            &mut page,
            format_args!("| key | environment | value | default | meaning |"),
        );
        line(&mut page, format_args!("| --- | --- | --- | --- | --- |"));
        for key in section.keys {
            row(&mut page, key);
        }
    }
    line(
        &mut page,
        format_args!(
            "\n## A complete `{DEFAULT_FILE}`\n\n```toml\n{}```",
            example()
        ),
    );
    page
}

const INTRODUCTION: &str = "\
# Settings

<!-- Made by `cargo xtask codegen` from crates/config/src/settings.rs. Do not edit. -->

A setting is a key of `hatchery.toml` in the working directory (or of the file given by `--config` or
`HATCHERY_CONFIG`), or a variable of the environment; `--data-dir`, `--listen`, `--database` and
`--config` are flags as well. A flag wins over the environment, the environment over the file, and the
file over the default. A list in the environment has commas between its entries. A name in the file
that no setting has is an error; the message names the nearest one.

";

fn row(page: &mut String, key: &Key) {
    let name = key.name.rsplit('.').next().unwrap_or(key.name);
    let default = if key.default.is_empty() {
        "–".to_owned()
    } else {
        format!("`{}`", key.default)
    };
    line(
        page,
        format_args!(
            "| `{name}` | `{}` | {} | {default} | {} |",
            variable_of(key.name),
            key.kind,
            sentences(key.doc)
        ),
    );
}

/// The file with every setting at its default, commented out.
fn example() -> String {
    let mut file = String::new();
    for section in Settings::SECTIONS {
        if !section.name.is_empty() {
            line(&mut file, format_args!("\n[{}]", section.name));
        }
        for key in section.keys {
            let name = key.name.rsplit('.').next().unwrap_or(key.name);
            let bare = key.default.parse::<i64>().is_ok() || key.default.parse::<bool>().is_ok();
            let value = if bare {
                key.default.to_owned()
            } else {
                format!("{:?}", key.default)
            };
            line(&mut file, format_args!("# {name} = {value}"));
        }
    }
    file
}

fn sentences(doc: &[&str]) -> String {
    doc.iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Layers;

    #[test]
    fn the_page_names_every_setting() {
        let page = reference();
        for key in Settings::SECTIONS.iter().flat_map(|section| section.keys) {
            assert!(page.contains(&variable_of(key.name)), "{}", key.name);
            assert!(!key.doc.is_empty(), "{} has no meaning", key.name);
        }
    }

    #[test]
    fn the_example_holds_the_defaults() {
        let file = example().replace("# ", "");
        let mut layers = Layers::default();
        layers.add_file(Path::new("example"), &file).unwrap();
        let (written, default) = (
            Settings::from_layers(&layers),
            Settings::from_layers(&Layers::default()),
        );
        assert_eq!(format!("{written:?}"), format!("{default:?}"));
    }
}
