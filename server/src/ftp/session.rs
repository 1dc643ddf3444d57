//! FTP after the login: the dispatch of every command, one line an arm, and the session's
//! state. Made from a `LoggedIn` and from nothing else.

use std::ops::RangeInclusive;
use std::sync::Arc;

use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::facts::FactSet;
use wharfinger_protocol::ftp::parameter::{Form, Mode, Options, Structure, Type};
use wharfinger_protocol::ftp::{Code, Command, ParseError, Reply, Verb};

use super::channel::Channel;
use super::running::Running;
use super::{Answer, Link, digests, files, login, replies, site, transfers};
use crate::conversation::Step;
use crate::files::{CopyFrom, Files, RenameFrom};
use crate::login::LoggedIn;
use crate::transfer::{Outcome, Representation};

/// A logged-in client.
pub(super) struct Session {
    pub(super) files: Files,
    pub(super) channel: Channel,
    /// TYPE, STRU and MODE.
    pub(super) representation: Representation,
    /// REST or RANG: which bytes the next transfer is of.
    pub(super) span: Span,
    /// What the command before has named for this one.
    pub(super) source: Option<Source>,
    /// OPTS MLST.
    pub(super) facts: FactSet,
    /// OPTS HASH.
    pub(super) algorithm: Algorithm,
    /// The transfer whose final reply is still to come.
    pub(super) running: Option<Running>,
}

/// Which bytes of a file a transfer is of; all of them if nothing was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Span {
    #[default]
    All,
    /// REST (RFC 3659 §5): from this offset on.
    From(u64),
    /// RANG (draft-bryan-ftp-range): from the first offset up to the second, that one too.
    Within(u64, u64),
}

/// What one command names and the next deals with.
pub(super) enum Source {
    /// RNFR: what RNTO renames.
    Rename(RenameFrom),
    /// SITE CPFR: what SITE CPTO copies.
    Copy(CopyFrom),
}

impl Session {
    pub(super) fn new(logged_in: LoggedIn) -> Self {
        Self {
            files: Files::new(logged_in),
            channel: Channel::default(),
            representation: Representation::DEFAULT,
            span: Span::All,
            source: None,
            facts: FactSet::default(),
            algorithm: Algorithm::default(),
            running: None,
        }
    }

    pub(super) async fn answer(&mut self, link: &mut Link, command: Result<Command, ParseError>) -> Answer {
        // The user as last heard of: permissions may have changed since the last command.
        if let Some(user) = link.live.begin(word(&command)) {
            self.files.set_user(user);
        }
        let (span, source) = (std::mem::take(&mut self.span), self.source.take());
        let command = match command {
            Ok(command) => command,
            Err(error) => return replies::misread(error).into(),
        };
        match command {
            // RFC 959 §4.1.3: what is named or set here is for the command that follows at once. A
            // client may agree on the data connection between REST and its transfer.
            Command::Rnto(path) => files::rename_to(self, source, &path).await.into(),
            Command::Site(command) => site::answer(self, link, command, source).await,
            Command::Pasv | Command::Epsv(_) | Command::Port(_) | Command::Eprt(_) | Command::Type(_) => {
                self.span = span;
                self.agree(link, command).await.into()
            }
            Command::Retr(_)
            | Command::Stor(_)
            | Command::Stou(_)
            | Command::Appe(_)
            | Command::List(_)
            | Command::Nlst(_)
            | Command::Mlsd(_) => self.transfer(link, command, span).await,
            Command::Hash(path) => digests::hash(self, link, path, span).await,
            other => self.run(link, other).await,
        }
    }

    /// The transfer that `answer` began has ended.
    pub(super) fn transferred(&mut self, outcome: Outcome) -> Reply {
        self.channel.learn(outcome.handshake);
        let running = self.running.take().unwrap_or(Running::Transfer { unique: None });
        running.reply(outcome.result)
    }

    async fn agree(&mut self, link: &Link, command: Command) -> Reply {
        match command {
            Command::Pasv => self.channel.passive(link).await,
            Command::Epsv(family) => self.channel.extended_passive(link, family),
            Command::Port(_) if link.local.is_ipv6() => replies::port_is_for_ipv4(),
            Command::Port(address) => self.channel.active(link, address.into()),
            Command::Eprt(address) => self.channel.active(link, address),
            Command::Type(kind) => self.set_type(kind),
            other => replies::not_implemented(other.verb()),
        }
    }

    async fn transfer(&mut self, link: &Link, command: Command, span: Span) -> Answer {
        match command {
            Command::Retr(path) => transfers::retrieve(self, link, &path, span).await,
            Command::Stor(path) => transfers::store(self, link, &path, span).await,
            Command::Appe(path) => transfers::append(self, link, &path, span).await,
            Command::Stou(name) => transfers::store_unique(self, link, name.as_deref()).await,
            Command::List(path) => transfers::list(self, link, path.as_deref()).await,
            Command::Nlst(path) => transfers::names(self, link, path.as_deref()).await,
            Command::Mlsd(path) => transfers::machine_list(self, link, path.as_deref()).await,
            other => replies::not_implemented(other.verb()).into(),
        }
    }

    async fn run(&mut self, link: &mut Link, command: Command) -> Answer {
        match command {
            Command::User(_) | Command::Pass(_) => replies::logged_in_already().into(),
            Command::Acct(_) => replies::superfluous().into(),
            Command::Rein => Answer::Leave(replies::ready_again()),
            Command::Quit => {
                link.leave().await;
                Answer::Step(Step::Close(super::wire(&replies::goodbye())))
            }
            Command::Auth(mechanism) => login::auth(link, mechanism),
            Command::Pbsz(_) => login::buffer_size(link).into(),
            Command::Prot(level) => login::protect(link, level).into(),
            Command::Ccc => leave_tls(link),
            Command::Abor => replies::nothing_to_abort().into(),
            Command::Rest(offset) => self.set_restart(offset).into(),
            Command::Rang(range) => self.set_range(range).into(),
            Command::Stru(structure) => self.set_structure(structure).into(),
            Command::Mode(mode) => self.set_mode(mode).into(),
            Command::Opts(options) => self.set_options(options).into(),
            Command::Noop | Command::Clnt(_) => replies::noop().into(),
            Command::Lang(language) => replies::language(language.as_deref()).into(),
            Command::Host(_) => replies::too_late_for_host().into(),
            Command::Syst => replies::system().into(),
            Command::Feat => replies::features(link, self.facts, self.algorithm).into(),
            Command::Help(topic) => replies::help(topic.as_deref()).into(),
            Command::Stat(None) => replies::status(self, link).into(),
            Command::Xcrc(_)
            | Command::Xmd5(_)
            | Command::Xsha1(_)
            | Command::Xsha256(_)
            | Command::Xsha512(_) => digests::answer(self, link, command).await,
            other => files::answer(self, other).await.into(),
        }
    }

    fn set_type(&mut self, kind: Type) -> Reply {
        let (text, said) = match kind {
            Type::Ascii(Form::NonPrint) => (true, "Type is ASCII, non-print."),
            Type::Image => (false, "Type is image."),
            Type::Local(8) => (false, "Type is local, 8 bits."),
            Type::Ascii(_) | Type::Ebcdic(_) | Type::Local(_) => {
                return Reply::new(Code::BAD_PARAMETER, "Types are A N, I and L 8.");
            }
        };
        self.representation.text = text;
        Reply::new(Code::OK, said)
    }

    fn set_structure(&mut self, structure: Structure) -> Reply {
        let (records, said) = match structure {
            Structure::File => (false, "Structure is file."),
            Structure::Record => (true, "Structure is record."),
            Structure::Page => return Reply::new(Code::BAD_PARAMETER, "Structures are F and R."),
        };
        self.representation.records = records;
        Reply::new(Code::OK, said)
    }

    fn set_mode(&mut self, mode: Mode) -> Reply {
        let (deflate, said) = match mode {
            Mode::Stream => (false, "Mode is stream."),
            Mode::Deflate => (true, "Mode is deflate."),
            Mode::Block | Mode::Compressed => return Reply::new(Code::BAD_PARAMETER, "Modes are S and Z."),
        };
        self.representation.deflate = deflate;
        Reply::new(Code::OK, said)
    }

    fn set_restart(&mut self, offset: u64) -> Reply {
        self.span = if offset == 0 { Span::All } else { Span::From(offset) };
        Reply::new(Code::PENDING, format!("The next transfer begins at byte {offset}."))
    }

    /// Whatever RANG or REST was before is forgotten already, so nothing is left to take back.
    fn set_range(&mut self, range: Option<RangeInclusive<u64>>) -> Reply {
        let Some((first, last)) = range.map(RangeInclusive::into_inner) else {
            return Reply::new(Code::PENDING, "The next transfer is of the whole file.");
        };
        if !self.representation.is_image() || self.representation.deflate {
            return Reply::new(Code::PAGE_TYPE_UNKNOWN, "RANG needs TYPE I, STRU F and MODE S.");
        }
        self.span = Span::Within(first, last);
        Reply::new(Code::PENDING, format!("The next transfer is of bytes {first} to {last}."))
    }

    fn set_options(&mut self, options: Options) -> Reply {
        match options {
            Options::Mlst(facts) => self.facts = facts,
            Options::Hash(algorithm) => {
                self.algorithm = algorithm.unwrap_or(self.algorithm);
                return replies::algorithm(self.algorithm);
            }
            Options::DeflateLevel(level) => self.representation.level = level,
            Options::Utf8(_) => {}
        }
        replies::options(options)
    }

    /// The session's user, for status and logs.
    pub(super) fn user(&self) -> Arc<wharfinger_accounts::User> {
        self.files.user()
    }
}

/// CCC (RFC 4217 §5): the control connection goes on in clear, where that is allowed, and data
/// connections stay as PROT has said; whoever listens can't change that any more.
fn leave_tls(link: &mut Link) -> Answer {
    if link.protection.is_none() || !link.settings.config.tls.allow_ccc {
        return replies::ccc_refused(link).into();
    }
    link.protection = None;
    link.buffer_size_given = false;
    Answer::Step(Step::LeaveTls(super::wire(&replies::in_clear_now())))
}

/// A command's word for the list of sessions; what is no command has none.
fn word(command: &Result<Command, ParseError>) -> &'static str {
    let verb = match command {
        Ok(command) => Some(command.verb()),
        Err(error) => error.verb(),
    };
    verb.map_or("", Verb::name)
}
