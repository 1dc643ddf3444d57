//! The default gateway of this machine, as the kernel's table of routes has it. A container sees the
//! clients on its host come from there, at an address that is another one with each network.

use std::fs;
use std::net::Ipv4Addr;

/// The gateway of the first default route; none where there is no such route, or no such table.
pub(super) fn default_gateway() -> Option<Ipv4Addr> {
    match fs::read_to_string("/proc/net/route") {
        Ok(table) => gateway_in(&table),
        Err(error) => {
            tracing::warn!(%error, "the default gateway is unknown");
            None
        }
    }
}

/// The table's columns: interface, destination, gateway, flags, …; addresses in hexadecimal digits,
/// in the byte order of the machine.
fn gateway_in(table: &str) -> Option<Ipv4Addr> {
    const EVERYWHERE: &str = "00000000";
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (destination, gateway) = (columns.next()?, columns.next()?);
        let gateway = u32::from_str_radix(gateway, 16).ok().filter(|gateway| *gateway != 0)?;
        (destination == EVERYWHERE).then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    fn the_gateway_is_that_of_the_default_route() {
        let gateway = u32::from_ne_bytes([172, 18, 0, 1]);
        let table = format!(
            "{HEAD}eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
             eth0\t00000000\t{gateway:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        );
        assert_eq!(gateway_in(&table), Some(Ipv4Addr::new(172, 18, 0, 1)));
    }

    #[test]
    fn without_a_default_route_there_is_none() {
        assert_eq!(gateway_in(HEAD), None);
        assert_eq!(gateway_in("rubbish\nrubbish\n"), None);
    }
}
