//! The words on the wire: commands, replies, addresses, listings and line
//! ends, each parsed and printed by pure functions over bytes.
//!
//! Nothing here does I/O, waits, or knows of users, files or sessions, so that
//! every rule of the RFCs can be tried with a table of bytes.

pub mod digest;
pub mod ftp;
pub mod line;
pub mod record;
pub mod text;
