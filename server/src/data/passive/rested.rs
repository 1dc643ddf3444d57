//! Ports that no session has any more, open for some seconds still: whoever transfers many small files
//! claims one for each, and to open and close a port costs more than the file. Who connected to one in the
//! meantime, or late, is hung up on before it is somebody's again.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use socket2::SockRef;
use tokio::time::{Instant, sleep};

use super::{BACKLOG, Port, lock};

/// For how long at the least; twice that at the most.
const REST: Duration = Duration::from_secs(5);
/// Ports that a thread keeps.
const KEPT: usize = 16;
/// A client that closes first has a pair of ports in `TIME_WAIT` for each connection, a minute long. So one
/// port is not for all of a client's files.
const MOST_CLAIMS: u32 = 256;

/// The resting ports of all threads.
#[derive(Default)]
pub(super) struct Rested(Mutex<Vec<Rest>>);

struct Rest {
    port: Arc<Port>,
    /// Whose runtime watches the socket; for another thread it would be woken.
    thread: ThreadId,
    since: Instant,
}

impl Rested {
    /// Keeps a port that nobody has.
    pub(super) fn keep(&self, port: &Arc<Port>) {
        let thread = thread::current().id();
        let mut all = lock(&self.0);
        let kept = all.iter().filter(|rest| rest.thread == thread).count();
        if kept < KEPT && port.claims() < MOST_CLAIMS {
            all.push(Rest { port: Arc::clone(port), thread, since: Instant::now() });
        }
    }

    /// The one of this thread, on this address, that has rested longest.
    pub(super) fn take(&self, local: IpAddr) -> Option<Arc<Port>> {
        let thread = thread::current().id();
        let mut all = lock(&self.0);
        let fits = |rest: &Rest| rest.thread == thread && rest.port.address.ip() == local;
        let port = all.iter().position(fits).map(|found| all.remove(found).port)?;
        drop(all);
        for _ in 0..BACKLOG {
            if SockRef::from(&port.listener).accept().is_err() {
                break;
            }
        }
        Some(port)
    }

    /// Closes those of every thread; whether there were any.
    pub(super) fn close(&self) -> bool {
        !std::mem::take(&mut *lock(&self.0)).is_empty()
    }

    /// Closes each when its time is over, for ever.
    pub(super) async fn tidy(&self) {
        loop {
            sleep(REST).await;
            lock(&self.0).retain(|rest| rest.since.elapsed() < REST);
        }
    }
}
