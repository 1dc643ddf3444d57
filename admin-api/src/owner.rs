//! The first admin: a service that nobody may use is of no use, and one with a known password
//! is worse. So the first start makes an owner with a password given, or one nobody else knows.

use wharfinger_accounts::{Accounts, ChangeError, Password, Role, StoreError, Username};
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
    match accounts.create_admin(name, Role::Owner, given).await {
        Ok((_, Some(generated))) => Ok(FirstOwner::CreatedGenerated(generated)),
        Ok((_, None)) => Ok(FirstOwner::CreatedGiven),
        // Another program starting at the same time was first.
        Err(ChangeError::Store(StoreError::Taken)) => Ok(FirstOwner::Existed),
        Err(error) => Err(error),
    }
}
