//! An import's body, cut into lines of bounded length, however it arrives.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};

use crate::body::MOST_BYTES;

/// How long the next part of an import may take.
const SILENCE: Duration = Duration::from_secs(30);

/// A line of the body.
pub(super) enum Line {
    Text(Vec<u8>),
    TooLong,
    /// The body ended before it was whole, or took too long.
    Broken(&'static str),
}

/// The body, cut into lines of bounded length.
pub(super) struct Lines {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    rest: Bytes,
    ended: bool,
}

impl Lines {
    pub(super) fn new(chunks: BodyDataStream) -> Self {
        Self { chunks: Box::pin(chunks), rest: Bytes::new(), ended: false }
    }

    /// The next line, without its end; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Line> {
        let (mut line, mut too_long) = (Vec::new(), false);
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let part = self.rest.split_to(end.unwrap_or(self.rest.len()));
            too_long |= line.len() + part.len() > MOST_BYTES;
            if !too_long {
                line.extend_from_slice(&part);
            }
            if end.is_some() {
                drop(self.rest.split_to(1));
                break;
            }
            if self.ended {
                // What stands behind the last line end is a line too, if there is anything.
                if line.is_empty() && !too_long {
                    return None;
                }
                break;
            }
            match tokio::time::timeout(SILENCE, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => self.rest = chunk,
                Ok(None) => self.ended = true,
                Ok(Some(Err(_))) => return Some(self.break_off("the body ended before it was whole")),
                Err(_) => return Some(self.break_off("the next line did not arrive within 30 seconds")),
            }
        }
        Some(if too_long { Line::TooLong } else { Line::Text(line) })
    }

    fn break_off(&mut self, why: &'static str) -> Line {
        (self.ended, self.rest) = (true, Bytes::new());
        Line::Broken(why)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    async fn cut(chunks: Vec<&'static [u8]>) -> Vec<String> {
        let chunks = stream::iter(chunks).map(|chunk| Ok::<_, io::Error>(Bytes::from_static(chunk)));
        let mut lines = Lines::new(Body::from_stream(chunks).into_data_stream());
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            found.push(match line {
                Line::Text(text) => String::from_utf8(text).unwrap(),
                Line::TooLong => "too long".to_owned(),
                Line::Broken(why) => why.to_owned(),
            });
        }
        found
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_chunks_end() {
        assert_eq!(cut(vec![b"a\nb", b"c\n", b"\nd"]).await, ["a", "bc", "", "d"]);
        assert_eq!(cut(vec![b"a\n"]).await, ["a"]);
        assert!(cut(vec![]).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        static LONG: [u8; MOST_BYTES] = [b'x'; MOST_BYTES];
        assert_eq!(cut(vec![&LONG, b"x\nb\n"]).await, ["too long", "b"]);
        assert_eq!(cut(vec![&LONG, b"\nb"]).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_not_waited_for_forever() {
        let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a\n"))]);
        let mut lines = Lines::new(Body::from_stream(first.chain(stream::pending())).into_data_stream());
        assert!(matches!(lines.next().await, Some(Line::Text(_))));
        assert!(matches!(lines.next().await, Some(Line::Broken(_))));
        assert!(lines.next().await.is_none());
    }
}
