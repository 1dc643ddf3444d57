//! libunftp, from crates.io, as a small program of ours (bench/unftp): passwords in clear text.

use super::{Server, Start, free_port, loopback, version};
use crate::client::Target;
use crate::place::Place;

pub(super) const NAME: &str = "libunftp";

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let port = free_port()?;
    let program = &place.programs.unftp;
    let paths = [&place.files, &place.certificate, &place.key].map(|path| path.display().to_string());
    Start {
        name: NAME,
        version: version(place, program, "--version")?,
        program,
        arguments: [loopback(port).to_string()].into_iter().chain(paths).collect(),
        environment: Vec::new(),
        target: Target {
            address: loopback(port),
            user: "bench",
            password: "a password to be measured",
            directory: "",
        },
    }
    .go(place)
}
