//! What a subuser may do, exactly as named on the wire (client-api.md §5.1).

use std::fmt;

macro_rules! permissions {
    ($($group:literal $group_doc:literal { $($variant:ident $key:literal $doc:literal)* })*) => {
        /// One thing that a subuser may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission {
            $($(#[doc = $doc] $variant,)*)*
        }

        impl Permission {
            /// Every permission in the order of the specification.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// The dotted name on the wire, such as `control.start`.
            pub const fn key(self) -> &'static str {
                match self {
                    $($(Self::$variant => concat!($group, ".", $key),)*)*
                }
            }

            /// The permission of this dotted name.
            pub fn from_key(key: &str) -> Option<Self> {
                match key {
                    $($(concat!($group, ".", $key) => Some(Self::$variant),)*)*
                    _ => None,
                }
            }
        }

        impl PermissionGroup {
            /// Every group in the order of the specification.
            pub const ALL: &[Self] = &[$(
                Self {
                    name: $group,
                    description: $group_doc,
                    keys: &[$(($key, $doc),)*],
                },
            )*];
        }
    };
}

/// Permissions that belong together, with words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionGroup {
    /// The part of the dotted names before the dot.
    pub name: &'static str,
    /// What the group is about.
    pub description: &'static str,
    /// The part after the dot, and what it allows.
    pub keys: &'static [(&'static str, &'static str)],
}

permissions! {
    "websocket" "Access to the server's websocket: console output and live statistics." {
        WebsocketConnect "connect" "Open the websocket and read the console."
    }
    "control" "Control over the server's power state and console." {
        ControlConsole "console" "Send commands to the console."
        ControlStart "start" "Start the server."
        ControlStop "stop" "Stop or kill the server."
        ControlRestart "restart" "Restart the server. This may start an offline server, but cannot leave it stopped."
    }
    "user" "Manage the server's other subusers; never oneself, and never permissions that one lacks." {
        UserCreate "create" "Add subusers."
        UserRead "read" "See subusers and their permissions."
        UserUpdate "update" "Change the permissions of subusers."
        UserDelete "delete" "Remove subusers."
    }
    "file" "Work with the server's files." {
        FileCreate "create" "Create files and folders, upload, and overwrite."
        FileRead "read" "List folders, without the contents of files."
        FileReadContent "read-content" "View and download files."
        FileUpdate "update" "Rename files and folders, and change their modes."
        FileDelete "delete" "Delete files and folders."
        FileArchive "archive" "Create archives."
        FileSftp "sftp" "Connect by SFTP, limited by the other file permissions."
    }
    "backup" "Work with the server's backups." {
        BackupCreate "create" "Create backups."
        BackupRead "read" "See the list of backups."
        BackupDelete "delete" "Delete, lock and unlock backups."
        BackupDownload "download" "Download backups. This gives access to every file of the server."
        BackupRestore "restore" "Restore backups. This can delete every file of the server."
    }
    "allocation" "Work with the server's addresses and ports." {
        AllocationRead "read" "See all allocations; the primary one is always visible."
        AllocationCreate "create" "Add allocations."
        AllocationUpdate "update" "Choose the primary allocation and edit notes."
        AllocationDelete "delete" "Remove allocations."
    }
    "startup" "Work with the server's start parameters." {
        StartupRead "read" "See the start variables."
        StartupUpdate "update" "Change the start variables."
        StartupDockerImage "docker-image" "Choose the image in which the server runs."
    }
    "database" "Work with the server's databases." {
        DatabaseCreate "create" "Create databases."
        DatabaseRead "read" "See the server's databases."
        DatabaseUpdate "update" "Rotate passwords; the new one is hidden without view_password."
        DatabaseDelete "delete" "Delete databases."
        DatabaseViewPassword "view_password" "See the passwords of databases."
    }
    "schedule" "Work with the server's schedules and their tasks." {
        ScheduleCreate "create" "Create schedules."
        ScheduleRead "read" "See schedules and tasks."
        ScheduleUpdate "update" "Change and run schedules and their tasks."
        ScheduleDelete "delete" "Delete schedules."
    }
    "settings" "Change the server's settings." {
        SettingsRename "rename" "Change the server's name and description."
        SettingsReinstall "reinstall" "Reinstall the server."
    }
    "activity" "See what was done on the server." {
        ActivityRead "read" "See the server's activity log."
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// A set of permissions, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// No permission.
    pub const EMPTY: Self = Self(0);
    /// Every permission.
    pub const ALL: Self = Self((1 << Permission::ALL.len()) - 1);

    /// Whether the permission is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// The set with one more permission.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | (1 << permission as u8))
    }

    /// The set without a permission.
    #[must_use]
    pub const fn without(self, permission: Permission) -> Self {
        Self(self.0 & !(1 << permission as u8))
    }

    /// Whether every permission of `other` is in this set too.
    pub const fn is_superset(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no permission is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The permissions in the order of the specification.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.contains(*permission))
    }

    /// The known permissions among these names. Unknown names are dropped, as §5.2 of
    /// client-api.md says.
    pub fn from_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        keys.into_iter().filter_map(Permission::from_key).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Permission::key))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_specification_s() {
        assert_eq!(Permission::ALL.len(), 40);
        assert_eq!(
            PermissionGroup::ALL
                .iter()
                .map(|group| group.keys.len())
                .sum::<usize>(),
            40
        );
        for permission in Permission::ALL {
            assert_eq!(Permission::from_key(permission.key()), Some(*permission));
        }
        assert_eq!(
            Permission::DatabaseViewPassword.key(),
            "database.view_password"
        );
        assert_eq!(Permission::from_key("control.kill"), None);
    }

    #[test]
    fn sets_behave_like_sets() {
        let set = PermissionSet::from_keys(["file.read", "nonsense", "control.start", "file.read"]);
        assert!(set.contains(Permission::FileRead) && !set.contains(Permission::FileReadContent));
        assert_eq!(
            set.iter().map(Permission::key).collect::<Vec<_>>(),
            ["control.start", "file.read"]
        );
        assert!(PermissionSet::ALL.is_superset(set) && !set.is_superset(PermissionSet::ALL));
        assert!(
            set.without(Permission::FileRead)
                .without(Permission::ControlStart)
                .is_empty()
        );
    }
}
