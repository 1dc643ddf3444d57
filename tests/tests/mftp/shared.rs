//! Two dialects, one server: FTP's and MFTP's sessions of one user see the same files and the same
//! permissions, at the same time.

use std::sync::Arc;
use std::thread;

use serde_json::json;
use wharfinger_tests::{Mode, content};

use crate::place::{BOTH, BOUND, Place, Protection, setup};

#[test]
fn what_one_dialect_stores_the_other_has_at_once() {
    const ROUNDS: u8 = 10;
    let place =
        Arc::new(Place::on(Arc::new(setup().set("WHARFINGER_FTP__PASSIVE_PORTS", "33000-34000").start())));
    let threads = (0..6u8).map(|number| {
        let place = Arc::clone(&place);
        thread::spawn(move || {
            let protection = BOTH[usize::from(number) % 2];
            let (mut ftp, mut mftp) = (place.ftp(), place.session(protection));
            let (ours, theirs) = (format!("mftp-{number}"), format!("ftp-{number}"));
            for round in 0..ROUNDS {
                let bytes = content::bytes(20_000 + usize::from(round) * 977, u64::from(number));
                mftp.send_file(&format!("STOR {ours}"), &bytes);
                assert!(ftp.receive(Mode::Epsv, &format!("RETR {ours}")) == bytes);
                ftp.send_file(Mode::Epsv, &format!("STOR {theirs}"), &bytes);
                assert!(mftp.receive(&format!("RETR {theirs}")) == bytes);
                assert_eq!(mftp.command(&format!("SIZE {theirs}")), format!("AOK 200 {}", bytes.len()));
                mftp.expect(&format!("RNME {theirs}:moved-{number}"), "AOK 210");
                ftp.expect(&format!("SIZE {theirs}"), 550);
                ftp.expect(&format!("DELE moved-{number}"), 250);
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    let mut names: Vec<_> = std::fs::read_dir(place.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, (0..6).map(|number| format!("mftp-{number}")).collect::<Vec<_>>());
}

#[test]
fn disabling_ends_both_and_enabling_lets_both_in() {
    let place = Place::new();
    let (mut ftp, mut mftp) = (place.ftp(), place.session(Protection::Clear));
    ftp.send_file(Mode::Epsv, "STOR file", b"content");
    mftp.expect("SIZE file", "AOK 200 7");
    place.deployment.admin.act(&place.user, "disable", json!({}));
    assert_eq!(mftp.answers_until_closed(BOUND).len(), 1);
    assert_eq!(ftp.replies_until_closed(BOUND).len(), 1);
    place.deployment.admin.act(&place.user, "enable", json!({}));
    place.session(Protection::Tls).expect("SIZE file", "AOK 200 7");
}
