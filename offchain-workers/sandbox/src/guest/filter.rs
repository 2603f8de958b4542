//! The system calls that are left to a process.
//!
//! Whatever is not listed kills the process. The list is what the allocator, the engine, futexes and
//! the sockets need once everything else is done; `every_guest_runs_under_the_filter` finds what a new
//! version of one of them needs besides.

use super::lock::failed;
use libc::c_long;
use seccompiler::{
	BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
	SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Calls that are allowed whatever their arguments.
const ALLOWED: &[c_long] = &[
	// The sockets that the process has.
	libc::SYS_read,
	libc::SYS_write,
	libc::SYS_readv,
	libc::SYS_writev,
	libc::SYS_close,
	libc::SYS_fstat,
	libc::SYS_lseek,
	// Memory.
	libc::SYS_brk,
	libc::SYS_madvise,
	libc::SYS_mremap,
	libc::SYS_munmap,
	// Threads that exist already, and the traps of guests.
	libc::SYS_futex,
	libc::SYS_getpid,
	libc::SYS_gettid,
	libc::SYS_membarrier,
	libc::SYS_restart_syscall,
	libc::SYS_rseq,
	libc::SYS_rt_sigaction,
	libc::SYS_rt_sigprocmask,
	libc::SYS_rt_sigreturn,
	libc::SYS_sched_getaffinity,
	libc::SYS_sched_yield,
	libc::SYS_set_robust_list,
	libc::SYS_sigaltstack,
	// Time and chance.
	libc::SYS_clock_gettime,
	libc::SYS_clock_nanosleep,
	libc::SYS_nanosleep,
	libc::SYS_getrandom,
	// The end.
	libc::SYS_exit,
	libc::SYS_exit_group,
];

/// The filter: these calls and, besides, others; what is forbidden ends as said.
pub(super) fn program(forbidden: SeccompAction, besides: &[c_long]) -> Result<BpfProgram, String> {
	build(forbidden, besides).map_err(failed("the filter of system calls"))
}

fn build(forbidden: SeccompAction, besides: &[c_long]) -> Result<BpfProgram, BackendError> {
	let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED
		.iter()
		.chain(besides)
		.map(|call| (*call, Vec::new()))
		.collect();
	// The protection is the third argument of both.
	let not_executable = only_if(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)?;
	rules.insert(libc::SYS_mmap, vec![not_executable.clone()]);
	rules.insert(libc::SYS_mprotect, vec![not_executable]);
	// An abort is a signal to a thread of this very process.
	let itself = only_if(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
	rules.insert(libc::SYS_tgkill, vec![itself]);
	let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
	SeccompFilter::new(rules, forbidden, SeccompAction::Allow, architecture)?.try_into()
}

/// A rule that matches where an argument, of four bytes, compares so.
fn only_if(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
	let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
	SeccompRule::new(vec![condition])
}
