//! Millrace's own pallets, and how they know each other.

use super::{
	governance::RootOrEmergency,
	money::{deposit, WeightPrice},
};
use crate::{
	parameters::LengthFee, timing, weights, Babe, Balance, Balances, BlockNumber, Capacity,
	Emission, Epochs, Governed, Market, Providers, Receipts, Runtime, RuntimeHoldReason, Timestamp,
	Validators,
};
use frame_support::{parameter_types, traits::Get, PalletId};
use millrace_primitives::{report::MAX_DEALS_PER_PEER, traits::EpochClock, EpochIndex, FLT};

/// VRF output of the block before: pallet-babe writes it when that block ends.
#[derive(Debug)]
pub struct LastVrfOutput;

impl Get<Option<[u8; 32]>> for LastVrfOutput {
	fn get() -> Option<[u8; 32]> {
		Babe::author_vrf_randomness()
	}
}

/// Timestamp in milliseconds: of the block before, until the block's own is set.
#[derive(Debug)]
pub struct LastTimestamp;

impl Get<u64> for LastTimestamp {
	fn get() -> u64 {
		Timestamp::get()
	}
}

/// Epochs for whose signatures a peer may have to answer: the longest challenge period that
/// parameters can ask for, two to report and be audited in, and one because an epoch has begun.
const ANSWERABLE_EPOCHS: EpochIndex = pallet_capacity::MAX_CHALLENGE_EPOCHS + 3;

const _: () = assert!(
	ANSWERABLE_EPOCHS < pallet_epochs::RING_SLOTS,
	"the clock must remember where the oldest of them began"
);

/// First block of the oldest of the `ANSWERABLE_EPOCHS`. They are counted as they were: lengths
/// that governance has changed since, and blocks that migrations took, make no difference.
#[derive(Debug)]
pub struct AnswerableSince;

impl Get<BlockNumber> for AnswerableSince {
	fn get() -> BlockNumber {
		let current = <Epochs as EpochClock>::current().index;
		// Unknown only on a chain that has not begun. Nothing was signed before the first block.
		Epochs::start_of(current.saturating_sub(ANSWERABLE_EPOCHS)).unwrap_or(1)
	}
}

/// Rows of a peer itself: its record and its keys, what it offers and how it is loaded, its commitment
/// with stakes, rounds and audits, and what it worked for.
const PEER_ROWS: u32 = 24;
/// Their bytes.
const PEER_BYTES: u32 = 8_192;
/// Rows of a peer and one of the epochs that its rings remember: its report, the receipts that it opened
/// and who may demand their data, and what became of that.
const RING_ROWS: u32 = 4;
/// Their bytes, with what names them.
const RING_BYTES: u32 = 1_040;
/// Rows of a peer and one deal that it works for: worker, seat, vouchers and probes.
const WORK_ROWS: u32 = 4;
/// Their bytes, with what names them, and those of the peer's place in the deal's queue.
const WORK_BYTES: u32 = 832;

parameter_types! {
	/// Held for a provider: its record, and how many of its stakes are active.
	pub const ProviderDeposit: Balance = deposit(2, 256);
	/// Held for a peer: its own rows, those of every epoch that its rings remember, and those of as many
	/// deals as it can work for. It stays registered while it does. Cases that were proven against it and
	/// slashes that wait are not among them: what is slashed pays for those.
	pub const PeerDeposit: Balance = deposit(
		PEER_ROWS + RING_ROWS * pallet_receipts::RING + WORK_ROWS * MAX_DEALS_PER_PEER,
		PEER_BYTES + RING_BYTES * pallet_receipts::RING + WORK_BYTES * MAX_DEALS_PER_PEER,
	);
	/// Held of a provider while a round of stake is open: whoever removes one that lapsed is paid
	/// from it.
	pub const RoundDeposit: Balance = FLT;
	/// Held of a staker for the ledger of its earnings.
	pub const LedgerDeposit: Balance = deposit(1, 1_400);
	/// Names the pot that all escrow stands in.
	pub const EscrowPotId: PalletId = PalletId(*b"mr/escrw");
}

impl pallet_epochs::Config for Runtime {
	type VrfOutput = LastVrfOutput;
	type Time = LastTimestamp;
	type SlotDuration = timing::SlotDuration<Runtime>;
	// What was voted comes into force before anything else hears of the epoch.
	type Hooks = (Governed, Capacity);
	type WeightInfo = weights::pallet_epochs::WeightInfo<Runtime>;
}

impl pallet_providers::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type PeerUse = (Capacity, (Market, Receipts));
	type ProviderDeposit = ProviderDeposit;
	type PeerDeposit = PeerDeposit;
	type AnswerableSince = AnswerableSince;
	type WeightInfo = weights::pallet_providers::WeightInfo<Runtime>;
}

impl pallet_capacity::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type Peers = Providers;
	type Receipts = Receipts;
	type Work = Market;
	type RandomX = millrace_host::Native;
	type Emission = Emission;
	type OnStake = Validators;
	type Equivocations = Validators;
	// A slash waits for 24 epochs: long enough for the emergency track, not for root's.
	type CancelOrigin = RootOrEmergency;
	type WeightToFee = WeightPrice;
	type RoundDeposit = RoundDeposit;
	type LedgerDeposit = LedgerDeposit;
	type WeightInfo = weights::pallet_capacity::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

impl pallet_market::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PotId = EscrowPotId;
	type Epochs = Epochs;
	type Peers = Providers;
	type Capacity = Capacity;
	type WeightToFee = WeightPrice;
	type WeightInfo = weights::pallet_market::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

impl pallet_receipts::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Clock = Epochs;
	type Peers = Providers;
	type Work = Market;
	type Clients = Market;
	type Slasher = Capacity;
	type Replayer = millrace_host::Native;
	type WeightToFee = WeightPrice;
	type ByteFee = LengthFee;
	type WeightInfo = weights::pallet_receipts::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::AccountId;
	use codec::MaxEncodedLen;
	use millrace_primitives::{
		billing::Redeemed,
		market::{DealSpec, Hosts, Worker, MAX_WORKERS},
		packages::PackageHistory,
		peer::PeerId,
		traits::{PeerUse, ReceiptLedger},
		views::ReportRecord,
		DealId, H256, U256,
	};
	use pallet_epochs::{Current, Starts, RING_SLOTS};
	use pallet_market::{Deal, DealKey, ExclusionList, MarketParams, ProbeRecord, Vacancy};
	use pallet_receipts::{Answers, Opening, OpeningClients};

	/// Goes on to an epoch, each before it of so many blocks.
	fn go_to(last: EpochIndex, blocks_of: impl Fn(EpochIndex) -> BlockNumber) {
		let mut start = 1;
		for epoch in 0..=last {
			Starts::<Runtime>::insert(epoch % RING_SLOTS, (epoch, start));
			Current::<Runtime>::mutate(|info| (info.index, info.start) = (epoch, start));
			start += blocks_of(epoch);
		}
	}

	#[test]
	fn signatures_are_answered_for_by_epochs_whatever_their_lengths() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!(AnswerableSince::get(), 1);
			go_to(63, |_| 20);
			assert_eq!(AnswerableSince::get(), 1);
			// Shorter epochs since do not make the long ones of then shorter.
			go_to(100, |epoch| if epoch < 50 { 1_200 } else { 20 });
			assert_eq!(AnswerableSince::get(), 1 + 37 * 1_200);
		});
	}

	#[test]
	fn an_equivocation_is_reported_before_the_second_change_after_it() {
		let params = pallet_capacity::CapacityParams::default();
		// The first change comes an epoch after it at the earliest, the second this much later.
		let distance = params.challenge_epochs + pallet_capacity::CHANGE_MARGIN_EPOCHS;
		// It can be proven until that many sessions have begun after its own. Of checkpoints it can be for
		// longer: decision 75 says why.
		let sessions = u64::from(crate::validators::FINALITY_PROVABLE + 2);
		let slots = sp_io::TestExternalities::default()
			.execute_with(|| sessions * timing::SessionSlots::<Runtime>::get());
		let epochs = slots.div_ceil(pallet_epochs::DEFAULT_LENGTHS.len.into());
		assert!(epochs < u64::from(1 + distance));
	}

	/// Its place in the queue of a deal that a worker is assigned to.
	type Assigned = (PeerId, EpochIndex);

	#[test]
	fn a_peers_deposit_covers_its_rows_with_every_deal_that_it_works_for() {
		let rows = [
			Worker::max_encoded_len(),
			// The number of the provider's workers, who are at least this one.
			u32::max_encoded_len(),
			Redeemed::max_encoded_len(),
			ProbeRecord::<AccountId>::max_encoded_len(),
		];
		assert_eq!(rows.len(), WORK_ROWS as usize);
		let names = rows.len() * <(DealId, PeerId)>::max_encoded_len();
		let bytes = rows.iter().sum::<usize>() + names + Assigned::max_encoded_len();
		assert!(bytes <= WORK_BYTES as usize, "{bytes}");
		assert_eq!(AccountId::max_encoded_len(), PeerId::max_encoded_len());
	}

	#[test]
	fn a_peers_deposit_covers_every_epoch_that_its_rings_remember() {
		let rows = [
			ReportRecord::max_encoded_len(),
			Opening::max_encoded_len(),
			OpeningClients::<AccountId>::max_encoded_len(),
			Answers::max_encoded_len(),
		];
		assert_eq!(rows.len(), RING_ROWS as usize);
		// The peer, and the place in the ring.
		let names = rows.len() * <(PeerId, u32)>::max_encoded_len();
		let bytes = rows.iter().sum::<usize>() + names;
		assert!(bytes <= RING_BYTES as usize, "{bytes}");
	}

	/// How many peers a deal remembers has nothing to do with how many it looks for: they come and go.
	#[test]
	fn a_deals_deposit_covers_the_longest_order_and_the_longest_memory() {
		// The assigned workers in its queue are paid for by their peers.
		let queue = Vacancy::max_encoded_len() - MAX_WORKERS as usize * Assigned::max_encoded_len();
		let rows = [
			DealSpec::<AccountId>::max_encoded_len(),
			Deal::<AccountId>::max_encoded_len(),
			PackageHistory::max_encoded_len(),
			// Its place in the owner's list.
			AccountId::max_encoded_len() + DealKey::max_encoded_len(),
			queue,
			// Peers that it excludes, and those that failed its probes.
			ExclusionList::max_encoded_len(),
			ExclusionList::max_encoded_len(),
		];
		let bytes = u32::try_from(rows.iter().sum::<usize>()).unwrap();
		let rows = deposit(rows.len() as u32, bytes);
		assert!(rows < MarketParams::default().deal_deposit);
		let all = sp_io::TestExternalities::default().execute_with(Governed::parameters);
		let voted = all.iter().find(|info| info.name == "market.deal_deposit");
		assert!(
			voted.is_some_and(|info| info.least > U256::from(rows)),
			"no vote makes it less"
		);
		assert!(Hosts::max_encoded_len() <= 576);
	}

	#[test]
	fn a_removed_peer_takes_its_receipts_along() {
		sp_io::TestExternalities::default().execute_with(|| {
			let peer = PeerId(H256::repeat_byte(1));
			Receipts::on_report(peer, 1, H256::zero());
			<Runtime as pallet_providers::Config>::PeerUse::forget(peer);
			assert_eq!(Receipts::report(peer, 1), None);
		});
	}
}
