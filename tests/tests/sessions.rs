//! Live sessions over all nodes: listed wherever they are, ended from anywhere, limited together,
//! and gone with the node that had them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, SlowReader, Store, User, content};

/// The promise for what an administrator does.
const LIMIT: Duration = Duration::from_secs(2);
/// For what is published once a second, on a busy machine.
const SOON: Duration = Duration::from_secs(10);
/// A dead node is noticed after ten seconds.
const DEAD: Duration = Duration::from_secs(20);

fn two_programs(store: Store) -> Deployment {
    Setup::new(Shape::TwoPrograms, store).set("WHARFINGER_NODE__NAME", "north").start()
}

fn sessions(deployment: &Deployment, query: &str) -> Vec<Value> {
    let answer = deployment.admin.get(&format!("/api/v1/sessions{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

/// Waits until so many sessions match.
fn listed(deployment: &Deployment, query: &str, count: usize, limit: Duration) -> Vec<Value> {
    eventually(&format!("{count} sessions in {query:?}"), limit, || {
        Some(sessions(deployment, query)).filter(|sessions| sessions.len() == count)
    })
}

fn nodes(deployment: &Deployment) -> Vec<(String, u64)> {
    let answer = deployment.admin.get("/api/v1/nodes");
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.body["items"].as_array().unwrap().iter();
    items
        .map(|node| (node["name"].as_str().unwrap().to_owned(), node["sessions"].as_u64().unwrap()))
        .collect()
}

#[test]
fn sessions_of_all_nodes_are_listed_with_what_they_do_on_mongodb() {
    let deployment = two_programs(Store::MongoDb);
    let south = deployment.start_node("south");
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    let mut busy = deployment.session(&alice);
    let mut idle = south.session(&bob);
    content::file(&deployment.home(&alice).join("big"), 64 << 20, 1);
    let reader = SlowReader::start(busy.begin(Mode::Epsv, "RETR big"));

    let session = eventually("the download in the list", SOON, || {
        let found = listed(&deployment, "?user=alice", 1, SOON).remove(0);
        (found["transfer"]["bytes_per_second"].as_u64() > Some(0)).then_some(found)
    });
    assert_eq!(session["node"], "north");
    assert_eq!(session["user"], "alice");
    assert_eq!(session["protocol"], "ftps");
    assert_eq!(session["tls"]["version"], "TLSv1_3");
    assert!(session["tls"]["cipher"].as_str().unwrap().starts_with("TLS13_"), "{session}");
    assert_eq!(session["tls"]["data_bound"], true);
    assert_eq!(session["client_address"], "127.0.0.1");
    assert!(session["started_at"].as_str().unwrap().ends_with('Z'), "{session}");
    assert_eq!(session["last_command"], "RETR");
    assert_eq!(session["transfer"]["direction"], "download");
    assert_eq!(session["transfer"]["path"], "/big");
    assert!(session["transfer"]["bytes"].as_u64() > Some(0), "{session}");

    let other = listed(&deployment, "?node=south", 1, SOON).remove(0);
    assert_eq!((&other["user"], &other["transfer"]), (&json!("bob"), &Value::Null));
    assert_eq!(listed(&deployment, "", 2, SOON).len(), 2);
    assert_eq!(sessions(&deployment, "?user=bob&node=north"), [Value::Null; 0]);
    eventually("both nodes with one session each", SOON, || {
        (nodes(&deployment) == [("north".to_owned(), 1), ("south".to_owned(), 1)]).then_some(())
    });
    busy.command("ABOR");
    reader.stop();
    eventually("the end of the transfer in the list", SOON, || {
        sessions(&deployment, "?user=alice")[0]["transfer"].is_null().then_some(())
    });
    idle.expect("QUIT", 221);
    listed(&deployment, "", 1, SOON);
}

#[test]
fn a_session_is_ended_across_nodes_on_mongodb() {
    let deployment = two_programs(Store::MongoDb);
    let south = deployment.start_node("south");
    let alice = deployment.admin.create("alice");
    let here = deployment.session(&alice);
    ends_one_session(&deployment, south.session(&alice), "south", here);
}

#[test]
fn a_session_is_ended_across_two_programs_on_sqlite() {
    let deployment = two_programs(Store::Sqlite);
    let south = deployment.start_node("south");
    let alice = deployment.admin.create("alice");
    let here = deployment.session(&alice);
    ends_one_session(&deployment, south.session(&alice), "south", here);
}

#[test]
fn a_session_is_ended_in_one_program() {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_NODE__NAME", "north").start();
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    let other = deployment.session(&bob);
    // The filter below asks for alice's alone.
    ends_one_session(&deployment, deployment.session(&alice), "north&user=alice", other);
}

fn ends_one_session(deployment: &Deployment, mut session: Ftp, node: &str, mut bystander: Ftp) {
    let id = listed(deployment, &format!("?node={node}"), 1, SOON)[0]["id"].as_str().unwrap().to_owned();
    let start = Instant::now();
    assert_eq!(deployment.admin.delete(&format!("/api/v1/sessions/{id}")).status, 202);
    let replies = session.replies_until_closed(LIMIT.saturating_sub(start.elapsed()));
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [421], "{replies:?}");
    bystander.expect("NOOP", 200);
    eventually("the ended session is unknown", SOON, || {
        (deployment.admin.delete(&format!("/api/v1/sessions/{id}")).status == 404).then_some(())
    });
}

#[test]
fn what_no_session_has_is_not_found() {
    let deployment = Deployment::start();
    for id in ["0", "nobody-1", "%24ne"] {
        let answer = deployment.admin.delete(&format!("/api/v1/sessions/{id}"));
        assert_eq!((answer.status, answer.content_type.as_str()), (404, "application/problem+json"));
    }
    for query in ["?user=.", "?limit=0", "?cursor=x", "?users=alice"] {
        assert_eq!(deployment.admin.get(&format!("/api/v1/sessions{query}")).status, 422, "{query}");
    }
}

fn with_one_session(deployment: &Deployment) -> User {
    deployment.admin.create_with("alice", json!({"limits": {"max_sessions": 1}}))
}

#[test]
fn a_user_s_limit_of_sessions_holds_across_nodes_on_mongodb() {
    limits_sessions(Store::MongoDb);
}

#[test]
fn a_user_s_limit_of_sessions_holds_across_nodes_on_sqlite() {
    limits_sessions(Store::Sqlite);
}

fn limits_sessions(store: Store) {
    let deployment = two_programs(store);
    let south = deployment.start_node("south");
    let alice = with_one_session(&deployment);
    let mut first = deployment.session(&alice);
    assert_eq!(south.log_in(&alice).code, 421);
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 421);
    assert_eq!(deployment.log_in(&alice.name, "not the password").code, 530, "told to nobody else");
    first.expect("REIN", 220);
    let mut second = south.session(&alice);
    assert_eq!(first.log_in(&alice.name, &alice.password).code, 421);
    second.expect("QUIT", 221);
    // Its place is free before the goodbye is heard.
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
    // That login's connection was cut.
    eventually("the place of a client that went without a word", SOON, || {
        (south.log_in(&alice).code == 230).then_some(())
    });
}

#[test]
fn a_killed_node_s_sessions_vanish_and_its_places_are_free() {
    let deployment = two_programs(Store::MongoDb);
    let mut south = deployment.start_node("south");
    let alice = with_one_session(&deployment);
    let _lost = south.session(&alice);
    listed(&deployment, "", 1, SOON);
    south.program.kill();
    listed(&deployment, "", 0, DEAD);
    assert_eq!(nodes(&deployment), [("north".to_owned(), 0), ("south".to_owned(), 0)]);
    deployment.session(&alice).expect("NOOP", 200);
}

#[test]
fn a_node_started_again_clears_away_what_it_left() {
    let deployment = two_programs(Store::Sqlite);
    let mut south = deployment.start_node("south");
    let alice = with_one_session(&deployment);
    let _lost = south.session(&alice);
    listed(&deployment, "", 1, SOON);
    south.program.kill();
    let start = Instant::now();
    let south = deployment.start_node("south");
    let mut session = eventually("a free place", SOON, || {
        (south.log_in(&alice).code == 230).then(|| south.session(&alice))
    });
    assert!(start.elapsed() < SOON);
    session.expect("NOOP", 200);
    listed(&deployment, "", 1, SOON);
}

#[test]
fn a_node_that_stops_takes_its_sessions_off_the_list() {
    let deployment = two_programs(Store::Sqlite);
    let south = deployment.start_node("south");
    let alice = deployment.admin.create("alice");
    let mut session = south.session(&alice);
    listed(&deployment, "", 1, SOON);
    assert_eq!(south.program.stop().code, Some(0));
    assert_eq!(session.replies_until_closed(LIMIT).len(), 1);
    assert_eq!(sessions(&deployment, ""), [Value::Null; 0]);
    assert_eq!(nodes(&deployment).len(), 1);
}
