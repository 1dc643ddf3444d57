//! Wharfinger, with the defaults it ships with, but for what the comparison itself needs: clear text
//! allowed, and more sessions from one address than anybody's one client opens.

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::{Server, Start, free_port, loopback, version};
use crate::client::Target;
use crate::place::Place;

pub(super) const NAME: &str = "wharfinger";

const OWNER_PASSWORD: &str = "the owner of the benchmark";

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let program = &place.programs.wharfinger;
    let (ftp, admin) = (free_port()?, free_port()?);
    let set = |name, value: &dyn ToString| (name, value.to_string());
    let target = Target {
        address: loopback(ftp),
        user: "bench",
        password: "a password to be measured",
        directory: "",
    };
    let mut server = Start {
        name: NAME,
        version: version(place, program, "--version")?,
        program,
        arguments: Vec::new(),
        environment: vec![
            set("WHARFINGER_DATA_DIR", &place.scratch.join(format!("wharfinger-data-{ftp}")).display()),
            set("WHARFINGER_STORAGE__ROOT", &place.root.display()),
            set("WHARFINGER_FTP__LISTEN", &loopback(ftp)),
            set("WHARFINGER_FTP__PASSIVE_PORTS", &"40000-41999"),
            set("WHARFINGER_ADMIN__LISTEN", &loopback(admin)),
            set("WHARFINGER_ADMIN_PASSWORD", &OWNER_PASSWORD),
            set("WHARFINGER_TLS__CERTIFICATE", &place.certificate.display()),
            set("WHARFINGER_TLS__KEY", &place.key.display()),
            set("WHARFINGER_TLS__CONTROL", &"optional"),
            set("WHARFINGER_TLS__DATA", &"optional"),
            set("WHARFINGER_LIMITS__MAX_SESSIONS_PER_ADDRESS", &10_000),
            set("WHARFINGER_LIMITS__IDLE_SECONDS", &3600),
        ],
        target,
    }
    .go(place)?;
    server.wait_until_listening(loopback(admin))?;
    create_user(admin, &server.target)?;
    Ok(server)
}

fn create_user(admin: u16, target: &Target) -> anyhow::Result<()> {
    let api = format!("http://{}/api/v1", loopback(admin));
    let owner = json!({ "username": "owner", "password": OWNER_PASSWORD });
    let mut answer =
        ureq::post(format!("{api}/auth/token")).send_json(owner).context("logging in as owner")?;
    let answer: serde_json::Value = answer.body_mut().read_json()?;
    let token = answer.get("access_token").and_then(serde_json::Value::as_str).context("no token")?;
    let user = json!({
        "username": target.user, "password": target.password, "protocols": ["ftp", "ftps"],
    });
    let created = ureq::post(format!("{api}/users"))
        .header("Authorization", format!("Bearer {token}"))
        .send_json(user)
        .context("creating the user")?;
    ensure!(created.status() == 201, "the user was not created: {}", created.status());
    Ok(())
}
