//! Who may use `/servers/{server}/files`.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row::needs("listFiles", "file.read"),
    Row::needs("readFile", "file.read-content").query("?file=eula.txt"),
    Row::needs("downloadFile", "file.read-content").query("?file=eula.txt"),
    Row::needs("renameFiles", "file.update")
        .json(r#"{"root": "/", "files": [{"from": "a", "to": "b"}]}"#)
        .answers("204"),
    Row::needs("writeFile", "file.create")
        .query("?file=a.txt")
        .text("a")
        .answers("204"),
    Row::needs("deleteFiles", "file.delete")
        .json(r#"{"root": "/", "files": ["a"]}"#)
        .answers("204"),
    Row::needs("createFolder", "file.create")
        .json(r#"{"root": "/", "name": "a"}"#)
        .answers("204"),
    Row::needs("copyFile", "file.create")
        .json(r#"{"location": "/a"}"#)
        .answers("204"),
    Row::needs("compressFiles", "file.archive").json(r#"{"root": "/", "files": ["a"]}"#),
    Row::needs("decompressFile", "file.create")
        .json(r#"{"root": "/", "file": "a.zip"}"#)
        .answers("204"),
    Row::needs("chmodFiles", "file.update")
        .json(r#"{"root": "/", "files": [{"file": "a", "mode": "644"}]}"#)
        .answers("204"),
    Row::needs("pullFile", "file.create")
        .json(r#"{"url": "https://example.com/a.zip"}"#)
        .answers("204"),
    Row::needs("uploadFiles", "file.create"),
];
