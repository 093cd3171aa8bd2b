//! An open file as the body of an answer.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

/// How much is read at once. A download holds two of these at most: one on its way to the socket
/// and one being read.
const PIECE: u64 = 128 * 1024;

/// So many bytes of a file from an offset, read as the client takes them. `allowed` is asked before
/// every piece, so that a revoked link ends even while it is being used. A file that shrinks
/// meanwhile breaks the answer off, since its length was promised.
pub(crate) fn body(
    file: File,
    start: u64,
    length: u64,
    allowed: impl Fn() -> bool + Send + 'static,
) -> Body {
    let file = Arc::new(file);
    Body::from_stream(stream::try_unfold(
        (start, length),
        move |(offset, left)| {
            let file = Arc::clone(&file);
            let allowed = allowed();
            async move {
                if left == 0 {
                    return Ok(None);
                }
                if !allowed {
                    return Err(io::Error::from(io::ErrorKind::PermissionDenied));
                }
                let piece =
                    tokio::task::spawn_blocking(move || read(&file, offset, left.min(PIECE)))
                        .await
                        .map_err(io::Error::other)??;
                let read = piece.len() as u64;
                Ok(Some((piece, (offset + read, left - read))))
            }
        },
    ))
}

fn read(file: &File, offset: u64, length: u64) -> io::Result<Bytes> {
    // At most `PIECE`, so it fits.
    let mut piece = vec![0; length as usize];
    file.read_exact_at(&mut piece, offset)?;
    Ok(piece.into())
}
