//! The words on the wire: commands, replies, addresses, listings and line
//! ends of FTP and MFTP, each parsed and printed by pure functions over bytes.
//!
//! Nothing here does I/O, waits, or knows of users, files or sessions, so that
//! every rule of the RFCs can be tried with a table of bytes.

pub mod digest;
mod foreign;
pub mod ftp;
pub mod line;
pub mod mftp;
mod number;
pub mod pattern;
pub mod proxy;
pub mod record;
mod secret;
pub mod text;
pub mod time;
pub mod words;

pub use secret::Secret;
