//! The systemd units are well formed and confine what they start, and every program tells systemd how
//! it is, in systemd's own words.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tempfile::TempDir;
use wharfinger_tests::deployment::{OWNER_PASSWORD, environment};
use wharfinger_tests::program::{PATIENCE, built};
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Admin, Program, Setup, Shape, Store, tools};

const UNITS: [&str; 3] = ["wharfinger", "wharfinger-server", "wharfinger-admin"];

const SOCKETS: [&str; 6] = [
    "wharfinger-ftp",
    "wharfinger-ftps",
    "wharfinger-api",
    "wharfinger-server-ftp",
    "wharfinger-server-ftps",
    "wharfinger-admin",
];

fn systemd() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd")
}

#[test]
fn the_units_are_well_formed_and_confine_what_they_start() {
    let scratch = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let file = format!("{unit}.service");
        let text = fs::read_to_string(systemd().join(&file)).unwrap();
        assert!(!text.contains("\nRestrictSUIDSGID"), "{unit}: no openat2, and so no home can be opened");
        // What is not installed here is looked for where it was built.
        let installed = format!("/usr/bin/{unit} ");
        assert!(text.contains(&installed), "{text}");
        let text = text.replace(&installed, &format!("{} ", built(unit).display()));
        fs::write(scratch.path().join(&file), text).unwrap();
        let verify = ["verify", "--man=no", "--recursive-errors=no", &file];
        let said = tools::run_in(scratch.path(), "systemd-analyze", &verify);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{unit}: {}", said.out);
        // 0 is nothing allowed, 100 is everything.
        let security = ["security", "--offline=yes", "--threshold=20", &file];
        tools::run_in(scratch.path(), "systemd-analyze", &security).succeeded();
    }
    for socket in SOCKETS {
        let file = format!("{socket}.socket");
        fs::copy(systemd().join(&file), scratch.path().join(&file)).unwrap();
        let verify = ["verify", "--man=no", "--recursive-errors=no", &file];
        let said = tools::run_in(scratch.path(), "systemd-analyze", &verify);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{socket}: {}", said.out);
    }
}

#[test]
fn every_program_serves_the_sockets_that_systemd_hands_over() {
    for (name, sockets) in [
        ("wharfinger", &["ftp", "ftp-implicit", "admin"][..]),
        ("wharfinger-admin", &["admin"]),
        ("wharfinger-server", &["ftp", "ftp", "mftp", "mftp-tls", "metrics"]),
    ] {
        let directory = TempDir::new().unwrap();
        if name == "wharfinger-server" {
            let environment = environment(directory.path());
            Program::start("wharfinger-admin", &["migrate"], directory.path(), &environment).end();
        }
        let (program, addresses) = handed_over(name, sockets, &[], directory.path());
        // The first to connect starts it, and is served.
        let mut first = TcpStream::connect(addresses[0]).unwrap();
        for (socket, service) in [("ftp-implicit", "ftps"), ("mftp-tls", "mftps")]
            .into_iter()
            .chain(["ftp", "mftp", "admin", "metrics"].map(|name| (name, name)))
        {
            let given = addresses.iter().zip(sockets).filter(|(_, name)| **name == socket);
            let given: Vec<SocketAddr> = given.map(|(address, _)| *address).collect();
            if !given.is_empty() {
                assert_eq!(program.addresses(service, given.len()), given, "{name}: {service}");
            }
        }
        if sockets[0] == "admin" {
            Admin::log_in(addresses[0], "owner", OWNER_PASSWORD);
        } else {
            first.set_read_timeout(Some(READ_LIMIT)).unwrap();
            let mut greeting = [0; 4];
            first.read_exact(&mut greeting).unwrap();
            assert_eq!(&greeting, b"220 ", "{name}");
        }
        drop(first);
        assert_eq!(program.stop().code, Some(0), "{name}");
    }
}

#[test]
fn a_socket_that_nobody_has_a_use_for_is_exit_4_and_named() {
    let directory = TempDir::new().unwrap();
    for (name, socket, options, told) in [
        ("wharfinger", "smtp", &[][..], "FileDescriptorName="),
        ("wharfinger-server", "admin", &[], "FileDescriptorName="),
        ("wharfinger-admin", "ftp", &[], "FileDescriptorName="),
        ("wharfinger", "ftp", &["--datagram"], "ListenStream="),
    ] {
        let (program, addresses) = handed_over(name, &[socket], options, directory.path());
        if options.is_empty() {
            drop(TcpStream::connect(addresses[0]).unwrap());
        } else {
            let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.send_to(b"anything", addresses[0]).unwrap();
        }
        let ended = program.end();
        assert_eq!(ended.code, Some(4), "{name}: {}", ended.err);
        assert!(ended.err.contains(&format!("'{socket}'")) && ended.err.contains(told), "{}", ended.err);
    }
}

/// A program that starts when somebody connects, with sockets of these names, and where these are.
fn handed_over(
    name: &str,
    sockets: &[&str],
    options: &[&str],
    directory: &Path,
) -> (Program, Vec<SocketAddr>) {
    let mut environment = environment(directory);
    environment.insert("WHARFINGER_ADMIN_PASSWORD".to_owned(), OWNER_PASSWORD.to_owned());
    // The ports were free a moment ago; somebody may be quicker, so not only once.
    for _ in 0..10 {
        let addresses = free_addresses(sockets.len());
        let mut under = vec!["systemd-socket-activate".to_owned(), format!("--fdname={}", sockets.join(":"))];
        under.extend(options.iter().map(ToString::to_string));
        under.extend(addresses.iter().map(|address| format!("--listen={address}")));
        // It passes nothing on that it wasn't told to.
        under.extend(environment.iter().map(|(name, value)| format!("--setenv={name}={value}")));
        let program = Program::start_under(&under, name, &[], directory, &environment);
        let listens = program.log.wait_for(PATIENCE, |lines| {
            let count = lines.iter().filter(|line| line.starts_with("Listening on")).count();
            let failed = lines.iter().any(|line| line.contains("Failed to"));
            (count == sockets.len() || failed).then_some(!failed)
        });
        if listens == Some(true) {
            return (program, addresses);
        }
    }
    panic!("systemd-socket-activate never listened");
}

fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let free: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    free.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

#[test]
fn systemd_hears_that_a_program_is_ready_reloads_and_stops() {
    for (shape, said) in [(Shape::AllInOne, 1), (Shape::TwoPrograms, 2)] {
        let setup = Setup::new(shape, Store::Sqlite);
        let socket = setup.directory().join("notify");
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(READ_LIMIT)).unwrap();
        let next = || {
            let mut text = [0; 512];
            let length = heard.recv(&mut text).expect("systemd is told");
            String::from_utf8(text[..length].to_vec()).unwrap()
        };
        let mut deployment = setup.set("NOTIFY_SOCKET", socket.to_str().unwrap()).start();
        for _ in 0..said {
            assert_eq!(next().trim_end(), "READY=1");
        }
        deployment.server().hang_up();
        let reloading = next();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(next().trim_end(), "READY=1");
        deployment.server().terminate();
        assert_eq!(next().trim_end(), "STOPPING=1");
    }
}
