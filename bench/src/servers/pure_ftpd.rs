//! Pure-FTPd, from Debian's package: virtual users in its own database, limits raised.

use std::process::Command;

use anyhow::ensure;

use super::{Server, Start, free_port, libraries, loopback, version, write};
use crate::client::Target;
use crate::place::{NOBODY, Place};

pub(super) const NAME: &str = "Pure-FTPd";

const HASH: &str = include_str!("password.sha512crypt");

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let installed = &place.programs.peers;
    let program = installed.join("usr/sbin/pure-ftpd");
    let port = free_port()?;
    let entry =
        format!("bench:{}:{NOBODY}:{NOBODY}::{}/./::::::::::::\n", HASH.trim(), place.files.display());
    let users = write(place, "pure-ftpd.passwd", &entry)?;
    let database = place.scratch.join("pure-ftpd.pdb");
    let made = Command::new(installed.join("usr/bin/pure-pw"))
        .envs([libraries(place)])
        .arg("mkdb")
        .arg(&database)
        .arg("-f")
        .arg(&users)
        .status()?;
    ensure!(made.success(), "pure-pw mkdb: {made}");
    let pair = std::fs::read_to_string(&place.key)? + &std::fs::read_to_string(&place.certificate)?;
    let pair = write(place, "pure-ftpd.pem", &pair)?;
    let arguments = format!(
        "--bind 127.0.0.1,{port} --login puredb:{} --tls 1 --certfile {} --passiveportrange 46000:47999 \
         --maxclientsnumber 20000 --maxclientsperip 20000 --maxidletime 60 --limitrecursion 200000:1 \
         --minuid 1 --dontresolve --noanonymous --chrooteveryone --umask 022:022 --pidfile {}",
        database.display(),
        pair.display(),
        place.scratch.join("pure-ftpd.pid").display(),
    );
    Start {
        name: NAME,
        version: version(place, &program, "--help")?,
        program: &program,
        arguments: arguments.split(' ').map(str::to_owned).collect(),
        environment: vec![libraries(place)],
        target: Target {
            address: loopback(port),
            user: "bench",
            password: "a password to be measured",
            directory: "",
        },
    }
    .go(place)
}
