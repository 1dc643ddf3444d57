//! What a program prints, collected by a thread as it comes, so that a test can wait for a line
//! instead of guessing how long it takes. Ends when the program closes its end.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The lines of one output of one program.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Follows an output until its end.
    pub fn follow(output: impl Read + Send + 'static) -> Lines {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let lines = Lines(Arc::clone(&shared));
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n') {
                let Ok(line) = line else { break };
                shared.state.lock().unwrap().lines.push(String::from_utf8_lossy(&line).into_owned());
                shared.changed.notify_all();
            }
            shared.state.lock().unwrap().ended = true;
            shared.changed.notify_all();
        });
        lines
    }

    /// Waits until `find` finds what it looks for in the lines so far. `None` when the output
    /// ended or the time ran out before.
    pub fn wait_for<T>(&self, limit: Duration, mut find: impl FnMut(&[String]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut state = self.0.state.lock().unwrap();
        loop {
            if let Some(found) = find(&state.lines) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for the end of the output; whether it came in time.
    pub fn wait_for_end(&self, limit: Duration) -> bool {
        let state = self.0.state.lock().unwrap();
        let (state, _) = self.0.changed.wait_timeout_while(state, limit, |state| !state.ended).unwrap();
        state.ended
    }

    /// All lines so far, as one text.
    pub fn text(&self) -> String {
        self.0.state.lock().unwrap().lines.join("\n")
    }
}
