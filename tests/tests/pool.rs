//! `store.pool_size` is the most a program has of connections to its store, and few are enough for many
//! who come at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use wharfinger_tests::mongo::Server;
use wharfinger_tests::{Deployment, Program, Setup, Shape, Store};

const POOL_SIZE: usize = 3;
const CLIENTS: usize = 12;

/// Has many clients log in and ask at once; the most that was counted meanwhile of each program.
fn most_while_many_come(deployment: &Deployment, count: impl Fn(&Program) -> usize + Sync) -> Vec<usize> {
    let alice = deployment.admin.create("alice");
    let over = AtomicBool::new(false);
    thread::scope(|threads| {
        let watching = deployment.programs().iter().map(|program| {
            let (over, count) = (&over, &count);
            threads.spawn(move || {
                let mut most = 0;
                while !over.load(Ordering::SeqCst) {
                    most = most.max(count(program));
                    thread::yield_now();
                }
                most
            })
        });
        let watching: Vec<_> = watching.collect();
        let coming = (0..CLIENTS).map(|_| {
            threads.spawn(|| {
                let login = deployment.log_in(&alice.name, &alice.password);
                let answer = deployment.admin.get("/api/v1/users/alice");
                (login.code, answer.status)
            })
        });
        let coming: Vec<_> = coming.collect();
        let told: Vec<_> = coming.into_iter().map(ScopedJoinHandle::join).collect();
        over.store(true, Ordering::SeqCst);
        for told in told {
            assert_eq!(told.expect("a client fails"), (230, 200));
        }
        watching.into_iter().map(|watch| watch.join().unwrap()).collect()
    })
}

#[test]
fn a_small_pool_serves_many_at_once_on_sqlite() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
        .set("WHARFINGER_STORE__POOL_SIZE", &POOL_SIZE.to_string())
        .start();
    let file = deployment.directory().join("data/wharfinger.db").canonicalize().unwrap();
    for most in most_while_many_come(&deployment, |program| program.times_open(&file)) {
        // And the one that writes what must not be lost.
        assert!((1..=POOL_SIZE + 1).contains(&most), "{most} connections");
    }
}

#[test]
fn a_small_pool_serves_many_at_once_on_mongodb() {
    let scratch = tempfile::tempdir().unwrap();
    let mongo = Server::new(scratch.path());
    mongo.start();
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
        .set("WHARFINGER_STORE__URL", &mongo.url())
        .set("WHARFINGER_STORE__POOL_SIZE", &POOL_SIZE.to_string())
        .start();
    for most in most_while_many_come(&deployment, |program| program.connections_to(mongo.port())) {
        // And the few over which the driver watches the server.
        assert!((1..=POOL_SIZE + 4).contains(&most), "{most} connections");
    }
}
