//! FTP: the dialect of RFC 959 and its successors, over the core that any dialect shares.
//! Before login and after login are different code; a [`session::Session`] is made from a
//! `LoggedIn` and from nothing else, so no command can run for nobody.

mod channel;
mod digests;
mod files;
mod listing;
mod login;
mod replies;
mod running;
mod session;
mod site;
mod transfers;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use wharfinger_accounts::Protocol;
use wharfinger_protocol::ftp::{Code, Command, Reply};

use crate::control::Protection;
use crate::conversation::{Dialogue, Interruption, Notice, Patience, Step};
use crate::link;
use crate::login::LoggedIn;
use crate::transfer::{Meter, Outcome};

pub(crate) use replies::turned_away;

use login::Login;
use session::Session;

/// One FTP client's conversation.
pub(crate) struct Ftp {
    link: Link,
    phase: Phase,
}

enum Phase {
    Login(Login),
    Session(Box<Session>),
}

/// The connection, and what FTP has to know of it besides.
struct Link {
    inner: link::Link,
    /// PBSZ has been given, so PROT may be.
    buffer_size_given: bool,
    /// HOST, until TLS begins.
    host: Option<String>,
}

/// What a command leads to.
enum Answer {
    Step(Step),
    /// The login succeeded: from now on a session.
    Enter(Reply, LoggedIn),
    /// REIN: back to before the login.
    Leave(Reply),
    /// AUTH: back to before the login, and TLS.
    Upgrade(Reply),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Step(Step::Reply(wire(&reply)))
    }
}

impl Ftp {
    pub(crate) fn new(link: link::Link) -> Self {
        let link = Link { inner: link, buffer_size_given: false, host: None };
        let login = Login::new(&link);
        Self { link, phase: Phase::Login(login) }
    }

    /// REIN and AUTH: nobody is logged in. Who wasn't before has no more time and no more
    /// attempts than they had.
    fn before_login(&mut self) {
        self.link.live.log_out();
        self.phase = Phase::Login(match &self.phase {
            Phase::Login(login) => login.again(),
            Phase::Session(_) => Login::new(&self.link),
        });
    }
}

impl Dialogue for Ftp {
    fn greeting(&self) -> Vec<u8> {
        let protection = self.link.protection.as_ref();
        let asked_for = protection.and_then(|protection| protection.server_name.as_deref());
        wire(&Reply::new(Code::READY, self.link.settings.tls.hosts.banner(asked_for).to_owned()))
    }

    async fn answer(&mut self, line: &[u8]) -> Step {
        let command = Command::parse(line);
        let answer = match &mut self.phase {
            Phase::Login(login) => login.answer(&mut self.link, command).await,
            Phase::Session(session) => session.answer(&mut self.link, command).await,
        };
        match answer {
            Answer::Step(step) => step,
            Answer::Enter(reply, logged_in) => {
                self.phase = Phase::Session(Box::new(Session::new(logged_in)));
                Step::Reply(wire(&reply))
            }
            Answer::Leave(reply) => {
                self.before_login();
                // RFC 959 §4.1.1: all parameters, and RFC 2228's are among them.
                self.link.buffer_size_given = false;
                self.link.host = None;
                self.link.private = self.link.policy.at_once;
                Step::Reply(wire(&reply))
            }
            Answer::Upgrade(reply) => {
                let host = self.link.host.take();
                let config = match self.link.secure() {
                    Ok(tls) => tls.control(host),
                    Err(error) => {
                        tracing::error!(%error, "no TLS for a session");
                        return Step::Reply(wire(&replies::no_tls()));
                    }
                };
                self.before_login();
                Step::StartTls(wire(&reply), config)
            }
        }
    }

    async fn meanwhile(&mut self) {
        match &mut self.phase {
            Phase::Login(_) => std::future::pending().await,
            Phase::Session(session) => session.channel.meanwhile(&self.link).await,
        }
    }

    fn interrupt(&mut self, line: &[u8], meter: &Meter) -> Interruption {
        match Command::parse(line) {
            Ok(Command::Abor) => Interruption::Abort,
            Ok(Command::Quit) => Interruption::Leave,
            Ok(Command::Noop) => Interruption::Reply(wire(&replies::noop())),
            Ok(Command::Stat(None)) => Interruption::Reply(wire(&replies::progress(meter.bytes()))),
            _ => Interruption::Postponed,
        }
    }

    fn transferred(&mut self, outcome: Outcome) -> Vec<u8> {
        match &mut self.phase {
            Phase::Session(session) => wire(&session.transferred(outcome)),
            // No transfer runs before the login.
            Phase::Login(_) => wire(&replies::aborted()),
        }
    }

    fn aborted(&mut self) -> Vec<u8> {
        let mut bytes = wire(&replies::aborted());
        replies::abort_done().write_to(&mut bytes);
        bytes
    }

    fn secured(&mut self, protection: Protection) {
        self.link.protection = Some(protection);
    }

    fn notice(&mut self, notice: Notice) -> Vec<u8> {
        wire(&replies::notice(notice))
    }

    fn patience(&self) -> Patience {
        let limits = &self.link.settings.config.limits;
        match &self.phase {
            Phase::Login(login) => Patience::Login(login.deadline),
            Phase::Session(_) => Patience::Idle(Duration::from_secs(limits.idle_seconds)),
        }
    }
}

impl Link {
    /// What the client speaks: FTP in clear, or inside TLS.
    fn protocol(&self) -> Protocol {
        if self.protection.is_some() { Protocol::Ftps } else { Protocol::Ftp }
    }
}

impl Deref for Link {
    type Target = link::Link;

    fn deref(&self) -> &link::Link {
        &self.inner
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut link::Link {
        &mut self.inner
    }
}

fn wire(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    reply.write_to(&mut bytes);
    bytes
}
