//! Gives up every privilege, in the one order that works.

use crate::error::{Doing, Error};
use crate::plan::Identity;
use crate::sys;

/// Open files at most, soft and hard: what engines and launchers expect to be able to raise to.
const OPEN_FILES: u64 = 65_536;

/// Even uid 0 is nobody special, capabilities do not survive a change of user and cannot be handed
/// on; with the locks of all four bits.
const SECUREBITS: libc::c_ulong = 0b1110_1011;

/// Becomes the plan's user without capabilities and without a way to get any.
pub(crate) fn drop_all(identity: Identity) -> Result<(), Error> {
    drop_bounding_set()?;
    sys::prctl(libc::PR_SET_SECUREBITS, SECUREBITS).doing(|| "locking the secure bits")?;
    // An empty set of groups cannot be asked for where the user namespace forbids the call.
    if !identity.user_namespace {
        // SAFETY: a length of zero means that the pointer is not read.
        let result = unsafe { libc::setgroups(0, std::ptr::null()) };
        sys::checked(result.into()).doing(|| "leaving all groups")?;
    }
    // SAFETY: the calls take numbers only.
    sys::checked(unsafe { libc::setresgid(identity.gid, identity.gid, identity.gid) }.into())
        .doing(|| format!("becoming group {}", identity.gid))?;
    // SAFETY: as above.
    sys::checked(unsafe { libc::setresuid(identity.uid, identity.uid, identity.uid) }.into())
        .doing(|| format!("becoming user {}", identity.uid))?;
    clear_capabilities()?;
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).doing(|| "forbidding new privileges")
}

/// Sets the limits that hold besides the cgroup's.
pub(crate) fn limit(max_processes: Option<u32>) -> Result<(), Error> {
    set_limit(libc::RLIMIT_CORE, 0)?;
    set_limit(libc::RLIMIT_NOFILE, OPEN_FILES)?;
    if let Some(processes) = max_processes {
        set_limit(libc::RLIMIT_NPROC, u64::from(processes))?;
    }
    Ok(())
}

fn set_limit(resource: libc::__rlimit_resource_t, most: u64) -> Result<(), Error> {
    let mut current = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `current` is valid for writes for the length of the call.
    sys::checked(unsafe { libc::getrlimit(resource, &raw mut current) }.into())
        .doing(|| "reading a resource limit")?;
    let most = most.min(current.rlim_max);
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: `limit` is valid for reads for the length of the call.
    sys::checked(unsafe { libc::setrlimit(resource, &raw const limit) }.into())
        .doing(|| "setting a resource limit")?;
    Ok(())
}

fn drop_bounding_set() -> Result<(), Error> {
    // The kernel knows at most 64 capabilities and answers EINVAL from the first unknown one on.
    for capability in 0..64 {
        match sys::prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(error).doing(|| "emptying the capability bounding set"),
        }
    }
    sys::prctl_ambient_clear().doing(|| "clearing the ambient capabilities")
}

fn clear_capabilities() -> Result<(), Error> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    // Effective, permitted and inheritable, twice 32 bits each.
    let data = [0_u32; 6];
    // SAFETY: version 3 reads a header and two sets of three words, which are what is passed.
    sys::checked(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) })
        .doing(|| "dropping all capabilities")?;
    Ok(())
}
