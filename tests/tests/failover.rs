//! MongoDB's primary is killed under load: sessions and transfers go on, what needs the store is
//! refused for the time being and comes back by itself, and nothing is lost or done twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use wharfinger_tests::creation::may_be_tried_again;
use wharfinger_tests::mongo::ReplicaSet;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Creation, Deployment, Ftp, Mode, Setup, Shape, SlowReader, Store, content};

/// For an election on a busy machine, and for what waits for it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two uploads.
const PACE: Duration = Duration::from_millis(50);
const BIG: u64 = 256 << 20;

/// Uploads one file after the other in one session, which no outage may disturb, beside the other load.
fn upload(session: &mut Ftp, creation: &Creation, count: &AtomicUsize) {
    while !creation.is_over() {
        let number = count.load(Ordering::SeqCst);
        session.send_file(Mode::Epsv, &format!("STOR file{number}"), b"content");
        count.store(number + 1, Ordering::SeqCst);
        thread::sleep(PACE);
    }
}

/// All records of an action.
fn records(deployment: &Deployment, action: &str) -> Vec<Value> {
    let (mut records, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = deployment.admin.get(&format!("/api/v1/audit?action={action}&limit=1000{cursor}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        records.extend(answer.body["items"].as_array().unwrap().iter().cloned());
        match answer.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return records,
        }
    }
}

#[test]
fn a_killed_primary_disturbs_no_session_and_nothing_is_lost_or_doubled() {
    let scratch = tempfile::tempdir().unwrap();
    let set = ReplicaSet::start(scratch.path());
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
        .set("WHARFINGER_STORE__URL", &set.url())
        .set("WHARFINGER_STORE__TIMEOUT_SECONDS", "3")
        .start();
    let alice = deployment.admin.create("alice");
    let [mut idle, mut busy, mut uploading] = [(); 3].map(|()| deployment.session(&alice));
    content::file(&deployment.home(&alice).join("big"), BIG, 1);
    let download = SlowReader::start(busy.begin(Mode::Epsv, "RETR big"));

    let (creation, uploads) = (Creation::default(), AtomicUsize::new(0));
    let created = thread::scope(|threads| {
        let creating = threads.spawn(|| creation.run(&deployment.admin));
        threads.spawn(|| upload(&mut uploading, &creation, &uploads));
        let load = creation.until_dropped();
        creation.wait_for_more();
        set.kill_primary();
        // There is no primary now, for as long as it takes to see all this.
        let login = deployment.log_in(&alice.name, &alice.password);
        assert_eq!(login.code, 421, "{login:?}");
        let answer = deployment.admin.get("/api/v1/users");
        assert_eq!(answer.status, 503, "{answer:?}");
        may_be_tried_again(&answer);
        idle.expect("NOOP", 200);
        let uploaded = uploads.load(Ordering::SeqCst);
        eventually("uploads", PATIENCE, || (uploads.load(Ordering::SeqCst) >= uploaded + 5).then_some(()));
        set.allow_elections();
        eventually("logins come back", PATIENCE, || {
            (deployment.log_in(&alice.name, &alice.password).code == 230).then_some(())
        });
        creation.wait_for_more();
        drop(load);
        creating.join().unwrap()
    });
    let (early, all) = download.stop();
    assert!((1..BIG).contains(&early), "the download was under way all the while: {early}");
    assert_eq!(all, BIG);
    busy.expect_reply(226);

    assert_each_happened_once(&deployment, &created, uploads.into_inner());
    // Changes reach those who were logged in before.
    deployment.admin.act(&alice, "disable", json!({}));
    let told: Vec<u16> = idle.replies_until_closed(PATIENCE).iter().map(|reply| reply.code).collect();
    assert_eq!(told, [421]);
}

fn assert_each_happened_once(deployment: &Deployment, created: &BTreeMap<String, usize>, uploads: usize) {
    let listed = deployment.admin.get("/api/v1/users?limit=1000").body;
    let listed = listed["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap());
    let listed: Vec<&str> = listed.filter(|name| *name != "alice").collect();
    let names: Vec<&str> = created.keys().map(String::as_str).collect();
    assert_eq!(listed, names);

    let changes = records(deployment, "change");
    for (name, times) in created {
        let of_it = |record: &&Value| {
            record["detail"]["name"] == **name
                && record["detail"]["change"] == "create"
                && record["detail"]["outcome"] == "done"
        };
        assert_eq!(changes.iter().filter(of_it).count(), *times, "{name}: {changes:#?}");
    }
    // The file server waits for nobody with its records.
    let uploaded = eventually("a record of each upload", PATIENCE, || {
        Some(records(deployment, "upload")).filter(|found| found.len() >= uploads)
    });
    let mut paths: Vec<&str> = uploaded.iter().map(|it| it["detail"]["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    let mut expected: Vec<String> = (0..uploads).map(|number| format!("/file{number}")).collect();
    expected.sort_unstable();
    assert_eq!(paths, expected);
    let verified = deployment.admin.get("/api/v1/audit/verify").body;
    assert_eq!((&verified["intact"], &verified["first_broken"]), (&json!(true), &Value::Null), "{verified}");
}
