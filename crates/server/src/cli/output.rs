//! What people see: lines, columns and colors. The only place that writes to the terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use crate::config;

/// Spaces between two columns.
const GAP: &str = "  ";

/// Writes a line to standard output. Who reads it may have gone (`dregs config | head`): then
/// there is nobody to tell.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes a line to standard error.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// What went wrong, without what only a programmer asks for: `(io: Connection refused (os error 111))`.
pub fn plain(text: &str) -> String {
    let mut plain = text.replace("(io: ", "(").replace("i/o error: ", "");
    while let Some(at) = plain.find(" (os error ") {
        let end = plain[at..].find(')').map_or(plain.len(), |length| at + length + 1);
        plain.replace_range(at..end, "");
    }
    plain
}

/// `1 event`, `2 events`, `2 identities`: the noun in the number that goes with the count.
pub fn counted(count: u64, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Warning,
    Strong,
    Quiet,
}

/// Colors, on a terminal that wants them.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    is_colored: bool,
}

impl Paint {
    /// For standard output, as it is now.
    pub fn for_stdout() -> Self {
        Self { is_colored: io::stdout().is_terminal() && config::wants_color() }
    }

    /// Without colors.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self { is_colored: false }
    }

    /// `text` in the color of `tone`. Align before painting: colors take no width on the screen
    /// but do in a format string.
    pub fn paint(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Warning => 33,
            Tone::Strong => 1,
            Tone::Quiet => 2,
        };
        if self.is_colored { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Rows as lines with aligned columns.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let aligned = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    });
    aligned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "bb", "c"], ["aaa", "", "c"], ["ä", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), ["a    bb  c", "aaa      c", "ä    b"]);
    }

    #[test]
    fn nouns_go_with_their_counts() {
        let said =
            [0, 1, 2].map(|count| format!("{}, {}", counted(count, "event"), counted(count, "identity")));
        assert_eq!(said, ["0 events, 0 identities", "1 event, 1 identity", "2 events, 2 identities"]);
    }

    #[test]
    fn colours_are_left_out_where_they_are_not_wanted() {
        assert_eq!(Paint { is_colored: true }.paint(Tone::Bad, 12), "\x1b[31m12\x1b[0m");
        assert_eq!(Paint { is_colored: false }.paint(Tone::Bad, 12), "12");
    }
}
