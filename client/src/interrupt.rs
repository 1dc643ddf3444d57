//! Ctrl-C: what runs is told to stop, and ends in good order. The second time, or where nothing
//! that can be stopped is under way, the program ends at once.
//!
//! A transfer polls the flag and resets its data connection, because an end of file would tell a
//! server that what it got is the whole file. An idle control connection is closed from here.

use std::{
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::failure::Failure;

/// The exit code of a program that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// The one handle to it; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    came: AtomicBool,
    asking: AtomicBool,
    transfers: AtomicUsize,
    connections: Mutex<Vec<TcpStream>>,
}

/// A transfer under way; it promises to look at [`Interrupt::check`] often.
pub(crate) struct Transferring<'a>(&'a State);

impl Interrupt {
    /// Hears Ctrl-C and SIGTERM from now on.
    pub(crate) fn install() -> Result<Interrupt, Failure> {
        let unheard = |error| Failure::Local { path: "signals".into(), error };
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(unheard)?;
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        let terminal = terminal_state();
        thread::spawn(move || {
            for _ in signals.forever() {
                heard.fire(terminal.as_ref());
            }
        });
        Ok(interrupt)
    }

    /// Fails once Ctrl-C has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.0.came.load(Ordering::Relaxed) { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// Forgets it: the shell goes on with its next command.
    pub(crate) fn clear(&self) {
        self.0.came.store(false, Ordering::Relaxed);
    }

    /// Asks somebody something; Ctrl-C ends the program there, with the terminal as it was.
    pub(crate) fn while_asking<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.0.asking.store(true, Ordering::Relaxed);
        let answer = ask();
        self.0.asking.store(false, Ordering::Relaxed);
        answer
    }

    /// Closes this connection when Ctrl-C comes and no transfer runs.
    pub(crate) fn watch(&self, connection: &TcpStream) {
        if let Ok(connection) = connection.try_clone() {
            self.0.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// While this lives, Ctrl-C is the transfer's business.
    pub(crate) fn transferring(&self) -> Transferring<'_> {
        self.0.transfers.fetch_add(1, Ordering::Relaxed);
        Transferring(&self.0)
    }

    fn fire(&self, terminal: Option<&Termios>) {
        let again = self.0.came.swap(true, Ordering::Relaxed);
        if self.0.transfers.load(Ordering::Relaxed) > 0 && !again {
            return;
        }
        let mut connections = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if again || connections.is_empty() || self.0.asking.load(Ordering::Relaxed) {
            if let Some(terminal) = terminal {
                // Nothing is left to do about it, if it fails.
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, terminal);
            }
            std::process::exit(EXIT_CODE);
        }
        for connection in connections.drain(..) {
            // Fails only where it is closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Transferring<'_> {
    fn drop(&mut self) {
        self.0.transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How the terminal is now: with echo, as it must be left.
fn terminal_state() -> Option<Termios> {
    isatty(std::io::stdin()).then(|| tcgetattr(std::io::stdin()).ok())?
}
