//! One record, its hash, and how a chain is made of them.

use jiff::Timestamp;

use super::event::{Event, Link};
use super::milliseconds;
use crate::{ChangeError, random_id};

/// What the first record of a chain carries as the hash of the one before.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened, as the store keeps it. Every member is covered by `hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Whose chain it is in: writer, start and a random part.
    pub chain: String,
    /// Its number in the chain, from 1.
    pub sequence: u64,
    /// When it happened, milliseconds since 1970.
    pub(crate) at: i64,
    /// What happened.
    pub action: String,
    /// The user it is about.
    pub user: Option<String>,
    /// The admin who did it.
    pub actor: Option<String>,
    /// The rest, a JSON object, byte for byte as it was hashed.
    pub detail: String,
    /// The hash of the record before it in the chain.
    pub previous: String,
    /// BLAKE3 of all that, in hex.
    pub hash: String,
}

/// Where a record stands in the list of all records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPosition {
    /// When it happened, milliseconds since 1970.
    pub at: i64,
    /// Its chain.
    pub chain: String,
    /// Its number in the chain.
    pub sequence: u64,
}

impl AuditRecord {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or_default()
    }

    /// Where it stands in the list of all records.
    pub fn position(&self) -> AuditPosition {
        AuditPosition { at: self.at, chain: self.chain.clone(), sequence: self.sequence }
    }

    pub(crate) fn link(&self) -> Link {
        Link { chain: self.chain.clone(), sequence: self.sequence, hash: self.hash.clone() }
    }

    /// The hash that the other members demand. Each is preceded by its length, so that no two records
    /// are the same bytes.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("wharfinger audit record 1");
        let mut text = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        };
        text(&self.chain);
        text(&self.sequence.to_string());
        text(&self.at.to_string());
        text(&self.action);
        // An absent name is not an empty one.
        for name in [&self.user, &self.actor] {
            text(if name.is_some() { "some" } else { "none" });
            text(name.as_deref().unwrap_or_default());
        }
        text(&self.detail);
        text(&self.previous);
        hasher.finalize().to_hex().to_string()
    }
}

/// The end of a chain, to which the next record is sealed.
pub(crate) struct Sealer {
    writer: String,
    chain: String,
    sequence: u64,
    hash: String,
}

impl Sealer {
    /// A new chain, whose name begins with its writer's and the time.
    pub(super) fn new(writer: &str, now: Timestamp) -> Result<Self, ChangeError> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        let writer: String = writer.chars().take(64).map(plain).collect();
        let (time, random) = (now.strftime("%Y%m%dT%H%M%SZ"), random_id()?);
        let chain = format!("{writer}~{time}~{}", random.get(..12).unwrap_or(&random));
        Ok(Self { writer, chain, sequence: 0, hash: NO_HASH.to_owned() })
    }

    /// Another chain of the same writer.
    pub(super) fn renewed(&self, now: Timestamp) -> Result<Self, ChangeError> {
        Self::new(&self.writer, now)
    }

    pub(super) fn writer(&self) -> &str {
        &self.writer
    }

    pub(super) fn chain(&self) -> &str {
        &self.chain
    }

    /// Gives a record of another chain its place in this one.
    pub(super) fn reseal(&mut self, record: &mut AuditRecord) {
        self.sequence += 1;
        record.chain.clone_from(&self.chain);
        record.sequence = self.sequence;
        record.previous = std::mem::take(&mut self.hash);
        record.hash = record.digest();
        self.hash.clone_from(&record.hash);
    }

    /// The record of this event, after which the chain goes on.
    pub(super) fn seal(&mut self, at: Timestamp, event: Event) -> Result<AuditRecord, serde_json::Error> {
        let (action, detail) = event.act.into_parts()?;
        let mut record = AuditRecord {
            chain: self.chain.clone(),
            sequence: 0,
            at: milliseconds(at),
            action,
            user: event.user,
            actor: event.actor,
            detail,
            previous: String::new(),
            hash: String::new(),
        };
        self.reseal(&mut record);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Act;
    use super::*;

    fn record() -> AuditRecord {
        let mut sealer = Sealer::new("host server", Timestamp::UNIX_EPOCH).unwrap();
        let event = Event { user: Some("alice".into()), actor: None, act: Act::Gap { lost: 3 } };
        sealer.seal(Timestamp::UNIX_EPOCH, event).unwrap()
    }

    #[test]
    fn every_member_of_a_record_is_covered_by_its_hash() {
        let sealed = record();
        assert_eq!(sealed.hash, sealed.digest());
        let changes: [fn(&mut AuditRecord); 9] = [
            |it| it.chain.push('x'),
            |it| it.sequence += 1,
            |it| it.at += 1,
            |it| it.action.push('x'),
            |it| it.user = None,
            |it| it.user = Some(String::new()),
            |it| it.actor = Some("alice".into()),
            |it| it.detail = r#"{"lost":2}"#.into(),
            |it| it.previous.replace_range(..1, "1"),
        ];
        for change in changes {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_ne!(changed.hash, changed.digest(), "{changed:?}");
        }
    }

    #[test]
    fn bytes_moved_from_one_member_to_the_next_are_another_record() {
        let sealed = record();
        let moved = AuditRecord { action: "gapsome".into(), user: Some("5alice".into()), ..sealed.clone() };
        assert_ne!(sealed.digest(), moved.digest());
    }

    #[test]
    fn a_record_carries_the_hash_of_the_one_before() {
        let mut sealer = Sealer::new("host", Timestamp::UNIX_EPOCH).unwrap();
        let mut seal = || {
            sealer.seal(Timestamp::UNIX_EPOCH, Event { user: None, actor: None, act: Act::Stopped }).unwrap()
        };
        let (first, second) = (seal(), seal());
        assert_eq!((first.sequence, first.previous.as_str()), (1, NO_HASH));
        assert_eq!((second.sequence, &second.previous), (2, &first.hash));
        assert!(first.chain.starts_with("host~19700101T000000Z~"), "{}", first.chain);
    }
}
