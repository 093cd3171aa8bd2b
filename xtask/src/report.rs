//! Counts what passed, failed and was skipped, and says it in one line that CI reads.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::interrupt;

/// What a test prints when the machine cannot run it, followed by the reason.
pub(crate) const SKIP_MARK: &str = "SKIPPED: ";

/// The outcome of one part of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// How many passed.
    pub passed: usize,
    /// The names of those that failed.
    pub failed: Vec<String>,
    /// The names of those that did not run, with the reason.
    pub skipped: Vec<String>,
}

/// All parts of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    parts: Vec<(String, Counts, Duration)>,
}

impl Report {
    /// Runs one check that passes or fails as a whole.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) {
        self.part(name, || {
            check()?;
            Ok(Counts {
                passed: 1,
                ..Counts::default()
            })
        });
    }

    /// Runs a part that counts for itself. A part that cannot be run at all counts as one failure.
    pub(crate) fn part(&mut self, name: &str, part: impl FnOnce() -> Result<Counts>) {
        if interrupt::requested() {
            return;
        }
        eprintln!("\n== {name}");
        let start = Instant::now();
        let counts = part().unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Counts {
                failed: vec![format!("{name}: {error:#}")],
                ..Counts::default()
            }
        });
        self.parts.push((name.to_owned(), counts, start.elapsed()));
    }

    /// Whether everything that ran passed.
    pub(crate) fn is_green(&self) -> bool {
        self.parts
            .iter()
            .all(|(_, counts, _)| counts.failed.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut total = (0, 0, 0);
        for (name, counts, took) in &self.parts {
            let Counts {
                passed,
                failed,
                skipped,
            } = counts;
            total = (
                total.0 + passed,
                total.1 + failed.len(),
                total.2 + skipped.len(),
            );
            let seconds = took.as_secs_f32();
            writeln!(
                f,
                "{name:<24} {passed:>5} passed {:>3} failed {:>3} skipped {seconds:>7.1} s",
                failed.len(),
                skipped.len(),
            )?;
        }
        for (_, counts, _) in &self.parts {
            for name in &counts.skipped {
                writeln!(f, "skipped: {name}")?;
            }
            for name in &counts.failed {
                writeln!(f, "FAILED: {}", name.lines().next().unwrap_or_default())?;
            }
        }
        writeln!(
            f,
            "{} passed, {} failed, {} skipped",
            total.0, total.1, total.2
        )
    }
}

/// Reads the JUnit file that nextest writes.
pub(crate) fn read_junit(text: &str) -> Counts {
    let mut counts = Counts::default();
    for case in text.split("<testcase ").skip(1) {
        let (head, body) = case.split_once('>').unwrap_or((case, ""));
        let name = format!(
            "{} {}",
            attribute(head, "classname"),
            attribute(head, "name")
        );
        let body = body.split("</testcase>").next().unwrap_or_default();
        let skip = body.lines().find_map(|line| line.split_once(SKIP_MARK));
        if body.contains("<failure") || body.contains("<error") {
            counts.failed.push(name);
        } else if let Some((_, reason)) = skip {
            let reason = reason.split("</system-").next().unwrap_or_default();
            counts
                .skipped
                .push(format!("{name}: {}", unescaped(reason)));
        } else {
            counts.passed += 1;
        }
    }
    counts
}

/// Reads what `cargo test -- --show-output` prints.
pub(crate) fn read_libtest(text: &str) -> Counts {
    let mut counts = Counts::default();
    let mut current = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("---- ") {
            current = name.split(" stdout").next().unwrap_or(name);
        } else if let Some((_, reason)) = line.split_once(SKIP_MARK) {
            counts.skipped.push(format!("{current}: {reason}"));
        } else if let Some(rest) = line.strip_prefix("test ") {
            match rest.rsplit_once(" ... ") {
                Some((_, "ok")) => counts.passed += 1,
                Some((name, "FAILED")) => counts.failed.push(name.to_owned()),
                _ => {}
            }
        }
    }
    counts.passed = counts.passed.saturating_sub(counts.skipped.len());
    counts
}

fn attribute(head: &str, name: &str) -> String {
    let value = head
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(value, _)| value);
    unescaped(value)
}

fn unescaped(text: &str) -> String {
    text.trim()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_counts_passes_failures_and_named_skips() {
        let text = r#"<testsuites><testsuite name="a">
            <testcase name="works" classname="store::it"/>
            <testcase name="breaks" classname="store::it"><failure message="x">no</failure></testcase>
            <testcase name="cannot" classname="node::it"><system-err>noise
SKIPPED: no cgroup for &quot;cpu&quot;</system-err></testcase></testsuite></testsuites>"#;
        assert_eq!(
            read_junit(text),
            Counts {
                passed: 1,
                failed: vec!["store::it breaks".to_owned()],
                skipped: vec!["node::it cannot: no cgroup for \"cpu\"".to_owned()],
            },
        );
    }

    #[test]
    fn libtest_counts_the_same() {
        let text = "running 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ok\n\n\
                    successes:\n\n---- c stdout ----\nSKIPPED: no engine\n\n\
                    test result: FAILED. 2 passed; 1 failed\n";
        assert_eq!(
            read_libtest(text),
            Counts {
                passed: 1,
                failed: vec!["b".to_owned()],
                skipped: vec!["c: no engine".to_owned()],
            },
        );
    }

    #[test]
    fn the_last_line_is_what_ci_reads() {
        let mut report = Report::default();
        report.check("one", || Ok(()));
        report.check("two", || anyhow::bail!("no"));
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 0 skipped"));
        assert!(!report.is_green());
    }
}
