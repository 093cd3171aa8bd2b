//! How many sockets there may be: per server, per address, per user.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use hatchery_vocab::{ServerUuid, UserUuid};
use parking_lot::Mutex;

use crate::config::SocketLimits;

/// Counts open sockets.
#[derive(Debug)]
pub(crate) struct SocketCount {
    limits: SocketLimits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    servers: HashMap<ServerUuid, usize>,
    /// Those of the servers' sockets on which nobody has said yet who they are.
    unknown: HashMap<ServerUuid, usize>,
    addresses: HashMap<IpAddr, usize>,
    users: HashMap<UserUuid, usize>,
}

/// A place of one socket, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    count: Arc<SocketCount>,
    server: ServerUuid,
    address: IpAddr,
    user: Option<UserUuid>,
}

impl SocketCount {
    pub(crate) fn new(limits: SocketLimits) -> Self {
        Self {
            limits,
            taken: Mutex::default(),
        }
    }

    /// Takes a place for somebody unknown, unless the server or the address has too many.
    pub(crate) fn sit(self: &Arc<Self>, server: ServerUuid, address: IpAddr) -> Option<Seat> {
        let address = network(address);
        let mut taken = self.taken.lock();
        let full = count(&taken.servers, &server) >= self.limits.per_server
            || count(&taken.unknown, &server) >= self.limits.unknown_per_server
            || count(&taken.addresses, &address) >= self.limits.per_address;
        if full {
            return None;
        }
        *taken.servers.entry(server).or_default() += 1;
        *taken.unknown.entry(server).or_default() += 1;
        *taken.addresses.entry(address).or_default() += 1;
        Some(Seat {
            count: Arc::clone(self),
            server,
            address,
            user: None,
        })
    }
}

impl Seat {
    /// Says whose the place is; `false` when the user has too many already.
    pub(crate) fn claim(&mut self, user: UserUuid) -> bool {
        if self.user == Some(user) {
            return true;
        }
        let mut taken = self.count.taken.lock();
        if count(&taken.users, &user) >= self.count.limits.per_user {
            return false;
        }
        *taken.users.entry(user).or_default() += 1;
        match self.user.replace(user) {
            Some(before) => release(&mut taken.users, before),
            None => release(&mut taken.unknown, self.server),
        }
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.count.taken.lock();
        release(&mut taken.servers, self.server);
        release(&mut taken.addresses, self.address);
        match self.user {
            Some(user) => release(&mut taken.users, user),
            None => release(&mut taken.unknown, self.server),
        }
    }
}

/// What counts as one address: of IPv6 a whole network of 64 bits, which is what one person has.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

fn count<K: Eq + Hash>(taken: &HashMap<K, usize>, key: &K) -> usize {
    taken.get(key).copied().unwrap_or(0)
}

fn release<K: Eq + Hash>(taken: &mut HashMap<K, usize>, key: K) {
    if let std::collections::hash_map::Entry::Occupied(mut place) = taken.entry(key) {
        *place.get_mut() -= 1;
        if *place.get() == 0 {
            place.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let limits = SocketLimits {
            per_user: 1,
            per_server: 3,
            unknown_per_server: 3,
            per_address: 2,
            auth_deadline: Duration::ZERO,
            send_deadline: Duration::ZERO,
        };
        let count = Arc::new(SocketCount::new(limits));
        let server = "f3f95466-7e8b-42a4-8504-6e7055874e39".parse().unwrap();
        let user = |digit: char| {
            format!("{digit}3aac109-cfa8-4ac0-b09c-09f78c8c77a5")
                .parse()
                .unwrap()
        };
        let at = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
        let mut first = count.sit(server, at(1)).unwrap();
        let mut second = count.sit(server, at(1)).unwrap();
        assert!(count.sit(server, at(1)).is_none(), "the address is full");
        let third = count.sit(server, at(2)).unwrap();
        assert!(count.sit(server, at(3)).is_none(), "the server is full");
        assert!(first.claim(user('a')) && first.claim(user('a')));
        assert!(!second.claim(user('a')) && second.claim(user('b')));
        assert!(first.claim(user('c')) && second.claim(user('a')));
        drop((first, second, third));
        let taken = count.taken.lock();
        assert!(
            taken.servers.is_empty()
                && taken.unknown.is_empty()
                && taken.addresses.is_empty()
                && taken.users.is_empty()
        );
    }

    #[test]
    fn strangers_fill_neither_a_server_nor_a_network() {
        let limits = SocketLimits {
            per_user: 9,
            per_server: 9,
            unknown_per_server: 2,
            per_address: 3,
            auth_deadline: Duration::ZERO,
            send_deadline: Duration::ZERO,
        };
        let count = Arc::new(SocketCount::new(limits));
        let server = |digit: char| {
            format!("{digit}3f95466-7e8b-42a4-8504-6e7055874e39")
                .parse()
                .unwrap()
        };
        let at = |text: &str| text.parse().unwrap();
        let mut first = count.sit(server('a'), at("2001:db8::1")).unwrap();
        let second = count.sit(server('a'), at("2001:db8::2")).unwrap();
        assert!(
            count.sit(server('a'), at("10.0.0.1")).is_none(),
            "two strangers are enough"
        );
        assert!(first.claim("d3aac109-cfa8-4ac0-b09c-09f78c8c77a5".parse().unwrap()));
        let third = count.sit(server('a'), at("10.0.0.1")).unwrap();
        let fourth = count.sit(server('b'), at("2001:db8::3")).unwrap();
        assert!(
            count.sit(server('b'), at("2001:db8::4")).is_none(),
            "the network is full"
        );
        assert!(
            count.sit(server('b'), at("2001:db8:0:1::4")).is_some(),
            "another network"
        );
        drop((first, second, third, fourth));
        let taken = count.taken.lock();
        assert!(taken.unknown.is_empty() && taken.addresses.is_empty());
    }
}
