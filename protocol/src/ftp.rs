//! FTP as RFC 959 and its successors write it: verbs and commands, replies,
//! addresses and listings.
//!
//! One module for each kind of word; none of them knows what a command does.

pub mod address;
pub mod attributes;
pub mod command;
pub mod digest;
pub mod facts;
pub mod listing;
pub mod parameter;
pub mod reply;
pub mod site;
pub mod verb;

pub use command::{Command, ParseError};
pub use reply::{Code, Reply};
pub use site::Site;
pub use verb::Verb;
