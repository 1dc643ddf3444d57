//! Nobody leaves their own tree: not by `..`, not by an absolute path, not by a symlink.

use std::fs;
use std::os::unix::fs::symlink;

use wharfinger_tests::{Deployment, Ftp, Mode};

#[test]
fn no_path_leads_out_of_the_tree() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let bob = deployment.admin.create("bob");
    deployment.session(&bob);
    fs::write(deployment.home(&bob).join("secret"), "bob's own").unwrap();
    fs::write(deployment.directory().join("data/files/beside"), "nobody's").unwrap();
    let mut ftp = deployment.session(&alice);
    let paths = [
        "../bob/secret",
        "/../bob/secret",
        "../../files/bob/secret",
        "./../bob/secret",
        "a/../../bob/secret",
        "..//bob/secret",
        "../beside",
        "/etc/passwd",
        "../../../../../../../../etc/passwd",
        "//etc/passwd",
        "/proc/self/root/etc/passwd",
    ];
    for path in paths {
        for command in ["RETR", "SIZE", "MDTM", "DELE", "RNFR", "CWD", "RMD", "MLST"] {
            refused(&mut ftp, &format!("{command} {path}"));
        }
    }
    for command in ["STOR ../bob/new", "APPE ../bob/new", "MKD ../bob/made"] {
        refused(&mut ftp, command);
    }
    let names = fs::read_dir(deployment.home(&bob)).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["secret"]);
    assert_eq!(fs::read_to_string(deployment.home(&bob).join("secret")).unwrap(), "bob's own");
}

#[test]
fn the_root_has_no_parent() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    for command in ["CDUP", "CWD ..", "CWD ../..", "CWD /"] {
        ftp.command(command);
        assert!(ftp.expect("PWD", 257).contains("\"/\""), "after {command}");
    }
}

#[test]
fn a_rename_does_not_lead_out_of_the_tree() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    ftp.send_file(Mode::Epsv, "STOR mine", b"content");
    ftp.expect("RNFR mine", 350);
    refused(&mut ftp, "RNTO ../stolen");
    assert!(!deployment.directory().join("data/files/stolen").exists());
    assert_eq!(ftp.receive(Mode::Epsv, "RETR mine"), b"content");
}

#[test]
fn a_symlink_is_followed_inside_the_tree_and_never_out_of_it() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    let home = deployment.home(&alice);
    let outside = deployment.directory().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "not alice's").unwrap();
    fs::create_dir(home.join("inside")).unwrap();
    fs::write(home.join("inside/file"), "content").unwrap();
    symlink("inside", home.join("in")).unwrap();
    symlink(&outside, home.join("out")).unwrap();
    symlink("../../../outside", home.join("up")).unwrap();
    symlink(outside.join("secret"), home.join("file")).unwrap();

    assert_eq!(ftp.receive(Mode::Epsv, "RETR in/file"), b"content");
    for path in ["out/secret", "up/secret", "file"] {
        for command in ["RETR", "SIZE", "MDTM"] {
            refused(&mut ftp, &format!("{command} {path}"));
        }
    }
    let leading_out = ["CWD out", "CWD up", "DELE out/secret", "MKD out/made", "RNFR up/secret", "RMD out"];
    for command in leading_out.iter().chain(&["STOR out/new", "STOR up/new"]) {
        refused(&mut ftp, command);
    }
    // A file put in a symlink's place replaces the symlink, not what it points to.
    let offer = ftp.offer(Mode::Epsv);
    if ftp.command("STOR file").code == 150 {
        let mut data = offer.accept().secured(ftp.tls());
        std::io::Write::write_all(&mut data, b"alice's").unwrap();
        data.finish().unwrap();
        ftp.reply();
    }
    let names = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["secret"]);
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "not alice's");
}

#[test]
fn partial_uploads_can_not_be_named() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    for command in ["RETR .wharfinger-x.part", "DELE .wharfinger-x.part", "MKD .wharfinger-x"] {
        refused(&mut ftp, command);
    }
}

/// The command is refused for its path, also where everything else is ready for a transfer.
fn refused(ftp: &mut Ftp, command: &str) {
    let transfer = ["RETR", "STOR", "APPE"].iter().any(|verb| command.starts_with(verb));
    let offer = transfer.then(|| ftp.offer(Mode::Epsv));
    let reply = ftp.command(command);
    assert!([550, 553].contains(&reply.code), "{command}: {reply:?}");
    drop(offer);
}
