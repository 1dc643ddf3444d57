//! `storage.durable` against a power cut: a disk that keeps what was written to itself until it is told
//! to flush, and then loses its power. It is made of nbdkit, whose writeback cache dies with it, FUSE
//! and a loop device, and so takes root.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use wharfinger_tests::mounts::{self, Mount};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Deployment, Mode, Setup, Shape, Store, User, content, tools};

/// ext4 writes its journal this often, in seconds, unless it is told to: never, in a test.
const COMMIT: &str = "loop,commit=600";
const UPLOADS: usize = 20;

#[test]
fn what_was_acknowledged_outlives_a_power_cut_where_storage_is_durable() {
    if !can_make_disks() {
        return;
    }
    for uploads in ["atomic-resumable", "direct"] {
        let lost = lost_in_a_power_cut("true", uploads);
        assert!(lost.is_empty(), "{uploads}: {lost:?}");
    }
}

/// Else the test above would show nothing.
#[test]
fn the_disk_of_the_test_loses_what_was_not_flushed() {
    if can_make_disks() {
        assert!(!lost_in_a_power_cut("false", "atomic-resumable").is_empty(), "nothing was lost");
    }
}

fn can_make_disks() -> bool {
    mounts::can("a power cut", &["/dev/fuse", "/dev/loop-control"])
}

/// Which of the acknowledged uploads aren't whole when there is power again.
fn lost_in_a_power_cut(durable: &str, uploads: &str) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let disk = Disk::start(scratch.path());
    let mut deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_STORAGE__ROOT", disk.files().to_str().unwrap())
        .set("WHARFINGER_STORAGE__DURABLE", durable)
        .set("WHARFINGER_STORAGE__UPLOADS", uploads)
        .start();
    let alice = deployment.admin.create("alice");
    let acknowledged = upload(&deployment, &alice);
    let files = disk.cut_the_power(|| deployment.server().kill());
    let kept = |(path, bytes): &(String, Vec<u8>)| {
        std::fs::read(files.path().join("alice").join(path)).is_ok_and(|found| found == *bytes)
    };
    acknowledged.into_iter().filter(|upload| !kept(upload)).map(|(path, _)| path).collect()
}

/// New files, one in a new directory, one written over, one appended to.
fn upload(deployment: &Deployment, alice: &User) -> Vec<(String, Vec<u8>)> {
    let mut session = deployment.session(alice);
    let mut done = Vec::new();
    for number in 0..UPLOADS {
        let (path, bytes) = (format!("file-{number}"), content::bytes(number * 20_000 + 1, number as u64));
        session.send_file(Mode::Epsv, &format!("STOR {path}"), &bytes);
        done.push((path, bytes));
    }
    session.expect("MKD new", 257);
    session.send_file(Mode::Epsv, "STOR new/file", &done[1].1);
    done.push(("new/file".to_owned(), done[1].1.clone()));
    let other = content::bytes(300_000, 99);
    session.send_file(Mode::Epsv, "STOR file-2", &other);
    done[2].1 = other;
    session.send_file(Mode::Epsv, "APPE file-3", b"and more");
    done[3].1.extend(b"and more");
    done
}

/// A file system on a disk that forgets what it was not told to flush.
struct Disk {
    directory: PathBuf,
    nbdkit: Child,
    nbdfuse: Child,
    mount: Option<Mount>,
}

impl Disk {
    fn start(directory: &Path) -> Disk {
        let image = directory.join("image");
        File::create(&image).unwrap().set_len(64 << 20).unwrap();
        tools::run("mkfs.ext4", &["-q", "-F", image.to_str().unwrap()]).succeeded();
        let socket = directory.join("socket");
        let nbdkit = ["--foreground", "--exit-with-parent", "--filter=cache", "-U", socket.to_str().unwrap()];
        let nbdkit = start("nbdkit", &nbdkit, &["file", image.to_str().unwrap(), "cache=writeback"]);
        eventually("nbdkit", PATIENCE, || UnixStream::connect(&socket).ok());
        let device = directory.join("device");
        std::fs::create_dir(&device).unwrap();
        let device = [device.to_str().unwrap(), "--unix", socket.to_str().unwrap()];
        let mut disk = Disk {
            directory: directory.to_owned(),
            nbdkit,
            nbdfuse: start("nbdfuse", &device, &[]),
            mount: None,
        };
        let nbd = directory.join("device/nbd");
        eventually("nbdfuse", PATIENCE, || {
            assert!(disk.nbdfuse.try_wait().unwrap().is_none(), "nbdfuse has ended");
            nbd.is_file().then_some(())
        });
        let files = disk.files();
        std::fs::create_dir(&files).unwrap();
        disk.mount = Some(Mount::new(&["-o", COMMIT, nbd.to_str().unwrap()], &files));
        disk
    }

    /// Where its file system is mounted.
    fn files(&self) -> PathBuf {
        self.directory.join("files")
    }

    /// Takes the power from it, and from who uses it; the file system as it is found when there is power
    /// again.
    fn cut_the_power(mut self, others: impl FnOnce()) -> Mount {
        self.nbdkit.kill().unwrap();
        self.nbdkit.wait().unwrap();
        others();
        let (image, files) = (self.directory.join("image"), self.directory.join("found"));
        drop(self);
        std::fs::create_dir(&files).unwrap();
        Mount::new(&["-o", "loop", image.to_str().unwrap()], &files)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.mount = None;
        // nbdfuse has mounted this one.
        tools::run("umount", &["--lazy", self.directory.join("device").to_str().unwrap()]);
        for program in [&mut self.nbdfuse, &mut self.nbdkit] {
            // Fails only where it has ended already.
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn start(program: &str, options: &[&str], arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(options).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| {
        panic!("{program} can't be started ({error}): ./tests/run says what to install")
    })
}
