//! Who may do what on a server, as values that prove it.
//!
//! [`Access`] exists only for people who may know of the server. Its type parameter is the
//! permission that was checked: a verb that takes `&Access<needs::FileRead>` cannot be called by
//! anybody whose permission nobody looked up.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

pub use hatchery_store::Access as Standing;
use hatchery_store::{ServerSnapshot, StoreError};
use hatchery_vocab::{Permission, ServerStatus, ServerUuid, ShortId};

use crate::{Actor, Cx};

/// A permission as a type.
pub trait Needs: Send + Sync + 'static {
    /// The permission, or nothing where access alone is enough.
    const PERMISSION: Option<Permission>;
}

/// Access alone.
#[derive(Clone, Copy, Debug)]
pub enum Member {}

impl Needs for Member {
    const PERMISSION: Option<Permission> = None;
}

/// Every permission as a type.
pub mod needs {
    use hatchery_vocab::Permission;

    macro_rules! needs {
        ($($name:ident)*) => {$(
            #[doc = concat!("See [`Permission::", stringify!($name), "`].")]
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl super::Needs for $name {
                const PERMISSION: Option<Permission> = Some(Permission::$name);
            }
        )*};
    }

    needs! {
        WebsocketConnect
        ControlConsole ControlStart ControlStop ControlRestart
        UserCreate UserRead UserUpdate UserDelete
        FileCreate FileRead FileReadContent FileUpdate FileDelete FileArchive FileSftp
        BackupCreate BackupRead BackupDelete BackupDownload BackupRestore
        AllocationRead AllocationCreate AllocationUpdate AllocationDelete
        StartupRead StartupUpdate StartupDockerImage
        DatabaseCreate DatabaseRead DatabaseUpdate DatabaseDelete DatabaseViewPassword
        ScheduleCreate ScheduleRead ScheduleUpdate ScheduleDelete
        SettingsRename SettingsReinstall
        ActivityRead
    }
}

/// Someone who may know of a server, the server as it was at that moment, and the permission `P`.
#[derive(Debug)]
pub struct Access<P = Member> {
    inner: Arc<Reached>,
    proof: PhantomData<fn() -> P>,
}

/// What every [`Access`] shows.
#[derive(Debug)]
pub struct Reached {
    /// Who.
    pub actor: Arc<Actor>,
    /// The server.
    pub server: Arc<ServerSnapshot>,
    /// In what capacity.
    pub standing: Arc<Standing>,
}

impl<P> Clone for Access<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            proof: PhantomData,
        }
    }
}

impl<P> Deref for Access<P> {
    type Target = Reached;

    fn deref(&self) -> &Reached {
        &self.inner
    }
}

/// A permission is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permission is missing")]
pub struct Forbidden;

impl Reached {
    /// Whether they have a permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.standing.allows(permission)
    }

    /// What they may do, as `meta.user_permissions` and the console's token say it
    /// (client-api.md §5.3).
    pub fn permission_names(&self) -> Vec<String> {
        const ADMINISTRATOR: [&str; 4] = [
            "*",
            "admin.websocket.errors",
            "admin.websocket.install",
            "admin.websocket.transfer",
        ];
        let Standing {
            is_admin, is_owner, ..
        } = *self.standing;
        match (is_admin, is_owner) {
            (true, _) => ADMINISTRATOR.map(str::to_owned).to_vec(),
            (false, true) => vec!["*".to_owned()],
            (false, false) => self.standing.stored_permissions().to_vec(),
        }
    }

    /// Why nothing but looking works on the server right now.
    pub fn conflict(&self) -> Option<Conflict> {
        Conflict::of(&self.server)
    }
}

impl Access {
    /// The access of `actor` to a server; nothing when they may not know that it exists.
    pub async fn of(
        cx: &Cx,
        actor: Arc<Actor>,
        server: Arc<ServerSnapshot>,
    ) -> Result<Option<Self>, StoreError> {
        let standing = cx.store().access(actor.user.id, server.id).await?;
        Ok(standing.map(|standing| Self {
            inner: Arc::new(Reached {
                actor,
                server,
                standing,
            }),
            proof: PhantomData,
        }))
    }

    /// The same with the permission `P`, if they have it.
    pub fn with<P: Needs>(&self) -> Result<Access<P>, Forbidden> {
        match P::PERMISSION {
            Some(permission) if !self.may(permission) => Err(Forbidden),
            _ => Ok(Access {
                inner: Arc::clone(&self.inner),
                proof: PhantomData,
            }),
        }
    }
}

/// Finds a server by what stands in an address: eight characters are its short id, anything else
/// its UUID, in either case (client-api.md §1.7).
pub async fn find_server(cx: &Cx, name: &str) -> Result<Option<Arc<ServerSnapshot>>, StoreError> {
    if let Ok(short) = name.parse::<ShortId>() {
        return cx.store().server_by_short(short).await;
    }
    match name.parse::<ServerUuid>() {
        Ok(uuid) => cx.store().server_by_uuid(uuid).await,
        Err(_) => Ok(None),
    }
}

/// Why a server can only be looked at (client-api.md §1.8), in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// An administrator took it out of service.
    Suspended,
    /// Its node is under maintenance.
    Maintenance,
    /// It is not installed yet.
    Installing,
    /// A backup is being put back.
    Restoring,
    /// It is on its way to another node.
    Transferring,
}

impl Conflict {
    /// The conflict of a server, if it is in one.
    pub fn of(server: &ServerSnapshot) -> Option<Self> {
        Self::given(
            server.status,
            server.node.maintenance_mode,
            server.transfer.is_some(),
        )
    }

    fn given(status: Option<ServerStatus>, maintenance: bool, transferring: bool) -> Option<Self> {
        match status {
            Some(ServerStatus::Suspended) => Some(Self::Suspended),
            _ if maintenance => Some(Self::Maintenance),
            Some(ServerStatus::Installing | ServerStatus::InstallFailed) => Some(Self::Installing),
            Some(ServerStatus::RestoringBackup) => Some(Self::Restoring),
            Some(ServerStatus::ReinstallFailed) | None => {
                transferring.then_some(Self::Transferring)
            }
        }
    }

    /// Whether an administrator may open the console all the same.
    pub const fn lets_administrators_watch(self) -> bool {
        matches!(
            self,
            Self::Installing | Self::Restoring | Self::Transferring
        )
    }

    /// What people are told.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Suspended => {
                "This server is currently suspended and the functionality requested is unavailable."
            }
            Self::Maintenance => {
                "The node of this server is currently under maintenance and the functionality requested is unavailable."
            }
            Self::Installing => {
                "This server has not yet completed its installation process, please try again later."
            }
            Self::Restoring => {
                "This server is currently restoring from a backup, please try again later."
            }
            Self::Transferring => {
                "This server is currently being transferred to a new machine, please try again later."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_matching_row_of_the_table_gives_the_conflict() {
        use ServerStatus::{
            InstallFailed, Installing, ReinstallFailed, RestoringBackup, Suspended,
        };
        let table = [
            (None, false, false, None),
            (Some(ReinstallFailed), false, false, None),
            (
                Some(ReinstallFailed),
                false,
                true,
                Some(Conflict::Transferring),
            ),
            (None, false, true, Some(Conflict::Transferring)),
            (None, true, true, Some(Conflict::Maintenance)),
            (Some(Suspended), true, true, Some(Conflict::Suspended)),
            (Some(Installing), true, false, Some(Conflict::Maintenance)),
            (Some(Installing), false, true, Some(Conflict::Installing)),
            (
                Some(InstallFailed),
                false,
                false,
                Some(Conflict::Installing),
            ),
            (
                Some(RestoringBackup),
                false,
                true,
                Some(Conflict::Restoring),
            ),
        ];
        for (status, maintenance, transferring, expected) in table {
            assert_eq!(
                Conflict::given(status, maintenance, transferring),
                expected,
                "{status:?} {maintenance} {transferring}"
            );
        }
    }
}
