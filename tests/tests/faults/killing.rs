//! The programs killed at random moments while clients upload and an administrator makes users, again
//! and again: what was acknowledged is there, nothing is there by half, and all goes on by itself.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use wharfinger_tests::mongo::Server;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Admin, Deployment, Setup, Shape, Store, User, Version, soak};

use crate::aftermath;
use crate::chance::Chance;
use crate::manager::Manager;
use crate::uploader::Uploader;

const UPLOADERS: usize = 5;
/// The longest that all work before something is killed.
const CALM: u64 = 600;
/// How many times each is killed at the least.
const ROUNDS: u32 = 3;

#[derive(Clone, Copy, Debug)]
enum Victim {
    Server,
    AdminApi,
    MongoDb,
}

/// The programs and their clients.
struct Scene {
    deployment: Deployment,
    mongo: Server,
    user: User,
    uploaders: Vec<Uploader>,
    manager: Manager,
    /// Somebody who only looks whether there is service.
    bystander: User,
    chance: Chance,
    _directory: TempDir,
}

#[test]
fn whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_is_there_by_half() {
    let mut scene = Scene::begin();
    let (started, span) = (Instant::now(), soak::span(Duration::ZERO));
    let mut round = 0;
    while round < ROUNDS || started.elapsed() < span {
        round += 1;
        for victim in [Victim::Server, Victim::AdminApi, Victim::MongoDb] {
            println!("round {round}: {victim:?}");
            scene.round(victim, round % ROUNDS == 0);
        }
    }
    let uploads: usize = scene.uploaders.iter().map(|uploader| uploader.acknowledged).sum();
    let unanswered: usize = scene.uploaders.iter().map(|uploader| uploader.unanswered).sum();
    println!("{uploads} uploads acknowledged, {unanswered} never answered");
    assert!(uploads > 20, "there was hardly any load: {uploads} uploads");
}

impl Scene {
    fn begin() -> Scene {
        let directory = TempDir::new().unwrap();
        let mongo = Server::new(directory.path());
        mongo.start();
        let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
            .set("WHARFINGER_STORE__URL", &mongo.url())
            .set("WHARFINGER_NODE__NAME", "north")
            .set("WHARFINGER_ADMIN__REQUESTS_PER_SECOND", "0")
            // A soak may take hours.
            .set("WHARFINGER_ADMIN__TOKEN_SECONDS", "86400")
            .start();
        let mut chance = Chance::new();
        let quota = json!({"quota": {"max_bytes": 1_000_000_000, "max_files": 10_000}});
        let user = deployment.admin.create_with("alice", quota);
        let uploaders = (0..UPLOADERS)
            .map(|number| Uploader::new(&user, number, deployment.tls(Version::Tls13), chance.another()));
        let uploaders = uploaders.collect();
        let manager = Manager::new(chance.another());
        let bystander = deployment.admin.create("bystander");
        Scene { deployment, mongo, user, uploaders, manager, bystander, chance, _directory: directory }
    }

    /// Kills it under load, waits for the service, and looks at what is left; at the quota as well where
    /// there is time to `count`.
    fn round(&mut self, victim: Victim, count: bool) {
        let acknowledged: usize = self.uploaders.iter().map(|uploader| uploader.acknowledged).sum();
        let (began, started) = (Timestamp::now(), Instant::now());
        self.kill_under_load(victim);
        let (back, looked) = (started.elapsed(), Instant::now());
        let downloads = aftermath::files_are_right(&self.deployment, &self.user, &mut self.uploaders);
        aftermath::audit_is_intact(&self.deployment);
        if count {
            aftermath::quota_is_right(&self.deployment, &self.user);
        }
        self.manager.settle(&self.deployment.admin, began);
        // A file server that is killed takes the last of its records with it.
        if !matches!(victim, Victim::Server) {
            let now: usize = self.uploaders.iter().map(|uploader| uploader.acknowledged).sum();
            eventually("each upload in the audit trail, once", aftermath::SOON, || {
                (self.recorded("upload", began) == now - acknowledged).then_some(())
            });
        }
        // Then all records before these are in the trail as well.
        eventually("the last downloads in the audit trail", aftermath::SOON, || {
            (self.recorded("download", began) == downloads).then_some(())
        });
        println!("killed and back in {back:?}, all looked at in {:?}", looked.elapsed());
    }

    fn kill_under_load(&mut self, victim: Victim) {
        let server = Mutex::new(self.deployment.ftp());
        let admin = Mutex::new(self.deployment.admin.clone());
        let stop = AtomicBool::new(false);
        let mut bystander = self.deployment.session(&self.bystander);
        let calm = Duration::from_millis(self.chance.below(CALM));
        let Scene { deployment, mongo, uploaders, manager, .. } = self;
        thread::scope(|scope| {
            let _stop = StopAtTheEnd(&stop);
            for uploader in uploaders {
                scope.spawn(|| uploader.work(&server, &stop));
            }
            scope.spawn(|| manager.work(&admin, &stop));
            thread::sleep(calm);
            match victim {
                Victim::Server => deployment.crash_server(),
                Victim::AdminApi => deployment.crash_admin(),
                Victim::MongoDb => {
                    mongo.stop();
                    bystander.expect("NOOP", 200);
                    mongo.start();
                    bystander.expect("NOOP", 200);
                }
            }
            moves_to(&server, deployment.ftp(), &admin, &deployment.admin);
            aftermath::is_back(deployment, &self.bystander);
            thread::sleep(calm);
        });
    }

    /// How many whole transfers since then the audit trail knows of.
    fn recorded(&self, action: &str, since: Timestamp) -> usize {
        let all =
            self.deployment.admin.all(&format!("/api/v1/audit?action={action}&since={since}&limit=1000"));
        all.iter().filter(|record| record["detail"]["result"] == "complete").count()
    }
}

fn moves_to(server: &Mutex<SocketAddr>, ftp: SocketAddr, admin: &Mutex<Admin>, api: &Admin) {
    *server.lock().unwrap() = ftp;
    *admin.lock().unwrap() = api.clone();
}

/// Ends the load also where the test fails, which would wait for it for ever.
struct StopAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
