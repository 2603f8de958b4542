//! For whom the runtime runs on a thread.

use std::cell::Cell;

/// For whom the runtime runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
	/// A block is imported: every seed is computed.
	Import,
	/// A block is being filled.
	Author,
	/// RPC, pool, offchain worker: current seeds only, and no replays.
	Offchain,
}

impl Caller {
	/// Kinds of callers.
	pub(crate) const COUNT: usize = 3;

	/// Place of what is kept for this kind.
	pub(crate) const fn index(self) -> usize {
		match self {
			Self::Import => 0,
			Self::Author => 1,
			Self::Offchain => 2,
		}
	}
}

thread_local! {
	static CURRENT: Cell<Caller> = const { Cell::new(Caller::Import) };
}

/// For whom this thread runs.
pub(crate) fn current() -> Caller {
	CURRENT.get()
}

/// Runs `f` as for a caller, on this thread. Without it the caller is `Import`, so that tools need
/// to know nothing of it.
pub fn as_caller<R>(caller: Caller, f: impl FnOnce() -> R) -> R {
	/// Puts the caller before back, also when `f` panics.
	struct Restore(Caller);

	impl Drop for Restore {
		fn drop(&mut self) {
			CURRENT.set(self.0);
		}
	}

	let _restore = Restore(CURRENT.replace(caller));
	f()
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::panic::catch_unwind;

	#[test]
	fn callers_are_nested_and_stay_on_their_thread() {
		assert_eq!(current(), Caller::Import);
		as_caller(Caller::Offchain, || {
			assert_eq!(current(), Caller::Offchain);
			as_caller(Caller::Author, || assert_eq!(current(), Caller::Author));
			assert_eq!(current(), Caller::Offchain);
			let other = std::thread::spawn(current).join();
			assert_eq!(other.expect("it does not panic"), Caller::Import);
		});
		assert_eq!(current(), Caller::Import);
	}

	#[test]
	fn a_panicking_closure_restores_the_caller() {
		let ended =
			catch_unwind(|| as_caller(Caller::Offchain, || panic!("a trap in the runtime")));
		assert!(ended.is_err());
		assert_eq!(current(), Caller::Import);
	}
}
