//! Messages of both directions, byte for byte as the contracts write and read them: numbers are
//! big-endian and of fixed width.

use super::{keccak, AnchorId, H160, MAX_DATA_BYTES, MAX_FORCED_BYTES};
use crate::{Balance, H256};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Kind of a message that lets FLT be minted there.
pub const WITHDRAWAL: u8 = 0x00;
/// Kind of a message with bytes for a contract there.
pub const MESSAGE: u8 = 0x01;
/// Kind of a message that unlocks FLT here.
pub const DEPOSIT: u8 = 0x10;
/// Kind of a message with bytes that the chain must take.
pub const FORCED: u8 = 0x11;

/// Bytes for a contract.
pub type MessageData = BoundedVec<u8, ConstU32<MAX_DATA_BYTES>>;
/// Bytes that the chain must take.
pub type ForcedData = BoundedVec<u8, ConstU32<MAX_FORCED_BYTES>>;

/// What the chain sends.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Outgoing {
	/// FLT that is locked here, to be minted there.
	Withdrawal {
		/// Whom it is minted for.
		recipient: H160,
		/// How much.
		amount: Balance,
	},
	/// Bytes for a contract.
	Message {
		/// Account that sends them.
		sender: [u8; 32],
		/// The contract.
		target: H160,
		/// The bytes.
		data: MessageData,
	},
}

impl Outgoing {
	/// The message as the contracts see it.
	pub fn bytes(&self, genesis: H256, anchor: &AnchorId, nonce: u64) -> Vec<u8> {
		match self {
			Self::Withdrawal { recipient, amount } => [
				&header(WITHDRAWAL, genesis, anchor, nonce)[..],
				recipient.as_bytes(),
				&amount.to_be_bytes(),
			]
			.concat(),
			Self::Message {
				sender,
				target,
				data,
			} => [
				&header(MESSAGE, genesis, anchor, nonce)[..],
				sender,
				target.as_bytes(),
				data,
			]
			.concat(),
		}
	}

	/// Its id: what stands in the tree of its block.
	pub fn id(&self, genesis: H256, anchor: &AnchorId, nonce: u64) -> H256 {
		keccak(&self.bytes(genesis, anchor, nonce))
	}
}

/// What the chain takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
	/// FLT that was burnt there, to be unlocked here.
	Deposit {
		/// Who burnt it.
		sender: H160,
		/// Account here that it is for.
		recipient: [u8; 32],
		/// How much.
		amount: Balance,
	},
	/// Bytes that the chain must take.
	Forced {
		/// Who sent them.
		sender: H160,
		/// FLT that was burnt there for them.
		fee: Balance,
		/// The bytes.
		data: ForcedData,
	},
}

/// Why a message says nothing to the chain.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Unreadable {
	/// Its header is of another chain, anchor or contract.
	Header,
	/// Its number is not the one of its place.
	Nonce,
	/// There is no such kind.
	Kind,
	/// It is too short or too long for its kind.
	Length,
}

impl Incoming {
	/// Reads a message that has its place in the inbox of this contract.
	pub fn read(
		message: &[u8],
		genesis: H256,
		anchor: &AnchorId,
		nonce: u64,
	) -> Result<Self, Unreadable> {
		let (&kind, rest) = message.split_first().ok_or(Unreadable::Length)?;
		let (of, rest) = take::<32>(rest)?;
		let (chain_id, rest) = take::<8>(rest)?;
		let (contract, rest) = take::<20>(rest)?;
		let ours = of == genesis.0
			&& u64::from_be_bytes(chain_id) == anchor.chain_id
			&& contract == anchor.contract.0;
		if !ours {
			return Err(Unreadable::Header);
		}
		let (number, rest) = take::<8>(rest)?;
		if u64::from_be_bytes(number) != nonce {
			return Err(Unreadable::Nonce);
		}
		let (sender, rest) = take::<20>(rest)?;
		let sender = H160(sender);
		match kind {
			DEPOSIT => {
				let (recipient, rest) = take::<32>(rest)?;
				let (amount, rest) = take::<16>(rest)?;
				if !rest.is_empty() {
					return Err(Unreadable::Length);
				}
				Ok(Self::Deposit {
					sender,
					recipient,
					amount: Balance::from_be_bytes(amount),
				})
			}
			FORCED => {
				let (fee, rest) = take::<16>(rest)?;
				let data = rest.to_vec().try_into().map_err(|_| Unreadable::Length)?;
				Ok(Self::Forced {
					sender,
					fee: Balance::from_be_bytes(fee),
					data,
				})
			}
			_ => Err(Unreadable::Kind),
		}
	}

	/// The message as the contracts write it: for tests, benchmarks and anchors in a process.
	pub fn bytes(&self, genesis: H256, anchor: &AnchorId, nonce: u64) -> Vec<u8> {
		match self {
			Self::Deposit {
				sender,
				recipient,
				amount,
			} => [
				&header(DEPOSIT, genesis, anchor, nonce)[..],
				sender.as_bytes(),
				recipient,
				&amount.to_be_bytes(),
			]
			.concat(),
			Self::Forced { sender, fee, data } => [
				&header(FORCED, genesis, anchor, nonce)[..],
				sender.as_bytes(),
				&fee.to_be_bytes(),
				data,
			]
			.concat(),
		}
	}
}

/// What messages begin with, so that none counts for another chain, anchor or contract, and none in the
/// other direction.
fn header(kind: u8, genesis: H256, anchor: &AnchorId, nonce: u64) -> Vec<u8> {
	[
		&[kind][..],
		genesis.as_bytes(),
		&anchor.chain_id.to_be_bytes(),
		anchor.contract.as_bytes(),
		&nonce.to_be_bytes(),
	]
	.concat()
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Unreadable> {
	bytes
		.split_first_chunk::<N>()
		.map(|(first, rest)| (*first, rest))
		.ok_or(Unreadable::Length)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn genesis() -> H256 {
		H256::repeat_byte(0xaa)
	}

	fn anchor() -> AnchorId {
		AnchorId {
			chain_id: 31_337,
			contract: H160::repeat_byte(0xcc),
		}
	}

	fn deposit() -> Incoming {
		Incoming::Deposit {
			sender: H160::repeat_byte(2),
			recipient: [3; 32],
			amount: 4,
		}
	}

	fn forced(bytes: usize) -> Incoming {
		Incoming::Forced {
			sender: H160::repeat_byte(2),
			fee: 5,
			data: ForcedData::truncate_from(alloc::vec![6; bytes]),
		}
	}

	#[test]
	fn a_withdrawal_has_the_bytes_that_the_contract_packs() {
		let withdrawal = Outgoing::Withdrawal {
			recipient: H160::repeat_byte(0xbb),
			amount: 0x0102,
		};
		let mut expected = alloc::vec![0u8];
		expected.extend([0xaa; 32]);
		expected.extend([0, 0, 0, 0, 0, 0, 0x7a, 0x69]);
		expected.extend([0xcc; 20]);
		expected.extend([0, 0, 0, 0, 0, 0, 0, 9]);
		expected.extend([0xbb; 20]);
		expected.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
		let bytes = withdrawal.bytes(genesis(), &anchor(), 9);
		assert_eq!(bytes, expected);
		assert_eq!(bytes.len(), 105);
		assert_eq!(withdrawal.id(genesis(), &anchor(), 9), keccak(&bytes));
	}

	#[test]
	fn a_message_names_its_sender_before_its_target() {
		let message = Outgoing::Message {
			sender: [1; 32],
			target: H160::repeat_byte(2),
			data: MessageData::truncate_from(alloc::vec![3, 4]),
		};
		let bytes = message.bytes(genesis(), &anchor(), 0);
		assert_eq!(bytes.len(), 69 + 32 + 20 + 2);
		assert_eq!(bytes[0], MESSAGE);
		assert_eq!(bytes[69..101], [1; 32]);
		assert_eq!(bytes[101..121], [2; 20]);
		assert_eq!(bytes[121..], [3, 4]);
	}

	#[test]
	fn what_the_contract_writes_is_read() {
		for incoming in [deposit(), forced(1), forced(MAX_FORCED_BYTES as usize)] {
			let bytes = incoming.bytes(genesis(), &anchor(), 7);
			assert!(bytes.len() <= super::super::MAX_INCOMING_BYTES as usize);
			assert_ne!(bytes.len(), 64);
			assert_eq!(
				Incoming::read(&bytes, genesis(), &anchor(), 7),
				Ok(incoming)
			);
		}
		assert_eq!(deposit().bytes(genesis(), &anchor(), 7).len(), 137);
	}

	#[test]
	fn what_is_not_for_the_chain_is_not_read() {
		let bytes = deposit().bytes(genesis(), &anchor(), 7);
		let read = |bytes: &[u8], nonce| Incoming::read(bytes, genesis(), &anchor(), nonce);
		assert_eq!(read(&bytes, 8), Err(Unreadable::Nonce));
		for place in [1, 33, 41] {
			let mut other = bytes.clone();
			other[place] ^= 1;
			assert_eq!(read(&other, 7), Err(Unreadable::Header), "{place}");
		}
		for kind in [WITHDRAWAL, MESSAGE, 0x12] {
			let mut other = bytes.clone();
			other[0] = kind;
			assert_eq!(read(&other, 7), Err(Unreadable::Kind));
		}
		assert_eq!(read(&bytes[..136], 7), Err(Unreadable::Length));
		assert_eq!(
			read(&[&bytes[..], &[0]].concat(), 7),
			Err(Unreadable::Length)
		);
		let most = forced(MAX_FORCED_BYTES as usize).bytes(genesis(), &anchor(), 7);
		assert_eq!(
			read(&[&most[..], &[0]].concat(), 7),
			Err(Unreadable::Length)
		);
	}

	proptest! {
		#[test]
		fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), nonce: u64) {
			let _ = Incoming::read(&bytes, genesis(), &anchor(), nonce);
		}

		#[test]
		fn reading_undoes_writing(
			nonce: u64,
			sender: [u8; 20],
			recipient: [u8; 32],
			amount: u128,
			data in prop::collection::vec(any::<u8>(), 1..200),
		) {
			let sender = H160(sender);
			let messages = [
				Incoming::Deposit { sender, recipient, amount },
				Incoming::Forced { sender, fee: amount, data: ForcedData::truncate_from(data) },
			];
			for message in messages {
				let bytes = message.bytes(genesis(), &anchor(), nonce);
				prop_assert_eq!(Incoming::read(&bytes, genesis(), &anchor(), nonce), Ok(message));
			}
		}
	}
}
