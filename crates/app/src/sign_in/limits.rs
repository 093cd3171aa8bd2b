//! Who may try how often. The reference counts all log-ins of the world together, so that ten requests
//! a minute lock everybody out (security.md, GHSA-xvc3-826v-xf47); here one who tries is slowed down
//! alone.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use hatchery_auth::SessionToken;
use hatchery_vocab::UserId;

use super::{SignInError, network};
use crate::Cx;
use crate::windows::{Exceeded, Quota, Windows};

const MINUTE: Duration = Duration::from_mins(1);
/// How often one address may try any accounts. Success does not clear it: whoever has one account
/// could go through everybody else's.
const TRIES_OF_ADDRESS: u32 = 60;
/// How often one address may try one account, whatever comes of it (client-api.md §1.9).
const TRIES: u32 = 10;
/// How many of these may fail (client-api.md §7.1).
const FAILURES: u32 = 5;
/// How often one address may ask for a forgotten password (client-api.md §1.9).
const FORGOTTEN: u32 = 2;
/// How many wrong passwords may be given for one account by those who are signed in to it already:
/// whoever found a key must not find out the password with it.
const PROOFS: u32 = 30;
const PROOFS_PERIOD: Duration = Duration::from_mins(10);
/// How often somebody may learn that an e-mail address is taken (GHSA-j7f5-gfqm-pcx3).
const TAKEN_ADDRESSES: u32 = 5;
const TAKEN_ADDRESSES_PERIOD: Duration = Duration::from_hours(1);

/// A browser as it introduces itself.
#[derive(Clone, Debug)]
pub struct Browser {
    /// From where.
    pub address: IpAddr,
    /// What it calls itself.
    pub user_agent: String,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tried {
    /// An account, by the name that was typed, from one address. Two names that collide share a
    /// limit, which harms nobody but the address that found them.
    Account(IpAddr, u64),
    /// One browser at one address.
    Browser(IpAddr, u64),
    /// Somebody's second factor, wherever from: only who knows the password gets here.
    SecondFactor(UserId),
}

/// Everything that is counted about people who prove who they are.
#[derive(Debug)]
pub(crate) struct Limits {
    addresses: Windows<IpAddr>,
    tries: Windows<Tried>,
    failures: Windows<Tried>,
    pub(crate) forgotten: Windows<IpAddr>,
    pub(crate) proofs: Windows<UserId>,
    pub(crate) taken_addresses: Windows<UserId>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            addresses: Windows::new(TRIES_OF_ADDRESS, MINUTE),
            tries: Windows::new(TRIES, MINUTE),
            failures: Windows::new(FAILURES, MINUTE),
            forgotten: Windows::new(FORGOTTEN, MINUTE),
            proofs: Windows::new(PROOFS, PROOFS_PERIOD),
            taken_addresses: Windows::new(TAKEN_ADDRESSES, TAKEN_ADDRESSES_PERIOD),
        }
    }

    /// Counts an attempt at somebody's second factor, before its outcome is known.
    pub(super) fn count_second_factor(&self, cx: &Cx, user: UserId) -> Result<(), SignInError> {
        let hit = self.failures.hit(Tried::SecondFactor(user), cx.now());
        hit.map(drop).map_err(SignInError::LockedOut)
    }

    pub(super) fn forget_second_factor(&self, user: UserId) {
        self.failures.clear(Tried::SecondFactor(user));
    }
}

/// A try that the limits let through.
#[derive(Debug)]
pub struct Try<'a> {
    browser: &'a Browser,
    tried: Tried,
    quota: Quota,
}

impl<'a> Try<'a> {
    /// At an account, by the name that was typed.
    pub fn at_account(cx: &Cx, login: &str, browser: &'a Browser) -> Result<Self, Exceeded> {
        let login = digest(&login.trim().to_lowercase());
        Self::count(cx, Tried::Account(network(browser.address), login), browser)
    }

    /// At the second step of a sign-in.
    pub fn at_checkpoint(
        cx: &Cx,
        token: &SessionToken,
        browser: &'a Browser,
    ) -> Result<Self, Exceeded> {
        let token = digest(token.digest().as_bytes());
        Self::count(cx, Tried::Browser(network(browser.address), token), browser)
    }

    fn count(cx: &Cx, tried: Tried, browser: &'a Browser) -> Result<Self, Exceeded> {
        let (limits, now) = (cx.sign_in_limits(), cx.now());
        limits.addresses.hit(network(browser.address), now)?;
        let quota = limits.tries.hit(tried, now)?;
        Ok(Self {
            browser,
            tried,
            quota,
        })
    }

    /// How many more there may be.
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// Who tries.
    pub const fn browser(&self) -> &'a Browser {
        self.browser
    }

    /// Counts before the outcome is known, so that attempts at the same time cannot all slip through.
    pub(super) fn count_failure(&self, cx: &Cx) -> Result<(), SignInError> {
        let hit = cx.sign_in_limits().failures.hit(self.tried, cx.now());
        hit.map(drop).map_err(SignInError::LockedOut)
    }

    pub(super) fn forget_failures(&self, cx: &Cx) {
        cx.sign_in_limits().failures.clear(self.tried);
    }
}

fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
