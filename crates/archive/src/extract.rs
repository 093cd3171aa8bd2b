//! Unpacking an archive that lies among a server's files, whatever its kind.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use hatchery_serverfs::{RelPath, ServerDir};
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use lz4_flex::frame::FrameDecoder;

use crate::unpack::{Attributes, Target, unreadable};
use crate::{ArchiveError, Progress, Result, Unpack, seven_zip, tarball, zip_file};

/// How much memory a decoder may take for what it has to remember, in bytes: twice of what the
/// highest level of `xz` needs.
pub(crate) const DECODER_MEMORY: u64 = 128 * 1024 * 1024;

/// The same for zstd, as the exponent of a window: 2²⁷ bytes are 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How many of a file's first bytes tell what it is: a tar archive says so after 257.
const HEAD: usize = 512;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
}

/// What the first bytes of a file say.
const SIGNATURES: [(&[u8], Compression); 5] = [
    (b"\x1f\x8b", Compression::Gzip),
    (b"BZh", Compression::Bzip2),
    (b"\xfd7zXZ\0", Compression::Xz),
    (b"\x28\xb5\x2f\xfd", Compression::Zstd),
    (b"\x04\x22\x4d\x18", Compression::Lz4),
];

/// Endings of compressed files and what remains of the name without them.
const ENDINGS: [(&str, &str); 12] = [
    (".tgz", ".tar"),
    (".tbz2", ".tar"),
    (".txz", ".tar"),
    (".tzst", ".tar"),
    (".gz", ""),
    (".bz2", ""),
    (".bz", ""),
    (".xz", ""),
    (".zst", ""),
    (".zstd", ""),
    (".lz4", ""),
    (".z", ""),
];

/// Unpacks an archive: zip, 7z, or tar and single files compressed by gzip, bzip2, xz, zstd or lz4.
/// Its first bytes decide what it is, not its name. After a failure the files written already stay.
pub fn extract(
    files: &ServerDir,
    archive: &RelPath,
    how: &Unpack,
    progress: &Progress,
) -> Result<()> {
    let open = files.open_file(archive)?;
    let mut head = [0; HEAD];
    let length = open
        .file
        .read_at(&mut head, 0)
        .map_err(ArchiveError::Unreadable)?;
    let head = &head[..length];
    let size = Rc::new(Cell::new(open.entry.size));
    let mut each = |_: &RelPath| {};
    let mut target = Target::new(files, how, progress, &mut each, size);
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        zip_file::unpack(open.file, &mut target)?;
    } else if head.starts_with(b"7z\xbc\xaf\x27\x1c") {
        seven_zip::unpack(open.file, &mut target)?;
    } else {
        let compression = compression(head);
        let content = decoder(open.file, compression)?;
        let name = archive.name().unwrap_or_default();
        unpack_stream(content, compression, name, &mut target)?;
    }
    target.finish()
}

fn compression(head: &[u8]) -> Compression {
    SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature))
        .map_or(Compression::None, |(_, compression)| *compression)
}

fn decoder(file: File, compression: Compression) -> Result<Box<dyn Read>> {
    let file = BufReader::new(file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(MultiGzDecoder::new(file)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(file)),
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(DECODER_MEMORY, CONCATENATED)
                .map_err(|error| unreadable(error.into()))?;
            Box::new(XzDecoder::new_stream(file, stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(file).map_err(unreadable)?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG)
                .map_err(unreadable)?;
            Box::new(decoder)
        }
        Compression::Lz4 => Box::new(FrameDecoder::new(file)),
    })
}

/// A tar archive, or the one file that was compressed.
fn unpack_stream(
    mut content: Box<dyn Read>,
    compression: Compression,
    name: &[u8],
    target: &mut Target<'_>,
) -> Result<()> {
    let mut head = Vec::with_capacity(HEAD);
    (&mut content)
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let is_tar = is_tar(&head);
    let content = io::Cursor::new(head).chain(content);
    if is_tar {
        tarball::unpack(content, target)
    } else if compression == Compression::None {
        Err(ArchiveError::UnknownFormat)
    } else {
        target.file(&without_ending(name), Attributes::default(), content)
    }
}

/// Whether a header of tar stands at the start, of which every kind has the same checksum.
fn is_tar(head: &[u8]) -> bool {
    let Some(head) = head.first_chunk::<HEAD>() else {
        return false;
    };
    let header = tar::Header::from_byte_slice(head);
    let blanks = u32::from(b' ') * 8;
    let sum = |bytes: &[u8]| bytes.iter().copied().map(u32::from).sum::<u32>();
    header
        .cksum()
        .is_ok_and(|stated| stated == sum(&head[..148]) + blanks + sum(&head[156..]))
}

/// The name of what was compressed. One that has no known ending gets another, so that the archive
/// is not replaced while it is read.
fn without_ending(name: &[u8]) -> Vec<u8> {
    for (ending, instead) in ENDINGS {
        let Some(at) = name.len().checked_sub(ending.len()) else {
            continue;
        };
        let (base, end) = name.split_at(at);
        if !base.is_empty() && end.eq_ignore_ascii_case(ending.as_bytes()) {
            return [base, instead.as_bytes()].concat();
        }
    }
    [name, b".out"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_file_loses_its_ending() {
        for (name, expected) in [
            ("x.log.gz", "x.log"),
            ("X.LOG.XZ", "X.LOG"),
            ("a.tgz", "a.tar"),
            (".gz", ".gz.out"),
            ("a", "a.out"),
        ] {
            let found = without_ending(name.as_bytes());
            assert_eq!(found, expected.as_bytes(), "{name}");
        }
    }
}
