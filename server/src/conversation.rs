//! The only loop over a control connection: a command line, a running transfer, a call to end,
//! the idle clock, whichever comes first. Only this file writes to the control connection, so
//! replies never mix. It knows no dialect: words and codes come from a [`Dialogue`].

mod dialogue;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::ServerConfig;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub(crate) use dialogue::{Dialogue, Interruption, Notice, Patience, Step};

use crate::control::{Control, Line};
use crate::registry::{Live, News};
use crate::transfer::{Job, Meter, Outcome, TransferError};

/// How long a peer may take to accept the last words.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How the conversation goes on.
enum Next {
    Continue,
    Close,
}

/// Talks until one side ends it.
pub(crate) async fn converse(
    mut control: Control,
    mut dialogue: impl Dialogue,
    live: &Live,
    stalled: Duration,
) {
    let talk = async {
        control.send(&dialogue.greeting()).await?;
        while let Next::Continue = turn(&mut control, &mut dialogue, live, stalled).await? {}
        Ok::<_, io::Error>(())
    };
    if let Err(error) = talk.await {
        tracing::debug!(%error, session = live.id, "the control connection broke");
    }
    // What the session held, its passive port above all, does not wait for the peer to close.
    drop(dialogue);
    control.close().await;
}

/// One line and what comes of it.
async fn turn(
    control: &mut Control,
    dialogue: &mut impl Dialogue,
    live: &Live,
    stalled: Duration,
) -> io::Result<Next> {
    let (silence, notice) = match dialogue.patience() {
        Patience::Login(until) => (until, Notice::LoginTimeout),
        Patience::Idle(time) => (Instant::now() + time, Notice::Idle),
    };
    let heard = tokio::select! {
        biased;
        ending = live.ended(false) => Err(Notice::Ended(ending)),
        line = control.line() => Ok(line?),
        () = sleep_until(silence) => Err(notice),
        () = dialogue.meanwhile() => return Ok(Next::Continue),
    };
    let line = match heard {
        Ok(line) => line,
        Err(notice) => return farewell(control, dialogue, notice).await,
    };
    let line = match line {
        Line::Command(line) => line,
        Line::TooLong => {
            say(control, live, &dialogue.notice(Notice::LineTooLong)).await?;
            return Ok(Next::Continue);
        }
        Line::End => return Ok(Next::Close),
    };
    // What is large and does not last is on the heap: an idle session is not to hold room for it.
    let step = tokio::select! {
        biased;
        step = Box::pin(dialogue.answer(&line)) => step,
        // A command under way is worth waiting for while draining, and no longer.
        ending = live.ended(true) => return farewell(control, dialogue, Notice::Ended(ending)).await,
    };
    match step {
        Step::Reply(reply) => say(control, live, &reply).await.map(|()| Next::Continue),
        Step::Close(reply) => say(control, live, &reply).await.map(|()| Next::Close),
        Step::StartTls(reply, config) => Box::pin(upgrade(control, dialogue, live, reply, config)).await,
        Step::LeaveTls(reply) => {
            Box::pin(control.leave_tls(&reply)).await?;
            live.note(|doing| doing.tls = None);
            Ok(Next::Continue)
        }
        Step::Transfer(opening, transfer) => {
            say(control, live, &opening).await?;
            Box::pin(carry(control, dialogue, live, stalled, transfer)).await
        }
        Step::Work(job) => Box::pin(carry(control, dialogue, live, stalled, job)).await,
    }
}

/// Sends a reply; a peer who doesn't take it can't keep a session that is to end.
async fn say(control: &mut Control, live: &Live, reply: &[u8]) -> io::Result<()> {
    tokio::select! {
        biased;
        sent = control.send(reply) => sent,
        _ = live.ended(true) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// The last words, for a peer who takes them at once.
async fn farewell(control: &mut Control, dialogue: &mut impl Dialogue, notice: Notice) -> io::Result<Next> {
    let words = dialogue.notice(notice);
    let said = timeout(LAST_WORDS, control.send(&words)).await;
    said.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(|()| Next::Close)
}

/// RFC 4217 §4: the reply in clear, then the handshake. Bytes that came in clear behind the
/// request are never run, on either side of the upgrade.
async fn upgrade(
    control: &mut Control,
    dialogue: &mut impl Dialogue,
    live: &Live,
    reply: Vec<u8>,
    config: Arc<ServerConfig>,
) -> io::Result<Next> {
    if control.has_unread_input() {
        tracing::warn!(client = %control.ends().client.ip(), "clear text after the request for TLS; connection closed");
        return farewell(control, dialogue, Notice::ClearTextAfterUpgrade).await;
    }
    control.send(&reply).await?;
    let protection = control.start_tls(config).await?;
    live.note(|doing| doing.tls = Some((protection.version, protection.cipher)));
    dialogue.secured(protection);
    Ok(Next::Continue)
}

/// Polls the transfer beside the command line until one of them ends it.
async fn carry(
    control: &mut Control,
    dialogue: &mut impl Dialogue,
    live: &Live,
    stalled: Duration,
    job: Job,
) -> io::Result<Next> {
    let Job { meter, patience, mut needs, run: mut transfer } = job;
    let mut watch = pin!(stall(&meter, patience + stalled, stalled));
    let (mut leaving, mut left) = (false, false);
    loop {
        tokio::select! {
            biased;
            news = live.news(needs.version) => match news {
                News::Ending(ending) => {
                    drop(transfer);
                    farewell(control, dialogue, Notice::TransferEnded).await?;
                    return farewell(control, dialogue, Notice::Ended(ending)).await;
                }
                News::User(user) if needs.are_met_by(&user) => {
                    needs.version = user.version;
                    meter.revise();
                }
                News::User(_) => {
                    drop(transfer);
                    return fail(control, dialogue, live, TransferError::Forbidden).await;
                }
            },
            outcome = &mut transfer => {
                say(control, live, &dialogue.transferred(outcome)).await?;
                return Ok(Next::Continue);
            }
            () = &mut watch => {
                drop(transfer);
                return fail(control, dialogue, live, TransferError::Stalled).await;
            }
            line = control.fresh_line(), if !left && control.can_postpone() => {
                match heard(line?, control, dialogue, live, &meter).await? {
                    Heard::GoOn => {}
                    Heard::Leaving => leaving = true,
                    Heard::Abort => {
                        drop(transfer);
                        say(control, live, &dialogue.aborted()).await?;
                        return Ok(Next::Continue);
                    }
                    // Who said goodbye may go; the transfer was to be finished first.
                    Heard::Gone if leaving => left = true,
                    Heard::Gone => return Ok(Next::Close),
                }
            }
        }
    }
}

/// A transfer was dropped; the session goes on.
async fn fail(
    control: &mut Control,
    dialogue: &mut impl Dialogue,
    live: &Live,
    error: TransferError,
) -> io::Result<Next> {
    let outcome = Outcome { result: Err(error), handshake: None };
    say(control, live, &dialogue.transferred(outcome)).await.map(|()| Next::Continue)
}

/// What a line during a transfer means for the transfer.
enum Heard {
    GoOn,
    /// The session is to end after the transfer.
    Leaving,
    Abort,
    /// The peer has closed the control connection; RFC 959 §4.1.1: that ends the transfer.
    Gone,
}

async fn heard(
    line: Line,
    control: &mut Control,
    dialogue: &mut impl Dialogue,
    live: &Live,
    meter: &Meter,
) -> io::Result<Heard> {
    let line = match line {
        Line::Command(line) => line,
        Line::TooLong => {
            say(control, live, &dialogue.notice(Notice::LineTooLong)).await?;
            return Ok(Heard::GoOn);
        }
        Line::End => return Ok(Heard::Gone),
    };
    // Replies keep the order of the commands: behind a line that waits, only ABOR is not too late.
    let behind = control.has_postponed();
    match dialogue.interrupt(&line, meter) {
        Interruption::Abort => Ok(Heard::Abort),
        Interruption::Reply(reply) if !behind => say(control, live, &reply).await.map(|()| Heard::GoOn),
        interruption => {
            control.postpone(line);
            Ok(if matches!(interruption, Interruption::Leave) { Heard::Leaving } else { Heard::GoOn })
        }
    }
}

/// Ends when no byte has moved for the time given; the first round lasts longer, because the
/// data connection has to come about first.
async fn stall(meter: &Meter, first: Duration, stalled: Duration) {
    let mut wait = first;
    loop {
        let before = meter.bytes();
        sleep(wait).await;
        if meter.bytes() == before {
            return;
        }
        wait = stalled;
    }
}
