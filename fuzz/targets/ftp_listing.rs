//! Lines of listings: whatever the name, each entry is one line and can't forge another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::ftp::facts::FactSet;
use wharfinger_protocol::ftp::listing::{Facts, Kind, list_line, mlsd_line, mlst_text, name_line};

fuzz_target!(|bytes: &[u8]| {
    let Some((numbers, name)) = bytes.split_at_checked(32) else { return };
    let number = |at: usize| u64::from_le_bytes(numbers[at..at + 8].try_into().expect("eight bytes"));
    let kinds = [Kind::File, Kind::Directory, Kind::Other];
    let facts = Facts {
        name,
        kind: kinds[name.len() % kinds.len()],
        size: number(0),
        modified: number(8).cast_signed(),
        mode: number(16) as u32,
        links: number(24),
        unique: (number(0), number(24)),
        perm: "adfr",
    };
    let wanted = FactSet::parse(name);
    let mut printed = Vec::new();
    wanted.write_to(&mut printed);
    assert_eq!(FactSet::parse(&printed), wanted);
    let lines: [&dyn Fn(&mut Vec<u8>); 3] = [
        &|out| list_line(out, &facts, number(16).cast_signed()),
        &|out| name_line(out, name),
        &|out| mlsd_line(out, &facts, wanted),
    ];
    for line in lines {
        let mut out = Vec::new();
        line(&mut out);
        assert_one_line(out.strip_suffix(b"\r\n").expect("a line end"), name.len());
    }
    assert_one_line(&mlst_text(&facts, wanted), name.len());
});

fn assert_one_line(line: &[u8], name: usize) {
    assert!(!line.iter().any(u8::is_ascii_control), "a control byte in a line");
    assert!(line.len() >= name, "the name is cut");
}
