//! Where a test takes place: a server shared with the tests that run beside it, and a user of the
//! test's own, who may speak MFTP in clear, MFTP under TLS, and FTP.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::json;
use wharfinger_tests::{Deployment, Ftp, Mftp, Setup, Shape, Store, User, Version};

/// How long anything may take that is not made to wait.
pub(crate) const BOUND: Duration = Duration::from_secs(20);
/// Bytes of the file that no buffers hold.
pub(crate) const BIG: u64 = 64 << 20;

/// The two listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Clear,
    Tls,
}

pub(crate) const BOTH: [Protection; 2] = [Protection::Clear, Protection::Tls];

/// A server and a user of one test.
pub(crate) struct Place {
    pub(crate) user: User,
    pub(crate) deployment: Arc<Deployment>,
}

impl Place {
    /// On the server that most tests share.
    pub(crate) fn new() -> Place {
        static RUNNING: Mutex<Weak<Deployment>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let deployment = running.upgrade().unwrap_or_else(|| {
            // Ports in turn from a large range: one that was closed is not another test's at once.
            let setup = setup().set("WHARFINGER_FTP__PASSIVE_PORTS", "30000-32000");
            Arc::new(setup.set("WHARFINGER_LIMITS__LOGIN_FAILURES", "1000000").start())
        });
        *running = Arc::downgrade(&deployment);
        Place::on(deployment)
    }

    /// On a server of one's own.
    pub(crate) fn on(deployment: Arc<Deployment>) -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("user-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let user = User { password: format!("password of {name}"), name };
        let body = json!({"username": user.name, "password": user.password, "protocols": ["mftp", "ftps"]});
        let answer = deployment.admin.post("/api/v1/users", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        let place = Place { user, deployment };
        // The first login makes the home.
        place.session(Protection::Clear);
        place
    }

    /// The user's files on the disk.
    pub(crate) fn home(&self) -> PathBuf {
        self.deployment.home(&self.user)
    }

    /// Before the login.
    pub(crate) fn connect(&self, protection: Protection) -> Mftp {
        connect(&self.deployment, protection)
    }

    /// Logged in.
    pub(crate) fn session(&self, protection: Protection) -> Mftp {
        let mut mftp = self.connect(protection);
        assert_eq!(mftp.log_in(&self.user.name, &self.user.password), "AOK 230 Logged in");
        mftp
    }

    /// The same user over FTP.
    pub(crate) fn ftp(&self) -> Ftp {
        self.deployment.session(&self.user)
    }

    /// A sparse file too large for any socket's buffers.
    pub(crate) fn make_big_file(&self) {
        std::fs::File::create(self.home().join("big")).unwrap().set_len(BIG).unwrap();
    }
}

/// A server with both listeners.
pub(crate) fn setup() -> Setup {
    Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_MFTP__LISTEN", "127.0.0.1:0,[::1]:0")
        .set("WHARFINGER_MFTP__TLS_LISTEN", "127.0.0.1:0")
}

/// A connection to one of the listeners, greeted.
pub(crate) fn connect(deployment: &Deployment, protection: Protection) -> Mftp {
    match protection {
        Protection::Clear => Mftp::connect(deployment.addresses("mftp", 1)[0], None),
        Protection::Tls => {
            Mftp::connect(deployment.addresses("mftps", 1)[0], Some(deployment.tls(Version::Tls13)))
        }
    }
}
