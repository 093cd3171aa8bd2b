//! Under which settings an exchange was recorded: its name says so.

use crate::panel::Variant;
use crate::recording::Exchange;

/// How names begin, and the settings that this means.
const VARIANTS: [(&str, &[(&str, &str)]); 10] = [
    (
        "default rate limit",
        &[("HATCHERY_RATE_LIMIT_PER_MINUTE", "240")],
    ),
    ("limit of 3", &[("HATCHERY_RATE_LIMIT_PER_MINUTE", "3")]),
    ("limit of 2", &[("HATCHERY_RATE_LIMIT_PER_MINUTE", "2")]),
    (
        "2fa required for all",
        &[("HATCHERY_TWO_FACTOR", "everybody")],
    ),
    (
        "2fa required for admins",
        &[("HATCHERY_TWO_FACTOR", "admins")],
    ),
    (
        "databases feature off",
        &[("HATCHERY_CLIENT_DATABASES_ENABLED", "false")],
    ),
    (
        "databases random host off",
        &[("HATCHERY_CLIENT_DATABASES_ANY_HOST", "false")],
    ),
    (
        "allocation feature off",
        &[("HATCHERY_CLIENT_ALLOCATIONS_ENABLED", "false")],
    ),
    ("recaptcha on", &[]),
    ("maintenance mode", &[("HATCHERY_MAINTENANCE", "true")]),
];

/// Words in the names of exchanges that are about limits.
const LIMITS: [&str; 4] = ["lockout", "rate limit", "throttle", "limit of"];

/// The settings of an exchange. One whose name is withheld has those of its neighbours: the ones
/// before it since the world was reset, else the ones after it until the next reset.
pub(crate) fn variant(exchanges: &[Exchange], index: usize) -> Variant {
    let name = neighbour(exchanges, index).map_or("", |exchange| exchange.name.as_str());
    VARIANTS
        .iter()
        .find(|(start, _)| name.starts_with(start))
        .map(|(_, settings)| {
            let owned = |&(name, value): &(&'static str, &str)| (name, value.to_owned());
            settings.iter().map(owned).collect()
        })
        .unwrap_or_default()
}

/// Whether the exchanges around it, from reset to reset, are about limits; of files to fetch, whether
/// the same was asked just before, since only its series of many is.
pub(crate) fn speaks_of_limits(exchanges: &[Exchange], index: usize) -> bool {
    let exchange = &exchanges[index];
    if is_pull(exchange) {
        return index.checked_sub(1).is_some_and(|before| {
            let before = &exchanges[before];
            before.path == exchange.path && before.request_body == exchange.request_body
        });
    }
    group(exchanges, index)
        .iter()
        .any(|exchange| LIMITS.iter().any(|word| exchange.name.contains(word)))
}

/// Whether the panel remembers something about such requests that the reference had forgotten: it
/// keeps a server's figures for a while, and counts attempts to sign in and files to fetch.
pub(crate) fn keeps_state_in_memory(exchange: &Exchange) -> bool {
    let path = exchange.path.split('?').next().unwrap_or_default();
    path.ends_with("/resources")
        || is_pull(exchange)
        || exchange.method == "POST"
            && matches!(
                path,
                "/auth/login" | "/auth/password" | "/auth/password/reset"
            )
}

fn is_pull(exchange: &Exchange) -> bool {
    exchange.method == "POST" && exchange.path.ends_with("/files/pull")
}

fn neighbour(exchanges: &[Exchange], index: usize) -> Option<&Exchange> {
    let start = group_start(exchanges, index);
    let named = |exchange: &&Exchange| !exchange.withheld;
    exchanges[start..=index]
        .iter()
        .rfind(named)
        .or_else(|| group(exchanges, index).iter().find(named))
}

/// The exchanges from the last reset to the next.
fn group(exchanges: &[Exchange], index: usize) -> &[Exchange] {
    let start = group_start(exchanges, index);
    let length = exchanges[index + 1..]
        .iter()
        .position(|exchange| exchange.reset)
        .map_or(exchanges.len(), |after| index + 1 + after);
    &exchanges[start..length]
}

fn group_start(exchanges: &[Exchange], index: usize) -> usize {
    exchanges[..=index]
        .iter()
        .rposition(|exchange| exchange.reset)
        .unwrap_or(0)
}
