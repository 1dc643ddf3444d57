//! Logging in: a name, a password and where it comes from become a user, or a refusal that costs the
//! same whatever its reason (hashing is what takes time, so every refusal hashes twice).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::Accounts;
use crate::password::{HashError, Password, Which};
use crate::policy::Caller;
use crate::store::{StoreError, UserRecord};
use crate::user::{Protocol, User, Username};

/// What a client offers to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The name as sent, of any shape and size.
    pub username: &'a str,
    /// What shows that it is this user.
    pub proof: Proof<'a>,
    /// Where the client is.
    pub address: IpAddr,
    /// What it speaks.
    pub protocol: Protocol,
}

impl Attempt<'_> {
    fn caller(&self) -> Caller {
        let by_certificate = matches!(self.proof, Proof::Certificate);
        Caller { address: self.address, protocol: self.protocol, by_certificate }
    }
}

/// What shows that somebody is who they say.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The password as sent.
    Password(&'a Password),
    /// A TLS certificate of a trusted authority that carries the username.
    Certificate,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// For good; the reason is for logs only, and the client must not learn it.
    #[error("login refused: {0}")]
    Refused(Refusal),
    /// Too many logins are being checked; try again later.
    #[error("too many logins are being checked")]
    Busy,
    /// The store could not be asked; try again later.
    #[error(transparent)]
    Unavailable(StoreError),
}

/// Why a login was refused, for logs only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no such name.
    #[error("unknown name")]
    UnknownName,
    /// Neither the current password nor a previous one that is still good.
    #[error("wrong password")]
    WrongPassword,
    /// The account is disabled.
    #[error("disabled")]
    Disabled,
    /// The account has expired.
    #[error("expired")]
    Expired,
    /// The password has expired, or should have been changed by now.
    #[error("password expired")]
    PasswordExpired,
    /// Not from this address.
    #[error("address not allowed")]
    Network,
    /// Not over this protocol.
    #[error("protocol not allowed")]
    Protocol,
    /// The user logs in with a TLS certificate only.
    #[error("certificate needed")]
    CertificateNeeded,
    /// The user does not log in with TLS certificates.
    #[error("certificate not accepted")]
    CertificateNotAccepted,
    /// What is stored about the account cannot be read.
    #[error("account unreadable")]
    Unreadable,
}

impl Accounts {
    /// The user, if the proof is right and the user's policy lets this client in.
    pub async fn log_in(&self, attempt: Attempt<'_>) -> Result<Arc<User>, LoginError> {
        match attempt.proof {
            Proof::Password(password) => self.log_in_with_password(&attempt, password).await,
            Proof::Certificate => self.log_in_with_certificate(&attempt).await,
        }
    }

    async fn log_in_with_password(
        &self,
        attempt: &Attempt<'_>,
        password: &Password,
    ) -> Result<Arc<User>, LoginError> {
        let record = match self.readable_user(attempt.username).await? {
            Ok(record) => record,
            Err(refusal) => {
                self.inner.hasher.verify(password, None, None, true).await?;
                return Err(LoginError::Refused(refusal));
            }
        };
        let now = self.now();
        let policy = record.user.refusal(&attempt.caller(), now);
        let which = self.prove(&record, password, policy.is_some(), now).await?;
        let (Some(which), None) = (which, policy) else {
            return Err(LoginError::Refused(
                policy.filter(|_| which.is_some()).unwrap_or(Refusal::WrongPassword),
            ));
        };
        self.note_login(&record.user, password, which, now).await;
        Ok(Arc::new(record.user))
    }

    /// A refusal costs nothing here: only who holds a certificate for the name gets one.
    async fn log_in_with_certificate(&self, attempt: &Attempt<'_>) -> Result<Arc<User>, LoginError> {
        let record = self.readable_user(attempt.username).await?.map_err(LoginError::Refused)?;
        let now = self.now();
        if let Some(refusal) = record.user.refusal(&attempt.caller(), now) {
            return Err(LoginError::Refused(refusal));
        }
        self.record_login(&record.user, false, now).await;
        Ok(Arc::new(record.user))
    }

    async fn readable_user(&self, name: &str) -> Result<Result<UserRecord, Refusal>, LoginError> {
        // A name that no user can have is not worth a question to the store.
        let Ok(name) = name.parse() else { return Ok(Err(Refusal::UnknownName)) };
        Refusal::sort(&name, self.inner.stores.users.find(&name).await)
    }

    async fn prove(
        &self,
        record: &UserRecord,
        password: &Password,
        at_full_cost: bool,
        now: Timestamp,
    ) -> Result<Option<Which>, LoginError> {
        let proven = &self.inner.proven;
        let digest = proven.digest(&record.user, password);
        let has_grace = record.user.previous_valid_until.is_some_and(|end| now < end);
        // A refusal by policy must not be quicker because the password was right a minute ago.
        if !at_full_cost {
            let known = proven.which(digest, Instant::now());
            if let Some(which) = known.filter(|which| *which == Which::Current || has_grace) {
                return Ok(Some(which));
            }
        }
        let (current, previous) = (&record.passwords.current, record.passwords.previous.as_ref());
        let previous = previous.filter(|_| has_grace);
        let which = self.inner.hasher.verify(password, Some(current), previous, at_full_cost).await?;
        if let Some(which) = which.filter(|_| !at_full_cost) {
            proven.insert(digest, which, Instant::now());
            if which == Which::Current {
                self.rehash_user(record, password).await;
            }
        }
        Ok(which)
    }

    async fn note_login(&self, user: &User, password: &Password, which: Which, now: Timestamp) {
        let proven = &self.inner.proven;
        if !proven.activity_due(proven.digest(user, password), Instant::now()) {
            return;
        }
        self.record_login(user, which == Which::Previous, now).await;
    }

    async fn record_login(&self, user: &User, with_previous: bool, now: Timestamp) {
        let activity = &self.inner.stores.activity;
        // A login is right even when it cannot be written down: it is not worth turning a client away.
        if let Err(error) = activity.record_login(&user.id, now, with_previous).await {
            tracing::warn!(user = %user.username, %error, "the time of a login could not be stored");
        }
    }
}

impl Refusal {
    /// What the store said about a name, as a record or as a refusal that must cost what all cost.
    pub(crate) fn sort<R>(
        name: &Username,
        found: Result<R, StoreError>,
    ) -> Result<Result<R, Self>, LoginError> {
        match found {
            Ok(record) => Ok(Ok(record)),
            Err(StoreError::NotFound) => Ok(Err(Self::UnknownName)),
            Err(StoreError::Corrupt(reason)) => {
                tracing::error!(%name, %reason, "an account that cannot be read is refused");
                Ok(Err(Self::Unreadable))
            }
            Err(error) => Err(LoginError::Unavailable(error)),
        }
    }
}

impl From<HashError> for LoginError {
    fn from(error: HashError) -> Self {
        if let HashError::Failed(reason) = &error {
            tracing::error!(%reason, "a password could not be checked");
        }
        Self::Busy
    }
}

#[cfg(test)]
mod tests;
