//! The part of a file that a request asks for (RFC 9110 §14).

/// What to answer to a `Range` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: nothing, or nothing that we understand, was asked for.
    Whole,
    /// These bytes. There is at least one.
    Bytes {
        /// The offset of the first.
        start: u64,
        /// How many.
        length: u64,
    },
    /// There are no such bytes.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of so many bytes. Several ranges at once are answered with the
/// whole file, as the standard allows.
pub(super) fn part(header: &str, size: u64) -> Part {
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Part::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let bytes = |start: u64, end: u64| {
        if start < end {
            Part::Bytes {
                start,
                length: end - start,
            }
        } else {
            Part::Unsatisfiable
        }
    };
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => bytes(first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => bytes(first, size),
        (Err(_), Ok(suffix)) if first.is_empty() => bytes(size.saturating_sub(suffix), size),
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, part_of_ten) in [
            (
                "bytes=0-3",
                Part::Bytes {
                    start: 0,
                    length: 4,
                },
            ),
            (
                "bytes=4-",
                Part::Bytes {
                    start: 4,
                    length: 6,
                },
            ),
            (
                "bytes=-3",
                Part::Bytes {
                    start: 7,
                    length: 3,
                },
            ),
            (
                "bytes=-30",
                Part::Bytes {
                    start: 0,
                    length: 10,
                },
            ),
            (
                "bytes=9-18446744073709551615",
                Part::Bytes {
                    start: 9,
                    length: 1,
                },
            ),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
            ("bytes=3-2", Part::Whole),
            ("bytes=0-1,4-5", Part::Whole),
            ("bytes=-", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("bytes=a-b", Part::Whole),
        ] {
            assert_eq!(part(header, 10), part_of_ten, "{header}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Unsatisfiable);
    }
}
