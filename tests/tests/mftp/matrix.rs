//! Every command in every state, with a good argument, none, a bad one and one that holds a control
//! byte: the one answer it must get, and the session goes on.

use std::fs;
use std::path::Path;

use wharfinger_protocol::mftp::Verb;
use wharfinger_protocol::mftp::verb::{Phase, Timing};
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Mftp, User};

use crate::place::{BOUND, Place, Protection};

macro_rules! states {
    ($($name:ident: $state:ident $protection:ident;)*) => {
        $(#[test] fn $name() { answer_every_verb(State::$state, Protection::$protection); })*
    };
}

states! {
    every_command_is_answered_before_user_in_clear: BeforeUser Clear;
    every_command_is_answered_before_user_under_tls: BeforeUser Tls;
    every_command_is_answered_before_the_password_in_clear: BeforePassword Clear;
    every_command_is_answered_before_the_password_under_tls: BeforePassword Tls;
    every_command_is_answered_in_a_session_in_clear: Idle Clear;
    every_command_is_answered_in_a_session_under_tls: Idle Tls;
    every_command_is_answered_while_a_data_channel_is_waited_for_in_clear: Waiting Clear;
    every_command_is_answered_while_a_data_channel_is_waited_for_under_tls: Waiting Tls;
    every_command_is_answered_during_a_download_in_clear: Sending Clear;
    every_command_is_answered_during_a_download_under_tls: Sending Tls;
    every_command_is_answered_during_an_upload_in_clear: Receiving Clear;
    every_command_is_answered_during_an_upload_under_tls: Receiving Tls;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    BeforeUser,
    BeforePassword,
    Idle,
    /// A transfer waits for the client to connect.
    Waiting,
    /// A download is under way, and the client reads none of it.
    Sending,
    /// An upload is under way, and the client sends nothing.
    Receiving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Argument {
    Good,
    Missing,
    Bad,
    ControlByte,
}

const ARGUMENTS: [Argument; 4] = [Argument::Good, Argument::Missing, Argument::Bad, Argument::ControlByte];

/// A verb's good argument and the code it gets in a session, a bad one and its code.
fn row(verb: Verb) -> (&'static str, u16, &'static str, u16) {
    match verb {
        Verb::List => ("", 120, "folder", 502),
        Verb::Retr => ("file", 120, "missing", 410),
        Verb::Stor => ("upload", 120, "missing/upload", 411),
        Verb::Dele => ("spare", 210, "missing", 412),
        Verb::Rmdr => ("empty", 210, "missing", 412),
        Verb::Mkdr => ("made", 210, "folder", 412),
        Verb::Chwd => ("/", 210, "../..", 430),
        Verb::Size => ("file", 200, "folder", 412),
        Verb::User => ("$USER", 630, "nobody at all", 630),
        Verb::Pass => ("$PASSWORD", 504, "wrong", 504),
        Verb::Quit => ("", 321, "now", 502),
        Verb::Rnme => ("spare:renamed", 210, "spare", 502),
        Verb::Noop => ("", 220, "now", 502),
        Verb::Abor => ("", 504, "now", 502),
        Verb::Mdtm => ("file", 200, "missing", 412),
        Verb::Feat | Verb::Pwrd | Verb::Wami => ("", 200, "now", 502),
    }
}

fn answer_every_verb(state: State, protection: Protection) {
    let place = Place::new();
    place.make_big_file();
    let mut faults = Vec::new();
    for &verb in Verb::ALL {
        for argument in ARGUMENTS {
            furnish(&place.home());
            let case = Case { state, verb, argument };
            let (mut mftp, _data) = case.enter(&place, protection);
            let expected = case.expected();
            let codes = case.say(&mut mftp, &place.user, expected.len());
            if codes != expected {
                faults.push(format!("{case:?}: {codes:?} instead of {expected:?}"));
            }
            case.go_on(&mut mftp, codes.last().copied());
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[derive(Debug)]
struct Case {
    state: State,
    verb: Verb,
    argument: Argument,
}

impl Case {
    fn enter(&self, place: &Place, protection: Protection) -> (Mftp, Option<Wire>) {
        let mut mftp = match self.state {
            State::BeforeUser | State::BeforePassword => place.connect(protection),
            _ => place.session(protection),
        };
        let data = match self.state {
            State::BeforeUser | State::Idle => None,
            State::BeforePassword => {
                mftp.expect(&format!("USER {}", place.user.name), "AOK 630");
                None
            }
            State::Waiting => {
                mftp.expect("RETR file", "AOK 120");
                None
            }
            State::Sending => Some(mftp.open("RETR big")),
            State::Receiving => Some(mftp.open("STOR upload")),
        };
        (mftp, data)
    }

    /// Says it, and ABOR behind it where a transfer runs.
    fn say(&self, mftp: &mut Mftp, user: &User, answers: usize) -> Vec<u16> {
        mftp.send_bytes(self.line(user).as_bytes());
        if self.during_transfer() {
            mftp.send("ABOR");
        }
        (0..answers).map(|_| code(&mftp.answer())).collect()
    }

    fn expected(&self) -> Vec<u16> {
        let alone = self.alone();
        if !self.during_transfer() {
            return vec![alone];
        }
        let well_formed = !matches!(alone, 501 | 502);
        match self.verb.timing() {
            Timing::Transfers if well_formed => vec![422, 320],
            Timing::AtOnce if self.verb == Verb::Noop && well_formed => vec![220, 320],
            // It has aborted the transfer, and the next finds none.
            Timing::AtOnce if self.verb == Verb::Abor && well_formed => vec![320, 504],
            _ => vec![320, alone],
        }
    }

    /// The code when no transfer runs.
    fn alone(&self) -> u16 {
        let (good, done, _, refused) = row(self.verb);
        let before_login = matches!(self.state, State::BeforeUser | State::BeforePassword);
        match self.argument {
            _ if before_login && self.verb.phase() == Phase::InSession => 530,
            Argument::ControlByte => 502,
            Argument::Missing if !good.is_empty() => 501,
            Argument::Good if self.state == State::BeforePassword && self.verb == Verb::Pass => 230,
            Argument::Bad if self.state == State::BeforePassword && self.verb == Verb::Pass => 530,
            Argument::Good | Argument::Missing => done,
            Argument::Bad => refused,
        }
    }

    fn line(&self, user: &User) -> String {
        let name = self.verb.name();
        let (good, _, bad, _) = row(self.verb);
        let good = good.replace("$USER", &user.name).replace("$PASSWORD", &user.password);
        match self.argument {
            Argument::Good => format!("{name} {good}\r\n"),
            Argument::Missing => format!("{name}\r\n"),
            Argument::Bad => format!("{name} {bad}\r\n"),
            Argument::ControlByte => format!("{name} {good}\0\x0b\r\n"),
        }
    }

    fn during_transfer(&self) -> bool {
        matches!(self.state, State::Waiting | State::Sending | State::Receiving)
    }

    fn go_on(&self, mftp: &mut Mftp, last: Option<u16>) {
        match last {
            Some(321) => assert!(mftp.answers_until_closed(BOUND).is_empty(), "{self:?}: more behind 321"),
            Some(120) => {
                assert_eq!(code(&mftp.command("ABOR")), 320, "{self:?}");
                assert_eq!(mftp.command("NOOP"), "AOK 220 Ready", "{self:?}");
            }
            _ => assert_eq!(mftp.command("NOOP"), "AOK 220 Ready", "{self:?}"),
        }
    }
}

fn code(answer: &str) -> u16 {
    let (word, rest) = answer.split_once(' ').unwrap();
    let code: u16 = rest[..3].parse().unwrap();
    assert_eq!(word, if matches!(code / 100, 4 | 5) { "ERR" } else { "AOK" }, "{answer}");
    code
}

/// Puts into a home what the arguments name, and takes away what they make.
fn furnish(home: &Path) {
    for name in ["file", "spare"] {
        fs::write(home.join(name), "content\n").unwrap();
    }
    for name in ["folder", "empty"] {
        fs::create_dir_all(home.join(name)).unwrap();
    }
    // What is not there can't be removed, and that is as good.
    let _ = fs::remove_dir(home.join("made"));
    let _ = fs::remove_file(home.join("renamed"));
    let _ = fs::remove_file(home.join("upload"));
}
