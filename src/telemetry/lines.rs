//! Lines on their way out: a bounded buffer that any thread adds to and one thread writes from, so that no request ever
//! waits for a terminal, a pipe or a disk. When the buffer is full a line is lost and counted.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// The most bytes that may wait to be written.
pub const MAX_WAITING_BYTES: usize = 8 << 20;
/// How long a line may wait for others, to be written together with them.
const GATHER: Duration = Duration::from_millis(50);
/// From so many bytes on, nothing waits for others.
const ENOUGH_BYTES: usize = 64 << 10;

/// Where lines are added.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    /// Something to write, or nothing more to come.
    news: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    hurried: bool,
    closed: bool,
}

/// How soon a line should be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hurry {
    /// Now.
    Now,
    /// Together with those that follow shortly.
    Gather,
}

/// How long the end of the program waits for the last lines to be taken.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The thread that writes. Dropping it writes what is left, or gives up when nobody takes it.
pub struct Writer {
    lines: Lines,
    done: mpsc::Receiver<()>,
}

impl Lines {
    /// A buffer, and the thread that empties it into `out`.
    pub fn new(out: impl Write + Send + 'static) -> (Lines, Writer) {
        let lines =
            Lines(Arc::new(Shared { waiting: Mutex::default(), news: Condvar::new(), lost: AtomicU64::new(0) }));
        let shared = lines.0.clone();
        let (ended, done) = mpsc::channel();
        thread::Builder::new()
            .name("log".into())
            .spawn(move || {
                shared.write_out(out);
                drop(ended);
            })
            .expect("the system has room for one more thread");
        (lines.clone(), Writer { lines, done })
    }

    /// Adds a whole line, or loses it when there is no room.
    pub fn add(&self, line: &[u8], hurry: Hurry) {
        let mut waiting = self.0.waiting.lock();
        if waiting.closed || waiting.bytes.len() + line.len() > MAX_WAITING_BYTES {
            drop(waiting);
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = waiting.bytes.len();
        waiting.bytes.extend_from_slice(line);
        waiting.hurried |= hurry == Hurry::Now;
        // Waking a thread costs more than the line itself, so it is done for the first line of a batch, for the one
        // that makes it large enough, and for one in a hurry.
        let wake = before == 0 || hurry == Hurry::Now || (before < ENOUGH_BYTES && waiting.bytes.len() >= ENOUGH_BYTES);
        drop(waiting);
        if wake {
            self.0.news.notify_one();
        }
    }

    /// How many lines found no room.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn write_out(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.bytes.is_empty() && !waiting.closed {
                self.news.wait(&mut waiting);
            }
            self.news.wait_while_for(
                &mut waiting,
                |waiting| !waiting.hurried && !waiting.closed && waiting.bytes.len() < ENOUGH_BYTES,
                GATHER,
            );
            if waiting.bytes.is_empty() {
                return;
            }
            std::mem::swap(&mut batch, &mut waiting.bytes);
            waiting.hurried = false;
            drop(waiting);
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                let lines = batch.iter().filter(|byte| **byte == b'\n').count();
                self.lost.fetch_add(lines as u64, Ordering::Relaxed);
            }
            batch.clear();
            batch.shrink_to(2 * ENOUGH_BYTES);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lines.0.waiting.lock().closed = true;
        self.lines.0.news.notify_one();
        // Nothing is ever sent: the wait ends when the thread does, or when it is long enough.
        let _ = self.done.recv_timeout(LAST_WORDS);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;
    use std::sync::mpsc;

    use parking_lot::Mutex;

    use super::{Hurry, Lines, MAX_WAITING_BYTES};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_once_and_whole_by_the_end() {
        let kept = Kept::default();
        let (lines, writer) = Lines::new(kept.clone());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let lines = &lines;
                scope.spawn(move || {
                    for number in 0..500 {
                        let hurry = if number % 7 == 0 { Hurry::Now } else { Hurry::Gather };
                        lines.add(format!("{thread} {number}\n").as_bytes(), hurry);
                    }
                });
            }
        });
        drop(writer);
        let text = String::from_utf8(kept.0.lock().clone()).expect("lines are text");
        for thread in 0..4 {
            let mine: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(&format!("{thread} "))).collect();
            assert_eq!(mine, (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
        }
        assert_eq!(lines.lost(), 0);
    }

    /// Lets one write through for each token it is given.
    struct Gate(mpsc::Receiver<()>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_nobody_waits() {
        let (open, gate) = mpsc::channel();
        let (lines, writer) = Lines::new(Gate(gate));
        // The writer may take one full buffer away to the closed gate; the second and third cannot both fit.
        let large = vec![b'x'; MAX_WAITING_BYTES];
        for _ in 0..3 {
            lines.add(&large, Hurry::Now);
        }
        assert!((1..=2).contains(&lines.lost()), "{}", lines.lost());
        for _ in 0..3 {
            open.send(()).expect("the writer is there");
        }
        drop(writer);
        let lost = lines.lost();
        lines.add(b"too late\n", Hurry::Now);
        assert_eq!(lines.lost(), lost + 1);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted() {
        let (open, gate) = mpsc::channel::<()>();
        drop(open);
        let (lines, writer) = Lines::new(Gate(gate));
        for _ in 0..3 {
            lines.add(b"a line\n", Hurry::Gather);
        }
        drop(writer);
        assert_eq!(lines.lost(), 3);
    }
}
