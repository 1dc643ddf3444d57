//! Programs that run under another one's rule (`prlimit`, `nsenter`), and programs that are killed
//! and started again, as whoever supervises them would. Ports are new ones then.

use super::{Deployment, Setup, Shape};
use crate::program::Program;

impl Setup {
    /// Starts the programs by this command, which has to become the program it is given.
    #[must_use]
    pub fn under(mut self, command: &[&str]) -> Setup {
        self.under = command.iter().map(|&word| word.to_owned()).collect();
        self
    }
}

impl Deployment {
    /// Kills the file server and starts it again; with it, in one program, the admin API.
    pub fn crash_server(&mut self) {
        self.crash(0);
        self.ftp = self.programs[0].addresses("ftp", 2);
        if self.shape == Shape::AllInOne {
            self.meet_admin();
        }
    }

    /// Kills the admin API and starts it again.
    pub fn crash_admin(&mut self) {
        assert_eq!(self.shape, Shape::TwoPrograms, "it is no program of its own");
        self.crash(1);
        self.meet_admin();
    }

    fn meet_admin(&mut self) {
        self.admin_address = self.programs[self.programs.len() - 1].addresses("admin", 1)[0];
        self.admin = self.admin.at(self.admin_address);
    }

    fn crash(&mut self, number: usize) {
        self.programs[number].kill();
        let name = match (self.shape, number) {
            (Shape::AllInOne, _) => "wharfinger",
            (Shape::TwoPrograms, 0) => "wharfinger-server",
            (Shape::TwoPrograms, _) => "wharfinger-admin",
        };
        let directory = self.directory.path();
        self.programs[number] = Program::start_under(&self.under, name, &[], directory, &self.environment);
    }
}
