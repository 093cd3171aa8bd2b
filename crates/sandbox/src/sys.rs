//! The system calls that no library wraps, each as one safe function.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const MOUNT_ATTR_RDONLY: u64 = 0x1;
const MOUNT_ATTR_NOSUID: u64 = 0x2;
const MOUNT_ATTR_NODEV: u64 = 0x4;
const MOUNT_ATTR_NOEXEC: u64 = 0x8;

/// Restrictions of a mount. A restriction is only ever added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restrict {
    pub(crate) read_only: bool,
    pub(crate) no_devices: bool,
    pub(crate) no_exec: bool,
}

impl Restrict {
    /// Read, and run programs; nothing else.
    pub(crate) const READ_ONLY: Self = Self {
        read_only: true,
        no_devices: true,
        no_exec: false,
    };
    /// Read, write and run programs.
    pub(crate) const WRITABLE: Self = Self {
        read_only: false,
        no_devices: true,
        no_exec: false,
    };
    /// A device node that is meant to be used.
    pub(crate) const DEVICE: Self = Self {
        read_only: false,
        no_devices: false,
        no_exec: true,
    };
    /// Nothing but reading.
    pub(crate) const INERT: Self = Self {
        read_only: true,
        no_devices: true,
        no_exec: true,
    };

    fn bits(self) -> u64 {
        let mut bits = MOUNT_ATTR_NOSUID;
        for (wanted, bit) in [
            (self.read_only, MOUNT_ATTR_RDONLY),
            (self.no_devices, MOUNT_ATTR_NODEV),
            (self.no_exec, MOUNT_ATTR_NOEXEC),
        ] {
            if wanted {
                bits |= bit;
            }
        }
        bits
    }
}

#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Turns the result of a raw system call into a number or the error.
pub(crate) fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// A path as the kernel wants it.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Copies the mount at a path, all mounts beneath it included, without attaching the copy
/// anywhere. Symbolic links are followed.
pub(crate) fn clone_mount(path: &Path) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let flags =
        libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: the path is a valid C string that outlives the call; the call takes no other memory.
    let fd = checked(unsafe {
        libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags)
    })?;
    // SAFETY: the kernel has just given this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Adds restrictions to a mount and to every mount beneath it.
pub(crate) fn restrict_mount(
    mount: BorrowedFd<'_>,
    restrict: Restrict,
    recursive: bool,
) -> io::Result<()> {
    let attr = MountAttr {
        attr_set: restrict.bits(),
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the empty path is a valid C string, `attr` is valid for reads of the size given.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    })?;
    Ok(())
}

/// Attaches a copied mount at a place that exists.
pub(crate) fn attach_mount(mount: BorrowedFd<'_>, at: BorrowedFd<'_>) -> io::Result<()> {
    const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 0x4;
    const MOVE_MOUNT_T_EMPTY_PATH: libc::c_uint = 0x40;
    // SAFETY: both descriptors are open for the length of the call and both paths are valid.
    checked(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount.as_raw_fd(),
            c"".as_ptr(),
            at.as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        )
    })?;
    Ok(())
}

/// Mounts a file system of the kernel's own, such as `tmpfs`.
pub(crate) fn mount_new(
    kind: &str,
    target: &Path,
    flags: libc::c_ulong,
    options: &str,
) -> io::Result<()> {
    let target = c_path(target)?;
    let kind = CString::new(kind)?;
    let options = CString::new(options)?;
    // SAFETY: all pointers are valid C strings that outlive the call.
    checked(libc::c_long::from(unsafe {
        libc::mount(
            kind.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            options.as_ptr().cast(),
        )
    }))?;
    Ok(())
}

/// Cuts the mount namespace off from its origin, so that nothing mounted here is seen there.
pub(crate) fn make_private() -> io::Result<()> {
    let none = std::ptr::null();
    // SAFETY: the target is a valid C string; the kernel ignores the other pointers for this flag.
    checked(libc::c_long::from(unsafe {
        libc::mount(
            none,
            c"/".as_ptr(),
            none,
            libc::MS_REC | libc::MS_PRIVATE,
            none.cast(),
        )
    }))?;
    Ok(())
}

/// Makes `new` the root and puts the old one at `old`, which lies beneath `new`.
pub(crate) fn pivot_root(new: &Path, old: &Path) -> io::Result<()> {
    let (new, old) = (c_path(new)?, c_path(old)?);
    // SAFETY: both are valid C strings that outlive the call.
    checked(unsafe { libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) })?;
    Ok(())
}

/// Takes away the mount at a path, and all beneath it, as soon as nobody uses them.
pub(crate) fn detach_mount(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: the path is a valid C string that outlives the call.
    checked(libc::c_long::from(unsafe {
        libc::umount2(path.as_ptr(), libc::MNT_DETACH)
    }))?;
    Ok(())
}

/// `prctl` with numbers only.
pub(crate) fn prctl(option: libc::c_int, argument: libc::c_ulong) -> io::Result<()> {
    // SAFETY: every option used in this crate takes plain numbers, so no memory is touched.
    checked(libc::c_long::from(unsafe {
        libc::prctl(option, argument, 0, 0, 0)
    }))?;
    Ok(())
}

/// Empties the set of capabilities that would survive starting a program.
pub(crate) fn prctl_ambient_clear() -> io::Result<()> {
    // SAFETY: the option takes plain numbers.
    checked(libc::c_long::from(unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL,
            0,
            0,
            0,
        )
    }))?;
    Ok(())
}

/// Forks into new namespaces; `None` is the child.
///
/// # Safety
/// The process must have a single thread, since the child has only the calling one.
pub(crate) unsafe fn fork_into(namespaces: libc::c_int) -> io::Result<Option<i32>> {
    let flags = namespaces as libc::c_ulong | libc::SIGCHLD as libc::c_ulong;
    // SAFETY: no stack is given, so this is a fork: the child runs on a copy of this one's memory.
    // The caller promises that no other thread holds a lock in it.
    let pid = checked(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    Ok((pid != 0).then_some(pid as i32))
}

/// Closes every descriptor from a number on. Only for a process that uses none of them any more.
pub(crate) fn close_from(first: libc::c_uint) -> io::Result<()> {
    // SAFETY: the call touches no memory. Its callers own none of the descriptors, or never come
    // back to what owns them.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) })?;
    Ok(())
}

/// Ends the process at once, without running anything that was registered for its end.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: the call has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}
