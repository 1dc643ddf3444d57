//! What lies behind the prompt: the connection, the working directory, and the way from a line to
//! what it does.

use crate::{
    failure::Failure,
    progress::Progress,
    remote::Remote,
    site::Site,
    upload::{Resume, Way},
};

use super::{commands, table, visible};

/// The shell's connection.
pub(super) struct Session<'a> {
    pub(super) site: &'a Site,
    pub(super) progress: Progress,
    remote: Option<Box<dyn Remote>>,
    /// The working directory, to go back to after the connection broke.
    directory: Vec<u8>,
    active: bool,
    direct: bool,
}

impl<'a> Session<'a> {
    /// Connects, and goes to the directory the URL names.
    pub(super) fn open(site: &'a Site, direct: bool, progress: &Progress) -> Result<Session<'a>, Failure> {
        let mut session = Session {
            site,
            progress: progress.clone(),
            remote: None,
            directory: site.target.path.clone(),
            active: site.active,
            direct,
        };
        let status = session.remote()?.status();
        for (name, value) in
            status.iter().filter(|(name, _)| matches!(*name, "greeting" | "login" | "protection"))
        {
            println!("{name}: {value}");
        }
        Ok(session)
    }

    /// Does what a line says. `false`: it was the last one.
    pub(super) fn execute(&mut self, words: &[String]) -> Result<bool, Failure> {
        let Some((name, arguments)) = words.split_first() else { return Ok(true) };
        let command = table::find(name)?;
        let result = commands::run(self, command, arguments);
        if let Err(failure) = &result {
            self.site.interrupt.clear();
            if failure.breaks_connection() {
                self.remote = None;
            }
        }
        result
    }

    /// The connection; a broken one is made again.
    pub(super) fn remote(&mut self) -> Result<&mut dyn Remote, Failure> {
        if self.remote.is_none() {
            let mut remote = self.site.connect()?;
            remote.set_active(self.active)?;
            if !self.directory.is_empty() {
                remote.change_directory(&self.directory)?;
            }
            self.remote = Some(remote);
        }
        match &mut self.remote {
            Some(remote) => Ok(remote.as_mut()),
            None => Err(Failure::Connection("there is no connection".to_owned())),
        }
    }

    pub(super) fn change_directory(&mut self, path: &[u8]) -> Result<(), Failure> {
        let remote = self.remote()?;
        remote.change_directory(path)?;
        self.directory = remote.directory()?;
        println!("{}", visible(&self.directory));
        Ok(())
    }

    pub(super) fn set_active(&mut self, active: bool) -> Result<(), Failure> {
        self.remote()?.set_active(active)?;
        self.active = active;
        Ok(())
    }

    /// How files are sent. What Ctrl-C left is worth keeping where it is known to be of the same file.
    pub(super) fn way(&self) -> Way {
        Way { direct: self.direct, resume: Resume::IfKnown }
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self) {
        if let Some(answer) = self.remote.take().and_then(|mut remote| remote.quit().ok()) {
            println!("{answer}");
        }
    }
}
