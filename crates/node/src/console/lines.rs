//! Cuts raw output into lines.

/// The longest line in bytes; a longer one goes on in the next.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// Collects bytes until a line is complete. It never holds more than [`MAX_LINE`] bytes.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    /// Takes bytes, cut anywhere, and gives every line that they complete. Empty lines are left
    /// out.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut give: impl FnMut(&str)) {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, rest) =
                end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 1..]));
            let room = MAX_LINE - self.0.len();
            if part.len() > room {
                self.0.extend_from_slice(&part[..room]);
                self.overflow(&mut give);
                bytes = &bytes[room..];
                continue;
            }
            self.0.extend_from_slice(part);
            if end.is_some() {
                self.finish(&mut give);
            }
            bytes = rest;
        }
    }

    /// Gives what is left as a line of its own.
    pub(crate) fn finish(&mut self, mut give: impl FnMut(&str)) {
        if self.0.last() == Some(&b'\r') {
            self.0.pop();
        }
        emit(&self.0, &mut give);
        self.0.clear();
    }

    /// Gives a line that is too long, and keeps a character that was cut in half for the next.
    fn overflow(&mut self, give: &mut impl FnMut(&str)) {
        let whole = match std::str::from_utf8(&self.0) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.0.len(),
        };
        emit(&self.0[..whole], give);
        self.0.drain(..whole);
    }
}

fn emit(line: &[u8], give: &mut impl FnMut(&str)) {
    if line.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(line);
    if text.contains(" \r") {
        // Games print this to end a line on their own terminal (node-protocol.md §4.7).
        give(&text.replace(" \r", "\r\n"));
    } else {
        give(&text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| out.push(line.to_owned()));
        }
        lines.finish(|line| out.push(line.to_owned()));
        out
    }

    #[test]
    fn lines_come_out_whole() {
        assert_eq!(lines(&[b"a\r\nb", b"c\n\n\r\nd"]), ["a", "bc", "d"]);
        assert_eq!(lines(&[b"10%\r20%\rdone\n"]), ["10%\r20%\rdone"]);
        assert_eq!(lines(&[b"one \rtwo\n"]), ["one\r\ntwo"]);
        assert_eq!(lines(&[b"caf\xc3", b"\xa9 \xff!\n"]), ["café \u{fffd}!"]);
        assert_eq!(lines(&[]), [""; 0]);
    }

    #[test]
    fn an_endless_line_is_cut_between_characters() {
        let text = format!("x{}", "é".repeat(MAX_LINE));
        let out = lines(&[text.as_bytes()]);
        assert_eq!(out.len(), 3);
        assert!(out.iter().all(|line| line.len() <= MAX_LINE));
        assert_eq!(out.concat(), text);
    }

    proptest! {
        #[test]
        fn where_the_chunks_are_cut_does_not_matter(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..400),
            cut in 1..40_usize,
        ) {
            let whole = lines(&[&bytes]);
            let chunks: Vec<&[u8]> = bytes.chunks(cut).collect();
            prop_assert_eq!(lines(&chunks), whole);
        }
    }
}
