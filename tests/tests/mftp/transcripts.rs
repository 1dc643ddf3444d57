//! Transcripts: files of `C:` and `S:` lines in `tests/transcripts/mftp`, said to the server as they
//! stand, in clear and under TLS.
//!
//! ```text
//! # A comment.
//! @ session           begins logged in (else behind the greeting)
//! C: RETR a           what the client says; $USER, $PASSWORD, \xNN for a byte
//! S: AOK 320 ~.+~     what the server says, whole; a regular expression between tildes
//! D> text             a line the client sends on the data channel
//! D< text             a line the client gets there; `D<` alone: nothing; `\` at the end: no line end
//! ```

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use wharfinger_tests::Mftp;
use wharfinger_tests::mftp::data_channel;
use wharfinger_tests::transcript::{pattern, unescaped, with_end};

use crate::place::{BOUND, Place, Protection};

macro_rules! transcripts {
    ($($name:ident)*) => {
        const ALL: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            use super::*;
            #[test] fn comes_true_in_clear() { play(stringify!($name), Protection::Clear); }
            #[test] fn comes_true_under_tls() { play(stringify!($name), Protection::Tls); }
        })*
    };
}

transcripts! {
    directories
    files
    lines
    login
    order
    rename
    transfers
}

#[test]
fn no_transcript_is_forgotten() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap().replace(".txt", "")).collect();
    names.sort();
    assert_eq!(names, ALL);
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("transcripts/mftp")
}

fn play(name: &str, protection: Protection) {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let place = Place::new();
    let session = text.lines().any(|line| line == "@ session");
    let mftp = if session { place.session(protection) } else { place.connect(protection) };
    let mut player = Player { place: &place, mftp, agreed: None, closed: false };
    let mut lines = text.lines().enumerate().peekable();
    let mut data = Vec::new();
    while let Some((number, line)) = lines.next() {
        let at = format!("{name}.txt:{}", number + 1);
        match line.split_once(' ').unwrap_or((line, "")) {
            ("C:", words) => player.say(words),
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
    player.end();
}

struct Player<'a> {
    place: &'a Place,
    mftp: Mftp,
    /// Where the data channel is.
    agreed: Option<SocketAddr>,
    /// After 321.
    closed: bool,
}

impl Player<'_> {
    fn say(&mut self, words: &str) {
        let words = self.filled_in(words);
        self.mftp.send_bytes(&[unescaped(&words), b"\r\n".to_vec()].concat());
    }

    fn hear(&mut self, words: &str, at: &str) {
        let expected = pattern(&self.filled_in(words));
        let answer = self.mftp.answer();
        assert!(expected.is_match(answer.as_bytes()), "{at}: {words:?} expected, not {answer:?}");
        self.agreed = answer.strip_prefix("AOK 120 ").map(data_channel).or(self.agreed);
        self.closed = answer.starts_with("AOK 321");
    }

    fn filled_in(&self, words: &str) -> String {
        let user = &self.place.user;
        words.replace("$USER", &user.name).replace("$PASSWORD", &user.password)
    }

    fn move_data(&mut self, kind: &str, lines: &[&str], at: &str) {
        let address = self.agreed.take().unwrap_or_else(|| panic!("{at}: there is no data channel"));
        let mut data = self.mftp.data(address);
        let text: String = lines.iter().map(|line| with_end(line)).collect();
        let text = if lines == [""] { String::new() } else { text };
        if kind == "D>" {
            data.write_all(&unescaped(&text)).unwrap();
            return data.finish().unwrap();
        }
        let mut received = Vec::new();
        data.read_to_end(&mut received).unwrap();
        let shown = received.escape_ascii().to_string();
        assert!(pattern(&text).is_match(&received), "{at}: {text:?} expected, but {shown:?} came");
    }

    /// Nothing is left unsaid.
    fn end(mut self) {
        if self.closed {
            assert_eq!(self.mftp.answers_until_closed(BOUND), Vec::<String>::new(), "behind 321");
        } else {
            assert_eq!(self.mftp.command("NOOP"), "AOK 220 Ready");
        }
    }
}
