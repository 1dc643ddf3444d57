//! MODE Z on the wire. Python's zlib packs and unpacks, so that both sides are not the same code.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use wharfinger_tests::{Deployment, Ftp, Mode, content, tools};

/// Runs zlib over a file's bytes.
fn zlib(directory: &Path, function: &str, bytes: &[u8]) -> Vec<u8> {
    let (from, to) = (directory.join("zlib.in"), directory.join("zlib.out"));
    fs::write(&from, bytes).unwrap();
    let program = format!(
        "import sys, zlib; open(sys.argv[2], 'wb').write(zlib.{function}(open(sys.argv[1], 'rb').read()))"
    );
    tools::run("python3", &["-c", &program, from.to_str().unwrap(), to.to_str().unwrap()]).succeeded();
    fs::read(to).unwrap()
}

fn session(deployment: &Deployment) -> (Ftp, std::path::PathBuf) {
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    ftp.expect("MODE Z", 200);
    (ftp, deployment.home(&user))
}

#[test]
fn files_and_lists_are_compressed_both_ways() {
    let deployment = Deployment::start();
    let (mut ftp, home) = session(&deployment);
    let scratch = deployment.directory();
    let body = [content::bytes(700_000, 1), vec![b'x'; 5_000_000]].concat();
    for (name, body) in [("big", &body[..]), ("small", b"content\n"), ("empty", b"")] {
        ftp.send_file(Mode::Epsv, &format!("STOR {name}"), &zlib(scratch, "compress", body));
        assert!(fs::read(home.join(name)).unwrap() == body, "{name}");
        let wire = ftp.receive(Mode::Epsv, &format!("RETR {name}"));
        assert!(wire.len() < 800_000 && zlib(scratch, "decompress", &wire) == body, "{name}");
    }
    ftp.send_file(Mode::Epsv, "APPE small", &zlib(scratch, "compress", b"more\n"));
    assert_eq!(fs::read(home.join("small")).unwrap(), b"content\nmore\n");
    ftp.expect("TYPE A", 200);
    let wire = ftp.receive(Mode::Epsv, "RETR small");
    assert_eq!(zlib(scratch, "decompress", &wire), b"content\r\nmore\r\n");
    let listing = ftp.receive(Mode::Epsv, "MLSD");
    assert!(String::from_utf8(zlib(scratch, "decompress", &listing)).unwrap().contains("; small\r\n"));
    assert!(ftp.expect("STAT", 211).contains("MODE deflate"));
    ftp.expect("MODE S", 200);
    assert_eq!(ftp.receive(Mode::Epsv, "RETR small"), b"content\r\nmore\r\n");
}

#[test]
fn the_level_is_the_client_s_choice() {
    let deployment = Deployment::start();
    let (mut ftp, home) = session(&deployment);
    // lftp would use it unasked, also where it is the slower way.
    assert!(!ftp.expect("FEAT", 211).contains("MODE Z"));
    fs::write(home.join("file"), vec![b'x'; 100_000]).unwrap();
    ftp.expect("OPTS MODE Z LEVEL 0", 200);
    assert!(ftp.receive(Mode::Epsv, "RETR file").len() > 100_000);
    ftp.expect("OPTS MODE Z LEVEL 9", 200);
    assert!(ftp.receive(Mode::Epsv, "RETR file").len() < 1000);
    ftp.expect("OPTS MODE Z LEVEL 10", 501);
    ftp.expect("MODE B", 504);
}

#[test]
fn what_is_no_whole_stream_is_no_file() {
    let deployment = Deployment::start();
    let (mut ftp, home) = session(&deployment);
    let whole = zlib(deployment.directory(), "compress", b"content");
    let longer = [&whole[..], b"x"].concat();
    for (wire, code) in [(&whole[..whole.len() - 1], 426), (b"no zlib stream", 451), (&longer, 451)] {
        let mut data = ftp.begin(Mode::Epsv, "STOR file");
        data.write_all(wire).unwrap();
        data.finish().unwrap();
        ftp.expect_reply(code);
        assert!(!home.join("file").exists());
    }
}
