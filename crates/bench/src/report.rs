//! The table of figures, and the only place that writes to the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are this program's output")]

use std::fmt::{self, Write as _};

use crate::machine::Machine;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    EventsPerSecond,
    PerSecond,
    Milliseconds,
    Bytes,
    Times,
    Percent,
    Rows,
    Processors,
}

/// What the issue asks of a figure, in the figure's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// At least the first; the second is what is aimed at.
    LeastAndAim(f64, f64),
    Most(f64),
    /// At most the first; the second is what is aimed at.
    MostAndAim(f64, f64),
}

/// What this machine gives without the server, in the figure's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    pub name: &'static str,
    pub value: f64,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub scenario: &'static str,
    pub what: String,
    pub value: f64,
    pub unit: Unit,
    pub target: Option<Target>,
    pub ceiling: Option<Ceiling>,
}

/// All that was found out.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    failures: Vec<(String, String)>,
}

const COLUMNS: [&str; 7] = ["scenario", "", "figure", "target", "ceiling", "ratio", "met"];
/// The columns that read better flush right.
const RIGHT: [bool; 7] = [false, false, true, true, false, true, false];

impl Row {
    /// A figure alone.
    pub fn new(scenario: &'static str, what: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self { scenario, what: what.into(), value, unit, target: None, ceiling: None }
    }

    /// The same with a target.
    pub fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    /// The same with a ceiling.
    pub fn ceiling(self, ceiling: Option<Ceiling>) -> Self {
        Self { ceiling, ..self }
    }

    fn met(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::LeastAndAim(least, _) => self.value >= least,
            Target::Most(most) | Target::MostAndAim(most, _) => self.value <= most,
        })
    }

    fn cells(&self) -> [String; 7] {
        let target = match self.target {
            None => String::new(),
            Some(Target::LeastAndAim(least, aim)) => {
                format!("≥ {} (aim {})", self.unit.show(least), self.unit.show(aim))
            }
            Some(Target::Most(most)) => format!("≤ {}", self.unit.show(most)),
            Some(Target::MostAndAim(most, aim)) => {
                format!("≤ {} (aim {})", self.unit.show(most), self.unit.show(aim))
            }
        };
        let (ceiling, ratio) = match self.ceiling {
            None => (String::new(), String::new()),
            Some(Ceiling { name, value }) => {
                (format!("{} {name}", self.unit.show(value)), format!("{:.2}", self.value / value))
            }
        };
        let met = match self.met() {
            None => "",
            Some(true) => "met",
            Some(false) => "NOT MET",
        };
        [
            self.scenario.into(),
            self.what.clone(),
            self.unit.show(self.value),
            target,
            ceiling,
            ratio,
            met.into(),
        ]
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::EventsPerSecond => format!("{} events/s", thousands(value)),
            Self::PerSecond => format!("{}/s", thousands(value)),
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::Bytes if value >= 1e13 => format!("{:.1} TB", value / 1e12),
            Self::Bytes if value >= 1e10 => format!("{:.1} GB", value / 1e9),
            Self::Bytes if value >= 1e6 => format!("{:.1} MB", value / 1e6),
            Self::Bytes => format!("{} B", thousands(value)),
            Self::Times => format!("{value:.2}×"),
            Self::Percent => format!("{value:.2}%"),
            Self::Rows => thousands(value),
            Self::Processors if value < 100.0 => format!("{value:.1}"),
            Self::Processors => thousands(value),
        }
    }
}

impl Report {
    /// Adds a figure and shows it at once: a long run is followed while it runs.
    pub fn add(&mut self, row: Row) {
        let [scenario, what, figure, target, ceiling, _, met] = row.cells();
        let aside = [target, ceiling, met].into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
        eprintln!("{scenario}: {what}: {figure}  {}", aside.join(", "));
        self.rows.push(row);
    }

    /// Adds that a scenario gave no figure, and why.
    pub fn fail(&mut self, scenario: &str, why: &str) {
        eprintln!("{scenario}: FAILED: {why}");
        self.failures.push((scenario.into(), why.into()));
    }

    /// Whether every scenario gave its figures, met or not.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints all as a plain table.
    pub fn print(&self, machine: &Machine) {
        println!("\n{machine}\n\n{}", Plain(self));
    }

    /// All as Markdown.
    pub fn markdown(&self, machine: &Machine) -> String {
        format!("{machine}\n\n{}", Markdown(self))
    }

    fn cells(&self) -> Vec<[String; 7]> {
        self.rows.iter().map(Row::cells).collect()
    }
}

/// Says what is being done now.
pub fn progress(what: &str) {
    eprintln!("… {what}");
}

/// Says why the program ends.
pub fn complain(why: &str) {
    eprintln!("dregs-bench: {why}");
}

struct Plain<'a>(&'a Report);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.0.cells();
        let width = |column: usize| {
            let lengths = cells.iter().map(|row| row[column].chars().count());
            lengths.max().unwrap_or(0).max(COLUMNS[column].len())
        };
        let widths: [usize; 7] = std::array::from_fn(width);
        let mut line = |row: &[String; 7]| {
            let mut text = String::new();
            for ((cell, width), right) in row.iter().zip(widths).zip(RIGHT) {
                if right { write!(text, "{cell:>width$}  ")? } else { write!(text, "{cell:<width$}  ")? }
            }
            writeln!(out, "{}", text.trim_end())
        };
        line(&COLUMNS.map(str::to_owned))?;
        cells.iter().try_for_each(&mut line)?;
        for (scenario, why) in &self.0.failures {
            writeln!(out, "{scenario}: FAILED: {why}")?;
        }
        Ok(())
    }
}

struct Markdown<'a>(&'a Report);

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| {} |", COLUMNS.join(" | "))?;
        writeln!(out, "|{}|", RIGHT.map(|right| if right { "---:" } else { "---" }).join("|"))?;
        for row in self.0.cells() {
            writeln!(out, "| {} |", row.join(" | "))?;
        }
        for (scenario, why) in &self.0.failures {
            writeln!(out, "\n{scenario} failed: {}", why.lines().next().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// A whole number with a comma between thousands.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        let ceiling = Ceiling { name: "HTTP", value: 20_000.0 };
        report.rows = vec![
            Row::new("ack", "one by one", 9_000.4, Unit::EventsPerSecond)
                .target(Target::LeastAndAim(8_000.0, 12_000.0))
                .ceiling(Some(ceiling)),
            Row::new("steady", "p50", 2.625, Unit::Milliseconds).target(Target::Most(2.5)),
            Row::new("size", "identities", 200_000.0, Unit::Rows),
        ];
        report.failures = vec![("scale".into(), "not done within 600 s".into())];
        report
    }

    #[test]
    fn the_table_says_what_is_met_and_what_is_not() {
        let plain = Plain(&report()).to_string();
        assert_eq!(
            plain,
            "\
scenario                      figure                                  target  ceiling               ratio  met
ack       one by one  9,000 events/s  ≥ 8,000 events/s (aim 12,000 events/s)  20,000 events/s HTTP   0.45  met
steady    p50                2.62 ms                               ≤ 2.50 ms                               NOT MET
size      identities         200,000
scale: FAILED: not done within 600 s
"
        );
    }

    #[test]
    fn markdown_has_the_same_cells() {
        assert_eq!(
            Markdown(&report()).to_string(),
            "\
| scenario |  | figure | target | ceiling | ratio | met |
|---|---|---:|---:|---|---:|---|
| ack | one by one | 9,000 events/s | ≥ 8,000 events/s (aim 12,000 events/s) | 20,000 events/s HTTP | 0.45 | met |
| steady | p50 | 2.62 ms | ≤ 2.50 ms |  |  | NOT MET |
| size | identities | 200,000 |  |  |  |  |

scale failed: not done within 600 s
"
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        for (value, expected) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1_234_567.8, "1,234,568")]
        {
            assert_eq!(thousands(value), expected);
        }
    }
}
