//! The simulated chain: the one place that names calls and storage of the pallets.

use crate::{
	memory::Memory,
	runtime::{
		Balances, Capacity, Epochs, Market, Providers, Runtime, RuntimeGenesisConfig,
		RuntimeOrigin, VrfOutput, WeightPrice, EXISTENTIAL_DEPOSIT, FAKED, WORKED,
	},
};
use codec::Encode;
use frame_support::{
	dispatch::RawOrigin,
	storage::{storage_prefix, unhashed},
	traits::{fungible::Inspect, Hooks},
	weights::{WeightMeter, WeightToFee},
};
use millrace_primitives::{
	audit::{drawn_solutions, AuditAnswer, AuditStatus, SolutionOpening},
	commitment::StakeOffer,
	epoch::EpochLengths,
	execution::package_hash,
	hash,
	market::{Abi, CallLimits, DealSpec, OfferTerms, Package, ProviderFilter, WorkerStatus},
	merkle::Tree,
	peer::{key_proof, Endpoint, PeerId},
	report::{Report, Served},
	traits::{Capacity as _, EpochClock, Offence, StakeSlasher},
	views::CommitmentStatus,
	Balance, DealId, EpochIndex, CPU_V1, FLT, U256,
};
use pallet_capacity::{
	Audits, CapacityParams, Commitments, EpochRows, OngoingDraw, ReportList, Rounds,
	WaitingSlashes, WeightInfo,
};
use pallet_epochs::{LastTick, Tick};
use pallet_market::MarketParams;
use sp_core::{ed25519, Pair};
use sp_runtime::{BuildStorage, Perbill};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

mod draws;
mod market;

pub use draws::Shielded;
pub use market::Wanted;
pub use pallet_capacity::{EpochRow, Listed};

/// What the calls of capacity cost.
type Weights = <Runtime as pallet_capacity::Config>::WeightInfo;

/// What every account has at genesis: the stake of a peer twelve times over.
pub const ENDOWMENT: Balance = 10_000 * FLT;

/// A chain at its first block.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
	/// Decides all VRF outputs.
	pub seed: u64,
	/// Accounts from 1 on, each endowed.
	pub accounts: u64,
	/// Lengths of epochs and windows.
	pub lengths: EpochLengths,
	/// Whether audits are drawn. Those of honest reports are passed and cost nothing, so that they
	/// make no difference where nobody lies.
	pub audited: bool,
}

/// Trees of solutions by the number of leaves and of faked ones among them.
type Trees = HashMap<(u64, u64), Rc<Tree>>;

thread_local! {
	static TREES: RefCell<Trees> = RefCell::default();
}

/// The chain, as the agents see it.
#[derive(Debug)]
pub struct World {
	seed: u64,
	block: u32,
	lengths: EpochLengths,
	audited: bool,
	/// Reports of the agents in this epoch, to open leaves of.
	reports: HashMap<PeerId, (Report, u64)>,
}

/// What a peer owes for an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
	/// Idle units.
	pub idle: u32,
	/// Units at work.
	pub busy: u32,
}

/// What a report claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
	/// Idle units proven.
	pub idle: u32,
	/// Units at work proven.
	pub busy: u32,
	/// Part of the solutions that was made up.
	pub fakes: f64,
	/// Deals served.
	pub deals: &'a [DealId],
}

/// Runs something on a fresh chain. Chains of different threads do not know each other.
pub fn in_world<R>(setup: Setup, run: impl FnOnce(&mut World) -> R) -> R {
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=setup.accounts)
				.map(|account| (account, ENDOWMENT))
				.chain([(Market::pot(), EXISTENTIAL_DEPOSIT)])
				.collect(),
			..Default::default()
		},
		epochs: pallet_epochs::GenesisConfig {
			lengths: setup.lengths,
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.expect("the defaults are sound");
	Memory::new(storage).execute(|| {
		let mut world = World {
			seed: setup.seed,
			block: 0,
			lengths: setup.lengths,
			audited: setup.audited,
			reports: HashMap::new(),
		};
		world.block_after(None);
		run(&mut world)
	})
}

fn signed(account: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(account)
}

fn duty() -> RuntimeOrigin {
	RawOrigin::<u64>::Authorized.into()
}

// Time.
impl World {
	/// The present epoch.
	pub fn epoch(&self) -> EpochIndex {
		Epochs::current().index
	}

	/// Position in the present epoch.
	pub fn position(&self) -> u32 {
		Epochs::position()
	}

	/// Whether audits are drawn.
	pub fn is_audited(&self) -> bool {
		self.audited
	}

	/// Lengths of epochs and windows.
	pub fn lengths(&self) -> EpochLengths {
		self.lengths
	}

	/// VRF output of the present block.
	fn output(&self) -> [u8; 32] {
		hash::tagged("economics/vrf", &(self.seed, self.block)).0
	}

	/// The next block. `before` is the output of the present one; none if its slot was left empty.
	fn block_after(&mut self, before: Option<[u8; 32]>) {
		self.block += 1;
		VrfOutput::set(before);
		frame_system::Pallet::<Runtime>::set_block_number(self.block);
		// Not `reset_events`, which goes through everything that was ever written.
		for item in [&b"Events"[..], b"EventCount"] {
			unhashed::kill(&storage_prefix(b"System", item));
		}
		Epochs::on_initialize(self.block);
	}

	/// Leaves out the blocks before a position whose outputs decide nothing: all but those of the draw's
	/// window and those in which it goes on, where audits are drawn, and all but the first after that
	/// window, where none are.
	fn leave_out(&mut self, before: u32) {
		let folded = self.lengths.report_window + self.lengths.fold_window;
		let at = self.position();
		let (next, counts) = if at < folded {
			(before.min(folded), self.audited)
		} else {
			(before, self.audited && OngoingDraw::<Runtime>::exists())
		};
		if !counts && at + 1 < next {
			self.block += next - 1 - at;
			// As if that block were one of inherents only, so that nothing of it is folded.
			LastTick::<Runtime>::put(Tick {
				position: next - 1,
				counted: false,
			});
		}
	}

	fn next_block(&mut self) {
		self.block_after(Some(self.output()));
		if self.audited && OngoingDraw::<Runtime>::exists() {
			Capacity::on_poll(self.block, &mut WeightMeter::new());
		}
	}

	/// On to a later position of the present epoch.
	pub fn go_to(&mut self, position: u32) {
		while self.position() < position {
			self.leave_out(position);
			self.next_block();
		}
	}

	/// On to the first block of the next epoch.
	pub fn next_epoch(&mut self) {
		let epoch = self.epoch();
		while self.epoch() == epoch {
			self.leave_out(self.lengths.len);
			self.next_block();
		}
	}
}

// Totals.
impl World {
	/// Totals of an epoch.
	pub fn row(&self, epoch: EpochIndex) -> EpochRow {
		Capacity::row(epoch).expect("the epoch is remembered")
	}

	/// Changes the totals of an epoch, for peers that are not simulated one by one.
	pub fn set_row(&mut self, epoch: EpochIndex, change: impl FnOnce(&mut EpochRow)) {
		EpochRows::<Runtime>::mutate(Capacity::slot_of(epoch), |row| {
			change(row.as_mut().expect("the epoch has begun"));
		});
	}

	/// Writes an entry of an epoch's list of reports.
	pub fn set_listed(&mut self, epoch: EpochIndex, index: u32, entry: Listed) {
		ReportList::<Runtime>::insert((Capacity::list_of(epoch), index), entry);
	}

	/// An entry of an epoch's list of reports.
	pub fn listed(&self, epoch: EpochIndex, index: u32) -> Option<Listed> {
		ReportList::<Runtime>::get((Capacity::list_of(epoch), index))
	}

	/// Target of the class's reference machine.
	pub fn reference(&self) -> U256 {
		CapacityParams::default().target_reference
	}

	/// Stake that equals a number of units.
	pub fn stake_of(&self, units: u32) -> Balance {
		CapacityParams::default().stake_per_unit * Balance::from(units)
	}
}

// Peers and their stakes.
impl World {
	/// Makes an account the provider of a new peer.
	pub fn register(&mut self, owner: u64) -> PeerId {
		let pair = ed25519::Pair::from_seed(&hash::tagged("economics/peer", &owner).0);
		let key = pair.public().0;
		let genesis = <Epochs as EpochClock>::genesis();
		let proof = pair.sign(key_proof(genesis, &owner).as_bytes()).0;
		let endpoint = Endpoint::try_from(b"https://peer.example/".to_vec()).expect("it is short");
		Providers::register_provider(signed(owner), Default::default())
			.expect("the account is new");
		Providers::register_peer(signed(owner), key, proof, endpoint).expect("the key is new");
		PeerId::from_key(&key)
	}

	/// Promises units of a peer for at least so many epochs.
	pub fn create(&mut self, owner: u64, peer: PeerId, units: u32, epochs: u32, own_part: Perbill) {
		let offer = StakeOffer {
			own_part,
			commission: Perbill::zero(),
			invited: Default::default(),
		};
		let least = CapacityParams::default().min_duration_epochs;
		Capacity::create(signed(owner), peer, units, epochs.max(least), offer)
			.expect("the peer is free and its provider rich");
	}

	/// Signs the round of a peer with some stake.
	pub fn pledge(&mut self, staker: u64, peer: PeerId, amount: Balance) {
		let round = Rounds::<Runtime>::get(peer).expect("a round is open");
		Capacity::stake(signed(staker), peer, round.terms, 0, amount)
			.expect("the round takes the stake");
	}

	/// Whether a peer has a round whose time for stake is over.
	pub fn has_lapsed(&self, peer: PeerId) -> bool {
		Rounds::<Runtime>::get(peer).is_some_and(|round| round.deadline < self.epoch())
	}

	/// Ends a round that has lapsed; anybody may.
	pub fn cancel(&mut self, account: u64, peer: PeerId) {
		Capacity::cancel(signed(account), peer).expect("the round has lapsed");
	}

	/// Whether a peer has a commitment, of whatever state.
	pub fn has_commitment(&self, peer: PeerId) -> bool {
		Commitments::<Runtime>::contains_key(peer)
	}

	/// Whether the commitment of a peer has ended or failed.
	pub fn is_over(&self, peer: PeerId) -> bool {
		Commitments::<Runtime>::get(peer).is_some_and(|commitment| {
			matches!(commitment.status, CommitmentStatus::Unbonding { .. })
		})
	}

	/// Settles all closed epochs of a peer, as its reports do.
	pub fn settle(&mut self, peer: PeerId) {
		<Capacity as millrace_primitives::traits::Capacity>::settle(peer);
	}

	/// Settles a peer by a call. The fee that the caller owes, if there was something to settle.
	pub fn settle_by(&mut self, account: u64, peer: PeerId) -> Option<Balance> {
		Capacity::settle(signed(account), peer).ok()?;
		Some(WeightPrice::weight_to_fee(&Weights::settle()))
	}

	/// Applies all slashes of a peer that are due. The fees that the caller owes.
	pub fn apply_slashes(&mut self, account: u64, peer: PeerId) -> Balance {
		let now = self.epoch();
		let due: Vec<_> = WaitingSlashes::<Runtime>::iter_prefix(peer)
			.filter(|(_, slash)| slash.due <= now)
			.map(|(id, _)| id)
			.collect();
		let fee = WeightPrice::weight_to_fee(&Weights::apply_slash(1));
		due.into_iter().fold(0, |sum, id| {
			Capacity::apply_slash(signed(account), peer, id).expect("it is due");
			sum + fee
		})
	}

	/// An offence of a peer that an account has reported, and that costs half of the stake.
	pub fn challenge(&mut self, reporter: u64, peer: PeerId) {
		<Capacity as StakeSlasher<u64>>::slash(
			peer,
			Offence {
				epoch: self.epoch().saturating_sub(1),
				part: Perbill::from_percent(50),
				fails: true,
				reporter: Some((reporter, pallet_receipts::ReceiptsParams::default().reward)),
			},
		);
	}

	/// Everything that an account has: free, on hold or earned and not yet paid, less the slashes
	/// that wait. Deals that it ordered count with their escrow, commitments of `peers` with the
	/// rewards that no ledger has yet.
	pub fn wealth(&self, account: u64, peers: &[PeerId], deals: &[DealId]) -> Balance {
		let earned = Capacity::earnings(&account);
		let mut sum =
			<Balances as Inspect<u64>>::total_balance(&account) + earned.claimable + earned.vesting;
		let mut waits = 0;
		for peer in peers {
			if let Some(commitment) = Commitments::<Runtime>::get(peer) {
				if commitment.provider == account {
					let accrued = U256::from(commitment.own.share)
						.saturating_mul(commitment.accrual.per_share);
					sum += (accrued >> 128).low_u128();
				}
			}
			for (_, slash) in WaitingSlashes::<Runtime>::iter_prefix(peer) {
				let parts = slash.parts.iter().filter(|(who, _)| *who == account);
				waits += parts.map(|(_, part)| part).sum::<Balance>();
			}
		}
		for deal in deals {
			let owned = pallet_market::Deals::<Runtime>::get(pallet_market::DealKey::from(*deal))
				.filter(|deal| deal.owner == account);
			sum += owned.map_or(0, |deal| deal.escrow + deal.closing_deposit);
		}
		sum - waits
	}
}

// Duties.
impl World {
	/// What a peer owes for the epoch that has just ended.
	pub fn owed(&self, peer: PeerId) -> Option<Owed> {
		let epoch = self.epoch().checked_sub(1)?;
		let owed = Capacity::work_of(peer, epoch)?;
		Some(Owed {
			idle: owed.idle,
			busy: owed.busy,
		})
	}

	/// Reports the epoch that has just ended.
	pub fn report(&mut self, peer: PeerId, claim: Claim<'_>) {
		let epoch = self.epoch() - 1;
		let leaves = self.row(epoch).rates.leaves(claim.idle, claim.busy);
		let fakes = (leaves as f64 * claim.fakes).round() as u64;
		let served: Vec<_> = claim
			.deals
			.iter()
			.map(|deal| Served {
				deal: *deal,
				calls: 0,
				gas: 0,
			})
			.collect();
		let report = Report {
			proven_idle: claim.idle,
			proven_busy: claim.busy,
			proofs_root: tree(leaves, fakes).root(),
			served: served.try_into().expect("an agent serves a few deals"),
			..Report::empty(epoch)
		};
		Capacity::report(duty(), peer, report.clone(), [0; 64]).expect("reports do not fail");
		self.reports.insert(peer, (report, fakes));
	}

	/// Whether a peer is drawn for the epoch that has just ended and has not answered.
	pub fn is_drawn(&self, peer: PeerId) -> bool {
		let Some(epoch) = self.epoch().checked_sub(1) else {
			return false;
		};
		Audits::<Runtime>::get(peer)
			.is_some_and(|audit| audit.epoch == epoch && audit.status == AuditStatus::Open)
	}

	/// Opens what was drawn of a peer's report, whatever it is worth.
	pub fn answer(&mut self, peer: PeerId) {
		let Some((report, fakes)) = self.reports.get(&peer).cloned() else {
			return;
		};
		let draw = Epochs::draw(report.epoch).expect("the draw is folded");
		let rates = self.row(report.epoch).rates;
		let leaves = rates.leaves(report.proven_idle, report.proven_busy);
		let tree = tree(leaves, fakes);
		let solutions: Vec<_> = drawn_solutions(draw, peer, leaves)
			.into_iter()
			.map(|index| SolutionOpening {
				nonce: nonce(index, fakes),
				path: tree.path(index).expect("drawn leaves exist"),
			})
			.collect();
		let answer = AuditAnswer {
			report,
			solutions: solutions.try_into().expect("no more than are drawn"),
			receipts: Default::default(),
		};
		Capacity::answer_audit(duty(), peer, answer, [0; 64]).expect("its form is right");
	}

	/// Whether the audit of a peer's report of an epoch was failed.
	pub fn has_failed_audit(&self, peer: PeerId, epoch: EpochIndex) -> bool {
		Audits::<Runtime>::get(peer)
			.is_some_and(|audit| audit.epoch == epoch && audit.status == AuditStatus::Failed)
	}

	/// Peers that were drawn for an epoch.
	pub fn drawn(&self, epoch: EpochIndex) -> Vec<PeerId> {
		Audits::<Runtime>::iter()
			.filter(|(_, audit)| audit.epoch == epoch)
			.map(|(peer, _)| peer)
			.collect()
	}
}

// Deals.
impl World {
	/// Units of a peer that count as proven.
	pub fn proven_units(&self, peer: PeerId) -> u32 {
		Capacity::proven_units(peer)
	}

	/// An account orders units of one peer at a price for so many epochs, and the peer goes live: the
	/// deal, if the market made it.
	pub fn deal(
		&mut self,
		client: u64,
		owner: u64,
		peer: PeerId,
		units: u32,
		price: Balance,
		epochs: u32,
	) -> Option<DealId> {
		self.settle(peer);
		if self.proven_units(peer) < units {
			return None;
		}
		let params = MarketParams::default();
		let price = price.max(params.min_price);
		let price = price.next_multiple_of(params.ask_tick);
		let terms = OfferTerms {
			class: CPU_V1,
			region: 1,
			ask: price,
			capabilities: 0,
			max_worker_bond: 0,
		};
		Market::post_offer(signed(owner), peer, terms).expect("the peer is not offered yet");
		let id = pallet_market::NextDeal::<Runtime>::get();
		let escrow = price * Balance::from(units) * Balance::from(epochs + 10);
		Market::create_deal(signed(client), order(owner, units, price), escrow)
			.expect("the client is rich and the order sound");
		// Filled at once: no other offer is allowed.
		let _ = Market::match_deal(signed(client), id);
		let matched = Market::worker_rows(id).first().is_some_and(|worker| {
			worker.peer == peer && matches!(worker.status, WorkerStatus::Assigned { .. })
		});
		// Whoever has its workers needs no offer any more, and gets the deposit back.
		Market::withdraw_offer(signed(owner), peer).expect("the offer stands");
		matched.then(|| {
			Market::go_live(duty(), peer, id, [0; 64]).expect("the peer is assigned");
			id
		})
	}
}

/// An order for one worker of one provider.
fn order(provider: u64, units: u32, price: Balance) -> DealSpec<u64> {
	let link = b"https://packages.example/a.wasm".to_vec();
	DealSpec {
		class: CPU_V1,
		units_per_worker: units,
		min_workers: 1,
		target_workers: 1,
		max_workers_per_provider: 1,
		price_ceiling: price,
		package: Package {
			hash: package_hash(b"module"),
			size: 6,
			links: vec![link.try_into().expect("it is short")]
				.try_into()
				.expect("one fits"),
			abi: Abi::default(),
		},
		limits: CallLimits {
			gas: 1_000,
			memory_bytes: 65_536,
			request_bytes: 1_024,
			response_bytes: 1_024,
		},
		capabilities: 0,
		regions: Default::default(),
		providers: ProviderFilter::Allow(vec![provider].try_into().expect("one fits")),
		worker_bond: 0,
		term_epochs: None,
		hosts: Default::default(),
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	}
}

/// The nonce of a leaf: which ones are faked makes no difference, since leaves are drawn evenly.
fn nonce(index: u64, fakes: u64) -> u64 {
	if index < fakes {
		FAKED
	} else {
		WORKED
	}
}

/// The tree of so many solutions, the first of them made up. The same for all peers: what a leaf
/// solves stands in RandomX's input, not in the leaf.
fn tree(leaves: u64, fakes: u64) -> Rc<Tree> {
	TREES.with(|trees| {
		trees
			.borrow_mut()
			.entry((leaves, fakes))
			.or_insert_with(|| {
				Rc::new(Tree::new(
					(0..leaves).map(|index| nonce(index, fakes).to_le_bytes()),
				))
			})
			.clone()
	})
}

/// The name of a peer that is not simulated one by one.
pub fn stranger(number: u32) -> PeerId {
	PeerId(hash::tagged("economics/stranger", &number))
}

/// Names the parameters that results hold under: a hash of the mainnet's defaults. Of the market's
/// those that a deal has whose units work for it alone; what else there is makes no difference to what
/// a peer proves.
pub fn parameters() -> String {
	let MarketParams {
		min_price,
		deal_deposit,
		offer_deposit,
		max_call_gas,
		exclusion_epochs,
		assignment_epochs,
		..
	} = MarketParams::default();
	let all = (
		CapacityParams::default(),
		(
			min_price,
			deal_deposit,
			offer_deposit,
			max_call_gas,
			exclusion_epochs,
			assignment_epochs,
		),
		pallet_validators::ValidatorsParams::default(),
		pallet_epochs::DEFAULT_LENGTHS,
	);
	format!("0x{}", hex::encode(hash::blake2_256(&all.encode()).0))
}
