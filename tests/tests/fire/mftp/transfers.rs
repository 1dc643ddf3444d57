//! Transfers, and every way to end one.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use wharfinger_tests::Mftp;
use wharfinger_tests::mftp::data_channel;
use wharfinger_tests::wire::Wire;

use super::Session;

impl Session<'_, '_> {
    pub(super) fn open(&mut self, line: &str) -> Option<Wire> {
        let answer = self.say(line);
        let address = answer.strip_prefix("AOK 120 ")?;
        self.player.place.tally.transfers.fetch_add(1, Ordering::Relaxed);
        Some(self.mftp.data(data_channel(address)))
    }

    pub(super) fn upload(&mut self) {
        let size = self.player.dice.size();
        let content = self.player.dice.bytes(size);
        let way = self.player.dice.below(10);
        let path = match way {
            0 => self.player.tree.orphan(&content),
            _ => self.player.tree.any_path(&mut self.player.dice),
        };
        let line = format!("STOR {}", self.spelt(&path));
        if way == 1 {
            // Nobody comes, and a second transfer is none.
            if self.say(&line).starts_with("AOK 120") {
                self.done("LIST", "ERR 422");
                self.done("ABOR", "AOK 320");
            }
            return;
        }
        let Some(mut wire) = self.open(&line) else {
            assert!(self.player.tree.is_directory(&path), "{line}: refused");
            return;
        };
        let sent = if way < 4 { &content[..content.len() / 2] } else { &content[..] };
        let written = wire.write_all(sent).and_then(|()| wire.flush());
        match way {
            0 => self.cut(wire),
            2 => {
                self.done("ABOR", "AOK 320");
                drop(wire);
            }
            3 => {
                wire.reset();
                let answer = self.hear(&line);
                // The server may not even have heard the end of the TLS handshake.
                let broken = answer.starts_with("ERR 421") || answer.starts_with("ERR 420");
                assert!(broken, "{line}: {answer}");
            }
            _ => {
                written.expect("the server takes it all");
                wire.finish().unwrap();
                assert!(self.hear(&line).starts_with("AOK 320"), "{line}");
                self.player.tree.store(&path, &content);
            }
        }
    }

    pub(super) fn download(&mut self) {
        let Some(file) = self.player.tree.any_file(&mut self.player.dice) else { return };
        let expected = self.player.tree.file(&file).unwrap().clone();
        let line = format!("RETR {}", self.spelt(&file));
        let mut wire = self.open(&line).unwrap_or_else(|| panic!("{line}: refused"));
        match self.player.dice.below(10) {
            0 => self.cut(wire),
            1 => {
                self.mftp.send("ABOR");
                self.settle();
            }
            2 => {
                wire.reset();
                self.hear(&line);
            }
            _ => {
                let mut received = Vec::new();
                wire.read_to_end(&mut received).expect("the data channel ends in good order");
                assert!(self.hear(&line).starts_with("AOK 320"), "{line}");
                assert!(*received == *expected, "{line}: other bytes");
            }
        }
    }

    /// Behind an ABOR that may have come too late: one answer more, or none.
    fn settle(&mut self) {
        self.mftp.send("WAMI");
        let wami = format!("AOK 200 {}", self.player.user.name);
        while self.hear("WAMI") != wami {}
    }

    fn cut(&mut self, wire: Wire) {
        self.mftp.cut();
        // Not TCP's end, which in clear says that this was all.
        wire.reset();
        let deployment = &self.player.place.deployment;
        let service = if self.tls.is_some() { "mftps" } else { "mftp" };
        self.mftp = Mftp::connect(deployment.addresses(service, 1)[0], self.tls.clone());
        self.log_in();
    }
}
