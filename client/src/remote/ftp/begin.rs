//! From a site to a session: connected, secured, logged in, and told what every session wants.

use crate::{
    credentials::exposed, failure::Failure, remote::Remote as _, site::Site, target::Scheme, tls::SessionTls,
};

use super::{Features, Ftp, Octets, connect, octets};

impl Ftp {
    /// Connects, secures, logs in, and asks for what every session wants: UTF-8 and binary.
    pub(crate) fn log_in(site: &Site) -> Result<Ftp, Failure> {
        let mut ftp = Ftp::connect(site)?;
        ftp.authenticate(site)?;
        ftp.prepare()?;
        Ok(ftp)
    }

    /// Connects and secures the connection, as the site wants it.
    fn connect(site: &Site) -> Result<Ftp, Failure> {
        let tls = match (site.target.scheme, site.clear) {
            (Scheme::Ftp, true) => None,
            _ => Some(SessionTls::for_ftp(&site.trust, &site.target.host, site.timeout)?),
        };
        Ftp::connect_under(site, tls)
    }

    /// Connects, under this TLS if there is one.
    pub(crate) fn connect_under(site: &Site, tls: Option<SessionTls>) -> Result<Ftp, Failure> {
        let stream = match (site.target.scheme, &tls) {
            (Scheme::Ftps, Some(tls)) => connect::implicit(site, tls)?,
            (_, Some(tls)) => connect::explicit(site, tls)?,
            (_, None) => connect::greeted(site)?,
        };
        let peer = stream.get_ref().peer_addr().map_err(|error| site.unreachable(&error.to_string()))?;
        let mut stream =
            stream.active_mode(site.timeout).passive_stream_builder(connect::data_dialer(site.timeout));
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
    pub(crate) fn authenticate(&mut self, site: &Site) -> Result<(), Failure> {
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

    /// Asks what the server can do, and sets what every session wants.
    pub(crate) fn prepare(&mut self) -> Result<(), Failure> {
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
}
