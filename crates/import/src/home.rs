//! The node of the other panel that is this very machine: the one whose servers have their files in
//! a folder here. It becomes the embedded node, and nothing has to be copied.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::ImportError;
use crate::source::Source;

/// The node that is this machine.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    /// Its number.
    pub(crate) node: i64,
    /// Where the files of its servers are.
    pub(crate) volumes: PathBuf,
}

/// The node most of whose servers have a folder here.
pub(crate) async fn find(source: &mut Source, volumes: PathBuf) -> Result<Home, ImportError> {
    let mut found: BTreeMap<i64, u64> = BTreeMap::new();
    let mut after = None;
    loop {
        let rows = source
            .page("servers", &["id"], after.as_ref().map(std::slice::from_ref))
            .await?;
        for row in &rows {
            if let (Ok(node), Ok(uuid)) = (row.int("node_id"), row.uuid("uuid"))
                && volumes.join(uuid.as_hyphenated().to_string()).is_dir()
            {
                *found.entry(node).or_default() += 1;
            }
        }
        let Some(Ok(last)) = rows.last().map(|row| row.int("id")) else {
            break;
        };
        after = Some(last);
    }
    match found.into_iter().max_by_key(|(_, servers)| *servers) {
        Some((node, _)) => Ok(Home { node, volumes }),
        None => Err(ImportError::NoVolumes(volumes)),
    }
}
