//! The load generator's FTP client: blocking, a thread a session, as little work as can be, since it
//! shares the machine with the server. It believes replies and checks only what shows a failed run:
//! codes and sizes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::tls::{Secure, SessionTls, Trust};

/// Bytes moved by one call.
const CHUNK: usize = 256 * 1024;
/// No server takes so long over anything that is measured.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where to log in, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    /// The directory that the benchmark's files are in, as the server names it.
    pub(crate) directory: &'static str,
}

/// Whether TLS is used, on both connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Plain,
    Tls,
}

/// A logged-in session.
pub(crate) struct Session {
    control: Control,
    address: SocketAddr,
    tls: Option<SessionTls>,
    buffer: Vec<u8>,
}

struct Control {
    wire: Wire,
    input: Vec<u8>,
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<Secure>),
}

impl Session {
    /// Connects, logs in, and sets TYPE I.
    pub(crate) fn open(target: &Target, protection: Protection, trust: &Trust) -> anyhow::Result<Self> {
        let mut session = Self::connect(target, protection, trust)?;
        if session.say(&format!("USER {}", target.user))?.0 == 331 {
            session.expect(&format!("PASS {}", target.password), 230)?;
        }
        if session.tls.is_some() {
            session.expect("PBSZ 0", 200)?;
            session.expect("PROT P", 200)?;
        }
        session.expect("TYPE I", 200)?;
        Ok(session)
    }

    fn connect(target: &Target, protection: Protection, trust: &Trust) -> anyhow::Result<Self> {
        let mut control = Control { wire: Wire::Plain(dial(target.address)?), input: Vec::new() };
        let greeting = control.reply()?;
        ensure!(greeting.0 == 220, "greeted with {greeting:?}");
        let tls = match protection {
            Protection::Plain => None,
            Protection::Tls => Some(trust.session()?),
        };
        let buffer = vec![0; CHUNK];
        let mut session = Self { control, address: target.address, tls, buffer };
        if let Some(tls) = &session.tls {
            let tls = tls.clone();
            session.expect("AUTH TLS", 234)?;
            session.control = session.control.secure(&tls)?;
        }
        Ok(session)
    }

    /// RETR; the bytes are counted and thrown away.
    pub(crate) fn retrieve(&mut self, path: &str) -> anyhow::Result<u64> {
        self.receive(&format!("RETR {path}"))
    }

    /// LIST, NLST or MLSD with its path.
    pub(crate) fn receive(&mut self, command: &str) -> anyhow::Result<u64> {
        let stream = self.begin(command)?;
        let mut data = self.data(stream)?;
        let mut total = 0;
        loop {
            match data.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => total += count as u64,
                // A server that ends TLS without close_notify.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error).context(command.to_owned()),
            }
        }
        drop(data);
        self.ended(command)?;
        Ok(total)
    }

    /// STOR of so many zero bytes.
    pub(crate) fn store(&mut self, path: &str, size: u64) -> anyhow::Result<u64> {
        let command = format!("STOR {path}");
        let stream = self.begin(&command)?;
        let mut data = self.data(stream)?;
        let mut left = size;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            data.write_all(self.buffer.get(..count).unwrap_or_default()).context(command.clone())?;
            left -= count as u64;
        }
        data.finish()?;
        drop(data);
        self.ended(&command)?;
        Ok(size)
    }

    /// One command and its reply.
    pub(crate) fn expect(&mut self, command: &str, code: u16) -> anyhow::Result<String> {
        let (got, text) = self.say(command)?;
        ensure!(got == code, "{command} was answered with {text}");
        Ok(text)
    }

    /// QUIT, and the server's goodbye.
    pub(crate) fn quit(mut self) -> anyhow::Result<()> {
        self.say("QUIT").map(drop)
    }

    fn say(&mut self, command: &str) -> anyhow::Result<(u16, String)> {
        self.control.send(command)?;
        self.control.reply().with_context(|| command.to_owned())
    }

    /// Agrees on a data connection, connects it, and sends the command.
    fn begin(&mut self, command: &str) -> anyhow::Result<TcpStream> {
        let reply = self.expect("EPSV", 229)?;
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("no port in {reply}"))?;
        let stream = dial(SocketAddr::new(self.address.ip(), port))?;
        let (code, text) = self.say(command)?;
        ensure!(code == 150 || code == 125, "{command} was answered with {text}");
        Ok(stream)
    }

    fn data(&self, stream: TcpStream) -> anyhow::Result<Wire> {
        Ok(match &self.tls {
            None => Wire::Plain(stream),
            Some(tls) => Wire::Tls(Box::new(tls.secure(stream)?)),
        })
    }

    fn ended(&mut self, command: &str) -> anyhow::Result<()> {
        let (code, text) = self.control.reply()?;
        ensure!(code == 226 || code == 250, "{command} ended with {text}");
        Ok(())
    }
}

impl Control {
    fn secure(&mut self, tls: &SessionTls) -> anyhow::Result<Self> {
        let Wire::Plain(stream) = &self.wire else { bail!("TLS is on already") };
        Ok(Self { wire: Wire::Tls(Box::new(tls.secure(stream.try_clone()?)?)), input: Vec::new() })
    }

    fn send(&mut self, command: &str) -> anyhow::Result<()> {
        self.wire.write_all(format!("{command}\r\n").as_bytes()).map_err(Into::into)
    }

    /// A whole reply: its code and its last line.
    fn reply(&mut self) -> anyhow::Result<(u16, String)> {
        loop {
            while let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if let (Some(Ok(code)), Some(" ") | None) = (line.get(..3).map(str::parse), line.get(3..4)) {
                    return Ok((code, line));
                }
            }
            let mut bytes = [0; 1024];
            self.wire.acknowledge_at_once()?;
            let count = self.wire.read(&mut bytes)?;
            ensure!(count > 0, "the server closed the control connection");
            self.input.extend_from_slice(bytes.get(..count).unwrap_or_default());
        }
    }
}

impl Wire {
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }

    /// A server that sends a reply in two pieces would wait for the acknowledgement of the first, and
    /// that, for 40 ms, for the second.
    fn acknowledge_at_once(&self) -> std::io::Result<()> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        };
        Ok(rustix::net::sockopt::set_tcp_quickack(stream, true)?)
    }

    /// Ends an upload: `close_notify`, then FIN. What the server still sends under TLS, tickets above
    /// all, is read: a socket closed with bytes unread resets the connection, and the upload with it.
    fn finish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown(std::net::Shutdown::Write)?,
            Self::Tls(stream) => {
                // An empty file, too, has a handshake.
                stream.flush()?;
                stream.conn.send_close_notify();
                stream.conn.complete_io(&mut stream.sock)?;
                stream.sock.shutdown(std::net::Shutdown::Write)?;
                // How the server closes, the reply to come says better.
                let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
            }
        }
        Ok(())
    }
}

fn dial(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
