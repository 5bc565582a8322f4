use std::net::{IpAddr, SocketAddr};
use std::vec::Vec;

/// In turns one of each family, beginning with the family of the first, and none twice. RFC 8305 §4
pub(super) fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == is_first_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let turn = [first.next(), second.next()];
        if turn == [None, None] {
            return all;
        }
        for address in turn.into_iter().flatten() {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
}

/// True when one can be reached from the other: they are of one family.
pub(super) fn is_reached_from(to: &SocketAddr, from: IpAddr) -> bool {
    to.is_ipv6() == from.is_ipv6()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split_whitespace().map(|ip| SocketAddr::new(ip.parse().expect("an address"), 993)).collect()
    }

    #[test]
    fn families_take_turns_and_the_first_begins() {
        for (looked_up, tried) in [
            ("", ""),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2"),
            ("192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1", "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3"),
            ("192.0.2.1 192.0.2.1 2001:db8::1 192.0.2.1", "192.0.2.1 2001:db8::1"),
        ] {
            assert_eq!(interleaved(addresses(looked_up)), addresses(tried), "{looked_up}");
        }
    }
}
