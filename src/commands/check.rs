//! `cusp check`: reads everything in a data folder or a database and tells what is wrong with it.

use super::Trouble;
use super::books::{self, CheckSummary};
use super::terminal::Terminal;
use crate::config::Place;

/// Checks the data of a place; faults are printed, one a line, and are a trouble.
pub fn run(place: Place, terminal: &Terminal) -> Result<(), Trouble> {
    let outcome = books::check(place, &mut |part| terminal.progress(&part));
    terminal.progress_ends();
    let (place, summary) = outcome?;
    for fault in &summary.faults {
        terminal.say(fault)?;
    }
    match verdict(&place, &summary) {
        Ok(text) => terminal.say(&text),
        Err(text) => Err(Trouble::Refused(text)),
    }
}

fn verdict(place: &str, summary: &CheckSummary) -> Result<String, String> {
    let untold = summary.fault_count.saturating_sub(summary.faults.len() as u64);
    let read = format!(
        "schema {}, {} accounts (each mode for itself), {} keys, {} customers, {} balance transactions, {} events, \
         {} objects, {} webhook deliveries",
        summary.schema,
        summary.accounts,
        summary.api_keys,
        summary.customers,
        summary.balance_transactions,
        summary.events,
        summary.objects,
        summary.deliveries
    );
    match (summary.fault_count, untold) {
        (0, _) => Ok(format!("no faults in {place}: {read}")),
        (all, 0) => Err(format!("faults in {place}: {all} ({read})")),
        (all, untold) => Err(format!("faults in {place}: {all}, the last {untold} of them not told ({read})")),
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckSummary, verdict};

    fn found(faults: usize, fault_count: u64) -> Result<String, String> {
        let faults = vec!["a row without its key".to_string(); faults];
        verdict("data", &CheckSummary { faults, fault_count, customers: 3, ..CheckSummary::default() })
    }

    #[test]
    fn a_single_fault_makes_a_bad_end() {
        assert!(found(0, 0).is_ok_and(|text| text.starts_with("no faults in data: ") && text.contains("3 customers")));
        assert!(found(1, 1).is_err_and(|text| text.starts_with("faults in data: 1 (")));
        assert!(found(2, 9).is_err_and(|text| text.contains("9, the last 7 of them not told")));
    }
}
