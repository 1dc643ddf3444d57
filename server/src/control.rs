//! The control connection: lines in, bytes out, the upgrade to TLS.
//! Reading is cancel-safe and bounded; an idle connection holds no buffer. It knows no dialect.

mod leaving;
mod protection;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::server::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use wharfinger_protocol::line::Lines;

pub(crate) use protection::Protection;

use leaving::{Leaving, Stripped};

use crate::metrics::Metrics;
use crate::proxies::Ends;

/// A peer that doesn't take a reply for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// The TLS handshake's bound.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(20);
/// How long the peer may take to end TLS before we do.
const LEAVE_PATIENCE: Duration = Duration::from_millis(500);
/// How long a peer may take to close after us, and what it may still send.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
const LAST_INPUT: u64 = 2 * 1024 * 1024;
/// One read from the socket.
const READ: usize = 4096;
/// Memory for lines put back; then no more are read. A client may well send commands by the
/// hundred, and behind them the ABOR that must be heard.
const MOST_POSTPONED: usize = 128 * 1024;
/// What a line put back takes beside its bytes.
const LINE_OVERHEAD: usize = 64;

/// A control connection.
pub(crate) struct Control {
    stream: Stream,
    /// After the end of TLS, until the peer has ended it too.
    leaving: Option<Leaving>,
    input: Vec<u8>,
    lines: Lines,
    /// Lines put back to be answered later, oldest first.
    postponed: VecDeque<Vec<u8>>,
    /// Memory that they take.
    postponed_size: usize,
    ends: Ends,
    metrics: Metrics,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// The connection was lost in a failed upgrade.
    Gone,
}

/// What came from the peer.
pub(crate) enum Line {
    Command(Vec<u8>),
    TooLong,
    /// The peer has closed.
    End,
}

impl Control {
    /// Replies are small and each is one write, so none waits for the one before.
    pub(crate) fn new(stream: TcpStream, ends: Ends, lines: Lines, metrics: Metrics) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        // Clients send ABOR as urgent data; its last byte would be missing from the line.
        SockRef::from(&stream).set_out_of_band_inline(true)?;
        Ok(Self {
            stream: Stream::Plain(stream),
            leaving: None,
            input: Vec::new(),
            lines,
            postponed: VecDeque::new(),
            postponed_size: 0,
            ends,
            metrics,
        })
    }

    /// Whose connection it is.
    pub(crate) fn ends(&self) -> Ends {
        self.ends
    }

    /// The next line to answer: one put back, else one from the peer. Cancel-safe.
    pub(crate) async fn line(&mut self) -> io::Result<Line> {
        let Some(line) = self.postponed.pop_front() else {
            // An idle connection keeps no queue.
            self.postponed = VecDeque::new();
            return self.fresh_line().await;
        };
        self.postponed_size -= line.len() + LINE_OVERHEAD;
        Ok(Line::Command(line))
    }

    /// The next line from the peer, whatever was put back. Cancel-safe.
    pub(crate) async fn fresh_line(&mut self) -> io::Result<Line> {
        poll_fn(|context| self.poll_line(context)).await
    }

    /// Puts a line back, to be answered after those put back before it.
    pub(crate) fn postpone(&mut self, line: Vec<u8>) {
        self.postponed_size += line.len() + LINE_OVERHEAD;
        self.postponed.push_back(line);
    }

    /// Whether lines wait to be answered.
    pub(crate) fn has_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    /// Whether another line may be put back.
    pub(crate) fn can_postpone(&self) -> bool {
        self.postponed_size < MOST_POSTPONED
    }

    /// Whether the peer has sent more than the lines it was given answers to.
    pub(crate) fn has_unread_input(&self) -> bool {
        self.has_postponed() || self.lines.has_rest(&self.input)
    }

    /// Sends a reply, in one write.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.metrics.said(bytes);
        let write = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(bytes).await,
                Stream::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
                Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        timeout(WRITE_PATIENCE, write).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Upgrades to TLS, with an empty reader: nothing that came in clear is carried over.
    pub(crate) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> io::Result<Protection> {
        if self.has_unread_input() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "clear text after the request for TLS"));
        }
        self.input = Vec::new();
        self.lines = self.lines.anew();
        let Stream::Plain(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS is on already"));
        };
        let handshake = TlsAcceptor::from(config).accept(stream);
        let stream = timeout(HANDSHAKE_PATIENCE, handshake)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let protection = Protection::of(stream.get_ref().1);
        self.stream = Stream::Tls(Box::new(stream));
        Ok(protection)
    }

    /// Ends TLS behind this reply. What the peer says next is in clear; what it has said already,
    /// under TLS behind the request, is never run.
    pub(crate) async fn leave_tls(&mut self, reply: &[u8]) -> io::Result<()> {
        if self.has_unread_input() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "commands behind the end of TLS"));
        }
        self.send(reply).await?;
        self.input = Vec::new();
        self.lines = self.lines.anew();
        let Stream::Tls(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS is not on"));
        };
        let (tcp, session) = stream.into_inner();
        self.stream = Stream::Plain(tcp);
        self.leaving = Some(Leaving::begin(session)?);
        // lftp ends TLS first, and takes our end of it for the connection's if it comes with the
        // reply; curl, when passive, waits for ours.
        let left = timeout(LEAVE_PATIENCE, poll_fn(|context| self.poll_left(context))).await;
        let last_words = self.leaving.as_mut().map(Leaving::last_words).transpose()?.unwrap_or_default();
        if let Ok(left) = left {
            left?;
            self.leaving = None;
        }
        self.send(&last_words).await
    }

    /// Closes in good order. What the peer still sends is read and thrown away for a moment:
    /// unread bytes would turn the close into a reset, and the last reply would be lost.
    pub(crate) async fn close(mut self) {
        let close = async {
            let tcp = match &mut self.stream {
                Stream::Plain(stream) => {
                    stream.shutdown().await?;
                    stream
                }
                Stream::Tls(stream) => {
                    stream.shutdown().await?;
                    stream.get_mut().0
                }
                Stream::Gone => return Ok(()),
            };
            let mut rest = tcp.take(LAST_INPUT);
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.map(drop)
        };
        if let Ok(Err(error)) = timeout(CLOSE_PATIENCE, close).await {
            tracing::debug!(%error, "the control connection was gone before it was closed");
        }
    }

    /// Ends when TLS is off, as far as the peer is concerned.
    fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(leaving) = &mut self.leaving {
            if leaving.strip(&mut self.input)? == Stripped::Clear {
                break;
            }
            if ready!(self.poll_read(context))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Line>> {
        loop {
            ready!(self.poll_left(context))?;
            self.leaving = None;
            match self.lines.next(&mut self.input) {
                Some(Ok(line)) => return Poll::Ready(Ok(Line::Command(line.to_vec()))),
                Some(Err(_)) => return Poll::Ready(Ok(Line::TooLong)),
                None => {}
            }
            if self.input.is_empty() {
                // An idle connection keeps no buffer.
                self.input = Vec::new();
            }
            match ready!(self.poll_read(context)) {
                Ok(0) => return Poll::Ready(Ok(Line::End)),
                Ok(_) => {}
                // Without close_notify; half a line that was cut off is never run.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(Line::End));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ];
        let mut read = ReadBuf::new(&mut bytes);
        match &mut self.stream {
            Stream::Plain(stream) => ready!(poll_read_plain(stream, context, &mut read))?,
            Stream::Tls(stream) => ready!(Pin::new(stream).poll_read(context, &mut read))?,
            Stream::Gone => return Poll::Ready(Ok(0)),
        }
        self.input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }
}

/// Reads without tokio's guess that a read that fills less than the buffer has emptied the socket:
/// a read also stops at the mark of urgent data, and what follows the mark, as the ABOR follows
/// Telnet's Synch, would not be noticed before more comes. A guess less costs one more read.
fn poll_read_plain(
    stream: &TcpStream,
    context: &mut Context<'_>,
    read: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        match stream.try_read(read.initialize_unfilled()) {
            Ok(count) => {
                read.advance(count);
                return Poll::Ready(Ok(()));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}
