//! Anything that anybody may do, in any order: calls may be refused, records, keys and deposits may
//! not disagree.

use crate::{mock::*, Call, HoldReason, KeyOwners, Name, PeersOf, Providers};
use frame_support::{
	dispatch::DispatchResult,
	traits::{fungible::InspectHold, UnfilteredDispatchable},
};
use millrace_primitives::{
	peer::{PeerId, PeerKey, PeerSignature, MAX_KEYS, MAX_PEERS},
	traits::PeerRegistry,
	Balance, BlockNumber, H256,
};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use sp_runtime::DispatchError;
use std::{cell::RefCell, collections::BTreeMap, time::Instant};

/// Keys that peers share, so that they get into each other's way.
const KEYS: u16 = 24;
const ACCOUNTS: [u64; 3] = [ALICE, BOB, POOR];
/// Blocks for which a key that was replaced is remembered.
const MEMORY: BlockNumber = 40;

/// Endpoints that are good.
const URLS: [&str; 2] = ["https://peer.example:8443/", "http://a"];

/// What must have come to something in a run, or it says nothing.
const NAMES: [&str; 9] = [
	"register provider",
	"remove provider",
	"register peer",
	"set endpoint",
	"rotate key",
	"remove peer",
	"too many keys",
	"a peer in use",
	"bad origin",
];

/// From whom a call comes.
#[derive(Clone, Copy, Debug)]
enum Caller {
	/// Whoever owns what it is about.
	Entitled,
	Account(u64),
	Root,
	Nobody,
	Authorized,
}

/// What is signed, and by which key.
#[derive(Clone, Copy, Debug)]
enum Proof {
	Right,
	OtherKey,
	OtherProvider,
	OtherChain,
	Garbled(u8),
}

#[derive(Clone, Debug)]
enum Op {
	RegisterProvider {
		caller: Caller,
		name: Vec<u8>,
	},
	RemoveProvider(Caller),
	RegisterPeer {
		caller: Caller,
		key: u16,
		proof: Proof,
		url: &'static str,
	},
	SetEndpoint {
		caller: Caller,
		pick: u8,
		url: &'static str,
	},
	Rotate {
		caller: Caller,
		pick: u8,
		key: u16,
		proof: Proof,
	},
	/// So many rotations, one a block.
	RotateOften {
		pick: u8,
		times: u16,
	},
	RemovePeer {
		caller: Caller,
		pick: u8,
	},
	/// Something stands on a peer, or nothing any more.
	Use {
		pick: u8,
		used: bool,
	},
	/// Deposits of records made from now on.
	Deposits(Balance, Balance),
	Blocks(u32),
}

fn op() -> impl Strategy<Value = Op> {
	let caller = || {
		prop_oneof![
			12 => Just(Caller::Entitled),
			4 => (1u64..6).prop_map(Caller::Account),
			1 => Just(Caller::Root),
			1 => Just(Caller::Nobody),
			1 => Just(Caller::Authorized),
		]
	};
	let account = || {
		prop_oneof![
			12 => (1u64..4).prop_map(Caller::Account),
			1 => Just(Caller::Root),
			1 => Just(Caller::Nobody),
			1 => Just(Caller::Authorized),
		]
	};
	let proof = || {
		prop_oneof![
			12 => Just(Proof::Right),
			1 => Just(Proof::OtherKey),
			1 => Just(Proof::OtherProvider),
			1 => Just(Proof::OtherChain),
			1 => any::<u8>().prop_map(Proof::Garbled),
		]
	};
	let url = || {
		prop_oneof![
			8 => Just(URLS[0]),
			1 => Just(URLS[1]),
			1 => Just("http://"),
			1 => Just("http://b@a"),
			1 => Just(""),
		]
	};
	let name = prop_oneof![
		4 => Just(Vec::<u8>::new()),
		2 => prop::collection::vec(0x20u8..0x7f, 0..65),
		1 => prop::collection::vec(any::<u8>(), 63..65),
	];
	let pick = || any::<u8>();
	prop_oneof![
		4 => (account(), name)
			.prop_map(|(caller, name)| Op::RegisterProvider { caller, name }),
		2 => account().prop_map(Op::RemoveProvider),
		8 => (account(), 0..KEYS, proof(), url()).prop_map(
			|(caller, key, proof, url)| Op::RegisterPeer { caller, key, proof, url }
		),
		2 => (caller(), pick(), url())
			.prop_map(|(caller, pick, url)| Op::SetEndpoint { caller, pick, url }),
		8 => (caller(), pick(), 0..KEYS, proof()).prop_map(
			|(caller, pick, key, proof)| Op::Rotate { caller, pick, key, proof }
		),
		1 => (pick(), 2u16..12).prop_map(|(pick, times)| Op::RotateOften { pick, times }),
		4 => (caller(), pick()).prop_map(|(caller, pick)| Op::RemovePeer { caller, pick }),
		2 => (pick(), any::<bool>()).prop_map(|(pick, used)| Op::Use { pick, used }),
		1 => (0u128..120, 0u128..20).prop_map(|(one, other)| Op::Deposits(one, other)),
		4 => (1u32..30).prop_map(Op::Blocks),
	]
}

/// Whether no peer has a key. One that nothing is asked of any more is free with the next rotation.
fn is_free(key: &PeerKey) -> bool {
	!KeyOwners::<Test>::contains_key(key)
}

/// A peer as it should stand.
struct Known {
	owner: u64,
	deposit: Balance,
	url: &'static str,
	/// Keys with the first block at which they count.
	keys: Vec<(BlockNumber, PeerKey)>,
}

/// How often what succeeded.
type Tally = RefCell<BTreeMap<&'static str, u32>>;

struct World<'a> {
	pairs: Vec<(PeerKey, PeerId)>,
	providers: BTreeMap<u64, Balance>,
	peers: BTreeMap<PeerId, Known>,
	removed: usize,
	tally: &'a Tally,
}

impl<'a> World<'a> {
	fn new(tally: &'a Tally) -> Self {
		KeyMemoryBlocks::set(MEMORY);
		let pairs = (0..KEYS).map(|seed| (key(seed), peer(seed))).collect();
		Self {
			pairs,
			providers: BTreeMap::new(),
			peers: BTreeMap::new(),
			removed: 0,
			tally,
		}
	}

	/// Leaves one place for a peer of Bob.
	fn crowd(&mut self) {
		register_provider(BOB);
		self.providers.insert(BOB, ProviderDepositAmount::get());
		for seed in KEYS..KEYS + MAX_PEERS as u16 - 1 {
			register_peer(BOB, seed);
			self.insert(BOB, key(seed), URLS[0]);
		}
	}

	fn note(&self, name: &'static str) {
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	fn insert(&mut self, owner: u64, key: PeerKey, url: &'static str) {
		let known = Known {
			owner,
			deposit: PeerDepositAmount::get(),
			url,
			keys: vec![(System::block_number() + 1, key)],
		};
		let before = self.peers.insert(PeerId::from_key(&key), known);
		assert!(before.is_none(), "a name is taken once");
	}

	/// One of the peers that stand, or one that does not.
	fn pick(&self, pick: u8) -> PeerId {
		let at = usize::from(pick) % (self.peers.len() + 1);
		let found = self.peers.keys().nth(at).copied();
		found.unwrap_or(PeerId(H256::repeat_byte(pick)))
	}

	/// Makes a call; whoever made it, if it is an account, and whether it succeeded.
	fn call(&self, caller: Caller, entitled: u64, call: Call<Test>) -> (Option<u64>, bool) {
		let (origin, who) = match caller {
			Caller::Entitled => (signed(entitled), Some(entitled)),
			Caller::Account(who) => (signed(who), Some(who)),
			Caller::Root => (RuntimeOrigin::root(), None),
			Caller::Nobody => (RuntimeOrigin::none(), None),
			Caller::Authorized => (frame_system::RawOrigin::<u64>::Authorized.into(), None),
		};
		let result: DispatchResult = call
			.dispatch_bypass_filter(origin)
			.map(|_| ())
			.map_err(|refused| refused.error);
		if who.is_none() {
			assert_eq!(result, Err(DispatchError::BadOrigin));
			self.note("bad origin");
		}
		(who, result.is_ok())
	}

	/// A proof that a key serves a provider, or one that is wrong.
	fn proof(&self, seed: u16, who: u64, kind: Proof) -> PeerSignature {
		match kind {
			Proof::Right => proof(seed, who),
			Proof::OtherKey => proof(seed + 1, who),
			Proof::OtherProvider => proof(seed, who + 1),
			Proof::OtherChain => proof_for(H256([8; 32]), seed, who),
			Proof::Garbled(at) => {
				let mut garbled = proof(seed, who);
				garbled[usize::from(at % 64)] ^= 1 << (at / 64);
				garbled
			}
		}
	}

	fn register_peer(&mut self, caller: Caller, seed: u16, kind: Proof, url: &'static str) {
		let (key, peer) = self.pairs[usize::from(seed)];
		let who = match caller {
			Caller::Account(who) => who,
			_ => ALICE,
		};
		let call = Call::register_peer {
			key,
			proof: self.proof(seed, who, kind),
			endpoint: endpoint(url),
		};
		let was_free = is_free(&key);
		let (who, done) = self.call(caller, ALICE, call);
		if !done {
			return;
		}
		let who = who.expect("an account called");
		assert!(matches!(kind, Proof::Right) && was_free && URLS.contains(&url));
		assert!(self.providers.contains_key(&who) && !self.peers.contains_key(&peer));
		self.insert(who, key, url);
		self.note("register peer");
	}

	fn rotate(&mut self, caller: Caller, peer: PeerId, seed: u16, kind: Proof) {
		let owner = self.peers.get(&peer).map_or(ALICE, |known| known.owner);
		let signer = match caller {
			Caller::Account(who) => who,
			_ => owner,
		};
		let (new_key, _) = self.pairs[usize::from(seed)];
		let call = Call::rotate_key {
			peer,
			new_key,
			proof: self.proof(seed, signer, kind),
		};
		let (now, was_free) = (System::block_number(), is_free(&new_key));
		let (who, done) = self.call(caller, owner, call);
		let Some(known) = self.peers.get_mut(&peer) else {
			return assert!(!done, "a peer that is not there");
		};
		let may = who == Some(owner) && matches!(kind, Proof::Right);
		let remembered = known.remembered(now.saturating_sub(MEMORY));
		let has_room = remembered < MAX_KEYS as usize;
		let in_force = known.keys.last().is_some_and(|(since, _)| *since <= now);
		let would_do = may && was_free && in_force;
		assert_eq!(done, would_do && has_room);
		if done {
			known.keys.push((now + 1, new_key));
			self.note("rotate key");
		} else if would_do {
			self.note("too many keys");
		}
	}

	fn remove_peer(&mut self, caller: Caller, peer: PeerId) {
		let owner = self.peers.get(&peer).map_or(ALICE, |known| known.owner);
		let (who, done) = self.call(caller, owner, Call::remove_peer { peer });
		let stands = self.peers.contains_key(&peer);
		let is_used = InUse::get().contains(&peer);
		assert_eq!(done, stands && who == Some(owner) && !is_used);
		if done {
			self.peers.remove(&peer);
			self.removed += 1;
			self.note("remove peer");
		} else if stands && is_used && who == Some(owner) {
			self.note("a peer in use");
		}
	}

	fn apply(&mut self, op: Op) {
		match op {
			Op::RegisterProvider { caller, name } => {
				let name = Name::try_from(name).expect("it is short");
				let deposit = ProviderDepositAmount::get();
				let call = Call::register_provider { name: name.clone() };
				let (who, done) = self.call(caller, ALICE, call);
				if let (Some(who), true) = (who, done) {
					assert!(std::str::from_utf8(&name).is_ok());
					assert_eq!(self.providers.insert(who, deposit), None);
					self.note("register provider");
				}
			}
			Op::RemoveProvider(caller) => {
				let (who, done) = self.call(caller, ALICE, Call::remove_provider {});
				let has_peers = |who| self.peers.values().any(|known| known.owner == who);
				let may =
					who.is_some_and(|who| self.providers.contains_key(&who) && !has_peers(who));
				assert_eq!(done, may);
				if let (Some(who), true) = (who, done) {
					self.providers.remove(&who);
					self.note("remove provider");
				}
			}
			Op::RegisterPeer {
				caller,
				key,
				proof,
				url,
			} => self.register_peer(caller, key, proof, url),
			Op::SetEndpoint { caller, pick, url } => {
				let peer = self.pick(pick);
				let owner = self.peers.get(&peer).map_or(ALICE, |known| known.owner);
				let call = Call::set_endpoint {
					peer,
					endpoint: endpoint(url),
				};
				let (who, done) = self.call(caller, owner, call);
				let fits = URLS.contains(&url);
				let known = self.peers.get_mut(&peer);
				assert_eq!(done, known.is_some() && who == Some(owner) && fits);
				if let (Some(known), true) = (known, done) {
					known.url = url;
					self.note("set endpoint");
				}
			}
			Op::Rotate {
				caller,
				pick,
				key,
				proof,
			} => self.rotate(caller, self.pick(pick), key, proof),
			Op::RotateOften { pick, times } => {
				let peer = self.pick(pick);
				for step in 0..times {
					System::set_block_number(System::block_number() + 1);
					let free = |seed: &u16| is_free(&self.pairs[usize::from(*seed)].0);
					let seed = (0..KEYS).find(free).unwrap_or(step % KEYS);
					self.rotate(Caller::Entitled, peer, seed, Proof::Right);
				}
			}
			Op::RemovePeer { caller, pick } => self.remove_peer(caller, self.pick(pick)),
			Op::Use { pick, used } => {
				let peer = self.pick(pick);
				InUse::mutate(|peers| {
					peers.retain(|other| *other != peer);
					if used {
						peers.push(peer);
					}
				});
			}
			Op::Deposits(provider, peer) => {
				ProviderDepositAmount::set(provider);
				PeerDepositAmount::set(peer);
			}
			Op::Blocks(blocks) => System::set_block_number(System::block_number() + blocks),
		}
	}

	/// Records, deposits and keys are as they should be; accounts have what they had at first.
	fn check(&self, before: &[Balance]) {
		Registry::do_try_state().unwrap();
		for (who, all) in ACCOUNTS.into_iter().zip(before) {
			let held = |reason: HoldReason| Balances::balance_on_hold(&reason.into(), &who);
			let provider = self.providers.get(&who).copied();
			assert_eq!(held(HoldReason::ProviderDeposit), provider.unwrap_or(0));
			let owned: Vec<_> = self
				.peers
				.values()
				.filter(|known| known.owner == who)
				.collect();
			let deposits: Balance = owned.iter().map(|known| known.deposit).sum();
			assert_eq!(held(HoldReason::PeerDeposit), deposits);
			let free = Balances::free_balance(who);
			assert_eq!(free + deposits + provider.unwrap_or(0), *all);
			assert_eq!(Providers::<Test>::contains_key(who), provider.is_some());
			assert_eq!(PeersOf::<Test>::get(who).len(), owned.len());
		}
		assert_eq!(Forgotten::get().len(), self.removed);

		let now = System::block_number();
		let oldest = now.saturating_sub(MEMORY);
		for (peer, known) in &self.peers {
			let view = Registry::peer(*peer).expect("it stands");
			let (since, key) = *known.keys.last().expect("it has a key");
			assert_eq!(
				(view.provider, view.key, view.key_since),
				(known.owner, key, since)
			);
			assert_eq!(view.endpoint, endpoint(known.url));
			for block in [oldest, oldest + 1, (oldest + now) / 2, now, now + 1] {
				assert_eq!(Registry::key_at(*peer, block), known.key_at(block));
			}
		}
	}
}

impl Known {
	/// The key that counts at a block: the last one that began up to it.
	fn key_at(&self, block: BlockNumber) -> Option<PeerKey> {
		let began = self.keys.iter().rev().find(|(since, _)| *since <= block);
		began.map(|(_, key)| *key)
	}

	/// How many keys count at a block from `oldest` on.
	fn remembered(&self, oldest: BlockNumber) -> usize {
		let replaced = self.keys.iter().skip(1);
		1 + replaced.filter(|(since, _)| *since > oldest).count()
	}
}

/// Runs histories; how often what succeeded in them.
fn run(cases: u32, steps: usize) -> BTreeMap<&'static str, u32> {
	let tally = Tally::default();
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let histories = (
		prop::bool::weighted(0.1),
		prop::collection::vec(op(), steps),
	);
	let outcome = runner.run(&histories, |(crowded, ops)| {
		ExtBuilder.build_and_execute(|| {
			let before = ACCOUNTS.map(Balances::free_balance);
			let mut world = World::new(&tally);
			if crowded {
				world.crowd();
			}
			for op in ops {
				world.apply(op);
				world.check(&before);
			}
		});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
	tally.into_inner()
}

#[test]
fn anything_may_happen_in_any_order() {
	let tally = run(24, 120);
	for name in NAMES {
		assert!(tally.contains_key(name), "never: {name}, of {tally:?}");
	}
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_providers() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"providers","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
