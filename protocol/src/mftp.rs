//! MFTP, the smaller of the two protocols: one line a command, one line an
//! answer, and a data connection for each transfer, always passive and binary.
//!
//! It is described in `docs/mftp.md`. Its lines are no Telnet: `line::Lines::without_telnet`
//! cuts them. None of the modules knows what a command does.

pub mod answer;
pub mod command;
pub mod listing;
pub mod verb;

pub use answer::{Answer, Code};
pub use command::{Command, ParseError};
pub use verb::Verb;
