//! Who may reach a server, and what they may do there (client-api.md §1.7, §5.2, §5.3).

use std::sync::Arc;

use hatchery_vocab::{Permission, PermissionSet, ServerId, UserId};

use crate::sql::{column, params};
use crate::{Store, StoreError};

/// A user's standing towards a server that they can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether the user owns it.
    pub is_owner: bool,
    /// Whether the user is an administrator.
    pub is_admin: bool,
    /// The permissions of a subuser's record; nobody else's are ever asked for.
    granted: PermissionSet,
    /// The same by name, as stored.
    stored: Vec<String>,
}

impl Access {
    /// Whether the user may do this.
    pub const fn allows(&self, permission: Permission) -> bool {
        self.is_owner || self.is_admin || self.granted.contains(permission)
    }

    /// Everything that the user may do.
    pub const fn permissions(&self) -> PermissionSet {
        if self.is_owner || self.is_admin {
            PermissionSet::ALL
        } else {
            self.granted
        }
    }

    /// The permissions of the user's own record as a subuser, in their stored order. Empty for
    /// owners and for administrators who are no subusers.
    pub fn stored_permissions(&self) -> &[String] {
        &self.stored
    }
}

/// The servers that a user can reach without being an administrator, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessibleServers {
    /// Those that the user owns.
    pub owned: Vec<ServerId>,
    /// Those that the user owns or is a subuser of.
    pub all: Vec<ServerId>,
}

impl Store {
    /// A user's access to a server, or `None` for no access at all. Cached.
    pub async fn access(
        &self,
        user: UserId,
        server: ServerId,
    ) -> Result<Option<Arc<Access>>, StoreError> {
        if let Some(access) = self.caches().access.get(&(user, server)) {
            return Ok(Some(access));
        }
        let generation = self.caches().generation();
        let (Some(person), Some(snapshot)) = (self.user(user).await?, self.server(server).await?)
        else {
            return Ok(None);
        };
        let subuser = self.subuser(user, server).await?;
        let is_owner = snapshot.owner_id == user;
        if !is_owner && !person.root_admin && subuser.is_none() {
            return Ok(None);
        }
        let access = Arc::new(Access {
            is_owner,
            is_admin: person.root_admin,
            granted: subuser
                .as_ref()
                .map_or(PermissionSet::EMPTY, crate::Subuser::permission_set),
            stored: subuser
                .map(|subuser| subuser.permissions)
                .unwrap_or_default(),
        });
        self.caches().keep(generation, |caches| {
            caches.access.insert((user, server), Arc::clone(&access));
        });
        Ok(Some(access))
    }

    /// The servers that a user owns or is a subuser of. Cached.
    pub async fn servers_of(&self, user: UserId) -> Result<Arc<AccessibleServers>, StoreError> {
        if let Some(servers) = self.caches().accessible.get(&user) {
            return Ok(servers);
        }
        let generation = self.caches().generation();
        let sql = "SELECT id FROM servers WHERE owner_id = $1 ORDER BY id";
        let owned: Vec<ServerId> = column(self.db().scan(sql, params![user].to_vec()).await?)?;
        let sql = "SELECT server_id FROM subusers WHERE user_id = $1";
        let mut all: Vec<ServerId> = column(self.db().scan(sql, params![user].to_vec()).await?)?;
        all.extend_from_slice(&owned);
        all.sort_unstable();
        all.dedup();
        let servers = Arc::new(AccessibleServers { owned, all });
        self.caches().keep(generation, |caches| {
            caches.accessible.insert(user, Arc::clone(&servers));
        });
        Ok(servers)
    }
}
