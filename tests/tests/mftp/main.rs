//! MFTP as it is spoken: every command in every state, transcripts, transfers, the listeners as a
//! person reaches them, and what both dialects share. In clear and under TLS, on one server.

mod handshakes;
mod listeners;
mod matrix;
mod place;
mod sessions;
mod shared;
mod transcripts;
mod transfers;
