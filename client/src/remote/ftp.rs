//! FTP, by way of `suppaftp`: the control connection, the data connections and their TLS are its
//! work; what is said, and what an answer means, is told here.
//!
//! The address in a 227 is not believed: data goes to where the control connection goes.

use std::net::SocketAddr;

use jiff::Timestamp;
use suppaftp::{FtpError, ImplFtpStream, Mode};
use wharfinger_protocol::{ftp::reply::quoted_path, time};

use crate::{
    answer::Answer,
    failure::Failure,
    names::shown,
    remote::{
        Ending, Entry, Remote, Sink, Source,
        flow::Pace,
        listing::{self, from_octets},
    },
    tls::{Secured, SessionTls},
};

mod begin;
mod connect;
mod features;
mod octets;
mod transfer;
mod trouble;

use features::Features;
use octets::Octets;
use trouble::{broken, no_reply};

/// The stream as it is used here: in clear or under our TLS.
type Stream = ImplFtpStream<Secured>;

/// A session.
pub(crate) struct Ftp {
    stream: Stream,
    tls: Option<SessionTls>,
    features: Features,
    active: bool,
    pace: Pace,
    peer: SocketAddr,
    welcome: String,
    /// What the server said to the login.
    login: String,
}

impl Ftp {
    /// What the server says it can do.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// Where the control connection goes.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// EPSV where the server knows it: it works through every kind of address translation.
    fn choose_mode(&mut self) {
        let passive = if self.peer.is_ipv6() || self.features.has("EPSV") {
            Mode::ExtendedPassive
        } else {
            Mode::Passive
        };
        self.stream.set_mode(if self.active { Mode::Active } else { passive });
    }

    /// Says a line whose refusal is a failure.
    fn must(&mut self, what: &str, line: &[u8]) -> Result<Answer, Failure> {
        let answer = self.say(line)?;
        if answer.is_refusal() { Err(Failure::Refused { what: what.to_owned(), answer }) } else { Ok(answer) }
    }

    fn on(&mut self, verb: &str, path: &[u8]) -> Result<Answer, Failure> {
        self.must(&shown(path), &[verb.as_bytes(), b" ", path].concat())
    }

    /// What came of an exchange.
    fn failure(&self, what: &str, error: FtpError) -> Failure {
        match error {
            FtpError::UnexpectedResponse(response) => match Answer::from_ftp(&response.body) {
                Some(answer) => Failure::Refused { what: what.to_owned(), answer },
                None => no_reply(&response.body),
            },
            FtpError::SecureError(text) => Failure::Tls(text),
            other => broken(other, &self.pace),
        }
    }
}

impl Remote for Ftp {
    fn list(&mut self, path: &[u8]) -> Result<Vec<Entry>, Failure> {
        let facts = self.features.has("MLST");
        let verb = if facts { "MLSD" } else { "LIST" };
        match self.receive_list(verb, path) {
            Ok(bytes) if facts => Ok(listing::facts(&bytes)),
            Ok(bytes) => Ok(listing::list(&bytes)),
            // MLSD is for directories; MLST tells of a file.
            Err(Failure::Refused { what, answer }) if facts && matches!(answer.code, 501 | 550) => {
                let told = self.say(&line("MLST", path))?;
                let entry = told.lines().find_map(|line| listing::facts_line(line.trim_ascii_start()));
                match entry.filter(|_| !told.is_refusal()) {
                    Some(entry) => Ok(vec![Entry { name: path.to_vec(), ..entry }]),
                    None => Err(Failure::Refused { what, answer }),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    fn size(&mut self, path: &[u8]) -> Result<Option<u64>, Failure> {
        let answer = self.say(&line("SIZE", path))?;
        let number = str::from_utf8(answer.text()).ok().and_then(|text| text.trim().parse().ok());
        Ok(number.filter(|_| answer.code == 213))
    }

    fn modified(&mut self, path: &[u8]) -> Result<Option<Timestamp>, Failure> {
        let answer = self.say(&line("MDTM", path))?;
        Ok(time::parse(answer.text().trim_ascii()).filter(|_| answer.code == 213))
    }

    fn retrieve(&mut self, path: &[u8], offset: u64, sink: &mut Sink<'_>) -> Result<Ending, Failure> {
        self.receive("RETR", path, offset, sink)
    }

    fn store(&mut self, path: &[u8], offset: u64, source: &mut Source<'_>) -> Result<(), Failure> {
        self.send("STOR", path, offset, source)
    }

    fn delete(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.on("DELE", path).map(drop)
    }

    fn make_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.on("MKD", path).map(drop)
    }

    fn remove_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.on("RMD", path).map(drop)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Failure> {
        self.on("RNFR", from)?;
        self.on("RNTO", to).map(drop)
    }

    fn set_mode(&mut self, path: &[u8], mode: u32) -> Result<(), Failure> {
        self.must(&shown(path), &[format!("SITE CHMOD {mode:03o} ").as_bytes(), path].concat()).map(drop)
    }

    fn set_modified(&mut self, path: &[u8], time: Timestamp) -> Result<bool, Failure> {
        if !self.features.has("MFMT") {
            return Ok(false);
        }
        let mut text = b"MFMT ".to_vec();
        time::write_seconds(&mut text, time.as_second());
        let answer = self.say(&[&text[..], b" ", path].concat())?;
        Ok(!answer.is_refusal())
    }

    fn change_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        if path == b".." {
            return self.must("..", b"CDUP").map(drop);
        }
        self.on("CWD", path).map(drop)
    }

    fn directory(&mut self) -> Result<Vec<u8>, Failure> {
        let answer = self.must("PWD", b"PWD")?;
        quoted_path(answer.text())
            .ok_or_else(|| Failure::Protocol(format!("PWD was answered without a path: {answer}")))
    }

    fn say(&mut self, line: &[u8]) -> Result<Answer, Failure> {
        if line.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return Err(Failure::Usage(format!("no command can carry a line end or NUL: {}", shown(line))));
        }
        // Nothing is expected, so every reply comes back as it is.
        match self.stream.custom_command(from_octets(line), &[]) {
            Err(FtpError::UnexpectedResponse(response)) => {
                Answer::from_ftp(&response.body).ok_or_else(|| no_reply(&response.body))
            }
            Ok(response) => Answer::from_ftp(&response.body).ok_or_else(|| no_reply(&response.body)),
            Err(error) => Err(broken(error, &self.pace)),
        }
    }

    fn set_active(&mut self, active: bool) -> Result<(), Failure> {
        self.active = active;
        self.choose_mode();
        Ok(())
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        let record = self.tls.as_ref().map(SessionTls::record).unwrap_or_default();
        let control =
            record.control.map_or_else(|| "not encrypted".to_owned(), |handshake| handshake.describe());
        let data = record
            .data
            .map_or("none yet", |handshake| if handshake.resumed { "resumed" } else { "made anew" });
        vec![
            ("server", self.peer.to_string()),
            ("greeting", self.welcome.clone()),
            ("login", self.login.clone()),
            ("protection", control),
            ("data connections", if self.active { "active" } else { "passive" }.to_owned()),
            ("TLS session of the last one", data.to_owned()),
        ]
    }

    fn publishes_whole(&self) -> bool {
        self.features.says("STOR ATOMIC")
    }

    fn resumed(&self) -> Option<bool> {
        let record = self.tls.as_ref().map(SessionTls::record).unwrap_or_default();
        record.data.map(|handshake| handshake.resumed)
    }

    fn quit(&mut self) -> Result<Answer, Failure> {
        self.say(b"QUIT")
    }
}

fn line(verb: &str, path: &[u8]) -> Vec<u8> {
    if path.is_empty() { verb.as_bytes().to_vec() } else { [verb.as_bytes(), b" ", path].concat() }
}
