//! `cusp copy`: everything of one place into another, whatever kind each is.

use std::time::Instant;

use super::Trouble;
use super::books::{self, Copied, Progress};
use super::terminal::Terminal;
use crate::config::Place;

/// How far a copy must have come before another line tells of it, when nobody watches: in percent.
const LINE_EVERY: u64 = 10;

/// Copies, or goes on copying.
pub fn run(from: Place, to: Place, replace: bool, terminal: &Terminal) -> Result<(), Trouble> {
    let mut meter = Meter::new(terminal);
    let outcome = books::copy(from, to, replace, &mut |progress| meter.show(progress));
    terminal.progress_ends();
    if outcome.is_err() && meter.part.is_some() {
        terminal.note("cusp: what was copied stays there; run the same command again to go on");
    }
    let copied = outcome?;
    for difference in &copied.differences {
        terminal.say(difference)?;
    }
    match verdict(&copied) {
        Ok(text) => terminal.say(&text),
        Err(text) => Err(Trouble::Refused(text)),
    }
}

fn verdict(copied: &Copied) -> Result<String, String> {
    let Copied { rows, accounts, differences, difference_count } = copied;
    if *difference_count == 0 {
        return Ok(format!(
            "copied {rows} rows of {accounts} accounts (each mode for itself); both sides are the same"
        ));
    }
    let untold = difference_count.saturating_sub(differences.len() as u64);
    let untold = if untold == 0 { String::new() } else { format!(", the last {untold} of them not told") };
    Err(format!(
        "the copy is not what the source is (differences: {difference_count}{untold}): something has written to one of \
         them meanwhile; stop it and run the same command again, which starts over"
    ))
}

/// Shows how far a copy is: all the time to somebody who watches, else now and then on a line of its own.
struct Meter<'t> {
    terminal: &'t Terminal,
    /// What is done, since when, and how many rows of it were done then.
    part: Option<(&'static str, Instant, u64)>,
    shown: u64,
}

impl Meter<'_> {
    fn new(terminal: &Terminal) -> Meter<'_> {
        Meter { terminal, part: None, shown: 0 }
    }

    fn show(&mut self, progress: Progress) {
        let (word, done, all) = match progress {
            Progress::Copying { done, all } => ("copied", done, all),
            Progress::Comparing { done, all } => ("compared", done, all),
        };
        let percent = percent(done, all);
        let (began, before) = match self.part {
            Some((part, began, before)) if part == word => (began, before),
            Some(_) | None => {
                self.terminal.progress_ends();
                self.part = Some((word, Instant::now(), done));
                self.shown = percent / LINE_EVERY;
                self.tell(&line(word, done, all, None));
                return;
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        let text = line(word, done, all, (seconds > 1.0).then(|| (done - before) as f64 / seconds));
        if self.terminal.is_watched() {
            self.terminal.progress(&text);
        } else if percent / LINE_EVERY > self.shown {
            self.shown = percent / LINE_EVERY;
            self.terminal.note(&text);
        }
    }

    fn tell(&self, text: &str) {
        match self.terminal.is_watched() {
            true => self.terminal.progress(text),
            false => self.terminal.note(text),
        }
    }
}

/// More rows than there were at first do not make more than everything.
fn percent(done: u64, all: u64) -> u64 {
    (u128::from(done) * 100 / u128::from(all.max(1))).min(100) as u64
}

fn line(word: &str, done: u64, all: u64, rate: Option<f64>) -> String {
    let rate = rate.map_or(String::new(), |rate| format!(", {rate:.0} rows/s"));
    format!("{word}: {done} of {all} rows, {} %{rate}", percent(done, all))
}

#[cfg(test)]
mod tests {
    use super::{Copied, line, verdict};

    #[test]
    fn a_line_tells_how_far_it_is() {
        assert_eq!(line("copied", 0, 0, None), "copied: 0 of 0 rows, 0 %");
        assert_eq!(line("copied", 5, 20, Some(1234.5)), "copied: 5 of 20 rows, 25 %, 1234 rows/s");
        assert_eq!(line("compared", 21, 20, None), "compared: 21 of 20 rows, 100 %");
    }

    #[test]
    fn a_single_difference_makes_a_bad_end() {
        let found = |told, difference_count| {
            verdict(&Copied { rows: 7, accounts: 1, differences: vec!["one".into(); told], difference_count })
        };
        assert!(found(0, 0).is_ok_and(|text| text.starts_with("copied 7 rows of 1 accounts")));
        assert!(found(1, 1).is_err_and(|text| text.contains("(differences: 1):")));
        assert!(found(2, 9).is_err_and(|text| text.contains("9, the last 7 of them not told")));
    }
}
