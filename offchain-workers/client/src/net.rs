//! Addresses that a daemon may be sent to by strangers.
//!
//! Links of packages and endpoints of peers stand on the chain, written by anybody. A daemon that
//! followed them anywhere would be a way into its own machine and network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet: not of this machine, its network, its link, a
/// group, or a range that is set aside for other uses. An IPv6 address that stands for an IPv4
/// address is judged by that one.
pub fn is_public(ip: IpAddr) -> bool {
	match ip {
		IpAddr::V4(ip) => is_public_v4(ip),
		IpAddr::V6(ip) => is_public_v6(ip),
	}
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
	let set_aside = match ip.octets() {
		// This network, and itself.
		[0, ..] => true,
		// Shared between a provider's customers.
		[100, second, ..] => second & 0xc0 == 64,
		// Protocol assignments, and relays of 6to4.
		[192, 0, 0, _] | [192, 88, 99, _] => true,
		// Benchmarks of networks.
		[198, 18 | 19, ..] => true,
		// Reserved, and the broadcast address.
		[240..=255, ..] => true,
		_ => false,
	};
	!(set_aside
		|| ip.is_private()
		|| ip.is_loopback()
		|| ip.is_link_local()
		|| ip.is_documentation()
		|| ip.is_multicast())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
	let segments = ip.segments();
	let embedded = |high: u16, low: u16| {
		let [a, b] = high.to_be_bytes();
		let [c, d] = low.to_be_bytes();
		is_public_v4(Ipv4Addr::new(a, b, c, d))
	};
	match segments {
		// Mapped IPv4, and IPv4 behind a translator.
		[0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
			embedded(high, low)
		}
		// 6to4.
		[0x2002, high, low, ..] => embedded(high, low),
		// Protocol assignments, Teredo among them, and documentation.
		[0x2001, second, ..] => second > 0x01ff && second != 0x0db8,
		[0x3fff, second, ..] => second > 0x0fff,
		// Global unicast is assigned here alone; what lies outside is local, a group, or nothing.
		[first, ..] => first & 0xe000 == 0x2000,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn own_and_special_addresses_are_not_public() {
		for text in [
			"0.0.0.0",
			"0.1.2.3",
			"10.0.0.1",
			"100.64.0.1",
			"100.127.255.255",
			"127.0.0.1",
			"127.255.255.254",
			"169.254.169.254",
			"172.16.0.1",
			"172.31.255.255",
			"192.0.0.8",
			"192.0.2.1",
			"192.88.99.1",
			"192.168.1.1",
			"198.18.0.1",
			"198.19.255.255",
			"198.51.100.7",
			"203.0.113.7",
			"224.0.0.1",
			"239.255.255.250",
			"240.0.0.1",
			"255.255.255.255",
			"::",
			"::1",
			"::127.0.0.1",
			"::ffff:127.0.0.1",
			"::ffff:10.1.2.3",
			"::ffff:169.254.169.254",
			"64:ff9b::192.168.0.1",
			"64:ff9b:1::1",
			"100::1",
			"2001::1",
			"2001:db8::1",
			"2002:7f00:1::1",
			"2002:a00:1::1",
			"3fff::1",
			"5f00::1",
			"fc00::1",
			"fd12:3456::1",
			"fe80::1",
			"febf::1",
			"fec0::1",
			"ff02::1",
		] {
			let ip: IpAddr = text.parse().expect("an address");
			assert!(!is_public(ip), "{text}");
		}
	}

	#[test]
	fn addresses_of_the_internet_are_public() {
		for text in [
			"1.1.1.1",
			"9.255.255.255",
			"11.0.0.1",
			"100.63.255.255",
			"100.128.0.1",
			"128.0.0.1",
			"169.253.255.255",
			"172.15.255.255",
			"172.32.0.1",
			"192.0.1.1",
			"192.167.255.255",
			"198.17.255.255",
			"198.20.0.1",
			"223.255.255.255",
			"::ffff:8.8.8.8",
			"64:ff9b::8.8.8.8",
			"2001:200::1",
			"2001:4860:4860::8888",
			"2002:808:808::1",
			"2606:4700:4700::1111",
			"2a00:1450::1",
		] {
			let ip: IpAddr = text.parse().expect("an address");
			assert!(is_public(ip), "{text}");
		}
	}
}
