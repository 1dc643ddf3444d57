//! What an operator does with curl: every step of a user's life.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use wharfinger_tests::deployment::OWNER_PASSWORD;
use wharfinger_tests::{Answer, Deployment, Setup, Shape, Store, tools};

#[test]
fn an_operator_manages_a_user_with_curl_alone() {
    let deployment = Deployment::start();
    let mut curl = Curl::new(&deployment);
    let login = format!(r#"{{"username":"owner","password":"{OWNER_PASSWORD}"}}"#);
    let token = curl.json(200, &["--data", &login], "/auth/token");
    assert_eq!(token["token_type"], "Bearer");
    assert!(token["expires_in"].as_u64().unwrap() > 0);
    curl.token = token["access_token"].as_str().unwrap().to_owned();

    let user = r#"{"username":"camera-7","description":"the gate","password":"a dozen letters"}"#;
    let created = curl.json(201, &["--data", user], "/users");
    assert_eq!(created["status"], "active");
    assert_eq!(created["home"], "camera-7");
    assert!(created.get("password").is_none(), "a given password isn't shown: {created}");
    assert!(curl.headers.contains("location: /api/v1/users/camera-7"), "{}", curl.headers);
    assert!(curl.headers.contains("etag: "), "{}", curl.headers);

    let listed = curl.json(200, &[], "/users");
    assert_eq!(listed["items"][0]["username"], "camera-7");
    assert_eq!(listed["next_cursor"], Value::Null);
    assert_eq!(curl.json(200, &[], "/users/camera-7")["description"], "the gate");
    assert_eq!(deployment.log_in("camera-7", "a dozen letters").code, 230);

    assert_eq!(curl.json(200, &["--request", "POST"], "/users/camera-7/disable")["status"], "disabled");
    assert_eq!(deployment.log_in("camera-7", "a dozen letters").code, 530);
    assert_eq!(curl.json(200, &["--request", "POST"], "/users/camera-7/enable")["status"], "active");
    assert_eq!(deployment.log_in("camera-7", "a dozen letters").code, 230);

    let rotated = curl.json(200, &["--request", "POST"], "/users/camera-7/rotate-password");
    let password = rotated["password"].as_str().expect("a generated password is shown once");
    assert_eq!(deployment.log_in("camera-7", "a dozen letters").code, 530);
    assert_eq!(deployment.log_in("camera-7", password).code, 230);

    curl.json(204, &["--request", "DELETE"], "/users/camera-7");
    curl.json(404, &[], "/users/camera-7");
    assert_eq!(deployment.log_in("camera-7", password).code, 530);
}

#[test]
fn a_user_made_without_a_password_gets_a_generated_one() {
    let deployment = Deployment::start();
    let answer = deployment.admin.post("/api/v1/users", serde_json::json!({"username": "alice"}));
    assert_eq!(answer.status, 201, "{answer:?}");
    let password = answer.body["password"].as_str().expect("shown once");
    assert!(password.len() >= 20, "at least 128 bits: {password}");
    assert_eq!(deployment.log_in("alice", password).code, 230);
    let again = deployment.admin.get("/api/v1/users/alice");
    assert!(again.body.get("password").is_none(), "{again:?}");
}

#[test]
fn of_many_who_create_one_name_at_once_exactly_one_does() {
    const MANY: usize = 12;
    let password = |n: usize| format!("the password of number {n}");
    for (shape, store) in [(Shape::AllInOne, Store::Sqlite), (Shape::TwoPrograms, Store::MongoDb)] {
        let deployment = Setup::new(shape, store).set("WHARFINGER_ADMIN__REQUESTS_PER_SECOND", "0").start();
        let (admin, start) = (&deployment.admin, &Barrier::new(MANY));
        let create = |n: usize| {
            let body = json!({"username": "alice", "password": password(n), "description": format!("{n}")});
            start.wait();
            // Who is told to come back later has not been judged yet.
            loop {
                let answer = admin.post("/api/v1/users", body.clone());
                if answer.status != 503 {
                    return answer;
                }
            }
        };
        let answers: Vec<Answer> = thread::scope(|scope| {
            let asked: Vec<_> = (0..MANY).map(|n| scope.spawn(move || create(n))).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        let winners: Vec<usize> = (0..MANY).filter(|n| answers[*n].status == 201).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let taken = |answer: &&Answer| {
            answer.status == 409 && answer.body["type"] == "urn:wharfinger:problem:name-taken"
        };
        assert_eq!(answers.iter().filter(taken).count(), MANY - 1, "{answers:?}");
        let winner = winners[0];
        assert_eq!(admin.get("/api/v1/users/alice").body["description"], format!("{winner}"));
        assert_eq!(deployment.log_in("alice", &password(winner)).code, 230);
        assert_eq!(deployment.log_in("alice", &password((winner + 1) % MANY)).code, 530);
    }
}

#[test]
fn a_user_with_too_few_permissions_is_refused_what_is_left_out() {
    let deployment = Deployment::start();
    let reader = serde_json::json!({
        "username": "reader", "password": "only ever reads",
        "permissions": [{"path": "/", "allow": ["list", "download"]}],
    });
    assert_eq!(deployment.admin.post("/api/v1/users", reader).status, 201);
    let user = wharfinger_tests::User { name: "reader".to_owned(), password: "only ever reads".to_owned() };
    let mut session = deployment.session(&user);
    std::fs::write(deployment.home(&user).join("file"), "content").unwrap();
    assert_eq!(session.receive(wharfinger_tests::Mode::Epsv, "RETR file"), b"content");
    for command in
        ["STOR other", "APPE file", "DELE file", "MKD made", "RNFR file", "MFMT 20200101000000 file"]
    {
        let code = session.command(command).code;
        assert!([550, 553].contains(&code), "{command}: {code}");
    }
    assert_eq!(std::fs::read_to_string(deployment.home(&user).join("file")).unwrap(), "content");
}

/// curl as typed by an operator; keeps the headers of the last answer.
struct Curl<'a> {
    deployment: &'a Deployment,
    token: String,
    headers: String,
}

impl<'a> Curl<'a> {
    fn new(deployment: &'a Deployment) -> Curl<'a> {
        Curl { deployment, token: String::new(), headers: String::new() }
    }

    /// The body of an answer that must have this status; `null` where there is none.
    fn json(&mut self, status: u16, options: &[&str], path: &str) -> Value {
        let url = format!("http://{}/api/v1{path}", self.deployment.admin_address);
        let bearer = format!("Authorization: Bearer {}", self.token);
        let mut arguments = vec!["--silent", "--show-error", "--include", "--header"];
        arguments.extend([bearer.as_str(), "--header", "Content-Type: application/json"]);
        arguments.extend(options);
        arguments.push(&url);
        let answer = tools::run_in(self.deployment.directory(), "curl", &arguments).succeeded();
        let answer = answer.replace('\r', "");
        let (headers, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
        assert_eq!(headers.split(' ').nth(1), Some(status.to_string().as_str()), "{path}: {answer}");
        self.headers = headers.to_lowercase();
        if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() }
    }
}
