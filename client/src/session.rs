//! A connection that is made again when it breaks, and work that is tried again when it may go
//! better the next time.

use std::{thread, time::Duration};

use crate::{failure::Failure, progress::Progress, remote::Remote, site::Site};

/// A server and, once one is needed, the connection to it.
pub(crate) struct Session<'a> {
    site: &'a Site,
    retries: u32,
    progress: Progress,
    remote: Option<Box<dyn Remote>>,
}

/// Between two attempts; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl<'a> Session<'a> {
    pub(crate) fn new(site: &'a Site, retries: u32, progress: &Progress) -> Session<'a> {
        Session { site, retries, progress: progress.clone(), remote: None }
    }

    /// Does the work, again after a failure that may pass. It is told whether this is another attempt.
    pub(crate) fn run<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Remote, bool) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut pause = FIRST_PAUSE;
        let mut left = self.retries;
        let mut again = false;
        loop {
            self.site.interrupt.check()?;
            let failure = match self.attempt(|remote| work(remote, again)) {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if left == 0 || !failure.may_pass() {
                return Err(failure);
            }
            self.progress.warn(&format!("wharf: {failure}; trying again"));
            left -= 1;
            again = true;
            thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&mut dyn Remote) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut remote = match self.remote.take() {
            Some(remote) => remote,
            None => self.site.connect()?,
        };
        let result = work(remote.as_mut());
        if !result.as_ref().is_err_and(Failure::breaks_connection) {
            self.remote = Some(remote);
        }
        result
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(mut remote) = self.remote.take() {
            // All is done; whether the server says goodbye changes nothing.
            let _ = remote.quit();
        }
    }
}
