//! Lists of servers with filters, orders and pages (client-api.md §1.13, §1.14).

use std::sync::Arc;

use hatchery_db::Value;
use hatchery_vocab::{ServerId, UserId};

use crate::sql::{Param, cell, column, like_literal};
use crate::{AdminUser, Page, Paged, ServerSnapshot, Store, StoreError};

/// Among which servers to look. The wide scopes take the proof that an administrator asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerScope {
    /// Those that the user owns or is a subuser of.
    Accessible(UserId),
    /// Those that the user owns.
    Owned(UserId),
    /// Those that the administrator neither owns nor is a subuser of.
    Others(AdminUser),
    /// All.
    All(AdminUser),
}

/// Which servers to keep. The parts of a list are alternatives; an empty list keeps all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFilter {
    /// Parts of the UUID, in any case.
    pub uuid: Vec<String>,
    /// Parts of the name, in any case.
    pub name: Vec<String>,
    /// Parts of the description, in any case.
    pub description: Vec<String>,
    /// Parts of the external id, in any case.
    pub external_id: Vec<String>,
    /// The search box, `filter[*]`: an address, a port, or the start of an id or a part of a name.
    pub any: Option<String>,
}

/// By what to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortField {
    /// The name, in any case.
    Name,
    /// The time of creation.
    CreatedAt,
    /// The public id.
    Uuid,
    /// The status; ordinary servers first.
    Status,
    /// The row.
    Id,
}

/// One order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerSort {
    /// By what.
    pub field: SortField,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A list to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerQuery {
    /// Among which servers.
    pub scope: ServerScope,
    /// Which of them.
    pub filter: ServerFilter,
    /// The first order decides, then the next. Ids decide last.
    pub sort: Vec<ServerSort>,
    /// Which piece.
    pub page: Page,
}

impl ServerQuery {
    /// Whether the answer needs no look into the database: all servers of one user, in the usual
    /// order.
    pub fn is_answered_from_copies(&self) -> bool {
        matches!(
            self.scope,
            ServerScope::Accessible(_) | ServerScope::Owned(_)
        ) && self.filter == ServerFilter::default()
            && self.sort.is_empty()
    }
}

impl Store {
    /// A page of servers. Without filters and orders, the servers of one user come from memory.
    pub async fn list_servers(
        &self,
        query: &ServerQuery,
    ) -> Result<Paged<Arc<ServerSnapshot>>, StoreError> {
        if let (ServerScope::Accessible(user) | ServerScope::Owned(user), true) =
            (query.scope, query.is_answered_from_copies())
        {
            let accessible = self.servers_of(user).await?;
            let ids = match query.scope {
                ServerScope::Owned(_) => &accessible.owned,
                _ => &accessible.all,
            };
            let items = self.servers(query.page.of(ids)).await?;
            return Ok(Paged {
                total: ids.len() as u64,
                items,
            });
        }
        let mut conditions = Conditions::default();
        conditions.scope(query.scope);
        conditions.filter(&query.filter);
        let sql = format!("SELECT COUNT(*) FROM servers s WHERE {}", conditions.sql());
        let rows = self.db().scan(&sql, conditions.values.clone()).await?;
        let total = rows.into_iter().next().map_or(Ok(0), cell)?;
        let (limit, offset) = (
            conditions.param(&query.page.size),
            conditions.param(&query.page.offset()),
        );
        let sql = format!(
            "SELECT s.id FROM servers s WHERE {} ORDER BY {} LIMIT {limit} OFFSET {offset}",
            conditions.sql(),
            order_by(&query.sort),
        );
        let ids: Vec<ServerId> = column(self.db().scan(&sql, conditions.values).await?)?;
        Ok(Paged {
            total,
            items: self.servers(&ids).await?,
        })
    }
}

fn order_by(sort: &[ServerSort]) -> String {
    let mut terms: Vec<String> = sort
        .iter()
        .map(|sort| {
            let term = match sort.field {
                SortField::Name => "fold(s.name)",
                SortField::CreatedAt => "s.created_at",
                SortField::Uuid => "CAST(s.uuid AS TEXT)",
                // The engines disagree on where NULL sorts.
                SortField::Status => "COALESCE(s.status, '')",
                SortField::Id => "s.id",
            };
            format!("{term}{}", if sort.descending { " DESC" } else { "" })
        })
        .collect();
    terms.push("s.id".to_owned());
    terms.join(", ")
}

/// The `WHERE` of a list: fixed fragments and numbered parameters, never text from outside.
#[derive(Default)]
struct Conditions {
    terms: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    fn sql(&self) -> String {
        if self.terms.is_empty() {
            "TRUE".to_owned()
        } else {
            self.terms.join(" AND ")
        }
    }

    /// The placeholder of a new parameter.
    fn param(&mut self, value: &impl Param) -> String {
        self.values.push(value.value());
        format!("${}", self.values.len())
    }

    fn scope(&mut self, scope: ServerScope) {
        const SUBUSER: &str =
            "EXISTS (SELECT 1 FROM subusers u WHERE u.server_id = s.id AND u.user_id =";
        match scope {
            ServerScope::All(_) => {}
            ServerScope::Owned(user) => {
                let user = self.param(&user);
                self.terms.push(format!("s.owner_id = {user}"));
            }
            ServerScope::Accessible(user) => {
                let user = self.param(&user);
                self.terms
                    .push(format!("(s.owner_id = {user} OR {SUBUSER} {user}))"));
            }
            ServerScope::Others(admin) => {
                let user = self.param(&admin.id());
                self.terms
                    .push(format!("s.owner_id <> {user} AND NOT {SUBUSER} {user})"));
            }
        }
    }

    fn filter(&mut self, filter: &ServerFilter) {
        self.contains("CAST(s.uuid AS TEXT)", &filter.uuid);
        self.contains("s.name", &filter.name);
        self.contains("s.description", &filter.description);
        self.contains("s.external_id", &filter.external_id);
        if let Some(text) = &filter.any {
            self.any(text);
        }
    }

    /// Keeps the rows in which the column has one of the parts.
    fn contains(&mut self, column: &str, parts: &[String]) {
        if parts.is_empty() {
            return;
        }
        let alternatives: Vec<String> = parts
            .iter()
            .map(|part| {
                let pattern = self.param(&format!("%{}%", like_literal(part)));
                format!("fold({column}) LIKE fold({pattern}) ESCAPE '\\'")
            })
            .collect();
        self.terms.push(format!("({})", alternatives.join(" OR ")));
    }

    /// `filter[*]` of client-api.md §1.14.
    fn any(&mut self, text: &str) {
        if let Some((ip, port)) = address(text) {
            let mut wanted = Vec::new();
            if let Some(ip) = ip {
                wanted.push(format!("a.ip = {}", self.param(&ip)));
            }
            if let Some(port) = port {
                wanted.push(format!(
                    "CAST(a.port AS TEXT) LIKE {}",
                    self.param(&format!("{port}%"))
                ));
            }
            self.terms.push(format!(
                "EXISTS (SELECT 1 FROM allocations a WHERE a.server_id = s.id AND {})",
                wanted.join(" AND ")
            ));
            return;
        }
        let start = self.param(&format!("{}%", like_literal(text)));
        let exact = self.param(&text);
        // A quirk that is kept: `%` and `_` are wildcards in this one search of names.
        let name = self.param(&format!("%{}%", text.replace('\\', "\\\\")));
        self.terms.push(format!(
            "(fold(CAST(s.uuid AS TEXT)) LIKE fold({start}) ESCAPE '\\' OR s.short = fold({exact})
              OR fold(s.external_id) = fold({exact}) OR fold(s.name) LIKE fold({name}) ESCAPE '\\')"
        ));
    }
}

/// The address and the first digits of the port in a search such as `10.0.0.1`, `10.0.0.1:255` or
/// `:255`. Anything else is not about addresses.
fn address(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (ip, port) = match text.split_once(':') {
        Some((ip, port)) => (ip, Some(port)),
        None => (text, None),
    };
    if !port.is_none_or(|port| digits(port, 5)) {
        return None;
    }
    if ip.is_empty() {
        return port.map(|port| (None, Some(port)));
    }
    let groups: Vec<&str> = ip.split('.').collect();
    (groups.len() == 4 && groups.iter().all(|group| digits(group, 3))).then_some((Some(ip), port))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn searches_for_addresses_are_told_from_others() {
        assert_eq!(address("10.0.0.1"), Some((Some("10.0.0.1"), None)));
        assert_eq!(
            address("999.0.0.1:255"),
            Some((Some("999.0.0.1"), Some("255")))
        );
        assert_eq!(address(":2"), Some((None, Some("2"))));
        for text in [
            "",
            ":",
            "10.0.0",
            "10.0.0.1.2",
            "10.0.0.1:",
            "10.0.0.1:123456",
            "a.0.0.1",
            ":2a",
            "1000.0.0.1",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
