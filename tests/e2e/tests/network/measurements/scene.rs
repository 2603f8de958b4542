//! Peers at work, put into the state of a new chain by the pallets' own calls, without any node.
//!
//! The state is that of the last block of epoch 2: all of them have reported epoch 1, and nobody was
//! drawn for it. So the first block of the chain begins epoch 3, in which each report of epoch 2
//! settles epoch 1 with all deals that it lists.

use frame_support::traits::fungible::Mutate;
use millrace_client::PeerKeypair;
use millrace_e2e::deal::LIMITS;
use millrace_primitives::{
	commitment::StakeOffer,
	epoch::{EpochInfo, EpochLengths},
	hash::blake2_256,
	market::{Abi, DealSpec, Link, OfferTerms, Package, ProviderFilter, Region},
	peer::{key_proof, Endpoint, PeerId},
	report::{Report, Served},
	traits::{EpochClock, OnEpoch},
	Balance, DealId, EpochIndex, CPU_V1, FLT, H256,
};
use millrace_runtime::{
	genesis_presets, AccountId, Balances, Capacity, Epochs, Market, Providers, Runtime,
	RuntimeGenesisConfig, RuntimeOrigin,
};
use pallet_capacity::CapacityParams;
use pallet_epochs::{Current, Infos, LastTick, Previous, Seeds, Starts, Tick, RING_SLOTS};
use pallet_market::{DealKey, Deals, NextDeal};
use serde_json::{json, Value};
use sp_arithmetic::Perbill;
use sp_io::TestExternalities;
use sp_runtime::BuildStorage;

/// The epoch that is reported next.
pub(crate) const REPORTED: EpochIndex = 2;
/// Epochs of the chain: long enough a window for full blocks, and short besides.
pub(crate) const LENGTHS: EpochLengths = EpochLengths {
	len: 40,
	report_window: 14,
	fold_window: 2,
	answer_window: 20,
};
/// Time between slots, as on the mainnet.
const SLOT_MS: u64 = 3_000;
/// Epochs of the commitments, and of the deals' escrows.
const DURATION: u32 = 100;
/// Price of a unit for an epoch.
const ASK: Balance = FLT / 100;
/// Visits in which the matcher must have filled a deal.
const VISITS: u32 = 32;

/// Machines of one provider that are alike.
#[derive(Clone, Copy)]
pub(crate) struct Group {
	/// How many.
	pub(crate) peers: u32,
	/// Units of each.
	pub(crate) units: u32,
	/// Deals that each works for, with one unit.
	pub(crate) deals: u32,
}

/// A machine.
pub(crate) struct Machine {
	/// Its key.
	pub(crate) key: PeerKeypair,
	/// The deals that it works for.
	pub(crate) deals: Vec<DealId>,
	units: u32,
}

impl Machine {
	/// Its report of an epoch in which it proved every unit and served every deal.
	pub(crate) fn report(&self, epoch: EpochIndex) -> Report {
		let served = |deal: &DealId| Served {
			deal: *deal,
			calls: 1,
			gas: 1,
		};
		let served: Vec<Served> = self.deals.iter().map(served).collect();
		let busy = u32::try_from(self.deals.len()).expect("they are few");
		Report {
			proven_idle: self.units - busy,
			proven_busy: busy,
			served: served.try_into().expect("a report lists all deals"),
			..Report::empty(epoch)
		}
	}
}

/// State of the development chain with mainnet's slots and these machines.
pub(crate) fn working(groups: &[Group]) -> (TestExternalities, Vec<Machine>) {
	let mut ext = TestExternalities::new(genesis());
	let machines = ext.execute_with(|| {
		// With the development chain's each epoch would bring something to the owners' ledgers.
		pallet_capacity::Params::<Runtime>::mutate(|params| {
			params.vesting_epochs = CapacityParams::default().vesting_epochs;
		});
		let groups = groups.iter().zip(1..);
		let machines: Vec<Machine> = groups
			.flat_map(|(group, number)| settle_in(group, number))
			.collect();
		begin(REPORTED - 1);
		begin(REPORTED);
		for machine in &machines {
			let report = machine.report(REPORTED - 1);
			Capacity::report(authorised(), machine.key.id(), report, [0; 64])
				.expect("a report is taken");
		}
		LastTick::<Runtime>::put(Tick {
			position: LENGTHS.len - 1,
			counted: true,
		});
		machines
	});
	(ext, machines)
}

/// Genesis of the development chain with other slots and lengths.
fn genesis() -> sp_core::storage::Storage {
	let preset = genesis_presets::get(&"development".into()).expect("the preset is there");
	let mut preset: Value = serde_json::from_slice(&preset).expect("a preset is JSON");
	preset["timing"]["slotMs"] = json!(SLOT_MS);
	preset["epochs"]["lengths"] = json!(LENGTHS);
	let config = serde_json::to_value(RuntimeGenesisConfig::default());
	let mut config = config.expect("defaults are plain data");
	merge(&mut config, preset);
	let config: RuntimeGenesisConfig =
		serde_json::from_value(config).expect("the preset has the form of a genesis");
	config.build_storage().expect("the preset builds")
}

/// A merge patch as in RFC 7396, without removals.
fn merge(target: &mut Value, patch: Value) {
	match (target, patch) {
		(Value::Object(target), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(target.entry(key).or_insert(Value::Null), value);
			}
		}
		(target, patch) => *target = patch,
	}
}

/// Lets an epoch begin that has no block.
fn begin(index: EpochIndex) {
	let before = <Epochs as EpochClock>::current();
	let info = EpochInfo { index, ..before };
	Previous::<Runtime>::put(before);
	Current::<Runtime>::put(info);
	let slot = index % RING_SLOTS;
	let seed = blake2_256(&index.to_le_bytes());
	Seeds::<Runtime>::insert(slot, (index, seed));
	Starts::<Runtime>::insert(slot, (index, info.start));
	Infos::<Runtime>::insert(slot, info);
	LastTick::<Runtime>::put(Tick {
		position: 0,
		counted: true,
	});
	<Capacity as OnEpoch>::on_epoch_start(&info);
}

fn authorised() -> RuntimeOrigin {
	frame_system::RawOrigin::<AccountId>::Authorized.into()
}

/// An account of its own for each kind and number, and rich.
fn rich(kind: u8, number: u8) -> AccountId {
	let mut bytes = [kind; 32];
	bytes[0] = number;
	let account = AccountId::from(bytes);
	Balances::mint_into(&account, 1_000_000_000 * FLT).expect("anybody can be given FLT");
	account
}

/// Registers the machines of one provider, stakes for them, and brings them to work.
///
/// Each group has a region of its own, so that its deals look at no other offers.
fn settle_in(group: &Group, number: u8) -> Vec<Machine> {
	let provider = rich(1, number);
	Providers::register_provider(signed(&provider), Default::default())
		.expect("the provider is new");
	let mut machines: Vec<Machine> = (0..group.peers)
		.map(|index| {
			let key = machine_key(number, index);
			commit(&provider, &key, group.units);
			if group.deals > 0 {
				offer(&provider, key.id(), number);
			}
			Machine {
				key,
				deals: Vec::new(),
				units: group.units,
			}
		})
		.collect();
	for _ in 0..group.deals {
		let deal = order(&rich(2, number), group.peers, number);
		for machine in &mut machines {
			Market::go_live(authorised(), machine.key.id(), deal, [0; 64])
				.expect("every machine is assigned");
			machine.deals.push(deal);
		}
	}
	machines
}

fn signed(account: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(account.clone())
}

fn machine_key(group: u8, index: u32) -> PeerKeypair {
	let seed: H256 = blake2_256(&[&[group][..], &index.to_le_bytes()].concat());
	PeerKeypair::from_seed(seed.0, None)
}

/// Registers a machine, with a commitment that its provider stakes for alone and that has proven all
/// its units before.
fn commit(provider: &AccountId, key: &PeerKeypair, units: u32) {
	let proof = key.sign_hash(key_proof(<Epochs as EpochClock>::genesis(), provider));
	let endpoint = Endpoint::truncate_from(b"http://127.0.0.1:1".to_vec());
	Providers::register_peer(signed(provider), key.public(), proof, endpoint)
		.expect("the key is new, and its own");
	let offer = StakeOffer {
		own_part: Perbill::one(),
		commission: Perbill::zero(),
		invited: Default::default(),
	};
	let terms = Capacity::start_terms(units, DURATION, offer.own_part, offer.commission);
	let stake = terms.terms.stake_per_unit * Balance::from(units);
	Capacity::create(signed(provider), key.id(), units, DURATION, offer)
		.expect("the machine has no commitment");
	Capacity::stake(signed(provider), key.id(), terms, 0, stake).expect("these are the terms");
	pallet_capacity::Commitments::<Runtime>::mutate(key.id(), |row| {
		row.as_mut().expect("it is committed").proven = units;
	});
}

fn offer(provider: &AccountId, peer: PeerId, region: u8) {
	let terms = OfferTerms {
		class: CPU_V1,
		region: Region::from(region),
		ask: ASK,
		capabilities: 0,
		max_worker_bond: 0,
	};
	Market::post_offer(signed(provider), peer, terms).expect("the machine has no offer");
}

/// Orders a deal of a region and lets the matcher fill it.
fn order(client: &AccountId, workers: u32, region: u8) -> DealId {
	let link = Link::truncate_from(b"http://127.0.0.1:1/module".to_vec());
	let spec = DealSpec {
		class: CPU_V1,
		units_per_worker: 1,
		min_workers: 1,
		target_workers: workers,
		max_workers_per_provider: workers,
		price_ceiling: ASK,
		package: Package {
			hash: H256::repeat_byte(1),
			size: 1,
			links: vec![link].try_into().expect("one link fits"),
			abi: Abi::WasiPreview1Command,
		},
		limits: LIMITS,
		capabilities: 0,
		regions: vec![Region::from(region)]
			.try_into()
			.expect("one region fits"),
		providers: ProviderFilter::Any,
		worker_bond: 0,
		term_epochs: None,
		hosts: Default::default(),
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	};
	let price = spec.epoch_price_ceiling().expect("the price fits");
	let deal = NextDeal::<Runtime>::get();
	let escrow = price * Balance::from(DURATION);
	Market::create_deal(signed(client), spec, escrow).expect("the order is a good one");
	for _ in 0..VISITS {
		let row = Deals::<Runtime>::get(DealKey::from(deal)).expect("it was ordered");
		if row.workers == workers {
			return deal;
		}
		Market::match_deal(signed(client), deal).expect("it lacks workers");
	}
	panic!("deal {deal} is not filled after {VISITS} visits");
}
