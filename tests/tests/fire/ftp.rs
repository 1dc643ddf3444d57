//! A user of FTP who does everything that can be done, in any order, and knows what must come of it.

mod entries;
mod lines;
mod lists;
mod transfers;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use wharfinger_tests::standards::{Row, TABLE};
use wharfinger_tests::{Ftp, Mode, Reply, User, Version};

use crate::dice::Dice;
use crate::place::{BOUND, Place, Player};
use crate::tree::{Tree, spelt};

/// One user, one session after the other.
pub(crate) struct FtpPlayer<'a> {
    place: &'a Place,
    user: User,
    dice: Dice,
    tree: Tree,
}

/// A session, and what it has been told.
struct Session<'a, 'p> {
    player: &'p mut FtpPlayer<'a>,
    ftp: Ftp,
    /// The working directory.
    here: String,
    over_tls: bool,
    protected: bool,
    told: Told,
}

/// What a session forgets when it begins anew.
struct Told {
    ascii: bool,
    packed: bool,
    only_epsv: bool,
}

/// As the standard wants it to begin.
const NOTHING: Told = Told { ascii: true, packed: false, only_epsv: false };

impl<'a> FtpPlayer<'a> {
    pub(crate) fn new(place: &'a Place, number: u64) -> FtpPlayer<'a> {
        let user = place.user(&format!("player-{number}"));
        let tree = Tree::new(place.deployment.home(&user));
        FtpPlayer { place, user, dice: Dice::new(place.seed, number), tree }
    }

    /// Under TLS or not, over IPv4 or IPv6, and with what a client that is not sure may say first.
    fn enter(&mut self) -> Session<'a, '_> {
        let deployment = &self.place.deployment;
        self.place.tally.sessions.fetch_add(1, Ordering::Relaxed);
        let address: SocketAddr = if self.dice.one_in(3) { deployment.ftp6() } else { deployment.ftp() };
        let over_tls = !self.dice.one_in(3);
        let version = *self.dice.pick(&Version::ALL);
        let mut ftp = Ftp::connect(address, deployment.tls(version));
        if over_tls {
            ftp.secure();
        }
        let mut session =
            Session { player: self, ftp, here: String::new(), over_tls, protected: false, told: NOTHING };
        if session.player.dice.one_in(4) {
            session.say_too_early();
        }
        session.log_in();
        session
    }
}

impl Player for FtpPlayer<'_> {
    fn play(&mut self, until: Instant) {
        while Instant::now() < until {
            let mut session = self.enter();
            while Instant::now() < until && !session.player.dice.one_in(40) {
                session.step();
            }
            session.leave();
            self.tree.assert_holds();
        }
        let mut last = self.enter();
        last.assert_listed_all("");
        last.leave();
    }
}

impl Session<'_, '_> {
    fn log_in(&mut self) {
        let (name, password) = (&self.player.user.name, &self.player.user.password);
        let reply = self.ftp.log_in(name, password);
        assert_eq!(reply.code, 230, "{reply:?}");
        (self.here, self.protected) = (String::new(), false);
        self.told = NOTHING;
        if self.over_tls && !self.player.dice.one_in(8) {
            self.protect();
        }
    }

    fn protect(&mut self) {
        self.done("PBSZ 0", 200);
        self.done("PROT P", 200);
        self.protected = true;
    }

    /// One thing that a client does.
    fn step(&mut self) {
        match self.player.dice.below(100) {
            0..22 => self.upload(),
            22..44 => self.download(),
            44..52 => self.list(),
            52..62 => self.change_directories(),
            62..70 => self.move_or_remove(),
            70..77 => self.ask_facts(),
            77..82 => self.set_parameters(),
            82..87 => self.say_anything(),
            87..90 => self.say_rubbish(),
            90..93 => self.say_much_at_once(),
            93..96 => self.try_to_escape(),
            _ => self.begin_anew(),
        }
    }

    /// Says it; the reply is one that the standards allow.
    fn say(&mut self, line: &str) -> Reply {
        let reply = self.ftp.command(line);
        self.check(line, &reply);
        reply
    }

    /// The last reply to what was begun.
    fn hear(&mut self, line: &str) -> Reply {
        let reply = self.ftp.reply_within(BOUND);
        self.check(line, &reply);
        reply
    }

    fn check(&mut self, line: &str, reply: &Reply) {
        self.player.place.tally.commands.fetch_add(1, Ordering::Relaxed);
        let verb = line.split(' ').next().unwrap();
        let allowed = if TABLE.iter().any(|row| row.name == verb) {
            Row::of(verb).allows(reply.code)
        } else {
            matches!(reply.code, 500 | 502)
        };
        assert!(allowed, "{line}: {reply:?}");
    }

    /// What nothing stands in the way of.
    fn done(&mut self, line: &str, code: u16) -> Reply {
        let reply = self.say(line);
        assert_eq!(reply.code, code, "{line}: {reply:?}");
        reply
    }

    /// A path as this session may write it.
    fn spelt(&mut self, path: &str) -> String {
        spelt(path, &self.here, &mut self.player.dice)
    }

    fn set_parameters(&mut self) {
        let line = *self.player.dice.pick(&[
            "TYPE E",
            "TYPE L 8",
            "TYPE A N",
            "STRU R",
            "STRU P",
            "MODE B",
            "MODE Z",
            "OPTS UTF8 ON",
            "REST 7",
            "OPTS MLST type;size;modify;perm;",
            "PBSZ 0",
            "PROT S",
            "ALLO 100",
            "RANG 3 9",
            "OPTS MODE Z LEVEL 1",
            "LANG EN",
            "CLNT a fuzzer",
            "AVBL",
            "HOST localhost",
            "ACCT x",
            "SMNT x",
            "FEAT",
        ]);
        self.say(line);
        self.reset();
    }

    /// As a client does that is not sure any more of what was said.
    fn reset(&mut self) {
        self.done("TYPE I", 200);
        self.done("MODE S", 200);
        self.done("STRU F", 200);
        (self.told.ascii, self.told.packed) = (false, false);
    }

    fn set_ascii(&mut self, ascii: bool) {
        if self.told.ascii != ascii {
            self.done(if ascii { "TYPE A" } else { "TYPE I" }, 200);
            self.told.ascii = ascii;
        }
    }

    /// REIN; AUTH, where there is no TLS yet; CCC, where there is; or EPSV ALL.
    fn begin_anew(&mut self) {
        match self.player.dice.below(4) {
            0 if !self.over_tls && !self.protected => {
                self.done("AUTH TLS", 234);
                self.ftp.shake_hands().unwrap();
                self.over_tls = true;
                self.log_in();
            }
            0 if self.over_tls => drop(self.done("AUTH TLS", 503)),
            1 if self.over_tls && self.protected => {
                self.done("CCC", 200);
                self.ftp.leave_tls(true);
                // Its data connections go on under TLS, and a second TLS is another session.
                self.over_tls = false;
                self.done("NOOP", 200);
                self.told.only_epsv = true;
                self.done("EPSV ALL", 200);
            }
            2 if !self.told.only_epsv => {
                self.done("EPSV ALL", 200);
                self.told.only_epsv = true;
                assert!(self.say("PASV").code >= 500);
            }
            _ if self.over_tls || !self.protected => {
                self.done("REIN", 220);
                self.log_in();
            }
            _ => {}
        }
    }

    /// One of the ways to agree on a data connection that this session may use.
    fn mode(&mut self) -> Mode {
        if self.told.only_epsv {
            return Mode::Epsv;
        }
        let all = [Mode::Epsv, Mode::Eprt, Mode::Pasv, Mode::Port];
        *self.player.dice.pick(if self.ftp.peer.is_ipv4() { &all } else { &all[..2] })
    }

    fn leave(mut self) {
        match self.player.dice.below(3) {
            0 => {
                self.done("QUIT", 221);
                assert!(self.ftp.replies_until_closed(BOUND).is_empty(), "more behind 221");
            }
            1 => {
                self.ftp.finish_sending();
                self.ftp.replies_until_closed(BOUND);
            }
            _ => self.ftp.cut(),
        }
    }
}
