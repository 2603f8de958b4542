//! Calls by name. Arguments are SCALE-encoded here, in the types of `millrace-primitives`; the
//! indices of pallet and call are looked up in the metadata that the node serves.

pub mod anchor;
pub mod balances;
pub mod capacity;
pub mod governance;
pub mod market;
pub mod providers;
pub mod receipts;
pub mod rewards;
pub mod session;
pub mod sudo;
mod text;
pub mod utility;
pub mod validators;

use codec::{Compact, Encode, Output};
use subxt::Metadata;

pub use text::CallText;

/// A call that is not encoded yet, because only a runtime's metadata knows its indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
	/// Name of the pallet in the runtime, such as `Market`.
	pub pallet: String,
	/// Name of the call, such as `create_deal`.
	pub name: String,
	/// Its arguments.
	pub args: Args,
}

/// Arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Args {
	/// All arguments, encoded one after the other.
	Encoded(Vec<u8>),
	/// One argument: another call.
	Call(Box<Call>),
	/// One argument: a list of calls.
	Calls(Vec<Call>),
}

/// Why a call cannot be encoded for a runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
	/// The runtime has no such pallet.
	#[error("the runtime has no pallet {pallet}; node and client are of different versions")]
	UnknownPallet {
		/// The pallet's name.
		pallet: String,
	},
	/// The pallet has no such call.
	#[error("the runtime has no call {pallet}.{name}; node and client are of different versions")]
	UnknownCall {
		/// The pallet's name.
		pallet: String,
		/// The call's name.
		name: String,
	},
	/// The runtime expects other arguments.
	#[error("the runtime expects other arguments of {pallet}.{name}: {reason}")]
	OtherArguments {
		/// The pallet's name.
		pallet: String,
		/// The call's name.
		name: String,
		/// Where decoding them stopped.
		reason: String,
	},
}

impl Call {
	/// A call with encoded arguments; a tuple encodes as its members one after the other.
	pub fn new(pallet: &str, name: &str, args: impl Encode) -> Self {
		Self {
			pallet: pallet.into(),
			name: name.into(),
			args: Args::Encoded(args.encode()),
		}
	}

	/// The call as the runtime reads it: both indices, then the arguments.
	pub fn encode(&self, metadata: &Metadata) -> Result<Vec<u8>, CallError> {
		let (pallet, call) = self.indices(metadata)?;
		let mut bytes = vec![pallet, call];
		bytes.extend(self.encode_args(metadata)?);
		Ok(bytes)
	}

	/// The arguments alone.
	pub(crate) fn encode_args(&self, metadata: &Metadata) -> Result<Vec<u8>, CallError> {
		match &self.args {
			Args::Encoded(bytes) => Ok(bytes.clone()),
			Args::Call(call) => call.encode(metadata),
			Args::Calls(calls) => {
				let mut bytes = Compact(calls.len() as u32).encode();
				for call in calls {
					bytes.extend(call.encode(metadata)?);
				}
				Ok(bytes)
			}
		}
	}

	fn indices(&self, metadata: &Metadata) -> Result<(u8, u8), CallError> {
		let pallet =
			metadata
				.pallet_by_name(&self.pallet)
				.ok_or_else(|| CallError::UnknownPallet {
					pallet: self.pallet.clone(),
				})?;
		let call =
			pallet
				.call_variant_by_name(&self.name)
				.ok_or_else(|| CallError::UnknownCall {
					pallet: self.pallet.clone(),
					name: self.name.clone(),
				})?;
		Ok((pallet.call_index(), call.index))
	}
}

/// Bytes that are SCALE already.
struct Raw<'a>(&'a [u8]);

impl Encode for Raw<'_> {
	fn size_hint(&self) -> usize {
		self.0.len()
	}

	fn encode_to<T: Output + ?Sized>(&self, dest: &mut T) {
		dest.write(self.0);
	}
}

impl std::fmt::Display for Call {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "{}.{}", self.pallet, self.name)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::AccountId;
	use millrace_primitives::{
		billing::Voucher,
		challenge::{CaseId, Charge, Wanted},
		commitment::{CommitmentTerms, RoundKind, StakerTerms},
		peer::PeerId,
		H256,
	};
	use sp_arithmetic::Perbill;

	#[test]
	fn arguments_stand_one_after_the_other() {
		let call = capacity::grow(PeerId::default(), 720, &Default::default());
		let mut expected = [0u8; 32].to_vec();
		expected.extend([0xd0, 2, 0, 0, 0]);
		assert_eq!(call.args, Args::Encoded(expected));
		assert_eq!(call.to_string(), "Capacity.grow");

		let call = capacity::claim(&AccountId::from([7; 32]));
		assert_eq!(call.args, Args::Encoded([7; 32].to_vec()));
	}

	#[test]
	fn a_staker_signs_the_whole_terms_and_then_its_amounts() {
		let terms = StakerTerms {
			kind: RoundKind::Renewal,
			units: 3,
			duration_epochs: 4,
			end: 5,
			terms: CommitmentTerms {
				stake_per_unit: 6,
				slash_rate: Perbill::from_parts(7),
				own_part: Perbill::from_parts(8),
				own_floor: Perbill::from_parts(9),
				commission: Perbill::from_parts(10),
				unbonding_epochs: 11,
				challenge_epochs: 12,
				slash_delay_epochs: 13,
				vesting_epochs: 14,
				stake_floor: Perbill::from_parts(15),
				least_audit_slash: Perbill::from_parts(16),
			},
		};
		let call = capacity::stake(PeerId::default(), &terms, 17, 18);
		let mut expected = [0u8; 32].to_vec();
		expected.push(2);
		for word in [3u32, 4, 5] {
			expected.extend(word.to_le_bytes());
		}
		expected.extend(6u128.to_le_bytes());
		for word in 7u32..=16 {
			expected.extend(word.to_le_bytes());
		}
		expected.extend(17u128.to_le_bytes());
		expected.extend(18u128.to_le_bytes());
		assert_eq!(call.args, Args::Encoded(expected));
	}

	#[test]
	fn evidence_is_there_or_is_not_and_data_have_their_length() {
		let case = CaseId {
			peer: PeerId::default(),
			epoch: 1,
			charge: Charge::Replay,
			subject: H256::repeat_byte(2),
		};
		let salt = H256::repeat_byte(3);
		let mut expected = [0u8; 32].to_vec();
		expected.extend([1, 0, 0, 0, 1]);
		expected.extend([2; 32]);
		expected.extend([3; 32]);
		expected.push(0);
		let call = receipts::reveal(&case, salt, None);
		assert_eq!(call.args, Args::Encoded(expected));

		let call = receipts::post(PeerId::default(), 1, 2, Wanted::Request, b"ab", [4; 64]);
		let mut expected = [0u8; 32].to_vec();
		expected.extend([1, 0, 0, 0, 2, 0, 0, 0, 1, 8, b'a', b'b']);
		expected.extend([4; 64]);
		assert_eq!(call.args, Args::Encoded(expected));
	}

	#[test]
	fn a_deal_is_given_to_somebody_or_nobody_and_resized_by_its_least_number_first() {
		let seven = [7, 0, 0, 0, 0, 0, 0, 0].to_vec();
		let call = market::name_heir(7, Some(&AccountId::from([9; 32])));
		let mut expected = seven.clone();
		expected.push(1);
		expected.extend([9; 32]);
		assert_eq!(call.args, Args::Encoded(expected));

		let mut expected = seven.clone();
		expected.push(0);
		assert_eq!(market::name_heir(7, None).args, Args::Encoded(expected));

		let mut expected = seven;
		expected.extend([2, 0, 0, 0, 5, 0, 0, 0]);
		let call = market::resize(7, 2, 5);
		assert_eq!(call.args, Args::Encoded(expected));
		assert_eq!(call.to_string(), "Market.resize");
	}

	#[test]
	fn notice_names_the_peer_first_and_its_end_by_the_owner_the_deal() {
		let peer = PeerId(H256::repeat_byte(1));
		let deal = [7, 0, 0, 0, 0, 0, 0, 0];
		let mut expected = [1; 32].to_vec();
		expected.extend(deal);
		expected.extend([4; 64]);
		let call = market::drain(peer, 7, [4; 64]);
		assert_eq!(call.args, Args::Encoded(expected));

		let mut expected = deal.to_vec();
		expected.extend([1; 32]);
		for call in [market::end_worker(7, peer), market::replace(7, peer)] {
			assert_eq!(call.args, Args::Encoded(expected.clone()), "{call}");
		}
	}

	#[test]
	fn a_redemption_is_the_voucher_between_the_deal_and_the_peers_signature() {
		let voucher = Voucher {
			cumulative: 3,
			signature: [5; 64],
		};
		let mut expected = [1; 32].to_vec();
		expected.extend([7, 0, 0, 0, 0, 0, 0, 0]);
		expected.extend([3, 0, 0, 0, 0, 0, 0, 0]);
		expected.extend([5; 64]);
		expected.extend([4; 64]);
		let call = market::redeem(PeerId(H256::repeat_byte(1)), 7, voucher, [4; 64]);
		assert_eq!(call.args, Args::Encoded(expected));
	}

	#[test]
	fn a_call_without_arguments_encodes_to_nothing() {
		assert_eq!(providers::remove_provider().args, Args::Encoded(Vec::new()));
	}
}
