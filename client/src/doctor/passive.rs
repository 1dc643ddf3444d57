//! Where a server sends its clients for data, against where they reached it: what goes wrong
//! behind address translation, load balancers and Docker.

use std::net::{IpAddr, SocketAddr, TcpStream};

use wharfinger_protocol::ftp::address::{parse_extended_passive, parse_passive};

use crate::{
    failure::Failure,
    remote::{Remote as _, ftp::Ftp},
    site::Site,
};

use super::{
    advice,
    report::{Finding, Report},
};

/// What FEAT lists, and what a client misses.
pub(super) fn features(ftp: &Ftp, report: &mut Report) {
    let wanted = ["UTF8", "MLST", "SIZE", "MDTM", "REST", "EPSV"];
    let missing: Vec<&str> = wanted.into_iter().filter(|word| !ftp.features().has(word)).collect();
    if missing.is_empty() {
        report.add(Finding::fine("features", wanted.join(", ")));
    } else {
        report.add(Finding::note("features", format!("FEAT lacks {}", missing.join(", ")), advice::FEATURES));
    }
}

/// PASV and EPSV, each as it was answered, and whether the port can be reached.
pub(super) fn examine(ftp: &mut Ftp, site: &Site, report: &mut Report) -> Result<(), Failure> {
    let peer = ftp.peer();
    if peer.is_ipv4() {
        let answer = ftp.say(b"PASV")?;
        let address = parse_passive(answer.text()).filter(|_| answer.code == 227).map(SocketAddr::from);
        match address {
            Some(address) => {
                compare("PASV", Some(address), site, peer, report);
                reach("PASV port", SocketAddr::new(peer.ip(), address.port()), site, report);
            }
            None => report.add(Finding::bad("PASV", answer.to_string(), advice::PASSIVE_PORTS)),
        }
    }
    let answer = ftp.say(b"EPSV")?;
    match parse_extended_passive(answer.text()).filter(|_| answer.code == 229) {
        Some(port) => {
            report.add(Finding::fine("EPSV", answer.to_string()));
            reach("EPSV port", SocketAddr::new(peer.ip(), port), site, report);
        }
        None if peer.is_ipv6() => report.add(Finding::bad("EPSV", answer.to_string(), advice::PASSIVE_PORTS)),
        None => report.add(Finding::note("EPSV", answer.to_string(), advice::FEATURES)),
    }
    Ok(())
}

/// The address a server names against the one it was reached at.
pub(super) fn compare(
    step: &'static str,
    named: Option<SocketAddr>,
    site: &Site,
    peer: SocketAddr,
    report: &mut Report,
) {
    let Some(named) = named else { return };
    let of_host = site.addresses().unwrap_or_default();
    let (told, reached) = (named.ip().to_canonical(), peer.ip().to_canonical());
    if told == reached || of_host.iter().any(|address| address.ip() == told) {
        report.add(Finding::fine(step, format!("names {told}, where it was reached")));
        return;
    }
    let kind = if is_local(told) && !is_local(reached) {
        "an address of its own network"
    } else {
        "another address"
    };
    report.add(Finding::bad(
        step,
        format!(
            "names {told}, {kind}; it was reached at {reached} (wharf goes there, other clients may not)"
        ),
        advice::PUBLIC_ADDRESS,
    ));
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

fn reach(step: &'static str, address: SocketAddr, site: &Site, report: &mut Report) {
    match TcpStream::connect_timeout(&address, site.timeout) {
        Ok(_) => report.add(Finding::fine(step, format!("{} can be reached", address.port()))),
        Err(error) => {
            report.add(Finding::bad(
                step,
                format!("{} can't be reached: {error}", address.port()),
                advice::PASSIVE_PORTS,
            ));
        }
    }
}
