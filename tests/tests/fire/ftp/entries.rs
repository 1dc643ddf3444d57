//! Directories and files made, moved, removed and asked about.

use super::Session;
use crate::tree::parent;

impl Session<'_, '_> {
    pub(super) fn change_directories(&mut self) {
        let directory = self.player.tree.any_directory(&mut self.player.dice);
        match self.player.dice.below(5) {
            0 | 1 => {
                let path = self.player.tree.any_path(&mut self.player.dice);
                let may = self.player.tree.has_room(&path) && !self.player.tree.exists(&path);
                let line = format!("MKD {}", self.spelt(&path));
                let made = self.say(&line).code == 257;
                assert_eq!(made, may, "{line}");
                if made {
                    self.player.tree.make(&path);
                }
            }
            2 => {
                let line = format!("CWD {}", self.spelt(&directory));
                self.done(&line, 250);
                self.here = directory;
            }
            3 => {
                self.done("CDUP", 200);
                self.here = parent(&self.here).to_owned();
            }
            _ => {
                let shown = format!("\"/{}\"", self.here.replace('"', "\"\""));
                let text = self.done("PWD", 257).text;
                assert!(text.contains(&shown), "{text}, not {shown}");
            }
        }
    }

    pub(super) fn move_or_remove(&mut self) {
        let dice = &mut self.player.dice;
        match dice.below(4) {
            0 => {
                let directory = self.player.tree.any_directory(dice);
                let line = format!("RMD {}", self.spelt(&directory));
                if self.say(&line).code == 250 {
                    assert!(!directory.is_empty() && self.player.tree.names(&directory).is_empty(), "{line}");
                    self.player.tree.remove(&directory);
                    self.go_home();
                }
            }
            1 => {
                let Some(file) = self.player.tree.any_file(dice) else { return };
                let line = format!("DELE {}", self.spelt(&file));
                self.done(&line, 250);
                self.player.tree.remove(&file);
            }
            _ => self.rename(),
        }
    }

    pub(super) fn rename(&mut self) {
        let tree = &self.player.tree;
        let from = tree.any_file(&mut self.player.dice).filter(|_| !self.player.dice.one_in(3));
        let from = from.unwrap_or_else(|| tree.any_directory(&mut self.player.dice));
        let to = tree.any_path(&mut self.player.dice);
        let line = format!("RNFR {}", self.spelt(&from));
        if self.say(&line).code != 350 {
            assert!(from.is_empty(), "{line}");
            return;
        }
        if self.player.dice.one_in(6) {
            self.done("NOOP", 200);
            self.done("RNTO anything", 503);
            return;
        }
        let line = format!("RNTO {}", self.spelt(&to));
        if self.say(&line).code == 250 {
            assert!(!to.starts_with(&format!("{from}/")), "{line}");
            self.player.tree.rename(&from, &to);
            self.go_home();
        }
    }

    /// What this session stood in may have another name now.
    pub(super) fn go_home(&mut self) {
        self.done("CWD /", 250);
        self.here.clear();
    }

    pub(super) fn ask_facts(&mut self) {
        let Some(file) = self.player.tree.any_file(&mut self.player.dice) else { return };
        let path = self.spelt(&file);
        let size = self.player.tree.file(&file).unwrap().len();
        match self.player.dice.below(6) {
            0 => {
                self.set_ascii(false);
                let text = self.done(&format!("SIZE {path}"), 213).text;
                assert_eq!(text, format!("213 {size}"), "{file}");
            }
            1 => {
                self.done(&format!("MFMT 20200102030405 {path}"), 213);
                let text = self.done(&format!("MDTM {path}"), 213).text;
                assert!(text.contains("20200102030405"), "{text}");
            }
            2 => {
                let text = self.done(&format!("MLST {path}"), 250).text.to_lowercase();
                assert!(text.contains(&format!("size={size};")), "{text}");
            }
            3 => drop(self.done(&format!("XSHA256 {path}"), 250)),
            4 => drop(self.done(&format!("HASH {path}"), 213)),
            _ => assert!(self.say(&format!("STAT {path}")).code < 300, "{path}"),
        }
    }
}
