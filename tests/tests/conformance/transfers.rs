//! Commands beside a transfer: which act at once, which wait, and in what order the replies come.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::net::{SendFlags, send};
use wharfinger_tests::{Ftp, Mode};

use crate::place::{BIG, BOTH, BOUND, Place, Protection};

#[test]
fn what_waits_for_a_transfer_is_answered_after_it_in_order() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let mut data = place.begin(&mut ftp, b"RETR big");
        ftp.send_bytes(b"PWD\r\nSIZE big\r\nNOOP\r\nMKD made\r\nNONSENSE\r\nSTAT\r\nNOOP\r\n");
        assert_eq!(data.drain(), BIG);
        assert_eq!(codes(&mut ftp, 8), [226, 257, 213, 200, 257, 500, 211, 200]);
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn a_hundred_commands_can_wait_for_a_transfer() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let mut data = place.begin(&mut ftp, b"RETR big");
        let commands: Vec<_> = (0..100).map(|number| format!("MKD {number}\r\n")).collect();
        ftp.send_bytes(commands.concat().as_bytes());
        assert_eq!(data.drain(), BIG);
        ftp.expect_reply(226);
        for number in 0..100 {
            let made = ftp.expect_reply(257);
            assert!(made.contains(&format!("\"/{number}\"")), "{made}");
        }
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn noop_and_stat_are_answered_while_bytes_move_and_while_they_are_waited_for() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let address = ftp.passive(Mode::Epsv);
        ftp.expect("RETR big", 150);
        for command in ["NOOP", "STAT", "NOOP"] {
            ftp.send(command);
            assert_eq!(ftp.reply_within(BOUND).code, if command == "STAT" { 211 } else { 200 });
        }
        let mut data = place.data(&ftp, address);
        assert!(ftp.expect("STAT", 211).contains("bytes"));
        ftp.expect("NOOP", 200);
        assert_eq!(data.drain(), BIG);
        ftp.expect_reply(226);
    }
}

#[test]
fn abor_ends_a_transfer_of_either_direction_and_one_that_waits() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        for command in [b"RETR big" as &[u8], b"STOR upload", b"APPE upload", b"STOU"] {
            let mut data = place.begin(&mut ftp, command);
            if command != b"RETR big" {
                data.write_all(b"the first half").unwrap();
            }
            ftp.send("ABOR");
            assert_eq!(codes(&mut ftp, 2), [426, 226], "{}", command.escape_ascii());
            assert!(data.drain() < BIG);
        }
        for command in ["RETR big", "STOR upload", "LIST", "NLST", "MLSD"] {
            let port = ftp.passive(Mode::Epsv);
            ftp.expect(command, 150);
            ftp.send("ABOR");
            assert_eq!(codes(&mut ftp, 2), [426, 226], "{command} waits");
            assert!(TcpStream::connect(port).is_err(), "the port is still open");
        }
        assert!([225, 226].contains(&ftp.command("ABOR").code), "with no transfer");
        assert_eq!(place.receive(&mut ftp, b"NLST"), b"big\r\n", "and nothing came of the uploads");
    }
}

#[test]
fn abor_comes_before_what_waits() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let _data = place.begin(&mut ftp, b"RETR big");
        ftp.send_bytes(b"PWD\r\nSIZE big\r\nABOR\r\n");
        assert_eq!(codes(&mut ftp, 4), [426, 226, 257, 213]);
    }
}

#[test]
fn abor_is_heard_behind_a_thousand_commands_that_wait() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let _data = place.begin(&mut ftp, b"RETR big");
        ftp.send_bytes("PWD\r\n".repeat(1000).as_bytes());
        ftp.send("ABOR");
        assert_eq!(codes(&mut ftp, 2), [426, 226]);
        assert_eq!(codes(&mut ftp, 1000), [257; 1000]);
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn commands_without_end_wait_where_they_are_until_the_transfer_has_ended() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let mut data = place.begin(&mut ftp, b"RETR big");
        // More than the server takes in while it is busy; the rest waits in the connection.
        ftp.send_bytes("PWD\r\n".repeat(10_000).as_bytes());
        assert_eq!(data.drain(), BIG);
        ftp.expect_reply(226);
        assert!(codes(&mut ftp, 10_000).iter().all(|code| *code == 257));
    }
}

#[test]
fn quit_lets_a_transfer_finish() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let mut data = place.begin(&mut ftp, b"RETR big");
        ftp.send("QUIT");
        assert_eq!(data.drain(), BIG);
        let replies = ftp.replies_until_closed(BOUND);
        assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [226, 221]);

        let mut ftp = place.session();
        let mut data = place.begin(&mut ftp, b"STOR upload");
        ftp.send("QUIT");
        data.write_all(b"content").unwrap();
        data.finish().unwrap();
        let replies = ftp.replies_until_closed(BOUND);
        assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [226, 221]);
        assert_eq!(std::fs::read(place.home().join("upload")).unwrap(), b"content");
    }
}

#[test]
fn rein_lets_a_transfer_finish() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        let mut data = place.begin(&mut ftp, b"RETR big");
        ftp.send("REIN");
        assert_eq!(data.drain(), BIG);
        assert_eq!(codes(&mut ftp, 2), [226, 220]);
        assert_eq!(ftp.command("PWD").code, 550, "nobody is logged in");
    }
}

#[test]
fn the_end_of_the_control_connection_ends_the_transfer() {
    // Far more than is on its way when the server notices.
    const HUGE: u64 = 1 << 30;
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        std::fs::File::create(place.home().join("big")).unwrap().set_len(HUGE).unwrap();
        let mut data = place.begin(&mut ftp, b"RETR big");
        ftp.cut();
        assert!(data.drain() < HUGE, "the transfer went on");
    }
}

#[test]
fn a_data_connection_that_the_client_drops_ends_its_transfer_only() {
    for protection in BOTH {
        let (place, mut ftp) = place_with_big_file(protection);
        for _ in 0..3 {
            let data = place.begin(&mut ftp, b"RETR big");
            // Unread bytes make this a reset.
            drop(data);
            assert_eq!(ftp.reply_within(BOUND).code, 426);
            ftp.expect("NOOP", 200);
        }
        assert_eq!(place.receive(&mut ftp, b"NLST"), b"big\r\n");
    }
}

#[test]
fn a_directory_that_goes_away_takes_nothing_else_along() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.expect("MKD folder", 257);
        ftp.expect("CWD folder", 250);
        std::fs::remove_dir(place.home().join("folder")).unwrap();
        ftp.expect("PWD", 257);
        ftp.expect("CWD .", 550);
        ftp.expect("MKD inside", 550);
        ftp.expect("STAT .", 450);
        for (command, code) in
            [("LIST", 450), ("NLST", 450), ("MLSD", 550), ("STOR file", 553), ("STOU", 553)]
        {
            ftp.passive(Mode::Epsv);
            ftp.expect(command, code);
        }
        ftp.expect("CDUP", 200);
        assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
    }
}

/// Telnet's Synch: the urgent byte is the DM (RFC 854, RFC 959 §4.1.3). It can't be sent under TLS.
#[test]
fn abor_is_understood_when_it_is_sent_as_urgent_data() {
    let (place, mut ftp) = place_with_big_file(Protection::Clear);
    let address = ftp.passive(Mode::Epsv);
    drop(ftp);
    let mut urgent = Urgent::log_in(&place);
    urgent.say("TYPE I", 200);
    // IAC IP, then IAC DM with the DM urgent; then the same with all of it urgent, as some send it.
    for (plain, marked) in [(b"\xff\xf4\xff" as &[u8], b"\xf2" as &[u8]), (b"\xff\xf4", b"\xff\xf2")] {
        let port = urgent.say("EPSV", 229);
        let port: u16 = port.split('|').nth(3).unwrap().parse().unwrap();
        urgent.say("RETR big", 150);
        let mut data = wharfinger_tests::wire::Wire::new(
            TcpStream::connect(SocketAddr::new(address.ip(), port)).unwrap(),
        );
        urgent.stream.write_all(plain).unwrap();
        assert_eq!(send(&urgent.stream, marked, SendFlags::OOB).unwrap(), marked.len());
        urgent.say("ABOR", 426);
        urgent.hear(226);
        assert!(data.drain() < BIG, "the transfer went on");
        urgent.say("NOOP", 200);
    }
    assert_eq!(send(&urgent.stream, b"\xff\xf4\xff\xf2", SendFlags::OOB).unwrap(), 4);
    urgent.say("ABOR", 225);
    urgent.say("NOOP", 200);
}

/// A control connection in clear that can send urgent data.
struct Urgent {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
}

impl Urgent {
    fn log_in(place: &Place) -> Urgent {
        let stream = TcpStream::connect(place.deployment().ftp()).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let mut urgent = Urgent { replies: BufReader::new(stream.try_clone().unwrap()), stream };
        urgent.hear(220);
        urgent.say(&format!("USER {}", place.user.name), 331);
        urgent.say(&format!("PASS {}", place.user.password), 230);
        urgent
    }

    fn say(&mut self, line: &str, code: u16) -> String {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hear(code)
    }

    fn hear(&mut self, code: u16) -> String {
        let mut line = String::new();
        self.replies.read_line(&mut line).unwrap();
        assert!(line.starts_with(&code.to_string()), "{line} instead of {code}");
        line
    }
}

fn place_with_big_file(protection: Protection) -> (Place, Ftp) {
    let place = Place::new(protection);
    place.make_big_file();
    let ftp = place.session();
    (place, ftp)
}

fn codes(ftp: &mut Ftp, count: usize) -> Vec<u16> {
    (0..count).map(|_| ftp.reply_within(BOUND).code).collect()
}
