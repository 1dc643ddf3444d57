//! One session's tickets: its private key, and what the session has shown of how its client uses
//! them, which decides whether an upload gets one.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::ProducesTickets;

/// TLS 1.3 tickets that the control connection brings: as many as rustls' clients keep, so that one
/// that uses a ticket once has enough for a few uploads in a row.
pub(super) const WITH_CONTROL: usize = 8;

/// Stateless tickets: a client such as lftp presents one ticket again and again, which a
/// single-use store would refuse at the second file.
#[derive(Debug)]
pub(super) struct Tickets {
    ticketer: Arc<dyn ProducesTickets>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    issued: usize,
    presented: usize,
    last: Vec<u8>,
    reused: bool,
}

impl Tickets {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ok(Self { ticketer: Ticketer::new()?, seen: Mutex::default() })
    }

    /// Whether the client uses each ticket once, as RFC 8446 (appendix C.4) advises, and is about
    /// to have none.
    pub(super) fn run_short(&self) -> bool {
        let seen = self.seen();
        !seen.reused && seen.presented > 0 && seen.presented + 1 >= seen.issued
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.ticketer.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.ticketer.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seen().issued += 1;
        self.ticketer.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.ticketer.decrypt(cipher)?;
        let mut seen = self.seen();
        seen.presented += 1;
        seen.reused |= seen.last == cipher;
        cipher.clone_into(&mut seen.last);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(tickets: &Tickets, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| tickets.encrypt(b"session").unwrap()).collect()
    }

    #[test]
    fn a_client_that_uses_each_ticket_once_runs_short_before_the_last() {
        let tickets = Tickets::new().unwrap();
        let issued = issue(&tickets, 4);
        let short: Vec<bool> = issued
            .iter()
            .map(|ticket| {
                tickets.decrypt(ticket).unwrap();
                tickets.run_short()
            })
            .collect();
        assert_eq!(short, [false, false, true, true]);
        issue(&tickets, 2);
        assert!(!tickets.run_short(), "more have been given");
    }

    #[test]
    fn a_client_that_uses_a_ticket_again_never_runs_short() {
        let tickets = Tickets::new().unwrap();
        let issued = issue(&tickets, 2);
        for _ in 0..5 {
            tickets.decrypt(&issued[0]).unwrap();
        }
        assert!(!tickets.run_short());
    }

    #[test]
    fn a_client_that_presents_none_or_another_session_s_does_not_run_short() {
        let (mine, others) = (Tickets::new().unwrap(), Tickets::new().unwrap());
        assert!(!mine.run_short());
        issue(&mine, 1);
        assert_eq!(mine.decrypt(&issue(&others, 1)[0]), None);
        assert!(!mine.run_short());
    }
}
