//! `GET …/files/list`.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::Response;
use hatchery_app::access::needs;
use hatchery_app::{Cx, files};
use hatchery_node_proto::FileEntry;
use hatchery_rules::Fields;
use hatchery_vocab::Timestamp;
use hatchery_wire::List;
use hatchery_wire::client::FileObject;

use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::error::ApiError;
use crate::kit::input::{Input, Query};
use crate::kit::origin::Here;
use crate::kit::page::whole_list;
use crate::kit::server::Server;

static LIST: LazyLock<Fields> =
    LazyLock::new(|| Fields::new().field("directory", "nullable|string"));

/// List files
///
/// The entries of a folder.
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/files/list",
    operation_id = "listFiles",
    tag = "files",
    params(ServerPath, ("directory" = Option<String>, Query, description = "The folder; `/` when absent.")),
    responses((status = 200, body = List<FileObject>), ServerErrors)
)]
pub(crate) async fn list_files(
    State(cx): State<Cx>,
    Server(access): Server<needs::FileRead>,
    query: Query,
    here: Here,
    input: Input,
) -> Result<Response, ApiError> {
    input.check(&LIST)?;
    let entries = files::list(&cx, &access, input.text("directory").unwrap_or("/")).await?;
    let now = cx.now();
    Ok(whole_list(
        entries.into_iter().map(|entry| shown(entry, now)),
        &query,
        &here,
    ))
}

/// An entry of the node as the API shows it.
pub(super) fn shown(entry: FileEntry, now: Timestamp) -> FileObject {
    FileObject {
        name: entry.name,
        mode: entry.mode,
        mode_bits: entry.mode_bits,
        size: entry.size,
        is_file: entry.file,
        is_symlink: entry.symlink,
        mimetype: entry.mime,
        created_at: date(&entry.created, now),
        modified_at: date(&entry.modified, now),
    }
}

/// A node's date without fractions of a second, in the offset that the node chose.
fn date(text: &str, now: Timestamp) -> String {
    const SECONDS: usize = "2026-11-23T06:29:25".len();
    let (Ok(_), Some((start, rest))) = (text.parse::<Timestamp>(), text.split_at_checked(SECONDS))
    else {
        return now.iso_utc();
    };
    match rest.trim_start_matches(|char: char| char == '.' || char.is_ascii_digit()) {
        "Z" | "z" => format!("{start}+00:00"),
        offset => format!("{start}{offset}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_offset_and_lose_their_fractions() {
        let now = Timestamp::from_seconds(0);
        let table = [
            (
                "2020-06-13T21:39:49.123456-05:00",
                "2020-06-13T21:39:49-05:00",
            ),
            ("2021-02-03T11:22:33Z", "2021-02-03T11:22:33+00:00"),
            ("2021-02-03T11:22:33+00:00", "2021-02-03T11:22:33+00:00"),
            ("yesterday", "1970-01-01T00:00:00+00:00"),
        ];
        for (text, expected) in table {
            assert_eq!(date(text, now), expected);
        }
    }
}
