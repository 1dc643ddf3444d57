//! What the server answers, held to the standards: every command in every state against RFC 959's
//! table, the control connection's input however it comes, and transcripts of whole conversations.
//! Everything runs twice, in clear and under TLS, on servers that the tests share.

mod active;
mod families;
mod lines;
mod listing;
mod matrix;
mod names;
mod permissions;
mod place;
mod resetting;
mod script;
mod state;
mod timeouts;
mod transcripts;
mod transfers;
