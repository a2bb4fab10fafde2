//! How long the disk itself takes to keep a write. No durable server can be faster than this, only share it better.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::Trouble;

/// How often each size is written; the median counts.
const TIMES: usize = 100;

/// The median time of appending so many bytes and waiting for `fdatasync`.
pub fn sync_milliseconds(folder: &Path, bytes: usize) -> Result<f64, Trouble> {
    let path = folder.join("sync-time");
    let mut file = File::create(&path)?;
    let block = vec![0x5A; bytes];
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    times.sort();
    Ok(times[TIMES / 2].as_secs_f64() * 1e3)
}
