//! A line of FTP: what is read of it, printed, is read again as the same command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::ftp::Command;
use wharfinger_protocol::line::{LONGEST_LINE, Lines};

fuzz_target!(|line: &[u8]| {
    let Ok(command) = Command::parse(line) else { return };
    // A path that looks like options is written another way, and that way stays.
    let Some(written) = written_and_read(&command) else { return };
    assert_eq!(written_and_read(&written), Some(written));
});

/// None where the line is too long to be sent.
fn written_and_read(command: &Command) -> Option<Command> {
    let mut wire = Vec::new();
    command.write_to(&mut wire).expect("what came in a line can go in one");
    if wire.len() > LONGEST_LINE {
        return None;
    }
    let mut lines = Lines::default();
    let line = lines.next(&mut wire).expect("one line").expect("not too long");
    let again = Command::parse(line).expect("what is written can be read");
    assert!(lines.next(&mut wire).is_none(), "one line and no more");
    Some(again)
}
