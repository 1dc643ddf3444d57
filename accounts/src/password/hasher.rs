//! argon2id off the async threads: at most one hash a core at a time, a bounded queue before it and a
//! bounded wait in it. Knows no user and no store; callers decide what a match means.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::argon2id::Argon2id;
use super::{Password, PasswordHash};

/// Hashes and verifies, and keeps the machine usable meanwhile.
pub(crate) struct Hasher {
    running: Arc<Semaphore>,
    places: Arc<Semaphore>,
    limits: HashLimits,
    argon2id: Arc<Argon2id>,
    dummy: PasswordHash,
    /// Verifications so far: what a login costs, told without a stopwatch.
    #[cfg(test)]
    pub(crate) spent: Arc<std::sync::atomic::AtomicUsize>,
}

/// How much hashing there may be at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashLimits {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) wait: Duration,
}

impl Default for HashLimits {
    /// A refused login takes about 50 ms of one core, so a full queue is served within the wait.
    fn default() -> Self {
        let cores = available_parallelism().map_or(2, std::num::NonZero::get);
        Self { running: cores, waiting: 64 * cores, wait: Duration::from_secs(5) }
    }
}

/// Which of a user's passwords was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Current,
    Previous,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    #[error("too many passwords are waiting to be checked")]
    Busy,
    #[error("hashing failed: {0}")]
    Failed(String),
}

impl Hasher {
    pub(crate) async fn new(limits: HashLimits) -> Result<Self, HashError> {
        let mut hasher = Self {
            running: Arc::new(Semaphore::new(limits.running)),
            places: Arc::new(Semaphore::new(limits.running + limits.waiting)),
            limits,
            argon2id: Arc::new(Argon2id::new().map_err(failed)?),
            dummy: PasswordHash(String::new()),
            #[cfg(test)]
            spent: Arc::default(),
        };
        let nobodys = Password::generate().map_err(|error| HashError::Failed(error.to_string()))?;
        hasher.dummy = hasher.hash(&nobodys).await?;
        Ok(hasher)
    }

    /// Hashes under way, and those that wait for their turn.
    pub(crate) fn queue(&self) -> (usize, usize) {
        let running = self.limits.running.saturating_sub(self.running.available_permits());
        let places = self.limits.running + self.limits.waiting;
        let taken = places.saturating_sub(self.places.available_permits());
        (running, taken.saturating_sub(running))
    }

    /// A hash with a fresh salt.
    pub(crate) async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let (argon2id, password) = (Arc::clone(&self.argon2id), password.clone());
        self.run(move || argon2id.hash(password.expose()).map(PasswordHash).map_err(failed)).await?
    }

    /// Whether a hash was made with weaker parameters than [`Hasher::hash`] has.
    pub(crate) fn is_weaker(&self, hash: &PasswordHash) -> bool {
        self.argon2id.is_weaker(&hash.0)
    }

    /// Which of the two the password is. A password that is neither costs two verifications, whichever
    /// of them exist; so does every one if `at_full_cost`, which hides that a refused one was right.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        current: Option<&PasswordHash>,
        previous: Option<&PasswordHash>,
        at_full_cost: bool,
    ) -> Result<Option<Which>, HashError> {
        let (argon2id, password, dummy) = (Arc::clone(&self.argon2id), password.clone(), self.dummy.clone());
        let (current, previous) = (current.cloned(), previous.cloned());
        #[cfg(test)]
        let spent = Arc::clone(&self.spent);
        self.run(move || {
            let is = |hash: Option<&PasswordHash>| {
                #[cfg(test)]
                spent.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                is_password_of(&argon2id, &password, hash, &dummy)
            };
            let is_current = is(current.as_ref());
            if is_current && !at_full_cost {
                return Some(Which::Current);
            }
            let is_previous = is(previous.as_ref());
            match (is_current, is_previous) {
                (true, _) => Some(Which::Current),
                (false, true) => Some(Which::Previous),
                (false, false) => None,
            }
        })
        .await
    }

    /// Takes every place in the queue until the returned value is dropped.
    #[cfg(test)]
    pub(crate) fn fill(&self) -> OwnedSemaphorePermit {
        let free = u32::try_from(self.places.available_permits()).unwrap();
        Arc::clone(&self.places).try_acquire_many_owned(free).unwrap()
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a login given up by its client still occupies a core until it ends.
            let _held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
            job()
        });
        done.await.map_err(|error| HashError::Failed(error.to_string()))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, HashError> {
        match timeout(self.limits.wait, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(HashError::Busy),
        }
    }
}

fn is_password_of(
    argon2id: &Argon2id,
    password: &Password,
    hash: Option<&PasswordHash>,
    dummy: &PasswordHash,
) -> bool {
    if let Some(PasswordHash(hash)) = hash {
        match argon2id.is(password.expose(), hash) {
            Ok(is) => return is,
            Err(error) => tracing::error!(%error, "a stored password hash cannot be read"),
        }
    }
    // Nobody's password: verified for what that costs, whatever comes out.
    let _costs_the_same = argon2id.is(password.expose(), &dummy.0);
    false
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(waiting: usize, wait: Duration) -> HashLimits {
        HashLimits { running: 1, waiting, wait }
    }

    #[tokio::test]
    async fn hashes_are_argon2id_with_a_fresh_salt_each() {
        let hasher = Hasher::new(HashLimits::default()).await.unwrap();
        let password = Password::new("correct horse battery");
        let (one, two) = (hasher.hash(&password).await.unwrap(), hasher.hash(&password).await.unwrap());
        assert_ne!(one, two);
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.0);
    }

    #[tokio::test]
    async fn it_tells_which_password_was_given() {
        let hasher = Hasher::new(HashLimits::default()).await.unwrap();
        let (new, old) = (Password::new("the new password"), Password::new("the old password"));
        let (current, previous) = (hasher.hash(&new).await.unwrap(), hasher.hash(&old).await.unwrap());
        for at_full_cost in [false, true] {
            let verify = |password, previous| hasher.verify(password, Some(&current), previous, at_full_cost);
            assert_eq!(verify(&new, Some(&previous)).await.unwrap(), Some(Which::Current));
            assert_eq!(verify(&old, Some(&previous)).await.unwrap(), Some(Which::Previous));
            assert_eq!(verify(&old, None).await.unwrap(), None);
        }
        assert_eq!(hasher.verify(&new, None, None, true).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_matches_nothing() {
        let hasher = Hasher::new(HashLimits::default()).await.unwrap();
        for broken in ["", "plain text", "$argon2id$v=19$m=1,t=1,p=1$", "$5$rounds=1$abc$def"] {
            let broken = PasswordHash(broken.to_owned());
            let found = hasher.verify(&Password::new(broken.0.as_str()), Some(&broken), None, false).await;
            assert_eq!(found.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn no_more_memory_is_kept_than_hashes_ran_at_once() {
        let hasher =
            Hasher::new(HashLimits { running: 2, ..limits(64, Duration::from_mins(1)) }).await.unwrap();
        let password = Password::new("any");
        for _ in 0..2 {
            let hashes = futures_util::future::join_all((0..6).map(|_| hasher.hash(&password))).await;
            assert!(hashes.iter().all(Result::is_ok));
            assert!((1..=2).contains(&hasher.argon2id.idle()));
        }
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_at_once() {
        let hasher = Hasher::new(limits(0, Duration::from_mins(1))).await.unwrap();
        let _full = hasher.fill();
        let refused = hasher.hash(&Password::new("any")).await;
        assert!(matches!(refused, Err(HashError::Busy)));
    }

    #[tokio::test]
    async fn a_wait_that_is_too_long_is_busy_too() {
        let hasher = Hasher::new(limits(8, Duration::from_millis(10))).await.unwrap();
        let running = Arc::clone(&hasher.running).acquire_owned().await.unwrap();
        assert!(matches!(hasher.hash(&Password::new("any")).await, Err(HashError::Busy)));
        drop(running);
        assert!(hasher.hash(&Password::new("any")).await.is_ok());
    }
}
