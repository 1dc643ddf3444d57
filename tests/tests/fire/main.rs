//! Under fire: several clients at once say what a client might say, in an order that none would, and
//! hang up when they like. Whatever they do, each command is answered as the standards allow, what was
//! acknowledged is there and nothing else is, nothing is touched outside of the users' trees, and the
//! server takes no more descriptors and memory than before.
//!
//! `tests/run` says the same each time, from one seed. `tests/soak` goes on for longer, from a seed
//! that it prints, and that `WHARFINGER_FIRE_SEED` repeats.

mod dice;
mod ftp;
mod mftp;
mod noise;
mod place;
mod tree;

use crate::ftp::FtpPlayer;
use crate::mftp::MftpPlayer;
use crate::noise::{FtpNoise, MftpNoise};
use crate::place::{Place, Player, under_fire};

#[test]
fn random_ftp_is_answered_loses_nothing_and_leaves_nothing_behind() {
    let place = Place::new();
    let mut players: Vec<Box<dyn Player + '_>> =
        (0..3).map(|number| Box::new(FtpPlayer::new(&place, number)) as Box<dyn Player>).collect();
    players.push(Box::new(FtpNoise::new(&place, 3)));
    under_fire(&place, players);
}

#[test]
fn random_mftp_is_answered_loses_nothing_and_leaves_nothing_behind() {
    let place = Place::new();
    let mut players: Vec<Box<dyn Player + '_>> =
        (0..3).map(|number| Box::new(MftpPlayer::new(&place, number)) as Box<dyn Player>).collect();
    players.push(Box::new(MftpNoise::new(&place, 3)));
    under_fire(&place, players);
}
