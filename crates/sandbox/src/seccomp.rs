//! The filter over system calls: a list of what no game needs and an attacker does.
//!
//! Written by hand since the libraries at hand end a program that makes calls of a second
//! architecture, and many game servers are 32-bit programs on a 64-bit kernel.

use std::io;

use crate::sys;

/// The architecture does not have the call.
const NONE: u32 = u32::MAX;
const EPERM: u32 = libc::EPERM as u32;
const ENOSYS: u32 = libc::ENOSYS as u32;

/// Denied calls: their numbers on x86-64, i386 and AArch64, and the answer.
#[rustfmt::skip]
const DENIED: &[(u32, u32, u32, u32)] = &[
    // The tree of files is what it is.
    (165, 21, 40, EPERM), // mount
    (NONE, 22, NONE, EPERM), // umount
    (166, 52, 39, EPERM), // umount2
    (155, 217, 41, EPERM), // pivot_root
    (161, 61, 51, EPERM), // chroot
    (428, 428, 428, EPERM), // open_tree
    (467, 467, 467, EPERM), // open_tree_attr
    (429, 429, 429, EPERM), // move_mount
    (430, 430, 430, EPERM), // fsopen
    (431, 431, 431, EPERM), // fsconfig
    (432, 432, 432, EPERM), // fsmount
    (433, 433, 433, EPERM), // fspick
    (442, 442, 442, EPERM), // mount_setattr
    // Files by handle go past every mount.
    (303, 341, 264, EPERM), // name_to_handle_at
    (304, 342, 265, EPERM), // open_by_handle_at
    // No other namespaces.
    (272, 310, 97, EPERM), // unshare
    (308, 346, 268, EPERM), // setns
    // No look into other processes.
    (101, 26, 117, EPERM), // ptrace
    (310, 347, 270, EPERM), // process_vm_readv
    (311, 348, 271, EPERM), // process_vm_writev
    (312, 349, 272, EPERM), // kcmp
    (438, 438, 438, EPERM), // pidfd_getfd
    (440, 440, 440, EPERM), // process_madvise
    // The kernel's keys know no namespaces.
    (248, 286, 217, EPERM), // add_key
    (249, 287, 218, EPERM), // request_key
    (250, 288, 219, EPERM), // keyctl
    // The kernel and the machine.
    (321, 357, 280, EPERM), // bpf
    (298, 336, 241, EPERM), // perf_event_open
    (323, 374, 282, EPERM), // userfaultfd
    (246, 283, 104, EPERM), // kexec_load
    (320, NONE, 294, EPERM), // kexec_file_load
    (175, 128, 105, EPERM), // init_module
    (313, 350, 273, EPERM), // finit_module
    (176, 129, 106, EPERM), // delete_module
    (174, 127, NONE, EPERM), // create_module
    (178, 167, NONE, EPERM), // query_module
    (177, 130, NONE, EPERM), // get_kernel_syms
    (169, 88, 142, EPERM), // reboot
    (103, 103, 116, EPERM), // syslog
    (212, 253, 18, EPERM), // lookup_dcookie
    (300, 338, 262, EPERM), // fanotify_init
    (153, 111, 58, EPERM), // vhangup
    (134, 86, NONE, EPERM), // uselib
    // Accounting, quota, swap, names.
    (163, 51, 89, EPERM), // acct
    (179, 131, 60, EPERM), // quotactl
    (443, 443, 443, EPERM), // quotactl_fd
    (167, 87, 224, EPERM), // swapon
    (168, 115, 225, EPERM), // swapoff
    (170, 74, 161, EPERM), // sethostname
    (171, 121, 162, EPERM), // setdomainname
    (139, 135, NONE, EPERM), // sysfs
    (136, 62, NONE, EPERM), // ustat
    (180, 169, 42, EPERM), // nfsservctl
    (156, 149, NONE, EPERM), // _sysctl
    // The machine's clock.
    (164, 79, 170, EPERM), // settimeofday
    (NONE, 25, NONE, EPERM), // stime
    (227, 264, 112, EPERM), // clock_settime
    (NONE, 404, NONE, EPERM), // clock_settime64
    (159, 124, 171, EPERM), // adjtimex
    (305, 343, 266, EPERM), // clock_adjtime
    (NONE, 405, NONE, EPERM), // clock_adjtime64
    // Memory of others, hardware ports, the old emulation modes.
    (256, 294, 238, EPERM), // migrate_pages
    (279, 317, 239, EPERM), // move_pages
    (172, 110, NONE, EPERM), // iopl
    (173, 101, NONE, EPERM), // ioperm
    (NONE, 166, NONE, EPERM), // vm86
    (NONE, 113, NONE, EPERM), // vm86old
    // Too large a surface; programs fall back to other calls.
    (425, 425, 425, ENOSYS), // io_uring_setup
    (426, 426, 426, ENOSYS), // io_uring_enter
    (427, 427, 427, ENOSYS), // io_uring_register
    // Its flags lie in memory that a filter cannot read; libraries fall back to `clone`.
    (435, 435, 435, ENOSYS), // clone3
];

/// Flags of `clone` that ask for a namespace.
const NEW_NAMESPACE: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

/// Requests of `ioctl` that type into a terminal on behalf of its user.
const TYPING_REQUESTS: [u32; 2] = [libc::TIOCSTI as u32, libc::TIOCLINUX as u32];

/// Socket families that reach the hypervisor, raw packets or the kernel's ciphers.
const DENIED_FAMILIES: [u32; 4] = [
    libc::AF_PACKET as u32,
    libc::AF_ALG as u32,
    libc::AF_VSOCK as u32,
    libc::AF_KEY as u32,
];

/// One architecture whose calls the kernel accepts.
struct Arch {
    /// How the kernel names it to filters.
    audit: u32,
    /// Which number of a row of [`DENIED`] is its.
    number: fn(&(u32, u32, u32, u32)) -> u32,
    clone: u32,
    ioctl: u32,
    socket: u32,
    /// Numbers from here on belong to a variant of the architecture that no server uses.
    foreign_from: u32,
}

#[cfg(target_arch = "x86_64")]
const ARCHES: &[Arch] = &[
    Arch {
        audit: 0xC000_003E,
        number: |row| row.0,
        clone: 56,
        ioctl: 16,
        socket: 41,
        // The x32 numbers would go past every rule.
        foreign_from: 0x4000_0000,
    },
    Arch {
        audit: 0x4000_0003,
        number: |row| row.1,
        clone: 120,
        ioctl: 54,
        socket: 359,
        foreign_from: NONE,
    },
];

#[cfg(target_arch = "aarch64")]
const ARCHES: &[Arch] = &[Arch {
    audit: 0xC000_00B7,
    number: |row| row.2,
    clone: 220,
    ioctl: 29,
    socket: 198,
    foreign_from: NONE,
}];

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;
/// The lower halves of the first two arguments; both architectures are little-endian.
const OFFSET_ARGUMENT_0: u32 = 16;
const OFFSET_ARGUMENT_1: u32 = 24;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Puts the filter over this process and all that it starts. No new privileges must be set.
pub(crate) fn install() -> io::Result<()> {
    let mut filter = filter();
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: `program` points to `filter`, which is valid for the length given and outlives the
    // call; the kernel copies it.
    sys::checked(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    })?;
    Ok(())
}

fn filter() -> Vec<libc::sock_filter> {
    let mut program = Vec::new();
    for arch in ARCHES {
        let rules = rules(arch);
        program.push(load(OFFSET_ARCH));
        program.push(jump(libc::BPF_JEQ, arch.audit, 1, 0));
        program.push(statement(libc::BPF_JMP | libc::BPF_JA, rules.len() as u32));
        program.extend(rules);
    }
    program.push(answer(errno(ENOSYS)));
    program
}

fn rules(arch: &Arch) -> Vec<libc::sock_filter> {
    let mut rules = vec![load(OFFSET_NUMBER)];
    if arch.foreign_from != NONE {
        rules.extend([
            jump(libc::BPF_JGE, arch.foreign_from, 0, 1),
            answer(errno(ENOSYS)),
        ]);
    }
    for row in DENIED {
        let number = (arch.number)(row);
        if number != NONE {
            rules.extend([jump(libc::BPF_JEQ, number, 0, 1), answer(errno(row.3))]);
        }
    }
    when(
        &mut rules,
        arch.clone,
        vec![
            load(OFFSET_ARGUMENT_0),
            jump(libc::BPF_JSET, NEW_NAMESPACE, 0, 1),
            answer(errno(EPERM)),
        ],
    );
    let refuse = |offset, values: &[u32], error| {
        let mut checks = vec![load(offset)];
        for value in values {
            checks.extend([jump(libc::BPF_JEQ, *value, 0, 1), answer(errno(error))]);
        }
        checks
    };
    when(
        &mut rules,
        arch.ioctl,
        refuse(OFFSET_ARGUMENT_1, &TYPING_REQUESTS, EPERM),
    );
    when(
        &mut rules,
        arch.socket,
        refuse(
            OFFSET_ARGUMENT_0,
            &DENIED_FAMILIES,
            libc::EAFNOSUPPORT as u32,
        ),
    );
    rules.push(answer(ALLOW));
    rules
}

/// Adds checks of one call's arguments; what they let through is allowed.
fn when(rules: &mut Vec<libc::sock_filter>, number: u32, checks: Vec<libc::sock_filter>) {
    // One more for the final answer. Every list of checks is far shorter than the 255 of a jump.
    rules.push(jump(libc::BPF_JEQ, number, 0, checks.len() as u8 + 1));
    rules.extend(checks);
    rules.push(answer(ALLOW));
}

fn errno(error: u32) -> u32 {
    libc::SECCOMP_RET_ERRNO | error
}

fn load(offset: u32) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

fn answer(value: u32) -> libc::sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, value)
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    }
}

fn jump(condition: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter {
        code: (libc::BPF_JMP | condition | libc::BPF_K) as u16,
        jt,
        jf,
        k,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, by interpreting it as the kernel would.
    fn verdict(arch: u32, number: u32, arguments: [u32; 2]) -> u32 {
        let program = filter();
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => {
                    accumulator = match step.k {
                        OFFSET_NUMBER => number,
                        OFFSET_ARCH => arch,
                        OFFSET_ARGUMENT_0 => arguments[0],
                        OFFSET_ARGUMENT_1 => arguments[1],
                        other => panic!("loads from {other}"),
                    }
                }
                code if code == libc::BPF_RET | libc::BPF_K => return step.k,
                code if code == libc::BPF_JMP | libc::BPF_JA => at += step.k as usize,
                code => {
                    let holds = match code & 0xf0 {
                        libc::BPF_JEQ => accumulator == step.k,
                        libc::BPF_JGE => accumulator >= step.k,
                        libc::BPF_JSET => accumulator & step.k != 0,
                        other => panic!("jumps on {other}"),
                    };
                    at += usize::from(if holds { step.jt } else { step.jf });
                }
            }
        }
    }

    #[test]
    fn each_architecture_has_its_own_numbers() {
        for arch in ARCHES {
            for row in DENIED {
                let number = (arch.number)(row);
                if number != NONE {
                    assert_eq!(
                        verdict(arch.audit, number, [0, 0]),
                        errno(row.3),
                        "call {number}"
                    );
                }
            }
            assert_eq!(
                verdict(arch.audit, arch.clone, [libc::SIGCHLD as u32, 0]),
                ALLOW
            );
            assert_eq!(
                verdict(arch.audit, arch.clone, [libc::CLONE_NEWUSER as u32, 0]),
                errno(EPERM)
            );
            assert_eq!(
                verdict(arch.audit, arch.socket, [libc::AF_INET as u32, 0]),
                ALLOW
            );
            assert_eq!(
                verdict(arch.audit, arch.socket, [libc::AF_VSOCK as u32, 0]),
                errno(libc::EAFNOSUPPORT as u32)
            );
            assert_eq!(
                verdict(arch.audit, arch.ioctl, [0, libc::TCGETS as u32]),
                ALLOW
            );
            assert_eq!(
                verdict(arch.audit, arch.ioctl, [0, libc::TIOCSTI as u32]),
                errno(EPERM)
            );
        }
        assert_eq!(
            verdict(0x1234, 1, [0, 0]),
            errno(ENOSYS),
            "an unknown architecture"
        );
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_numbers_are_those_of_the_headers() {
        let named = [
            libc::SYS_mount,
            libc::SYS_ptrace,
            libc::SYS_bpf,
            libc::SYS_keyctl,
            libc::SYS_unshare,
        ];
        for number in named {
            assert_eq!(
                verdict(ARCHES[0].audit, number as u32, [0, 0]),
                errno(EPERM),
                "call {number}"
            );
        }
        for number in [
            libc::SYS_read,
            libc::SYS_futex,
            libc::SYS_execve,
            libc::SYS_personality,
        ] {
            assert_eq!(
                verdict(ARCHES[0].audit, number as u32, [0, 0]),
                ALLOW,
                "call {number}"
            );
        }
        assert_eq!(
            verdict(ARCHES[0].audit, 0x4000_0000 + 165, [0, 0]),
            errno(ENOSYS),
            "x32"
        );
    }
}
