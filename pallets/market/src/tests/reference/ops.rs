//! Random markets, and what may happen in them.

use crate::mock::{spec, PROVIDER};
use millrace_primitives::{
	market::{DealSpec, OfferTerms, ProviderFilter},
	Balance,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

/// Providers that the peers are divided among.
pub(super) const OWNERS: u64 = 4;

/// A specification, and how many epochs at the ceiling its escrow covers.
#[derive(Clone, Debug)]
pub(super) struct Order {
	pub(super) spec: DealSpec<u64>,
	pub(super) epochs: Balance,
}

/// Who is there in the beginning.
#[derive(Clone, Debug)]
pub(super) struct Setup {
	/// Peers, each with its proven units and an offer or none.
	pub(super) peers: Vec<(u32, Option<OfferTerms>)>,
	pub(super) orders: Vec<Order>,
}

/// What may happen. Whom it happens to is picked among those that there are then.
#[derive(Clone, Debug)]
pub(super) enum Op {
	Post(u8, OfferTerms),
	Withdraw(u8),
	Update(u8, OfferTerms),
	Units(u8, u32),
	Fail(u8),
	Create(Box<Order>),
	TopUp(u8, Balance),
	Resize(u8, u32),
	Stop(u8),
	Close(u8),
	Drain(u8),
	EndWorker(u8),
	Release(u8),
	/// All that a peer serves in the epoch that is closed is paid.
	Serve(u8),
	/// A worker's peer will not report the present epoch.
	Miss(u8),
	/// Somebody pays for a visit of a deal.
	Match(u8),
}

/// An epoch: what happens in it before the matcher runs, and who goes live after that.
#[derive(Clone, Debug)]
pub(super) struct Round {
	pub(super) ops: Vec<Op>,
	pub(super) live: u32,
}

/// Something that happens, and blocks after it.
#[derive(Clone, Debug)]
pub(super) struct Step {
	pub(super) op: Op,
	pub(super) blocks: u32,
	/// Time that each block has for the market.
	pub(super) time: u64,
	pub(super) live: u32,
}

fn terms() -> impl Strategy<Value = OfferTerms> {
	let bond = prop_oneof![3 => Just(1_000u128), 1 => Just(100u128), 1 => Just(50u128)];
	(0u16..3, 2u128..12, 0u64..4, bond).prop_map(|(region, ask, capabilities, max_worker_bond)| {
		OfferTerms {
			region,
			capabilities,
			max_worker_bond,
			..crate::mock::terms(ask)
		}
	})
}

fn filter() -> impl Strategy<Value = ProviderFilter<u64>> {
	let listed = prop::collection::vec(PROVIDER..PROVIDER + OWNERS, 1..3);
	(0..6, listed).prop_map(|(kind, listed)| match kind {
		0 => ProviderFilter::Allow(listed.try_into().expect("two fit")),
		1 => ProviderFilter::Deny(listed.try_into().expect("two fit")),
		_ => ProviderFilter::Any,
	})
}

fn order() -> impl Strategy<Value = Order> {
	let regions = prop_oneof![
		3 => Just(Vec::<u16>::new()),
		1 => prop::collection::vec(0u16..3, 1..3),
	];
	let capabilities = prop_oneof![3 => Just(0u64), 1 => 1u64..4];
	let bond =
		prop_oneof![2 => Just(0u128), 1 => Just(50u128), 1 => Just(100u128), 1 => Just(101u128)];
	let term = prop_oneof![5 => Just(None::<u32>), 1 => (1u32..5).prop_map(Some)];
	let part = (0u32..60).prop_map(Perbill::from_percent);
	let rematch = prop::option::weighted(0.4, part);
	(
		(1u32..5, 1u32..4, 1u32..4, 4u128..14, 2u128..9),
		(regions, filter(), capabilities, bond, term, rematch),
	)
		.prop_map(|(size, wishes)| {
			let (target, units, per_provider, ceiling, epochs) = size;
			let (regions, providers, capabilities, worker_bond, term_epochs, rematch) = wishes;
			let spec = DealSpec {
				units_per_worker: units,
				max_workers_per_provider: per_provider,
				regions: regions.try_into().expect("two fit"),
				providers,
				capabilities,
				worker_bond,
				term_epochs,
				rematch,
				..spec(target, ceiling)
			};
			Order { spec, epochs }
		})
}

fn setup() -> impl Strategy<Value = Setup> {
	let peer = (0u32..7, prop::option::weighted(0.9, terms()));
	(
		prop::collection::vec(peer, 1..10),
		prop::collection::vec(order(), 1..6),
	)
		.prop_map(|(peers, orders)| Setup { peers, orders })
}

fn op() -> impl Strategy<Value = Op> {
	let offers = prop_oneof![
		4 => (any::<u8>(), terms()).prop_map(|(peer, terms)| Op::Post(peer, terms)),
		1 => any::<u8>().prop_map(Op::Withdraw),
		3 => (any::<u8>(), terms()).prop_map(|(peer, terms)| Op::Update(peer, terms)),
		3 => (any::<u8>(), 0u32..7).prop_map(|(peer, units)| Op::Units(peer, units)),
		1 => any::<u8>().prop_map(Op::Fail),
	];
	let deals = prop_oneof![
		4 => order().prop_map(|order| Op::Create(Box::new(order))),
		2 => (any::<u8>(), 1u128..200).prop_map(|(deal, amount)| Op::TopUp(deal, amount)),
		3 => (any::<u8>(), 1u32..6).prop_map(|(deal, target)| Op::Resize(deal, target)),
		2 => any::<u8>().prop_map(Op::Stop),
		2 => any::<u8>().prop_map(Op::Close),
	];
	let workers = prop_oneof![
		3 => any::<u8>().prop_map(Op::Drain),
		2 => any::<u8>().prop_map(Op::EndWorker),
		3 => any::<u8>().prop_map(Op::Release),
		3 => any::<u8>().prop_map(Op::Serve),
	];
	prop_oneof![offers, deals, workers]
}

/// A small market that is matched epoch by epoch.
pub(super) fn market() -> impl Strategy<Value = (Setup, Vec<Round>)> {
	let ops = prop::collection::vec(op(), 0..5);
	// Most go live.
	let live = (any::<u32>(), any::<u32>()).prop_map(|(one, other)| one | other);
	let round = (ops, live).prop_map(|(ops, live)| Round { ops, live });
	(setup(), prop::collection::vec(round, 1..5))
}

/// A market in which the matcher has little time, and anything happens at any of its steps.
pub(super) fn history() -> impl Strategy<Value = (Setup, Vec<Step>)> {
	let op = prop_oneof![
		8 => op(),
		1 => any::<u8>().prop_map(Op::Miss),
		1 => any::<u8>().prop_map(Op::Match),
	];
	let blocks = prop_oneof![3 => 0u32..4, 1 => 10u32..30];
	let time = prop_oneof![
		1 => Just(0u64),
		4 => 0u64..15_000_000_000,
		2 => Just(500_000_000_000u64),
	];
	let step = (op, blocks, time, any::<u32>()).prop_map(|(op, blocks, time, live)| Step {
		op,
		blocks,
		time,
		live,
	});
	(setup(), prop::collection::vec(step, 20..60))
}
