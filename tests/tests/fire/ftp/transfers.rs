//! Transfers of every kind, and every way to end one.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use wharfinger_tests::ftp::Offer;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Ftp, Mode};

use super::Session;
use crate::tree::join;

/// How a transfer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// In good order.
    Whole,
    /// By ABOR.
    Abort,
    /// TCP's reset, in the midst.
    Reset,
    /// The end without what shows that it is one: `close_notify`, or the end of what was packed.
    Truncated,
    /// Nobody connects, and ABOR ends the wait.
    Nobody,
    /// The control connection is cut.
    Cut,
}

impl Session<'_, '_> {
    fn ending(&mut self) -> Ending {
        match self.player.dice.below(20) {
            0..13 => Ending::Whole,
            13 | 14 => Ending::Abort,
            15 | 16 => Ending::Reset,
            17 => Ending::Truncated,
            18 => Ending::Nobody,
            _ => Ending::Cut,
        }
    }

    pub(super) fn choose_representation(&mut self) {
        let ascii = self.player.dice.one_in(4);
        self.set_ascii(ascii);
        let packed = self.player.dice.one_in(4);
        if packed != self.told.packed {
            self.done(if packed { "MODE Z" } else { "MODE S" }, 200);
            self.told.packed = packed;
        }
    }

    /// Says it and makes the data connection; `None` where it is refused.
    pub(super) fn open(&mut self, line: &str, before: &str) -> Option<Wire> {
        let mode = self.mode();
        let offer = self.ftp.offer(mode);
        if !before.is_empty() {
            self.done(before, 350);
        }
        let reply = self.say(line);
        if reply.code >= 200 {
            return None;
        }
        self.player.place.tally.transfers.fetch_add(1, Ordering::Relaxed);
        Some(self.connected(offer))
    }

    fn connected(&self, offer: Offer) -> Wire {
        let wire = offer.accept();
        if !self.protected {
            return wire;
        }
        let mut wire = wire.secured(self.ftp.tls());
        wire.shake_hands().expect("a TLS handshake on the data connection");
        wire
    }

    /// Agreed on, and nobody comes.
    fn nobody_comes(&mut self, line: &str) {
        self.ftp.passive(Mode::Epsv);
        if self.say(line).code < 200 {
            self.break_off(line);
        }
    }

    /// STOR, APPE or STOU.
    pub(super) fn upload(&mut self) {
        self.choose_representation();
        let ending = self.ending();
        let size = self.player.dice.size();
        let content =
            if self.told.ascii { self.player.dice.text(size) } else { self.player.dice.bytes(size) };
        let path = match ending {
            Ending::Cut => self.player.tree.orphan(&content),
            _ => self.player.tree.any_path(&mut self.player.dice),
        };
        let (line, before) = self.upload_line(&path, ending);
        if ending == Ending::Nobody {
            return self.nobody_comes(&line);
        }
        let tree = &self.player.tree;
        let plain = before.is_empty() && tree.has_room(&path) && !tree.is_directory(&path);
        let Some(mut wire) = self.open(&line, &before) else {
            // STOU's name is not this one; and what was broken off may be another version's beginning,
            // to which nothing is appended.
            assert!(!plain || !line.starts_with("STOR"), "{line}: refused");
            return;
        };
        let sent = self.on_the_wire(&content);
        if ending == Ending::Whole {
            wire.write_all(&sent).expect("the server takes it all");
            self.end_upload(wire);
            let reply = self.hear(&line);
            assert_eq!(reply.code, 226, "{line}: {reply:?}");
            self.acknowledged(&line, &path, &before, &content, &reply.text);
        } else {
            self.spoil_upload(wire, &line, &sent, ending);
        }
    }

    /// The upload's line, and REST before it.
    fn upload_line(&mut self, path: &str, ending: Ending) -> (String, String) {
        let spelt = self.spelt(path);
        let existing = self.player.tree.file(path).map(|content| content.len());
        match (self.player.dice.below(8), existing) {
            _ if ending == Ending::Cut => (format!("STOR {spelt}"), String::new()),
            (0, _) => (format!("APPE {spelt}"), String::new()),
            (1, Some(size)) if !self.told.ascii && !self.told.packed => {
                let offset = self.player.dice.below(size + 1);
                (format!("STOR {spelt}"), format!("REST {offset}"))
            }
            (2, _) => ("STOU".to_owned(), String::new()),
            _ => (format!("STOR {spelt}"), String::new()),
        }
    }

    /// In good order, with the data connection closed at once, or half closed until the reply.
    fn end_upload(&mut self, mut wire: Wire) {
        if self.player.dice.one_in(2) {
            wire.finish().unwrap();
        } else {
            wire.end().unwrap();
            wire.drain();
        }
    }

    /// It is there at once, whole, and under the name that was said.
    fn acknowledged(&mut self, line: &str, path: &str, before: &str, content: &[u8], said: &str) {
        if line == "STOU" {
            let name = said.split_once(": ").unwrap_or_else(|| panic!("no name in {said}")).1;
            let path = join(&self.here, name);
            assert!(!self.player.tree.exists(&path), "{path:?} is not unique");
            return self.player.tree.store(&path, content);
        }
        let stands = self.player.tree.on_disk(path).unwrap_or_else(|| panic!("{path:?} was acknowledged"));
        if line.starts_with("APPE") {
            // Behind the file, or behind what was left of an upload that was broken off.
            assert!(stands.ends_with(content), "{path:?} does not end with what was appended");
            if let Some(old) = self.player.tree.file(path) {
                assert!(stands.len() == old.len() + content.len() && stands.starts_with(old), "{path:?}");
            }
            return self.player.tree.store(path, &stands);
        }
        let offset = before.strip_prefix("REST ").map_or(0, |offset| offset.parse().unwrap());
        assert!(stands.len() == offset + content.len() && stands[offset..] == *content, "{path:?}, {before}");
        self.player.tree.store(path, &stands);
    }

    /// What was there before stays, whatever came.
    fn spoil_upload(&mut self, mut wire: Wire, line: &str, sent: &[u8], ending: Ending) {
        let half = &sent[..sent.len() / 2];
        // The server may be quicker to hang up.
        let _ = wire.write_all(half).and_then(|()| wire.flush());
        match ending {
            Ending::Abort => {
                self.abort();
                assert_eq!(self.hear(line).code, 426, "{line}");
                assert_eq!(self.hear("ABOR").code, 226, "{line}");
            }
            Ending::Cut => {
                self.ftp.cut();
                // Not TCP's end, which in clear says that this was all.
                wire.reset();
                self.enter_again();
            }
            Ending::Truncated if self.protected => {
                wire.truncate();
                assert!(self.hear(line).code >= 400, "{line}: truncated");
            }
            Ending::Truncated | Ending::Reset => {
                wire.reset();
                assert!(self.hear(line).code >= 400, "{line}: reset");
            }
            Ending::Whole | Ending::Nobody => {}
        }
    }

    /// Another session of the same player, when this one is cut.
    fn enter_again(&mut self) {
        self.ftp = Ftp::connect(self.ftp.peer, self.ftp.tls().clone());
        if self.over_tls {
            self.ftp.secure();
        }
        self.player.place.tally.sessions.fetch_add(1, Ordering::Relaxed);
        self.log_in();
    }

    /// ABOR, with or without what RFC 959 §4.1.3 wants before it.
    fn abort(&mut self) {
        match self.player.dice.below(3) {
            0 => self.ftp.send("ABOR"),
            1 if !self.over_tls => {
                self.ftp.send_bytes(b"\xff\xf4\xff");
                self.ftp.send_urgent(0xf2);
                self.ftp.send("ABOR");
            }
            _ => self.ftp.send_bytes(b"\xff\xf4\xff\xf2ABOR\r\n"),
        }
    }

    /// RETR, of all or from somewhere.
    pub(super) fn download(&mut self) {
        let Some(file) = self.player.tree.any_file(&mut self.player.dice) else { return };
        self.choose_representation();
        let content = self.player.tree.file(&file).unwrap().clone();
        let (mut range, mut before) = (0..content.len(), String::new());
        if !self.told.ascii && self.player.dice.one_in(4) {
            let from = self.player.dice.below(content.len() + 1);
            range = from..content.len();
            before = format!("REST {from}");
        }
        let line = format!("RETR {}", self.spelt(&file));
        let ending = self.ending();
        if ending == Ending::Nobody {
            return self.nobody_comes(&line);
        }
        let wire = self.open(&line, &before);
        let mut wire = wire.unwrap_or_else(|| panic!("{line} after {before:?}: refused"));
        if ending != Ending::Whole {
            return self.spoil_download(wire, &line, ending);
        }
        let mut received = Vec::new();
        wire.read_to_end(&mut received).expect("the data connection ends in good order");
        let reply = self.hear(&line);
        assert_eq!(reply.code, 226, "{line}: {reply:?}");
        let expected = if self.told.ascii { lines(&content) } else { content[range].to_vec() };
        assert!(self.unpacked(received) == expected, "{line} after {before:?}: other bytes");
    }

    fn spoil_download(&mut self, mut wire: Wire, line: &str, ending: Ending) {
        let _ = wire.read(&mut [0; 999]);
        match ending {
            Ending::Abort => {
                self.abort();
                let (transfer, abor) = (self.hear(line).code, self.hear("ABOR").code);
                assert!(matches!((transfer, abor), (426, 226) | (226, 225 | 226)), "{transfer}, {abor}");
            }
            Ending::Cut => {
                self.ftp.cut();
                self.enter_again();
            }
            _ => {
                wire.reset();
                self.hear(line);
            }
        }
    }

    fn on_the_wire(&self, content: &[u8]) -> Vec<u8> {
        let sent = if self.told.ascii { lines(content) } else { content.to_vec() };
        if !self.told.packed {
            return sent;
        }
        let mut packed = Vec::new();
        ZlibEncoder::new(&sent[..], Compression::fast()).read_to_end(&mut packed).unwrap();
        packed
    }

    pub(super) fn unpacked(&self, received: Vec<u8>) -> Vec<u8> {
        if !self.told.packed {
            return received;
        }
        let mut unpacked = Vec::new();
        ZlibDecoder::new(&received[..]).read_to_end(&mut unpacked).expect("zlib's format");
        unpacked
    }
}

/// As TYPE A has it on the wire: CRLF where there was LF alone.
fn lines(content: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(content.len() + content.len() / 32);
    let mut last = 0;
    for &byte in content {
        if byte == b'\n' && last != b'\r' {
            wire.push(b'\r');
        }
        wire.push(byte);
        last = byte;
    }
    wire
}
