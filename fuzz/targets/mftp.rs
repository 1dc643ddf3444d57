//! MFTP's lines, both ways: what is read of one, printed, is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::mftp::{Answer, Command};

fuzz_target!(|line: &[u8]| {
    if let Ok(command) = Command::parse(line) {
        let mut wire = Vec::new();
        command.write_to(&mut wire).expect("what came in a line can go in one");
        assert_eq!(Command::parse(one_line(&wire)), Ok(command));
    }
    if let Ok(answer) = Answer::parse(line) {
        let mut wire = Vec::new();
        answer.write_to(&mut wire);
        assert_eq!(Answer::parse(one_line(&wire)), Ok(answer));
    }
});

fn one_line(wire: &[u8]) -> &[u8] {
    let line = wire.strip_suffix(b"\n").expect("a line end");
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    assert!(!line.iter().any(u8::is_ascii_control), "a control byte in a line");
    line
}
