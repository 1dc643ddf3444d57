//! Who may log in: users, their passwords and policies, and the admins who manage them, on SQLite or
//! MongoDB. [`Accounts`] is the only door; both the file server and the admin API go through it.
//! Knows no protocol, no files and no HTTP.

pub use accounts::{Accounts, ChangeError, Clock};
pub use admin::{Admin, Role};
pub use changes::{Changed, Changes};
pub use ipnet::IpNet;
pub use jiff::Timestamp;
pub use login::{Attempt, LoginError, Refusal};
pub use password::{Password, PasswordRule};
pub use store::{MigrateError, Migration, NotReady, StoreError};
pub use user::{
    Action, Activity, ClientCertificate, Grant, Home, Invalid, Limits, NewUser, Permissions, Protocol, Quota,
    Rotated, Rotation, Stamp, Status, User, UserDetail, UserPage, UserQuery, Username,
};

mod accounts;
mod admin;
mod changes;
mod login;
mod password;
mod store;
mod user;
mod users;
