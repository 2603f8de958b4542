//! What a report costs, through the real runtime: its weight and its time, for one unit and for many.

#[path = "../network/measurements/scene.rs"]
mod scene;

use crate::samples::metadata;
use codec::Decode;
use frame_support::{
	storage::with_transaction_unchecked,
	weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};
use frame_system::{BlockWeight, ConsumedWeight};
use millrace_client::calls;
use millrace_e2e::{
	measure::{median, ms},
	rpc::duty,
};
use millrace_primitives::{traits::EpochClock, H256};
use millrace_runtime::{Epochs, Executive, Header, Runtime, UncheckedExtrinsic};
use pallet_market::{DealKey, Deals};
use scene::{working, Group, Machine, REPORTED};
use sp_runtime::{traits::Header as _, TransactionOutcome};
use std::time::{Duration, Instant};
use subxt::Metadata;

/// Live deals of the peer whose report is weighed.
const DEALS: u32 = 8;
/// Seconds between blocks of the mainnet.
const SLOT: u64 = 3;
/// Units of a small peer and of a large one.
const UNITS: [u32; 2] = [1, 1_024];
/// Providers of each kind of peer, and peers of each.
const PROVIDERS: usize = 2;
const PEERS: u32 = 250;
/// Rounds over all of them.
const ROUNDS: usize = 9;

/// Begins the first block, up to where transactions come.
fn begin_block() {
	let header = Header::new(
		1,
		Default::default(),
		Default::default(),
		H256::repeat_byte(1),
		Default::default(),
	);
	Executive::initialize_block(&header);
	Executive::inherents_applied();
}

/// The transaction in which a machine hands in its report.
fn transaction(metadata: &Metadata, machine: &Machine) -> Vec<u8> {
	let (key, report) = (&machine.key, machine.report(REPORTED));
	let genesis = <Epochs as EpochClock>::genesis();
	let signature = key.sign_hash(report.hash(genesis, key.id()));
	duty(
		metadata,
		&calls::capacity::report(key.id(), &report, signature),
		0,
	)
}

/// Executes a transaction, as an import does.
fn apply(transaction: UncheckedExtrinsic) {
	Executive::apply_extrinsic(transaction)
		.expect("the report is valid")
		.expect("the report is taken");
}

fn decoded(bytes: &[u8]) -> UncheckedExtrinsic {
	UncheckedExtrinsic::decode(&mut &bytes[..]).expect("the runtime reads it")
}

/// What the block has taken so far.
fn used() -> Weight {
	BlockWeight::<Runtime>::get().total()
}

/// All that a block is charged for a transaction once it is executed: its base, what surrounds it, its
/// authorisation and its call.
fn weight_of(bytes: &[u8]) -> Weight {
	let before = used();
	apply(decoded(bytes));
	used().saturating_sub(before)
}

/// A chain that verifies each proof pays for each unit. Here a report weighs and measures the same,
/// whatever it proves.
#[test]
fn known_flaw_cost_grows_with_units() {
	let metadata = metadata(15);
	let groups = UNITS.map(|units| Group {
		peers: 1,
		units,
		deals: 0,
	});
	let (mut ext, machines) = working(&groups);
	ext.execute_with(|| {
		begin_block();
		let costs: Vec<(usize, Weight)> = machines
			.iter()
			.map(|machine| {
				let bytes = transaction(&metadata, machine);
				(bytes.len(), weight_of(&bytes))
			})
			.collect();
		assert_eq!(costs[0], costs[1]);
		// Both have settled the epoch before, and are rewarded for their units.
		let rewards = machines.iter().map(|machine| {
			let row = pallet_capacity::Commitments::<Runtime>::get(machine.key.id());
			let row = row.expect("it is committed");
			assert_eq!(row.next_to_settle, REPORTED);
			row.rewarded
		});
		let rewards: Vec<_> = rewards.collect();
		assert!(rewards[0] > 0);
		assert_eq!(rewards[1], rewards[0] * u128::from(UNITS[1]));
	});
}

/// Reports a second by weight: of a peer with eight live deals, whose report settles the epoch before
/// with all of them.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_report_weight() {
	let metadata = metadata(15);
	let group = Group {
		peers: 1,
		units: DEALS + 1,
		deals: DEALS,
	};
	let (mut ext, machines) = working(&[group]);
	ext.execute_with(|| {
		begin_block();
		let machine = &machines[0];
		let free = <Runtime as frame_system::Config>::BlockWeights::get()
			.max_block
			.saturating_sub(used());
		let weight = weight_of(&transaction(&metadata, machine));
		for deal in &machine.deals {
			let row = Deals::<Runtime>::get(DealKey::from(*deal)).expect("it is live");
			assert!(row.paid > 0, "deal {deal} was not paid");
		}
		let per_block = free.ref_time() / weight.ref_time();
		println!(
			"{{\"measure\":\"reports_by_weight\",\"deals\":{DEALS},\"weight_us\":{},\
			\"per_block\":{per_block},\"per_second\":{}}}",
			weight.ref_time() / WEIGHT_REF_TIME_PER_MICROS,
			per_block / SLOT,
		);
	});
}

/// Time of a report of 1,024 units against one of a single unit, natively: five hundred of each in
/// turns, each of which settles the epoch before.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_report_growth() {
	let metadata = metadata(15);
	let groups: Vec<Group> = UNITS
		.iter()
		.flat_map(|units| {
			[Group {
				peers: PEERS,
				units: *units,
				deals: 0,
			}; PROVIDERS]
		})
		.collect();
	let (mut ext, machines) = working(&groups);
	let (small, large) = machines.split_at(machines.len() / 2);
	ext.execute_with(|| {
		begin_block();
		let read = |machine: &Machine| decoded(&transaction(&metadata, machine));
		let reports: Vec<[UncheckedExtrinsic; 2]> = small
			.iter()
			.zip(large)
			.map(|(small, large)| [read(small), read(large)])
			.collect();
		let rounds = (0..ROUNDS)
			.map(|_| with_transaction_unchecked(|| TransactionOutcome::Rollback(round(&reports))));
		let rounds: Vec<[f64; 2]> = rounds.collect();
		let of = |kind: usize| median(&rounds.iter().map(|times| times[kind]).collect::<Vec<_>>());
		let ratios: Vec<f64> = rounds.iter().map(|[small, large]| large / small).collect();
		println!(
			"{{\"measure\":\"report_growth\",\"rounds\":{ROUNDS},\"reports\":{},\
			\"small_p50_us\":{:.1},\"large_p50_us\":{:.1},\"ratio\":{:.4}}}",
			reports.len(),
			of(0) * 1e3,
			of(1) * 1e3,
			median(&ratios),
		);
	});
}

/// Mean milliseconds of a small and of a large peer's report.
fn round(reports: &[[UncheckedExtrinsic; 2]]) -> [f64; 2] {
	let mut sums = [Duration::ZERO; 2];
	for (number, pair) in reports.iter().enumerate() {
		// Each kind is as often the first one.
		for kind in [number % 2, (number + 1) % 2] {
			// As many as there are would fill the block.
			BlockWeight::<Runtime>::put(ConsumedWeight::default());
			let transaction = pair[kind].clone();
			let begun = Instant::now();
			apply(transaction);
			sums[kind] += begun.elapsed();
		}
	}
	sums.map(|sum| ms(sum) / reports.len() as f64)
}
