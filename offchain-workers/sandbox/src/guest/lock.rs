//! What a process gives away before it works for strangers.
//!
//! Each of these stands alone: the filter of system calls already leaves nothing of what the others
//! forbid. They are for the day on which one of them has a hole.

use super::control::Control;
use super::filter;
use landlock::{
	Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetStatus, Scope, ABI,
};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{
	getppid, set_dumpable_behavior, set_parent_process_death_signal, setrlimit, DumpableBehavior,
	Resource, Rlimit, Signal,
};
use rustix::thread::set_no_new_privs;
use seccompiler::{apply_filter_all_threads, SeccompAction};
use std::fs::read_to_string;

/// All that Landlock can forbid; what the kernel does not know of it yet is left out.
const NEWEST: ABI = ABI::V9;

/// Parts of the heap that threads may allocate from at once. Where that is not said, the allocator
/// looks for the number of processors later on, when no file can be read.
#[cfg(target_env = "gnu")]
const ARENAS: libc::c_int = 4;
/// Bytes that must be free at the end of such a part before some are given back: never, since the
/// allocator reads a file first. What is large is mapped alone, and given back by itself.
#[cfg(target_env = "gnu")]
const TRIM: libc::c_int = libc::c_int::MAX;
/// Bytes from which an allocation is large.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 1 << 17;

/// What every process does first: ends with its daemon, leaves nothing to read behind, and is not
/// disturbed by what is meant for the daemon.
pub(super) fn begin(control: &Control) -> Result<(), String> {
	set_parent_process_death_signal(Some(Signal::KILL))
		.map_err(failed("the end with the daemon"))?;
	let daemon = socket_peercred(control).map_err(failed("the standard input"))?;
	if getppid() != Some(daemon.pid) {
		return Err("the daemon has gone already".into());
	}
	set_no_new_privs(true).map_err(failed("no_new_privs"))?;
	set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("dumpable"))?;
	bound(Resource::Core, 0, 0)?;
	// SAFETY: descriptors from 3 on were left open by whoever started the daemon; nothing here knows
	// of them. The other two change no memory of ours.
	unsafe {
		libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
		#[cfg(target_env = "gnu")]
		for (option, value) in [
			(libc::M_ARENA_MAX, ARENAS),
			(libc::M_TRIM_THRESHOLD, TRIM),
			(libc::M_MMAP_THRESHOLD, LARGE),
		] {
			libc::mallopt(option, value);
		}
		for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
			libc::signal(signal, libc::SIG_IGN);
		}
	}
	// A panic is a bug of ours or a lie of memory: the process is not to be used any more.
	std::panic::set_hook(Box::new(|panic| {
		eprintln!("{panic}");
		std::process::abort();
	}));
	Ok(())
}

/// Forbids files and networks to the calling thread and those that it starts; returns the version of
/// Landlock that is in force.
pub(super) fn landlock() -> Result<u32, String> {
	let status = Ruleset::default()
		.handle_access(AccessFs::from_all(NEWEST))
		.and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
		.and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
		.and_then(|rules| rules.create())
		.and_then(|rules| rules.restrict_self())
		.map_err(failed("Landlock"))?;
	match (status.ruleset, status.landlock) {
		(
			RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
			LandlockStatus::Available { effective_abi, .. },
		) => Ok(effective_abi as u32),
		(_, status) => Err(format!(
			"the kernel does not offer Landlock ({status:?}): it takes Linux 5.13 with \
			\"landlock\" among the security modules"
		)),
	}
}

/// Memory of this process that counts towards its bound, in bytes.
pub(super) fn memory_in_use() -> Result<u64, String> {
	let status = read_to_string("/proc/self/status").map_err(failed("/proc/self/status"))?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
	let kibibytes = line
		.and_then(|line| line.trim().strip_suffix(" kB"))
		.and_then(|number| number.parse::<u64>().ok())
		.ok_or("the kernel does not tell the memory of processes")?;
	Ok(kibibytes.saturating_mul(1024))
}

/// Gives away all that is left, on all threads: from here on, memory up to so many bytes, and
/// computing, for so many seconds if that is said.
pub(super) fn close(memory_bytes: u64, cpu_seconds: Option<u64>) -> Result<(), String> {
	let filter = filter::program(SeccompAction::KillProcess, &[])?;
	// Writable memory, not address space: an engine reserves far more of that than it uses.
	bound(Resource::Data, memory_bytes, memory_bytes)?;
	if let Some(seconds) = cpu_seconds {
		// A second more until the process is killed, so that the signal before tells the reason.
		bound(Resource::Cpu, seconds, seconds.saturating_add(1))?;
	}
	bound(Resource::Nofile, 0, 0)?;
	// SAFETY: it changes what may be mapped from now on, and nothing that is mapped. Kernels before
	// 6.3 do not know it; the filter forbids the same.
	unsafe {
		let flags = libc::c_ulong::from(libc::PR_MDWE_REFUSE_EXEC_GAIN);
		let unused: libc::c_ulong = 0;
		libc::prctl(libc::PR_SET_MDWE, flags, unused, unused, unused);
	}
	apply_filter_all_threads(&filter).map_err(failed("the filter of system calls"))
}

fn bound(resource: Resource, soft: u64, hard: u64) -> Result<(), String> {
	let limit = Rlimit {
		current: Some(soft),
		maximum: Some(hard),
	};
	setrlimit(resource, limit).map_err(failed("a limit"))
}

/// Words for what did not work.
pub(super) fn failed<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
	move |error| format!("{what}: {error}")
}
