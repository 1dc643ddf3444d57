//! The control connection's input however it is cut, joined, prolonged or sprinkled with Telnet:
//! each line gets its one answer, in order, and nothing else does.

use wharfinger_protocol::ftp::Verb;
use wharfinger_tests::standards::Row;
use wharfinger_tests::{Ftp, content};

use crate::place::{BOTH, BOUND, Place};
use crate::state::{furnish, moves_on};

/// With its line end; one byte more is too long.
const LONGEST: usize = 4096;

#[test]
fn a_line_is_at_most_4096_bytes_long() {
    for protection in BOTH {
        let place = Place::new(protection);
        for mut ftp in [place.connect(), place.session()] {
            ftp.send_bytes(&help_line(LONGEST));
            assert_eq!(ftp.reply_within(BOUND).code, 502, "this one is not too long");
            for length in [LONGEST + 1, LONGEST * 2, 1 << 20] {
                ftp.send_bytes(&help_line(length));
                assert_eq!(ftp.reply_within(BOUND).code, 500, "{length} bytes");
                ftp.expect("NOOP", 200);
            }
        }
    }
}

#[test]
fn a_line_too_long_is_refused_during_a_transfer_too() {
    for protection in BOTH {
        let place = Place::new(protection);
        place.make_big_file();
        let mut ftp = place.session();
        let _data = place.begin(&mut ftp, b"RETR big");
        ftp.send_bytes(&help_line(LONGEST + 1));
        assert_eq!(ftp.reply_within(BOUND).code, 500);
        ftp.expect("NOOP", 200);
        ftp.expect("ABOR", 426);
        ftp.expect_reply(226);
    }
}

#[test]
fn a_line_may_end_in_lf_alone() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.connect();
        let login = format!("USER {}\nPASS {}\nPWD\nNOOP\r\nNOOP\n", place.user.name, place.user.password);
        ftp.send_bytes(login.as_bytes());
        assert_eq!(codes(&mut ftp, 5), [331, 230, 257, 200, 200]);
    }
}

#[test]
fn a_cr_within_a_line_does_not_end_it() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.send_bytes(b"CWD a\rNOOP\r\nNOOP\r\r\nNOOP\r\n");
        assert_eq!(codes(&mut ftp, 3), [501, 500, 200]);
    }
}

#[test]
fn lines_may_come_byte_by_byte() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.connect();
        let lines = format!(
            "USER {}\r\nPASS {}\r\n\r\nMKD caf\u{e9}\r\nPWD\r\nNONSENSE\r\nNOOP\n",
            place.user.name, place.user.password
        );
        for byte in lines.as_bytes() {
            ftp.send_bytes(&[*byte]);
        }
        assert_eq!(codes(&mut ftp, 7), [331, 230, 500, 257, 257, 500, 200]);
    }
}

#[test]
fn a_hundred_commands_sent_at_once_are_answered_in_order() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let commands: Vec<_> = (0..50).map(|number| format!("MKD {number}\r\nCWD {number}\r\n")).collect();
        ftp.send_bytes(commands.concat().as_bytes());
        let mut path = String::new();
        for number in 0..50 {
            path = format!("{path}/{number}");
            let made = ftp.expect_reply(257);
            assert!(made.contains(&format!("\"{path}\"")), "{made}");
            ftp.expect_reply(250);
        }
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn nothing_is_answered_behind_quit() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.send_bytes(b"NOOP\r\nQUIT\r\nMKD made\r\nNOOP\r\n");
        assert_eq!(codes(&mut ftp, 2), [200, 221]);
        assert_eq!(ftp.replies_until_closed(BOUND), []);
        assert!(!place.home().join("made").exists());
    }
}

/// Any commands in any order, but those that end the session or make a data connection, and those
/// that are worked on beside the command line: an ABOR overtakes what waits for them.
#[test]
fn whatever_is_sent_together_is_answered_one_by_one() {
    let pausing = [Verb::Pasv, Verb::Epsv, Verb::Port, Verb::Eprt];
    let beside = [Verb::Hash, Verb::Xcrc, Verb::Xmd5, Verb::Xsha1, Verb::Xsha256, Verb::Xsha512];
    let left_out = |verb: &Verb| moves_on(*verb) || pausing.contains(verb) || beside.contains(verb);
    let verbs: Vec<Verb> = Verb::ALL.iter().copied().filter(|verb| !left_out(verb)).collect();
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let mut dice = content::bytes(20 * 100, 1).into_iter();
        for _ in 0..10 {
            furnish(&place.home());
            let mut batch = String::new();
            let mut sent = Vec::new();
            for _ in 0..100 {
                let verb = verbs[usize::from(dice.next().unwrap()) % verbs.len()];
                let row = Row::of(verb.name());
                let line = match dice.next().unwrap() % 4 {
                    0 => verb.name().to_owned(),
                    1 => format!("{verb} {}", row.bad),
                    _ => format!("{verb} {}", row.good),
                };
                batch = format!("{batch}{line}\r\n");
                sent.push((row, line));
            }
            ftp.send_bytes(batch.as_bytes());
            for (row, line) in sent {
                let reply = ftp.reply_within(BOUND);
                assert!(row.allows(reply.code) && reply.code >= 200, "{line}: {reply:?}");
            }
        }
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn telnet_commands_are_no_part_of_a_line() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        for line in [
            b"\xff\xf4\xff\xf2NOOP\r\n" as &[u8],
            b"NO\xff\xf1OP\r\n",
            b"\xff\xfb\x01\xff\xfd\x03NOOP\r\n",
            b"NOOP\xff\xfe\x0a\r\n",
        ] {
            ftp.send_bytes(line);
            assert_eq!(ftp.reply_within(BOUND).code, 200, "{}", line.escape_ascii());
        }
        ftp.send_bytes(b"\xff\xf4\xff\xf2ABOR\r\n");
        assert!([225, 226].contains(&ftp.reply_within(BOUND).code));
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn the_byte_255_is_written_twice_and_means_itself() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.send_bytes(b"MKD y\xff\xff\r\n");
        ftp.expect_reply(257);
        assert_eq!(place.receive(&mut ftp, b"NLST"), b"y\xff\r\n");
    }
}

fn help_line(length: usize) -> Vec<u8> {
    let mut line = b"HELP ".to_vec();
    line.resize(length - 2, b'x');
    line.extend_from_slice(b"\r\n");
    line
}

fn codes(ftp: &mut Ftp, count: usize) -> Vec<u16> {
    (0..count).map(|_| ftp.reply_within(BOUND).code).collect()
}
