//! The certificates a server showed: whose they are and until when they are good.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{
    names::shown,
    trust::{Fingerprint, Trust},
};

use super::{
    advice,
    report::{Finding, Report},
};

/// Less than this to go is soon.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 21);

pub(super) fn examine(chain: &[CertificateDer<'static>], trust: &Trust, report: &mut Report) {
    let Some(own) = chain.first() else { return };
    report.add(Finding::fine("fingerprint", format!("SHA-256 {}", Fingerprint::of(own))));
    for (place, bytes) in chain.iter().enumerate() {
        let step = if place == 0 { "certificate" } else { "its authority" };
        match X509Certificate::from_der(bytes) {
            Ok((_, certificate)) => report.add(judge(step, &certificate)),
            Err(error) => {
                report.add(Finding::bad(step, format!("it can't be read: {error}"), advice::EXPIRY));
            }
        }
    }
    match trust {
        Trust::Platform | Trust::File(_) => {}
        Trust::Fingerprint(_) => report.add(Finding::note("trust", "by its fingerprint", advice::TRUST)),
        Trust::Anybody => report.add(Finding::note("trust", "not checked (--insecure)", advice::TRUST)),
    }
}

fn judge(step: &'static str, certificate: &X509Certificate<'_>) -> Finding {
    let names: Vec<String> = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|names| names.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    let who =
        if names.is_empty() { shown(certificate.subject().to_string().as_bytes()) } else { names.join(", ") };
    let issuer = if certificate.subject() == certificate.issuer() {
        "itself".to_owned()
    } else {
        shown(certificate.issuer().to_string().as_bytes())
    };
    let until =
        Timestamp::from_second(certificate.validity().not_after.timestamp()).unwrap_or(Timestamp::MIN);
    let left = until.duration_since(Timestamp::now());
    let told = format!(
        "for {who}; signed by {issuer}; good until {}, {} days",
        until.strftime("%Y-%m-%d"),
        left.as_hours().div_euclid(24)
    );
    if left < SOON { Finding::bad(step, told, advice::EXPIRY) } else { Finding::fine(step, told) }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shown(name.as_bytes())),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            Some(four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?.to_string())
        }
        _ => None,
    }
}
