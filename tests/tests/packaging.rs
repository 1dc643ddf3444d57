//! The Debian package holds what it should, and comes, is upgraded and goes as an operator expects. It
//! is installed into a directory, by the real dpkg, so nothing of this machine is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wharfinger_tests::program::built;
use wharfinger_tests::tools;

const CONFIGURATION: &str = "etc/wharfinger/wharfinger.toml";
const STATE: &str = "var/lib/wharfinger";

const PROGRAMS: [&str; 4] = ["wharfinger", "wharfinger-server", "wharfinger-admin", "wharf"];

/// A directory that dpkg takes for a system.
struct System {
    scratch: TempDir,
}

impl System {
    fn new() -> System {
        let scratch = tempfile::tempdir().unwrap();
        let database = scratch.path().join("root/var/lib/dpkg");
        for directory in ["info", "updates"] {
            fs::create_dir_all(database.join(directory)).unwrap();
        }
        fs::write(database.join("status"), "").unwrap();
        System { scratch }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.scratch.path().join("root").join(path)
    }

    fn dpkg(&self, arguments: &[&str]) -> String {
        let root = format!("--root={}", self.at("").display());
        // Nothing else is installed there, not even a shell; scripts are told where they are (DPKG_ROOT).
        let always = ["--force-depends", "--force-script-chrootless", "--force-unsafe-io", "--log=/dev/null"];
        let always = [&always[..], &[root.as_str()]].concat();
        tools::run_in(self.scratch.path(), "dpkg", &[&always, arguments].concat()).succeeded()
    }

    /// Every file and directory there, without what is dpkg's own and what keeps users and groups.
    fn left(&self) -> Vec<String> {
        let mut open = vec![self.at("")];
        let mut found = Vec::new();
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.at("")).unwrap().to_str().unwrap().to_owned();
                let kept =
                    ["var/lib/dpkg", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd"];
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                } else if !kept.iter().any(|kept| name.starts_with(kept)) {
                    found.push(name);
                }
            }
        }
        found.sort();
        found
    }

    fn id(&self, file: &str) -> u32 {
        let text = fs::read_to_string(self.at(file)).unwrap();
        let line = text.lines().find(|line| line.starts_with("wharfinger:")).unwrap();
        line.split(':').nth(2).unwrap().parse().unwrap()
    }
}

/// The package of the programs in this directory.
fn package(system: &System, programs: &Path, version: &str) -> String {
    let build = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/build");
    let directory = system.scratch.path();
    let file = directory.join(format!("{version}.deb")).to_str().unwrap().to_owned();
    let arguments = [programs.to_str().unwrap(), &file, "--fast", "--version", version];
    tools::run_in(directory, build, &arguments).succeeded();
    file
}

#[test]
fn the_package_brings_all_there_is_and_takes_it_away_again() {
    let system = System::new();
    let package = package(&system, built("wharfinger").parent().unwrap(), "1.0-1");
    system.dpkg(&["--install", &package]);
    installed_as_it_should_be(&system);
    units_find_their_programs(&system);
    system.dpkg(&["--purge", "wharfinger"]);
    assert_eq!(system.left(), [""; 0]);
    for directory in ["etc/wharfinger", STATE] {
        assert!(!system.at(directory).exists(), "{directory}");
    }
}

#[test]
fn an_upgrade_and_a_removal_leave_what_is_the_operator_s() {
    let system = System::new();
    // Small programs in the place of the real ones: only what lies beside them matters here.
    let programs = system.scratch.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for name in PROGRAMS {
        fs::copy("/bin/true", programs.join(name)).unwrap();
    }
    system.dpkg(&["--install", &package(&system, &programs, "1.0-1")]);
    let edited = format!("# mine\n{}", fs::read_to_string(system.at(CONFIGURATION)).unwrap());
    fs::write(system.at(CONFIGURATION), &edited).unwrap();
    let own = ["etc/wharfinger/tls/server.pem", "var/lib/wharfinger/wharfinger.db"];
    fs::create_dir(system.at("etc/wharfinger/tls")).unwrap();
    for file in own {
        fs::write(system.at(file), "").unwrap();
    }
    let enabled = system.at("etc/systemd/system/multi-user.target.wants/wharfinger.service");
    fs::create_dir_all(enabled.parent().unwrap()).unwrap();
    symlink("/usr/lib/systemd/system/wharfinger.service", &enabled).unwrap();

    system.dpkg(&["--install", &package(&system, &programs, "2.0-1")]);
    assert_eq!(fs::read_to_string(system.at(CONFIGURATION)).unwrap(), edited);
    assert!(enabled.is_symlink());
    system.dpkg(&["--remove", "wharfinger"]);
    assert_eq!(system.left(), [own[0], CONFIGURATION, own[1]]);
    system.dpkg(&["--purge", "wharfinger"]);
    assert_eq!(system.left(), own);
}

fn installed_as_it_should_be(system: &System) {
    let (user, group) = (system.id("etc/passwd"), system.id("etc/group"));
    for (path, mode, uid, gid) in [
        ("usr/bin/wharfinger", 0o755, 0, 0),
        ("usr/lib/systemd/system/wharfinger.service", 0o644, 0, 0),
        ("usr/lib/systemd/system/wharfinger-server-ftp.socket", 0o644, 0, 0),
        ("usr/share/doc/wharfinger/copyright", 0o644, 0, 0),
        ("usr/share/doc/wharfinger/configuration.md", 0o644, 0, 0),
        ("etc/wharfinger", 0o750, 0, group),
        (CONFIGURATION, 0o640, 0, group),
        (STATE, 0o700, user, group),
    ] {
        let found = fs::symlink_metadata(system.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let found = (found.mode() & 0o7777, found.uid(), found.gid());
        assert_eq!(found, (mode, uid, gid), "{path}: mode, user, group");
    }
    let configuration = system.at(CONFIGURATION).to_str().unwrap().to_owned();
    for name in PROGRAMS {
        let program = system.at("usr/bin").join(name).to_str().unwrap().to_owned();
        let run = |arguments: &[&str]| tools::run_in(system.scratch.path(), &program, arguments).succeeded();
        assert!(run(&["--version"]).starts_with(&format!("{name} ")), "{name}");
        if name != "wharf" {
            run(&["--config", &configuration, "--check-config"]);
        }
    }
}

/// What a unit starts is in the package, under the name that it says.
fn units_find_their_programs(system: &System) {
    for entry in fs::read_dir(system.at("usr/lib/systemd/system")).unwrap() {
        let unit = entry.unwrap().path();
        for line in fs::read_to_string(&unit).unwrap().lines() {
            if let Some(command) = line.strip_prefix("ExecStart=/") {
                let program = command.split(' ').next().unwrap();
                assert!(system.at(program).is_file(), "{}: {line}", unit.display());
            }
            if let Some(service) = line.strip_prefix("Service=") {
                assert!(unit.with_file_name(service).is_file(), "{}: {line}", unit.display());
            }
        }
    }
}
