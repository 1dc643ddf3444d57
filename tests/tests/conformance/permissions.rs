//! Every verb that touches a file, for users who may do all but one thing, and for users who may do
//! nothing else: what each needs is written down here once more, and a new verb has to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use wharfinger_protocol::ftp::Verb;
use wharfinger_tests::{Ftp, Mode, User};

use crate::place::{BOUND, Place, Protection};
use crate::state::furnish;

const ACTIONS: [&str; 10] = [
    "list",
    "download",
    "upload",
    "overwrite",
    "append",
    "rename",
    "delete",
    "make_directory",
    "remove_directory",
    "set_attributes",
];

/// A command with an argument, and what a user needs to be allowed for it.
type Line = (&'static str, &'static [&'static str]);

/// Exhaustive, so that no verb is forgotten.
fn lines(verb: Verb) -> &'static [Line] {
    match verb {
        Verb::Retr => &[("RETR file", &["download"])],
        Verb::Hash => &[("HASH file", &["download"])],
        Verb::Xcrc => &[("XCRC file", &["download"])],
        Verb::Xmd5 => &[("XMD5 file", &["download"])],
        Verb::Xsha1 => &[("XSHA1 file", &["download"])],
        Verb::Xsha256 => &[("XSHA256 file", &["download"])],
        Verb::Xsha512 => &[("XSHA512 file", &["download"])],
        Verb::Stor => &[("STOR upload", &["upload"]), ("STOR file", &["upload", "overwrite"])],
        Verb::Rest => &[("REST 3\r\nSTOR file", &["upload", "overwrite", "append"])],
        Verb::Rang => &[("RANG 0 2\r\nRETR file", &["download"]), ("RANG 0 2\r\nHASH file", &["download"])],
        Verb::Stou => &[("STOU", &["upload"]), ("STOU file", &["upload"])],
        Verb::Appe => &[("APPE upload", &["upload"]), ("APPE file", &["upload", "append"])],
        Verb::Avbl => &[("AVBL", &["upload"])],
        Verb::List => &[("LIST", &["list"]), ("LIST file", &["list"]), ("LIST f*", &["list"])],
        Verb::Nlst => &[("NLST", &["list"]), ("NLST f*", &["list"])],
        Verb::Mlsd => &[("MLSD", &["list"])],
        Verb::Mlst => &[("MLST file", &["list"])],
        Verb::Stat => &[("STAT folder", &["list"]), ("STAT f*", &["list"])],
        Verb::Size => &[("SIZE file", &["list"])],
        Verb::Mdtm => &[("MDTM file", &["list"])],
        Verb::Mfmt => &[("MFMT 20200102030405 file", &["set_attributes"])],
        Verb::Mff => &[
            ("MFF modify=20200102030405; file", &["set_attributes"]),
            ("MFF UNIX.mode=0600; file", &["set_attributes"]),
        ],
        Verb::Mkd => &[("MKD made", &["make_directory"])],
        Verb::Rmd => &[("RMD empty", &["remove_directory"])],
        Verb::Dele => &[("DELE spare", &["delete"])],
        Verb::Rnfr => &[("RNFR spare", &["rename"])],
        Verb::Rnto => &[
            ("RNFR spare\r\nRNTO renamed", &["rename"]),
            ("RNFR spare\r\nRNTO file", &["rename", "overwrite"]),
        ],
        Verb::Site => &[
            ("SITE CHMOD 600 file", &["set_attributes"]),
            ("SITE UTIME 20200102030405 file", &["set_attributes"]),
            ("SITE CPFR file", &["download"]),
            ("SITE CPFR file\r\nSITE CPTO copy", &["download", "upload"]),
            ("SITE CPFR file\r\nSITE CPTO spare", &["download", "upload", "overwrite"]),
        ],
        // Whoever may do anything in a directory may go there; the others touch no file.
        Verb::Cwd
        | Verb::Cdup
        | Verb::Pwd
        | Verb::User
        | Verb::Pass
        | Verb::Acct
        | Verb::Rein
        | Verb::Quit
        | Verb::Auth
        | Verb::Pbsz
        | Verb::Prot
        | Verb::Ccc
        | Verb::Smnt
        | Verb::Allo
        | Verb::Abor
        | Verb::Type
        | Verb::Stru
        | Verb::Mode
        | Verb::Port
        | Verb::Pasv
        | Verb::Eprt
        | Verb::Epsv
        | Verb::Opts
        | Verb::Lang
        | Verb::Host
        | Verb::Syst
        | Verb::Noop
        | Verb::Help
        | Verb::Feat
        | Verb::Clnt => &[],
    }
}

fn all() -> impl Iterator<Item = &'static Line> {
    Verb::ALL.iter().flat_map(|verb| lines(*verb))
}

#[test]
fn every_verb_is_refused_without_any_one_of_the_permissions_it_needs() {
    let place = Place::new(Protection::Clear);
    let asked: BTreeSet<&str> = all().flat_map(|(_, needs)| needs.iter().copied()).collect();
    assert_eq!(asked, BTreeSet::from(ACTIONS), "each permission is needed for something");
    for missing in ACTIONS {
        let others: Vec<&str> = ACTIONS.into_iter().filter(|action| *action != missing).collect();
        let (home, mut ftp) = session(&place, &format!("no-{missing}"), &others);
        for (line, _) in all().filter(|(_, needs)| needs.contains(&missing)) {
            furnish(&home);
            let before = contents(&home);
            let code = last_reply(&mut ftp, line);
            assert!(code >= 400, "{line:?} without {missing}: {code}");
            assert_eq!(contents(&home), before, "{line:?} without {missing} changed something");
        }
    }
}

#[test]
fn every_verb_is_done_with_just_the_permissions_it_needs() {
    let place = Place::new(Protection::Clear);
    let mut sessions: BTreeMap<&[&str], (PathBuf, Ftp)> = BTreeMap::new();
    for (line, needs) in all() {
        let (home, ftp) = sessions
            .entry(needs)
            .or_insert_with(|| session(&place, &format!("just-{}", needs.join("-")), needs));
        furnish(home);
        let code = last_reply(ftp, line);
        assert!(code < 400, "{line:?} with {needs:?}: {code}");
    }
}

/// A session of a user who may do these things and nothing else, and the user's home.
fn session(place: &Place, name: &str, allow: &[&str]) -> (PathBuf, Ftp) {
    let user = User { name: name.to_owned(), password: format!("the password of {name}") };
    let body = json!({
        "username": user.name, "password": user.password, "protocols": ["ftp"],
        "permissions": [{"path": "/", "allow": allow}],
    });
    let answer = place.deployment().admin.post("/api/v1/users", body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let mut ftp = place.connect();
    assert_eq!(ftp.log_in(&user.name, &user.password).code, 230);
    ftp.expect("TYPE I", 200);
    (place.deployment().home(&user), ftp)
}

/// The final reply to the last of these lines; a transfer is broken off again.
fn last_reply(ftp: &mut Ftp, lines: &str) -> u16 {
    ftp.passive(Mode::Epsv);
    let codes = lines.split("\r\n").map(|line| {
        ftp.send(line);
        ftp.reply_within(BOUND).code
    });
    let code = codes.last().unwrap();
    if code < 200 {
        ftp.expect("ABOR", 426);
        ftp.expect_reply(226);
    }
    code
}

/// Every file beneath the directory; the server's own are nobody's business.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let own = path.file_name().unwrap().to_string_lossy().starts_with(".wharfinger-");
        if path.is_dir() {
            found.insert(path, Vec::new());
        } else if !own {
            let content = fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
    found
}
