//! A user of MFTP who does everything that can be done, in any order, and knows what must come of it.

mod transfers;

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Instant;

use wharfinger_tests::{Mftp, Tls, User, Version};

use crate::dice::Dice;
use crate::place::{BOUND, Place, Player};
use crate::tree::{OUTSIDE, Tree, join, spelt};

/// What a client may say that is not sure of anything: names of nothing that is kept account of.
pub(crate) const COMMANDS: [&str; 26] = [
    "LIST now",
    "RETR missing",
    "RETR",
    "STOR missing/upload",
    "STOR",
    "DELE missing",
    "RMDR missing",
    "MKDR made",
    "CHWD missing",
    "SIZE folder",
    "USER nobody",
    "PASS wrong",
    "RNME spare",
    "RNME missing:renamed",
    "NOOP",
    "NOOP now",
    "ABOR",
    "MDTM missing",
    "FEAT",
    "PWRD",
    "PWDR",
    "WAMI",
    "NONSENSE",
    "GET / HTTP/1.1",
    "RNME a:b:c",
    "SIZE \\x",
];
/// The codes there are.
const CODES: [&str; 23] = [
    "120", "200", "210", "220", "230", "320", "321", "630", "410", "411", "412", "420", "421", "422", "430",
    "500", "501", "502", "503", "504", "530", "331", "205",
];

pub(crate) struct MftpPlayer<'a> {
    place: &'a Place,
    user: User,
    dice: Dice,
    tree: Tree,
}

struct Session<'a, 'p> {
    player: &'p mut MftpPlayer<'a>,
    mftp: Mftp,
    tls: Option<Tls>,
    /// The working directory.
    here: String,
}

impl<'a> MftpPlayer<'a> {
    pub(crate) fn new(place: &'a Place, number: u64) -> MftpPlayer<'a> {
        let user = place.user(&format!("player-{number}"));
        let tree = Tree::new(place.deployment.home(&user));
        MftpPlayer { place, user, dice: Dice::new(place.seed, number), tree }
    }

    fn enter(&mut self) -> Session<'a, '_> {
        let deployment = &self.place.deployment;
        let tls = (!self.dice.one_in(3)).then(|| deployment.tls(*self.dice.pick(&Version::ALL)));
        let addresses = deployment.addresses(if tls.is_some() { "mftps" } else { "mftp" }, 2);
        let mftp = Mftp::connect(*self.dice.pick(&addresses), tls.clone());
        let mut session = Session { player: self, mftp, tls, here: String::new() };
        session.log_in();
        session
    }
}

impl Player for MftpPlayer<'_> {
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
        self.player.place.tally.sessions.fetch_add(1, Ordering::Relaxed);
        let answer = self.mftp.log_in(&self.player.user.name, &self.player.user.password);
        assert!(answer.starts_with("AOK 230"), "{answer}");
        self.here.clear();
    }

    fn step(&mut self) {
        match self.player.dice.below(100) {
            0..28 => self.upload(),
            28..54 => self.download(),
            54..62 => drop(self.list()),
            62..74 => self.change_directories(),
            74..84 => self.move_or_remove(),
            84..90 => self.ask(),
            90..95 => self.say_anything(),
            95..98 => self.try_to_escape(),
            _ => {
                self.done(&format!("USER {}", self.player.user.name), "AOK 630");
                self.done(&format!("PASS {}", self.player.user.password), "AOK 230");
                self.here.clear();
            }
        }
    }

    /// Says it; the answer is one that there is.
    fn say(&mut self, line: &str) -> String {
        self.mftp.send(line);
        self.hear(line)
    }

    fn hear(&mut self, line: &str) -> String {
        let answer = self.mftp.answer();
        self.player.place.tally.commands.fetch_add(1, Ordering::Relaxed);
        let (word, rest) = answer.split_once(' ').unwrap_or_else(|| panic!("{line}: {answer}"));
        let code = rest.split(' ').next().unwrap();
        let fits = if code.starts_with(['4', '5']) { "ERR" } else { "AOK" };
        assert!(CODES.contains(&code) && word == fits, "{line}: {answer}");
        answer
    }

    fn done(&mut self, line: &str, begins: &str) -> String {
        let answer = self.say(line);
        assert!(answer.starts_with(begins), "{line}: {answer}");
        answer
    }

    fn spelt(&mut self, path: &str) -> String {
        spelt(path, &self.here, &mut self.player.dice)
    }

    /// The working directory's, type and name.
    fn list(&mut self) -> Vec<(String, String)> {
        let mut wire = self.open("LIST").expect("a list");
        let mut text = String::new();
        wire.read_to_string(&mut text).expect("the data channel ends in good order");
        assert!(self.hear("LIST").starts_with("AOK 320"));
        let entry = |line: &str| line.split_once('\t').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        let entries: Vec<_> = text.lines().map(|line| entry(line).expect("a type and a name")).collect();
        let names: Vec<String> = entries.iter().map(|(_, name)| name.clone()).collect();
        self.player.tree.assert_listed(&self.here, &names);
        entries
    }

    fn change_directories(&mut self) {
        let directory = self.player.tree.any_directory(&mut self.player.dice);
        match self.player.dice.below(3) {
            0 => {
                let path = self.player.tree.any_path(&mut self.player.dice);
                let may = !self.player.tree.exists(&path);
                let line = format!("MKDR {}", self.spelt(&path));
                let made = self.say(&line).starts_with("AOK 210");
                assert_eq!(made, may, "{line}");
                if made {
                    self.player.tree.make(&path);
                }
            }
            1 => {
                let line = format!("CHWD {}", self.spelt(&directory));
                self.done(&line, "AOK 210");
                self.here = directory;
            }
            _ => {
                let answer = self.say("PWRD");
                assert_eq!(answer, format!("AOK 200 /{}", self.here));
            }
        }
    }

    fn move_or_remove(&mut self) {
        let (tree, dice) = (&mut self.player.tree, &mut self.player.dice);
        let (file, directory) = (tree.any_file(dice), tree.any_directory(dice));
        match (dice.below(3), file) {
            (0, Some(file)) => {
                let line = format!("DELE {}", self.spelt(&file));
                self.done(&line, "AOK 210");
                self.player.tree.remove(&file);
            }
            (1, _) => {
                let line = format!("RMDR {}", self.spelt(&directory));
                if self.say(&line).starts_with("AOK") {
                    assert!(!directory.is_empty() && self.player.tree.names(&directory).is_empty(), "{line}");
                    self.player.tree.remove(&directory);
                    self.go_home();
                }
            }
            (_, file) => self.rename(&file.unwrap_or(directory)),
        }
    }

    fn rename(&mut self, from: &str) {
        let to = self.player.tree.any_path(&mut self.player.dice);
        let escaped = |path: String| path.replace('\\', "\\\\").replace(':', "\\:");
        let line = format!("RNME {}:{}", escaped(self.spelt(from)), escaped(self.spelt(&to)));
        if self.say(&line).starts_with("AOK") {
            assert!(!to.starts_with(&format!("{from}/")), "{line}");
            self.player.tree.rename(from, &to);
            self.go_home();
        }
    }

    fn go_home(&mut self) {
        self.done("CHWD /", "AOK 210");
        self.here.clear();
    }

    fn ask(&mut self) {
        let Some(file) = self.player.tree.any_file(&mut self.player.dice) else { return };
        let size = self.player.tree.file(&file).unwrap().len();
        let line = format!("SIZE {}", self.spelt(&file));
        assert_eq!(self.say(&line), format!("AOK 200 {size}"), "{line}");
        let line = format!("MDTM {}", self.spelt(&file));
        self.done(&line, "AOK 200");
    }

    /// Several lines at once, good, bad and none, each answered in its turn.
    fn say_anything(&mut self) {
        let mut lines: Vec<&str> =
            (0..self.player.dice.below(9)).map(|_| *self.player.dice.pick(&COMMANDS)).collect();
        // They would end the session: by logging out, or because a browser says so.
        lines.retain(|line| !["USER", "PASS", "GET "].iter().any(|verb| line.starts_with(verb)));
        for line in &lines {
            self.mftp.send(line);
        }
        for line in lines {
            assert!(!self.hear(line).starts_with("AOK 120"), "{line}");
        }
        let rubbish = [b"=".to_vec(), self.player.dice.rubbish(), b"\r\n".to_vec()].concat();
        self.mftp.send_bytes(&rubbish);
        let answer = self.hear("=");
        assert!(answer.starts_with("ERR 50"), "{answer}");
    }

    fn try_to_escape(&mut self) {
        let path = *self.player.dice.pick(&OUTSIDE);
        // A link itself is the user's own, to remove.
        let all = ["RETR", "SIZE", "MDTM", "CHWD", "RMDR", "DELE"];
        let verbs = if path == "/exits/file" { &all[..4] } else { &all[..] };
        let line = format!("{} {path}", self.player.dice.pick(verbs));
        self.done(&line, "ERR 4");
        let line = *self.player.dice.pick(&["MKDR /exits/out/made", "STOR /exits/up/new"]);
        self.done(line, "ERR 4");
    }

    fn leave(mut self) {
        match self.player.dice.below(3) {
            0 => {
                self.done("QUIT", "AOK 321");
                assert!(self.mftp.answers_until_closed(BOUND).is_empty(), "more behind 321");
            }
            1 => {
                self.mftp.finish_sending();
                self.mftp.answers_until_closed(BOUND);
            }
            _ => self.mftp.cut(),
        }
    }

    /// What the server says is there, all the way down, is what is there.
    fn assert_listed_all(&mut self, directory: &str) {
        self.done(&format!("CHWD /{directory}"), "AOK 210");
        directory.clone_into(&mut self.here);
        for (kind, name) in self.list() {
            let path = join(directory, &name);
            assert!(kind == "DIRECTORY" || !self.player.tree.is_directory(&path), "{path} is a {kind}");
            if self.player.tree.is_directory(&path) {
                self.assert_listed_all(&path);
            }
        }
    }
}
