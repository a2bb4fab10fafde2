//! What one kind of work came to, round by round, and how it compares with another.

/// The figures of each round.
#[derive(Default)]
pub struct Rates {
    pub per_second: Vec<f64>,
    /// Processor time of the server for one request, in microseconds.
    pub processor_microseconds: Vec<f64>,
    /// The same of the load.
    pub load_microseconds: Vec<f64>,
}

impl Rates {
    pub fn median(&self) -> f64 {
        median(self.per_second.clone())
    }

    pub fn median_processor_microseconds(&self) -> f64 {
        median(self.processor_microseconds.clone())
    }

    /// What the rate would be of that one's if nothing but the processor counted: the load's part and the server's.
    pub fn by_processor_over(&self, other: &Rates) -> f64 {
        let whole = |rates: &Rates| median(rates.load_microseconds.clone()) + rates.median_processor_microseconds();
        whole(other) / whole(self)
    }

    /// The median over the rounds of this rate over that one: what both saw of the machine's mood cancels out.
    pub fn over(&self, other: &Rates) -> f64 {
        median(self.per_second.iter().zip(&other.per_second).map(|(own, other)| own / other).collect())
    }
}

/// The middle one of the values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}
