//! What the raw client tries while its server may be gone at any moment: nothing instead of a reply
//! then, and the test goes on.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{Ftp, Reply};
use crate::admin::User;
use crate::tls::Tls;
use crate::wire::Wire;

/// An upload under a quota waits half a minute for its store.
const LIMIT: Duration = Duration::from_mins(1);

impl Ftp {
    /// A session ready for binary transfers, if one is to be had.
    pub fn attempt(address: SocketAddr, tls: Tls, user: &User) -> Option<Ftp> {
        let mut ftp = Ftp::over(TcpStream::connect(address).ok()?, tls);
        ftp.reply_or_end(LIMIT).filter(|greeting| greeting.code == 220)?;
        ftp.attempt_command("AUTH TLS").filter(|reply| reply.code == 234)?;
        ftp.shake_hands().ok()?;
        ftp.attempt_command(&format!("USER {}", user.name)).filter(|reply| reply.code == 331)?;
        ftp.attempt_command(&format!("PASS {}", user.password)).filter(|reply| reply.code == 230)?;
        for line in ["PBSZ 0", "PROT P", "TYPE I"] {
            ftp.attempt_command(line).filter(|reply| reply.code == 200)?;
        }
        Some(ftp)
    }

    /// Sends a command line; its reply, if one comes.
    pub fn attempt_command(&mut self, line: &str) -> Option<Reply> {
        self.talk.try_send(format!("{line}\r\n").as_bytes()).ok()?;
        self.reply_or_end(LIMIT)
    }

    /// Sends a file; the last reply's code, if one comes.
    pub fn attempt_upload(&mut self, command: &str, bytes: &[u8]) -> Option<u16> {
        let reply = self.attempt_command("EPSV")?;
        if reply.code != 229 {
            return Some(reply.code);
        }
        let port = reply.text.split('|').nth(3)?.parse().ok()?;
        let socket = TcpStream::connect(SocketAddr::new(self.peer.ip(), port)).ok()?;
        let begun = self.attempt_command(command)?;
        if begun.code != 150 {
            return Some(begun.code);
        }
        let mut wire = Wire::new(socket).secured(self.tls());
        // The reply says what became of it.
        let _ = wire.write_all(bytes).and_then(|()| wire.finish());
        Some(self.reply_or_end(LIMIT)?.code)
    }
}
