//! Lists, held to what must be in them.

use std::io::Read;

use super::Session;
use crate::tree::join;

impl Session<'_, '_> {
    /// LIST, NLST or MLSD.
    pub(super) fn list(&mut self) {
        let directory = self.player.tree.any_directory(&mut self.player.dice);
        self.choose_representation();
        let verb = *self.player.dice.pick(&["LIST", "NLST", "MLSD", "MLSD", "NLST"]);
        self.list_by(verb, &directory);
    }

    fn list_by(&mut self, verb: &str, directory: &str) {
        // An argument that begins with a dash is options.
        let line = format!("{verb} /{directory}");
        let mut wire = self.open(&line, "").unwrap_or_else(|| panic!("{line}: refused"));
        let mut received = Vec::new();
        wire.read_to_end(&mut received).expect("the data connection ends in good order");
        assert_eq!(self.hear(&line).code, 226, "{line}");
        let text = String::from_utf8(self.unpacked(received)).expect("every name is one of ours");
        let names: Vec<String> = match verb {
            "NLST" => text.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect(),
            "MLSD" => {
                let entries = text.lines().filter(|line| !line.to_lowercase().contains("type=cdir;"));
                let entries = entries.filter(|line| !line.to_lowercase().contains("type=pdir;"));
                entries.map(|line| line.split_once("; ").expect("facts and a name").1.to_owned()).collect()
            }
            _ => return assert!(text.lines().count() >= self.player.tree.names(directory).len(), "{text}"),
        };
        self.player.tree.assert_listed(directory, &names);
    }

    /// What the server says is there, all the way down, is what is there.
    pub(super) fn assert_listed_all(&mut self, directory: &str) {
        self.list_by("MLSD", directory);
        let below: Vec<String> =
            self.player.tree.names(directory).iter().map(|name| join(directory, name)).collect();
        for path in
            below.iter().filter(|path| self.player.tree.is_directory(path)).cloned().collect::<Vec<_>>()
        {
            self.assert_listed_all(&path);
        }
    }
}
