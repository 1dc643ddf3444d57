//! `wharf`, the client: each of its commands, its shell in a terminal, servers that misbehave, and
//! other people's servers.

mod commands;
mod doctor;
mod hostile;
mod mftp;
mod mftp_server;
mod mirrors;
mod peers;
mod shell;
mod staged;
