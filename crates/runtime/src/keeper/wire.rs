//! What a keeper and the panel say to each other over the socket.
//!
//! A frame is one byte of kind, four bytes of length (big end first) and the payload. The keeper
//! begins with [`Hello`]. A keeper may be older than the panel that talks to it, since it lives as
//! long as its game: kinds are never given another meaning, and unknown ones are skipped.

use hatchery_vocab::ServerUuid;
use serde::{Deserialize, Serialize};

use crate::{Job, Signal};

/// The version of this language, told in [`Hello`].
pub(crate) const PROTOCOL: u32 = 1;

/// The longest payload that either side takes.
pub(crate) const MAX_PAYLOAD: usize = 64 * 1024;

pub(crate) const HEADER: usize = 5;

/// The first frame of a keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) server: ServerUuid,
    pub(crate) job: Job,
    /// Microseconds since 1970.
    pub(crate) started_at: i64,
    /// The first process of the sandbox.
    pub(crate) pid: i32,
}

/// A frame. The panel sends `Attach`, `Input` and `Signal`, the keeper `Hello` and `Output`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The keeper's introduction, as JSON.
    Hello(Vec<u8>),
    /// Output from a position on.
    Output(u64, Vec<u8>),
    /// Send output from this position on, as far as it is remembered.
    Attach(u64),
    /// Bytes for the terminal.
    Input(Vec<u8>),
    /// A signal for the program.
    Signal(Signal),
    /// Something that this version does not know.
    Unknown,
}

const KIND_HELLO: u8 = 1;
const KIND_OUTPUT: u8 = 2;
const KIND_ATTACH: u8 = 3;
const KIND_INPUT: u8 = 4;
const KIND_SIGNAL: u8 = 5;

/// The header announces more than [`MAX_PAYLOAD`], so the other side does not speak this language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame is longer than allowed")]
pub(crate) struct TooLong;

/// Reads a header: the kind and the payload's length.
pub(crate) fn header(bytes: [u8; HEADER]) -> Result<(u8, usize), TooLong> {
    let [kind, length @ ..] = bytes;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_PAYLOAD {
        Err(TooLong)
    } else {
        Ok((kind, length))
    }
}

impl Frame {
    /// Reads a frame from its kind and payload.
    pub(crate) fn decode(kind: u8, payload: &[u8]) -> Self {
        match (kind, payload) {
            (KIND_HELLO, json) => Self::Hello(json.to_vec()),
            (KIND_OUTPUT, payload) => match payload.split_first_chunk() {
                Some((position, bytes)) => {
                    Self::Output(u64::from_be_bytes(*position), bytes.to_vec())
                }
                None => Self::Unknown,
            },
            (KIND_ATTACH, payload) => payload.try_into().map_or(Self::Unknown, |position| {
                Self::Attach(u64::from_be_bytes(position))
            }),
            (KIND_INPUT, bytes) => Self::Input(bytes.to_vec()),
            (KIND_SIGNAL, [letter]) => signal_of(*letter).map_or(Self::Unknown, Self::Signal),
            _ => Self::Unknown,
        }
    }

    /// The frame as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, parts): (u8, [&[u8]; 2]) = match self {
            Self::Hello(json) => (KIND_HELLO, [json, &[]]),
            Self::Output(position, bytes) => (KIND_OUTPUT, [&position.to_be_bytes(), bytes]),
            Self::Attach(position) => (KIND_ATTACH, [&position.to_be_bytes(), &[]]),
            Self::Input(bytes) => (KIND_INPUT, [bytes, &[]]),
            Self::Signal(signal) => (KIND_SIGNAL, [&[letter_of(*signal)], &[]]),
            Self::Unknown => (0, [&[], &[]]),
        };
        let length = parts[0].len() + parts[1].len();
        let mut frame = Vec::with_capacity(HEADER + length);
        frame.push(kind);
        frame.extend((length as u32).to_be_bytes());
        frame.extend(parts[0]);
        frame.extend(parts[1]);
        frame
    }
}

/// Takes the first whole frame off a buffer.
pub(crate) fn take_frame(buffer: &mut Vec<u8>) -> Result<Option<Frame>, TooLong> {
    let Some(head) = buffer.first_chunk() else {
        return Ok(None);
    };
    let (kind, length) = header(*head)?;
    if buffer.len() < HEADER + length {
        return Ok(None);
    }
    let frame = Frame::decode(kind, &buffer[HEADER..HEADER + length]);
    buffer.drain(..HEADER + length);
    Ok(Some(frame))
}

fn letter_of(signal: Signal) -> u8 {
    match signal {
        Signal::Abort => b'A',
        Signal::Interrupt => b'I',
        Signal::Kill => b'K',
        Signal::Quit => b'Q',
        Signal::Terminate => b'T',
    }
}

fn signal_of(letter: u8) -> Option<Signal> {
    match letter {
        b'A' => Some(Signal::Abort),
        b'I' => Some(Signal::Interrupt),
        b'K' => Some(Signal::Kill),
        b'Q' => Some(Signal::Quit),
        b'T' => Some(Signal::Terminate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_way_in_any_pieces() {
        let frames = [
            Frame::Hello(b"{}".to_vec()),
            Frame::Output(u64::MAX, vec![0; 40_000]),
            Frame::Attach(7),
            Frame::Input(b"say hi\n".to_vec()),
            Frame::Signal(Signal::Abort),
            Frame::Signal(Signal::Interrupt),
            Frame::Signal(Signal::Kill),
            Frame::Signal(Signal::Quit),
            Frame::Signal(Signal::Terminate),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        for piece in [1, 3, 4096, usize::MAX] {
            let mut buffer = Vec::new();
            let mut seen = Vec::new();
            for chunk in bytes.chunks(piece) {
                buffer.extend(chunk);
                while let Some(frame) = take_frame(&mut buffer).unwrap() {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, frames, "in pieces of {piece}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn what_is_not_understood_is_skipped_and_what_is_too_long_is_refused() {
        for (kind, payload) in [
            (99, &b"x"[..]),
            (KIND_OUTPUT, b"short"),
            (KIND_ATTACH, b""),
            (KIND_SIGNAL, b"?"),
        ] {
            assert_eq!(Frame::decode(kind, payload), Frame::Unknown);
        }
        assert_eq!(
            take_frame(&mut vec![KIND_INPUT, 0xff, 0, 0, 0]),
            Err(TooLong)
        );
    }
}
