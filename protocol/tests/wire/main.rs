//! The wire formats against the RFCs' own examples, and as properties: what is
//! printed is read back the same, however the bytes are cut, and no bytes make
//! a parser panic.

mod address;
mod command;
mod line;
mod listing;
mod mftp;
mod pattern;
mod proxy;
mod record;
mod refusal;
mod reply;
mod round_trip;
mod text;
mod time;
mod verb;
