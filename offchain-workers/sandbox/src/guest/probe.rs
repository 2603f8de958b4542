//! Tries what must not work.
//!
//! First with Landlock alone. Then under the filter with an error in place of death, so that all can
//! be tried and told. At last under the filter that other processes get: the process is not to live
//! on.

use super::control::Control;
use super::{filter, lock};
use crate::protocol::{Answer, Attempt, Hello};
use libc::c_long;
use rustix::process::getppid;
use seccompiler::{apply_filter_all_threads, SeccompAction};
use std::ptr::null;

/// Putting a second filter over the first one.
const FILTERING: &[c_long] = &[libc::SYS_prctl, libc::SYS_seccomp];

pub(super) fn run(control: &Control, last: Attempt) -> Result<(), String> {
	let daemon = getppid().map_or(0, |daemon| c_long::from(daemon.as_raw_nonzero().get()));
	let landlock_abi = lock::landlock()?;
	let mut worked = Vec::new();
	if works(Attempt::Open, daemon) {
		worked.push(Attempt::Open);
	}
	apply(SeccompAction::Errno(libc::EPERM as u32), FILTERING)?;
	worked.extend(
		Attempt::ALL
			.iter()
			.filter(|attempt| works(**attempt, daemon)),
	);
	apply(SeccompAction::KillProcess, &[])?;
	let probed = Answer::Probed {
		landlock_abi,
		worked,
	};
	control.answer(&Hello::without_engine(), &probed)?;
	works(last, daemon);
	Err(format!("a process can try to {} and live", last.describe()))
}

fn apply(forbidden: SeccompAction, besides: &[c_long]) -> Result<(), String> {
	let filter = filter::program(forbidden, besides)?;
	apply_filter_all_threads(&filter).map_err(lock::failed("the filter of system calls"))
}

/// Whether it can be done.
fn works(attempt: Attempt, daemon: c_long) -> bool {
	let int = |number: libc::c_int| c_long::from(number);
	// SAFETY: arguments are numbers, or pointers to constants. What these calls make, if they work, is
	// nothing that this process uses; it ends soon after.
	let result = unsafe {
		match attempt {
			Attempt::Open => libc::syscall(
				libc::SYS_openat,
				int(libc::AT_FDCWD),
				c"/".as_ptr(),
				int(libc::O_RDONLY | libc::O_DIRECTORY),
			),
			Attempt::Socket => libc::syscall(
				libc::SYS_socket,
				int(libc::AF_UNIX),
				int(libc::SOCK_STREAM),
				int(0),
			),
			Attempt::Exec => libc::syscall(
				libc::SYS_execve,
				c"/proc/self/exe".as_ptr(),
				null::<c_long>(),
				null::<c_long>(),
			),
			Attempt::Fork => {
				let child = libc::syscall(
					libc::SYS_clone,
					int(libc::SIGCHLD),
					int(0),
					int(0),
					int(0),
					int(0),
				);
				if child == 0 {
					libc::_exit(0);
				}
				child
			}
			Attempt::Signal => libc::syscall(libc::SYS_kill, daemon, int(0)),
			Attempt::Code => libc::syscall(
				libc::SYS_mmap,
				null::<c_long>(),
				int(4096),
				int(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC),
				int(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS),
				int(-1),
				int(0),
			),
			// The call by which threads are made, besides that of processes. It says nothing of what is
			// wanted, and so makes none; but the filter looks at the number alone.
			Attempt::Thread => libc::syscall(libc::SYS_clone3, null::<c_long>(), int(0)),
		}
	};
	result != -1
}
