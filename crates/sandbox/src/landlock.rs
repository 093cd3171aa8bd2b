//! Cuts the abstract Unix sockets of the machine off. They belong to the network namespace, which
//! is shared, so neither mounts nor users keep a program away from them.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::sys;

/// The first version of the kernel's interface that has scopes (Linux 6.12).
const ABI_WITH_SCOPES: libc::c_long = 6;
const SCOPE_ABSTRACT_UNIX_SOCKET: u64 = 1;
const SCOPE_SIGNAL: u64 = 2;
const CREATE_RULESET_VERSION: u32 = 1;

#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
    handled_access_net: u64,
    scoped: u64,
}

/// The version of Landlock that the kernel speaks; zero when it has none.
pub(crate) fn abi() -> libc::c_long {
    // SAFETY: this form of the call asks for a number and reads no memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<RulesetAttr>(),
            0,
            CREATE_RULESET_VERSION,
        )
    };
    sys::checked(result).unwrap_or(0)
}

/// Whether the kernel can do it.
pub(crate) fn can_scope() -> bool {
    abi() >= ABI_WITH_SCOPES
}

/// Keeps this process and all that it starts from abstract sockets and from signalling outside of
/// itself. Kernels that cannot do it leave the rest of the sandbox to stand alone.
pub(crate) fn scope() -> io::Result<()> {
    if !can_scope() {
        return Ok(());
    }
    let attr = RulesetAttr {
        handled_access_fs: 0,
        handled_access_net: 0,
        scoped: SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL,
    };
    // SAFETY: `attr` is valid for reads of the size given.
    let fd = sys::checked(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const attr,
            size_of::<RulesetAttr>(),
            0,
        )
    })?;
    // SAFETY: the kernel has just given this descriptor to us alone.
    let ruleset = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    // SAFETY: the call takes numbers only.
    sys::checked(unsafe {
        libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0)
    })?;
    Ok(())
}
