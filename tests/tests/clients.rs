//! The clients that people use, each over TLS 1.2 and 1.3, passive and active, IPv4 and IPv6.

use std::fs;
use std::path::Path;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, Mode, content, tools};

#[test]
fn curl_does_every_file_command_in_every_way() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let file = deployment.directory().join("content");
    fs::write(&file, content::bytes(300_000, 1)).unwrap();
    for site in Site::every_way(&deployment, &user) {
        if matches!(site.mode, Mode::Pasv | Mode::Epsv) || active_curl_has_tls() {
            curl_round(&site, &file);
        } else {
            // What would go out in clear is refused, and nothing is stored.
            let upload = site.curl("one", &["--upload-file", file.to_str().unwrap()]);
            assert_ne!(upload.code, Some(0), "{upload:?}");
            assert!(!deployment.home(&user).join("one").exists());
        }
    }
}

/// curl 7.87 and 7.88 forget TLS on active data connections (curl/curl#10666), Debian 12's among them.
fn active_curl_has_tls() -> bool {
    let version = tools::run("curl", &["--version"]).succeeded();
    !["curl 7.87.", "curl 7.88."].iter().any(|broken| version.starts_with(broken))
}

#[test]
fn lftp_does_every_file_command_in_every_way() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    fs::write(deployment.directory().join("content"), content::bytes(300_000, 1)).unwrap();
    // lftp 4.9 says PORT for IPv4, and for IPv6 EPRT with the address ::, where nobody can connect to.
    for site in Site::every_way(&deployment, &user).into_iter().filter(|site| site.mode != Mode::Eprt) {
        lftp_round(&site);
    }
}

#[test]
fn ftplib_does_every_file_command_in_every_way() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    // ftplib chooses by address family: PASV and PORT for IPv4, EPSV and EPRT for IPv6.
    let ways = Site::every_way(&deployment, &user).into_iter();
    for site in ways.filter(|site| site.address.is_ipv6() != matches!(site.mode, Mode::Pasv | Mode::Port)) {
        site.python("ftplib_commands.py");
    }
}

fn curl_round(site: &Site, file: &Path) {
    let path = file.to_str().unwrap();
    let upload = site.curl("made/one", &["--ftp-create-dirs", "--upload-file", path]);
    let verb = format!("{:?}", site.mode).to_uppercase();
    for other in ["PASV", "EPSV", "PORT", "EPRT"] {
        assert_eq!(upload.err.contains(&format!("> {other}")), other == verb, "{other}: {upload:?}");
    }
    upload.succeeded();

    let back = site.directory.join("back");
    site.curl("made/one", &["--output", back.to_str().unwrap()]).succeeded();
    assert_eq!(fs::read(&back).unwrap(), fs::read(file).unwrap(), "{site:?}");
    // The first part is there: curl asks for the rest with REST.
    fs::write(&back, &fs::read(file).unwrap()[..100_000]).unwrap();
    site.curl("made/one", &["--continue-at", "-", "--output", back.to_str().unwrap()]).succeeded();
    assert_eq!(fs::read(&back).unwrap(), fs::read(file).unwrap(), "{site:?}");

    assert!(site.curl("made/", &[]).succeeded().contains(" one"));
    assert_eq!(site.curl("made/", &["--list-only"]).succeeded().trim(), "one");
    let facts = site.curl("made/", &["--request", "MLSD"]).succeeded();
    assert!(facts.to_lowercase().contains("size=300000;"), "{facts}");
    let head = site.curl("made/one", &["--head"]).succeeded();
    assert!(head.contains("Content-Length: 300000") && head.contains("Last-Modified: "), "{head}");
    let tidy = ["RNFR made/one", "RNTO made/two", "DELE made/two", "RMD made"];
    let quotes: Vec<&str> = tidy.iter().flat_map(|command| ["--quote", command]).collect();
    assert_eq!(site.curl("", &[&quotes[..], &["--list-only"]].concat()).succeeded(), "");
}

fn lftp_round(site: &Site) {
    let (out, said) = site.lftp(
        "mkdir made\ncd made\npwd\nput content -o one\nget one -o back\n\
         ls\nnlist\ncls -l\nmv one two\nget -c two -o part\nput -c content -o three\n\
         rm two three\ncd ..\nrmdir made\nnlist",
    );
    let verb = match site.mode {
        Mode::Pasv => "PASV",
        Mode::Epsv => "EPSV",
        Mode::Port | Mode::Eprt => "PORT",
    };
    for other in ["PASV", "EPSV", "PORT", "EPRT"] {
        assert_eq!(said.contains(&format!("---> {other}")), other == verb, "{other}: {said}");
    }
    let content = fs::read(site.directory.join("content")).unwrap();
    for copy in ["back", "part"] {
        assert_eq!(fs::read(site.directory.join(copy)).unwrap(), content, "{copy}: {site:?}");
        fs::remove_file(site.directory.join(copy)).unwrap();
    }
    assert!(out.contains(" one\n"), "ls shows the file: {out}");
    assert!(out.lines().any(|line| line == "one"), "nlist shows the name: {out}");
}
