//! The API as clients see it, in one process: each test has its own SQLite store in a directory
//! of its own and sends requests through the router.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and what helps them, stop at the first surprise"
)]

mod admins;
mod audit;
mod auth;
mod bad_input;
mod bulk;
mod contract;
mod harness;
mod listing;
mod patching;
mod recording;
mod roles;
mod service;
mod sessions;
mod tokens;
mod users;
