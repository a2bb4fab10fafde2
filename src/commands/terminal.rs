//! Words for whoever sits at the terminal: results on stdout, remarks and progress on stderr. A closed pipe is an error
//! to hand on, never a panic.

use std::io::{self, IsTerminal, Write};

use super::Trouble;

/// The process's own stdout and stderr.
pub struct Terminal {
    watched: bool,
}

impl Terminal {
    /// Whether somebody watches is asked once.
    pub fn standard() -> Terminal {
        Terminal { watched: io::stderr().is_terminal() }
    }

    /// Whether somebody sees progress as it is made.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// Writes a result, and a line's end.
    pub fn say(&self, text: &str) -> Result<(), Trouble> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        Ok(stdout.flush()?)
    }

    /// Writes a remark, and a line's end. When nobody takes it, nothing is lost.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Writes over the line of progress before; only for somebody who watches.
    pub fn progress(&self, text: &str) {
        if self.watched {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    }

    /// Takes the line of progress away.
    pub fn progress_ends(&self) {
        self.progress("");
    }
}

/// Rows under their headings, in columns.
pub fn table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(headings[column].len())
    });
    let headings = headings.map(String::from);
    let lines = std::iter::once(&headings).chain(rows).map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An operator's own words as one cell: nothing in them moves the cursor, and there is always something to see.
pub fn cell(text: Option<&str>) -> String {
    match text {
        Some(text) if !text.is_empty() => text.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
        Some(_) | None => "-".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{cell, table};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["1".to_string(), "née".into(), "x".into()], ["1234".into(), "-".into(), "".into()]];
        assert_eq!(table(["ID", "NAME", "Z"], &rows), "ID    NAME  Z\n1     née   x\n1234  -");
    }

    #[test]
    fn a_label_cannot_move_the_cursor() {
        assert_eq!(cell(Some("a\x1b[2J\nb")), "a?[2J?b");
        assert_eq!([cell(Some("")), cell(None)], ["-", "-"]);
    }
}
