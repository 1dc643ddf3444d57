//! MFTP before the login: a name, a password, and little else.

use tokio::time::Instant;
use wharfinger_accounts::{Password, Proof, Protocol};
use wharfinger_protocol::Secret;
use wharfinger_protocol::mftp::verb::Phase;
use wharfinger_protocol::mftp::{Command, ParseError, Verb};

use super::{Turn, answers};
use crate::link::Link;
use crate::login::{Applicant, LoginRefusal, log_in};

/// A client that hasn't logged in.
pub(super) struct Login {
    name: Option<Vec<u8>>,
    failures: u32,
    pub(super) deadline: Instant,
}

impl Login {
    pub(super) fn new(link: &Link) -> Self {
        Self { name: None, failures: 0, deadline: link.login_deadline() }
    }

    /// Answers one command, or what is wrong with it; whether it may be given now comes first.
    pub(super) async fn answer(&mut self, link: &Link, command: Result<Command, ParseError>) -> Turn {
        let verb = match &command {
            Ok(command) => Some(command.verb()),
            Err(ParseError::Foreign) => return Turn::close(&answers::misread(ParseError::Foreign)),
            Err(error) => error.verb(),
        };
        if verb.is_some_and(|verb| verb.phase() == Phase::InSession) {
            return answers::not_logged_in().into();
        }
        match command {
            Ok(command) => self.run(link, command).await,
            Err(error) => answers::misread(error).into(),
        }
    }

    /// Says the same whether or not there is such a user, but to one who has shown a certificate
    /// for the name: that may be enough. If it isn't, the password decides.
    pub(super) async fn user(&mut self, link: &Link, name: Vec<u8>) -> Turn {
        if link.protection.as_ref().is_some_and(|protection| protection.certifies(&name)) {
            let applicant = Applicant { name: &name, proof: Proof::Certificate, protocol: Protocol::Mftp };
            match log_in(&link.services, &link.live, applicant).await {
                Ok(logged_in) => return Turn::Enter(logged_in),
                Err(LoginRefusal::Refused) => {}
                Err(refusal) => return self.refused(link, refusal),
            }
        }
        self.name = Some(name);
        answers::need_password().into()
    }

    /// One line an arm; what needs a login was refused above.
    async fn run(&mut self, link: &Link, command: Command) -> Turn {
        match command {
            Command::User(name) => self.user(link, name).await,
            Command::Pass(password) => self.pass(link, password).await,
            Command::Feat => answers::features(link).into(),
            Command::Noop => answers::ready().into(),
            Command::Quit => Turn::close(&answers::goodbye()),
            _ => answers::not_logged_in().into(),
        }
    }

    async fn pass(&mut self, link: &Link, password: Secret) -> Turn {
        let Some(name) = self.name.take() else {
            return answers::out_of_order(Verb::Pass, "send USER first").into();
        };
        let password = Password::new(password.into_bytes());
        let proof = Proof::Password(&password);
        let applicant = Applicant { name: &name, proof, protocol: Protocol::Mftp };
        match log_in(&link.services, &link.live, applicant).await {
            Ok(logged_in) => Turn::Enter(logged_in),
            Err(refusal) => self.refused(link, refusal),
        }
    }

    fn refused(&mut self, link: &Link, refusal: LoginRefusal) -> Turn {
        self.failures += 1;
        let last = self.failures >= link.settings.config.limits.login_failures_per_session;
        match answers::login_refused(refusal) {
            answer if refusal == LoginRefusal::Refused && !last => answer.into(),
            answer => Turn::close(&answer),
        }
    }
}
