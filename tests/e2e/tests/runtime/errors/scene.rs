//! The development chain without a node: the clock ticks block by block, calls go through the
//! runtime's own dispatch, duties through its own pool.

use crate::{presets::genesis, samples::metadata};
use codec::DecodeAll;
use frame_support::{
	pallet_prelude::DispatchResultWithPostInfo,
	storage::with_transaction_unchecked,
	traits::{fungible::Mutate, Hooks},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_client::{calls::Call, AccountKey};
use millrace_e2e::rpc;
use millrace_primitives::{
	audit::{drawn_solutions, Audit, AuditAnswer, AuditStatus, SolutionOpening},
	commitment::StakeOffer,
	market::{go_live_hash, DealSpec, OfferTerms, WorkerStatus},
	merkle::Tree,
	peer::{key_proof, Endpoint, PeerId, PeerSignature},
	report::{Report, Served},
	traits::EpochClock,
	Balance, DealId, EpochIndex, FLT, H256,
};
use millrace_runtime::{
	AccountId, Balances, Capacity, Epochs, Executive, Market, Runtime, RuntimeCall, RuntimeOrigin,
	System, UncheckedExtrinsic,
};
use sp_core::{ed25519, storage::StateVersion, Pair};
use sp_runtime::{
	traits::Dispatchable,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
	},
	DispatchError, Perbill, TransactionOutcome,
};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
	sync::{LazyLock, Mutex},
};
use subxt::Metadata;

/// Owner of the machines, and the chain's only validator and sudo key.
pub(crate) const ALICE: &str = "//Alice";
/// Others that are rich.
pub(crate) const BOB: &str = "//Bob";
pub(crate) const CHARLIE: &str = "//Charlie";
pub(crate) const DAVE: &str = "//Dave";
pub(crate) const EVE: &str = "//Eve";

/// What clients know of the runtime.
pub(crate) static METADATA: LazyLock<Metadata> = LazyLock::new(|| metadata(15));

/// Accounts by name: a secret is stretched on purpose, which takes its time.
static ACCOUNTS: LazyLock<Mutex<BTreeMap<String, AccountId>>> = LazyLock::new(Mutex::default);

thread_local! {
	/// Errors that calls of this test were refused with, as `Pallet.Error`.
	static RAISED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Runs a test in the first block of a chain.
pub(crate) fn on_chain<R>(preset: &str, test: impl FnOnce() -> R) -> R {
	sp_io::TestExternalities::new(genesis(preset)).execute_with(|| {
		next_block();
		test()
	})
}

/// Runs a test in the first block of the development chain.
pub(crate) fn on_dev_chain<R>(test: impl FnOnce() -> R) -> R {
	on_chain("development", test)
}

/// A block begins: the clock ticks, and nothing else.
pub(crate) fn tick() {
	let number = System::block_number() + 1;
	System::reset_events();
	System::set_block_number(number);
	Epochs::on_initialize(number);
}

/// A block begins, with all the weight that hooks want.
pub(crate) fn next_block() {
	tick();
	let number = System::block_number();
	let mut meter = WeightMeter::new();
	Capacity::on_poll(number, &mut meter);
	Market::on_poll(number, &mut meter);
}

/// Where the clock stands: the epoch, and the position in it.
pub(crate) fn now() -> (EpochIndex, u32) {
	let clock = Epochs::status();
	(clock.info.index, clock.position)
}

/// On to a position of an epoch: reports are taken from 0 on, peers drawn at 8, the epoch before is
/// closed at 16.
pub(crate) fn go_to(epoch: EpochIndex, position: u32) {
	while now() < (epoch, position) {
		next_block();
	}
}

/// An account by its secret.
pub(crate) fn account(name: &str) -> AccountId {
	let mut known = ACCOUNTS.lock().expect("no test panics while it looks");
	let new = || {
		let key = AccountKey::from_suri(name).expect("that is a development name");
		AccountId::from(key.account().0)
	};
	known.entry(name.into()).or_insert_with(new).clone()
}

/// A call that an account signed.
pub(crate) fn by(name: &str) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(name))
}

/// Governance.
pub(crate) fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

/// A duty that the pool let pass.
pub(crate) fn duty() -> RuntimeOrigin {
	RawOrigin::<AccountId>::Authorized.into()
}

/// Gives an account so much.
pub(crate) fn endow(name: &str, amount: Balance) {
	Balances::mint_into(&account(name), amount).expect("anybody can be given FLT");
}

/// Makes a call.
pub(crate) fn make(
	origin: RuntimeOrigin,
	call: impl Into<RuntimeCall>,
) -> DispatchResultWithPostInfo {
	call.into().dispatch(origin)
}

/// Makes a call that must succeed.
#[track_caller]
pub(crate) fn done(origin: RuntimeOrigin, call: impl Into<RuntimeCall>) {
	let call = call.into();
	let name = format!("{call:?}");
	if let Err(refusal) = make(origin, call) {
		panic!("{name}: {:?}", refusal.error);
	}
}

/// Makes a call that must be refused with an error, without a write; see [`refuses!`].
#[track_caller]
pub(crate) fn refused(
	pallet: &str,
	error: &str,
	origin: RuntimeOrigin,
	call: impl Into<RuntimeCall>,
) {
	let expected = format!("{pallet}.{error}");
	let before = state_root();
	let outcome = make(origin, call);
	assert_eq!(state_root(), before, "{expected}: a refused call wrote");
	let refusal = match outcome {
		Ok(_) => panic!("{expected}: the call succeeded"),
		Err(refusal) => refusal.error,
	};
	let DispatchError::Module(module) = refusal else {
		panic!("{expected}: {refusal:?}");
	};
	let found = METADATA
		.pallet_by_error_index(module.index)
		.and_then(|pallet| {
			let error = pallet.error_variant_by_index(module.error[0])?;
			Some(format!("{}.{}", pallet.name(), error.name))
		});
	assert_eq!(found.as_deref(), Some(&*expected));
	RAISED.with_borrow_mut(|raised| raised.insert(expected));
}

/// Asserts that a call is refused with an error of a pallet and changes nothing, and notes the error:
/// `refuses!(Capacity::TermsDiffer, by(BOB), call)`.
macro_rules! refuses {
	($pallet:ident :: $error:ident, $origin:expr, $call:expr $(,)?) => {
		$crate::errors::scene::refused(stringify!($pallet), stringify!($error), $origin, $call)
	};
}
pub(crate) use refuses;

/// Asserts that this test raised every error of a pallet but those that are exempt, each with the
/// reason why nobody can raise it.
#[track_caller]
pub(crate) fn assert_all_raised(pallet: &str, exempt: &[(&str, &str)]) {
	let known = METADATA
		.pallet_by_name(pallet)
		.unwrap_or_else(|| panic!("the runtime has no {pallet}"));
	let errors = known.error_variants().unwrap_or_default();
	assert!(!errors.is_empty(), "{pallet} has no errors");
	for error in errors {
		let name = format!("{pallet}.{}", error.name);
		let raised = RAISED.with_borrow(|raised| raised.contains(&name));
		let exempted = exempt.iter().find(|(exempt, _)| *exempt == error.name);
		match exempted {
			None => assert!(raised, "nothing here raises {name}"),
			Some((_, reason)) => assert!(!raised, "{name} is said to be out of reach: {reason}"),
		}
	}
	for (name, _) in exempt {
		let known = errors.iter().any(|error| error.name == *name);
		assert!(known, "{pallet} has no {name}");
	}
}

/// Root of the whole state.
pub(crate) fn state_root() -> Vec<u8> {
	sp_io::storage::root(StateVersion::V1)
}

/// The state but for what System keeps of the block.
pub(crate) fn state() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let system = sp_crypto_hashing::twox_128(b"System");
	let (mut state, mut key) = (BTreeMap::new(), Vec::new());
	while let Some(next) = sp_io::storage::next_key(&key) {
		if !next.starts_with(&system) {
			let value = sp_io::storage::get(&next).expect("the key is there");
			state.insert(next.clone(), value.to_vec());
		}
		key = next;
	}
	state
}

/// What the pool says of a duty; nothing of it stays.
pub(crate) fn pooled(call: &Call) -> TransactionValidity {
	let bytes = rpc::duty(&METADATA, call, 0);
	let transaction = UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is a transaction");
	with_transaction_unchecked(|| {
		TransactionOutcome::Rollback(Executive::validate_transaction(
			TransactionSource::External,
			transaction,
			System::parent_hash(),
		))
	})
}

/// The code with which the pool refuses a duty.
#[track_caller]
pub(crate) fn refusal_of(call: &Call) -> u8 {
	match pooled(call) {
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => code,
		other => panic!("{call}: {other:?}"),
	}
}

/// Genesis hash of the chain.
pub(crate) fn genesis_hash() -> H256 {
	<Epochs as EpochClock>::genesis()
}

/// Key pair of the n-th machine.
pub(crate) fn pair(n: u16) -> ed25519::Pair {
	let mut seed = [0; 32];
	seed[..2].copy_from_slice(&n.to_le_bytes());
	ed25519::Pair::from_seed(&seed)
}

/// Public key of the n-th machine.
pub(crate) fn key(n: u16) -> [u8; 32] {
	pair(n).public().0
}

/// Name of the n-th machine.
pub(crate) fn peer(n: u16) -> PeerId {
	PeerId::from_key(&key(n))
}

/// The n-th machine's signature.
pub(crate) fn sign(n: u16, hash: H256) -> PeerSignature {
	pair(n).sign(hash.as_bytes()).0
}

/// The n-th machine's word that it serves an account.
pub(crate) fn proof(n: u16, owner: &str) -> PeerSignature {
	sign(n, key_proof(genesis_hash(), &account(owner)))
}

/// Where a machine serves.
pub(crate) fn endpoint(url: &str) -> Endpoint {
	url.as_bytes().to_vec().try_into().expect("it is short")
}

/// The n-th machine's registration by an account.
pub(crate) fn registration(n: u16, owner: &str) -> pallet_providers::Call<Runtime> {
	pallet_providers::Call::<Runtime>::register_peer {
		key: key(n),
		proof: proof(n, owner),
		endpoint: endpoint("https://peer.example"),
	}
}

/// Registers the n-th machine, and its owner if it is no provider yet.
pub(crate) fn register(owner: &str, n: u16) {
	if !pallet_providers::Providers::<Runtime>::contains_key(account(owner)) {
		let name = Default::default();
		done(
			by(owner),
			pallet_providers::Call::<Runtime>::register_provider { name },
		);
	}
	done(by(owner), registration(n, owner));
}

/// An offer to stakers: own part and commission in percent, and who is invited.
pub(crate) fn offer(own_part: u32, commission: u32, invited: &[&str]) -> StakeOffer<AccountId> {
	let invited: Vec<AccountId> = invited.iter().map(|name| account(name)).collect();
	StakeOffer {
		own_part: Perbill::from_percent(own_part),
		commission: Perbill::from_percent(commission),
		invited: invited.try_into().expect("seven fit"),
	}
}

/// Registers the n-th machine and commits so many units of it for so many epochs, staked by its owner
/// alone; they are owed from the next epoch on.
pub(crate) fn commit(owner: &str, n: u16, units: u32, duration_epochs: u32) {
	register(owner, n);
	let terms = Capacity::start_terms(units, duration_epochs, Perbill::one(), Perbill::zero());
	done(
		by(owner),
		pallet_capacity::Call::<Runtime>::create {
			peer: peer(n),
			units,
			duration_epochs,
			offer: offer(100, 0, &[]),
		},
	);
	done(
		by(owner),
		pallet_capacity::Call::<Runtime>::stake {
			peer: peer(n),
			terms,
			keep: 0,
			add: terms.terms.stake_per_unit * Balance::from(units),
		},
	);
}

/// A tree over nonces.
pub(crate) fn tree(nonces: &[u64]) -> Tree {
	Tree::new(nonces.iter().map(|nonce| nonce.to_le_bytes()))
}

/// A report of the epoch before over these nonces and deals.
pub(crate) fn report(idle: u32, busy: u32, nonces: &[u64], deals: &[DealId]) -> Report {
	let served: Vec<Served> = deals
		.iter()
		.map(|deal| Served {
			deal: *deal,
			calls: 0,
			gas: 0,
		})
		.collect();
	Report {
		proven_idle: idle,
		proven_busy: busy,
		proofs_root: tree(nonces).root(),
		served: served.try_into().expect("64 fit"),
		..Report::empty(now().0 - 1)
	}
}

/// The n-th machine's report, signed, as the client sends it.
pub(crate) fn reported(n: u16, report: &Report) -> Call {
	let signature = sign(n, report.hash(genesis_hash(), peer(n)));
	millrace_client::calls::capacity::report(peer(n), report, signature)
}

/// The n-th machine hands in a report.
#[track_caller]
pub(crate) fn hand_in(n: u16, report: &Report) {
	let pooled = pooled(&reported(n, report));
	assert!(pooled.is_ok(), "{pooled:?}");
	done(duty(), report_call(n, report));
}

/// The call of a report, as the runtime knows it.
pub(crate) fn report_call(n: u16, report: &Report) -> pallet_capacity::Call<Runtime> {
	pallet_capacity::Call::<Runtime>::report {
		peer: peer(n),
		report: report.clone(),
		signature: sign(n, report.hash(genesis_hash(), peer(n))),
	}
}

/// What the n-th machine must open of its report.
pub(crate) fn answer(n: u16, report: &Report, nonces: &[u64]) -> AuditAnswer {
	let draw = <Epochs as EpochClock>::draw(report.epoch).expect("the draw is folded");
	let tree = tree(nonces);
	let solutions: Vec<SolutionOpening> = drawn_solutions(draw, peer(n), nonces.len() as u64)
		.into_iter()
		.map(|index| SolutionOpening {
			nonce: nonces[index as usize],
			path: tree.path(index).expect("the tree has this leaf"),
		})
		.collect();
	AuditAnswer {
		report: report.clone(),
		solutions: solutions.try_into().expect("three are drawn"),
		receipts: Default::default(),
	}
}

/// The call of an answer, as the runtime knows it.
pub(crate) fn answer_call(n: u16, answer: &AuditAnswer) -> pallet_capacity::Call<Runtime> {
	pallet_capacity::Call::<Runtime>::answer_audit {
		peer: peer(n),
		answer: answer.clone(),
		signature: sign(n, answer.hash(genesis_hash(), peer(n))),
	}
}

/// The n-th machine's answer, signed, as the client sends it.
pub(crate) fn answered(n: u16, answer: &AuditAnswer) -> Call {
	let signature = sign(n, answer.hash(genesis_hash(), peer(n)));
	millrace_client::calls::capacity::answer_audit(peer(n), answer, signature)
}

/// Whether the n-th machine was drawn and has not answered.
pub(crate) fn is_drawn(n: u16) -> bool {
	Capacity::audit_of(peer(n)).is_some_and(|audit| audit.status == AuditStatus::Open)
}

/// Takes the open audit of the n-th machine for passed: for scenes that are not about it.
#[track_caller]
pub(crate) fn pass_audit(n: u16) {
	let audit = Capacity::audit_of(peer(n)).expect("the machine was drawn");
	let status = AuditStatus::Passed;
	pallet_capacity::Audits::<Runtime>::insert(peer(n), Audit { status, ..audit });
}

/// So many machines of an account, numbered from 1 on, of so many units each, proven and on offer:
/// committed in epoch 0, reported, and settled as soon as epoch 1 is closed.
pub(crate) fn offering(owner: &str, machines: u16, units: u32) {
	for n in 1..=machines {
		commit(owner, n, units, 100);
	}
	go_to(2, 0);
	for n in 1..=machines {
		hand_in(n, &report(units, 0, &[0], &[]));
	}
	go_to(2, 8);
	for n in 1..=machines {
		pass_audit(n);
	}
	go_to(2, 16);
	for n in 1..=machines {
		let peer = peer(n);
		done(by(BOB), pallet_capacity::Call::<Runtime>::settle { peer });
		let terms = asked();
		done(
			by(owner),
			pallet_market::Call::<Runtime>::post_offer { peer, terms },
		);
	}
}

/// An offer at the least price.
pub(crate) fn asked() -> OfferTerms {
	OfferTerms {
		region: 0,
		ask: pallet_market::Params::<Runtime>::get().min_price,
		capabilities: 0,
		max_worker_bond: FLT,
		..crate::samples::terms()
	}
}

/// An order of workers of one unit each, so many and so many of a provider, at twice the least price.
pub(crate) fn order(workers: u32, of_a_provider: u32) -> DealSpec<AccountId> {
	let any = crate::samples::specifications(account(BOB)).remove(0);
	DealSpec {
		units_per_worker: 1,
		min_workers: 1,
		target_workers: workers,
		max_workers_per_provider: of_a_provider,
		price_ceiling: 2 * pallet_market::Params::<Runtime>::get().min_price,
		capabilities: 0,
		regions: Default::default(),
		worker_bond: 0,
		..any
	}
}

/// A new deal of Bob's.
#[track_caller]
pub(crate) fn deal(spec: DealSpec<AccountId>) -> DealId {
	let deal = pallet_market::NextDeal::<Runtime>::get();
	let escrow = FLT;
	done(
		by(BOB),
		pallet_market::Call::<Runtime>::create_deal { spec, escrow },
	);
	deal
}

/// What is paid so far out of a deal to its providers.
pub(crate) fn paid(deal: DealId) -> Balance {
	let view = Market::deal_view(deal, |_| None).expect("the deal is there");
	view.paid
}

/// What the n-th machine signs to go live in a deal.
pub(crate) fn going_live(n: u16, deal: DealId) -> PeerSignature {
	let worker = pallet_market::Workers::<Runtime>::get(deal, peer(n));
	let Some(WorkerStatus::Assigned { deadline }) = worker.map(|worker| worker.status) else {
		panic!("the machine is not assigned: {worker:?}");
	};
	sign(n, go_live_hash(genesis_hash(), peer(n), deal, deadline))
}

/// The n-th machine goes live in a deal that it is assigned to.
#[track_caller]
pub(crate) fn go_live(n: u16, deal: DealId) {
	let (peer, signature) = (peer(n), going_live(n, deal));
	let call = millrace_client::calls::market::go_live(peer, deal, signature);
	let pooled = pooled(&call);
	assert!(pooled.is_ok(), "{pooled:?}");
	done(
		duty(),
		pallet_market::Call::<Runtime>::go_live {
			peer,
			deal,
			signature,
		},
	);
}
