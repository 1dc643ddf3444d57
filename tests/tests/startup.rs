//! A program that can't start says why in a sentence and exits with the code for it.

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;
use wharfinger_tests::deployment::environment;
use wharfinger_tests::program::Ended;
use wharfinger_tests::{Admin, Deployment, Program, Setup, Shape, Store};

const PROGRAMS: [&str; 3] = ["wharfinger", "wharfinger-server", "wharfinger-admin"];

#[test]
fn an_ftp_port_in_use_is_exit_4_and_named() {
    for program in ["wharfinger", "wharfinger-server"] {
        let said = port_in_use(program, "WHARFINGER_FTP__LISTEN");
        assert!(said.contains("(ftp.listen)"), "{said}");
    }
}

#[test]
fn an_mftp_port_in_use_is_exit_4_and_named() {
    let listeners =
        [("WHARFINGER_MFTP__LISTEN", "(mftp.listen)"), ("WHARFINGER_MFTP__TLS_LISTEN", "(mftp.tls_listen)")];
    for (variable, key) in listeners {
        let said = port_in_use("wharfinger-server", variable);
        assert!(said.contains(key), "{said}");
    }
}

#[test]
fn an_admin_port_in_use_is_exit_4_and_named() {
    for program in ["wharfinger", "wharfinger-admin"] {
        port_in_use(program, "WHARFINGER_ADMIN__LISTEN");
    }
}

fn port_in_use(program: &str, variable: &str) -> String {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = start_on_ready_store(program, &[(variable, &address)]);
    assert_eq!(ended.code, Some(4), "{program}: {}", ended.err);
    assert!(ended.err.contains(&address) && ended.err.contains("in use"), "{program}: {}", ended.err);
    ended.err
}

#[test]
fn an_unreadable_certificate_is_exit_2_and_named() {
    let directory = TempDir::new().unwrap();
    let rubbish = directory.path().join("rubbish.pem");
    fs::write(&rubbish, "this is no certificate\n").unwrap();
    let missing = directory.path().join("missing.pem");
    for path in [&rubbish, &missing] {
        let path = path.to_str().unwrap();
        for program in ["wharfinger", "wharfinger-server"] {
            let settings = [("WHARFINGER_TLS__CERTIFICATE", path), ("WHARFINGER_TLS__KEY", path)];
            let ended = start_on_ready_store(program, &settings);
            assert_eq!(ended.code, Some(2), "{program}: {}", ended.err);
            assert!(ended.err.contains(path), "{program}: {}", ended.err);
        }
    }
}

#[test]
fn a_mistyped_setting_is_exit_2_with_the_nearest_known_one() {
    for program in PROGRAMS {
        let ended = start_with(program, &[], &[("WHARFINGER_FTP__LISTENN", "127.0.0.1:0")]);
        assert_eq!(ended.code, Some(2), "{program}: {}", ended.err);
        assert!(ended.err.contains("ftp.listen'"), "{program}: {}", ended.err);
    }
}

#[test]
fn a_store_that_can_not_be_used_is_exit_3() {
    let directory = TempDir::new().unwrap();
    let rubbish = directory.path().join("rubbish.db");
    fs::write(&rubbish, "this is no database, and long enough to be told apart from an empty one".repeat(20))
        .unwrap();
    let url = format!("sqlite://{}", rubbish.display());
    for program in PROGRAMS {
        let ended = start_with(program, &[], &[("WHARFINGER_STORE__URL", &url)]);
        assert_eq!(ended.code, Some(3), "{program}: {}", ended.err);
    }
}

#[test]
fn check_config_says_what_is_wrong_and_starts_nothing() {
    for program in PROGRAMS {
        let good = start_with(program, &["--check-config"], &[]);
        assert_eq!(good.code, Some(0), "{program}: {}", good.err);
        assert!(!good.err.contains("listening"), "{program}: {}", good.err);
        let bad = start_with(program, &["--check-config"], &[("WHARFINGER_FTP__LISTEN", "nowhere")]);
        assert_eq!(bad.code, Some(2), "{program}: {}", bad.err);
        assert!(bad.err.contains("nowhere"), "{program}: {}", bad.err);
    }
}

#[test]
fn check_config_reads_the_certificate_and_the_token_key() {
    let missing = [("WHARFINGER_TLS__CERTIFICATE", "no.pem"), ("WHARFINGER_TLS__KEY", "no.key")];
    for program in ["wharfinger", "wharfinger-server"] {
        let bad = start_with(program, &["--check-config"], &missing);
        assert_eq!(bad.code, Some(2), "{program}: {}", bad.err);
        assert!(bad.err.contains("no.pem"), "{program}: {}", bad.err);
    }
    let bad = start_with("wharfinger-admin", &["--check-config"], &[("WHARFINGER_ADMIN__TOKEN_KEY", "/")]);
    assert_eq!(bad.code, Some(2), "{}", bad.err);
}

#[test]
fn secrets_are_read_from_the_files_that_variables_name() {
    let directory = TempDir::new().unwrap();
    let store = directory.path().join("elsewhere.db");
    let url = format!("sqlite://{}\n", store.display());
    let mut settings = environment(directory.path());
    for (variable, secret) in
        [("WHARFINGER_ADMIN_PASSWORD", "a secret of the owner\n"), ("WHARFINGER_STORE__URL", &url)]
    {
        let file = directory.path().join(variable);
        fs::write(&file, secret).unwrap();
        settings.insert(format!("{variable}_FILE"), file.to_str().unwrap().to_owned());
    }
    let program = Program::start("wharfinger", &[], directory.path(), &settings);
    Admin::log_in(program.addresses("admin", 1)[0], "owner", "a secret of the owner");
    assert!(store.exists());
    let said = program.stop();
    assert!(!format!("{}{}", said.out, said.err).contains("a secret of the owner"));

    let ended = start_with("wharfinger", &[], &[("WHARFINGER_STORE__URL_FILE", "no/such/file")]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("no/such/file"), "{}", ended.err);
}

#[test]
fn a_hangup_ends_no_program() {
    for program in PROGRAMS {
        let directory = TempDir::new().unwrap();
        let running = Program::start(program, &[], directory.path(), &environment(directory.path()));
        // The file server alone waits for the store, which is no reason to end either.
        running.logs(&[if program == "wharfinger-server" { "waiting for the store" } else { "listening" }]);
        running.hang_up();
        running.logs(&["the configuration was reloaded"]);
        assert_eq!(running.stop().code, Some(0), "{program}");
    }
}

#[test]
fn help_and_version_are_answered() {
    for program in PROGRAMS {
        for option in ["--help", "--version"] {
            let ended = start_with(program, &[option], &[]);
            assert_eq!(ended.code, Some(0), "{program} {option}: {}", ended.err);
            assert!(ended.out.contains("wharfinger"), "{program} {option}: {}", ended.out);
        }
    }
}

#[test]
fn two_programs_share_one_sqlite_file() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite).start();
    let alice = deployment.admin.create("alice");
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn secrets_on_the_disk_are_the_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let deployment = Deployment::start();
    for secret in ["data/tls/server.key", "data/admin/token.key", "data/wharfinger.db"] {
        let mode = fs::metadata(deployment.directory().join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret} has mode {mode:o}");
    }
}

fn start_with(program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let directory = TempDir::new().unwrap();
    let mut environment = environment(directory.path());
    for (variable, value) in settings {
        environment.insert((*variable).to_owned(), (*value).to_owned());
    }
    Program::start(program, arguments, directory.path(), &environment).end()
}

/// The same with a store that is ready, since the file server alone waits for a migration.
fn start_on_ready_store(program: &str, settings: &[(&str, &str)]) -> Ended {
    let store = TempDir::new().unwrap();
    let url = format!("sqlite://{}", store.path().join("users.db").display());
    let migration = start_with("wharfinger-admin", &["migrate"], &[("WHARFINGER_STORE__URL", &url)]);
    assert_eq!(migration.code, Some(0), "{}", migration.err);
    start_with(program, &[], &[settings, &[("WHARFINGER_STORE__URL", &url)]].concat())
}
