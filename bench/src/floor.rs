//! The limits of this machine, measured in the same run: what the same bytes cost a program that does
//! nothing else, no protocol, no checks. It runs as a process of its own (`wharfinger-bench floor`), so
//! that its CPU time is counted as a server's is.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use crate::place::{GIB, MIB, Place};
use crate::rows::{Work, gib};
use crate::tls::{self, Trust};
use crate::usage::Group;

/// One call's bytes: of plain text, and of TLS.
const PLAIN: usize = 1024 * 1024;
const TLS: usize = 256 * 1024;

/// What is moved without FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floor {
    /// A file to a socket by sendfile, 1 MiB a call.
    Sendfile,
    /// A socket to a file, 1 MiB a call.
    Receive,
    /// A file to a socket through rustls, 256 KiB a call.
    Encrypt,
    /// A socket to a file through rustls, 256 KiB a call.
    Decrypt,
    /// Connections that resume a TLS session, and say a word.
    Shake,
}

const ALL: [Floor; 5] = [Floor::Sendfile, Floor::Receive, Floor::Encrypt, Floor::Decrypt, Floor::Shake];
/// Handshakes of one run.
const HANDSHAKES: u32 = 2000;

/// The running process.
pub(crate) struct Process {
    pub(crate) group: Group,
    ports: Vec<u16>,
    child: Child,
}

impl Process {
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        let group = Group::create("floor")?;
        let mut child = group
            .command(&std::env::current_exe()?)
            .arg("floor")
            .args([&place.files, &place.certificate, &place.key])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = std::io::BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        std::io::BufRead::read_line(&mut output, &mut line)?;
        let ports: Result<Vec<u16>, _> = line.split_whitespace().map(str::parse).collect();
        let ports = ports.context("the floor's ports")?;
        ensure!(ports.len() == ALL.len(), "the floor has not started");
        Ok(Self { group, ports, child })
    }

    pub(crate) fn run(&self, floor: Floor, trust: &Trust) -> anyhow::Result<Work> {
        let index = ALL.iter().position(|known| *known == floor).unwrap_or_default();
        let port = self.ports.get(index).copied().context("no such port")?;
        let (amount, spent) = self.group.spent(|| match floor {
            Floor::Shake => shake_hands(port, trust),
            _ => exchange(floor, port, trust),
        })?;
        Ok(Work { spent, amount, figure: None })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.group.end().and_then(|()| self.child.wait().map_err(Into::into)) {
            eprintln!("the floor can't be ended: {error}");
        }
    }
}

/// GiB.
fn exchange(floor: Floor, port: u16, trust: &Trust) -> anyhow::Result<f64> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let bytes = match floor {
        Floor::Sendfile => swallow(&mut stream)?,
        Floor::Encrypt => swallow(&mut trust.session()?.secure(stream)?)?,
        Floor::Receive => {
            pour(&mut stream)?;
            stream.shutdown(Shutdown::Write)?;
            swallow(&mut stream)?;
            512 * MIB
        }
        Floor::Decrypt => {
            let mut secure = trust.session()?.secure(stream)?;
            pour(&mut secure)?;
            secure.conn.send_close_notify();
            secure.flush()?;
            secure.sock.shutdown(Shutdown::Write)?;
            swallow(&mut secure.sock)?;
            512 * MIB
        }
        Floor::Shake => 0,
    };
    ensure!((512 * MIB..=GIB).contains(&bytes), "{bytes} bytes moved");
    Ok(gib(bytes))
}

/// Thousands; the first handshake is a full one, and the others resume it.
fn shake_hands(port: u16, trust: &Trust) -> anyhow::Result<f64> {
    let session = trust.session()?;
    for number in 0..=HANDSHAKES {
        let mut secure = session.secure(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?)?;
        swallow(&mut secure)?;
        let resumed = secure.conn.handshake_kind() == Some(HandshakeKind::Resumed);
        ensure!(resumed || number == 0, "a handshake resumed nothing");
    }
    Ok(f64::from(HANDSHAKES) / 1000.0)
}

fn swallow(stream: &mut impl std::io::Read) -> anyhow::Result<u64> {
    let mut buffer = vec![0; TLS];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => total += count as u64,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(total),
            Err(error) => return Err(error.into()),
        }
    }
}

fn pour(stream: &mut impl std::io::Write) -> anyhow::Result<()> {
    let buffer = vec![0; TLS];
    for _ in 0..512 * MIB / TLS as u64 {
        stream.write_all(&buffer)?;
    }
    stream.flush().map_err(Into::into)
}

/// The process itself: a port a kind, told on standard output, served for ever.
pub(crate) fn serve(files: &Path, certificate: &Path, key: &Path) -> anyhow::Result<()> {
    let config = tls::server(certificate, key)?;
    let mut threads = Vec::new();
    let mut ports = Vec::new();
    for floor in ALL {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        ports.push(listener.local_addr()?.port().to_string());
        let (files, config) = (files.to_owned(), Arc::clone(&config));
        threads.push(std::thread::spawn(move || -> anyhow::Result<()> {
            loop {
                move_bytes(floor, listener.accept()?.0, &files, &config)?;
            }
        }));
    }
    println!("{}", ports.join(" "));
    for thread in threads {
        thread.join().ok().context("a thread failed")??;
    }
    Ok(())
}

fn move_bytes(
    floor: Floor,
    stream: TcpStream,
    files: &Path,
    config: &Arc<ServerConfig>,
) -> anyhow::Result<()> {
    let down = || File::open(files.join("1g"));
    let up = |name: &str| -> std::io::Result<File> {
        let path: PathBuf = files.join("up").join(name);
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    };
    match floor {
        Floor::Sendfile => {
            let file = down()?;
            while rustix::fs::sendfile(&stream, &file, None, PLAIN)? > 0 {}
        }
        Floor::Encrypt => {
            let file = down()?;
            let mut secure = secure(config, stream)?;
            let mut buffer = vec![0; TLS];
            let mut offset = 0;
            loop {
                let count = file.read_at(&mut buffer, offset)?;
                if count == 0 {
                    break;
                }
                secure.write_all(buffer.get(..count).unwrap_or_default())?;
                offset += count as u64;
            }
            secure.conn.send_close_notify();
            secure.flush()?;
        }
        Floor::Shake => {
            let mut secure = secure(config, stream)?;
            secure.write_all(b"hello")?;
            secure.conn.send_close_notify();
            secure.flush()?;
        }
        Floor::Receive => copy(stream, &up("floor-plain")?, PLAIN)?,
        Floor::Decrypt => copy(secure(config, stream)?, &up("floor-tls")?, TLS)?,
    }
    Ok(())
}

fn secure(
    config: &Arc<ServerConfig>,
    stream: TcpStream,
) -> anyhow::Result<StreamOwned<ServerConnection, TcpStream>> {
    let mut session = ServerConnection::new(Arc::clone(config))?;
    session.set_buffer_limit(None);
    Ok(StreamOwned::new(session, stream))
}

/// Collects a buffer full before it writes: a TLS record is much smaller.
fn copy(mut from: impl std::io::Read, to: &File, size: usize) -> anyhow::Result<()> {
    let mut buffer = vec![0; size];
    let (mut filled, mut offset) = (0, 0);
    loop {
        let count = match from.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            other => other?,
        };
        filled += count;
        if filled == size || count == 0 {
            to.write_all_at(buffer.get(..filled).unwrap_or_default(), offset)?;
            offset += filled as u64;
            filled = 0;
        }
        if count == 0 {
            return Ok(());
        }
    }
}
