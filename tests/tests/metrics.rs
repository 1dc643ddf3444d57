//! What the services tell Prometheus: in its format, and true; the alerts and the dashboard ask for
//! nothing that isn't told.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::json;
use wharfinger_tests::{Deployment, Mode, Setup, Shape, Store, tools};

/// Every series, by name and labels.
type Series = BTreeMap<String, f64>;

#[test]
fn the_metrics_tell_what_has_happened() {
    let deployment =
        Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_TLS__DATA_BINDING", "required").start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    session.send_file(Mode::Epsv, "STOR file", b"content");
    assert_eq!(session.receive(Mode::Epsv, "RETR file"), b"content");
    session.expect("RETR nothing", 550);
    session.expect("RETR nothing", 550);
    assert_eq!(deployment.log_in(&alice.name, "a wrong password").code, 530);
    session.expect("EPSV", 229);

    let told = told(&deployment, file_server(&deployment));
    let expected = [
        ("wharfinger_server_build_info{version=0.1.0}", 1.0),
        ("wharfinger_server_connections_total{service=ftp}", 2.0),
        ("wharfinger_server_logins_total{result=accepted}", 1.0),
        ("wharfinger_server_logins_total{result=refused}", 1.0),
        ("wharfinger_server_failures_total{code=530}", 1.0),
        ("wharfinger_server_failures_total{code=550}", 2.0),
        ("wharfinger_server_sessions_logged_in{}", 1.0),
        ("wharfinger_server_transfers_total{direction=upload,result=complete}", 1.0),
        ("wharfinger_server_transfers_total{direction=download,result=complete}", 1.0),
        ("wharfinger_server_transferred_bytes_total{direction=download}", 7.0),
        ("wharfinger_server_transfer_duration_seconds_count{direction=upload}", 1.0),
        ("wharfinger_server_data_connections_total{binding=resumed}", 2.0),
        ("wharfinger_server_passive_ports{}", 100.0),
        ("wharfinger_server_passive_ports_in_use{}", 1.0),
        ("wharfinger_server_passive_ports_exhausted_total{}", 0.0),
        ("wharfinger_server_store_up{}", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(told.get(series), Some(&value), "{series}: {told:#?}");
    }
    let certificate = deployment.certificate();
    let expiry = format!(
        "wharfinger_server_certificate_expiry_timestamp_seconds{{certificate={}}}",
        certificate.display()
    );
    let says = tools::run(
        "openssl",
        &["x509", "-enddate", "-dateopt", "iso_8601", "-noout", "-in", certificate.to_str().unwrap()],
    );
    let says = says.succeeded().trim().replace("notAfter=", "").replace(' ', "T");
    let expires: jiff::Timestamp = says.parse().unwrap();
    let told_expiry = told.get(&expiry).map(f64::to_string);
    assert_eq!(told_expiry, Some(expires.as_second().to_string()), "{told:#?}");
}

#[test]
fn a_session_without_a_passive_port_is_counted() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_FTP__PASSIVE_PORTS", &free.to_string())
        .start();
    let alice = deployment.admin.create("alice");
    let (mut one, mut other) = (deployment.session(&alice), deployment.session(&alice));
    one.expect("EPSV", 229);
    other.expect("EPSV", 425);
    let told = told(&deployment, file_server(&deployment));
    assert_eq!(told.get("wharfinger_server_passive_ports_exhausted_total{}"), Some(&1.0), "{told:#?}");
    assert_eq!(told.get("wharfinger_server_passive_ports_in_use{}"), Some(&1.0), "{told:#?}");
}

#[test]
fn metrics_are_all_there_is_at_their_address() {
    let deployment = Deployment::start();
    let address = file_server(&deployment);
    let status = |arguments: &[&str], path: &str| {
        let url = format!("http://{address}{path}");
        let all = [&["-sS", "-o", "/dev/null", "-w", "%{http_code}"], arguments, &[&url]].concat();
        tools::run("curl", &all).succeeded()
    };
    assert_eq!(status(&[], "/metrics"), "200");
    assert_eq!(status(&[], "/"), "404");
    assert_eq!(status(&["-X", "POST"], "/metrics"), "405");
}

#[test]
fn alerts_and_dashboard_ask_for_what_is_told() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    session.send_file(Mode::Epsv, "STOR file", b"content");
    session.expect("RETR nothing", 550);
    deployment.admin.act(&alice, "disable", json!({}));
    let mut known = names(&told(&deployment, file_server(&deployment)));
    known.extend(names(&told(&deployment, deployment.admin_address)));
    // Told as soon as a connection was turned away.
    known.push("wharfinger_server_refused_connections_total".to_owned());
    for file in ["docker/prometheus/alerts.yml", "docker/grafana/wharfinger.json"] {
        let text = fs::read_to_string(top().join(file)).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for asked in words.filter(|word| word.starts_with("wharfinger_")) {
            assert!(known.iter().any(|name| name == asked), "{file} asks for {asked}: {known:#?}");
        }
    }
}

#[test]
fn the_alerts_fire_when_they_should() {
    let rules = top().join("docker/prometheus");
    tools::run_in(&rules, "promtool", &["check", "config", "prometheus.yml"]).succeeded();
    tools::run_in(&top().join("tests/metrics"), "promtool", &["test", "rules", "alerts_test.yml"])
        .succeeded();
}

/// Where the file server tells its metrics.
fn file_server(deployment: &Deployment) -> SocketAddr {
    deployment.addresses("metrics", 1)[0]
}

/// What is told at an address, read by the strictest parser there is.
fn told(deployment: &Deployment, address: SocketAddr) -> Series {
    let text = tools::run("curl", &["-sSf", &format!("http://{address}/metrics")]).succeeded();
    let script = top().join("tests/metrics/series.py");
    let read = tools::feed(deployment.directory(), "python3", &[script.to_str().unwrap()], &text).succeeded();
    let series = read.lines().map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    });
    series.collect()
}

fn names(series: &Series) -> Vec<String> {
    series.keys().map(|series| series.split('{').next().unwrap().to_owned()).collect()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
