//! What a run came to, for people and for the chore that counts it.

use std::fmt;

use crate::compare::Difference;

/// One area's count.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Its name.
    pub area: String,
    /// Exchanges in which nothing differs.
    pub equal: usize,
    /// Exchanges that differ on purpose.
    pub deliberate: usize,
    /// Exchanges without a recorded answer.
    pub withheld: usize,
    /// Exchanges that differ.
    pub wrong: Vec<Wrong>,
    /// What else is wrong: the area could not be replayed, or an entry of the list is out of date.
    pub complaints: Vec<String>,
}

/// An exchange that differs.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Its name.
    pub name: String,
    /// What was sent.
    pub request: String,
    /// Where we differ.
    pub differences: Vec<Difference>,
}

impl Row {
    /// Whether nothing is wrong.
    pub(crate) fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.complaints.is_empty()
    }

    /// What is wrong, one by one; only exchanges with `filter` in their name.
    pub(crate) fn details(&self, filter: &str) -> String {
        let mut text = String::new();
        for wrong in self
            .wrong
            .iter()
            .filter(|wrong| wrong.name.contains(filter))
        {
            text.push_str(&format!(
                "\n{}: {}\n  {}\n",
                self.area, wrong.name, wrong.request
            ));
            for difference in &wrong.differences {
                text.push_str(&format!("  - {difference}\n"));
            }
        }
        for complaint in &self.complaints {
            text.push_str(&format!("\n{}: {complaint}\n", self.area));
        }
        text
    }
}

/// The table of a run.
#[derive(Debug)]
pub(crate) struct Table<'a>(pub &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:>6} {:>11} {:>6} {:>9}",
            "area", "equal", "deliberate", "wrong", "withheld"
        )?;
        let mut total = [0; 4];
        for row in self.0 {
            let counts = [
                row.equal,
                row.deliberate,
                row.wrong.len() + row.complaints.len(),
                row.withheld,
            ];
            line(f, &row.area, counts)?;
            for (sum, count) in total.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        line(f, "all", total)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, counts: [usize; 4]) -> fmt::Result {
    let [equal, deliberate, wrong, withheld] = counts;
    writeln!(
        f,
        "{name:<18} {equal:>6} {deliberate:>11} {wrong:>6} {withheld:>9}"
    )
}
