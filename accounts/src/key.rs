//! API keys, for programs that manage users. A key has a role of its own, and belongs to the admin
//! who made it: it is good only as long as that admin exists, is enabled and may do what the key may.
//! Only a digest of the secret is stored; it has 256 bits, so a fast digest is enough.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::admin::{Admin, Role};
use crate::password::Password;
use crate::store::{KeyRecord, StoreError};
use crate::user::{Invalid, Status, Username};
use crate::{Accounts, ChangeError, random_id};

/// What every key begins with, so that one left lying about is recognised.
const PREFIX: &str = "whk_";
/// The time of the last use is this exact, which spares a busy key's requests a write each.
const USE_GRAIN: SignedDuration = SignedDuration::from_secs(60);

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Random 128 bits in hex; part of the key itself.
    pub id: String,
    /// What it is for.
    pub name: KeyName,
    /// What it may do.
    pub role: Role,
    /// The admin who made it.
    pub created_by: Username,
    /// That admin's id: a new admin of the same name is somebody else.
    pub(crate) creator: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// What a key is for: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// A key that is not stored yet, with its secret.
#[derive(Debug)]
pub struct NewKey {
    key: ApiKey,
    text: Password,
}

impl NewKey {
    /// What it will be called.
    pub fn id(&self) -> &str {
        &self.key.id
    }
}

/// One page of a list of keys.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys with the time of their last use, to the minute; by id.
    pub items: Vec<(ApiKey, Option<Timestamp>)>,
    /// What to ask for as `after` to go on; `None` on the last page.
    pub next: Option<String>,
}

impl Accounts {
    /// A key in the name of `maker` that is yet to be made, by [`Self::create_key`].
    pub async fn new_key(
        &self,
        maker: &Username,
        name: KeyName,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> Result<NewKey, ChangeError> {
        let now = self.now();
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Invalid::new("expires_at", "must be in the future").into());
        }
        let maker = self.admin(maker).await?;
        let id = random_id()?;
        let text = Password::new(format!("{PREFIX}{id}_{}{}", random_id()?, random_id()?));
        let key = ApiKey {
            id,
            name,
            role,
            created_by: maker.username,
            creator: maker.id,
            created_at: now,
            expires_at,
        };
        Ok(NewKey { key, text })
    }

    /// Makes a key; what is given back is the key itself, shown once.
    pub async fn create_key(&self, NewKey { key, text }: NewKey) -> Result<(ApiKey, Password), StoreError> {
        let record = KeyRecord { key, digest: digest(&text) };
        self.inner.stores.keys.insert(&record).await?;
        Ok((record.key, text))
    }

    /// One page of keys, by id; `limit` is 1 to 1,000.
    pub async fn keys(&self, after: Option<&str>, limit: u32) -> Result<KeyPage, StoreError> {
        let limit = limit.clamp(1, 1_000);
        let mut items = self.inner.stores.keys.page(after.unwrap_or_default(), limit + 1).await?;
        let more = u32::try_from(items.len()).is_ok_and(|found| found > limit);
        if more {
            items.pop();
        }
        let next = items.last().filter(|_| more).map(|(key, _)| key.id.clone());
        Ok(KeyPage { items, next })
    }

    /// Removes a key, which is refused from then on; what it was.
    pub async fn remove_key(&self, id: &str) -> Result<ApiKey, StoreError> {
        // Nothing changes a key, and no other ever has its id.
        let (KeyRecord { key, .. }, _) = self.inner.stores.keys.find(id).await?;
        self.inner.stores.keys.remove(id).await?;
        Ok(key)
    }

    /// The key that somebody sent, if it is one and is good now.
    pub async fn check_key(&self, text: &Password) -> Result<Option<ApiKey>, StoreError> {
        let Some(id) = id_of(text) else { return Ok(None) };
        let (KeyRecord { key, digest: stored }, last_used_at) = match self.inner.stores.keys.find(id).await {
            Err(StoreError::NotFound) => return Ok(None),
            found => found?,
        };
        let now = self.now();
        if stored != digest(text) || key.expires_at.is_some_and(|end| now >= end) {
            return Ok(None);
        }
        match self.admin(&key.created_by).await {
            Ok(maker) if answers_for(&maker, &key) => {}
            Ok(_) | Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        }
        if last_used_at.is_none_or(|used| now.duration_since(used) >= USE_GRAIN)
            && let Err(error) = self.inner.stores.keys.note_use(&key.id, now).await
        {
            tracing::warn!(key = key.id, %error, "the use of an API key could not be stored");
        }
        Ok(Some(key))
    }

    /// Whether a text looks like a key, good or not.
    pub fn looks_like_a_key(text: &str) -> bool {
        text.starts_with(PREFIX)
    }
}

fn answers_for(maker: &Admin, key: &ApiKey) -> bool {
    maker.id == key.creator && maker.status == Status::Active && maker.role.covers(key.role)
}

fn id_of(text: &Password) -> Option<&str> {
    let text = std::str::from_utf8(text.expose()).ok()?;
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let hex = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex(id, 32) && hex(secret, 64)).then_some(id)
}

/// Compared in constant time, since it is a digest's own type that is compared.
fn digest(text: &Password) -> KeyDigest {
    KeyDigest(blake3::hash(text.expose()))
}

/// The digest of a key, as stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyDigest(blake3::Hash);

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

impl TryFrom<String> for KeyDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        blake3::Hash::from_hex(text).map(Self).map_err(|_| "no digest of a key")
    }
}

impl From<KeyDigest> for String {
    fn from(digest: KeyDigest) -> Self {
        digest.0.to_hex().to_string()
    }
}

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(Invalid::new("name", "1 to 64 characters, none of them a control character"));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for KeyName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_shape_alone() {
        let good = format!("whk_{}_{}", "0".repeat(32), "a".repeat(64));
        assert_eq!(id_of(&Password::new(good.as_str())), Some("00000000000000000000000000000000"));
        for bad in ["", "whk_", "whk_0_0", &good[1..], &good.replace('a', "g"), &format!("{good}0")] {
            assert_eq!(id_of(&Password::new(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_key_has_a_name_fit_for_a_log() {
        for name in ["Terraform, prod", "é", &"x".repeat(64)] {
            assert_eq!(name.parse::<KeyName>().unwrap().as_str(), name);
        }
        for name in ["", "a\nb", &"x".repeat(65)] {
            assert!(name.parse::<KeyName>().is_err());
        }
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let text = Password::new("whk_secret");
        assert_eq!(format!("{:?}", digest(&text)), "KeyDigest(..)");
    }
}
