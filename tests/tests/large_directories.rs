//! A directory of a hundred thousand entries: listed whole, in memory that does not grow with it,
//! while other sessions have their turn.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use wharfinger_tests::{Deployment, Ftp, Mode};

const ENTRIES: usize = 100_000;
/// A small part of any of the lists: MLSD's has some 20 MB.
const GROWTH: u64 = 8 << 20;
/// What every other session gets answered meanwhile, at the least.
const ANSWERS: u32 = 10;

#[test]
fn a_hundred_thousand_entries_are_listed_in_bounded_memory_and_nobody_waits() {
    let mut deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    let mut others: Vec<Ftp> = (0..4).map(|_| deployment.session(&alice)).collect();
    fill(&deployment.home(&alice).join("folder"));
    // What any list needs is there before it is measured.
    ftp.receive(Mode::Epsv, "LIST");
    for (command, entries) in [
        ("NLST folder", ENTRIES),
        ("LIST folder", ENTRIES),
        ("MLSD folder", ENTRIES),
        ("NLST folder/*7", ENTRIES / 10),
        ("LIST folder/*a*a*a*a*a*b", 0),
    ] {
        let before = deployment.server().begin_measuring_memory();
        let (text, answers) = list_beside_others(&mut ftp, command, &mut others);
        let grown = deployment.server().peak_memory().saturating_sub(before);
        assert!(text.is_empty() || text.ends_with(b"\r\n"), "{command}");
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), entries, "{command}");
        let mut names: Vec<&[u8]> = lines.iter().map(|line| &line[line.len() - "00000\r".len()..]).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries, "{command}: each entry once");
        assert!(grown < GROWTH, "{command}: {grown} bytes more at the peak, for {} bytes", text.len());
        // The last two may be over before anybody has said much.
        let fewest = if entries == ENTRIES { ANSWERS } else { 1 };
        assert!(answers >= fewest, "{command}: a session got only {answers} answers meanwhile");
    }
}

/// A hundred thousand names of 60 bytes, of a few files: links are made faster than files.
fn fill(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let name = |number: usize| folder.join(format!("{}{number:05}", "a".repeat(55)));
    for number in 0..ENTRIES {
        let first = number - number % 10_000;
        if number == first {
            fs::write(name(number), "").unwrap();
        } else {
            fs::hard_link(name(first), name(number)).unwrap();
        }
    }
}

/// The list, and how many answers that session got meanwhile which got the fewest.
fn list_beside_others(ftp: &mut Ftp, command: &str, others: &mut [Ftp]) -> (Vec<u8>, u32) {
    let listed = AtomicBool::new(false);
    let mut data = ftp.begin(Mode::Epsv, command);
    let mut text = Vec::new();
    let fewest = thread::scope(|scope| {
        let talks: Vec<_> = others
            .iter_mut()
            .map(|other| {
                scope.spawn(|| {
                    let mut answers = 0;
                    loop {
                        other.expect("NOOP", 200);
                        answers += 1;
                        if listed.load(Ordering::Relaxed) {
                            return answers;
                        }
                    }
                })
            })
            .collect();
        data.read_to_end(&mut text).unwrap();
        listed.store(true, Ordering::Relaxed);
        talks.into_iter().map(|talk| talk.join().unwrap()).min().unwrap()
    });
    ftp.expect_reply(226);
    (text, fewest)
}
