//! Replies, as a client reads them: what is read, printed, is read again as the same reply.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::ftp::Reply;
use wharfinger_protocol::ftp::reply::{ReplyReader, quote_path, quoted_path};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = ReplyReader::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        match reader.push(line) {
            Ok(Some(reply)) => {
                let printed = print_and_read(&reply);
                assert_eq!(print_and_read(&printed), printed);
            }
            Ok(None) => {}
            Err(_) => break,
        }
    }
    if !bytes.iter().any(u8::is_ascii_control) {
        assert_eq!(quoted_path(&quote_path(bytes)).as_deref(), Some(bytes));
    }
    quoted_path(bytes);
});

fn print_and_read(reply: &Reply) -> Reply {
    let mut wire = Vec::new();
    reply.write_to(&mut wire);
    let mut reader = ReplyReader::default();
    let mut read = None;
    for line in wire.strip_suffix(b"\r\n").expect("a line end").split(|byte| *byte == b'\n') {
        assert!(read.is_none(), "something behind the last line");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!line.iter().any(u8::is_ascii_control), "a control byte in a line");
        read = reader.push(line).expect("what is printed can be read");
    }
    read.expect("a whole reply")
}
