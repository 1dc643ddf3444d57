//! MFTP after the login: every command, one line an arm, and the session's state. Made from a
//! `LoggedIn` and from nothing else.

use wharfinger_protocol::mftp::{Answer, Code, Command, ParseError, Verb};
use wharfinger_protocol::time;

use super::{Turn, answers, is_off, transfers};
use crate::channel::Channel;
use crate::files::{Files, FilesError};
use crate::link::Link;
use crate::login::LoggedIn;
use crate::transfer::{Outcome, RecordKind};

/// A logged-in client.
pub(super) struct Session {
    pub(super) files: Files,
    pub(super) channel: Channel,
    /// What the transfer that began last moves.
    pub(super) moving: RecordKind,
}

impl Session {
    pub(super) fn new(logged_in: LoggedIn) -> Self {
        Self { files: Files::new(logged_in), channel: Channel::default(), moving: RecordKind::List }
    }

    pub(super) async fn answer(&mut self, link: &Link, command: Result<Command, ParseError>) -> Turn {
        let verb = command.as_ref().map_or_else(|error| error.verb(), |command| Some(command.verb()));
        // The user as last heard of: permissions may have changed since the last command.
        if let Some(user) = link.live.begin(verb.map_or("", Verb::name)) {
            self.files.set_user(user);
        }
        match (command, verb) {
            (_, Some(verb)) if is_off(link, verb) => answers::switched_off(verb).into(),
            (Ok(command), _) => self.run(link, command).await,
            (Err(error), _) => answers::misread(error).into(),
        }
    }

    /// The transfer that `answer` began has ended.
    pub(super) fn transferred(&mut self, outcome: Outcome) -> Answer {
        self.channel.learn(outcome.handshake);
        match outcome.result {
            Ok(_) => answers::closed(),
            Err(error) => answers::transfer_failed(&error, self.moving),
        }
    }

    async fn run(&mut self, link: &Link, command: Command) -> Turn {
        match command {
            Command::List => transfers::list(self, link).await,
            Command::Retr(path) => transfers::retrieve(self, link, &path).await,
            Command::Stor(path) => transfers::store(self, link, &path).await,
            Command::Dele(path) => done(self.files.delete(&path).await, "File deleted").into(),
            Command::Rmdr(path) => done(self.files.remove_directory(&path).await, "Directory removed").into(),
            Command::Mkdr(path) => done(self.files.make_directory(&path).await, "Directory made").into(),
            Command::Chwd(path) => done(self.files.change_directory(&path).await, "Directory changed").into(),
            Command::Rnme { old, new } => done(self.rename(&old, &new).await, "Renamed").into(),
            Command::Size(path) => told(self.size(&path).await).into(),
            Command::Mdtm(path) => told(self.modified(&path).await).into(),
            Command::Pwrd => told(Ok(self.files.working_directory().as_bytes().to_vec())).into(),
            Command::Wami => told(Ok(self.files.user().username.as_str().into())).into(),
            Command::Feat => answers::features(link).into(),
            Command::Noop => answers::ready().into(),
            Command::Abor => answers::out_of_order(Verb::Abor, "no transfer is running").into(),
            Command::User(name) => Turn::Leave(name),
            Command::Pass(_) => answers::out_of_order(Verb::Pass, "you are logged in").into(),
            Command::Quit => {
                link.leave().await;
                Turn::close(&answers::goodbye())
            }
        }
    }

    async fn rename(&self, old: &[u8], new: &[u8]) -> Result<(), FilesError> {
        let from = self.files.rename_from(old).await?;
        self.files.rename_to(from, new).await
    }

    async fn size(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        Ok(self.files.file_size(path).await?.to_string().into_bytes())
    }

    async fn modified(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        let (metadata, _) = self.files.metadata(path).await?;
        let mut text = Vec::new();
        time::write_seconds(&mut text, metadata.modified.seconds);
        Ok(text)
    }
}

fn done<T>(result: Result<T, FilesError>, said: &'static str) -> Answer {
    match result {
        Ok(_) => Answer::new(Code::DONE, said),
        Err(error) => answers::refused(&error, Code::FILE_SYSTEM_FAILED),
    }
}

fn told(result: Result<Vec<u8>, FilesError>) -> Answer {
    match result {
        Ok(data) => Answer::new(Code::DATA, data),
        Err(error) => answers::refused(&error, Code::FILE_SYSTEM_FAILED),
    }
}
