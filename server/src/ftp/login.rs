//! FTP before the login: TLS, a name, a password, and little else. Where TLS is required, not
//! even a name is taken in clear.

use tokio::time::Instant;
use wharfinger_accounts::{Password, Proof, Protocol};
use wharfinger_config::Requirement;
use wharfinger_protocol::Secret;
use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::facts::FactSet;
use wharfinger_protocol::ftp::parameter::{Mechanism, Protection};
use wharfinger_protocol::ftp::{Code, Command, ParseError, Reply, Verb};

use super::{Answer, Link, replies};
use crate::conversation::Step;
use crate::login::{Applicant, LoginRefusal, log_in, needs_no_password};

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

    /// Without the name, but not from the beginning.
    pub(super) fn again(&self) -> Self {
        Self { name: None, ..*self }
    }

    /// Answers one command, or what is wrong with it; whether it may be given now comes first.
    pub(super) async fn answer(&mut self, link: &mut Link, command: Result<Command, ParseError>) -> Answer {
        let verb = match &command {
            Ok(command) => Some(command.verb()),
            Err(ParseError::Foreign) => return Answer::Step(Step::Close(super::wire(&replies::foreign()))),
            Err(error) => error.verb(),
        };
        if let Some(refusal) = verb.and_then(|verb| refuse_for_now(link, verb)) {
            return refusal.into();
        }
        match command {
            Ok(command) => self.run(link, command).await,
            Err(error) => replies::misread(error).into(),
        }
    }

    /// One line an arm; what needs a login was refused above.
    async fn run(&mut self, link: &mut Link, command: Command) -> Answer {
        match command {
            Command::User(name) => self.user(link, name).await,
            Command::Pass(password) => self.pass(link, password).await,
            Command::Acct(_) => replies::superfluous().into(),
            Command::Auth(mechanism) => auth(link, mechanism),
            Command::Pbsz(_) => buffer_size(link).into(),
            Command::Prot(level) => protect(link, level).into(),
            Command::Ccc => replies::ccc_refused(link).into(),
            Command::Rein => Answer::Leave(replies::ready_again()),
            Command::Quit => Answer::Step(Step::Close(super::wire(&replies::goodbye()))),
            Command::Noop | Command::Clnt(_) => replies::noop().into(),
            Command::Lang(language) => replies::language(language.as_deref()).into(),
            Command::Host(name) => self.host(link, name).into(),
            Command::Syst => replies::system().into(),
            Command::Feat => replies::features(link, FactSet::default(), Algorithm::default()).into(),
            Command::Help(topic) => replies::help(topic.as_deref()).into(),
            Command::Opts(options) => replies::options(options).into(),
            Command::Stat(None) => replies::status_before_login(link).into(),
            Command::Abor => replies::nothing_to_abort().into(),
            other => replies::not_logged_in(other.verb()).into(),
        }
    }

    /// HOST (RFC 7151 §3.2): only before USER, and not another one than TLS was begun with (§4).
    fn host(&self, link: &mut Link, name: String) -> Reply {
        if self.name.is_some() {
            return replies::too_late_for_host();
        }
        let hosts = &link.settings.tls.hosts;
        let begun_with = link.protection.as_ref().and_then(|protection| protection.server_name.as_deref());
        if !hosts.know(&name) || begun_with.is_some_and(|known| !known.eq_ignore_ascii_case(&name)) {
            return replies::unknown_host();
        }
        tracing::debug!(session = link.live.id, name, "the client named its host");
        let reply = Reply::new(Code::READY, hosts.banner(Some(&name)).to_owned());
        link.host = Some(name);
        reply
    }

    /// Says the same whether or not there is such a user, but to one who has shown a certificate
    /// for the name: that may be enough (232, RFC 2228 §4). If it isn't, the password decides.
    /// Who needs neither is in already.
    async fn user(&mut self, link: &mut Link, name: Vec<u8>) -> Answer {
        if needs_no_password(&link.services, &name, link.protocol()) {
            self.name = None;
            return self.enter(link, &name, Secret::default()).await;
        }
        if link.protection.as_ref().is_some_and(|protection| protection.certifies(&name)) {
            let applicant = Applicant { name: &name, proof: Proof::Certificate, protocol: Protocol::Ftps };
            match log_in(&link.services, &link.live, applicant).await {
                Ok(logged_in) => return Answer::Enter(replies::certified(), logged_in),
                Err(LoginRefusal::Refused) => {}
                Err(refusal) => return self.refused(link, refusal),
            }
        }
        self.name = Some(name);
        Reply::new(Code::NEED_PASSWORD, "Password required.").into()
    }

    async fn pass(&mut self, link: &mut Link, password: Secret) -> Answer {
        let Some(name) = self.name.take() else {
            return Reply::new(Code::BAD_SEQUENCE, "Send USER first.").into();
        };
        self.enter(link, &name, password).await
    }

    async fn enter(&mut self, link: &Link, name: &[u8], password: Secret) -> Answer {
        let password = Password::new(password.into_bytes());
        let applicant = Applicant { name, proof: Proof::Password(&password), protocol: link.protocol() };
        match log_in(&link.services, &link.live, applicant).await {
            Ok(logged_in) => Answer::Enter(Reply::new(Code::LOGGED_IN, "Logged in."), logged_in),
            Err(refusal) => self.refused(link, refusal),
        }
    }

    fn refused(&mut self, link: &Link, refusal: LoginRefusal) -> Answer {
        self.failures += 1;
        let last = self.failures >= link.settings.config.limits.login_failures_per_session;
        let reply = match refusal {
            LoginRefusal::Refused if !last => return replies::login_failed().into(),
            LoginRefusal::Refused => replies::too_many_failures(),
            LoginRefusal::Banned => replies::banned(),
            LoginRefusal::TooManySessions => replies::too_many_sessions(),
            LoginRefusal::Unavailable => replies::login_unavailable(),
        };
        Answer::Step(Step::Close(super::wire(&reply)))
    }
}

fn refuse_for_now(link: &Link, verb: Verb) -> Option<Reply> {
    let in_clear = link.protection.is_none() && link.policy.control == Requirement::Required;
    if in_clear && !verb.before_tls() {
        Some(replies::tls_needed(verb))
    } else if !verb.before_login() {
        Some(replies::not_logged_in(verb))
    } else {
        None
    }
}

/// RFC 4217 §4. The session behind it begins anew, whoever was logged in.
pub(super) fn auth(link: &mut Link, mechanism: Mechanism) -> Answer {
    if link.protection.is_some() {
        return Reply::new(Code::BAD_SEQUENCE, "TLS is on already.").into();
    }
    link.buffer_size_given = false;
    // RFC 4217, Appendix A: with these words data connections are private from the start.
    link.private = mechanism.protects_data();
    Answer::Upgrade(Reply::new(Code::SECURITY_ACCEPTED, "TLS: begin the handshake."))
}

/// RFC 4217 §8: TLS needs no protection buffer, so the size is 0 whatever was asked for.
pub(super) fn buffer_size(link: &mut Link) -> Reply {
    if link.protection.is_none() {
        return Reply::new(Code::BAD_SEQUENCE, "Send AUTH TLS first.");
    }
    link.buffer_size_given = true;
    Reply::new(Code::OK, "PBSZ=0")
}

/// RFC 4217 §9.
pub(super) fn protect(link: &mut Link, level: Protection) -> Reply {
    if !link.buffer_size_given {
        return Reply::new(Code::BAD_SEQUENCE, "Send PBSZ 0 first.");
    }
    match level {
        Protection::Private => {
            link.private = true;
            Reply::new(Code::OK, "Data connections use TLS.")
        }
        Protection::Clear => {
            link.private = false;
            Reply::new(Code::OK, "Data connections are in clear.")
        }
        Protection::Safe | Protection::Confidential => {
            Reply::new(Code::PROTECTION_UNSUPPORTED, "TLS offers PROT P and PROT C only.")
        }
    }
}
