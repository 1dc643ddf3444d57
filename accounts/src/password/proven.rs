//! Logins proven lately, so that a client which logs in again soon costs no argon2id.
//! Holds keyed digests only, with a key that never leaves this process. The user's version is part of
//! what is digested, so that any change to a user voids what was proven before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Password, Which};
use crate::user::User;

/// How long a proof is good for.
const LIFETIME: Duration = Duration::from_mins(5);
/// How exact the time of the last login is. It spares a busy client's logins a write each.
const ACTIVITY_GRAIN: Duration = Duration::from_secs(1);
/// About 2 MiB when full.
const MOST: usize = 20_000;

pub(crate) struct Proven {
    key: [u8; 32],
    proofs: Mutex<HashMap<Digest, Proof>>,
}

/// Stands for one user, at one version, with one password.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

struct Proof {
    which: Which,
    until: Instant,
    activity_due: Instant,
}

impl Proven {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key, proofs: Mutex::default() })
    }

    pub(crate) fn digest(&self, user: &User, password: &Password) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // Each part with its length, so that no two different triples are the same bytes.
        for part in [user.id.as_bytes(), &user.version.to_le_bytes(), password.expose()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Digest(*hasher.finalize().as_bytes())
    }

    /// Which password it was, if that was proven a short while before `now`.
    pub(crate) fn which(&self, digest: Digest, now: Instant) -> Option<Which> {
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.get(&digest).filter(|proof| now < proof.until).map(|proof| proof.which)
    }

    pub(crate) fn insert(&self, digest: Digest, which: Which, now: Instant) {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= MOST {
            proofs.retain(|_, proof| now < proof.until);
        }
        // More logins in five minutes than that: those that were proven are checked again, no harm.
        if proofs.len() >= MOST {
            proofs.clear();
        }
        proofs.insert(digest, Proof { which, until: now + LIFETIME, activity_due: now });
    }

    /// Whether this login should be written down, which is then not due again for a moment.
    pub(crate) fn activity_due(&self, digest: Digest, now: Instant) -> bool {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        match proofs.get_mut(&digest) {
            Some(proof) if now < proof.activity_due => false,
            Some(proof) => {
                proof.activity_due = now + ACTIVITY_GRAIN;
                true
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::user::NewUser;

    fn user() -> User {
        NewUser::named("alice".parse().unwrap()).into_user("id".into(), Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_proof_lasts_minutes_and_no_longer() {
        let (proven, start) = (Proven::new().unwrap(), Instant::now());
        let digest = proven.digest(&user(), &Password::new("secret"));
        assert_eq!(proven.which(digest, start), None);
        proven.insert(digest, Which::Previous, start);
        assert_eq!(proven.which(digest, start + LIFETIME / 2), Some(Which::Previous));
        assert_eq!(proven.which(digest, start + LIFETIME), None);
    }

    #[test]
    fn another_password_version_user_or_process_is_another_digest() {
        let (proven, elsewhere) = (Proven::new().unwrap(), Proven::new().unwrap());
        let (user, password) = (user(), Password::new("secret"));
        let changed = User { version: 2, ..user.clone() };
        let recreated = User { id: "other".into(), ..user.clone() };
        let digest = proven.digest(&user, &password);
        assert!(digest == proven.digest(&user, &Password::new("secret")));
        assert!(digest != proven.digest(&user, &Password::new("Secret")));
        assert!(digest != proven.digest(&changed, &password));
        assert!(digest != proven.digest(&recreated, &password));
        assert!(digest != elsewhere.digest(&user, &password));
    }

    #[test]
    fn memory_is_bounded() {
        let (proven, now, user) = (Proven::new().unwrap(), Instant::now(), user());
        for n in 0..MOST + 10 {
            proven.insert(proven.digest(&user, &Password::new(n.to_string())), Which::Current, now);
        }
        assert!(proven.proofs.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn a_login_is_written_down_once_a_second() {
        let (proven, now) = (Proven::new().unwrap(), Instant::now());
        let digest = proven.digest(&user(), &Password::new("secret"));
        proven.insert(digest, Which::Current, now);
        assert!(proven.activity_due(digest, now));
        assert!(!proven.activity_due(digest, now + ACTIVITY_GRAIN / 2));
        assert!(proven.activity_due(digest, now + ACTIVITY_GRAIN));
    }
}
