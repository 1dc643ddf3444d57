//! MFTP: the smaller dialect, over the same core as FTP. Its words, its codes and the state of its
//! sessions are all that is its own. As in FTP, before login and after login are different code.

mod answers;
mod login;
mod session;
mod transfers;

use std::time::Duration;

use wharfinger_protocol::mftp::verb::Timing;
use wharfinger_protocol::mftp::{Answer, Command, Verb};

use crate::control::Protection;
use crate::conversation::{Dialogue, Interruption, Notice, Patience, Step};
use crate::link::Link;
use crate::login::LoggedIn;
use crate::transfer::{Meter, Outcome};

pub(crate) use answers::turned_away;

use login::Login;
use session::Session;

/// One MFTP client's conversation.
pub(crate) struct Mftp {
    link: Link,
    phase: Phase,
}

enum Phase {
    Login(Login),
    Session(Box<Session>),
}

/// What a command leads to.
enum Turn {
    Step(Step),
    /// The login succeeded: from now on a session.
    Enter(LoggedIn),
    /// USER in a session: logged out, and on the way to another login.
    Leave(Vec<u8>),
}

impl From<Answer> for Turn {
    fn from(answer: Answer) -> Self {
        Self::Step(Step::Reply(wire(&answer)))
    }
}

impl Turn {
    /// The last answer.
    fn close(answer: &Answer) -> Self {
        Self::Step(Step::Close(wire(answer)))
    }
}

impl Mftp {
    pub(crate) fn new(link: Link) -> Self {
        let login = Login::new(&link);
        Self { link, phase: Phase::Login(login) }
    }

    /// USER in a session.
    async fn log_out_and_in(&mut self, name: Vec<u8>) -> Turn {
        self.link.live.log_out();
        let mut login = Login::new(&self.link);
        let turn = login.user(&self.link, name).await;
        self.phase = Phase::Login(login);
        turn
    }
}

impl Dialogue for Mftp {
    fn greeting(&self) -> Vec<u8> {
        wire(&answers::ready())
    }

    async fn answer(&mut self, line: &[u8]) -> Step {
        let command = Command::parse(line);
        let turn = match &mut self.phase {
            Phase::Login(login) => login.answer(&self.link, command).await,
            Phase::Session(session) => session.answer(&self.link, command).await,
        };
        let turn = match turn {
            Turn::Leave(name) => self.log_out_and_in(name).await,
            other => other,
        };
        match turn {
            Turn::Step(step) => step,
            Turn::Enter(logged_in) => {
                self.phase = Phase::Session(Box::new(Session::new(logged_in)));
                Step::Reply(wire(&answers::logged_in()))
            }
            // A login has nobody to log out.
            Turn::Leave(_) => Step::Reply(wire(&answers::not_logged_in())),
        }
    }

    fn interrupt(&mut self, line: &[u8], _meter: &Meter) -> Interruption {
        let Ok(command) = Command::parse(line) else { return Interruption::Postponed };
        match (command.verb(), command.verb().timing()) {
            (Verb::Abor, _) => Interruption::Abort,
            (Verb::Quit, _) => Interruption::Leave,
            (_, Timing::AtOnce) => Interruption::Reply(wire(&answers::ready())),
            (_, Timing::Transfers) => Interruption::Reply(wire(&answers::transfer_running())),
            (_, Timing::Waits) => Interruption::Postponed,
        }
    }

    fn transferred(&mut self, outcome: Outcome) -> Vec<u8> {
        match &mut self.phase {
            Phase::Session(session) => wire(&session.transferred(outcome)),
            // No transfer runs before the login.
            Phase::Login(_) => wire(&answers::closed()),
        }
    }

    /// The answer to ABOR is the transfer's last word too.
    fn aborted(&mut self) -> Vec<u8> {
        wire(&answers::closed())
    }

    fn secured(&mut self, protection: Protection) {
        self.link.protection = Some(protection);
    }

    fn notice(&mut self, notice: Notice) -> Vec<u8> {
        wire(&answers::notice(notice))
    }

    fn patience(&self) -> Patience {
        match &self.phase {
            Phase::Login(login) => Patience::Login(login.deadline),
            Phase::Session(_) => {
                Patience::Idle(Duration::from_secs(self.link.settings.config.limits.idle_seconds))
            }
        }
    }
}

/// Whether the configuration has switched this verb off.
fn is_off(link: &Link, verb: Verb) -> bool {
    let off = &link.settings.config.mftp.disabled_commands;
    off.iter().any(|name| name.eq_ignore_ascii_case(verb.name()))
}

fn wire(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    answer.write_to(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use wharfinger_config::MFTP_SWITCHES;
    use wharfinger_protocol::mftp::Verb;
    use wharfinger_protocol::mftp::verb::Phase;

    #[test]
    fn the_commands_that_can_be_switched_off_are_those_of_a_session_but_abor() {
        let of_a_session = Verb::ALL.iter().filter(|verb| verb.phase() == Phase::InSession);
        let names: Vec<_> =
            of_a_session.filter(|verb| **verb != Verb::Abor).map(|verb| verb.name()).collect();
        assert_eq!(MFTP_SWITCHES, names.as_slice());
    }
}
