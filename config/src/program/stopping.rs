//! The signals that ask a program to stop: SIGTERM, and Ctrl-C. They are listened for from one
//! beginning to the end, so that of two which come close together the second is heard as well.

use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) struct StopSignals {
    terminations: Option<Signal>,
    interrupts: Option<Signal>,
}

impl StopSignals {
    /// From now on none of them ends the program by itself. Call it within a tokio runtime.
    pub(super) fn listen() -> Self {
        Self {
            terminations: listen(SignalKind::terminate(), "SIGTERM"),
            interrupts: listen(SignalKind::interrupt(), "SIGINT"),
        }
    }

    /// Waits for the next one that has come since.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = heard(&mut self.terminations) => tracing::info!("SIGTERM: stopping"),
            () = heard(&mut self.interrupts) => tracing::info!("interrupted: stopping"),
        }
    }
}

fn listen(kind: SignalKind, name: &'static str) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::error!(%error, "{name} can't be waited for")).ok()
}

async fn heard(signals: &mut Option<Signal>) {
    let heard = match signals {
        Some(signals) => signals.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};
    use tokio::time::timeout;

    use super::StopSignals;

    #[tokio::test]
    async fn a_signal_that_comes_while_nobody_waits_is_heard_by_who_waits_next() {
        let (mut stop, mut witness) = (StopSignals::listen(), StopSignals::listen());
        for _ in 0..2 {
            kill_process(getpid(), Signal::TERM).unwrap();
            // It has come by now, and nobody else has waited for it.
            heard(&mut witness).await;
            heard(&mut stop).await;
        }
    }

    async fn heard(stop: &mut StopSignals) {
        timeout(Duration::from_secs(30), stop.next()).await.expect("a signal is heard");
    }
}
