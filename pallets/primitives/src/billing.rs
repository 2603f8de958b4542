//! How served epochs are billed: units that are reserved, or the gas of calls.
//!
//! A deal that is billed by gas reserves units as any other does, and a worker's price is the most that
//! an epoch costs. What of it is paid follows the gas that the worker reports, as far as the client has
//! signed for it: a voucher names the gas of all calls that the worker has answered since it went live.

use crate::{hash, market::Worker, peer::PeerId, Balance, DealId, EpochIndex, Gas, H256, U256};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// An ed25519 key that signs vouchers.
pub type VoucherKey = [u8; 32];
/// Its signature.
pub type VoucherSignature = [u8; 64];

/// How the served epochs of a deal are billed.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Billing {
	/// Every served epoch costs a worker's whole price.
	#[default]
	Reserved,
	/// A served epoch costs the part of it that its gas is of `full_gas`.
	Gas {
		/// Gas of a worker in an epoch that costs its whole price. More of it costs no more.
		full_gas: Gas,
		/// Key of the client, or of its gateway, that signs vouchers.
		#[cfg_attr(feature = "serde", serde(with = "crate::hex_bytes"))]
		voucher_key: VoucherKey,
	},
}

impl Billing {
	/// Whether a worker answers calls in an epoch. Gas counts in paid epochs alone: what was served before
	/// them would be had for nothing. Who pays whole epochs is served as soon as the worker is live.
	pub fn is_served_by(&self, worker: &Worker, epoch: EpochIndex) -> bool {
		match self {
			Self::Reserved => worker.serves(epoch),
			Self::Gas { .. } => worker.is_due(epoch),
		}
	}

	/// Gas that costs the whole price, where gas is billed.
	pub fn full_gas(&self) -> Option<Gas> {
		match self {
			Self::Reserved => None,
			Self::Gas { full_gas, .. } => Some(*full_gas),
		}
	}

	/// The key that signs vouchers, where gas is billed.
	pub fn voucher_key(&self) -> Option<VoucherKey> {
		match self {
			Self::Reserved => None,
			Self::Gas { voucher_key, .. } => Some(*voucher_key),
		}
	}
}

/// What an epoch of a price costs with so much gas: rounded down, against the claimant.
pub fn gas_share(price: Balance, gas: Gas, full_gas: Gas) -> Balance {
	if gas >= full_gas {
		return price;
	}
	// Below a price, so that it fits again.
	U256::from(price)
		.saturating_mul(U256::from(gas))
		.checked_div(U256::from(full_gas))
		.map_or(0, |share| share.low_u128())
}

/// A client's word for gas: what it pays a worker of a deal for, from its first paid epoch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Voucher {
	/// Gas of all calls since the worker went live, those of earlier vouchers included.
	pub cumulative: Gas,
	/// The voucher key's signature over [`voucher_hash`].
	pub signature: VoucherSignature,
}

/// What the chain keeps of a worker's vouchers.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Redeemed {
	/// Gas of the highest voucher.
	pub cumulative: Gas,
	/// What of it is billed already.
	pub billed: Gas,
	/// Epoch of the last redemption.
	pub epoch: EpochIndex,
}

impl Redeemed {
	/// Bills what was reported for an epoch, as far as there are vouchers for it; the gas that counts.
	pub fn bill(&mut self, reported: Gas) -> Gas {
		let gas = reported.min(self.cumulative.saturating_sub(self.billed));
		self.billed = self.billed.saturating_add(gas);
		gas
	}
}

/// What a voucher key signs. The first paid epoch names one assignment: a voucher for it is none for a
/// later one of the same peer to the same deal, of which nothing is billed yet.
pub fn voucher_hash(
	genesis: H256,
	deal: DealId,
	peer: PeerId,
	since: EpochIndex,
	cumulative: Gas,
) -> H256 {
	let payload = (genesis, deal, peer, since, cumulative);
	hash::tagged("millrace/voucher/v1", &payload)
}

/// What a peer's key signs to redeem a voucher. It is redeemed at most once an epoch, so nobody else
/// may: whoever signed the vouchers would bring a low one first.
pub fn redeem_hash(
	genesis: H256,
	peer: PeerId,
	deal: DealId,
	since: EpochIndex,
	cumulative: Gas,
) -> H256 {
	let payload = (genesis, peer, deal, since, cumulative);
	hash::tagged("millrace/redeem/v1", &payload)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn gas_is_served_when_it_is_paid_and_whole_epochs_as_soon_as_the_worker_is_live() {
		let worker = Worker {
			peer: PeerId(H256::zero()),
			offer: 1,
			ask: 1,
			units: 1,
			bond: 0,
			status: crate::market::WorkerStatus::Live { since: 4 },
		};
		let by_gas = Billing::Gas {
			full_gas: 1,
			voucher_key: [0; 32],
		};
		let served =
			|billing: &Billing| [2, 3, 4].map(|epoch| billing.is_served_by(&worker, epoch));
		assert_eq!(served(&Billing::Reserved), [false, true, true]);
		assert_eq!(served(&by_gas), [false, false, true]);
	}

	#[test]
	fn a_voucher_is_for_one_chain_deal_peer_assignment_and_sum() {
		let hash = |genesis, deal, peer, since, cumulative| {
			let (genesis, peer) = (H256::repeat_byte(genesis), PeerId(H256::repeat_byte(peer)));
			let voucher = voucher_hash(genesis, deal, peer, since, cumulative);
			// Whoever redeems it has not signed it by that.
			assert_ne!(voucher, redeem_hash(genesis, peer, deal, since, cumulative));
			voucher
		};
		let one = hash(1, 2, 3, 4, 5);
		assert_eq!(one, hash(1, 2, 3, 4, 5));
		for other in [
			hash(0, 2, 3, 4, 5),
			hash(1, 0, 3, 4, 5),
			hash(1, 2, 0, 4, 5),
			hash(1, 2, 3, 0, 5),
			hash(1, 2, 3, 4, 0),
		] {
			assert_ne!(one, other);
		}
	}

	#[test]
	fn a_share_is_rounded_down_and_never_above_the_price() {
		assert_eq!(gas_share(100, 0, 3), 0);
		assert_eq!(gas_share(100, 1, 3), 33);
		assert_eq!(gas_share(100, 2, 3), 66);
		assert_eq!(gas_share(100, 3, 3), 100);
		assert_eq!(gas_share(100, 4, 3), 100);
		assert_eq!(gas_share(1, 2, 3), 0);
		// A product that no balance holds.
		let almost = gas_share(Balance::MAX, Gas::MAX - 1, Gas::MAX);
		assert!(almost < Balance::MAX && almost > Balance::MAX / 2);
		// There is no such deal; nothing is divided by it.
		assert_eq!(gas_share(100, 0, 0), 100);
	}

	#[test]
	fn what_was_billed_is_not_billed_again() {
		let mut redeemed = Redeemed {
			cumulative: 10,
			billed: 0,
			epoch: 1,
		};
		assert_eq!(redeemed.bill(4), 4);
		assert_eq!(redeemed.bill(9), 6);
		assert_eq!(redeemed.bill(1), 0);
		redeemed.cumulative = 13;
		assert_eq!(redeemed.bill(0), 0);
		assert_eq!(redeemed.bill(Gas::MAX), 3);
		assert_eq!(redeemed.billed, 13);
	}

	#[cfg(feature = "serde")]
	#[test]
	fn billing_is_written_as_orders_are() {
		let gas = Billing::Gas {
			full_gas: 7,
			voucher_key: [1; 32],
		};
		let key = format!("0x{}", "01".repeat(32));
		let text = serde_json::json!({ "gas": { "full_gas": 7, "voucher_key": key } });
		assert_eq!(serde_json::json!(gas), text);
		assert_eq!(serde_json::from_value::<Billing>(text).ok(), Some(gas));
		assert_eq!(serde_json::json!(Billing::Reserved), "reserved");
		let (none, some) = (Billing::Reserved.full_gas(), gas.full_gas());
		assert_eq!((none, some), (None, Some(7)));
		assert_eq!(gas.voucher_key(), Some([1; 32]));
	}

	proptest! {
		#[test]
		fn parts_of_an_epoch_never_cost_more_than_the_whole(
			price in any::<u128>(),
			parts in any::<[u32; 2]>(),
			full in 1u64..1 << 34,
		) {
			let [one, other] = parts.map(Gas::from);
			let together = gas_share(price, one + other, full);
			prop_assert!(together <= price);
			if one + other <= full {
				let apart = gas_share(price, one, full).checked_add(gas_share(price, other, full));
				prop_assert!(apart.is_some_and(|apart| apart <= together && together - apart <= 1));
			}
		}
	}
}
