//! Delivery into a folder, where no mail server is set: one file for each letter, for the operator to
//! read or hand on. Links in letters open accounts, so the folder is closed to everybody else, and
//! old letters are thrown away.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hatchery_vocab::Timestamp;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// How many letters are kept: enough to find one again, too few to fill a disk.
const KEPT: usize = 200;
const EXTENSION: &str = "eml";

/// Writes a letter and says where. File names order by time.
pub(crate) fn write(
    folder: &Path,
    now: Timestamp,
    number: &str,
    bytes: &[u8],
) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)?;
    let path = folder.join(format!("{:020}-{number}.{EXTENSION}", now.micros()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(&path)?
        .write_all(bytes)?;
    thin_out(folder)?;
    Ok(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the folder is the panel's, not a server's"
)]
fn thin_out(folder: &Path) -> io::Result<()> {
    let mut letters = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == EXTENSION) {
            letters.push(path);
        }
    }
    letters.sort_unstable();
    let surplus = letters.len().saturating_sub(KEPT);
    letters
        .iter()
        .take(surplus)
        .try_for_each(std::fs::remove_file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn letters_are_for_the_operator_and_do_not_pile_up() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("mail");
        let mut last = PathBuf::new();
        for number in 0..=KEPT {
            let now = Timestamp::from_seconds(i64::try_from(number).unwrap());
            last = write(&folder, now, "x", b"letter").unwrap();
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&last)), (0o700, 0o600));
        assert_eq!(folder.read_dir().unwrap().count(), KEPT);
        assert!(!folder.join(format!("{:020}-x.eml", 0)).exists());
    }
}
