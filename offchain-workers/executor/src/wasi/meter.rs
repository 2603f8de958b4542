//! Gas of host calls, and the ways in which one ends the guest.

use crate::effects::EffectFailure;
use millrace_primitives::Gas;
use thiserror::Error;

/// Why a host call ends the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Exit {
	/// The guest asked for it.
	#[error("the guest exited with code {0}")]
	Code(u32),
	/// The call costs more gas than is left.
	#[error("the guest ran out of gas in a host call")]
	OutOfGas,
	/// The response would pass its limit.
	#[error("the guest wrote more than its response may hold")]
	ResponseTooLarge,
	/// The effect that it asked for came to nothing: none of the guest's doing.
	#[error(transparent)]
	Effect(#[from] EffectFailure),
}

/// The gas that a guest has left while the host works for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
	left: Gas,
}

impl Meter {
	/// A meter with so much gas left.
	pub fn new(left: Gas) -> Self {
		Self { left }
	}

	/// What is left.
	pub fn left(&self) -> Gas {
		self.left
	}

	/// Takes gas. If there is less than that, all of it is gone.
	pub fn take(&mut self, amount: Gas) -> Result<(), Exit> {
		match self.left.checked_sub(amount) {
			Some(left) => {
				self.left = left;
				Ok(())
			}
			None => {
				self.left = 0;
				Err(Exit::OutOfGas)
			}
		}
	}
}
