//! argon2id with the parameters of this project, in memory that is kept: 19 MiB a hash, given back to
//! the allocator and asked for again by whatever thread is next, make a process grow by that much for
//! nearly every thread that has ever hashed. What is kept is wiped, and is no more than ran at once.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, Error, PasswordVerifier, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Hashes and verifies, one after the other in the same memory where nothing else wants it.
pub(super) struct Argon2id {
    params: Params,
    idle: Mutex<Vec<Vec<Block>>>,
}

impl Argon2id {
    /// m = 19 MiB, t = 2, p = 1: the OWASP recommendation.
    pub(super) fn new() -> Result<Self, argon2::Error> {
        Ok(Self { params: Params::new(19 * 1_024, 2, 1, None)?, idle: Mutex::default() })
    }

    /// As a PHC string, with a fresh salt.
    pub(super) fn hash(&self, password: &[u8]) -> Result<String, Error> {
        let salt = try_generate_salt().map_err(|_| Error::Crypto)?;
        let hash = self.hash_password_customized(password, &salt, None, None, self.params.clone())?;
        Ok(hash.to_string())
    }

    /// Whether the password is the one that was hashed, with whatever parameters that was done.
    pub(super) fn is(&self, password: &[u8], hash: &str) -> Result<bool, Error> {
        match self.verify_password(password, &PasswordHash::new(hash)?) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a hash was made with less than ours are: of another kind, in less memory, or with less
    /// memory written in all passes together (more memory in fewer passes can be as good). One that cannot
    /// be read is not, as nothing is known of it.
    pub(super) fn is_weaker(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else { return false };
        let Ok(params) = Params::try_from(&hash) else { return false };
        let of_another_kind =
            hash.algorithm != Algorithm::Argon2id.ident() || hash.version != Some(Version::V0x13.into());
        let shorter = hash.hash.is_some_and(|output| output.len() < Params::DEFAULT_OUTPUT_LEN);
        let written = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        of_another_kind
            || shorter
            || params.m_cost() < self.params.m_cost()
            || written(&params) < written(&self.params)
    }

    /// How many hashes' memory waits for the next one.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self, blocks: usize) -> Vec<Block> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = idle.pop().unwrap_or_default();
        drop(idle);
        memory.resize(blocks, Block::new());
        memory
    }

    /// A hash made elsewhere may have needed more than ours do; that is not kept.
    fn put_back(&self, mut memory: Vec<Block>) {
        memory.fill(Block::new());
        if memory.capacity() <= self.params.block_count() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        }
    }
}

/// What `argon2` does in memory of its own; how hashes are compared is left to `password_hash`.
impl CustomizedPasswordHasher<PasswordHash> for Argon2id {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<PasswordHash, Error> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let salt = Salt::new(salt)?;
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
        let param_string = ParamsString::try_from(&params)?;
        let mut memory = self.take(params.block_count());
        let argon2 = Argon2::new(algorithm, version, params);
        let hashed = argon2.hash_password_into_with_memory(password, &salt, output, &mut memory);
        self.put_back(memory);
        hashed?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: param_string,
            salt: Some(salt),
            hash: Some(Output::new(output)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;

    use super::*;

    #[test]
    fn it_reads_what_argon2_wrote_and_the_other_way_round() {
        let ours = Argon2id::new().unwrap();
        let params = Params::new(64, 3, 2, Some(24)).unwrap();
        let theirs = Argon2::new(Algorithm::Argon2i, Version::V0x10, params);
        let hash = theirs.hash_password(b"correct horse").unwrap().to_string();
        assert!(ours.is(b"correct horse", &hash).unwrap());
        assert!(!ours.is(b"correct house", &hash).unwrap());
        let hash = ours.hash(b"correct horse").unwrap();
        let default = Argon2::default();
        assert!(default.verify_password(b"correct horse", hash.as_str()).is_ok());
        assert!(default.verify_password(b"correct house", hash.as_str()).is_err());
    }

    #[test]
    fn a_hash_that_is_cheaper_to_try_passwords_on_is_weaker() {
        let ours = Argon2id::new().unwrap();
        let weaker = |algorithm, version, m, t, length| {
            let params = Params::new(m, t, 1, Some(length)).unwrap();
            let hash = Argon2::new(algorithm, version, params).hash_password(b"any").unwrap();
            ours.is_weaker(&hash.to_string())
        };
        let (argon2id, new, usual) = (Algorithm::Argon2id, Version::V0x13, 19 * 1_024);
        assert!(!weaker(argon2id, new, usual, 2, 32));
        assert!(!weaker(argon2id, new, usual + 1, 3, 32));
        assert!(!weaker(argon2id, new, 2 * usual, 1, 32));
        assert!(weaker(argon2id, new, usual - 1, 2, 32));
        assert!(weaker(argon2id, new, usual - 1, 50, 32));
        assert!(weaker(argon2id, new, usual, 1, 32));
        assert!(weaker(argon2id, new, usual, 2, 16));
        assert!(weaker(Algorithm::Argon2i, new, usual, 2, 32));
        assert!(weaker(argon2id, Version::V0x10, usual, 2, 32));
        assert!(!ours.is_weaker(&ours.hash(b"any").unwrap()));
        assert!(!ours.is_weaker("no hash"));
    }

    #[test]
    fn memory_is_used_again_and_wiped_in_between() {
        let argon2id = Argon2id::new().unwrap();
        let hash = argon2id.hash(b"correct horse").unwrap();
        assert!(argon2id.is(b"correct horse", &hash).unwrap());
        let idle = argon2id.idle.lock().unwrap();
        assert_eq!(idle.len(), 1);
        assert!(idle[0].iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[test]
    fn memory_for_a_larger_hash_is_not_kept() {
        let argon2id = Argon2id::new().unwrap();
        let params = Params::new(20 * 1_024, 1, 1, None).unwrap();
        let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password(b"any").unwrap();
        assert!(argon2id.is(b"any", &hash.to_string()).unwrap());
        assert_eq!(argon2id.idle(), 0);
    }
}
