//! A client that uploads, appends, renames and deletes without a pause, connects anew when its
//! connection breaks, and keeps account of what it was told.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use wharfinger_tests::{Ftp, Tls, User, content};

use crate::chance::Chance;
use crate::ledger::{Entry, Ledger};

/// As many names as make overwriting, appending and renaming likely.
const NAMES: u64 = 12;
const LARGEST: u64 = 200_000;
/// Between two attempts to connect to a server that may be gone.
const PAUSE: Duration = Duration::from_millis(50);

/// What a file holds.
#[derive(Clone, PartialEq)]
pub(crate) struct Content(pub(crate) Arc<[u8]>);

/// One of a user's clients.
pub(crate) struct Uploader {
    user: User,
    /// The names of its files begin so.
    mark: String,
    pub(crate) files: Ledger<Content>,
    /// Renames of which no answer came.
    moves: Vec<(String, String)>,
    /// Uploads that were acknowledged, and those whose answer never came.
    pub(crate) acknowledged: usize,
    pub(crate) unanswered: usize,
    chance: Chance,
    tls: Tls,
    session: Option<Ftp>,
}

impl Uploader {
    pub(crate) fn new(user: &User, number: usize, tls: Tls, chance: Chance) -> Uploader {
        let (user, mark) = (user.clone(), format!("{number}-"));
        let (files, moves) = (Ledger::default(), Vec::new());
        Uploader { user, mark, files, moves, acknowledged: 0, unanswered: 0, chance, tls, session: None }
    }

    /// Works until told to stop, wherever the server is by then.
    pub(crate) fn work(&mut self, server: &Mutex<SocketAddr>, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            if self.session.is_none() {
                let address = *server.lock().unwrap();
                self.session = Ftp::attempt(address, self.tls.clone(), &self.user);
            }
            if self.session.is_some() { self.act() } else { thread::sleep(PAUSE) }
        }
        self.session = None;
    }

    fn act(&mut self) {
        let name = format!("{}file-{}", self.mark, self.chance.below(NAMES));
        match (self.files.look_up(&name), self.chance.below(6)) {
            (Entry::Thing(content), 0) => self.append(&name, &content),
            (Entry::Thing(_), 1) => self.delete(&name),
            (Entry::Thing(content), 2) => self.rename(&name, &content),
            _ => self.store(&name),
        }
    }

    fn store(&mut self, name: &str) {
        // Then both names of a rename that nobody knows of may stand for something.
        self.moves.retain(|(from, to)| from != name && to != name);
        let content = self.content();
        self.send(&format!("STOR {name}"), &content.clone(), name, content);
    }

    fn append(&mut self, name: &str, content: &Content) {
        let more = self.content();
        let whole = Content([&*content.0, &*more.0].concat().into());
        self.send(&format!("APPE {name}"), &more, name, whole);
    }

    fn send(&mut self, command: &str, sent: &Content, name: &str, becomes: Content) {
        let session = self.session.as_mut().expect("it is logged in");
        match session.attempt_upload(command, &sent.0) {
            Some(226) => {
                self.acknowledged += 1;
                self.files.is(name, Some(becomes));
            }
            // Refused or broken off: then all is as it was.
            Some(_) => self.session = None,
            None => {
                self.unanswered += 1;
                self.files.may_be(name, Some(becomes));
                self.session = None;
            }
        }
    }

    fn delete(&mut self, name: &str) {
        match self.command(&format!("DELE {name}")) {
            Some(250) => self.files.is(name, None),
            Some(code) => assert!(code < 500, "DELE {name}: {code}"),
            None => self.files.may_be(name, None),
        }
    }

    fn rename(&mut self, from: &str, content: &Content) {
        let to = format!("{}moved-{}", self.mark, self.chance.below(NAMES));
        let is_free = matches!(self.files.look_up(&to), Entry::Nothing);
        if !is_free || self.command(&format!("RNFR {from}")) != Some(350) {
            return;
        }
        match self.command(&format!("RNTO {to}")) {
            Some(250) => {
                self.files.is(from, None);
                self.files.is(&to, Some(content.clone()));
            }
            Some(code) => assert!(code < 500, "RNTO {to}: {code}"),
            None => {
                self.files.may_be(from, None);
                self.files.may_be(&to, Some(content.clone()));
                self.moves.push((from.to_owned(), to));
            }
        }
    }

    fn command(&mut self, line: &str) -> Option<u16> {
        let code =
            self.session.as_mut().and_then(|session| session.attempt_command(line)).map(|reply| reply.code);
        if code.is_none() {
            self.session = None;
        }
        code
    }

    fn content(&mut self) -> Content {
        let size = usize::try_from(self.chance.below(LARGEST)).unwrap();
        Content(content::bytes(size, self.chance.next()).into())
    }

    /// Holds its files among those in the home to what the client was told.
    pub(crate) fn settle(&mut self, home: &BTreeMap<String, Content>) {
        let its = home.iter().filter(|(name, _)| name.starts_with(&self.mark));
        for (from, to) in self.moves.drain(..) {
            assert!(home.contains_key(&from) != home.contains_key(&to), "{from} -> {to}: both or neither");
        }
        self.files.settle(its.map(|(name, content)| (name.clone(), content.clone())).collect());
    }
}

/// The files in a home, but for what is left of broken uploads, which is nobody's file.
pub(crate) fn files_in(home: &Path) -> BTreeMap<String, Content> {
    let mut there = BTreeMap::new();
    for entry in fs::read_dir(home).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with(".wharfinger-") {
            there.insert(name, Content(fs::read(entry.path()).unwrap().into()));
        }
    }
    there
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = &self.0[..self.0.len().min(4)];
        write!(formatter, "{} bytes, {begin:02x?}…", self.0.len())
    }
}
