//! The threads that sessions run on: one a core, each with a runtime of its own, and a session
//! never leaves its thread. Waking a thread on another core costs more than a small file, so
//! nothing of a session's work is shared out. This file alone decides that.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

/// Connections handed to a thread and not begun yet.
const QUEUE: usize = 1024;

/// No session's timer ends sooner, but for few.
const BEAT: Duration = Duration::from_secs(1);

/// Makes a session's future on the thread it will run on.
pub(crate) type Begin = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The threads. Dropping this lets each end when its sessions are done or dropped.
pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    queue: mpsc::Sender<Begin>,
    sessions: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts one thread a core.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (0..cores).map(Worker::start).collect::<io::Result<Vec<_>>>().map(Self)
    }

    /// Begins a session on the thread that has the fewest.
    pub(crate) async fn begin(&self, session: Begin) {
        let least = self.0.iter().min_by_key(|worker| worker.sessions.load(Ordering::Relaxed));
        let Some(worker) = least else { return };
        worker.sessions.fetch_add(1, Ordering::Relaxed);
        if worker.queue.send(session).await.is_err() {
            tracing::error!("a worker thread has ended; its session is dropped");
        }
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (queue, mut begun) = mpsc::channel::<Begin>(QUEUE);
        let sessions = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sessions);
        thread::Builder::new().name(format!("sessions-{number}")).spawn(move || {
            runtime.block_on(async move {
                tokio::spawn(beat());
                while let Some(begin) = begun.recv().await {
                    let place = Counted(Arc::clone(&count));
                    tokio::spawn(async move {
                        begin().await;
                        drop(place);
                    });
                }
            });
        })?;
        Ok(Self { queue, sessions })
    }
}

/// A timer that ends before all that the runtime waits for costs a system call, by which it wakes itself.
/// Beside this one hardly any does.
async fn beat() {
    loop {
        sleep(BEAT).await;
    }
}

/// Counts a session off, also where its task panics.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
