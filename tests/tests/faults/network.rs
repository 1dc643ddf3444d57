//! A network that loses packets, is cut for seconds, loses a client for good, or has nobody there.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use wharfinger_tests::ftp::active_command;
use wharfinger_tests::network::{CLIENT, Host, Network, SERVER};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, content};

use crate::aftermath;

const SIZE: usize = 2 << 20;
/// How long the cable is cut: TCP sends again within less than twice that.
const CUT: Duration = Duration::from_secs(2);

/// Programs on the network's server, with these limits in seconds on standstill and on silence.
fn start(stalled: &str, idle: &str) -> Deployment {
    Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_FTP__LISTEN", &format!("{SERVER}:0,127.0.0.1:0"))
        .set("WHARFINGER_LIMITS__DATA_SECONDS", "5")
        .set("WHARFINGER_LIMITS__IDLE_SECONDS", idle)
        .set("WHARFINGER_LIMITS__STALLED_SECONDS", stalled)
        .start()
}

#[test]
fn lost_packets_change_no_byte_and_a_cut_of_seconds_ends_no_transfer() {
    let Some(network) = Network::new() else { return };
    network.on(Host::Server, || {
        let deployment = start("120", "120");
        let alice = deployment.admin.create("alice");
        network.lose(3);
        network.on(Host::Client, || goes_both_ways(&deployment, &alice, || ()));
        network.mend();
        let cut = || {
            network.cut();
            thread::sleep(CUT);
            network.mend();
        };
        network.on(Host::Client, || goes_both_ways(&deployment, &alice, cut));
        aftermath::audit_is_intact(&deployment);
    });
}

/// An upload and a download at the same time, in the middle of which something happens.
fn goes_both_ways(deployment: &Deployment, alice: &User, happens: impl FnOnce()) {
    let (up, down) = (content::bytes(SIZE, 1), content::bytes(SIZE, 2));
    fs::create_dir_all(deployment.home(alice)).unwrap();
    fs::write(deployment.home(alice).join("down"), &down).unwrap();
    let (mut giver, mut taker) = (deployment.session(alice), deployment.session(alice));
    let mut sent = giver.begin(Mode::Epsv, "STOR up");
    let mut wire = taker.begin(Mode::Epsv, "RETR down");
    let mut received = vec![0; SIZE / 2];
    sent.write_all(&up[..SIZE / 2]).unwrap();
    wire.read_exact(&mut received).unwrap();
    happens();
    sent.write_all(&up[SIZE / 2..]).unwrap();
    sent.finish().unwrap();
    wire.read_to_end(&mut received).unwrap();
    giver.expect_reply(226);
    taker.expect_reply(226);
    assert!(received == down, "the download");
    assert!(fs::read(deployment.home(alice).join("up")).unwrap() == up, "the upload");
}

#[test]
fn a_client_that_vanished_is_let_go_and_goes_on_where_it_was_when_it_is_back() {
    let Some(network) = Network::new() else { return };
    network.on(Host::Server, || {
        let deployment = start("3", "8");
        let alice = deployment.admin.create("alice");
        let body = content::bytes(SIZE, 1);
        let lost = network.on(Host::Client, || {
            let mut sessions: Vec<Ftp> = (0..3).map(|_| deployment.session(&alice)).collect();
            File::create(deployment.home(&alice).join("big")).unwrap().set_len(64 << 20).unwrap();
            // One uploads, one downloads and reads nothing of it, one is idle.
            let mut upload = sessions[0].begin(Mode::Epsv, "STOR report");
            upload.write_all(&body[..SIZE / 2]).unwrap();
            let download = sessions[1].begin(Mode::Epsv, "RETR big");
            (sessions, upload, download)
        });
        let live = |count: usize| {
            eventually(&format!("{count} live sessions"), aftermath::SOON, || {
                (deployment.admin.all("/api/v1/sessions").len() == count).then_some(())
            });
        };
        live(3);
        network.cut();
        live(0);
        assert!(!deployment.home(&alice).join("report").exists(), "half an upload has its name");
        network.mend();
        network.on(Host::Client, || {
            let mut ftp = deployment.session(&alice);
            let size = ftp.expect("SIZE report", 213)[4..].parse::<usize>().unwrap();
            println!("{size} of {SIZE} bytes had arrived");
            ftp.expect(&format!("REST {size}"), 350);
            ftp.send_file(Mode::Epsv, "STOR report", &body[size..]);
        });
        assert!(fs::read(deployment.home(&alice).join("report")).unwrap() == body);
        aftermath::audit_is_intact(&deployment);
        drop(lost);
    });
}

/// A server that looked first would refuse as late as its patience with data connections ends.
#[test]
fn a_refused_address_is_not_looked_at_whatever_is_there() {
    let Some(network) = Network::new() else { return };
    network.on(Host::Server, || {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
        let deployment = setup.set("WHARFINGER_LIMITS__DATA_SECONDS", "600").start();
        let alice = deployment.admin.create("alice");
        network.cut();
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let open = listener.local_addr().unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 3], open.port()));
        let silent = SocketAddr::from((CLIENT, open.port()));
        let tried = TcpStream::connect_timeout(&silent, Duration::from_secs(3)).unwrap_err();
        assert_eq!(tried.kind(), ErrorKind::TimedOut, "somebody answers there");
        let mut ftp = deployment.session(&alice);
        for mode in [Mode::Port, Mode::Eprt] {
            let refusals = [open, closed, silent].map(|address| {
                ftp.send(&active_command(mode, address));
                ftp.reply_within(PATIENCE)
            });
            assert_eq!(refusals[0].code, 501, "{refusals:?}");
            assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
        }
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the server connected");
    });
}
