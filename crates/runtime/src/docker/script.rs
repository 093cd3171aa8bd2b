//! The installation script on its way into a container: a tar archive of one file, since that is
//! what the engine takes. It never lies on the host, so no script can change what runs next.

use std::io;

use bytes::Bytes;

const BLOCK: usize = 512;

/// An archive that holds one directory and in it one file that all may read and run.
pub(super) fn archive(directory: &str, file: &str, content: &[u8]) -> io::Result<Bytes> {
    let mut archive = Vec::with_capacity(content.len() + 5 * BLOCK);
    header(&mut archive, &format!("{directory}/"), b'5', 0)?;
    header(
        &mut archive,
        &format!("{directory}/{file}"),
        b'0',
        content.len(),
    )?;
    archive.extend_from_slice(content);
    // The last block is filled up, and two empty blocks end the archive.
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    Ok(archive.into())
}

/// A header of the `ustar` format.
fn header(archive: &mut Vec<u8>, name: &str, kind: u8, size: usize) -> io::Result<()> {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, room: usize, text: &str| {
        if text.len() > room {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "too long for an archive",
            ));
        }
        block[at..at + text.len()].copy_from_slice(text.as_bytes());
        Ok(())
    };
    put(0, 99, name)?;
    put(100, 7, "0000755")?;
    put(108, 7, "0000000")?;
    put(116, 7, "0000000")?;
    put(124, 11, &format!("{size:011o}"))?;
    put(136, 11, "00000000000")?;
    // The checksum counts its own field as spaces.
    put(148, 8, "        ")?;
    put(257, 6, "ustar\0")?;
    put(263, 2, "00")?;
    block[156] = kind;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend_from_slice(&block);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_one_that_others_read() {
        let archive = archive("mnt/install", "install.sh", b"echo hi\n").unwrap();
        assert_eq!(archive.len(), 5 * BLOCK);
        assert!(archive.starts_with(b"mnt/install/\0"));
        let file = &archive[BLOCK..];
        assert!(file.starts_with(b"mnt/install/install.sh\0"));
        assert_eq!(&file[124..136], b"00000000010\0");
        let sum: u32 = file[..BLOCK]
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                u32::from(if (148..156).contains(&at) {
                    b' '
                } else {
                    *byte
                })
            })
            .sum();
        assert_eq!(&file[148..154], format!("{sum:06o}").as_bytes());
        assert_eq!(&file[BLOCK..BLOCK + 9], b"echo hi\n\0");
        assert!(super::archive(&"x".repeat(100), "y", b"").is_err());
    }
}
