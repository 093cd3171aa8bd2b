//! Files of a server (client-api.md §4.6 and §4.14).

use serde::Serialize;

crate::resources! {
    FileObject: "file_object",
    SignedUrl: "signed_url",
}

/// A file or folder.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FileObject {
    /// Name within its folder.
    pub name: String,
    /// Type and mode in ten letters, such as `-rw-r--r--`.
    pub mode: String,
    /// Mode in octal digits, such as `644`.
    pub mode_bits: String,
    /// Size in bytes.
    pub size: i64,
    /// False for folders.
    pub is_file: bool,
    /// Whether it is a symbolic link.
    pub is_symlink: bool,
    /// Media type; `inode/directory` for folders.
    pub mimetype: String,
    /// When it was made, as far as the file system knows.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// An address that carries its own permission and is opened without a key.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedUrl {
    /// The address.
    pub url: String,
}
