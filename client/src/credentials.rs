//! Who logs in, and with what: the command line, `WHARF_PASSWORD`, `.netrc`, or whoever sits at the
//! terminal. A password is asked for once, when a server wants one, and is never shown.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
};

use rustix::termios::isatty;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{failure::Failure, interrupt::Interrupt, target::Target};

mod netrc;

/// A name, and a password once it is needed.
pub(crate) struct Login {
    pub(crate) user: String,
    server: String,
    password: Mutex<Option<SecretString>>,
    interrupt: Interrupt,
}

impl Login {
    /// The name from the URL or `--user`, else from `.netrc`, else whatever is answered.
    pub(crate) fn find(target: &Target, user: Option<&str>, interrupt: &Interrupt) -> Result<Login, Failure> {
        let named = user.or(target.user.as_deref());
        let machine = netrc::find(&target.host, named)?;
        let user = match (named, machine.as_ref().and_then(|machine| machine.login.clone())) {
            (Some(user), _) => user.to_owned(),
            (None, Some(user)) => user,
            (None, None) => ask_user(&target.host, interrupt)?,
        };
        let password = env::var("WHARF_PASSWORD").ok().map(SecretString::from);
        let password = password.or_else(|| machine.and_then(|machine| machine.password));
        Ok(Login {
            user,
            server: target.host.clone(),
            password: Mutex::new(password),
            interrupt: interrupt.clone(),
        })
    }

    /// The password; asks for it the first time, if nothing else gave it.
    pub(crate) fn password(&self) -> Result<SecretString, Failure> {
        let mut kept = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(password) = kept.as_ref() {
            return Ok(password.clone());
        }
        let password = if self.is_anonymous() { SecretString::from("wharf@") } else { self.ask()? };
        Ok(kept.insert(password).clone())
    }

    /// Forgets what was typed, so that the next login asks again.
    pub(crate) fn forget(&self) {
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_anonymous(&self) -> bool {
        matches!(self.user.as_str(), "anonymous" | "ftp")
    }

    fn ask(&self) -> Result<SecretString, Failure> {
        if !has_terminal() {
            return Err(Failure::Usage(format!(
                "{} needs a password, and there is nobody to ask; set WHARF_PASSWORD or put it into ~/.netrc",
                self.user
            )));
        }
        let prompt = format!("Password for {} at {}: ", self.user, self.server);
        let typed = self.interrupt.while_asking(|| rpassword::prompt_password(prompt));
        typed.map(SecretString::from).map_err(|error| Failure::Local { path: "terminal".into(), error })
    }
}

/// The password's bytes, for the one line that carries it.
pub(crate) fn exposed(password: &SecretString) -> &str {
    password.expose_secret()
}

fn ask_user(host: &str, interrupt: &Interrupt) -> Result<String, Failure> {
    if !has_terminal() {
        return Err(Failure::Usage(format!(
            "no user is given for {host}, and there is nobody to ask; put one into the URL (user@{host}) or ~/.netrc"
        )));
    }
    let unread = |error| Failure::Local { path: "terminal".into(), error };
    let mut name = String::new();
    interrupt
        .while_asking(|| {
            let mut out = io::stderr();
            write!(out, "User at {host}: ")?;
            out.flush()?;
            io::stdin().read_line(&mut name)
        })
        .map_err(unread)?;
    let name = name.trim().to_owned();
    if name.is_empty() { Err(Failure::Usage("no user's name was given".to_owned())) } else { Ok(name) }
}

/// Whether somebody can be asked.
fn has_terminal() -> bool {
    isatty(io::stdin()) && io::stderr().is_terminal()
}
