//! MFTP between the client and our own server, in clear and under TLS: what the pair makes of it.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::wharf::{Wharf, names};
use wharfinger_tests::{Deployment, Setup, Shape, Store, User, content};

/// The schemes, each with its listener.
const BOTH: [&str; 2] = ["mftp", "mftps"];

struct Scene {
    deployment: Deployment,
    user: User,
    wharf: Wharf,
}

impl Scene {
    fn new() -> Scene {
        Scene::with("preferred")
    }

    fn with(binding: &str) -> Scene {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite)
            .set("WHARFINGER_MFTP__LISTEN", "127.0.0.1:0")
            .set("WHARFINGER_MFTP__TLS_LISTEN", "127.0.0.1:0")
            .set("WHARFINGER_TLS__DATA_BINDING", binding);
        let deployment = setup.start();
        let user = User { name: "alice".to_owned(), password: "a word of alice".to_owned() };
        let body = json!({"username": user.name, "password": user.password, "protocols": ["mftp"]});
        assert_eq!(deployment.admin.post("/api/v1/users", body).status, 201);
        let wharf = Wharf::new(&deployment, &user);
        Scene { deployment, user, wharf }
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        let port = self.deployment.addresses(scheme, 1)[0].port();
        format!("{scheme}://alice@localhost:{port}/{path}")
    }

    fn home(&self) -> std::path::PathBuf {
        let home = self.deployment.home(&self.user);
        fs::create_dir_all(&home).unwrap();
        home
    }
}

#[test]
fn a_file_goes_up_is_listed_comes_down_and_is_removed() {
    let scene = Scene::new();
    let bytes = content::bytes(3_000_000, 1);
    fs::write(scene.wharf.file("a:b \\c"), &bytes).unwrap();
    for scheme in BOTH {
        let run = |arguments: &[&str]| scene.wharf.run(arguments).succeeded();
        run(&["put", "a:b \\c", &scene.url(scheme, "")]);
        assert!(fs::read(scene.home().join("a:b \\c")).unwrap() == bytes, "{scheme}");
        let list: Value = serde_json::from_str(&run(&["--json", "ls", &scene.url(scheme, "")])).unwrap();
        assert_eq!((&list[0]["name"], &list[0]["kind"]), (&json!("a:b \\c"), &json!("file")), "{scheme}");
        let file: Value =
            serde_json::from_str(&run(&["--json", "ls", &scene.url(scheme, "a:b%20%5Cc")])).unwrap();
        assert_eq!(file[0]["size"], 3_000_000, "{scheme}");
        run(&["get", &scene.url(scheme, "a:b%20%5Cc"), "back"]);
        assert!(fs::read(scene.wharf.file("back")).unwrap() == bytes, "{scheme}");
        run(&["rm", &scene.url(scheme, "a:b%20%5Cc")]);
        assert_eq!(names(&scene.home()), [] as [&str; 0], "{scheme}");
    }
}

#[test]
fn a_tree_goes_up_and_comes_down_bound_to_its_session_where_that_is_required() {
    let scene = Scene::with("required");
    fs::create_dir_all(scene.wharf.file("tree/sub/deeper")).unwrap();
    for number in 0..8 {
        fs::write(scene.wharf.file(&format!("tree/sub/{number}")), content::bytes(40_000, number)).unwrap();
    }
    for scheme in BOTH {
        let there = scene.url(scheme, &format!("tree-{scheme}"));
        let back = format!("back-{scheme}");
        let mirror =
            |from: &str, to: &str| scene.wharf.run(&["mirror", "--parallel", "2", from, to]).succeeded();
        assert!(mirror("tree", &there).contains("8 copied"));
        assert!(mirror(&there, &back).contains("8 copied"));
        assert!(mirror(&there, &back).contains("8 the same"));
        for number in 0..8 {
            let copy = fs::read(scene.wharf.file(&format!("{back}/sub/{number}"))).unwrap();
            assert!(copy == content::bytes(40_000, number), "{scheme}");
        }
        assert!(scene.home().join(format!("tree-{scheme}/sub/deeper")).is_dir());
    }
}

#[test]
fn the_shell_does_what_mftp_can() {
    let scene = Scene::new();
    fs::write(scene.wharf.file("one"), content::bytes(100_000, 1)).unwrap();
    for scheme in BOTH {
        let script = "mkdir made\ncd made\npwd\nput one\nsize one\nrename one \"tw:o\"\nls\n\
                      get \"tw:o\" two\ndelete \"tw:o\"\nquote WAMI\ncd ..\nrmdir made\nstatus\nquit\n";
        let said = scene.wharf.run_shell(&[&scene.url(scheme, "")], script).succeeded();
        for words in ["there: /made", "100000", "tw:o", "200 alice", "321"] {
            assert!(said.contains(words), "{scheme}: {words}: {said}");
        }
        assert_eq!(said.contains("TLS 1.3"), scheme == "mftps", "{said}");
        assert!(fs::read(scene.wharf.file("two")).unwrap() == content::bytes(100_000, 1));
        assert_eq!(names(&scene.home()), [] as [&str; 0], "{scheme}");
    }
}

#[test]
fn the_doctor_finds_our_server_well_under_tls_and_says_what_is_wrong_in_clear() {
    let scene = Scene::new();
    scene.wharf.run(&["ls", &scene.url("mftps", "")]).succeeded();
    let well = scene.wharf.run(&["doctor", &scene.url("mftps", "")]);
    assert_eq!(well.code, Some(0), "{well:?}");
    for step in ["TLS", "login", "session reuse", "upload", "download", "close_notify", "data channel"] {
        assert!(well.out.contains(step), "{step}: {well:?}");
    }
    let in_clear = scene.wharf.run(&["doctor", &scene.url("mftp", "")]);
    assert_eq!(in_clear.code, Some(10), "{in_clear:?}");
    assert!(in_clear.out.contains("there is none: password and files can be read"), "{in_clear:?}");
    assert_eq!(names(&scene.home()), [] as [&str; 0], "nothing is left");
}

#[test]
fn each_failure_has_its_exit_code() {
    let scene = Scene::new();
    let wrong = Wharf { password: Some("wrong".to_owned()), ..scene.wharf.clone() };
    let stranger = Wharf { trust: Vec::new(), ..scene.wharf.clone() };
    for scheme in BOTH {
        let url = |path| scene.url(scheme, path);
        wrong.fails(&["ls", &url("")], 5, "530");
        scene.wharf.fails(&["get", &url("missing")], 6, "41");
        scene.wharf.fails(&["rm", &url("missing")], 6, "412");
        scene.wharf.fails(&["ls", &url("missing")], 6, "412");
        fs::write(scene.wharf.file("one"), "content").unwrap();
        scene.wharf.fails(&["put", "one", &url("no/such/one")], 6, "41");
    }
    stranger.fails(&["ls", &scene.url("mftps", "")], 4, "signed by nobody trusted");
    // The one protocol where the other is spoken.
    let crossed = scene.url("mftps", "").replace("mftps:", "ftps:");
    scene.wharf.fails(&["ls", &crossed], 4, "");
}

#[test]
fn a_broken_download_is_completed() {
    let scene = Scene::new();
    let bytes = content::bytes(1_000_000, 1);
    fs::write(scene.home().join("large"), &bytes).unwrap();
    for scheme in BOTH {
        let part = scene.wharf.interrupted(&scene.url(scheme, "large"), "large");
        let kept = fs::metadata(part).unwrap().len();
        let told = scene.wharf.run(&["--json", "--resume", "get", &scene.url(scheme, "large")]).succeeded();
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["bytes"], 1_000_000 - kept, "{scheme}");
        assert!(fs::read(scene.wharf.file("large")).unwrap() == bytes, "{scheme}");
        fs::remove_file(scene.wharf.file("large")).unwrap();
    }
}

#[test]
fn ctrl_c_in_an_upload_leaves_no_file_under_its_name_and_the_next_one_succeeds() {
    let scene = Scene::new();
    for scheme in BOTH {
        let file = fs::File::create(scene.wharf.file("file")).unwrap();
        file.set_len(20 << 30).unwrap();
        let child = scene.wharf.start(&["put", "file", &scene.url(scheme, "")]);
        eventually("bytes arrive", PATIENCE, || {
            let mut entries = fs::read_dir(scene.home()).ok()?.flatten();
            entries.any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0)).then_some(())
        });
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{scheme}: {output:?}");
        assert_eq!(scene.wharf.run(&["ls", &scene.url(scheme, "")]).succeeded(), "", "{scheme}");
        assert!(!scene.home().join("file").exists());
        file.set_len(5).unwrap();
        scene.wharf.run(&["--resume", "put", "file", &scene.url(scheme, "")]).succeeded();
        assert_eq!(fs::read(scene.home().join("file")).unwrap(), [0; 5], "{scheme}");
        fs::remove_file(scene.home().join("file")).unwrap();
    }
}

#[test]
fn the_longest_path_there_is_is_told() {
    let scene = Scene::new();
    // With the slashes these are 4095 bytes.
    let names = [vec!["n".repeat(255); 15], vec!["m".repeat(254)]].concat();
    let steps: Vec<_> = names.iter().map(|name| format!("mkdir {name}\ncd {name}\n")).collect();
    for scheme in BOTH {
        let said = scene.wharf.run_shell(&[&scene.url(scheme, "")], &(steps.concat() + "pwd\n")).succeeded();
        assert!(said.contains(&format!("there: /{}", names.join("/"))), "{scheme}: {said}");
        fs::remove_dir_all(scene.home().join(&names[0])).unwrap();
    }
}
