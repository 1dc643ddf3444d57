//! Directories, both ways.

use std::fs;
use std::path::Path;

use wharfinger_tests::wharf::{Wharf, names};
use wharfinger_tests::{Deployment, content};

fn make_tree(root: &Path) {
    for (name, size) in [("a", 0), ("b/c", 10), ("b/d/e f", 70_000), ("ü", 5)] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content::bytes(size, 3)).unwrap();
    }
}

fn assert_same(one: &Path, other: &Path) {
    assert_eq!(names(one), names(other));
    for name in names(one) {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            assert_same(&one, &other);
        } else {
            assert!(fs::read(&one).unwrap() == fs::read(&other).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_tree_goes_up_and_comes_down_over_several_connections() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf::new(&deployment, &user);
    let url = format!("ftpes://alice@localhost:{}/tree", deployment.ftp().port());
    make_tree(&wharf.file("tree"));
    let up = wharf.run(&["mirror", "--parallel", "3", "tree", &url]).succeeded();
    assert!(up.contains("4 copied, 0 the same"), "{up}");
    assert_same(&wharf.file("tree"), &deployment.home(&user).join("tree"));
    let down = wharf.run(&["mirror", "--parallel", "3", &url, "back"]).succeeded();
    assert!(down.contains("4 copied"), "{down}");
    assert_same(&wharf.file("tree"), &wharf.file("back"));
}

#[test]
fn only_what_changed_is_copied_again() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf::new(&deployment, &user);
    let url = format!("ftpes://alice@localhost:{}/tree", deployment.ftp().port());
    make_tree(&wharf.file("tree"));
    wharf.run(&["mirror", "tree", &url]).succeeded();
    assert!(wharf.run(&["mirror", "tree", &url]).succeeded().contains("0 copied, 4 the same"));
    wharf.run(&["mirror", &url, "back"]).succeeded();
    fs::write(wharf.file("tree/b/c"), "another size").unwrap();
    assert!(wharf.run(&["mirror", "tree", &url]).succeeded().contains("1 copied, 3 the same"));
    assert!(wharf.run(&["mirror", &url, "back"]).succeeded().contains("1 copied, 3 the same"));
    assert_same(&wharf.file("tree"), &wharf.file("back"));
}

#[test]
fn a_file_that_grew_is_sent_whole_by_the_shell_and_by_resume() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf::new(&deployment, &user);
    let url = format!("ftpes://alice@localhost:{}/", deployment.ftp().port());
    fs::create_dir(wharf.file("tree")).unwrap();
    for text in ["old", "another one", "a third one, again of another beginning"] {
        fs::write(wharf.file("tree/file"), text).unwrap();
        if text.starts_with("another") {
            wharf.run_shell(&[&url], "mirror -R tree\n").succeeded();
        } else {
            wharf.run(&["--resume", "mirror", "tree", &format!("{url}tree")]).succeeded();
        }
        assert_eq!(fs::read_to_string(deployment.home(&user).join("tree/file")).unwrap(), text);
    }
}

#[test]
fn a_link_in_the_target_leads_nothing_out_of_it() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf::new(&deployment, &user);
    let url = format!("ftpes://alice@localhost:{}/", deployment.ftp().port());
    make_tree(&deployment.home(&user));
    fs::create_dir(wharf.file("outside")).unwrap();
    fs::create_dir(wharf.file("target")).unwrap();
    std::os::unix::fs::symlink(wharf.file("outside"), wharf.file("target/b")).unwrap();
    wharf.fails(&["mirror", &url, "target"], 7, "in the way");
    assert_eq!(names(&wharf.file("outside")), [] as [&str; 0]);
}
