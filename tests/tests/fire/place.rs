//! Where it burns: one server that lets clients choose whether to use TLS, and what must hold of it
//! before, during and after.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Setup, Shape, Store, User, soak};

use crate::dice;

/// How long any reply may take, on the slowest machine.
pub(crate) const BOUND: Duration = Duration::from_secs(30);
/// What the store's connections, the runtime's threads and passive ports at rest may open and close as
/// they like. Sessions are many more than that.
const SPARE_DESCRIPTORS: u64 = 48;
/// What an allocator may keep without having lost it. A leak of a few bytes a command shows in minutes.
const SPARE_MEMORY: u64 = 64 << 20;
const SECRET: &str = "nobody's business";

/// The server, and what has been tried on it.
pub(crate) struct Place {
    pub(crate) deployment: Deployment,
    pub(crate) seed: u64,
    pub(crate) tally: Tally,
}

/// What was tried.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) commands: AtomicU64,
    pub(crate) transfers: AtomicU64,
    pub(crate) sessions: AtomicU64,
}

/// One client after the other of one user.
pub(crate) trait Player: Send {
    /// Says and does things until then, and leaves.
    fn play(&mut self, until: Instant);
}

impl Place {
    pub(crate) fn new() -> Place {
        let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
            .set("WHARFINGER_TLS__CONTROL", "optional")
            .set("WHARFINGER_TLS__DATA", "optional")
            .set("WHARFINGER_TLS__ALLOW_CCC", "true")
            .set("WHARFINGER_FTP__PASSIVE_PORTS", "34000-39999")
            .set("WHARFINGER_MFTP__LISTEN", "127.0.0.1:0,[::1]:0")
            .set("WHARFINGER_MFTP__TLS_LISTEN", "127.0.0.1:0,[::1]:0")
            .set("WHARFINGER_LIMITS__LOGIN_FAILURES", "1000000")
            .set("WHARFINGER_LIMITS__LOGIN_FAILURES_PER_SESSION", "1000000")
            .start();
        let outside = deployment.directory().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), SECRET).unwrap();
        Place { deployment, seed: dice::seed(), tally: Tally::default() }
    }

    /// A user with a home, in which some links lead out.
    pub(crate) fn user(&self, name: &str) -> User {
        let protocols = json!({"protocols": ["ftp", "ftps", "mftp"]});
        let user = self.deployment.admin.create_with(name, protocols);
        self.deployment.session(&user).expect("QUIT", 221);
        let exits = self.deployment.home(&user).join("exits");
        let outside = self.deployment.directory().join("outside");
        fs::create_dir(&exits).unwrap();
        std::os::unix::fs::symlink(&outside, exits.join("out")).unwrap();
        std::os::unix::fs::symlink("../../../../outside", exits.join("up")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), exits.join("file")).unwrap();
        user
    }

    /// What lies beside the homes, which is nobody's.
    fn assert_nothing_outside_was_touched(&self) {
        let outside = self.deployment.directory().join("outside");
        let names = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["secret"], "seed {}", self.seed);
        assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), SECRET);
        for entry in fs::read_dir(self.deployment.directory().join("data/files")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name.starts_with("player-") || name.starts_with("noise-"), "{name} is nobody's home");
        }
    }
}

/// Lets all play at once: first until the server is warm, then for as long as it is to burn.
pub(crate) fn under_fire<'a>(place: &'a Place, mut players: Vec<Box<dyn Player + 'a>>) {
    let span = soak::span(Duration::from_secs(4));
    println!("WHARFINGER_FIRE_SEED={}", place.seed);
    let program = &place.deployment.programs()[0];
    let idle = program.descriptors();
    play(&mut players, span / 4);
    // Sessions end a moment after their clients have gone.
    let gone = || (program.descriptors() <= idle + SPARE_DESCRIPTORS).then_some(());
    eventually("the descriptors of the first sessions are closed", BOUND, gone);
    let warm = program.memory("VmRSS");
    play(&mut players, span);
    eventually("the descriptors of all sessions are closed", BOUND, gone);
    let (memory, most) = (program.memory("VmRSS"), warm + SPARE_MEMORY);
    assert!(memory <= most, "{memory} bytes of memory, where {warm} were enough; seed {}", place.seed);
    place.assert_nothing_outside_was_touched();
    let log = program.log.text();
    assert!(!log.contains("panicked"), "seed {}: {log}", place.seed);
    let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
    println!(
        "{} commands, {} transfers, {} sessions; {idle} descriptors at first, {} at last; \
         {warm} bytes of memory when warm, {memory} at last",
        count(&place.tally.commands),
        count(&place.tally.transfers),
        count(&place.tally.sessions),
        program.descriptors(),
    );
}

fn play(players: &mut [Box<dyn Player + '_>], span: Duration) {
    let until = Instant::now() + span;
    thread::scope(|scope| {
        for player in players {
            scope.spawn(move || player.play(until));
        }
    });
}
