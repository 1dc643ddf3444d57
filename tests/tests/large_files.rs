//! Much data: one gigabyte in one file, and hundreds of files in one go.

use std::fs;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, content, tools};

#[test]
fn a_gigabyte_comes_back_as_it_went() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let site = Site::new(&deployment, &user);
    let (file, back) = (deployment.directory().join("file"), deployment.directory().join("back"));
    content::file(&file, 1 << 30, 1);
    let digest = content::digest(&file);
    site.curl("big", &["--upload-file", file.to_str().unwrap()]).succeeded();
    fs::remove_file(&file).unwrap();
    assert_eq!(content::digest(&deployment.home(&user).join("big")), digest, "what the server keeps");
    site.lftp("get big -o back");
    assert_eq!(content::digest(&back), digest, "what comes back");
}

#[test]
fn five_hundred_files_are_mirrored_there_and_back() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let there = deployment.directory().join("there");
    for number in 0..500_u64 {
        let folder = there.join(format!("folder {}", number % 10));
        fs::create_dir_all(&folder).unwrap();
        let size = usize::try_from(number * 37).unwrap();
        fs::write(folder.join(format!("file {number} é")), content::bytes(size, number)).unwrap();
    }
    let site = Site::new(&deployment, &user);
    site.lftp("mirror -R there kept\nmirror kept back");
    let back = deployment.directory().join("back");
    let home = deployment.home(&user).join("kept");
    for copy in [home, back] {
        tools::run("diff", &["--recursive", there.to_str().unwrap(), copy.to_str().unwrap()]).succeeded();
    }
}
