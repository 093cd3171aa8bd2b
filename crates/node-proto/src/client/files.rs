//! Calls about a server's files.

use axum_core::body::Body;
use hatchery_vocab::ServerUuid;
use http::Method;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use serde::Serialize;

use super::{LONG_TIMEOUT, NodeClient, TOTAL_TIMEOUT};
use crate::exchange::{self, query};
use crate::{
    Chmod, ChmodFile, Compress, Copy, CreateDirectory, Decompress, Delete, FileEntry, NodeError,
    Pull, PullProgress, Pulls, Rename, RenameFile,
};

/// The longest list of files that is read into memory, in bytes: 100,000 entries with the longest
/// names.
const MAX_LISTING: usize = 64 * 1024 * 1024;

/// A file as it comes from the node.
#[derive(Debug)]
pub struct Contents {
    /// Its length in bytes, which the body does not exceed.
    pub length: u64,
    /// The type of its contents.
    pub mime: Option<String>,
    /// Its bytes.
    pub body: Body,
}

impl NodeClient {
    /// The entries of a folder.
    pub async fn list_directory(
        &self,
        server: ServerUuid,
        directory: &str,
    ) -> Result<Vec<FileEntry>, NodeError> {
        let path = format!(
            "/api/servers/{server}/files/list-directory?directory={}",
            query(directory)
        );
        let answer = self
            .call(Method::GET, path, Body::empty(), TOTAL_TIMEOUT)
            .await?;
        exchange::decode_at_most(answer, MAX_LISTING, TOTAL_TIMEOUT).await
    }

    /// A file's contents, as a stream.
    pub async fn contents(&self, server: ServerUuid, file: &str) -> Result<Contents, NodeError> {
        let path = format!("/api/servers/{server}/files/contents?file={}", query(file));
        let answer = self
            .call(Method::GET, path, Body::empty(), TOTAL_TIMEOUT)
            .await?;
        let header = |name: HeaderName| answer.headers().get(name)?.to_str().ok();
        let Some(length) = header(CONTENT_LENGTH).and_then(|length| length.parse().ok()) else {
            return Err(NodeError::Malformed {
                status: answer.status(),
                reason: "it lacks a Content-Length".to_owned(),
                request_id: exchange::request_id(&answer),
            });
        };
        let mime = header(HeaderName::from_static("x-mime-type")).map(str::to_owned);
        Ok(Contents {
            length,
            mime,
            body: answer.into_body(),
        })
    }

    /// Writes a file of `length` bytes from a stream.
    pub async fn write(
        &self,
        server: ServerUuid,
        file: &str,
        length: u64,
        body: Body,
    ) -> Result<(), NodeError> {
        let path = format!("/api/servers/{server}/files/write?file={}", query(file));
        let mut request = self.request(Method::POST, &path, body)?;
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        self.call_with(request, LONG_TIMEOUT).await.map(drop)
    }

    /// Renames or moves files of the folder `root`.
    pub async fn rename(
        &self,
        server: ServerUuid,
        root: &str,
        files: Vec<RenameFile>,
    ) -> Result<(), NodeError> {
        let body = exchange::json(&Rename {
            root: root.to_owned(),
            files,
        })?;
        let path = format!("/api/servers/{server}/files/rename");
        self.call(Method::PUT, path, body, TOTAL_TIMEOUT)
            .await
            .map(drop)
    }

    /// Deletes files and folders of the folder `root`.
    pub async fn delete_files(
        &self,
        server: ServerUuid,
        root: &str,
        files: Vec<String>,
    ) -> Result<(), NodeError> {
        self.file_verb(
            server,
            "delete",
            &Delete {
                root: root.to_owned(),
                files,
            },
        )
        .await
    }

    /// Creates a folder, and those above it.
    pub async fn create_directory(
        &self,
        server: ServerUuid,
        path: &str,
        name: &str,
    ) -> Result<(), NodeError> {
        let body = CreateDirectory {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        self.file_verb(server, "create-directory", &body).await
    }

    /// Copies a file beside itself.
    pub async fn copy(&self, server: ServerUuid, location: &str) -> Result<(), NodeError> {
        self.file_verb(
            server,
            "copy",
            &Copy {
                location: location.to_owned(),
            },
        )
        .await
    }

    /// Changes the permissions of files of the folder `root`.
    pub async fn chmod(
        &self,
        server: ServerUuid,
        root: &str,
        files: Vec<ChmodFile>,
    ) -> Result<(), NodeError> {
        self.file_verb(
            server,
            "chmod",
            &Chmod {
                root: root.to_owned(),
                files,
            },
        )
        .await
    }

    /// Packs files of the folder `root` into an archive there.
    pub async fn compress(
        &self,
        server: ServerUuid,
        root: &str,
        files: Vec<String>,
    ) -> Result<FileEntry, NodeError> {
        let body = exchange::json(&Compress {
            root: root.to_owned(),
            files,
        })?;
        let path = format!("/api/servers/{server}/files/compress");
        let answer = self.call(Method::POST, path, body, LONG_TIMEOUT).await?;
        exchange::decode(answer, TOTAL_TIMEOUT).await
    }

    /// Unpacks an archive where it is.
    pub async fn decompress(
        &self,
        server: ServerUuid,
        root: &str,
        file: &str,
    ) -> Result<(), NodeError> {
        let body = exchange::json(&Decompress {
            root: root.to_owned(),
            file: file.to_owned(),
        })?;
        let path = format!("/api/servers/{server}/files/decompress");
        self.call(Method::POST, path, body, LONG_TIMEOUT)
            .await
            .map(drop)
    }

    /// Fetches a file from the internet; waits for it only when the request says so.
    pub async fn pull(&self, server: ServerUuid, pull: &Pull) -> Result<(), NodeError> {
        let path = format!("/api/servers/{server}/files/pull");
        let limit = match &pull.foreground {
            Some(foreground) if foreground.is_set() => LONG_TIMEOUT,
            _ => TOTAL_TIMEOUT,
        };
        self.call(Method::POST, path, exchange::json(pull)?, limit)
            .await
            .map(drop)
    }

    /// The pulls that run.
    pub async fn pulls(&self, server: ServerUuid) -> Result<Vec<PullProgress>, NodeError> {
        let pulls: Pulls = self
            .get(format!("/api/servers/{server}/files/pull"))
            .await?;
        Ok(pulls.downloads.unwrap_or_default())
    }

    /// Ends a pull.
    pub async fn cancel_pull(&self, server: ServerUuid, identifier: &str) -> Result<(), NodeError> {
        let path = format!("/api/servers/{server}/files/pull/{}", query(identifier));
        self.call(Method::DELETE, path, Body::empty(), TOTAL_TIMEOUT)
            .await
            .map(drop)
    }

    async fn file_verb<T: Serialize>(
        &self,
        server: ServerUuid,
        verb: &str,
        body: &T,
    ) -> Result<(), NodeError> {
        self.post(format!("/api/servers/{server}/files/{verb}"), body)
            .await
    }
}
