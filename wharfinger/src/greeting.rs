//! What is said to the person who starts the program: at the first start the way to the first
//! transferred file, later what was found.

use std::net::{IpAddr, SocketAddr};

use wharfinger_accounts::Password;
use wharfinger_admin::OWNER;
use wharfinger_config::Config;

/// Where everything is.
pub(crate) struct Place<'a> {
    pub(crate) config: &'a Config,
    /// The file server's listeners, with the name of what each is for.
    pub(crate) files: Vec<(&'static str, SocketAddr)>,
    pub(crate) admin: &'a [SocketAddr],
    pub(crate) fingerprint: String,
}

impl Place<'_> {
    /// The first start. A generated password is shown here and nowhere else; a given one isn't.
    pub(crate) fn first(&self, generated: Option<&Password>) -> String {
        let password = generated.map(|password| String::from_utf8_lossy(password.expose()).into_owned());
        let shown = match &password {
            Some(password) => format!("Password, shown this once: {password}"),
            None => "Its password is the one given; set WHARFINGER_ADMIN_PASSWORD in the other terminal too."
                .to_owned(),
        };
        let word = password.as_deref().unwrap_or("'\"$WHARFINGER_ADMIN_PASSWORD\"'");
        format!(
            "Wharfinger is ready, for the first time.\n\n\
             The admin API's owner is named \"{OWNER}\".\n{shown}\n\n\
             {places}\n\
             Copy these three commands into another terminal, in this directory:\n\n\
             1. Create the user alice; the answer shows the user\n\n{create}\n\n\
             2. Upload a file as alice\n\n{upload}\n\n\
             3. List what is there\n\n{list}\n\n",
            places = self.places(),
            create = self.create(word),
            upload = self.curl(&format!("-T {}", quoted(&self.config.certificate().display().to_string()))),
            list = self.curl("--list-only"),
        )
    }

    /// A later start.
    pub(crate) fn found(&self, users: u64) -> String {
        let users = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
        format!(
            "Wharfinger is ready; the store has the admin API's owner and {users}.\n\n{}\n",
            self.places()
        )
    }

    fn places(&self) -> String {
        let list = |addresses: &[SocketAddr]| {
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let services = [("FTPS", "ftp"), ("Implicit FTPS", "ftps"), ("MFTP", "mftp"), ("MFTPS", "mftps")];
        let shown = services.map(|(label, name)| (label, self.listening(name)));
        let shown = shown.iter().filter(|(_, addresses)| !addresses.is_empty());
        let listeners = shown.map(|(label, addresses)| format!("{label:<14}{}\n", list(addresses)));
        let listeners = listeners.collect::<Vec<_>>().concat();
        format!(
            "{listeners}\
             Admin API     {}\n\
             Store         {}\n\
             Files         {}\n\
             Certificate   {}\n\
             SHA-256       {}\n",
            list(self.admin),
            without_password(&self.config.store_url()),
            self.config.storage_root().display(),
            self.config.certificate().display(),
            self.fingerprint,
        )
    }

    fn listening(&self, service: &str) -> Vec<SocketAddr> {
        self.files.iter().filter(|(name, _)| *name == service).map(|(_, address)| *address).collect()
    }

    /// Fetches a token and uses it, as one command.
    fn create(&self, owner_password: &str) -> String {
        let scheme = if self.config.admin.certificate.as_os_str().is_empty() { "http" } else { "https" };
        let api = format!("{scheme}://{}/api/v1", reachable(self.admin));
        format!(
            "curl -sS {api}/users -H 'Content-Type: application/json' \\\n  \
             -d '{{\"username\":\"alice\",\"password\":\"{ALICE}\"}}' \\\n  \
             -H \"Authorization: Bearer $(curl -sS {api}/auth/token -H 'Content-Type: application/json' \\\n    \
             -d '{{\"username\":\"{OWNER}\",\"password\":\"{owner_password}\"}}' | cut -d '\"' -f 4)\""
        )
    }

    fn curl(&self, what: &str) -> String {
        let certificate = quoted(&self.config.certificate().display().to_string());
        format!(
            "curl -sS --ssl-reqd --cacert {certificate} --user alice:{ALICE} {what} ftp://{}/",
            reachable(&self.listening("ftp"))
        )
    }
}

/// The example user's password; it is on the screen, so it is not meant to last.
const ALICE: &str = "change-me-soon";

/// An address to reach the first listener at, from this machine.
fn reachable(addresses: &[SocketAddr]) -> String {
    addresses.first().map_or_else(String::new, |address| match address.ip() {
        ip if ip.is_unspecified() || ip.is_loopback() && ip.is_ipv4() => {
            format!("localhost:{}", address.port())
        }
        IpAddr::V6(ip) => format!("[{ip}]:{}", address.port()),
        IpAddr::V4(ip) => format!("{ip}:{}", address.port()),
    })
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A store's URL as it may be shown: what stands between `//` and `@` are credentials.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) if scheme.starts_with("mongodb") => {
            format!("{scheme}://…@{place}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_store_are_not_shown() {
        assert_eq!(without_password("mongodb://u:s3cret@h/db"), "mongodb://…@h/db");
        assert_eq!(without_password("sqlite://a@b/c.db"), "sqlite://a@b/c.db");
    }

    #[test]
    fn a_path_with_odd_letters_is_quoted_for_the_shell() {
        assert_eq!(quoted("wharfinger-data/tls/server.pem"), "wharfinger-data/tls/server.pem");
        assert_eq!(quoted("a b'c"), "'a b'\\''c'");
    }

    #[test]
    fn a_listener_on_every_address_is_reached_as_localhost() {
        assert_eq!(reachable(&["[::]:2121".parse().unwrap()]), "localhost:2121");
        assert_eq!(reachable(&["[::1]:2121".parse().unwrap()]), "[::1]:2121");
    }
}
