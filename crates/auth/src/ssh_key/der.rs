//! As much of DER as public keys need: sequences, object identifiers, integers and bit strings.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The empty value.
pub(super) const NULL: &[u8] = &[0x05, 0x00];

/// What is left to read.
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The inside of a sequence that is all there is.
    pub(super) fn whole_sequence(bytes: &'a [u8]) -> Option<Self> {
        let mut whole = Self(bytes);
        let inside = whole.sequence()?;
        whole.end()?;
        Some(inside)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.value(SEQUENCE).map(Self)
    }

    pub(super) fn object(&mut self) -> Option<&'a [u8]> {
        self.value(OBJECT)
    }

    /// The bytes of a number, in two's complement.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        self.value(INTEGER)
    }

    /// Whole bytes.
    pub(super) fn bit_string(&mut self) -> Option<&'a [u8]> {
        let (unused, bytes) = self.value(BIT_STRING)?.split_first()?;
        (*unused == 0).then_some(bytes)
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        /// A length of 128 or more says first in how many bytes it is written.
        const LONG: u8 = 0x80;
        let (&[found, length], mut rest) = self.0.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let mut count = usize::from(length);
        if length & LONG != 0 {
            let digits = usize::from(length & !LONG);
            if digits == 0 || digits > size_of::<u32>() {
                return None;
            }
            let (digits, after) = rest.split_at_checked(digits)?;
            count = digits
                .iter()
                .fold(0, |count, digit| count << 8 | usize::from(*digit));
            rest = after;
        }
        let (value, after) = rest.split_at_checked(count)?;
        self.0 = after;
        Some(value)
    }
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

pub(super) fn object(identifier: &[u8]) -> Vec<u8> {
    tagged(OBJECT, identifier)
}

/// A number that is not negative, given without leading zeros.
pub(super) fn integer(number: &[u8]) -> Vec<u8> {
    tagged(INTEGER, &unsigned(number))
}

pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tagged(BIT_STRING, &[&[0], bytes].concat())
}

/// A number whose first bit would make it negative gets a zero before it.
pub(super) fn unsigned(number: &[u8]) -> Vec<u8> {
    if number.first().is_none_or(|first| first & 0x80 != 0) {
        [&[0], number].concat()
    } else {
        number.to_vec()
    }
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(value.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length = value.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let digits = &length[zeros..];
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend_from_slice(digits);
        }
    }
    bytes.extend_from_slice(value);
    bytes
}
