//! The first admin: a service that nobody may use is of no use, and one with a known password
//! is worse. So the first start makes an owner with a password given, or one nobody else knows.

use std::time::Duration;

use serde_json::{Map, Value, json};
use wharfinger_accounts::{
    Accounts, Act, Admin, ChangeError, Event, Password, Request, Role, StoreError, Username,
};
use wharfinger_config::Config;

/// The name of the first owner.
pub const OWNER: &str = "owner";

/// How the first owner came about.
#[derive(Debug)]
pub enum FirstOwner {
    /// There was an admin before.
    Existed,
    /// Created with the configured password.
    CreatedGiven,
    /// Created with this password, which is kept nowhere: show it once.
    CreatedGenerated(Password),
}

/// Creates the admin `owner` if there is no admin at all.
pub async fn ensure_owner(accounts: &Accounts, config: &Config) -> Result<FirstOwner, ChangeError> {
    if accounts.has_admin().await? {
        return Ok(FirstOwner::Existed);
    }
    let name: Username = OWNER.parse()?;
    let given = config.admin.password.expose();
    let given = (!given.is_empty()).then(|| Password::new(given));
    match make_admin(accounts, name, Role::Owner, given).await {
        Ok((_, Some(generated))) => Ok(FirstOwner::CreatedGenerated(generated)),
        Ok((_, None)) => Ok(FirstOwner::CreatedGiven),
        // Another program starting at the same time was first.
        Err(ChangeError::Store(StoreError::Taken)) => Ok(FirstOwner::Existed),
        Err(error) => Err(error),
    }
}

/// Creates an admin on behalf of whoever started this program, and records it in a chain of its own.
pub async fn make_admin(
    accounts: &Accounts,
    name: Username,
    role: Role,
    password: Option<Password>,
) -> Result<(Admin, Option<Password>), ChangeError> {
    const PATIENCE: Duration = Duration::from_secs(15);
    let trail = accounts.begin_trail(&writer())?;
    let place = trail.place().await?;
    let made = accounts.create_admin(name, role, password).await;
    if let Ok((admin, _)) = &made {
        let after = Map::from_iter([("role".to_owned(), json!(admin.role))]);
        let act = Act::Change {
            request: Request { address: None, id: None },
            kind: "admin",
            name: admin.username.to_string(),
            change: "create".to_owned(),
            outcome: "done",
            before: Map::<String, Value>::new(),
            after,
        };
        let _ = place.fill(Event { user: None, actor: None, act });
    } else {
        drop(place);
    }
    trail.close(PATIENCE).await;
    made
}

/// Who writes the admin API's chains of the audit trail.
pub(crate) fn writer() -> String {
    format!("{}-admin", rustix::system::uname().nodename().to_string_lossy())
}
