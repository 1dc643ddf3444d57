//! Which records to list.

use jiff::Timestamp;

use super::record::{AuditPosition, AuditRecord};

/// Which records to list, the newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only records at or after this time.
    pub since: Option<Timestamp>,
    /// Only records before this time.
    pub until: Option<Timestamp>,
    /// Only records about this user.
    pub user: Option<String>,
    /// Only records of what this admin did.
    pub actor: Option<String>,
    /// Only records of this action.
    pub action: Option<String>,
    /// Only records that come after this one in the list.
    pub after: Option<AuditPosition>,
    /// At most so many; 1 to 1,000, anything else is moved to the nearer end.
    pub limit: u32,
}

/// One page of records.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The newest first.
    pub items: Vec<AuditRecord>,
    /// What to ask for as `after` to go on; `None` on the last page.
    pub next: Option<AuditPosition>,
}
