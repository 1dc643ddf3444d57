//! MFTP as the client speaks it, with a server that keeps a few files in memory and knows the
//! specification's samples: each command, the data channel, names with colons, refusals.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use wharfinger_tests::content;
use wharfinger_tests::wharf::Wharf;

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server, its files, and every line it was sent.
struct Server {
    port: u16,
    files: Files,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server { port, files: Files::default(), lines: Arc::default() };
        let (files, lines) = (Arc::clone(&server.files), Arc::clone(&server.lines));
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (socket, files, lines) = (socket.unwrap(), Arc::clone(&files), Arc::clone(&lines));
                thread::spawn(move || converse(&socket, &files, &lines));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("mftp://alice@127.0.0.1:{}/{path}", self.port)
    }

    fn said(&self, line: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|one| one == line)
    }
}

fn converse(socket: &TcpStream, files: &Files, lines: &Mutex<Vec<String>>) {
    let mut out = socket;
    let mut answer = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    answer("AOK 220 Ready");
    for line in BufReader::new(socket).lines() {
        let Ok(line) = line else { return };
        lines.lock().unwrap().push(line.clone());
        let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let file = files.lock().unwrap().get(argument).cloned();
        match (verb, file) {
            ("USER", _) => answer("AOK 630 Password required"),
            ("PASS", _) if argument == "secret" => answer("AOK 230 In"),
            ("PASS", _) => answer("ERR 530 Not logged in"),
            ("PWRD", _) => answer("AOK 200 /"),
            ("CHWD", _) if argument == "/" => answer("AOK 210 Done"),
            ("SIZE", Some(file)) => answer(&format!("AOK 200 {}", file.len())),
            ("MDTM", Some(_)) => answer("AOK 200 20260102030405"),
            ("DELE", Some(_)) => {
                files.lock().unwrap().remove(argument);
                answer("AOK 210 Done");
            }
            ("RNME" | "MKDR" | "RMDR", _) => answer("AOK 210 Done"),
            ("RETR", Some(file)) => transfer(&mut answer, |mut data| {
                // The client may break it off.
                let _ = data.write_all(&file);
            }),
            ("LIST", _) => transfer(&mut answer, |mut data| {
                for name in files.lock().unwrap().keys() {
                    data.write_all(format!("FILE\t{name}\r\n").as_bytes()).unwrap();
                }
            }),
            ("STOR", _) => transfer(&mut answer, |mut data| {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes).unwrap();
                files.lock().unwrap().insert(argument.to_owned(), bytes);
            }),
            ("QUIT", _) => return answer("AOK 321 Bye"),
            _ => answer("ERR 412 No such file"),
        }
    }
}

/// The data channel, at an address that is not to be believed.
fn transfer(answer: &mut impl FnMut(&str), work: impl FnOnce(TcpStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    answer(&format!("AOK 120 ([192.0.2.1]:{port}) Opening data channel"));
    work(listener.accept().unwrap().0);
    answer("AOK 320 Closing data channel");
}

fn client(directory: &std::path::Path) -> Wharf {
    Wharf { directory: directory.to_owned(), trust: Vec::new(), password: Some("secret".to_owned()) }
}

#[test]
fn files_go_up_are_listed_come_down_and_are_removed_over_mftp() {
    let directory = tempfile::tempdir().unwrap();
    let (server, wharf) = (Server::start(), client(directory.path()));
    let bytes = content::bytes(300_000, 1);
    fs::write(wharf.file("one"), &bytes).unwrap();
    let put = wharf.run(&["put", "one", &server.url("")]);
    assert!(put.err.contains("not encrypted"), "{put:?}");
    put.succeeded();
    assert!(server.files.lock().unwrap()["one"] == bytes);
    assert!(wharf.run(&["ls", &server.url("")]).succeeded().contains("one"));
    wharf.run(&["get", &server.url("one"), "back"]).succeeded();
    assert!(fs::read(wharf.file("back")).unwrap() == bytes);
    wharf.run(&["rm", &server.url("one")]).succeeded();
    assert!(server.files.lock().unwrap().is_empty());
}

#[test]
fn refusals_over_mftp_have_their_exit_codes() {
    let directory = tempfile::tempdir().unwrap();
    let (server, wharf) = (Server::start(), client(directory.path()));
    wharf.fails(&["get", &server.url("missing")], 6, "412 No such file");
    let wrong = Wharf { password: Some("wrong".to_owned()), ..wharf };
    wrong.fails(&["ls", &server.url("")], 5, "530");
}

#[test]
fn the_shell_speaks_mftp_too_and_says_what_mftp_has_not() {
    let directory = tempfile::tempdir().unwrap();
    let (server, wharf) = (Server::start(), client(directory.path()));
    let said =
        wharf.run_shell(&[&server.url("")], "pwd\nmkdir a\nrename a:b \"c\\\\d\"\nrmdir a\nquote NOOP\n");
    assert!(said.out.contains("there: /"), "{said:?}");
    assert!(server.said(r"RNME a\:b:c\\d"), "{:?}", server.lines.lock().unwrap());
    assert!(server.said("RMDR a") && server.said("QUIT"));
    for (line, says) in [("chmod 600 x", "no way to set permissions"), ("active", "always passive")] {
        let finished = wharf.run_shell(&[&server.url("")], &format!("{line}\n"));
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(says), "{finished:?}");
    }
}

#[test]
fn an_unfinished_download_is_completed_over_mftp() {
    let directory = tempfile::tempdir().unwrap();
    let (server, wharf) = (Server::start(), client(directory.path()));
    let bytes = content::bytes(1_000_000, 1);
    server.files.lock().unwrap().insert("large".to_owned(), bytes.clone());
    wharf.interrupted(&server.url("large"), "large");
    wharf.run(&["--resume", "get", &server.url("large")]).succeeded();
    assert!(fs::read(wharf.file("large")).unwrap() == bytes);
}

#[test]
fn the_doctor_examines_mftp_too() {
    let directory = tempfile::tempdir().unwrap();
    let (server, wharf) = (Server::start(), client(directory.path()));
    let finished = wharf.run(&["doctor", &server.url("")]);
    assert_eq!(finished.code, Some(10), "{finished:?}");
    assert!(finished.out.contains("names 192.0.2.1"), "{finished:?}");
    assert!(finished.out.contains("there is none: password and files can be read"), "{finished:?}");
    assert!(server.files.lock().unwrap().is_empty(), "nothing is left");
}
