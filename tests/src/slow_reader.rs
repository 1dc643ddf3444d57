//! A client that takes its download slowly, so that a test can act while it runs.

use std::io::Read;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::wire::Wire;

/// Reads a download at about 3 MB/s, as a thin line does.
pub struct SlowReader {
    stop: Sender<()>,
    thread: JoinHandle<(u64, u64)>,
}

impl SlowReader {
    /// Reads until told to stop; returns when the first bytes have come.
    pub fn start(mut wire: Wire) -> SlowReader {
        let (stop, stopped) = mpsc::channel();
        let (first, started) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut buffer = [0; 1 << 14];
            let mut early = 0;
            while stopped.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
                let Ok(size @ 1..) = wire.read(&mut buffer) else { return (early, early) };
                early += size as u64;
                let _ = first.send(());
            }
            (early, early + wire.drain())
        });
        started.recv().expect("the download begins");
        SlowReader { stop, thread }
    }

    /// How much had come until now, and how much when the connection ended.
    pub fn stop(self) -> (u64, u64) {
        // The connection may have ended, and the thread with it.
        let _ = self.stop.send(());
        self.thread.join().unwrap()
    }
}
