//! A server's files, by way of its node.

use hatchery_node_proto::{ChmodFile, Contents, FileEntry, NodeError, Pull, RenameFile, jwt};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::access::{Access, needs};
use crate::activity::Event;
use crate::links::{self, NodeAddress};
use crate::{Cx, node_call};

/// The entries of a folder, in the node's order. Not recorded.
pub async fn list(
    cx: &Cx,
    access: &Access<needs::FileRead>,
    directory: &str,
) -> Result<Vec<FileEntry>, NodeError> {
    node_call::client(cx, &access.server.node)?
        .list_directory(access.server.uuid, directory)
        .await
}

/// Why the contents of a file are not shown.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// It is larger than what is shown.
    #[error("the file is too large to be shown")]
    TooLarge,
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// A file's contents, as a stream.
pub async fn contents(
    cx: &Cx,
    access: &Access<needs::FileReadContent>,
    file: &str,
) -> Result<Contents, ContentsError> {
    let contents = node_call::client(cx, &access.server.node)?
        .contents(access.server.uuid, file)
        .await?;
    if contents.length > cx.settings().max_edit_size {
        return Err(ContentsError::TooLarge);
    }
    Event::new("server:file.read")
        .with("file", file)
        .on_server(cx, access);
    Ok(contents)
}

/// A link that downloads a file once. Whether the file exists is the node's matter.
pub fn download_link(
    cx: &Cx,
    access: &Access<needs::FileReadContent>,
    file: &str,
    panel: &str,
) -> Result<String, NodeError> {
    let address = NodeAddress::of(&access.server.node, panel);
    let purpose = jwt::FileDownload {
        server_uuid: access.server.uuid,
        // Decoded once more, as the reference does (client-api.md §3.6.3).
        file_path: percent_decode_str(file).decode_utf8_lossy().into_owned(),
    };
    let token = links::issue(cx, access, &address, panel, purpose)?;
    Event::new("server:file.download")
        .with("file", file)
        .on_server(cx, access);
    Ok(address.link("/download/file", &token))
}

/// A link that takes files once. The node records what arrives.
pub fn upload_link(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    panel: &str,
) -> Result<String, NodeError> {
    let address = NodeAddress::of(&access.server.node, panel);
    let purpose = jwt::FileUpload {
        server_uuid: access.server.uuid,
    };
    let token = links::issue(cx, access, &address, panel, purpose)?;
    Ok(address.link("/upload/file", &token))
}

/// Writes a file from a stream.
pub async fn write(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    file: &str,
    contents: Contents,
) -> Result<(), NodeError> {
    let Contents { length, body, .. } = contents;
    node_call::client(cx, &access.server.node)?
        .write(access.server.uuid, file, length, body)
        .await?;
    Event::new("server:file.write")
        .with("file", file)
        .on_server(cx, access);
    Ok(())
}

/// Makes a folder. `root` is recorded as it was sent, absent or not.
pub async fn create_folder(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    root: Option<&str>,
    name: &str,
) -> Result<(), NodeError> {
    let node = node_call::client(cx, &access.server.node)?;
    node.create_directory(access.server.uuid, root.unwrap_or("/"), name)
        .await?;
    Event::new("server:file.create-directory")
        .with("name", name)
        .with("directory", root.map_or(Value::Null, Value::from))
        .on_server(cx, access);
    Ok(())
}

/// Renames or moves files of the folder `root`.
pub async fn rename(
    cx: &Cx,
    access: &Access<needs::FileUpdate>,
    root: &str,
    files: Vec<RenameFile>,
) -> Result<(), NodeError> {
    let recorded: Vec<Value> = files
        .iter()
        .map(|file| json!({"from": file.from, "to": file.to}))
        .collect();
    node_call::client(cx, &access.server.node)?
        .rename(access.server.uuid, root, files)
        .await?;
    Event::new("server:file.rename")
        .with("directory", root)
        .with("files", recorded)
        .on_server(cx, access);
    Ok(())
}

/// Deletes files and folders of the folder `root`.
pub async fn delete(
    cx: &Cx,
    access: &Access<needs::FileDelete>,
    root: &str,
    files: Vec<String>,
) -> Result<(), NodeError> {
    let node = node_call::client(cx, &access.server.node)?;
    node.delete_files(access.server.uuid, root, files.clone())
        .await?;
    Event::new("server:file.delete")
        .with("directory", root)
        .with("files", files)
        .on_server(cx, access);
    Ok(())
}

/// Copies a file beside itself.
pub async fn copy(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    location: &str,
) -> Result<(), NodeError> {
    node_call::client(cx, &access.server.node)?
        .copy(access.server.uuid, location)
        .await?;
    Event::new("server:file.copy")
        .with("file", location)
        .on_server(cx, access);
    Ok(())
}

/// Changes the permissions of files of the folder `root`. Not recorded (client-api.md §3.6.11).
pub async fn chmod(
    cx: &Cx,
    access: &Access<needs::FileUpdate>,
    root: &str,
    files: Vec<ChmodFile>,
) -> Result<(), NodeError> {
    node_call::client(cx, &access.server.node)?
        .chmod(access.server.uuid, root, files)
        .await
}

/// Packs files of the folder `root` into an archive there. `root` is recorded as it was sent.
pub async fn compress(
    cx: &Cx,
    access: &Access<needs::FileArchive>,
    root: Option<&str>,
    files: Vec<String>,
) -> Result<FileEntry, NodeError> {
    let archive = node_call::client(cx, &access.server.node)?
        .compress(access.server.uuid, root.unwrap_or("/"), files.clone())
        .await?;
    Event::new("server:file.compress")
        .with("directory", root.map_or(Value::Null, Value::from))
        .with("files", files)
        .on_server(cx, access);
    Ok(archive)
}

/// Unpacks an archive of the folder `root` there. `root` is recorded as it was sent, and the
/// archive's name under the key `files` (client-api.md §3.6.8).
pub async fn decompress(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    root: Option<&str>,
    file: &str,
) -> Result<(), NodeError> {
    node_call::client(cx, &access.server.node)?
        .decompress(access.server.uuid, root.unwrap_or("/"), file)
        .await?;
    Event::new("server:file.decompress")
        .with("directory", root.map_or(Value::Null, Value::from))
        .with("files", file)
        .on_server(cx, access);
    Ok(())
}

/// Has the node fetch a file from the internet. The directory is recorded as it was sent.
pub async fn pull(
    cx: &Cx,
    access: &Access<needs::FileCreate>,
    directory: Option<&str>,
    pull: Pull,
) -> Result<(), NodeError> {
    node_call::client(cx, &access.server.node)?
        .pull(access.server.uuid, &pull)
        .await?;
    Event::new("server:file.pull")
        .with("directory", directory.map_or(Value::Null, Value::from))
        .with("url", pull.url)
        .on_server(cx, access);
    Ok(())
}
