//! The API on real sockets: listening, answering, stopping, and what is said when the address
//! can't be had.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and what helps them, stop at the first surprise"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wharfinger_accounts::Accounts;
use wharfinger_admin::{AdminApi, BindError, FirstOwner, ensure_owner, healthcheck};
use wharfinger_config::Config;
use wharfinger_config::program::Sockets;

async fn prepared(listen: &[SocketAddr]) -> (Config, Accounts, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config { data_dir: directory.path().to_owned(), ..Config::default() };
    config.admin.listen = listen.to_vec();
    let accounts = Accounts::open(&config.store, &config.store_url()).await.unwrap();
    accounts.migrate().await.unwrap();
    (config, accounts, directory)
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Reads until the head of an answer is whole.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    text
}

#[tokio::test]
async fn it_answers_on_every_address_and_stops_when_asked() {
    let (config, accounts, _directory) = prepared(&[loopback(), loopback()]).await;
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    let addresses = api.addresses();
    assert_eq!(addresses.len(), 2);
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(api.run(async {
        stopped.await.unwrap();
    }));
    let mut idle = Vec::new();
    for address in &addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 "));
        idle.push(stream);
    }
    stop.send(()).unwrap();
    // Idle connections don't hold it up, let alone for the 30 s that requests are given.
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(addresses[0]).await.is_err());
}

#[tokio::test]
async fn a_connection_that_ended_makes_room_for_another() {
    let (config, accounts, _directory) = prepared(&[loopback()]).await;
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    let address = api.addresses()[0];
    let running = tokio::spawn(api.run(std::future::pending()));
    // More than there may be at once.
    for _ in 0..1100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(10), head(&mut stream)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "));
    }
    running.abort();
}

#[tokio::test]
async fn a_client_that_sends_too_much_still_gets_its_answer() {
    let (config, accounts, _directory) = prepared(&[loopback()]).await;
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    let address = api.addresses()[0];
    let running = tokio::spawn(api.run(std::future::pending()));
    let start = |length: usize, expect: &str| {
        format!(
            "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\n{expect}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(start(8 << 20, "").as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 8 << 20]).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));

    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(start(8 << 20, "Expect: 100-continue\r\n").as_bytes()).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));
    running.abort();
}

#[tokio::test]
async fn a_request_that_outlasts_the_grace_time_is_cut_off() {
    let (mut config, accounts, _directory) = prepared(&[loopback()]).await;
    config.shutdown.grace_seconds = 0;
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    let address = api.addresses()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(api.run(async {
        stopped.await.unwrap();
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let start = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\
        Content-Type: application/json\r\nContent-Length: 9\r\n\r\n";
    stream.write_all(start).await.unwrap();
    // The handler waits for the body now.
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 100 "));
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok());
    assert!(rest.is_empty());
}

/// A certificate for localhost, made for the test: its path and its key's.
fn certificate(directory: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (directory.join("admin.pem"), directory.join("admin-key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

async fn curl(arguments: &[&str]) -> (bool, String) {
    let told = tokio::process::Command::new("curl").args(["-sS", "-m", "60"]).args(arguments).output();
    let told = told.await.expect("curl is installed: ./tests/run sees to it");
    (told.status.success(), String::from_utf8(told.stdout).unwrap())
}

#[tokio::test]
async fn with_a_certificate_it_speaks_https_and_nothing_else() {
    let (mut config, accounts, directory) = prepared(&[loopback()]).await;
    (config.admin.certificate, config.admin.key) = certificate(directory.path());
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    let port = api.addresses()[0].port();
    let running = tokio::spawn(api.run(std::future::pending()));
    // Who never begins a handshake keeps nobody waiting.
    let _silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (resolve, url) = (format!("localhost:{port}:127.0.0.1"), format!("https://localhost:{port}/healthz"));
    let trusted = config.admin.certificate.to_str().unwrap();
    let told = curl(&["--resolve", &resolve, "--cacert", trusted, &url]).await;
    assert_eq!(told, (true, r#"{"status":"alive"}"#.to_owned()));
    assert!(!curl(&["--resolve", &resolve, &url]).await.0, "nobody vouches for the certificate");
    assert!(!curl(&[&format!("http://127.0.0.1:{port}/healthz")]).await.0, "no HTTP where HTTPS is");
    running.abort();
}

#[tokio::test]
async fn its_health_is_asked_for_under_tls_by_its_own_certificate_only() {
    let (mut config, accounts, directory) = prepared(&[loopback()]).await;
    (config.admin.certificate, config.admin.key) = certificate(directory.path());
    let api = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.unwrap();
    // Asked at an address that its certificate does not name.
    config.admin.listen = api.addresses();
    let running = tokio::spawn(api.run(std::future::pending()));
    healthcheck(&config).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    config.admin.certificate = certificate(other.path()).0;
    let refused = healthcheck(&config).await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    running.abort();
}

#[tokio::test]
async fn a_certificate_that_can_not_be_used_is_named() {
    let (mut config, accounts, directory) = prepared(&[loopback()]).await;
    let (good, key) = certificate(directory.path());
    config.admin.certificate = good.clone();
    let half =
        AdminApi::bind(config.clone().into(), accounts.clone(), &mut Sockets::default()).await.err().unwrap();
    assert!(half.to_string().contains("admin.key"), "{half}");
    let rubbish = directory.path().join("rubbish.pem");
    std::fs::write(&rubbish, "rubbish").unwrap();
    for (certificate, key) in [(&rubbish, &key), (&good, &rubbish)] {
        (config.admin.certificate, config.admin.key) = (certificate.clone(), key.clone());
        let refused = AdminApi::bind(config.clone().into(), accounts.clone(), &mut Sockets::default())
            .await
            .err()
            .unwrap();
        assert!(refused.to_string().contains("rubbish.pem"), "{refused}");
        assert!(AdminApi::check(&config).is_err());
    }
    let other = tempfile::tempdir().unwrap();
    (config.admin.certificate, config.admin.key) = (good, certificate(other.path()).1);
    assert!(matches!(AdminApi::check(&config), Err(BindError::Tls(_))), "a key of another certificate");
}

#[tokio::test]
async fn an_address_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind(loopback()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let (config, accounts, _directory) = prepared(&[address]).await;
    let error = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.err().unwrap();
    assert!(matches!(error, BindError::Listen { .. }));
    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("WHARFINGER_ADMIN__LISTEN"), "{text}");
}

#[tokio::test]
async fn a_token_key_that_is_none_is_refused_by_name() {
    let (mut config, accounts, directory) = prepared(&[loopback()]).await;
    config.admin.token_key = directory.path().join("wrong.key");
    std::fs::write(&config.admin.token_key, "short").unwrap();
    let error = AdminApi::bind(config.clone().into(), accounts, &mut Sockets::default()).await.err().unwrap();
    assert!(error.to_string().contains("wrong.key"), "{error}");
}

#[tokio::test]
async fn the_first_owner_is_created_once() {
    let (config, accounts, _directory) = prepared(&[]).await;
    let FirstOwner::CreatedGenerated(password) = ensure_owner(&accounts, &config).await.unwrap() else {
        panic!("no password was generated")
    };
    assert!(accounts.admin_log_in("owner", &password).await.is_ok());
    assert!(matches!(ensure_owner(&accounts, &config).await.unwrap(), FirstOwner::Existed));
}

#[tokio::test]
async fn of_two_starts_at_once_one_creates_the_owner() {
    let (config, accounts, _directory) = prepared(&[]).await;
    let (one, other) = tokio::join!(ensure_owner(&accounts, &config), ensure_owner(&accounts, &config));
    let created = [one.unwrap(), other.unwrap()];
    let generated = created.iter().filter(|owner| matches!(owner, FirstOwner::CreatedGenerated(_))).count();
    assert_eq!(generated, 1, "{created:?}");
}
