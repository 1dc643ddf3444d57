//! Every change to a user acts now: on sessions, on transfers under way, whichever program was told,
//! wherever users are kept.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, SlowReader, Store, User, content};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);
/// More than all buffers between the server's disk and the client.
const SIZE: u64 = 64 << 20;

const READ_ONLY: [&str; 2] = ["list", "download"];
const WRITE_ONLY: [&str; 3] = ["list", "upload", "delete"];

/// Runs each case in one program and in two, on both stores.
macro_rules! everywhere {
    ($($case:ident),+ $(,)?) => {
        mod in_one_program_on_sqlite {
            $(#[test] fn $case() { super::$case(&super::deployment(super::Shape::AllInOne, super::Store::Sqlite)); })+
        }
        mod in_one_program_on_mongodb {
            $(#[test] fn $case() { super::$case(&super::deployment(super::Shape::AllInOne, super::Store::MongoDb)); })+
        }
        mod across_two_programs_on_sqlite {
            $(#[test] fn $case() { super::$case(&super::deployment(super::Shape::TwoPrograms, super::Store::Sqlite)); })+
        }
        mod across_two_programs_on_mongodb {
            $(#[test] fn $case() { super::$case(&super::deployment(super::Shape::TwoPrograms, super::Store::MongoDb)); })+
        }
    };
}

everywhere!(
    a_download_whose_permission_is_taken_away_is_aborted_and_the_session_goes_on,
    an_upload_whose_permission_is_taken_away_is_aborted_and_the_session_goes_on,
    a_transfer_that_is_still_permitted_goes_on,
    a_session_from_an_address_that_is_not_allowed_any_more_ends,
    a_session_over_a_protocol_that_is_not_allowed_any_more_ends,
    a_session_whose_user_expires_ends,
    a_session_whose_password_expires_ends,
    a_rate_limit_acts_on_a_running_download,
    a_limit_of_sessions_counts_those_that_were_there_before,
);

fn deployment(shape: Shape, store: Store) -> Deployment {
    Setup::new(shape, store).start()
}

fn change(deployment: &Deployment, user: &User, members: Value) {
    let answer = deployment.admin.patch(&format!("/api/v1/users/{}", user.name), members);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn permit(deployment: &Deployment, user: &User, actions: &[&str]) {
    change(deployment, user, json!({"permissions": [{"path": "/", "allow": actions}]}));
}

/// A download that has begun and can't end by itself.
fn download(deployment: &Deployment, user: &User) -> (Ftp, SlowReader) {
    let mut session = deployment.session(user);
    content::file(&deployment.home(user).join("big"), SIZE, 1);
    let reader = SlowReader::start(session.begin(Mode::Epsv, "RETR big"));
    (session, reader)
}

fn a_download_whose_permission_is_taken_away_is_aborted_and_the_session_goes_on(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let (mut session, reader) = download(deployment, &alice);
    permit(deployment, &alice, &WRITE_ONLY);
    assert_eq!(session.reply_within(LIMIT).code, 426);
    assert!(reader.stop().1 < SIZE, "all of the file arrived");
    session.offer(Mode::Epsv);
    session.expect("RETR big", 550);
    assert!(session.receive_text(Mode::Epsv, "NLST").contains("big"));
}

fn an_upload_whose_permission_is_taken_away_is_aborted_and_the_session_goes_on(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let mut upload = session.begin(Mode::Epsv, "STOR report");
    upload.write_all(&content::bytes(100_000, 1)).unwrap();
    permit(deployment, &alice, &READ_ONLY);
    assert_eq!(session.reply_within(LIMIT).code, 426);
    assert!(!deployment.home(&alice).join("report").exists(), "half a file under its final name");
    session.offer(Mode::Epsv);
    session.expect("STOR report", 553);
    session.expect("NOOP", 200);
}

fn a_transfer_that_is_still_permitted_goes_on(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let bytes = content::bytes(200_000, 1);
    let mut upload = session.begin(Mode::Epsv, "STOR new");
    upload.write_all(&bytes[..100_000]).unwrap();
    // A new file takes no leave to overwrite, so losing it does no harm.
    permit(deployment, &alice, &WRITE_ONLY);
    eventually_refused(deployment, &alice);
    upload.write_all(&bytes[100_000..]).unwrap();
    upload.finish().unwrap();
    session.expect_reply(226);
    assert_eq!(std::fs::read(deployment.home(&alice).join("new")).unwrap(), bytes);

    std::fs::write(deployment.home(&alice).join("old"), b"before").unwrap();
    permit(deployment, &alice, &["list", "upload", "overwrite"]);
    let mut other = deployment.session(&alice);
    let mut replacing = other.begin(Mode::Epsv, "STOR old");
    replacing.write_all(&bytes).unwrap();
    permit(deployment, &alice, &WRITE_ONLY);
    assert_eq!(other.reply_within(LIMIT).code, 426);
    assert_eq!(std::fs::read(deployment.home(&alice).join("old")).unwrap(), b"before");
}

/// Waits until a live session has heard that files may not be replaced.
fn eventually_refused(deployment: &Deployment, user: &User) {
    std::fs::write(deployment.home(user).join("there"), b"").unwrap();
    let mut witness = deployment.session(user);
    eventually("the change reaches a live session", LIMIT * 5, || {
        witness.offer(Mode::Epsv);
        (witness.command("RETR there").code == 550).then_some(())
    });
}

fn ends(mut session: Ftp, reader: SlowReader, start: Instant) {
    let replies = session.replies_until_closed(LIMIT.saturating_sub(start.elapsed()));
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    assert!(matches!(codes.as_slice(), [426] | [426, 421]), "{replies:?}");
    assert!(reader.stop().1 < SIZE, "all of the file arrived");
}

fn ends_by(deployment: &Deployment, members: Value) {
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    let mut bystander = deployment.session(&bob);
    let (session, reader) = download(deployment, &alice);
    let start = Instant::now();
    change(deployment, &alice, members);
    ends(session, reader, start);
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);
    bystander.expect("NOOP", 200);
}

fn a_session_from_an_address_that_is_not_allowed_any_more_ends(deployment: &Deployment) {
    ends_by(deployment, json!({"allowed_networks": ["192.0.2.0/24"]}));
}

fn a_session_over_a_protocol_that_is_not_allowed_any_more_ends(deployment: &Deployment) {
    ends_by(deployment, json!({"protocols": ["ftp"]}));
}

fn a_session_whose_user_expires_ends(deployment: &Deployment) {
    expires(deployment, "expires_at");
}

fn a_session_whose_password_expires_ends(deployment: &Deployment) {
    expires(deployment, "password_expires_at");
}

fn expires(deployment: &Deployment, member: &str) {
    let alice = deployment.admin.create("alice");
    let (session, reader) = download(deployment, &alice);
    // The API takes no time that has passed.
    let in_a_moment = jiff::Timestamp::now() + Duration::from_secs(1);
    change(deployment, &alice, json!({member: in_a_moment.to_string()}));
    ends(session, reader, Instant::now() + Duration::from_secs(2));
}

fn a_rate_limit_acts_on_a_running_download(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let (mut session, reader) = download(deployment, &alice);
    change(deployment, &alice, json!({"limits": {"download_bytes_per_second": 1}}));
    session.expect("NOOP", 200);
    let (mut before, mut slow) = (0, 0);
    eventually("the download is slow", LIMIT * 5, || {
        let now = bytes(&session.expect("STAT", 211));
        slow = if now - before <= 1 { slow + 1 } else { 0 };
        before = now;
        (slow == 10).then_some(())
    });
    change(deployment, &alice, json!({"limits": {"download_bytes_per_second": null}}));
    assert!(reader.stop().1 <= SIZE);
    session.expect_reply(226);
}

/// The first number of a reply behind its code.
fn bytes(text: &str) -> u64 {
    let mut words = text.split(' ').skip(1);
    words.find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("no number: {text}"))
}

fn a_limit_of_sessions_counts_those_that_were_there_before(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let mut early = deployment.session(&alice);
    change(deployment, &alice, json!({"limits": {"max_sessions": 1}}));
    eventually("the earlier session counts", LIMIT * 5, || {
        (deployment.log_in(&alice.name, &alice.password).code == 421).then_some(())
    });
    early.expect("QUIT", 221);
    deployment.session(&alice).expect("NOOP", 200);
}
