//! Quantities with a unit.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

/// A whole number of mebibytes. Zero means "unlimited" wherever a limit is meant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MiB(u64);

impl MiB {
    /// So many mebibytes.
    pub const fn new(mebibytes: u64) -> Self {
        Self(mebibytes)
    }

    /// The number of mebibytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same in bytes; the largest number that fits when it would not.
    pub const fn bytes(self) -> u64 {
        self.0.saturating_mul(1024 * 1024)
    }

    /// The limit in bytes, or nothing where zero says that there is none.
    pub const fn limit_bytes(self) -> Option<u64> {
        if self.0 == 0 {
            None
        } else {
            Some(self.bytes())
        }
    }
}

impl fmt::Display for MiB {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0)
    }
}

/// How much swap a server may use. On the wire −1 is unlimited and 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// As much as the machine has.
    Unlimited,
    /// This much at most; zero is none.
    Limited(MiB),
}

impl Swap {
    /// Reads the number of the wire; every negative number means unlimited.
    pub fn from_wire(mebibytes: i64) -> Self {
        u64::try_from(mebibytes).map_or(Self::Unlimited, |amount| Self::Limited(MiB::new(amount)))
    }

    /// The number of the wire.
    pub fn to_wire(self) -> i64 {
        match self {
            Self::Unlimited => -1,
            Self::Limited(amount) => i64::try_from(amount.get()).unwrap_or(i64::MAX),
        }
    }
}

/// A share of processors: 100 is one whole core, 0 is unlimited.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CpuPercent(u32);

impl CpuPercent {
    /// So many hundredths of a core.
    pub const fn new(percent: u32) -> Self {
        Self(percent)
    }

    /// Hundredths of a core.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A TCP or UDP port, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

impl Port {
    /// A port, unless the number is zero.
    pub const fn new(port: u16) -> Option<Self> {
        match NonZeroU16::new(port) {
            Some(port) => Some(Self(port)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
