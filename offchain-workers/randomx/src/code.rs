//! How programs run, by what the system allows.
//!
//! RandomX compiles each program into pages of its own and asks the system to make them executable,
//! but does not look at the answer: where it is no (`MemoryDenyWriteExecute` of systemd, `PR_SET_MDWE`,
//! SELinux without `execmem`), the process dies at the first hash. So the question is asked here
//! first, with a page that nobody runs.

use crate::ffi;
use rustix::mm::{mmap_anonymous, mprotect, munmap, MapFlags, MprotectFlags, ProtFlags};
use serde::Serialize;
use std::{
	ffi::{c_uint, c_void},
	ptr,
	sync::OnceLock,
};

/// Names the most that may be used, in the words of [`Code`]. It lowers what the system allows and
/// never raises it; any other word counts for nothing.
const CEILING: &str = "MILLRACE_RANDOMX";

/// How programs may run in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
	/// Compiled, pages writable and executable at once.
	Compiled,
	/// Compiled, never both at once.
	Secure,
	/// No executable memory: seven times slower.
	Interpreted,
}

impl Code {
	/// The one of the two that asks less of the system.
	pub fn at_most(self, ceiling: Self) -> Self {
		// In the order of the declaration each asks less than the one before.
		match self as u8 >= ceiling as u8 {
			true => self,
			false => ceiling,
		}
	}

	/// Flags of a machine, or of a cache, that runs so.
	pub(crate) fn flags(self) -> c_uint {
		match self {
			Self::Compiled => ffi::JIT,
			Self::Secure => ffi::JIT | ffi::SECURE,
			Self::Interpreted => 0,
		}
	}

	fn named(word: &str) -> Option<Self> {
		match word {
			"compiled" => Some(Self::Compiled),
			"secure" => Some(Self::Secure),
			"interpreted" => Some(Self::Interpreted),
			_ => None,
		}
	}
}

/// What the system allows: probed once, by making a page executable as RandomX would. The variable
/// `MILLRACE_RANDOMX` (`compiled`, `secure`, `interpreted`) lowers the answer, never raises it.
pub fn allowed() -> Code {
	static ALLOWED: OnceLock<Code> = OnceLock::new();
	*ALLOWED.get_or_init(|| lowered(probe(), std::env::var(CEILING).ok().as_deref()))
}

fn lowered(probed: Code, ceiling: Option<&str>) -> Code {
	match ceiling.and_then(Code::named) {
		Some(ceiling) => probed.at_most(ceiling),
		None => probed,
	}
}

fn probe() -> Code {
	let writable = MprotectFlags::READ | MprotectFlags::WRITE;
	let executable = MprotectFlags::READ | MprotectFlags::EXEC;
	let Some(page) = Page::map() else {
		return Code::Interpreted;
	};
	page.write();
	// Both ways, as a secure machine goes for each program.
	let turns = [executable, writable, executable];
	if !ffi::has_compiler() || !turns.into_iter().all(|access| page.protect(access)) {
		return Code::Interpreted;
	}
	match page.protect(writable | MprotectFlags::EXEC) {
		true => Code::Compiled,
		false => Code::Secure,
	}
}

/// A page of our own.
struct Page(*mut c_void);

impl Page {
	/// As good as any length: the kernel rounds up to whole pages.
	const BYTES: usize = 4_096;

	fn map() -> Option<Self> {
		let access = ProtFlags::READ | ProtFlags::WRITE;
		// SAFETY: a new mapping, at an address that the kernel chooses, replaces none.
		unsafe { mmap_anonymous(ptr::null_mut(), Self::BYTES, access, MapFlags::PRIVATE) }
			.ok()
			.map(Self)
	}

	// Some systems judge by whether a page was written.
	fn write(&self) {
		// SAFETY: the page is mapped, writable as long as `protect` was not called, and ours alone.
		unsafe { self.0.cast::<u8>().write_volatile(0) }
	}

	fn protect(&self, access: MprotectFlags) -> bool {
		// SAFETY: the page is ours alone, and nothing reads, writes or runs it any more.
		unsafe { mprotect(self.0, Self::BYTES, access) }.is_ok()
	}
}

impl Drop for Page {
	fn drop(&mut self) {
		// SAFETY: mapped by `map` with this length, and no reference to it is left. That a mapping
		// of one page cannot be undone would cost a page.
		let _ = unsafe { munmap(self.0, Self::BYTES) };
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use Code::{Compiled, Interpreted, Secure};

	#[test]
	fn a_ceiling_lowers_and_never_raises() {
		let table = [
			(Compiled, None, Compiled),
			(Compiled, Some("compiled"), Compiled),
			(Compiled, Some("secure"), Secure),
			(Compiled, Some("interpreted"), Interpreted),
			(Secure, Some("compiled"), Secure),
			(Secure, Some("interpreted"), Interpreted),
			(Interpreted, Some("compiled"), Interpreted),
			(Interpreted, Some("secure"), Interpreted),
			(Compiled, Some("Interpreted"), Compiled),
			(Compiled, Some(""), Compiled),
		];
		for (probed, ceiling, expected) in table {
			assert_eq!(lowered(probed, ceiling), expected, "{probed:?} {ceiling:?}");
		}
	}

	#[test]
	fn a_probe_can_be_repeated() {
		assert_eq!(probe(), probe());
		assert_eq!(allowed(), allowed().at_most(probe()));
	}
}
