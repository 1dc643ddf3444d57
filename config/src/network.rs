//! Networks as people write them: `10.0.0.0/8`, or an address alone, which is a network of one.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads a network, or an address as the network of that one. An IPv4 address in IPv6's clothes is the
/// IPv4 address, which is what clients are compared by.
pub fn network(text: &str) -> Option<IpNet> {
    let one = |address: IpAddr| IpNet::from(address.to_canonical());
    text.parse().ok().or_else(|| text.parse().ok().map(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        for (text, same) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::7", "2001:db8::7/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(network(text), same.parse().ok(), "{text}");
        }
        for wrong in ["", "192.0.2", "192.0.2.7/33", "192.0.2.7:21", "localhost"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }
}
