//! One round of work with one client in one way, and the table of all its ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use regex::Regex;
use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, User, content};

use crate::step::Step;
use crate::way::{Server, Way};

const SMALL_FILES: usize = 20;

/// A client and how to make it work.
pub(crate) struct Client {
    /// As `docs/clients.md` calls it.
    pub(crate) name: &'static str,
    /// What it can do; the rest is done on the server's disk.
    pub(crate) can: fn(&Step) -> bool,
    /// Does these steps, in one session where it can, and fails if one fails.
    pub(crate) run: fn(&Site, &[Step]) -> Heard,
}

/// What a client showed.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The names it listed; `None` if it listed nothing.
    pub(crate) names: Option<BTreeSet<String>>,
    /// What it says it said to the server; empty if it does not tell.
    pub(crate) said: String,
}

impl Client {
    /// Goes a round in each of these ways, and names those that failed.
    pub(crate) fn works(&self, ways: &[Vec<Way>]) {
        let mut failed = Vec::new();
        for server in Server::ALL {
            let ways: Vec<Way> = ways.iter().flatten().copied().filter(|way| way.server == server).collect();
            if ways.is_empty() {
                continue;
            }
            let (mut deployment, user) = server.start();
            for (number, way) in ways.into_iter().enumerate() {
                let round = || self.round(number, &deployment, &user, way);
                if catch_unwind(AssertUnwindSafe(round)).is_err() {
                    let log = deployment.server().log.text();
                    let last: Vec<&str> = log.lines().rev().take(5).collect();
                    eprintln!(
                        "^^^ {} × {way}; the server's last words, the latest first: {last:#?}",
                        self.name
                    );
                    failed.push(format!("{} × {way}", self.name));
                }
            }
        }
        assert!(failed.is_empty(), "these fail, for reasons above: {failed:#?}");
    }

    fn round(&self, number: usize, deployment: &Deployment, user: &User, way: Way) {
        let address = if way.link.ipv6 { deployment.ftp6() } else { deployment.ftp() };
        let directory = deployment.directory().join(format!("round{number}"));
        let work = Work::new(&directory, &format!("a place {number}"));
        let (version, mode) = (way.version, way.link.mode);
        let site = Site { address, version, mode, directory, ..Site::new(deployment, user) };
        let home = deployment.home(user);

        let heard = self.play(&site, &home, &work.filling());
        let lists = (self.can)(&Step::List(work.place.clone()));
        assert_eq!(heard.names, lists.then(|| work.files.keys().cloned().collect()), "the names listed");
        assert_spoken(&heard.said, &format!("{mode:?}").to_uppercase());
        assert_eq!(work.files, contents(&work.arrivals), "what was downloaded");
        let mut stored = contents(&home.join(&work.place));
        assert_eq!(stored.remove("renamed").as_ref(), work.files.get("empty"), "the renamed file");
        assert!(stored.iter().all(|(name, content)| work.files[name] == *content), "what was uploaded");
        assert_eq!(stored.len() + 1, work.files.len(), "how many files were uploaded");

        self.play(&site, &home, &work.clearing());
        assert!(!home.join(&work.place).exists(), "everything is gone");
    }

    /// Has the client do what it can, in as few sessions as that takes.
    fn play(&self, site: &Site, home: &Path, steps: &[Step]) -> Heard {
        let mut all = Heard::default();
        for part in steps.chunk_by(|one, next| (self.can)(one) == (self.can)(next)) {
            if (self.can)(&part[0]) {
                let heard = (self.run)(site, part);
                all.names = all.names.or(heard.names);
                all.said += &heard.said;
            } else {
                for step in part {
                    step.by_hand(home);
                }
            }
        }
        all
    }
}

/// What one round moves, and where.
struct Work {
    files: BTreeMap<String, Vec<u8>>,
    place: String,
    supplies: PathBuf,
    arrivals: PathBuf,
}

impl Work {
    fn new(directory: &Path, place: &str) -> Work {
        let mut files = BTreeMap::from([
            ("empty".to_owned(), Vec::new()),
            ("large".to_owned(), content::bytes(1_500_000, 1)),
            ("two words".to_owned(), content::bytes(5_000, 2)),
            ("Grüße 雪".to_owned(), content::bytes(70_000, 3)),
        ]);
        for (seed, number) in (4..).zip(0..SMALL_FILES) {
            files.insert(format!("small{number}"), content::bytes(number * 100 + 1, seed));
        }
        let (supplies, arrivals) = (directory.join("supplies"), directory.join("arrivals"));
        fs::create_dir_all(&supplies).unwrap();
        fs::create_dir(&arrivals).unwrap();
        for (name, content) in &files {
            fs::write(supplies.join(name), content).unwrap();
        }
        Work { files, place: place.to_owned(), supplies, arrivals }
    }

    fn filling(&self) -> Vec<Step> {
        let mut steps = vec![Step::MakeDirectory(self.place.clone())];
        steps.extend(self.each(|name, to| Step::Upload { from: self.supplies.join(name), to }));
        steps.push(Step::List(self.place.clone()));
        steps.extend(self.each(|name, from| Step::Download { from, to: self.arrivals.join(name) }));
        steps.push(Step::Rename { from: self.at("empty"), to: self.at("renamed") });
        steps
    }

    fn clearing(&self) -> Vec<Step> {
        let left = self.files.keys().map(|name| if name == "empty" { "renamed" } else { name });
        let mut steps: Vec<Step> = left.map(|name| Step::Delete(self.at(name))).collect();
        steps.push(Step::RemoveDirectory(self.place.clone()));
        steps
    }

    fn each(&self, step: impl Fn(&str, String) -> Step) -> Vec<Step> {
        self.files.keys().map(|name| step(name, self.at(name))).collect()
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.place)
    }
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// The client agreed on data connections with this command and with no other. Before a command
/// stands what the clients put before what they send; names in the list of FEAT have a space.
fn assert_spoken(said: &str, verb: &str) {
    let command =
        Regex::new(r#"(?m)(?:^|> |Cmd: |Command: |cmd\* '|Tx: ")(PASV|EPSV|PORT|EPRT)(?:[\s'"]|$)"#).unwrap();
    let spoken: BTreeSet<&str> = command.captures_iter(said).map(|found| found.extract::<1>().1[0]).collect();
    assert!(said.is_empty() || spoken == BTreeSet::from([verb]), "{spoken:?} instead of {verb}: {said}");
}

/// The names in lines as `ls -l` prints them; `None` if there are none.
pub(crate) fn listed(text: &str) -> Option<BTreeSet<String>> {
    let line =
        Regex::new(r"(?m)^-[rwx-]{9}\s+\d+\s+\S+\s+\S+\s+\d+\s+\w{3}\s+\d+\s+[\d:]+ ([^\r\n]+)").unwrap();
    let names: BTreeSet<_> =
        line.captures_iter(text).map(|found| found.extract::<1>().1[0].to_owned()).collect();
    (!names.is_empty()).then_some(names)
}
