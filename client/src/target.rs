//! Where to: `ftpes://user@host:port/path`, read once.
//!
//! A password has no place in it, since everybody on the machine can read a command line.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::failure::Failure;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// FTP that turns to TLS before the login (AUTH TLS, RFC 4217): `ftp://` and `ftpes://`.
    Ftp,
    /// FTP under TLS from the first byte: `ftps://`.
    Ftps,
    /// MFTP in clear: `mftp://`.
    Mftp,
    /// MFTP under TLS: `mftps://`.
    Mftps,
}

/// A server, who to be there, and a path on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// A name or an address; IPv6 without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    /// Relative to the directory after the login, unless it begins with `/` (RFC 1738 §3.2.2).
    pub(crate) path: Vec<u8>,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Ftp => 21,
            Self::Ftps => 990,
            Self::Mftp => 6666,
            Self::Mftps => 6990,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftpes",
            Self::Ftps => "ftps",
            Self::Mftp => "mftp",
            Self::Mftps => "mftps",
        }
    }
}

impl Target {
    /// Reads a URL, or a bare `[user@]host[:port][/path]`, which means explicit TLS.
    pub(crate) fn parse(text: &str) -> Result<Target, Failure> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("ftpes://{text}") };
        let (scheme, rest) = whole.split_once("://").unwrap_or_default();
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "ftp" | "ftpes" => Scheme::Ftp,
            "ftps" => Scheme::Ftps,
            "mftp" => Scheme::Mftp,
            "mftps" => Scheme::Mftps,
            other => return Err(unusable(&format!("'{other}' is none of ftp, ftpes, ftps, mftp, mftps"))),
        };
        if rest.contains(['?', '#']) {
            return Err(unusable("write ? as %3F and # as %23"));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // Only who and where; in a path, `..` and backslashes are the server's business.
        let url = Url::parse(&format!("ftp://{authority}/")).map_err(|error| unusable(&error.to_string()))?;
        if url.password().is_some() {
            return Err(Failure::Usage(
                "a password in a URL can be read by everybody on this machine and stays in the shell's \
                 history; let wharf ask for it, or use WHARF_PASSWORD or ~/.netrc"
                    .to_owned(),
            ));
        }
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| unusable("the host is missing"))?;
        Ok(Target {
            scheme,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port(&url, authority).unwrap_or(scheme.default_port()),
            user: (!url.username().is_empty()).then(|| decoded_user(url.username())).transpose()?,
            path: decoded_path(path)?,
        })
    }

    /// The server without user and path, for messages.
    pub(crate) fn server(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}://{host}:{}", self.scheme.name(), self.port)
    }

    /// Whether the text is meant as a URL, not as a local path.
    pub(crate) fn is_url(text: &str) -> bool {
        text.contains("://")
    }
}

/// A port that stands there. `Url` leaves out the one that is FTP's own.
fn port(url: &Url, authority: &str) -> Option<u16> {
    url.port().or_else(|| authority.ends_with(":21").then_some(21))
}

fn unusable(why: &str) -> Failure {
    Failure::Usage(format!("the URL can't be used: {why}"))
}

fn decoded_user(text: &str) -> Result<String, Failure> {
    let name = percent_decode_str(text).decode_utf8().map_err(|_| unusable("the user's name isn't UTF-8"))?;
    if name.chars().any(char::is_control) {
        return Err(unusable("the user's name has a control character"));
    }
    Ok(name.into_owned())
}

/// The `/` behind the host separates; a second one, or `%2F`, makes the path absolute.
fn decoded_path(text: &str) -> Result<Vec<u8>, Failure> {
    let path: Vec<u8> = percent_decode_str(text).collect();
    if path.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        return Err(unusable("no command can carry a path with a line end or NUL in it"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn every_scheme_has_its_port() {
        let ports =
            [("ftp", 21), ("ftpes", 21), ("ftps", 990), ("mftp", 6666), ("mftps", 6990), ("FTPS", 990)];
        for (scheme, port) in ports {
            assert_eq!(read(&format!("{scheme}://host")).port, port, "{scheme}");
        }
        assert_eq!(read("host").scheme, Scheme::Ftp);
        assert_eq!(read("mftp://host:21/").port, 21);
    }

    #[test]
    fn user_host_port_and_path_are_taken_apart() {
        let target = read("ftpes://alice%40home@[::1]:2121/a%20b/../c");
        assert_eq!(target.user.as_deref(), Some("alice@home"));
        assert_eq!((target.host.as_str(), target.port), ("::1", 2121));
        assert_eq!(target.server(), "ftpes://[::1]:2121");
        assert_eq!(target.path, b"a b/../c");
        assert_eq!(read("ftp://h/caf%E9").path, b"caf\xE9");
    }

    #[test]
    fn a_second_slash_makes_the_path_absolute() {
        for (url, path) in [
            ("ftp://h", ""),
            ("ftp://h/", ""),
            ("ftp://h/a/b/", "a/b/"),
            ("ftp://h//etc", "/etc"),
            ("ftp://h/%2Fetc", "/etc"),
        ] {
            assert_eq!(read(url).path, path.as_bytes(), "{url}");
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_advice() {
        for (url, advice) in [
            ("ftp://alice:secret@host/", "WHARF_PASSWORD"),
            ("http://host/", "none of ftp"),
            ("ftp:///path", "URL can't be used"),
            ("ftp://host/what?", "%3F"),
            ("ftp://host/a%0D%0ADELE%20b", "line end"),
            ("ftp://a%0Ab@host/", "control character"),
            ("ftp://host:99999/", "URL can't be used"),
        ] {
            let Err(failure) = Target::parse(url) else { panic!("{url} was taken") };
            assert!(failure.to_string().contains(advice), "{url}: {failure}");
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
    }
}
