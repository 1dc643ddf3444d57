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

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wharfinger_protocol::ftp::{Code, Command, Reply};

use crate::Services;
use crate::control::Protection;
use crate::conversation::{Dialogue, Interruption, Notice, Patience, Step};
use crate::login::LoggedIn;
use crate::registry::Live;
use crate::tls::SessionTls;
use crate::transfer::{Meter, Outcome};

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

/// What is known of the connection, whoever is logged in.
pub(crate) struct Link {
    pub(crate) services: Arc<Services>,
    pub(crate) live: Arc<Live>,
    pub(crate) client: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) tls: SessionTls,
    /// How the control connection is protected; none in clear.
    pub(crate) protection: Option<Protection>,
    /// PBSZ has been given, so PROT may be.
    pub(crate) buffer_size_given: bool,
    /// PROT P: data connections use TLS.
    pub(crate) private: bool,
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
    pub(crate) fn new(link: Link) -> Self {
        let login = Login::new(&link);
        Self { link, phase: Phase::Login(login) }
    }

    /// REIN and AUTH: nobody is logged in. Who wasn't before has no more time and no more
    /// attempts than they had.
    fn before_login(&mut self) {
        self.link.live.set_user(None);
        self.phase = Phase::Login(match &self.phase {
            Phase::Login(login) => login.again(),
            Phase::Session(_) => Login::new(&self.link),
        });
    }
}

impl Dialogue for Ftp {
    fn greeting(&self) -> Vec<u8> {
        wire(&Reply::new(Code::READY, self.link.services.config.ftp.banner.clone()))
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
                self.link.private = false;
                Step::Reply(wire(&reply))
            }
            Answer::Upgrade(reply) => {
                self.before_login();
                Step::StartTls(wire(&reply), self.link.tls.control())
            }
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
        let limits = &self.link.services.config.limits;
        match &self.phase {
            Phase::Login(login) => Patience::Login(login.deadline),
            Phase::Session(_) => Patience::Idle(Duration::from_secs(limits.idle_seconds)),
        }
    }
}

impl Link {
    fn login_deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.services.config.limits.login_seconds)
    }
}

fn wire(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    reply.write_to(&mut bytes);
    bytes
}
