//! FTP, by way of `suppaftp`: the control connection, the data connections and their TLS are its
//! work; what is said, and what an answer means, is told here.
//!
//! The address in a 227 is not believed: data goes to where the control connection goes.

use std::{
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use jiff::Timestamp;
use suppaftp::{FtpError, FtpResult, ImplFtpStream, Mode, Status};
use wharfinger_protocol::{ftp::reply::quoted_path, time};

use crate::{
    answer::Answer,
    credentials::exposed,
    failure::Failure,
    names::shown,
    remote::{
        Ending, Entry, Remote, Sink, Source,
        flow::{self, Pace},
        listing::{self, from_octets},
    },
    site::Site,
    target::Scheme,
    tls::{Secured, SessionTls, is_timeout},
};

mod features;
mod octets;
mod transfer;

use features::Features;
use octets::Octets;

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
    /// Connects, secures, logs in, and asks for what every session wants: UTF-8 and binary.
    pub(crate) fn log_in(site: &Site) -> Result<Ftp, Failure> {
        let mut ftp = Ftp::connect(site)?;
        ftp.authenticate(site)?;
        ftp.prepare()?;
        Ok(ftp)
    }

    /// Connects and secures the connection, as the site wants it.
    pub(crate) fn connect(site: &Site) -> Result<Ftp, Failure> {
        let tls = match (site.target.scheme, site.clear) {
            (Scheme::Ftp, true) => None,
            _ => Some(SessionTls::new(&site.trust, &site.target.host, site.timeout)?),
        };
        let stream = match (site.target.scheme, &tls) {
            (Scheme::Ftps, Some(tls)) => implicit(site, tls)?,
            (_, Some(tls)) => explicit(site, tls)?,
            (_, None) => greeted(site)?,
        };
        let peer = stream.get_ref().peer_addr().map_err(|error| site.unreachable(&error.to_string()))?;
        let mut stream = stream.active_mode(site.timeout).passive_stream_builder(data_dialer(site.timeout));
        stream.set_encoding(Octets);
        stream.set_passive_nat_workaround(true);
        let welcome = stream.get_welcome_msg().map(octets::shown).unwrap_or_default();
        let mut ftp = Ftp {
            stream,
            tls,
            features: Features::default(),
            active: site.active,
            pace: site.pace(),
            peer,
            welcome,
            login: String::new(),
        };
        ftp.choose_mode();
        Ok(ftp)
    }

    /// USER and, if the server wants one, PASS.
    fn authenticate(&mut self, site: &Site) -> Result<(), Failure> {
        let mut answer = self.say(format!("USER {}", site.login.user).as_bytes())?;
        if answer.code == 331 {
            let password = site.login.password()?;
            answer = self.say(format!("PASS {}", exposed(&password)).as_bytes())?;
        }
        match answer.code {
            230 | 232 | 202 => {
                self.login = answer.to_string();
                Ok(())
            }
            _ => Err(Failure::Login(answer)),
        }
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        let answer = self.say(b"FEAT")?;
        self.features = Features::read(&answer);
        if self.features.has("UTF8") {
            // Servers that always speak UTF-8 may refuse to be told.
            self.say(b"OPTS UTF8 ON")?;
        }
        self.must("TYPE I", b"TYPE I")?;
        self.choose_mode();
        Ok(())
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

    fn is_unbound(&self) -> bool {
        let record = self.tls.as_ref().map(SessionTls::record).unwrap_or_default();
        record.data.is_some_and(|handshake| !handshake.resumed)
    }

    fn quit(&mut self) -> Result<Answer, Failure> {
        self.say(b"QUIT")
    }
}

fn greeted(site: &Site) -> Result<Stream, Failure> {
    let socket = site.dial()?;
    crate::tls::set_timeouts(&socket, site.timeout).map_err(|error| site.unreachable(&error.to_string()))?;
    Stream::connect_with_stream(socket).map_err(|error| match error {
        FtpError::UnexpectedResponse(response) => match Answer::from_ftp(&response.body) {
            Some(answer) => Failure::Refused { what: site.target.server(), answer },
            None => no_reply(&response.body),
        },
        other => broken(other, &site.pace()),
    })
}

/// AUTH TLS, PBSZ and PROT P (RFC 4217), before anything is said that matters.
fn explicit(site: &Site, tls: &SessionTls) -> Result<Stream, Failure> {
    greeted(site)?.into_secure(tls.clone(), &site.target.host).map_err(|error| match error {
        FtpError::UnexpectedResponse(response) => {
            let answer =
                Answer::from_ftp(&response.body).map_or_else(String::new, |answer| answer.to_string());
            Failure::Tls(format!(
                "the server refuses TLS: {answer}\n  With --clear wharf goes on without it, and everybody on \
                 the way can read the password and the files."
            ))
        }
        FtpError::SecureError(text) => tls.failure(&text),
        other => broken(other, &site.pace()),
    })
}

/// TLS from the first byte. `suppaftp` connects by itself and waits without end; so it does that
/// in a thread, which is left behind when the time is over.
fn implicit(site: &Site, tls: &SessionTls) -> Result<Stream, Failure> {
    let addresses = site.addresses()?;
    let (done, waiting) = mpsc::channel();
    let (connector, host) = (tls.clone(), site.target.host.clone());
    thread::spawn(move || {
        let connected = Stream::connect_secure_implicit(addresses.as_slice(), connector, &host);
        // Nobody waits any more if the time is over.
        let _ = done.send(connected);
    });
    // The time for TCP, for TLS and for the greeting.
    let connected = waiting.recv_timeout(site.timeout * 3);
    let stream = match connected.map_err(|_| site.unreachable("it does not answer"))? {
        Ok(stream) => stream,
        Err(FtpError::SecureError(text)) => return Err(tls.failure(&text)),
        Err(FtpError::UnexpectedResponse(response)) => {
            return Err(match Answer::from_ftp(&response.body) {
                Some(answer) => Failure::Refused { what: site.target.server(), answer },
                None => no_reply(&response.body),
            });
        }
        Err(FtpError::ConnectionError(error)) => return Err(site.unreachable(&error.to_string())),
        Err(other) => return Err(broken(other, &site.pace())),
    };
    site.interrupt.watch(&stream.get_ref());
    let mut stream = stream;
    for line in ["PBSZ 0", "PROT P"] {
        if let Err(error) = stream.custom_command(line, &[Status::CommandOk]) {
            return Err(Failure::Tls(format!("the server does not protect data connections: {error}")));
        }
    }
    Ok(stream)
}

fn data_dialer(timeout: Duration) -> impl Fn(SocketAddr) -> FtpResult<TcpStream> + Send + Sync {
    move |address| {
        let socket = TcpStream::connect_timeout(&address, timeout).map_err(FtpError::ConnectionError)?;
        flow::prepare(&socket).map_err(FtpError::ConnectionError)?;
        Ok(socket)
    }
}

fn line(verb: &str, path: &[u8]) -> Vec<u8> {
    if path.is_empty() { verb.as_bytes().to_vec() } else { [verb.as_bytes(), b" ", path].concat() }
}

fn no_reply(bytes: &[u8]) -> Failure {
    let begin = shown(bytes.get(..60).unwrap_or(bytes));
    Failure::Protocol(format!("the server does not speak FTP; it said: {begin}"))
}

fn broken(error: FtpError, pace: &Pace) -> Failure {
    if let Err(interrupted) = pace.interrupt.check() {
        return interrupted;
    }
    match error {
        FtpError::ConnectionError(error) if is_timeout(&error) => {
            Failure::Connection(format!("the server does not answer within {} s", pace.timeout.as_secs()))
        }
        FtpError::ConnectionError(error) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Failure::Connection("the server has closed the connection".to_owned())
            }
            std::io::ErrorKind::InvalidData => {
                Failure::Protocol(format!("the server sent nonsense: {error}"))
            }
            _ => Failure::Connection(format!("the connection broke: {error}")),
        },
        FtpError::BadResponse => Failure::Protocol("the server does not speak FTP".to_owned()),
        other => Failure::Protocol(other.to_string()),
    }
}
