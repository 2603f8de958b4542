//! What the end of a call means, whichever engine ran it.

use crate::call::CallOutput;
use crate::cost;
use crate::effects::EffectFailure;
use crate::growth::GrowthLimits;
use crate::limits::{MAX_GAS, PAGE_BYTES};
use crate::validate::ModuleInfo;
use crate::wasi::{Exit, Wasi};
use millrace_primitives::execution::CallStatus;
use millrace_primitives::Gas;

impl CallOutput {
	/// Takes what is left of a guest's world when it has ended.
	pub(crate) fn new((status, gas): (CallStatus, Gas), wasi: &mut Wasi) -> Self {
		let transcript = wasi.take_transcript();
		let (stdout, stderr) = wasi.take_output();
		let response = if status.is_success() {
			stdout
		} else {
			Vec::new()
		};
		Self {
			status,
			response,
			stderr,
			gas,
			transcript,
		}
	}
}

/// What stopped a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
	/// `_start` returned.
	Returned,
	/// A host call ended it.
	Exit(Exit),
	/// It hit `unreachable`: its own, or one of the meter.
	Unreachable,
	/// Another trap that a module can cause, by the specification of Wasm.
	Trapped,
}

/// The gas of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
	/// What it may use.
	pub(crate) limit: Gas,
	/// What of it is left for the guest.
	pub(crate) left: Gas,
}

impl Budget {
	/// Takes what a call costs before the guest's first instruction; or tells how it ends without
	/// having begun.
	pub(crate) fn open(
		info: &ModuleInfo,
		gas: Gas,
		growth: &GrowthLimits,
	) -> Result<Self, (CallStatus, Gas)> {
		let limit = gas.min(MAX_GAS);
		let start = cost::start(info);
		let Some(left) = limit.checked_sub(start) else {
			return Err((CallStatus::OutOfGas, limit));
		};
		if info.memory_pages as usize * PAGE_BYTES as usize > growth.memory_bytes() {
			return Err((CallStatus::Trapped, start));
		}
		Ok(Self { limit, left })
	}

	/// Status and gas of a call that stopped so, with these counters.
	///
	/// Gas comes first, however the guest stopped: one that took more than there was has run out,
	/// even if it got to an end before the next test.
	pub(crate) fn close(
		&self,
		ended: Ended,
		gas: i64,
		stack: i64,
	) -> Result<(CallStatus, Gas), EffectFailure> {
		let status = match ended {
			Ended::Exit(Exit::Effect(failure)) => return Err(failure),
			Ended::Exit(Exit::OutOfGas) => CallStatus::OutOfGas,
			_ if gas < 0 => CallStatus::OutOfGas,
			Ended::Returned => CallStatus::Exited(0),
			Ended::Exit(Exit::Code(code)) => CallStatus::Exited(code),
			Ended::Exit(Exit::ResponseTooLarge) => CallStatus::ResponseTooLarge,
			Ended::Unreachable if stack < 0 => CallStatus::StackOverflow,
			Ended::Unreachable | Ended::Trapped => CallStatus::Trapped,
		};
		Ok(match status {
			CallStatus::OutOfGas => (status, self.limit),
			_ => (status, self.used(gas)),
		})
	}

	/// Gas that was used when so much is left.
	pub(crate) fn used(&self, gas: i64) -> Gas {
		self.limit.saturating_sub(gas.max(0) as Gas)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const BUDGET: Budget = Budget {
		limit: 100,
		left: 90,
	};

	#[test]
	fn gas_comes_before_the_stack_and_both_before_the_end() {
		for (ended, gas, stack, status, used) in [
			(Ended::Returned, 10, 5, CallStatus::Exited(0), 90),
			(Ended::Returned, -1, 5, CallStatus::OutOfGas, 100),
			(Ended::Exit(Exit::Code(3)), 0, 5, CallStatus::Exited(3), 100),
			(Ended::Exit(Exit::Code(0)), -1, 5, CallStatus::OutOfGas, 100),
			(Ended::Exit(Exit::OutOfGas), 0, 5, CallStatus::OutOfGas, 100),
			(
				Ended::Exit(Exit::ResponseTooLarge),
				1,
				5,
				CallStatus::ResponseTooLarge,
				99,
			),
			(Ended::Unreachable, 10, 5, CallStatus::Trapped, 90),
			(Ended::Unreachable, 10, -1, CallStatus::StackOverflow, 90),
			(Ended::Unreachable, -1, -1, CallStatus::OutOfGas, 100),
			(Ended::Trapped, 10, 5, CallStatus::Trapped, 90),
			// It had taken too much before it trapped, between two tests.
			(Ended::Trapped, -1, 5, CallStatus::OutOfGas, 100),
		] {
			assert_eq!(
				BUDGET.close(ended, gas, stack),
				Ok((status, used)),
				"{ended:?} {gas} {stack}"
			);
		}
	}

	#[test]
	fn an_effect_that_failed_is_no_end() {
		let failure = EffectFailure::Stopped;
		let ended = Ended::Exit(Exit::Effect(failure));
		assert_eq!(BUDGET.close(ended, 10, 5), Err(failure));
	}
}
