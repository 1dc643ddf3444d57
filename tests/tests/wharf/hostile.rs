//! Servers that lie, stall or attack: each gets a clear message, the right exit code, and nothing
//! written outside of where it belongs.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use wharfinger_tests::wharf::Wharf;

/// A server in clear that answers each command from a script: verb and reply. `{port}` in a reply
/// is the two numbers of a port where whoever connects is sent `data`.
pub(super) fn server(replies: &'static [(&'static str, &'static str)], data: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            thread::spawn(move || converse(&socket, replies, data));
        }
    });
    port
}

fn converse(socket: &TcpStream, replies: &[(&str, &str)], data: &'static [u8]) {
    let mut out = socket;
    let greeting = find(replies, "").unwrap_or("220 Ready\r\n");
    if out.write_all(greeting.as_bytes()).is_err() {
        return;
    }
    for line in BufReader::new(socket).lines() {
        let Ok(line) = line else { return };
        let verb = line.split(' ').next().unwrap().to_owned();
        let default = match verb.as_str() {
            "USER" => "331 Password\r\n",
            "PASS" => "230 In\r\n",
            "TYPE" => "200 Binary\r\n",
            "PASV" => "227 Here (127,0,0,1,{port})\r\n",
            "RETR" | "LIST" => "150 Coming\r\n226 Done\r\n",
            "QUIT" => "221 Bye\r\n",
            _ => "502 No\r\n",
        };
        let mut reply = find(replies, &verb).unwrap_or(default).to_owned();
        if reply == "hang up" {
            return;
        }
        if reply.contains("{port}") {
            reply = reply.replace("{port}", &serve(data));
        }
        if reply.contains("{endless}") {
            while out.write_all(reply.replace("{endless}", &"x".repeat(4000)).as_bytes()).is_ok() {}
            return;
        }
        if out.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

fn find<'a>(replies: &'a [(&str, &str)], verb: &str) -> Option<&'a str> {
    replies.iter().find(|(known, _)| *known == verb).map(|(_, reply)| *reply)
}

/// A data connection that sends this to the first who comes.
fn serve(data: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let [high, low] = listener.local_addr().unwrap().port().to_be_bytes();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        // The client may have gone already.
        let _ = socket.write_all(data);
    });
    format!("{high},{low}")
}

pub(super) fn client(directory: &Path) -> Wharf {
    let options = ["--clear", "--retries", "0"];
    Wharf {
        directory: directory.to_owned(),
        trust: options.iter().map(|option| (*option).to_owned()).collect(),
        password: Some("secret".to_owned()),
    }
}

pub(super) fn url(port: u16, path: &str) -> String {
    format!("ftp://alice@127.0.0.1:{port}/{path}")
}

#[test]
fn a_name_that_leads_out_of_the_directory_is_refused() {
    let lists: [&'static [u8]; 4] = [
        b"-rw-r--r-- 1 0 0 5 Jan 01 2025 ../escaped\r\n",
        b"-rw-r--r-- 1 0 0 5 Jan 01 2025 /tmp/escaped\r\n",
        b"drwxr-xr-x 1 0 0 5 Jan 01 2025 a/b\r\n",
        b"-rw-r--r-- 1 0 0 5 Jan 01 2025 nul\0name\r\n",
    ];
    for list in lists {
        let directory = tempfile::tempdir().unwrap();
        let port = server(&[], list);
        client(directory.path()).fails(
            &["mirror", &url(port, ""), "target"],
            9,
            "leads out of the directory",
        );
        assert_eq!(fs::read_dir(directory.path().join("target")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

#[test]
fn where_pasv_points_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    // The address is of a network for documentation; the port is right.
    let port = server(&[("PASV", "227 There (192,0,2,1,{port})\r\n"), ("SIZE", "213 5\r\n")], b"hello");
    client(directory.path()).run(&["get", &url(port, "file")]).succeeded();
    assert_eq!(fs::read(directory.path().join("file")).unwrap(), b"hello");
}

#[test]
fn a_reply_without_end_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    for endless in
        [&[("PASS", "230-{endless}")][..], &[("PASS", "230-{endless}\r\n")], &[("PASS", "{endless}")]]
    {
        let port = server(endless, b"");
        client(directory.path()).fails(&["ls", &url(port, "")], 9, "");
    }
}

#[test]
fn what_is_no_ftp_is_named() {
    let directory = tempfile::tempdir().unwrap();
    for greeting in [&[("", "SSH-2.0-OpenSSH_9.2\r\n")][..], &[("", "HTTP/1.1 400 Bad Request\r\n\r\n")]] {
        client(directory.path()).fails(&["ls", &url(server(greeting, b""), "")], 9, "does not speak FTP");
    }
}

#[test]
fn a_file_that_is_shorter_than_the_server_says_is_not_taken_for_whole() {
    let directory = tempfile::tempdir().unwrap();
    let port = server(&[("SIZE", "213 500\r\n")], b"only this");
    client(directory.path()).fails(&["get", &url(port, "file")], 8, "9 of 500 bytes");
    let names = wharfinger_tests::wharf::names(directory.path());
    assert!(names.len() == 1 && names[0].starts_with(".file."), "{names:?}");
}

#[test]
fn a_server_that_goes_in_the_middle_leaves_no_half_file() {
    let directory = tempfile::tempdir().unwrap();
    let port = server(&[("RETR", "hang up")], b"some");
    client(directory.path()).fails(&["get", &url(port, "file")], 3, "closed the connection");
    let broken = server(&[("RETR", "150 Coming\r\n426 The disk is on fire\r\n")], b"some");
    client(directory.path()).fails(&["get", &url(broken, "file")], 6, "426 The disk is on fire");
    assert!(!directory.path().join("file").exists());
}

#[test]
fn a_full_disk_there_is_told_in_the_servers_words() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "content").unwrap();
    let port = server(&[("STOR", "150 Go\r\n452 No space left\r\n")], b"");
    client(directory.path()).fails(&["put", "file", &url(port, "")], 6, "452 No space left");
}

#[test]
fn a_silent_server_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let wharf = client(directory.path());
    for url in [url(port, ""), url(port, "").replace("ftp:", "mftp:")] {
        let trust = if url.starts_with("mftp") { &wharf.trust[1..] } else { &wharf.trust[..] };
        let hasty =
            Wharf { trust: [trust, &["--timeout".to_owned(), "1".to_owned()]].concat(), ..wharf.clone() };
        hasty.fails(&["ls", &url], 3, "does not answer within 1 s");
    }
    let implicit = Wharf {
        trust: ["--insecure", "--retries", "0", "--timeout", "1"].map(str::to_owned).to_vec(),
        ..wharf
    };
    implicit.fails(&["ls", &url(port, "").replace("ftp:", "ftps:")], 4, "does not answer in TLS");
}

#[test]
fn the_servers_words_can_not_steer_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let port = server(&[("RETR", "550 \x1b]0;owned\x07gone\r\n")], b"");
    let finished = client(directory.path()).fails(&["get", &url(port, "file")], 6, "gone");
    assert!(!finished.err.contains('\x1b') && !finished.err.contains('\x07'), "{finished:?}");
    let list = server(&[], b"-rw-r--r-- 1 0 0 5 Jan 01 2025 \x1b[2Jname\r\n");
    let printed = client(directory.path()).run(&["ls", &url(list, "")]).succeeded();
    assert!(printed.contains("?[2Jname"), "{printed:?}");
}

#[test]
fn a_server_without_tls_gets_no_password() {
    let directory = tempfile::tempdir().unwrap();
    let port = server(&[], b"");
    let wharf = Wharf { trust: ["--retries", "0"].map(str::to_owned).to_vec(), ..client(directory.path()) };
    wharf.fails(&["ls", &url(port, "")], 4, "--clear");
}

#[test]
fn directories_without_end_are_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let port = server(&[], b"drwxr-xr-x 1 0 0 5 Jan 01 2025 d\r\n");
    client(directory.path()).fails(&["mirror", &url(port, ""), "target"], 9, "deeper than");
}
