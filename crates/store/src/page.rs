//! A piece of a long list.

/// Which piece of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page, counted from 1.
    pub number: u64,
    /// Entries on a page, at least 1.
    pub size: u64,
}

impl Page {
    /// How many entries come before the page.
    pub const fn offset(self) -> u64 {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }

    /// The page of a list that is in memory.
    pub(crate) fn of<T>(self, all: &[T]) -> &[T] {
        let start = usize::try_from(self.offset())
            .unwrap_or(usize::MAX)
            .min(all.len());
        let end = start
            .saturating_add(usize::try_from(self.size).unwrap_or(usize::MAX))
            .min(all.len());
        &all[start..end]
    }
}

/// A piece of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    /// Entries in the whole list.
    pub total: u64,
    /// The entries of the page.
    pub items: Vec<T>,
}
