//! A server's files against a hostile server.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests play the server, which works on paths"
)]

mod change;
mod escape;
mod list;
mod quota;
mod race;
mod write;

use std::path::{Path, PathBuf};

use hatchery_serverfs::{FsError, RelPath, ServerDir};

/// A server's folder beside a secret that must stay untouched.
struct Fixture {
    base: tempfile::TempDir,
}

impl Fixture {
    const SECRET: &str = "the neighbour's world";

    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        for dir in ["server", "outside"] {
            std::fs::create_dir(base.path().join(dir)).unwrap();
        }
        std::fs::write(base.path().join("outside/secret"), Self::SECRET).unwrap();
        Self { base }
    }

    fn root(&self) -> PathBuf {
        self.base.path().join("server")
    }

    fn outside(&self) -> PathBuf {
        self.base.path().join("outside")
    }

    fn dir(&self) -> ServerDir {
        ServerDir::open(&self.root()).unwrap()
    }

    /// The folder under both ways to resolve a path.
    fn both(&self) -> [ServerDir; 2] {
        [self.dir(), self.dir().resolving_by_parts()]
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    #[track_caller]
    fn assert_outside_untouched(&self) {
        let names: Vec<_> = std::fs::read_dir(self.outside())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(
            std::fs::read_to_string(self.outside().join("secret")).unwrap(),
            Self::SECRET
        );
    }
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn write(dir: &ServerDir, at: &str, content: &[u8]) -> Result<(), FsError> {
    let mut writer = dir.write(&path(at))?;
    writer.write(content)?;
    writer.commit()
}

fn read(dir: &ServerDir, at: &str) -> Result<Vec<u8>, FsError> {
    dir.read(&path(at), 1 << 20)
}

fn names(dir: &ServerDir, at: &str) -> Vec<String> {
    dir.list(&path(at))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

fn permissions(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}
