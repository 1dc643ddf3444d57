//! The listeners as an operator sets them up, and as a person reaches them by hand.

use std::sync::Arc;

use wharfinger_tests::polling::eventually;
use wharfinger_tests::tools::run;
use wharfinger_tests::{Deployment, User};

use crate::place::{BOUND, Place, Protection, setup};

#[test]
fn there_is_none_unless_it_is_asked_for() {
    let mut deployment = Deployment::start();
    let log = deployment.server().log.text();
    assert!(log.contains(r#""service":"ftp""#) && !log.contains("mftp"), "{log}");
}

#[test]
fn the_one_in_clear_is_warned_of_at_start_and_the_one_under_tls_is_not() {
    let mut deployment = setup().start();
    deployment.server().logs(&["warn", "in clear", r#""service":"mftp""#]);
    let log = deployment.server().log.text();
    assert!(!log.lines().any(|line| line.contains("in clear") && line.contains("mftps")), "{log}");
}

#[test]
fn a_reload_switches_commands_off_for_sessions_to_come() {
    let place = Place::on(Arc::new(setup().file("").start()));
    let mut before = place.session(Protection::Clear);
    place.deployment.reload("[mftp]\ndisabled_commands = [\"SIZE\"]\n");
    eventually("SIZE is off", BOUND, || {
        place.session(Protection::Tls).command("SIZE file").starts_with("ERR 503").then_some(())
    });
    before.expect("SIZE file", "ERR 412");
}

#[test]
fn a_person_with_nc_logs_in_lists_and_leaves() {
    let place = Place::new();
    std::fs::write(place.home().join("a file"), "for nc\n").unwrap();
    let address = place.deployment.addresses("mftp", 1)[0];
    let nc = format!("nc {} {}", address.ip(), address.port());
    by_hand(&place.user, &nc, r#"nc -d "$host" "$port""#, "\n");
}

#[test]
fn a_person_with_openssl_logs_in_lists_and_leaves() {
    let place = Place::new();
    std::fs::write(place.home().join("a file"), "for nc\n").unwrap();
    let address = place.deployment.addresses("mftps", 1)[0];
    let certificate = place.deployment.certificate();
    let s_client = format!("openssl s_client -quiet -verify_return_error -CAfile {}", certificate.display());
    let control = format!("{s_client} -connect {address}");
    let data = format!(r#"{s_client} -connect "$host:$port" </dev/null"#);
    by_hand(&place.user, &control, &data, "\r\n");
    let mut mftp = place.session(Protection::Tls);
    assert_eq!(mftp.command("NOOP"), "AOK 220 Ready");
}

/// What a person types, with the programs that make the two connections.
fn by_hand(user: &User, control: &str, data: &str, line_end: &str) {
    let script = format!(
        r#"
        coproc CONTROL {{ {control} 2>/dev/null; }}
        from=${{CONTROL[0]}} to=${{CONTROL[1]}}
        say() {{ printf '%s{end}' "$1" >&"$to"; }}
        hear() {{ IFS= read -r -t 20 line <&"$from" || exit 9; line=${{line%$'\r'}}; echo "$line"; }}
        move() {{
          say "$1"; hear
          host=${{line#*\(\[}}; host=${{host%%\]*}}; port=${{line#*\]:}}; port=${{port%%)*}}
          {data} 2>/dev/null; hear
        }}
        hear; say 'USER {name}'; hear; say 'PASS {password}'; hear
        move LIST; move 'RETR a file'; say QUIT; hear; eval "exec $to>&-"; wait
        "#,
        end = line_end.escape_default(),
        name = user.name,
        password = user.password,
    );
    let said = run("bash", &["-c", &script]).succeeded().replace('\r', "");
    let without_ports: Vec<_> = said
        .lines()
        .map(|line| if line.starts_with("AOK 120 ([127.0.0.1]:") { "AOK 120" } else { line })
        .collect();
    let expected = [
        "AOK 220 Ready",
        "AOK 630 Password required",
        "AOK 230 Logged in",
        "AOK 120",
        "FILE\ta file",
        "AOK 320 Closing data channel",
        "AOK 120",
        "for nc",
        "AOK 320 Closing data channel",
        "AOK 321 Goodbye",
    ];
    assert_eq!(without_ports, expected);
}
