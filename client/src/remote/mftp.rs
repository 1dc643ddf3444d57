//! MFTP, by way of our own `protocol`: a line a command, a line an answer, and a data connection
//! for each transfer, which goes to where the control connection goes.
//!
//! The protocol has no way to begin in the middle of a file, nor to set modes and times.

use std::net::SocketAddr;

use jiff::Timestamp;
use wharfinger_protocol::{Secret, mftp::Command, time};

use crate::{
    answer::Answer,
    credentials::exposed,
    failure::Failure,
    names::shown,
    remote::{Ending, Entry, Kind, Remote, Sink, Source, flow::Pace},
    site::Site,
    target::Scheme,
    tls::SessionTls,
};

mod control;
mod transfer;
mod wire;

use control::Control;
use wire::Wire;

/// A session.
pub(crate) struct Mftp {
    control: Control,
    tls: Option<SessionTls>,
    pace: Pace,
    peer: SocketAddr,
    advertised: Option<SocketAddr>,
}

impl Mftp {
    /// Connects and logs in.
    pub(crate) fn log_in(site: &Site) -> Result<Mftp, Failure> {
        let tls = match site.target.scheme {
            Scheme::Mftps => Some(SessionTls::for_mftp(&site.trust, &site.target.host, site.timeout)?),
            _ => None,
        };
        let mut mftp = Mftp::connect_under(site, tls)?;
        mftp.authenticate(site)?;
        Ok(mftp)
    }

    /// Connects, under TLS if there is one, and hears the greeting.
    pub(crate) fn connect_under(site: &Site, tls: Option<SessionTls>) -> Result<Mftp, Failure> {
        let socket = site.dial()?;
        let peer = socket.peer_addr().map_err(|error| site.unreachable(&error.to_string()))?;
        crate::tls::set_timeouts(&socket, site.timeout)
            .map_err(|error| site.unreachable(&error.to_string()))?;
        let wire = match &tls {
            Some(tls) => Wire::Secured(Box::new(tls.control(socket)?)),
            None => Wire::Clear(socket),
        };
        let mut control = Control::new(wire, site.pace());
        let greeting = control.answer()?;
        if greeting.code != 220 {
            return Err(Failure::Refused { what: site.target.server(), answer: greeting });
        }
        Ok(Mftp { control, tls, pace: site.pace(), peer, advertised: None })
    }

    /// USER and, if the server wants one, PASS.
    pub(crate) fn authenticate(&mut self, site: &Site) -> Result<(), Failure> {
        let user = site.login.user.clone().into_bytes();
        let mut answer = self.command(&Command::User(user))?;
        // The specification's table says 630, its sample 331.
        if matches!(answer.code, 630 | 331) {
            let password = site.login.password()?;
            let secret = Secret::from(exposed(&password).as_bytes().to_vec());
            answer = self.command(&Command::Pass(secret))?;
        }
        if answer.code == 230 { Ok(()) } else { Err(Failure::Login(answer)) }
    }

    /// Where the control connection goes.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The address that the last 120 named.
    pub(crate) fn advertised(&self) -> Option<SocketAddr> {
        self.advertised
    }

    fn command(&mut self, command: &Command) -> Result<Answer, Failure> {
        let mut line = Vec::new();
        command.write_to(&mut line).map_err(|error| Failure::Usage(error.to_string()))?;
        self.control.send(&line)?;
        self.control.answer()
    }

    /// A command whose refusal is a failure.
    fn must(&mut self, what: &[u8], command: &Command) -> Result<Answer, Failure> {
        let answer = self.command(command)?;
        if answer.is_refusal() && answer.code < 600 {
            return Err(Failure::Refused { what: shown(what), answer });
        }
        Ok(answer)
    }

    fn asked(&mut self, command: &Command) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.command(command)?;
        Ok((answer.code == 200).then(|| answer.text().trim_ascii().to_vec()))
    }
}

impl Remote for Mftp {
    /// LIST takes no path, so the way leads there and back.
    fn list(&mut self, path: &[u8]) -> Result<Vec<Entry>, Failure> {
        if path.is_empty() {
            return self.list_here();
        }
        let home = self.directory()?;
        if let Err(failure) = self.change_directory(path) {
            let size = self.size(path)?;
            let file = Entry { name: path.to_vec(), kind: Kind::File, size, modified: self.modified(path)? };
            return if size.is_some() { Ok(vec![file]) } else { Err(failure) };
        }
        let list = self.list_here();
        self.change_directory(&home)?;
        list
    }

    fn size(&mut self, path: &[u8]) -> Result<Option<u64>, Failure> {
        let text = self.asked(&Command::Size(path.to_vec()))?;
        Ok(text.and_then(|text| str::from_utf8(&text).ok()?.parse().ok()))
    }

    fn modified(&mut self, path: &[u8]) -> Result<Option<Timestamp>, Failure> {
        Ok(self.asked(&Command::Mdtm(path.to_vec()))?.and_then(|text| time::parse(&text)))
    }

    fn retrieve(&mut self, path: &[u8], offset: u64, sink: &mut Sink<'_>) -> Result<Ending, Failure> {
        let mut data = self.begin(path, &Command::Retr(path.to_vec()))?;
        let secured = self.tls.is_some();
        // What is there already comes again, and is passed over.
        let mut known = offset;
        let moved = self.pace.clone().receive(&mut data, secured, &mut |bytes| {
            let skip = usize::try_from(known).unwrap_or(usize::MAX).min(bytes.len());
            known -= skip as u64;
            let fresh = bytes.get(skip..).unwrap_or_default();
            if fresh.is_empty() { Ok(()) } else { sink(fresh) }
        });
        self.end(path, data, moved)
    }

    fn store(&mut self, path: &[u8], offset: u64, source: &mut Source<'_>) -> Result<(), Failure> {
        if offset > 0 {
            // The code of a command that the server does not know: uploads begin at the beginning then.
            let words = b"MFTP has no way to begin in the middle of a file".to_vec();
            return Err(Failure::Refused { what: shown(path), answer: Answer::new(503, vec![words]) });
        }
        let mut data = self.begin(path, &Command::Stor(path.to_vec()))?;
        let moved = self.pace.clone().send(&mut data, source);
        self.end(path, data, moved)
    }

    fn delete(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.must(path, &Command::Dele(path.to_vec())).map(drop)
    }

    fn make_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.must(path, &Command::Mkdr(path.to_vec())).map(drop)
    }

    fn remove_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.must(path, &Command::Rmdr(path.to_vec())).map(drop)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Failure> {
        self.must(from, &Command::Rnme { old: from.to_vec(), new: to.to_vec() }).map(drop)
    }

    fn set_mode(&mut self, _: &[u8], _: u32) -> Result<(), Failure> {
        Err(Failure::Usage("MFTP has no way to set permissions".to_owned()))
    }

    fn set_modified(&mut self, _: &[u8], _: Timestamp) -> Result<bool, Failure> {
        Ok(false)
    }

    fn change_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        self.must(path, &Command::Chwd(path.to_vec())).map(drop)
    }

    fn directory(&mut self) -> Result<Vec<u8>, Failure> {
        let answer = self.must(b"PWRD", &Command::Pwrd)?;
        Ok(answer.text().to_vec())
    }

    fn say(&mut self, line: &[u8]) -> Result<Answer, Failure> {
        if line.iter().any(u8::is_ascii_control) {
            return Err(Failure::Usage(format!("no command can carry a control character: {}", shown(line))));
        }
        self.control.send(&[line, b"\r\n"].concat())?;
        self.control.answer()
    }

    fn set_active(&mut self, active: bool) -> Result<(), Failure> {
        if active { Err(Failure::Usage("MFTP is always passive".to_owned())) } else { Ok(()) }
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        let record = self.tls.as_ref().map(SessionTls::record).unwrap_or_default();
        let control =
            record.control.map_or_else(|| "not encrypted".to_owned(), |handshake| handshake.describe());
        vec![
            ("server", self.peer.to_string()),
            ("protection", control),
            ("data connections", "passive".to_owned()),
        ]
    }

    /// The protocol demands it.
    fn publishes_whole(&self) -> bool {
        true
    }

    fn resumed(&self) -> Option<bool> {
        let record = self.tls.as_ref().map(SessionTls::record).unwrap_or_default();
        record.data.map(|handshake| handshake.resumed)
    }

    fn quit(&mut self) -> Result<Answer, Failure> {
        self.command(&Command::Quit)
    }
}
