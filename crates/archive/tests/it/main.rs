//! Archives against a hostile server and hostile archives.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests play the server, which works on paths"
)]

mod backup;
mod formats;
mod hostile;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use hatchery_archive::{Origin, Progress, Result, Unpack, unpack_tar_gz};
use hatchery_serverfs::{Denylist, RelPath, ServerDir};
use tar::{EntryType, Header};

/// A server's folder beside a secret that must stay untouched.
struct Fixture {
    base: tempfile::TempDir,
}

impl Fixture {
    const SECRET: &str = "the neighbour's world";

    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("server")).unwrap();
        std::fs::write(base.path().join("secret"), Self::SECRET).unwrap();
        Self { base }
    }

    fn root(&self) -> PathBuf {
        self.base.path().join("server")
    }

    fn dir(&self) -> ServerDir {
        ServerDir::open(&self.root()).unwrap()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Every path beneath the server's folder with its content, sorted; a link with its target.
    fn all(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect(&self.root(), &self.root(), &mut found);
        found.sort();
        found
    }

    #[track_caller]
    fn assert_unharmed(&self) {
        let outside: Vec<_> = std::fs::read_dir(self.base.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "server")
            .collect();
        assert_eq!(outside, ["secret"]);
        let secret = std::fs::read_to_string(self.base.path().join("secret")).unwrap();
        assert_eq!(secret, Self::SECRET);
    }
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            found.push((format!("{name}/"), String::new()));
            collect(root, &path, found);
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            found.push((name, format!("-> {}", target.display())));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.push((name, String::from_utf8_lossy(&content).into_owned()));
        }
    }
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn foreign(into: &str) -> Unpack {
    Unpack {
        into: path(into),
        denylist: Denylist::empty(),
        origin: Origin::Foreign,
    }
}

fn unpack(dir: &ServerDir, how: &Unpack, archive: &[u8]) -> Result<()> {
    unpack_tar_gz(dir, how, archive, &Progress::default(), &mut |_| {})
}

/// A tar archive whose headers hold exactly what they are told, however hostile.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o6755);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Regular, name, "", content.as_ref())
    }

    fn plain(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }

    fn gz(self) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.plain()).unwrap();
        encoder.finish().unwrap()
    }
}
