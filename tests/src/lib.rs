//! What the end-to-end tests stand on: the real programs as child processes, a store of their
//! own for each, clients of FTP and MFTP that can misbehave, and the clients that people use. It knows
//! the programs by their command line, environment, log and wire only; it links none of them.

pub mod admin;
pub mod authority;
pub mod clients;
pub mod content;
pub mod creation;
pub mod deployment;
pub mod ftp;
pub mod lines;
pub mod mftp;
pub mod mongo;
pub mod mounts;
pub mod neighbours;
pub mod network;
pub mod peers;
pub mod polling;
pub mod program;
pub mod slow_reader;
pub mod soak;
pub mod source;
pub mod standards;
mod talk;
pub mod tls;
pub mod tools;
pub mod transcript;
pub mod wharf;
pub mod wire;

pub use admin::{Admin, Answer, User};
pub use creation::Creation;
pub use deployment::{Deployment, Node, Setup, Shape, Store};
pub use ftp::{Ftp, Mode, Reply};
pub use mftp::Mftp;
pub use program::Program;
pub use slow_reader::SlowReader;
pub use tls::{Tls, Version};
