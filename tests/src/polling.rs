//! Asking again until the answer is the wanted one: for what no event tells, such as another
//! program's recovery or a deadline kept in its store.

use std::thread;
use std::time::{Duration, Instant};

/// Between two questions; far below every deadline in these tests.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer, and fails with `what` was waited for when the time runs out.
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain: {what}");
        thread::sleep(PAUSE);
    }
}
