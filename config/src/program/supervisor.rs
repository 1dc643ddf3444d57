//! What systemd is told of a program that it started (`Type=notify`): that it serves, reads its
//! configuration anew, stops. Where nobody listens, nothing is said.

use sd_notify::NotifyState;

/// The addresses are taken, and whoever connects is served.
pub fn tell_ready() {
    tell(&[NotifyState::Ready]);
}

/// Until it is ready again.
pub(super) fn tell_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd can't be told of the reload"),
    }
}

pub(super) fn tell_stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd can't be told of the program's state");
    }
}
