//! The commands of the command line against our server, and the exit code of each failure.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::wharf::{Wharf, is_part};
use wharfinger_tests::{Deployment, Setup, Shape, Store, User, content};

struct Scene {
    deployment: Deployment,
    user: User,
    wharf: Wharf,
}

impl Scene {
    fn new() -> Scene {
        Scene::of(Deployment::start())
    }

    fn of(deployment: Deployment) -> Scene {
        let user = deployment.admin.create("alice");
        let wharf = Wharf::new(&deployment, &user);
        Scene { deployment, user, wharf }
    }

    fn url(&self, path: &str) -> String {
        format!("ftpes://alice@localhost:{}/{path}", self.deployment.ftp().port())
    }

    fn stored(&self, name: &str) -> Vec<u8> {
        fs::read(self.deployment.home(&self.user).join(name)).unwrap()
    }

    fn store(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.deployment.home(&self.user)).unwrap();
        fs::write(self.deployment.home(&self.user).join(name), bytes).unwrap();
    }
}

#[test]
fn a_file_goes_up_is_listed_comes_down_and_is_removed() {
    let scene = Scene::new();
    let bytes = content::bytes(3_000_000, 1);
    fs::write(scene.wharf.file("one"), &bytes).unwrap();
    for how in [&[][..], &["--active"]] {
        let run = |arguments: &[&str]| scene.wharf.run(&[how, arguments].concat()).succeeded();
        run(&["put", "one", &scene.url("")]);
        assert!(scene.stored("one") == bytes);
        assert!(run(&["ls", &scene.url("")]).contains("3000000"), "{how:?}");
        run(&["get", &scene.url("one"), "back"]);
        assert!(fs::read(scene.wharf.file("back")).unwrap() == bytes, "{how:?}");
        assert_eq!(scene.wharf.names(), ["back", "one"], "nothing else is left");
        run(&["rm", &scene.url("one")]);
        assert_eq!(run(&["ls", &scene.url("")]), "");
    }
}

#[test]
fn ftps_means_tls_from_the_first_byte() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let scene = Scene::of(setup.set("WHARFINGER_FTP__IMPLICIT_TLS_LISTEN", "127.0.0.1:0").start());
    let port = scene.deployment.programs()[0].addresses("ftps", 1)[0].port();
    let url = format!("ftps://alice@localhost:{port}/");
    fs::write(scene.wharf.file("one"), content::bytes(50_000, 1)).unwrap();
    scene.wharf.run(&["put", "one", &url]).succeeded();
    assert!(scene.wharf.run(&["ls", &url]).succeeded().contains("50000"));
    scene.wharf.fails(
        &["--timeout", "2", "--retries", "0", "ls", &url.replace("ftps:", "ftpes:")],
        3,
        "does not answer",
    );
    let clear = scene.url("").replace("ftpes:", "ftps:");
    scene.wharf.fails(&["ls", &clear], 4, "does not speak TLS there");
}

#[test]
fn results_are_told_as_json() {
    let scene = Scene::new();
    scene.store("a b", b"12345");
    let json = |arguments: &[&str]| -> Value {
        let finished = scene.wharf.run(&[&["--json"], arguments].concat());
        serde_json::from_str(&finished.out).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
    };
    let list = json(&["ls", &scene.url("")]);
    assert_eq!(list[0]["name"], "a b");
    assert_eq!(list[0]["kind"], "file");
    assert_eq!(list[0]["size"], 5);
    assert!(list[0]["modified"].is_string());
    assert_eq!(json(&["get", &scene.url("a%20b")])["bytes"], 5);
    let failure = json(&["get", &scene.url("missing")]);
    assert_eq!(failure["error"]["kind"], "refused");
    assert_eq!(failure["error"]["reply_code"], 550);
    assert_eq!(failure["error"]["exit_code"], 6);
}

#[test]
fn quiet_means_quiet_and_a_pipe_gets_no_bars() {
    let scene = Scene::new();
    scene.store("one", &content::bytes(100_000, 1));
    let quiet = scene.wharf.run(&["--quiet", "get", &scene.url("one")]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""), "{quiet:?}");
    let loud = scene.wharf.run(&["get", &scene.url("one")]);
    assert_eq!((loud.out.trim(), loud.err.as_str()), ("one -> one", ""), "{loud:?}");
    let printed = scene.wharf.run(&["get", &scene.url("one"), "-"]);
    assert_eq!(printed.code, Some(0), "{:?}", printed.err);
}

#[test]
fn each_failure_has_its_exit_code() {
    let scene = Scene::new();
    let wharf = &scene.wharf;
    let nobody = Wharf { password: None, ..wharf.clone() };
    let wrong = Wharf { password: Some("wrong".to_owned()), ..wharf.clone() };
    let trusting_others = Wharf { trust: vec!["--fingerprint".to_owned(), "00".repeat(32)], ..wharf.clone() };
    let platform = Wharf { trust: Vec::new(), ..wharf.clone() };
    let url = scene.url("");
    wharf.fails(&["ls", "http://localhost/"], 2, "none of ftp");
    wharf.fails(&["ls", "ftp://alice:secret@localhost/"], 2, "WHARF_PASSWORD");
    wharf.fails(&["get"], 2, "Usage");
    nobody.fails(&["ls", &url], 2, "needs a password");
    wharf.fails(&["--retries", "0", "ls", "ftpes://alice@localhost:1/"], 3, "cannot reach");
    wharf.fails(&["--retries", "0", "ls", "ftpes://alice@no-such-host.invalid/"], 3, "cannot reach");
    trusting_others.fails(&["ls", &url], 4, "not the one with the given fingerprint");
    let untrusted = platform.fails(&["ls", &url], 4, "--fingerprint");
    assert!(untrusted.err.contains("signed by nobody trusted"), "{untrusted:?}");
    wrong.fails(&["ls", &url], 5, "530");
    wharf.fails(&["get", &scene.url("missing")], 6, "550");
    wharf.fails(&["put", "missing", &url], 7, "No such file");
    scene.store("one", b"1");
    wharf.fails(&["get", &scene.url("one"), "no/such/directory/one"], 7, "no/such/directory");
    wharf.fails(&["get", &scene.url("one"), "/dev/null"], 7, "standard output");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let listen = ("WHARFINGER_FTP__LISTEN", "0.0.0.0:0,[::1]:0");
    let scene = Scene::of(Setup::new(Shape::AllInOne, Store::Sqlite).set(listen.0, listen.1).start());
    // Loopback as well, but not in the certificate.
    let url = scene.url("").replace("localhost", "127.0.0.2");
    scene.wharf.fails(&["ls", &url], 4, "not for the name 127.0.0.2");
}

#[test]
fn the_fingerprint_the_server_prints_is_enough_and_insecure_is_said_aloud() {
    let mut scene = Scene::new();
    let printed = scene.deployment.server().out.text();
    let fingerprint =
        printed.lines().find_map(|line| line.strip_prefix("SHA-256")).unwrap().trim().to_owned();
    let known = Wharf { trust: vec!["--fingerprint".to_owned(), fingerprint], ..scene.wharf.clone() };
    assert_eq!(known.run(&["ls", &scene.url("")]).err, "");
    let anybody = Wharf { trust: vec!["--insecure".to_owned()], ..scene.wharf.clone() };
    let finished = anybody.run(&["ls", &scene.url("")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.err.contains("--insecure"), "{finished:?}");
}

#[test]
fn a_server_that_refuses_tls_gets_no_password_unless_that_is_wanted() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_TLS__CONTROL", "required");
    let scene = Scene::of(setup.start());
    let plain = Wharf { trust: vec!["--clear".to_owned()], ..scene.wharf.clone() };
    // Our server is the one that refuses here: no login without TLS.
    let finished = plain.fails(&["ls", &scene.url("").replace("ftpes", "ftp")], 5, "530");
    assert!(finished.err.contains("not encrypted"), "{finished:?}");
    plain.fails(&["ls", &scene.url("")], 2, "--clear is for");
}

#[test]
fn the_password_is_found_in_netrc_if_nobody_else_can_read_it() {
    let scene = Scene::new();
    let wharf = Wharf { password: None, ..scene.wharf.clone() };
    let netrc = wharf.file(".netrc");
    fs::write(&netrc, format!("machine localhost login alice password \"{}\"\n", scene.user.password))
        .unwrap();
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o600)).unwrap();
    wharf.run(&["ls", &scene.url("")]).succeeded();
    // The name too.
    wharf.run(&["ls", &scene.url("").replace("alice@", "")]).succeeded();
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o644)).unwrap();
    wharf.fails(&["ls", &scene.url("")], 2, "chmod 600");
}

#[test]
fn a_full_disk_here_leaves_a_part_that_is_resumed() {
    let scene = Scene::new();
    let bytes = content::bytes(1_000_000, 1);
    scene.store("large", &bytes);
    let wharf = &scene.wharf;
    let part = wharf.interrupted(&scene.url("large"), "large");
    let length = fs::metadata(part).unwrap().len();
    assert!(length > 0 && length < 1_000_000 && wharf.names().len() == 1);
    let again: Value =
        serde_json::from_str(&wharf.run(&["--json", "--resume", "get", &scene.url("large")]).succeeded())
            .unwrap();
    assert_eq!(again["bytes"], 1_000_000 - length, "only the rest comes");
    assert!(fs::read(wharf.file("large")).unwrap() == bytes);
    assert_eq!(wharf.names(), ["large"]);
}

#[test]
fn an_aborted_upload_is_resumed() {
    let scene = Scene::new();
    let bytes = content::bytes(1_000_000, 1);
    fs::write(scene.wharf.file("large"), &bytes).unwrap();
    let mut raw = scene.deployment.session(&scene.user);
    let mut data = raw.begin(wharfinger_tests::Mode::Epsv, "STOR large");
    std::io::Write::write_all(&mut data, &bytes[..300_000]).unwrap();
    data.truncate();
    raw.expect_reply(426);
    let told = scene.wharf.run(&["--json", "--resume", "put", "large", &scene.url("large")]).succeeded();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["bytes"], 700_000, "only the rest goes");
    assert!(scene.stored("large") == bytes);
}

#[test]
fn every_transfer_of_a_session_is_bound_where_that_is_required() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_TLS__DATA_BINDING", "required");
    let scene = Scene::of(setup.start());
    fs::create_dir(scene.wharf.file("many")).unwrap();
    for number in 0..12 {
        fs::write(scene.wharf.file(&format!("many/{number}")), content::bytes(20_000, number)).unwrap();
    }
    let up = scene.wharf.run(&["--retries", "0", "mirror", "many", &scene.url("many")]).succeeded();
    assert!(up.contains("12 copied"), "{up}");
    let down = scene.wharf.run(&["--retries", "0", "mirror", &scene.url("many"), "back"]).succeeded();
    assert!(down.contains("12 copied"), "{down}");
    assert_eq!(fs::read(scene.wharf.file("back/7")).unwrap(), content::bytes(20_000, 7));
}

#[test]
fn ctrl_c_leaves_a_part_and_130() {
    let scene = Scene::new();
    scene.store("endless", &[]);
    let file =
        fs::File::options().write(true).open(scene.deployment.home(&scene.user).join("endless")).unwrap();
    file.set_len(20 << 30).unwrap();
    let child = scene.wharf.start(&["get", &scene.url("endless")]);
    eventually("bytes arrive", PATIENCE, || {
        let names = scene.wharf.names();
        let part = names.iter().find(|name| is_part(name))?;
        (fs::metadata(scene.wharf.file(part)).ok()?.len() > 0).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"), "{output:?}");
    let names = scene.wharf.names();
    assert!(names.len() == 1 && is_part(&names[0]), "{names:?}");
}

#[test]
fn ctrl_c_in_an_upload_leaves_no_file_under_its_name() {
    let scene = Scene::new();
    fs::File::create(scene.wharf.file("endless")).unwrap().set_len(20 << 30).unwrap();
    let child = scene.wharf.start(&["put", "endless", &scene.url("")]);
    eventually("bytes arrive", PATIENCE, || {
        let home = fs::read_dir(scene.deployment.home(&scene.user)).ok()?;
        home.flatten().any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0)).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(scene.wharf.run(&["ls", &scene.url("")]).succeeded(), "");
    assert!(!scene.deployment.home(&scene.user).join("endless").exists());
}

#[test]
fn names_of_any_bytes_come_and_go() {
    let scene = Scene::new();
    scene.store("x", b"");
    let name = std::ffi::OsStr::from_bytes(b"caf\xE9 \xFF;=");
    fs::write(scene.deployment.home(&scene.user).join(name), b"odd").unwrap();
    scene.wharf.run(&["mirror", &scene.url(""), "all"]).succeeded();
    assert_eq!(fs::read(scene.wharf.file("all").join(name)).unwrap(), b"odd");
    scene.wharf.run(&["rm", &scene.url("caf%E9%20%FF%3B%3D")]).succeeded();
    assert!(!scene.deployment.home(&scene.user).join(name).exists());
}
