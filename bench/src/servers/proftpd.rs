//! ProFTPD, from Debian's package: a small `TLSCACertificateFile`, without which each session reads
//! every authority of the system, and no artificial delay at login.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Server, Start, free_port, libraries, loopback, version, write};
use crate::client::Target;
use crate::place::{NOBODY, Place};

pub(super) const NAME: &str = "ProFTPD";

/// `a password to be measured`, by SHA-512 crypt with its usual 5,000 rounds; see `openssl passwd -6`.
const HASH: &str = include_str!("password.sha512crypt");

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let installed = &place.programs.peers;
    let program = installed.join("usr/sbin/proftpd");
    let port = free_port()?;
    let entry = format!("bench:{}:{NOBODY}:{NOBODY}::{}:/bin/sh\n", HASH.trim(), place.files.display());
    let users = write(place, "proftpd.passwd", &entry)?;
    let groups = write(place, "proftpd.group", &format!("nogroup:x:{NOBODY}:\n"))?;
    for file in [&users, &groups] {
        fs::set_permissions(file, Permissions::from_mode(0o600))?;
    }
    let text = format!(
        "ModulePath {modules}\nLoadModule mod_tls.c\nServerName bench\nServerType standalone\n\
         DefaultServer on\nUseIPv6 off\nDefaultAddress 127.0.0.1\nPort {port}\nUser nobody\nGroup nogroup\n\
         PidFile {scratch}/proftpd.pid\nScoreboardFile {scratch}/proftpd.score\nDelayEngine off\n\
         UseReverseDNS off\nAuthOrder mod_auth_file.c\nAuthUserFile {users}\nAuthGroupFile {groups}\n\
         AuthPAM off\nRequireValidShell off\nDefaultRoot ~\nWtmpLog off\nTransferLog none\nSystemLog {scratch}/proftpd-system.log\n\
         MaxInstances none\nMaxClients none\nTimeoutIdle 3600\nTimeoutNoTransfer 3600\nTimeoutLogin 300\n\
         PassivePorts 44000 45999\nAllowOverwrite on\nUseSendfile on\nUmask 022\nListOptions \"\" maxfiles 200000\n\
         TLSEngine on\nTLSRequired off\nTLSProtocol TLSv1.2 TLSv1.3\n\
         TLSECCertificateFile {certificate}\nTLSECCertificateKeyFile {key}\nTLSCACertificateFile {certificate}\n\
         TLSOptions NoSessionReuseRequired\nTLSVerifyClient off\nTLSRenegotiate none\n\
         <Limit ALL>\nAllowAll\n</Limit>\n",
        modules = installed.join("usr/lib/proftpd").display(),
        scratch = place.scratch.display(),
        users = users.display(),
        groups = groups.display(),
        certificate = place.certificate.display(),
        key = place.key.display(),
    );
    let configuration = write(place, "proftpd.conf", &text)?;
    Start {
        name: NAME,
        version: version(place, &program, "-v")?,
        program: &program,
        arguments: vec![
            "-n".to_owned(),
            "-q".to_owned(),
            "-c".to_owned(),
            configuration.display().to_string(),
        ],
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
