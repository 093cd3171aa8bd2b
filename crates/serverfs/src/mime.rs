//! Media types: by the first bytes, helped by the name (node-protocol.md §7.4).

use std::borrow::Cow;
use std::path::Path;

/// How many of a file's first bytes decide.
pub(crate) const SNIFF: usize = 4096;

/// A directory's media type.
pub(crate) const DIRECTORY: &str = "inode/directory";
/// What is neither a file nor a directory, and what nobody recognises.
pub(crate) const OCTET_STREAM: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";
const JAR: &str = "application/jar";

/// The media type of a regular file that starts with these bytes.
pub(crate) fn of(name: &str, head: &[u8]) -> Cow<'static, str> {
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    if let Some(text) = text(extension, head) {
        return Cow::Borrowed(text);
    }
    match infer::get(head).map(|kind| kind.mime_type()) {
        Some("application/zip") if extension.eq_ignore_ascii_case("jar") || is_jar(head) => {
            Cow::Borrowed(JAR)
        }
        Some(known) => Cow::Borrowed(known),
        // A name may say what bytes do not, but not that bytes which are no text are text.
        None => match mime_guess::from_ext(extension).first() {
            Some(guess) if guess.type_() != mime_guess::mime::TEXT => {
                Cow::Owned(guess.essence_str().to_owned())
            }
            _ => Cow::Borrowed(OCTET_STREAM),
        },
    }
}

/// A zip file whose first entry is a Java manifest's directory.
fn is_jar(head: &[u8]) -> bool {
    const FIRST_NAME: usize = 30;
    head.get(FIRST_NAME..)
        .is_some_and(|name| name.starts_with(b"META-INF/"))
}

/// The kind of text that these bytes are. The stock page offers to edit all of these.
fn text(extension: &str, head: &[u8]) -> Option<&'static str> {
    if head.starts_with(&[0xff, 0xfe]) {
        return Some("text/plain; charset=utf-16le");
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Some("text/plain; charset=utf-16be");
    }
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if head.iter().any(binary) || head.starts_with(b"%PDF-") {
        return None;
    }
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The last character may have been cut in the middle.
        Err(error) => error.error_len().is_none() && head.len() == SNIFF,
    };
    if !utf8 {
        // Bytes that a known format claims are not Latin text.
        return infer::get(head)
            .is_none()
            .then_some("text/plain; charset=iso-8859-1");
    }
    Some(match extension.to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "htm" | "html" => "text/html; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        _ => TEXT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_and_names_help() {
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let mut jar = b"PK\x03\x04".to_vec();
        jar.resize(30, 0);
        let zip = [&jar[..], b"level.dat"].concat();
        let manifest = [&jar[..], b"META-INF/MANIFEST.MF"].concat();
        let cut = [vec![b'a'; SNIFF - 1], "é".as_bytes()[..1].to_vec()].concat();
        for (name, head, mime) in [
            ("eula.txt", &b"eula=true\n"[..], TEXT),
            ("empty", b"", TEXT),
            ("server.properties", "motd=\u{a7}aHallo\n".as_bytes(), TEXT),
            ("coloured.log", b"\x1b[31mred\x1b[0m", TEXT),
            ("cut.txt", &cut, TEXT),
            (
                "latin.txt",
                b"gr\xfc\xdfe",
                "text/plain; charset=iso-8859-1",
            ),
            (
                "windows.txt",
                b"\xff\xfea\0",
                "text/plain; charset=utf-16le",
            ),
            ("ops.json", b"[]", "application/json"),
            ("icon.svg", b"<svg/>", "image/svg+xml"),
            ("server.jar", &zip, JAR),
            ("renamed.bin", &manifest, JAR),
            ("world.zip", &zip, "application/zip"),
            ("x.tar", &tar, "application/x-tar"),
            ("x.tar.gz", b"\x1f\x8b\x08\0", "application/gzip"),
            (
                "x.7z",
                b"7z\xbc\xaf\x27\x1c\0\0",
                "application/x-7z-compressed",
            ),
            ("x.zst", b"\x28\xb5\x2f\xfd\0\0\0\0", "application/zstd"),
            ("icon.png", b"\x89PNG\r\n\x1a\n\0\0\0", "image/png"),
            ("r.0.0.mca", b"\0\0\0\x02\0", OCTET_STREAM),
            ("liar.txt", b"\0\x01\x02", OCTET_STREAM),
        ] {
            assert_eq!(of(name, head), mime, "{name}");
        }
    }
}
