//! The addresses from which an API key may be used (client-api.md §1.4).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// One entry of a key's list of allowed addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRule {
    /// One address.
    One(IpAddr),
    /// A network such as `10.0.0.0/8` or `2001:db8::/32`.
    Network(IpNet),
    /// Every address from the first to the last, both included and of one family.
    Range(IpAddr, IpAddr),
    /// An IPv4 address of which some numbers may be any, such as `10.0.*.*`.
    Wildcard([Option<u8>; 4]),
}

/// The text is not an address, network, range or wildcard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a valid IP address or CIDR range.")]
pub struct ParseAddressRule(pub String);

impl AddressRule {
    /// Whether the rule covers an address. An IPv4 address that is mapped into IPv6 counts as the
    /// IPv4 address that it is.
    pub fn covers(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match *self {
            Self::One(one) => one == address,
            Self::Network(network) => network.contains(&address),
            Self::Range(first, last) => {
                first.is_ipv4() == address.is_ipv4() && first <= address && address <= last
            }
            Self::Wildcard(numbers) => match address {
                IpAddr::V4(address) => std::iter::zip(numbers, address.octets())
                    .all(|(expected, number)| expected.is_none_or(|expected| expected == number)),
                IpAddr::V6(_) => false,
            },
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.contains('/') {
            return Some(Self::Network(canonical_network(text.parse().ok()?)));
        }
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (parse_address(first.trim())?, parse_address(last.trim())?);
            return (first.is_ipv4() == last.is_ipv4() && first <= last)
                .then_some(Self::Range(first, last));
        }
        if text.contains('*') {
            return parse_wildcard(text).map(Self::Wildcard);
        }
        parse_address(text).map(Self::One)
    }
}

impl FromStr for AddressRule {
    type Err = ParseAddressRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| ParseAddressRule(text.to_owned()))
    }
}

fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// A network of mapped IPv4 addresses as the IPv4 network that it is.
fn canonical_network(network: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(wide) = network else {
        return network;
    };
    let (Some(address), Some(prefix)) = (
        wide.addr().to_ipv4_mapped(),
        wide.prefix_len().checked_sub(MAPPED_BITS),
    ) else {
        return network;
    };
    IpNet::new(address.into(), prefix).unwrap_or(network)
}

fn parse_wildcard(text: &str) -> Option<[Option<u8>; 4]> {
    let mut parts = text.split('.');
    let mut numbers = [None; 4];
    for number in &mut numbers {
        *number = match parts.next()? {
            "*" => None,
            // The address parser knows that `010` and `+1` are no numbers of an address.
            digits => Some(format!("0.0.0.{digits}").parse::<Ipv4Addr>().ok()?.octets()[3]),
        };
    }
    parts.next().is_none().then_some(numbers)
}

/// A key's list of allowed addresses. An empty list allows every address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<AddressRule>);

impl AddressList {
    /// Reads a list. The error says which entry is wrong, counted from zero.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, (usize, ParseAddressRule)> {
        entries
            .iter()
            .enumerate()
            .map(|(index, entry)| entry.as_ref().parse().map_err(|error| (index, error)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a key with this list may be used from an address.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|rule| rule.covers(address))
    }
}

impl fmt::Display for AddressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => address.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
            Self::Wildcard(numbers) => {
                for (index, number) in numbers.iter().enumerate() {
                    let dot = if index == 0 { "" } else { "." };
                    match number {
                        Some(number) => write!(f, "{dot}{number}")?,
                        None => write!(f, "{dot}*")?,
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_and_what_they_cover() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            (
                "192.0.2.7",
                &["192.0.2.7", "::ffff:192.0.2.7"],
                &["192.0.2.8", "::1"],
            ),
            (
                "2001:db8::1",
                &["2001:db8:0::1"],
                &["2001:db8::2", "192.0.2.7"],
            ),
            ("::ffff:192.0.2.7", &["192.0.2.7"], &["192.0.2.8"]),
            (
                "10.1.2.3/8",
                &["10.0.0.0", "10.255.255.255", "::ffff:10.9.9.9"],
                &["11.0.0.0", "::a00:1"],
            ),
            (
                "2001:db8::/32",
                &["2001:db8:ffff::1"],
                &["2001:db9::1", "10.0.0.1"],
            ),
            ("::ffff:10.0.0.0/104", &["10.200.0.1"], &["11.0.0.1"]),
            (
                "10.0.0.5-10.0.1.2",
                &["10.0.0.5", "10.0.0.255", "10.0.1.2"],
                &["10.0.0.4", "10.0.1.3", "::1"],
            ),
            (
                "fe80::1 - fe80::ff",
                &["fe80::80"],
                &["fe80::1:0", "10.0.0.1"],
            ),
            (
                "10.*.0.*",
                &["10.0.0.0", "10.255.0.255"],
                &["10.0.1.0", "11.0.0.0", "::1"],
            ),
        ];
        for (text, covered, others) in table {
            let rule: AddressRule = text.parse().unwrap();
            for address in covered {
                assert!(
                    rule.covers(address.parse().unwrap()),
                    "{text} should cover {address}"
                );
            }
            for address in others {
                assert!(
                    !rule.covers(address.parse().unwrap()),
                    "{text} should not cover {address}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_rule_says_so_in_the_sentence_of_the_wire() {
        for text in [
            "",
            " ",
            "localhost",
            "10.0.0",
            "10.0.0.0.0",
            "256.0.0.1",
            "010.0.0.1",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.1/255.0.0.0",
            "::/129",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-::1",
            "10.0.0.1-",
            "-",
            "10.0.*",
            "10.0.*.*.*",
            "10.0.*.256",
            "10.0.*.+1",
            "10.0.*.**",
            "fe80::*",
            "*",
            "10.0.*.0/8",
            "/8",
            "10.0.0.1 ",
        ] {
            let error = text.parse::<AddressRule>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("\"{text}\" is not a valid IP address or CIDR range.")
            );
        }
    }

    #[test]
    fn an_empty_list_allows_everybody_and_a_list_only_its_own() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(AddressList::default().allows(local));
        let list = AddressList::parse(&["10.0.0.0/8", "127.0.0.*"]).unwrap();
        assert!(list.allows(local));
        assert!(!list.allows("192.0.2.1".parse().unwrap()));
        let (index, error) = AddressList::parse(&["10.0.0.0/8", "10.0.0.0/33"]).unwrap_err();
        assert_eq!((index, error.0.as_str()), (1, "10.0.0.0/33"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_rule_reads_its_own_text(text in "[0-9a-f:./*-]{0,40}") {
            if let Ok(rule) = text.parse::<AddressRule>() {
                prop_assert_eq!(rule.to_string().parse(), Ok(rule));
            }
        }

        #[test]
        fn a_range_covers_what_lies_between_its_ends(first: u32, last: u32, address: u32) {
            let [first_text, last_text] = [first, last].map(|bits| Ipv4Addr::from_bits(bits).to_string());
            match format!("{first_text}-{last_text}").parse::<AddressRule>() {
                Ok(rule) => {
                    let covered = rule.covers(Ipv4Addr::from_bits(address).into());
                    prop_assert_eq!(covered, (first..=last).contains(&address));
                }
                Err(_) => prop_assert!(first > last),
            }
        }

        #[test]
        fn a_network_is_the_range_from_its_first_to_its_last_address(bits: u32, prefix in 0_u8..=32, address: u32) {
            let rule: AddressRule = format!("{}/{prefix}", Ipv4Addr::from_bits(bits)).parse().unwrap();
            let AddressRule::Network(network) = rule else { panic!("{rule}") };
            let range = AddressRule::Range(network.network(), network.broadcast());
            let address = Ipv4Addr::from_bits(address).into();
            prop_assert_eq!(rule.covers(address), range.covers(address));
        }
    }
}
