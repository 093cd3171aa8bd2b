//! Judges SPDX licence expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND Zlib)`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// How deep parentheses may nest; real expressions need two.
const MAX_DEPTH: usize = 16;

/// Whether the terms can be met with the allowed licences alone. `WITH` and its exception count as
/// part of the licence's name; the old `/` means `OR`.
pub(crate) fn permitted(terms: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let spaced = terms
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let verdict = any(&mut rest, allowed, 0)?;
    if let Some(word) = rest.first() {
        bail!("unexpected {word:?}");
    }
    Ok(verdict)
}

fn any(words: &mut &[&str], allowed: &BTreeSet<String>, depth: usize) -> Result<bool> {
    let mut verdict = all(words, allowed, depth)?;
    while take(words, "OR") {
        verdict |= all(words, allowed, depth)?;
    }
    Ok(verdict)
}

fn all(words: &mut &[&str], allowed: &BTreeSet<String>, depth: usize) -> Result<bool> {
    let mut verdict = one(words, allowed, depth)?;
    while take(words, "AND") {
        verdict &= one(words, allowed, depth)?;
    }
    Ok(verdict)
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>, depth: usize) -> Result<bool> {
    if depth > MAX_DEPTH {
        bail!("nested too deeply");
    }
    if take(words, "(") {
        let verdict = any(words, allowed, depth + 1)?;
        if !take(words, ")") {
            bail!("a parenthesis is not closed");
        }
        return Ok(verdict);
    }
    let Some((name, rest)) = words.split_first() else {
        bail!("a licence is missing");
    };
    *words = rest;
    if !take(words, "WITH") {
        return Ok(allowed.contains(*name));
    }
    let Some((exception, rest)) = words.split_first() else {
        bail!("an exception is missing");
    };
    *words = rest;
    // An exception only grants more.
    Ok(allowed.contains(*name) || allowed.contains(&format!("{name} WITH {exception}")))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_judged_as_spdx_says() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "Apache-2.0".to_owned()]);
        for (terms, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND GPL-3.0 OR Apache-2.0", true),
            ("MIT AND (GPL-3.0 OR Apache-2.0)", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(permitted(terms, &allowed).unwrap(), expected, "{terms}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT MIT", "MIT WITH"] {
            assert!(permitted(broken, &allowed).is_err(), "{broken}");
        }
    }
}
