//! What is read from certificates: the names a server is reached by, those a user logs in with, and
//! when it is over.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// The hosts a server's certificate is for, as subjectAltName has them (RFC 6125 knows no other
/// place any more): DNS names in lower case, and addresses. None where it can't be read.
pub(super) fn of_server(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let names = alternative_names(&certificate).into_iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

/// Whom a client's certificate is for: the subject's common name, and the DNS names and mail
/// addresses beside it. None where it can't be read.
pub(crate) fn of_client(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let subject = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let beside = alternative_names(&certificate).into_iter().filter_map(|name| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) => Some(*name),
        _ => None,
    });
    subject.chain(beside).map(str::to_owned).collect()
}

/// When it expires, in seconds since 1970.
pub(super) fn expiry(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

fn alternative_names<'a, 'b>(certificate: &'b X509Certificate<'a>) -> Vec<&'b GeneralName<'a>> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    extension.map(|extension| extension.value.general_names.iter().collect()).unwrap_or_default()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}
