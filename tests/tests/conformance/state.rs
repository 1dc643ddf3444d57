//! The states a control connection can be in when a command comes, and the way into each.

use std::fs;
use std::path::Path;

use wharfinger_protocol::ftp::Verb;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Ftp, Mode, Version};

use crate::place::{Place, Protection};

/// A state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// In clear, where the server demands TLS.
    BeforeTls,
    /// Before USER.
    BeforeUser,
    /// After USER.
    BeforePassword,
    /// Logged in.
    Idle,
    /// After RNFR.
    Renaming,
    /// After REST.
    Restarting,
    /// A transfer waits for the client to connect.
    Waiting,
    /// A download is under way, and the client reads none of it.
    Sending,
    /// An upload is under way, and the client sends nothing.
    Receiving,
}

impl State {
    pub(crate) fn during_transfer(self) -> bool {
        matches!(self, State::Waiting | State::Sending | State::Receiving)
    }

    pub(crate) fn logged_in(self) -> bool {
        !matches!(self, State::BeforeTls | State::BeforeUser | State::BeforePassword)
    }

    /// A connection on which this state can be entered.
    pub(crate) fn connect(self, place: &Place) -> Ftp {
        match self {
            State::BeforeTls => {
                assert_eq!(place.protection, Protection::Tls, "only there it is demanded");
                Ftp::connect(place.deployment().ftp(), place.deployment().tls(Version::Tls13))
            }
            State::BeforeUser | State::BeforePassword => place.connect(),
            _ => place.session(),
        }
    }

    /// Enters the state, anew after each command. The data connection of a running transfer must
    /// be kept, unread, until the command has been answered.
    pub(crate) fn enter(self, place: &Place, ftp: &mut Ftp) -> Option<Wire> {
        match self {
            State::BeforeTls | State::BeforeUser | State::Idle => None,
            State::BeforePassword => {
                ftp.expect(&format!("USER {}", place.user.name), 331);
                None
            }
            State::Renaming => {
                ftp.expect("RNFR spare", 350);
                None
            }
            State::Restarting => {
                ftp.expect("REST 3", 350);
                None
            }
            State::Waiting => {
                ftp.passive(Mode::Epsv);
                ftp.expect("RETR file", 150);
                None
            }
            State::Sending => Some(place.begin(ftp, b"RETR big")),
            State::Receiving => Some(place.begin(ftp, b"STOR upload")),
        }
    }
}

/// Whether the session is in another state after this verb, whatever the reply.
pub(crate) fn moves_on(verb: Verb) -> bool {
    matches!(verb, Verb::User | Verb::Pass | Verb::Rein | Verb::Quit | Verb::Auth)
}

/// Puts into a home what the table's arguments name, and takes away what they make.
pub(crate) fn furnish(home: &Path) {
    for name in ["file", "spare"] {
        fs::write(home.join(name), "content\n").unwrap();
    }
    for name in ["folder", "empty"] {
        fs::create_dir_all(home.join(name)).unwrap();
    }
    for entry in fs::read_dir(home).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        match name.as_str() {
            "file" | "spare" | "folder" | "empty" | "big" => {}
            "made" => fs::remove_dir(entry.path()).unwrap(),
            // The server's own.
            part if part.starts_with(".wharfinger-") => {}
            _ => fs::remove_file(entry.path()).unwrap(),
        }
    }
}
