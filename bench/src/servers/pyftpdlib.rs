//! `pyftpdlib`, from `PyPI`: a forked worker a core, each with its event loop (see the script).

use std::path::Path;

use super::{Server, Start, free_port, loopback, version};
use crate::client::Target;
use crate::place::Place;

pub(super) const NAME: &str = "pyftpdlib";

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let port = free_port()?;
    let python = Path::new("python3");
    let script = place.programs.pyftpdlib.display().to_string();
    Start {
        name: NAME,
        version: format!("pyftpdlib on {}", version(place, python, "--version")?),
        program: python,
        arguments: vec![script, port.to_string(), place.files.display().to_string()],
        environment: vec![
            ("PYTHONPATH", place.programs.peers.with_file_name("pyftpdlib").display().to_string()),
            ("CERTIFICATE", place.certificate.display().to_string()),
            ("KEY", place.key.display().to_string()),
        ],
        target: Target {
            address: loopback(port),
            user: "bench",
            password: "a password to be measured",
            directory: "",
        },
    }
    .go(place)
}
