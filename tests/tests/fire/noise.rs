//! Clients that are broken: lines that were good before something happened to them, and bytes that
//! never were any. Nobody reads the answers but to see that they are some, and that the server hangs
//! up when the client has.

use std::sync::atomic::Ordering;
use std::time::Instant;

use wharfinger_tests::standards::TABLE;
use wharfinger_tests::{Ftp, Mftp, User, Version};

use crate::dice::Dice;
use crate::mftp::COMMANDS;
use crate::place::{BOUND, Place, Player};

/// Lines sent in one go.
const LINES: usize = 12;

pub(crate) struct FtpNoise<'a> {
    place: &'a Place,
    user: User,
    dice: Dice,
}

impl<'a> FtpNoise<'a> {
    pub(crate) fn new(place: &'a Place, number: u64) -> FtpNoise<'a> {
        FtpNoise { place, user: place.user("noise-ftp"), dice: Dice::new(place.seed, number) }
    }

    fn burst(&mut self) -> Vec<u8> {
        let mut burst = Vec::new();
        for _ in 0..self.dice.below(LINES) {
            let row = self.dice.pick(TABLE);
            // The port in their arguments may be somebody else's.
            if ["PORT", "EPRT"].contains(&row.name) {
                continue;
            }
            let argument = if self.dice.one_in(3) { row.bad } else { row.good };
            let line = format!("{} {argument}", row.name).replace("$USER", &self.user.name);
            burst.extend(noisy(&mut self.dice, &line));
        }
        burst
    }

    fn session(&mut self) {
        let (place, dice) = (self.place, &mut self.dice);
        let version = *dice.pick(&Version::ALL);
        let mut ftp = Ftp::connect(place.deployment.ftp(), place.deployment.tls(version));
        if dice.one_in(2) {
            ftp.secure();
        }
        if dice.one_in(2) {
            assert_eq!(ftp.log_in(&self.user.name, &self.user.password).code, 230);
        }
        for _ in 0..=self.dice.below(3) {
            let burst = self.burst();
            // The server may have had enough.
            if ftp.try_send(&burst).is_err() {
                break;
            }
        }
        if self.dice.one_in(3) {
            return;
        }
        ftp.finish_sending();
        let replies = ftp.replies_until_closed(BOUND);
        place.tally.commands.fetch_add(replies.len() as u64, Ordering::Relaxed);
        let odd = replies.iter().find(|reply| !(100..600).contains(&reply.code));
        assert!(odd.is_none(), "{odd:?}");
    }
}

impl Player for FtpNoise<'_> {
    fn play(&mut self, until: Instant) {
        while Instant::now() < until {
            self.session();
            self.place.tally.sessions.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) struct MftpNoise<'a> {
    place: &'a Place,
    user: User,
    dice: Dice,
}

impl<'a> MftpNoise<'a> {
    pub(crate) fn new(place: &'a Place, number: u64) -> MftpNoise<'a> {
        MftpNoise { place, user: place.user("noise-mftp"), dice: Dice::new(place.seed, number) }
    }

    fn burst(&mut self) -> Vec<u8> {
        let mut burst = Vec::new();
        for _ in 0..self.dice.below(LINES) {
            let line = *self.dice.pick(&COMMANDS);
            burst.extend(noisy(&mut self.dice, line));
        }
        burst
    }

    fn session(&mut self) {
        let deployment = &self.place.deployment;
        let mut mftp = if self.dice.one_in(2) {
            let tls = deployment.tls(*self.dice.pick(&Version::ALL));
            Mftp::connect(deployment.addresses("mftps", 1)[0], Some(tls))
        } else {
            Mftp::connect(deployment.addresses("mftp", 1)[0], None)
        };
        if self.dice.one_in(2) {
            assert!(mftp.log_in(&self.user.name, &self.user.password).starts_with("AOK 230"));
        }
        for _ in 0..=self.dice.below(3) {
            let burst = self.burst();
            if mftp.try_send(&burst).is_err() {
                break;
            }
        }
        if self.dice.one_in(3) {
            return;
        }
        mftp.finish_sending();
        let answers = mftp.answers_until_closed(BOUND);
        self.place.tally.commands.fetch_add(answers.len() as u64, Ordering::Relaxed);
        let odd = answers.iter().find(|line| !line.starts_with("AOK ") && !line.starts_with("ERR "));
        assert!(odd.is_none(), "{odd:?}");
    }
}

impl Player for MftpNoise<'_> {
    fn play(&mut self, until: Instant) {
        while Instant::now() < until {
            self.session();
            self.place.tally.sessions.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A line as it is, damaged, or none of what anybody would send.
fn noisy(dice: &mut Dice, line: &str) -> Vec<u8> {
    let mut bytes = match dice.below(4) {
        0 => line.as_bytes().to_vec(),
        1 => dice.rubbish(),
        _ => dice.damaged(line),
    };
    bytes.extend_from_slice(dice.pick::<&[u8]>(&[b"\r\n", b"\r\n", b"\n", b"\r\r\n", b""]));
    bytes
}
