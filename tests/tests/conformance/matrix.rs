//! Every verb in every state, with a good argument, none, a bad one and one that holds a control
//! byte: one final reply, in time, and one that the standards allow; and the session goes on.

use std::io;
use std::net::SocketAddr;

use wharfinger_protocol::ftp::Verb;
use wharfinger_tests::standards::Row;
use wharfinger_tests::{Ftp, Mode};

use crate::place::{BOUND, Place, Protection};
use crate::state::{State, furnish, moves_on};

macro_rules! states {
    ($($name:ident: $state:ident $protection:ident;)*) => {
        $(#[test] fn $name() { answer_every_verb(State::$state, Protection::$protection); })*
    };
}

states! {
    every_verb_is_answered_before_tls: BeforeTls Tls;
    every_verb_is_answered_before_user_in_clear: BeforeUser Clear;
    every_verb_is_answered_before_user_under_tls: BeforeUser Tls;
    every_verb_is_answered_before_the_password_in_clear: BeforePassword Clear;
    every_verb_is_answered_before_the_password_under_tls: BeforePassword Tls;
    every_verb_is_answered_when_idle_in_clear: Idle Clear;
    every_verb_is_answered_when_idle_under_tls: Idle Tls;
    every_verb_is_answered_after_rnfr_in_clear: Renaming Clear;
    every_verb_is_answered_after_rnfr_under_tls: Renaming Tls;
    every_verb_is_answered_after_rest_in_clear: Restarting Clear;
    every_verb_is_answered_after_rest_under_tls: Restarting Tls;
    every_verb_is_answered_while_a_transfer_waits_in_clear: Waiting Clear;
    every_verb_is_answered_while_a_transfer_waits_under_tls: Waiting Tls;
    every_verb_is_answered_during_a_download_in_clear: Sending Clear;
    every_verb_is_answered_during_a_download_under_tls: Sending Tls;
    every_verb_is_answered_during_an_upload_in_clear: Receiving Clear;
    every_verb_is_answered_during_an_upload_under_tls: Receiving Tls;
}

/// What is said with a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Argument {
    Good,
    Missing,
    /// Where the verb takes none, any is bad.
    Bad,
    ControlByte,
}

const ARGUMENTS: [Argument; 4] = [Argument::Good, Argument::Missing, Argument::Bad, Argument::ControlByte];

fn answer_every_verb(state: State, protection: Protection) {
    let place = Place::new(protection);
    place.make_big_file();
    let mut kept = None;
    let mut faults = Vec::new();
    for &verb in Verb::ALL {
        for argument in ARGUMENTS {
            let mut ftp = kept.take().unwrap_or_else(|| state.connect(&place));
            furnish(&place.home());
            let case = Case { place: &place, state, verb, row: Row::of(verb.name()), argument };
            let code = case.answer(&mut ftp);
            faults.extend(case.fault(code).map(|fault| format!("{}: {fault}", case.shown())));
            if case.goes_on(&mut ftp, code) && !moves_on(verb) {
                kept = Some(ftp);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One verb with one argument in one state.
struct Case<'a> {
    place: &'a Place,
    state: State,
    verb: Verb,
    row: &'static Row,
    argument: Argument,
}

impl Case<'_> {
    /// Says it and returns the one final reply's code.
    fn answer(&self, ftp: &mut Ftp) -> u16 {
        if self.state.during_transfer() {
            let _data = self.state.enter(self.place, ftp);
            return self.answer_beside_transfer(ftp);
        }
        let agreed = (self.state.logged_in() && self.row.transfers()).then(|| ftp.passive(Mode::Epsv));
        self.state.enter(self.place, ftp);
        ftp.send(&self.line());
        let code = ftp.reply_within(BOUND).code;
        let Some(address) = agreed.filter(|_| code < 200) else { return code };
        assert!(self.row.allows(code), "{}: {code}", self.shown());
        self.move_bytes(ftp, address);
        ftp.reply_within(BOUND).code
    }

    /// ABOR behind it ends the transfer; then what had to wait is answered.
    fn answer_beside_transfer(&self, ftp: &mut Ftp) -> u16 {
        ftp.send(&self.line());
        ftp.send("ABOR");
        let first = ftp.reply_within(BOUND).code;
        if first == 426 {
            assert_eq!(ftp.reply_within(BOUND).code, 226, "{}: the reply to ABOR", self.shown());
            return ftp.reply_within(BOUND).code;
        }
        assert!(self.verb.during_transfer(), "{}: {first} before its turn", self.shown());
        assert_eq!(ftp.reply_within(BOUND).code, 426, "{}: the transfer's end", self.shown());
        assert_eq!(ftp.reply_within(BOUND).code, 226, "{}: the reply to ABOR", self.shown());
        first
    }

    /// What is wrong with this final reply.
    fn fault(&self, code: u16) -> Option<String> {
        let syntax = self.verb.help().strip_prefix(self.verb.name()).unwrap();
        let must_be_refused = match self.argument {
            Argument::Good => false,
            Argument::Missing => syntax.starts_with(" <SP>"),
            Argument::Bad => syntax.is_empty(),
            Argument::ControlByte => true,
        };
        let at_home = self.state == State::Idle && self.place.protection == Protection::Tls;
        if code < 200 {
            Some(format!("{code} promises another reply"))
        } else if !self.row.allows(code) {
            Some(format!("no standard allows {code}"))
        } else if must_be_refused && code < 400 {
            Some(format!("{code} accepts it"))
        } else if self.argument == Argument::Good && at_home && code != self.row.done {
            Some(format!("{code} instead of {}", self.row.done))
        } else {
            None
        }
    }

    /// Whether the session goes on, as it must unless the verb ends it or begins TLS.
    fn goes_on(&self, ftp: &mut Ftp, code: u16) -> bool {
        match code {
            221 => {
                let more = ftp.replies_until_closed(BOUND);
                assert!(more.is_empty(), "{}: {more:?} behind 221", self.shown());
                false
            }
            234 => false,
            _ => {
                ftp.send("NOOP");
                let reply = ftp.reply_within(BOUND);
                assert_eq!(reply.code, 200, "{}: {code}, then for NOOP {reply:?}", self.shown());
                true
            }
        }
    }

    fn move_bytes(&self, ftp: &Ftp, address: SocketAddr) {
        let mut data = self.place.data(ftp, address);
        if self.row.uploads() {
            io::Write::write_all(&mut data, b"uploaded\n").unwrap();
            data.finish().unwrap();
        } else {
            data.drain();
        }
    }

    fn line(&self) -> String {
        let name = self.verb.name();
        let user = &self.place.user;
        let good = self.row.good.replace("$USER", &user.name).replace("$PASSWORD", &user.password);
        match self.argument {
            Argument::Good if good.is_empty() => name.to_owned(),
            Argument::Good => format!("{name} {good}"),
            Argument::Missing => name.to_owned(),
            Argument::Bad => format!("{name} {}", self.row.bad),
            // NUL and one that is not: both could end a line somewhere.
            Argument::ControlByte => format!("{name} {good}\0\x0b"),
        }
    }

    fn shown(&self) -> String {
        format!("{:?} {:?}: {:?}", self.place.protection, self.state, self.line())
    }
}
