//! A name and a proof become a [`LoggedIn`], or a refusal that tells nothing. The one place for
//! it, whatever the dialect: brakes on guessing, the accounts' verdict, the user's tree, the log.

mod visit;

use std::sync::Arc;
use std::time::Instant;

use wharfinger_accounts::{Act, Attempt, Client, Event, LoginError, Proof, Protocol, User, UserPlace};

use crate::Services;
use crate::registry::{Identity, Live};
use crate::storage::{StorageError, Tree};
use crate::usage::Ledger;

pub(crate) use visit::{Visit, Visitor};

/// A user who has proved who they are, and their files. There is no other way to get one.
pub(crate) struct LoggedIn {
    pub(crate) user: Arc<User>,
    pub(crate) tree: Arc<dyn Tree>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) visit: Visit,
}

/// What a client may know of why it isn't let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginRefusal {
    /// Name, password or policy; which one is not said.
    Refused,
    /// This address has failed too often.
    Banned,
    /// The password is right, and the user has as many sessions as may be.
    TooManySessions,
    /// Store or storage can't be asked now.
    Unavailable,
}

/// Who asks to be let in, from where and how.
pub(crate) struct Applicant<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) proof: Proof<'a>,
    pub(crate) protocol: Protocol,
}

/// Whether the name alone logs in: that of anonymous logins, where no password is asked for.
pub(crate) fn needs_no_password(services: &Services, name: &[u8], protocol: Protocol) -> bool {
    services.anonymous_for(name, protocol).is_some_and(|anonymous| !anonymous.asks_password())
}

/// Lets the user in, or waits a while and refuses.
pub(crate) async fn log_in(
    services: &Services,
    live: &Arc<Live>,
    applicant: Applicant<'_>,
) -> Result<LoggedIn, LoginRefusal> {
    let by_certificate = matches!(applicant.proof, Proof::Certificate);
    let outcome = decide(services, live, applicant).await;
    // Of one who is asked for the password now, nothing is decided yet.
    if !(by_certificate && matches!(outcome, Err(LoginRefusal::Refused))) {
        services.metrics.login(&outcome);
    }
    outcome
}

async fn decide(
    services: &Services,
    live: &Arc<Live>,
    applicant: Applicant<'_>,
) -> Result<LoggedIn, LoginRefusal> {
    let client = live.client;
    let settings = services.settings.now();
    let limits = &settings.config.limits;
    let refused = |reason: String| note_refusal(services, live, &applicant, reason);
    if services.login_limits.is_banned(client, limits, Instant::now()) {
        refused("banned".to_owned());
        tracing::info!(%client, session = live.id, "login refused: the address is banned");
        return Err(LoginRefusal::Banned);
    }
    if let Some(anonymous) = services.anonymous_for(applicant.name, applicant.protocol) {
        let files = anonymous.tree().await.map(|tree| (tree, Ledger::unkept()));
        return enter(services, live, anonymous.user(), files, &applicant).await;
    }
    let username = String::from_utf8_lossy(applicant.name);
    let attempt = Attempt {
        username: &username,
        proof: applicant.proof,
        address: client,
        protocol: applicant.protocol,
    };
    match services.accounts.log_in(attempt).await {
        Ok(user) => {
            services.login_limits.succeeded(client, applicant.name, Instant::now());
            let ledger = services.ledgers.of(&user.home);
            let tree = services.storage.open_tree(user.home.as_str(), ledger.clone()).await;
            let files = tree.map(|tree| (tree, ledger));
            let entered = enter(services, live, user, files, &applicant).await;
            if matches!(entered, Err(LoginRefusal::TooManySessions)) {
                refused("too many sessions".to_owned());
            }
            entered
        }
        Err(LoginError::Refused(reason)) if matches!(applicant.proof, Proof::Certificate) => {
            // Nobody guessed anything, and the password is still to come.
            tracing::debug!(%client, session = live.id, user = %printable(&username), %reason, "no login by certificate");
            Err(LoginRefusal::Refused)
        }
        Err(LoginError::Refused(reason)) => {
            refused(reason.to_string());
            tracing::info!(%client, session = live.id, user = %printable(&username), %reason, "login refused");
            let delay = services.login_limits.failed(client, applicant.name, limits, Instant::now());
            tokio::time::sleep(delay).await;
            Err(LoginRefusal::Refused)
        }
        Err(error) => {
            tracing::warn!(%client, session = live.id, user = %printable(&username), %error, "login impossible");
            Err(LoginRefusal::Unavailable)
        }
    }
}

async fn enter(
    services: &Services,
    live: &Arc<Live>,
    user: Arc<User>,
    files: Result<(Arc<dyn Tree>, Arc<Ledger>), StorageError>,
    applicant: &Applicant<'_>,
) -> Result<LoggedIn, LoginRefusal> {
    let place = place(services, live, &user).await?;
    let (tree, ledger) = files.map_err(|error| {
        tracing::error!(user = %user.username, home = user.home.as_str(), %error, "the home can't be opened");
        LoginRefusal::Unavailable
    })?;
    let by_certificate = matches!(applicant.proof, Proof::Certificate);
    let rates = services.rates.of(&user);
    live.log_in(Identity {
        user: Arc::clone(&user),
        protocol: applicant.protocol,
        by_certificate,
        rates,
        place,
    });
    let by = by(applicant.proof);
    tracing::info!(client = %live.client, session = live.id, user = %user.username, by, "logged in");
    let visit = Visit::new(&services.trail, &services.metrics, live, &user.username);
    visit.note(|client| Act::Login { client, protocol: applicant.protocol });
    Ok(LoggedIn { user, tree, ledger, visit })
}

fn note_refusal(services: &Services, live: &Live, applicant: &Applicant<'_>, reason: String) {
    let client = Client { address: live.client, session: live.id };
    let user = Some(printable(&String::from_utf8_lossy(applicant.name)));
    let act = Act::LoginRefused { client, protocol: applicant.protocol, reason };
    services.trail.note(Event { user, actor: None, act });
}

/// The log's word for a proof.
fn by(proof: Proof<'_>) -> &'static str {
    match proof {
        Proof::Password(_) => "password",
        Proof::Certificate => "certificate",
    }
}

/// One of the places that the user's limit of sessions gives; none is needed without a limit.
async fn place(services: &Services, live: &Live, user: &User) -> Result<Option<UserPlace>, LoginRefusal> {
    let Some(most) = user.limits.max_sessions else { return Ok(None) };
    let (client, session, user_name) = (live.client, live.id, &user.username);
    match services.presence.take_place(&user.id, most).await {
        Ok(Some(place)) => Ok(Some(place)),
        Ok(None) => {
            tracing::info!(%client, session, user = %user_name, reason = "too many sessions", "login refused");
            Err(LoginRefusal::TooManySessions)
        }
        Err(error) => {
            tracing::warn!(%client, session, user = %user_name, %error, "login impossible");
            Err(LoginRefusal::Unavailable)
        }
    }
}

/// A name as the log may carry it: short, and without control characters.
fn printable(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_default).collect()
}
