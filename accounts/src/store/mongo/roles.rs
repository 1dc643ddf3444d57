//! The database roles of the two services: what the login of each may do with which collection.
//! Migrating keeps them in step with the program, so that an upgrade which needs more also gives it.
//! Who logs in with which role is for the operator to say; where nobody logs in, roles mean nothing.

use mongodb::bson::{Bson, Document, doc};

use super::{Mongo, UNAUTHORIZED};
use crate::store::StoreError;

/// A role, and what it allows.
struct Role {
    name: &'static str,
    of: fn(&Grant) -> &'static [&'static str],
}

const ROLES: [Role; 2] = [
    Role { name: "wharfinger-server", of: |grant| grant.server },
    Role { name: "wharfinger-admin", of: |grant| grant.admin },
];

/// What the file server and the admin API may do with one collection. `migrate` takes a login that
/// owns the database, and is not for either.
struct Grant {
    collection: &'static str,
    server: &'static [&'static str],
    admin: &'static [&'static str],
}

const NOTHING: &[&str] = &[];
const READ: &[&str] = &["find"];
const FOLLOW: &[&str] = &["find", "changeStream"];
const APPEND: &[&str] = &["find", "insert"];
const UPDATE: &[&str] = &["find", "insert", "update"];
const WRITE: &[&str] = &["find", "insert", "update", "remove"];

const GRANTS: [Grant; 13] = [
    Grant { collection: "migrations", server: READ, admin: READ },
    Grant { collection: "users", server: FOLLOW, admin: WRITE },
    Grant { collection: "activity", server: UPDATE, admin: &["find", "remove"] },
    Grant { collection: "unlocks", server: READ, admin: WRITE },
    Grant { collection: "audit", server: APPEND, admin: &["find", "insert", "remove"] },
    Grant { collection: "audit_chains", server: UPDATE, admin: WRITE },
    Grant { collection: "nodes", server: WRITE, admin: READ },
    Grant {
        collection: "sessions",
        server: &["find", "insert", "update", "remove", "changeStream"],
        admin: &["find", "update"],
    },
    Grant { collection: "places", server: WRITE, admin: NOTHING },
    Grant { collection: "usage", server: UPDATE, admin: UPDATE },
    Grant { collection: "admins", server: NOTHING, admin: WRITE },
    Grant { collection: "api_keys", server: NOTHING, admin: WRITE },
    Grant { collection: "guards", server: NOTHING, admin: UPDATE },
];

const ROLE_EXISTS: i32 = 51_002;

impl Mongo {
    /// Makes the roles or gives them what they lack, where this login may. What an operator has added
    /// to a role stays in it.
    pub(super) async fn keep_roles(&self) -> Result<(), StoreError> {
        if !self.logs_in {
            return Ok(());
        }
        for role in &ROLES {
            if !self.keep_role(role).await? {
                tracing::info!("this database login may not change roles: the services' stay as they are");
                return Ok(());
            }
        }
        Ok(())
    }

    /// `false` where this login may not. (To replace a role, `updateRole`, takes a login that may revoke
    /// roles of every database.)
    async fn keep_role(&self, role: &Role) -> Result<bool, StoreError> {
        let privileges = privileges(role, self.database.name());
        let run = async |command| {
            self.ask_or_refused(&[UNAUTHORIZED, ROLE_EXISTS], self.database.run_command(command)).await
        };
        let mut done = run(doc! { "createRole": role.name, "privileges": &privileges, "roles": [] }).await?;
        if done == Err(ROLE_EXISTS) {
            done = run(doc! { "grantPrivilegesToRole": role.name, "privileges": privileges }).await?;
        }
        Ok(done.is_ok())
    }
}

fn privileges(role: &Role, database: &str) -> Vec<Bson> {
    let granted = GRANTS.iter().filter(|grant| !(role.of)(grant).is_empty());
    let privilege = |grant: &Grant| -> Document {
        doc! { "resource": { "db": database, "collection": grant.collection }, "actions": (role.of)(grant) }
    };
    granted.map(|grant| Bson::Document(privilege(grant))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::upkeep::{MIGRATIONS, commands};
    use super::*;

    #[test]
    fn it_is_said_of_every_collection_who_may_do_what_with_it() {
        for json in MIGRATIONS {
            for command in commands(json).unwrap() {
                let Ok(collection) = command.get_str("create") else { continue };
                assert!(
                    GRANTS.iter().any(|grant| grant.collection == collection),
                    "{collection} is not in GRANTS"
                );
            }
        }
    }
}
