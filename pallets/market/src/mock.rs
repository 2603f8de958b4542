//! A runtime around the market alone: a clock that tests set, peers with real keys, and proven
//! units as a table.

#![allow(
	unreachable_pub,
	reason = "the runtime macro asks for public types in a private module"
)]

use crate as pallet_market;
use crate::{MarketParams, Pallet};
use codec::{Decode, Encode};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	storage::unhashed,
	traits::ConstU128,
	weights::{IdentityFee, Weight, WeightMeter},
	PalletId,
};
use millrace_primitives::{
	billing::{redeem_hash, voucher_hash, Billing, Voucher},
	epoch::{EpochInfo, EpochLengths, Phase},
	execution::{
		empty_transcript, package_hash, response_hash, CallStatus, CallTerms, Receipt,
		SignedReceipt,
	},
	market::{Abi, CallLimits, DealSpec, OfferTerms, Package, ProviderFilter, GAS_BILLED},
	packages::NoTerms,
	peer::{PeerId, PeerKey, PeerSignature},
	report::Served,
	traits::{Capacity, EpochClock, PeerRegistry, WorkInspector, WorkLedger},
	views::{Reason, Subject},
	Balance, BlockNumber, DealId, EpochIndex, Gas, CPU_V1, H256,
};
use sp_core::{ed25519, Pair as _};
use sp_runtime::BuildStorage;
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Market: pallet_market,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

impl pallet_market::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PotId = PotId;
	type Epochs = MockEpochs;
	type Peers = MockPeers;
	type Capacity = MockCapacity;
	type WeightToFee = IdentityFee<Balance>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockHelper;
}

pub(crate) const CLIENT: u64 = 1;
pub(crate) const STRANGER: u64 = 2;
/// Providers are the accounts from this one on.
pub(crate) const PROVIDER: u64 = 10;
pub(crate) const PROVIDERS: u64 = 8;
pub(crate) const FUNDS: Balance = 1_000_000_000;
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 5;
pub(crate) const DEAL_DEPOSIT: Balance = 50;
pub(crate) const OFFER_DEPOSIT: Balance = 10;
/// Odd, so that its half is rounded.
pub(crate) const PROBE_BOND: Balance = 41;
pub(crate) const PROBE_BLOCKS: u32 = 6;
pub(crate) const LENGTHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

parameter_types! {
	pub const PotId: PalletId = PalletId(*b"mr/escrw");
	pub(crate) static Epoch: EpochIndex = 5;
	pub(crate) static Position: u32 = 0;
	/// Whether one settlement is of all closed epochs of a peer, not of one.
	pub(crate) static SettlesAtOnce: bool = false;
	/// Epochs in which reports can be challenged.
	pub(crate) static ChallengeEpochs: EpochIndex = 4;
}

/// A closed epoch that is not settled: its index, the units that were proven in it, and whether
/// what was reported is void.
type Closed = (EpochIndex, u32, bool);

/// What the market was told of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Settled {
	pub(crate) peer: PeerId,
	pub(crate) epoch: EpochIndex,
	pub(crate) void: bool,
	/// Whether the peer's commitment was over with it.
	pub(crate) over: bool,
	/// Whether it was over because it failed.
	pub(crate) failed: bool,
}

/// What the capacity pallet would know besides what stands in rows of each peer. It stands in storage,
/// so that it is undone with a call that is refused.
#[derive(Default, Encode, Decode)]
struct Table {
	/// Peers whose commitment is over with the next settlement, each with whether it has failed.
	ending: BTreeMap<PeerId, bool>,
	/// Epochs that peers owed and did not report.
	missed: BTreeSet<(PeerId, EpochIndex)>,
	/// What the market was told since somebody asked.
	settled: Vec<Settled>,
}

const TABLE: &[u8] = b":mock:capacity";

fn table() -> Table {
	unhashed::get_or_default(TABLE)
}

fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
	let mut table = table();
	let result = f(&mut table);
	unhashed::put(TABLE, &table);
	result
}

/// Where the units stand that a peer proved in the last settled epoch.
fn units_key(peer: PeerId) -> Vec<u8> {
	(b":mock:units", peer).encode()
}

fn put_units(peer: PeerId, units: u32) {
	unhashed::put(&units_key(peer), &units);
}

/// Where the closed epochs of a peer stand that are not settled.
fn unsettled_key(peer: PeerId) -> Vec<u8> {
	(b":mock:unsettled", peer).encode()
}

thread_local! {
	/// Registered peers, with their providers and keys.
	static PEERS: RefCell<BTreeMap<PeerId, (u64, PeerKey)>> = RefCell::default();
}

fn registered(peer: PeerId) -> Option<(u64, PeerKey)> {
	PEERS.with(|peers| peers.borrow().get(&peer).copied())
}

pub struct MockEpochs;

impl EpochClock for MockEpochs {
	fn current() -> EpochInfo {
		let index = Epoch::get();
		let start = 1 + index * LENGTHS.len;
		EpochInfo {
			index,
			start,
			start_ms: 0,
			slot_ms: 1_000,
			lengths: LENGTHS,
		}
	}
	fn previous() -> Option<EpochInfo> {
		let current = Self::current();
		let index = current.index.checked_sub(1)?;
		Some(EpochInfo {
			index,
			start: 1 + index * LENGTHS.len,
			..current
		})
	}
	fn position() -> u32 {
		Position::get()
	}
	fn phase() -> Phase {
		LENGTHS.phase(Position::get())
	}
	fn seed(epoch: EpochIndex) -> Option<H256> {
		(epoch <= Epoch::get()).then(|| H256::from_low_u64_be(epoch.into()))
	}
	fn draw(_: EpochIndex) -> Option<H256> {
		None
	}
	fn genesis() -> H256 {
		H256::repeat_byte(7)
	}
}

pub struct MockPeers;

impl PeerRegistry<u64> for MockPeers {
	fn provider_of(peer: PeerId) -> Option<u64> {
		registered(peer).map(|(provider, _)| provider)
	}
	fn key_at(peer: PeerId, _: BlockNumber) -> Option<PeerKey> {
		registered(peer).map(|(_, key)| key)
	}
}

pub struct MockCapacity;

impl Capacity for MockCapacity {
	/// One epoch a step, or all at once.
	fn settle(peer: PeerId) -> Weight {
		let at_once = SettlesAtOnce::get();
		let step = with_table(|table| {
			let mut closed: Vec<Closed> = unhashed::take(&unsettled_key(peer))?;
			let ends = table.ending.remove(&peer);
			let over = ends.is_some();
			let rest = if at_once {
				Vec::new()
			} else {
				closed.split_off(1)
			};
			if !over && !rest.is_empty() {
				unhashed::put(&unsettled_key(peer), &rest);
			}
			let last = closed.last()?;
			let was_reported = |(_, units, void): &&Closed| *units > 0 || *void;
			let (epoch, _, void) = *closed.iter().find(was_reported).unwrap_or(last);
			put_units(peer, if over { 0 } else { last.1 });
			let settled = Settled {
				peer,
				epoch,
				void,
				over,
				failed: ends == Some(true),
			};
			table.settled.push(settled);
			Some(settled)
		});
		let Some(settled) = step else {
			return Weight::zero();
		};
		let mut weight = Market::on_settled(peer, settled.epoch, settled.void);
		if settled.over {
			weight += Market::on_commitment_over(peer, settled.failed);
		}
		weight.min(Self::settle_weight())
	}
	fn is_settled(peer: PeerId) -> bool {
		!unhashed::exists(&unsettled_key(peer))
	}
	fn proven_units(peer: PeerId) -> u32 {
		unhashed::get_or_default(&units_key(peer))
	}
	fn settle_weight() -> Weight {
		// Enough for an epoch with a few deals.
		Weight::from_parts(10_000_000_000, 0)
	}
	fn challenge_epochs() -> EpochIndex {
		ChallengeEpochs::get()
	}
	fn missed(peer: PeerId, epoch: EpochIndex) -> bool {
		let now = MockEpochs::current().index;
		let window_over = match now.checked_sub(epoch) {
			None | Some(0) => false,
			Some(1) => MockEpochs::phase() != Phase::Report,
			Some(_) => true,
		};
		window_over && table().missed.contains(&(peer, epoch))
	}
}

#[cfg(feature = "runtime-benchmarks")]
pub struct MockHelper;

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<u64> for MockHelper {
	fn peer(provider: &u64, index: u32, units: u32) -> PeerId {
		register(index as u8, *provider, units)
	}
	fn sign(peer: PeerId, message: H256) -> PeerSignature {
		let index = (0..=u8::MAX)
			.find(|index| peer_id(*index) == peer)
			.expect("it was made here");
		pair(index).sign(message.as_bytes()).0
	}
	fn close_epoch() {
		at(Epoch::get() + 1, LENGTHS.close_position());
	}
}

pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	PEERS.with(|peers| peers.borrow_mut().clear());
	SettlesAtOnce::set(false);
	ChallengeEpochs::set(4);
	let accounts = [CLIENT, STRANGER]
		.into_iter()
		.chain(PROVIDER..PROVIDER + PROVIDERS);
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: accounts
				.map(|account| (account, FUNDS))
				.chain([(Market::pot(), EXISTENTIAL_DEPOSIT)])
				.collect(),
			..Default::default()
		},
		market: pallet_market::GenesisConfig {
			params: params(),
			..Default::default()
		},
		..Default::default()
	}
	.build_storage()
	.expect("the configuration is sound");
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| at(5, 0));
	ext
}

/// Runs a test and then the invariants.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Market::do_try_state());
	});
}

pub(crate) fn params() -> MarketParams {
	MarketParams {
		min_price: 2,
		ask_tick: 1,
		deal_deposit: DEAL_DEPOSIT,
		offer_deposit: OFFER_DEPOSIT,
		max_call_gas: 1_000,
		exclusion_epochs: 3,
		assignment_epochs: 1,
		probe_bond: PROBE_BOND,
		probe_blocks: PROBE_BLOCKS,
		..Default::default()
	}
}

pub(crate) fn pair(index: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[index; 32])
}

pub(crate) fn peer_id(index: u8) -> PeerId {
	PeerId::from_key(&pair(index).public().0)
}

/// Registers a peer with so many proven units.
pub(crate) fn register(index: u8, provider: u64, units: u32) -> PeerId {
	register_key(pair(index).public().0, provider, units)
}

/// Registers a peer by its key with so many proven units.
pub(crate) fn register_key(key: PeerKey, provider: u64, units: u32) -> PeerId {
	let peer = PeerId::from_key(&key);
	PEERS.with(|peers| peers.borrow_mut().insert(peer, (provider, key)));
	put_units(peer, units);
	peer
}

/// Removes a peer from the registry.
pub(crate) fn unregister(peer: PeerId) {
	PEERS.with(|peers| peers.borrow_mut().remove(&peer));
	unhashed::kill(&units_key(peer));
}

/// Settles an epoch without a report in which a peer proved so many units.
pub(crate) fn set_units(peer: PeerId, units: u32) {
	put_units(peer, units);
	Market::on_settled(peer, 0, false);
}

/// Leaves a closed epoch of a peer to be settled, in which it proved as many units as before.
pub(crate) fn leave_unsettled(peer: PeerId, epoch: EpochIndex) {
	leave_unsettled_with(peer, epoch, MockCapacity::proven_units(peer));
}

/// Leaves a closed epoch of a peer to be settled, in which it proved so many units.
pub(crate) fn leave_unsettled_with(peer: PeerId, epoch: EpochIndex, units: u32) {
	leave_closed(peer, (epoch, units, false));
}

/// Leaves a closed epoch of a peer to be settled.
pub(crate) fn leave_closed(peer: PeerId, closed: Closed) {
	let key = unsettled_key(peer);
	let mut all: Vec<Closed> = unhashed::get_or_default(&key);
	all.push(closed);
	unhashed::put(&key, &all);
}

/// What the market was told of settlements since the last time.
pub(crate) fn take_settled() -> Vec<Settled> {
	with_table(|table| std::mem::take(&mut table.settled))
}

/// Lets a peer's commitment end with its next settlement.
pub(crate) fn end_with_settlement(peer: PeerId) {
	with_table(|table| table.ending.insert(peer, false));
}

/// Lets a peer's commitment fail with its next settlement.
pub(crate) fn fail_with_settlement(peer: PeerId) {
	with_table(|table| table.ending.insert(peer, true));
}

/// Lets a peer owe a report of an epoch that it did not send; told once the window is over.
pub(crate) fn miss(peer: PeerId, epoch: EpochIndex) {
	with_table(|table| table.missed.insert((peer, epoch)));
}

/// Fails the commitment of a peer whose closed epochs are settled.
pub(crate) fn fail_commitment(peer: PeerId) {
	with_table(|table| table.ending.remove(&peer));
	put_units(peer, 0);
	Market::on_commitment_over(peer, true);
}

/// Moves on to a block of an epoch.
pub(crate) fn at(epoch: EpochIndex, position: u32) {
	Epoch::set(epoch);
	Position::set(position);
	System::set_block_number(1 + epoch * LENGTHS.len + position);
}

/// Where the epoch before this one is closed.
pub(crate) fn at_rest_of(epoch: EpochIndex) {
	at(epoch, LENGTHS.close_position());
}

pub(crate) fn terms(ask: Balance) -> OfferTerms {
	OfferTerms {
		class: CPU_V1,
		region: 1,
		ask,
		capabilities: 0b111,
		max_worker_bond: 1_000,
	}
}

/// Registers a peer and posts its offer.
pub(crate) fn offer(index: u8, provider: u64, units: u32, ask: Balance) -> PeerId {
	offer_with(index, provider, units, terms(ask))
}

pub(crate) fn offer_with(index: u8, provider: u64, units: u32, terms: OfferTerms) -> PeerId {
	let peer = register(index, provider, units);
	assert_ok!(Market::post_offer(
		RuntimeOrigin::signed(provider),
		peer,
		terms
	));
	peer
}

/// A deal for so many workers of one unit.
pub(crate) fn spec(target: u32, price_ceiling: Balance) -> DealSpec<u64> {
	let link = b"https://packages.example/a.wasm".to_vec();
	DealSpec {
		class: CPU_V1,
		units_per_worker: 1,
		min_workers: 1,
		target_workers: target,
		max_workers_per_provider: 256,
		price_ceiling,
		package: Package {
			hash: package_hash(b"module"),
			size: 6,
			links: vec![link.try_into().expect("short")]
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
		providers: ProviderFilter::Any,
		worker_bond: 100,
		term_epochs: None,
		hosts: Default::default(),
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	}
}

pub(crate) fn create(spec: DealSpec<u64>, escrow: Balance) -> DealId {
	let id = crate::NextDeal::<Test>::get();
	assert_ok!(Market::create_deal(
		RuntimeOrigin::signed(CLIENT),
		spec,
		escrow
	));
	id
}

/// One whole round of the matcher.
pub(crate) fn run_matcher() {
	Market::run_matcher(&mut WeightMeter::new());
}

pub(crate) fn go_live(peer: PeerId, deal: DealId) {
	let origin = frame_system::RawOrigin::Authorized.into();
	assert_ok!(Market::go_live(origin, peer, deal, [0; 64]));
}

/// An offer that is matched to a new deal of its own and goes live.
pub(crate) fn live_deal(index: u8, ask: Balance, epochs: Balance) -> (DealId, PeerId) {
	let peer = offer(index, PROVIDER, 4, ask);
	let deal = create(spec(1, ask), ask * epochs);
	run_matcher();
	go_live(peer, deal);
	(deal, peer)
}

/// The key that signs vouchers: [`pair`] of this number, which no peer has.
pub(crate) const VOUCHER_KEY: u8 = 99;

/// An order that is billed by gas.
pub(crate) fn by_gas(mut spec: DealSpec<u64>, full_gas: Gas) -> DealSpec<u64> {
	spec.capabilities |= GAS_BILLED;
	spec.billing = Billing::Gas {
		full_gas,
		voucher_key: pair(VOUCHER_KEY).public().0,
	};
	spec
}

/// A voucher for a worker that is paid from an epoch on, signed by a key.
pub(crate) fn voucher(
	signer: u8,
	deal: DealId,
	peer: PeerId,
	since: EpochIndex,
	cumulative: Gas,
) -> Voucher {
	let genesis = MockEpochs::genesis();
	let message = voucher_hash(genesis, deal, peer, since, cumulative);
	Voucher {
		cumulative,
		signature: pair(signer).sign(message.as_bytes()).0,
	}
}

/// Signature of a peer's key over its redemption.
pub(crate) fn redeem_signature(
	index: u8,
	deal: DealId,
	since: EpochIndex,
	cumulative: Gas,
) -> PeerSignature {
	let genesis = MockEpochs::genesis();
	let message = redeem_hash(genesis, peer_id(index), deal, since, cumulative);
	pair(index).sign(message.as_bytes()).0
}

/// A worker redeems a voucher by its authorised duty.
pub(crate) fn redeem(peer: PeerId, deal: DealId, cumulative: Gas) {
	let origin = frame_system::RawOrigin::Authorized.into();
	let voucher = Voucher {
		cumulative,
		signature: [0; 64],
	};
	assert_ok!(Market::redeem(origin, peer, deal, voucher, [0; 64]));
}

/// Reports deals, each with its gas.
pub(crate) fn report_gas(peer: PeerId, epoch: EpochIndex, deals: &[(DealId, Gas)]) {
	let served: Vec<_> = deals
		.iter()
		.map(|(deal, gas)| Served {
			deal: *deal,
			calls: 1,
			gas: *gas,
		})
		.collect();
	<Pallet<Test> as WorkLedger>::on_report(peer, epoch, &served);
}

pub(crate) fn report(peer: PeerId, epoch: EpochIndex, deals: &[DealId]) {
	let served: Vec<_> = deals
		.iter()
		.map(|deal| Served {
			deal: *deal,
			calls: 0,
			gas: 0,
		})
		.collect();
	<Pallet<Test> as WorkLedger>::on_report(peer, epoch, &served);
}

pub(crate) fn report_and_settle(peer: PeerId, epoch: EpochIndex, deals: &[DealId]) {
	report(peer, epoch, deals);
	Market::on_settled(peer, epoch, false);
}

/// What a call of a deal's present package runs under that begins now.
pub(crate) fn call_terms(deal: DealId) -> Result<CallTerms, NoTerms> {
	let spec = crate::Specs::<Test>::get(deal);
	let package = spec.map_or(H256::zero(), |spec| spec.package.hash);
	Market::call_terms(deal, package, Epoch::get(), System::block_number())
}

/// The peers that work for a deal, in the order of their offers' age.
pub(crate) fn workers(deal: DealId) -> Vec<PeerId> {
	let mut rows = Market::worker_rows(deal);
	rows.sort_by_key(|worker| worker.offer);
	rows.into_iter().map(|worker| worker.peer).collect()
}

/// The first reason against a peer's offer for a specification.
pub(crate) fn why_not(spec: DealSpec<u64>, peer: PeerId) -> Option<Reason> {
	let why = Market::why_not(Subject::Spec(spec), Some(peer));
	assert_eq!((why.looked_at, why.truncated), (1, false));
	assert_eq!(why.content, None);
	assert_eq!(why.eligible == 0, why.reasons.len() == 1);
	why.reasons.first().map(|(reason, _)| *reason)
}

pub(crate) fn held(reason: crate::HoldReason, who: u64) -> Balance {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&reason.into(), &who)
}

/// What is held in the pot.
pub(crate) fn in_pot() -> Balance {
	held(crate::HoldReason::Escrow, Market::pot())
}

/// A live worker gives notice by its authorised duty.
pub(crate) fn drain(peer: PeerId, deal: DealId) {
	let origin = frame_system::RawOrigin::Authorized.into();
	assert_ok!(Market::drain(origin, peer, deal, [0; 64]));
}

/// Signature of a peer's key over its go-live in an assignment.
pub(crate) fn go_live_signature(index: u8, deal: DealId, deadline: EpochIndex) -> PeerSignature {
	let genesis = MockEpochs::genesis();
	let message =
		millrace_primitives::market::go_live_hash(genesis, peer_id(index), deal, deadline);
	pair(index).sign(message.as_bytes()).0
}

/// Signature of a peer's key over its notice to a deal that pays it from an epoch on.
pub(crate) fn drain_signature(index: u8, deal: DealId, since: EpochIndex) -> PeerSignature {
	let genesis = MockEpochs::genesis();
	let message = millrace_primitives::market::drain_hash(genesis, peer_id(index), deal, since);
	pair(index).sign(message.as_bytes()).0
}

/// Somebody asks a call of a worker.
pub(crate) fn probe(who: u64, deal: DealId, peer: PeerId) {
	let origin = RuntimeOrigin::signed(who);
	assert_ok!(Market::probe(origin, deal, peer, Default::default()));
}

/// The receipt of a call in this block, which answers the open probe of a worker.
pub(crate) fn answer_of(index: u8, deal: DealId) -> Receipt {
	let peer = peer_id(index);
	let probe = crate::Probes::<Test>::get(deal, peer).expect("it is open");
	let (epoch, block) = (Epoch::get(), System::block_number());
	let genesis = MockEpochs::genesis();
	let package = crate::Specs::<Test>::get(deal).map(|spec| spec.package.hash);
	let package = package.unwrap_or_default();
	// There are none of a deal that is gone.
	let terms = Market::call_terms(deal, package, epoch, block).ok();
	Receipt {
		genesis,
		seed: MockEpochs::seed(epoch).expect("it has begun"),
		deal,
		peer,
		epoch,
		seq: 0,
		package,
		profile: terms.as_ref().map_or(0, |terms| terms.profile),
		terms: terms.map(|terms| terms.hash(genesis)).unwrap_or_default(),
		request: probe.request,
		response: response_hash(b"out"),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1,
		block,
	}
}

/// A receipt with the signature of a peer's key.
pub(crate) fn signed_by(index: u8, receipt: Receipt) -> SignedReceipt {
	let signature = pair(index).sign(receipt.hash().as_bytes()).0;
	SignedReceipt { receipt, signature }
}
