//! The rules that decide whether a user is let in, and what they may do, in the one order in which
//! they are asked. A login takes the first refusal; an explanation shows every rule up to it. Both
//! walk this list, so that an explanation can't tell another story than the server.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use crate::login::Refusal;
use crate::user::{Action, ClientCertificate, Protocol, Status, User};

/// What of a client the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Where it is.
    pub address: IpAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// Whether it shows a certificate instead of a password.
    pub by_certificate: bool,
}

/// What somebody wants to know about a user.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where the client is; `None`: wherever that may be.
    pub address: Option<IpAddr>,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it does where (absolute and normal); `None`: it logs in.
    pub deed: Option<(Action, &'a [u8])>,
}

/// One rule, as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; stays the same.
    pub rule: &'static str,
    /// Whether it let the client pass.
    pub passed: bool,
    /// What it found, in words.
    pub detail: String,
}

/// What the rules say, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Every rule asked, in order; the last one decided.
    pub trace: Vec<Step>,
}

/// A rule of the login: what it is called, what a refusal by it is, and whether a client passes.
struct Rule {
    name: &'static str,
    refusal: Refusal,
    needs_address: bool,
    passes: fn(&User, &Caller, Timestamp) -> bool,
    found: fn(&User) -> String,
}

const RULES: [Rule; 7] = [
    Rule {
        name: "status",
        refusal: Refusal::Disabled,
        needs_address: false,
        passes: |user, _, _| user.status == Status::Active,
        found: |user| format!("the user is {}", user.status.as_str()),
    },
    Rule {
        name: "expires_at",
        refusal: Refusal::Expired,
        needs_address: false,
        passes: |user, _, now| !passed(user.expires_at, now),
        found: |user| date("the user expires", user.expires_at),
    },
    Rule {
        name: "password_expiry",
        refusal: Refusal::PasswordExpired,
        needs_address: false,
        passes: |user, caller, now| {
            caller.by_certificate
                || !passed(user.password_expires_at, now) && !passed(user.must_change_by, now)
        },
        found: |user| {
            let expires = date("the password expires", user.password_expires_at);
            format!("{expires}; {}", date("it must be changed", user.must_change_by))
        },
    },
    Rule {
        name: "allowed_networks",
        refusal: Refusal::Network,
        needs_address: true,
        passes: |user, caller, _| {
            // An IPv4 client of a listener on [::] has a mapped address; networks are written in IPv4.
            let address = caller.address.to_canonical();
            let networks = &user.allowed_networks;
            networks.is_empty() || networks.iter().any(|network| network.contains(&address))
        },
        found: |user| match user.allowed_networks.len() {
            0 => "any address is allowed".to_owned(),
            count => format!("{count} networks are allowed"),
        },
    },
    Rule {
        name: "protocols",
        refusal: Refusal::Protocol,
        needs_address: false,
        passes: |user, caller, _| user.protocols.contains(&caller.protocol),
        found: |user| {
            let words: Vec<&str> = user.protocols.iter().map(|protocol| protocol.as_str()).collect();
            format!("allowed: {}", if words.is_empty() { "none".to_owned() } else { words.join(", ") })
        },
    },
    Rule {
        name: "certificate_needed",
        refusal: Refusal::CertificateNeeded,
        needs_address: false,
        passes: |user, caller, _| {
            caller.by_certificate || user.client_certificate != ClientCertificate::Required
        },
        found: certificate,
    },
    Rule {
        name: "certificate_accepted",
        refusal: Refusal::CertificateNotAccepted,
        needs_address: false,
        passes: |user, caller, _| {
            !caller.by_certificate || user.client_certificate != ClientCertificate::None
        },
        found: certificate,
    },
];

fn certificate(user: &User) -> String {
    let word = match user.client_certificate {
        ClientCertificate::None => "not accepted",
        ClientCertificate::Optional => "accepted instead of the password",
        ClientCertificate::Required => "needed, instead of the password",
    };
    format!("a client certificate is {word}")
}

fn passed(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| now >= end)
}

fn date(what: &str, end: Option<Timestamp>) -> String {
    end.map_or_else(|| format!("{what} never"), |end| format!("{what} at {end}"))
}

impl User {
    /// What keeps this caller out, whatever it has proved. A login asks, and so does whoever watches
    /// sessions that are logged in.
    pub fn refusal(&self, caller: &Caller, now: Timestamp) -> Option<Refusal> {
        RULES.iter().find(|rule| !(rule.passes)(self, caller, now)).map(|rule| rule.refusal)
    }
}

/// Whether such a client may log in as the user and, where it wants to do something, do that.
pub(crate) fn explain(user: &User, question: &Question<'_>, now: Timestamp) -> Explanation {
    let address = question.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    // Whether it can prove to be the user is not the question: it shows what the user needs.
    let by_certificate = user.client_certificate == ClientCertificate::Required;
    let caller = Caller { address, protocol: question.protocol, by_certificate };
    let mut trace = Vec::new();
    for rule in &RULES {
        if rule.needs_address && question.address.is_none() {
            let detail = format!("{}; not asked, since no address was given", (rule.found)(user));
            trace.push(Step { rule: rule.name, passed: true, detail });
            continue;
        }
        let passed = (rule.passes)(user, &caller, now);
        trace.push(Step { rule: rule.name, passed, detail: (rule.found)(user) });
        if !passed {
            return Explanation { allowed: false, trace };
        }
    }
    let Some((action, path)) = question.deed else { return Explanation { allowed: true, trace } };
    let permitted = user.permissions.permits(path, action);
    let detail = match user.permissions.deciding(path) {
        None => "no grant covers the path".to_owned(),
        Some(grant) if permitted => format!("the grant for {} allows it", grant.path),
        Some(grant) if grant.allow.contains(&action) => {
            "grants of their own apply below the path, which a rename would take along".to_owned()
        }
        Some(grant) => format!("the grant for {} decides, and does not allow it", grant.path),
    };
    trace.push(Step { rule: "permissions", passed: permitted, detail });
    Explanation { allowed: permitted, trace }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{Grant, NewUser, Permissions};

    type Change = fn(&mut User);

    fn user() -> User {
        NewUser::named("alice".parse().unwrap()).into_user("id".into(), Timestamp::UNIX_EPOCH).unwrap()
    }

    fn caller() -> Caller {
        Caller { address: "192.0.2.7".parse().unwrap(), protocol: Protocol::Ftps, by_certificate: false }
    }

    fn asked(deed: Option<(Action, &[u8])>) -> Question<'_> {
        Question { address: Some(caller().address), protocol: Protocol::Ftps, deed }
    }

    fn rules(explanation: &Explanation) -> Vec<&str> {
        explanation.trace.iter().map(|step| step.rule).collect()
    }

    #[test]
    fn an_explanation_ends_where_the_login_is_refused() {
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let changes: [(Change, Option<Refusal>); 6] = [
            (|_| {}, None),
            (|user| user.status = Status::Disabled, Some(Refusal::Disabled)),
            (|user| user.expires_at = Some(Timestamp::UNIX_EPOCH), Some(Refusal::Expired)),
            (|user| user.must_change_by = Some(Timestamp::UNIX_EPOCH), Some(Refusal::PasswordExpired)),
            (|user| user.allowed_networks = vec!["10.0.0.0/8".parse().unwrap()], Some(Refusal::Network)),
            (|user| user.protocols.clear(), Some(Refusal::Protocol)),
        ];
        for (index, (change, refused)) in changes.into_iter().enumerate() {
            let mut user = user();
            change(&mut user);
            let explanation = explain(&user, &asked(None), now);
            assert_eq!(user.refusal(&caller(), now), refused);
            assert_eq!(explanation.allowed, refused.is_none());
            let asked = if refused.is_none() { RULES.len() } else { index };
            assert_eq!(explanation.trace.len(), asked, "{:?}", rules(&explanation));
            assert_eq!(explanation.trace.last().unwrap().passed, refused.is_none());
        }
    }

    #[test]
    fn the_permission_is_asked_last_and_names_its_grant() {
        let mut user = user();
        let grant = |path: &str, allow: &[Action]| Grant {
            path: path.to_owned(),
            allow: allow.iter().copied().collect(),
        };
        let grants = vec![grant("/", &[Action::List, Action::Rename]), grant("/in", &[Action::Upload])];
        user.permissions = Permissions::try_from(grants).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let ask = |action, path: &str| explain(&user, &asked(Some((action, path.as_bytes()))), now);
        let allowed = ask(Action::Upload, "/in/a");
        assert!(allowed.allowed && allowed.trace.last().unwrap().detail.contains("/in"));
        assert_eq!(rules(&allowed).last(), Some(&"permissions"));
        assert!(!ask(Action::Download, "/in/a").allowed);
        assert!(!ask(Action::Rename, "/").allowed, "what lies below has a grant of its own");
    }
}
