//! What is said on the control connection alone, by a client that is confused or means harm.

use wharfinger_tests::standards::TABLE;

use super::Session;
use crate::place::BOUND;
use crate::tree::OUTSIDE;

/// Verbs after which the session is another one, which are said elsewhere; those that name a port at
/// which somebody else may listen, who would take a transfer for theirs; and STOU, which makes a file
/// under a name of its own where a data connection was left from a refused transfer.
const MOVING: [&str; 9] = ["USER", "PASS", "REIN", "QUIT", "AUTH", "CCC", "PORT", "EPRT", "STOU"];
/// Answered at once, and nothing is changed.
const HARMLESS: [&str; 9] =
    ["NOOP", "PWD", "SYST", "FEAT", "HELP", "STAT", "NLST /nowhere/at/all", "MLST /", "RNTO x"];

impl Session<'_, '_> {
    /// Any verb, with an argument that is good, bad, rubbish or missing; what it begins is broken off.
    pub(super) fn say_anything(&mut self) {
        for _ in 0..=self.player.dice.below(5) {
            let row = self.player.dice.pick(TABLE);
            if MOVING.contains(&row.name) {
                continue;
            }
            let line = match self.player.dice.below(4) {
                0 => row.name.to_owned(),
                1 => format!("{} {}", row.name, row.bad),
                _ => format!("{} {}", row.name, row.good),
            };
            let code = self.say(&line).code;
            if code < 200 {
                self.break_off(&line);
            }
        }
        self.go_home();
        self.reset();
        if self.over_tls {
            self.protect();
        }
    }

    /// ABOR while nobody has connected, or just after.
    pub(super) fn break_off(&mut self, line: &str) {
        self.ftp.send("ABOR");
        let transfer = self.hear(line).code;
        let abor = self.hear("ABOR").code;
        assert!(transfer >= 400 || abor == 225, "{line}: {transfer}, then {abor} for ABOR");
    }

    /// A line each that is none.
    pub(super) fn say_rubbish(&mut self) {
        let mut count = 0;
        for _ in 0..=self.player.dice.below(3) {
            // A first letter that no verb has, so that chance makes no command of it.
            let line = [b"=".to_vec(), self.player.dice.rubbish()].concat();
            self.ftp.send_bytes(&[&line[..], b"\r\n"].concat());
            count += 1;
        }
        for _ in 0..count {
            let reply = self.hear("=");
            assert_eq!(reply.code, 500, "{reply:?}");
        }
        self.ftp.send_bytes(b"\r\n\xff\xf1NO\xff\xf1OP\n");
        assert_eq!(self.ftp.reply_within(BOUND).code, 500, "an empty line is no command");
        assert_eq!(self.ftp.reply_within(BOUND).code, 200, "Telnet's own are no part of a line");
    }

    /// Many lines in one go, each answered in its turn.
    pub(super) fn say_much_at_once(&mut self) {
        let lines: Vec<&str> =
            (0..=self.player.dice.below(20)).map(|_| *self.player.dice.pick(&HARMLESS)).collect();
        self.ftp.send_bytes(format!("{}\r\n", lines.join("\r\n")).as_bytes());
        for line in lines {
            let reply = self.hear(line);
            assert!(reply.code >= 200, "{line}: {reply:?}");
        }
    }

    /// Out of the tree, by every way that there might be.
    pub(super) fn try_to_escape(&mut self) {
        let path = *self.player.dice.pick(&OUTSIDE);
        // A link itself is the user's own, to remove and to rename.
        let all = ["RETR", "SIZE", "MDTM", "CWD", "HASH", "XMD5", "MLSD", "NLST", "RMD", "DELE", "RNFR"];
        let verbs = if path == "/exits/file" { &all[..8] } else { &all[..] };
        let line = format!("{} {path}", self.player.dice.pick(verbs));
        let code = self.say(&line).code;
        assert!(code >= 400, "{line}: {code}");
        let line =
            *self.player.dice.pick(&["MKD /exits/out/made", "STOR /exits/up/new", "SITE CPFR /exits/file"]);
        let code = self.say(line).code;
        assert!(code >= 400, "{line}: {code}");
    }

    /// Before the login everything is answered too, and next to nothing is done.
    pub(super) fn say_too_early(&mut self) {
        for _ in 0..=self.player.dice.below(6) {
            let row = self.player.dice.pick(TABLE);
            if !MOVING.contains(&row.name) {
                self.say(&format!("{} {}", row.name, row.good));
            }
        }
    }
}
