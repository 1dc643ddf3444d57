//! Transcripts: files of `C:` and `S:` lines, said to the server as they stand.
//!
//! ```text
//! # A comment.
//! @ session           begins logged in, with TYPE I (else behind the greeting, or behind AUTH)
//! @ private           begins before the login, and under TLS behind PROT P
//! C: EPSV             what the client says; $USER, $PASSWORD, \xNN for a byte; $PORT for an address
//!                     at which the client then listens
//! S: 229 ~.*~         what the server says, whole; a regular expression between tildes
//! S: ...              any lines, up to the one that comes next here
//! D> text             a line the client sends on the data connection
//! D< text             a line the client gets there; `D<` alone: nothing; `\` at the end: no line end
//! ```

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use wharfinger_tests::ftp::{Offer, active_command};
use wharfinger_tests::transcript::{pattern, unescaped, with_end};
use wharfinger_tests::{Ftp, Mode};

use crate::place::{BOUND, Place, Protection};

/// Where the transcripts are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

/// Plays a transcript, which must come true.
pub(crate) fn play(name: &str, protection: Protection) {
    let file = folder().join(format!("{name}.txt"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let place = Place::new(protection);
    let begins = |with: &str| text.lines().any(|line| line == with);
    let mut ftp = if begins("@ session") { place.session() } else { place.connect() };
    if begins("@ private") {
        place.protect_data(&mut ftp);
    }
    let mut player =
        Player { place: &place, ftp, said: VecDeque::new(), agreed: None, skipping: false, closed: false };
    let mut lines = text.lines().enumerate().peekable();
    let mut data = Vec::new();
    while let Some((number, line)) = lines.next() {
        let at = format!("{name}.txt:{}", number + 1);
        match line.split_once(' ').unwrap_or((line, "")) {
            ("C:", words) => player.say(words, &at),
            ("S:", "...") => player.skipping = true,
            ("S:", words) => player.hear(words, &at),
            (kind @ ("D<" | "D>"), words) => {
                data.push(words);
                if !lines.peek().is_some_and(|(_, next)| next.starts_with(kind)) {
                    player.move_data(kind, &std::mem::take(&mut data), &at);
                }
            }
            ("" | "#" | "@", _) => {}
            _ => panic!("{at}: {line:?} is no line of a transcript"),
        }
    }
    player.end(name);
}

struct Player<'a> {
    place: &'a Place,
    ftp: Ftp,
    /// Lines of the server's that the transcript has still to come to.
    said: VecDeque<String>,
    /// Where the server listens, or the client.
    agreed: Option<Agreed>,
    /// After `S: ...`.
    skipping: bool,
    /// After 221.
    closed: bool,
}

enum Agreed {
    Passive(SocketAddr),
    Active(TcpListener),
}

impl Player<'_> {
    fn say(&mut self, words: &str, at: &str) {
        assert!(self.said.is_empty(), "{at}: the server said more: {:?}", self.said);
        let mut words = self.filled_in(words);
        if words.contains("$PORT") {
            let listener = TcpListener::bind((self.ftp.local.ip(), 0)).unwrap();
            let command = active_command(Mode::Port, listener.local_addr().unwrap());
            words = words.replace("$PORT", command.strip_prefix("PORT ").unwrap());
            self.agreed = Some(Agreed::Active(listener));
        }
        self.ftp.send_bytes(&[unescaped(&words), b"\r\n".to_vec()].concat());
    }

    fn hear(&mut self, words: &str, at: &str) {
        let expected = pattern(&self.filled_in(words));
        if self.said.is_empty() {
            let reply = self.ftp.reply_within(BOUND);
            if let Some(address) = passive_address(&reply.text, self.ftp.peer) {
                self.agreed = Some(Agreed::Passive(address));
            }
            self.said = reply.text.lines().map(str::to_owned).collect();
            self.closed = reply.code == 221;
        }
        while let Some(line) = self.said.pop_front() {
            if expected.is_match(line.as_bytes()) {
                self.skipping = false;
                return;
            }
            assert!(self.skipping, "{at}: {words:?} expected, but the server said {line:?}");
        }
        panic!("{at}: {words:?} expected, but the server said nothing of the kind");
    }

    fn filled_in(&self, words: &str) -> String {
        let user = &self.place.user;
        words.replace("$USER", &user.name).replace("$PASSWORD", &user.password)
    }

    fn move_data(&mut self, kind: &str, lines: &[&str], at: &str) {
        let mut data = match self.agreed.take() {
            Some(Agreed::Passive(address)) => self.place.data(&self.ftp, address),
            Some(Agreed::Active(listener)) => {
                self.place.protected(&self.ftp, Offer::Listening(listener).accept())
            }
            None => panic!("{at}: no data connection was agreed on"),
        };
        if kind == "D>" {
            let bytes: Vec<u8> = lines.iter().flat_map(|line| unescaped(&with_end(line))).collect();
            data.write_all(&bytes).unwrap();
            data.finish().unwrap();
            return;
        }
        let mut received = Vec::new();
        data.read_to_end(&mut received).unwrap();
        let expected: String = lines.iter().map(|line| with_end(line)).collect();
        let expected = if lines == [""] { String::new() } else { expected };
        assert!(
            pattern(&expected).is_match(&received),
            "{at}: {expected:?} expected, but {:?} came",
            received.escape_ascii().to_string()
        );
    }

    /// Nothing is left unsaid.
    fn end(mut self, name: &str) {
        assert!(self.said.is_empty(), "{name}: the server said more: {:?}", self.said);
        if self.closed {
            assert_eq!(self.ftp.replies_until_closed(BOUND), [], "{name}: behind 221");
        } else {
            self.ftp.expect("NOOP", 200);
        }
    }
}

/// The address in a 227 or a 229.
fn passive_address(text: &str, peer: SocketAddr) -> Option<SocketAddr> {
    let inner = text.split_once('(')?.1.split_once(')')?.0;
    let port = if text.starts_with("229") {
        inner.split('|').nth(3)?.parse().ok()?
    } else if text.starts_with("227") {
        let numbers: Vec<u8> = inner.split(',').filter_map(|number| number.parse().ok()).collect();
        u16::from_be_bytes([*numbers.get(4)?, *numbers.get(5)?])
    } else {
        return None;
    };
    Some(SocketAddr::new(peer.ip(), port))
}
