//! What can happen, with arguments at and around their bounds.

use crate::{mock::*, MarketParams};
use millrace_primitives::{
	market::{DealSpec, Host, Link, OfferTerms, ProviderFilter},
	Balance, Gas, CPU_V1,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

/// Peers that come and go, under the first providers.
pub(super) const PEERS: u8 = 6;

/// From whom a call comes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caller {
	/// Whoever may make it.
	Entitled,
	Account(u64),
	Root,
	Nobody,
	Authorized,
}

impl Caller {
	pub(super) fn origin(self, entitled: u64) -> RuntimeOrigin {
		match self {
			Self::Entitled => RuntimeOrigin::signed(entitled),
			Self::Account(who) => RuntimeOrigin::signed(who),
			Self::Root => RuntimeOrigin::root(),
			Self::Nobody => RuntimeOrigin::none(),
			Self::Authorized => frame_system::RawOrigin::<u64>::Authorized.into(),
		}
	}

	pub(super) fn signs(self) -> bool {
		matches!(self, Self::Entitled | Self::Account(_))
	}

	/// Whether a call for which an account is entitled is that account's own.
	pub(super) fn is(self, entitled: u64) -> bool {
		match self {
			Self::Entitled => true,
			Self::Account(who) => who == entitled,
			Self::Root | Self::Nobody | Self::Authorized => false,
		}
	}
}

/// What is wrong with a specification, if anything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
	None,
	Class,
	Region,
	Gas(Gas),
	Memory,
	Package(u32),
	NoLinks,
	BadLink,
	/// Such a host, so often.
	Host(&'static str, usize),
	Minimum,
	Overflow,
}

/// A specification in short.
#[derive(Clone, Debug)]
pub(super) struct Order {
	pub(super) target: u32,
	pub(super) units: u32,
	pub(super) per_provider: u32,
	pub(super) ceiling: Balance,
	pub(super) bond: Balance,
	pub(super) term: Option<u32>,
	pub(super) capabilities: u64,
	pub(super) region: Option<u16>,
	/// 1: the first provider alone; 2: all but the first.
	pub(super) filter: u8,
	/// Percentage by which somebody else must be cheaper.
	pub(super) rematch: Option<u32>,
	/// Gas that costs the whole price, and whether the capability is asked for.
	pub(super) gas: Option<(Gas, bool)>,
	pub(super) flaw: Flaw,
}

impl Order {
	pub(super) fn spec(&self) -> DealSpec<u64> {
		let mut ordered = spec(self.target, self.ceiling);
		ordered.units_per_worker = self.units;
		ordered.max_workers_per_provider = self.per_provider;
		ordered.worker_bond = self.bond;
		ordered.term_epochs = self.term;
		ordered.capabilities = self.capabilities;
		ordered.rematch = self.rematch.map(Perbill::from_percent);
		ordered.regions = self
			.region
			.into_iter()
			.collect::<Vec<_>>()
			.try_into()
			.expect("one fits");
		ordered.providers = match self.filter {
			1 => ProviderFilter::Allow(vec![PROVIDER].try_into().expect("one fits")),
			2 => ProviderFilter::Deny(vec![PROVIDER].try_into().expect("one fits")),
			_ => ProviderFilter::Any,
		};
		if let Some((full_gas, asks)) = self.gas {
			ordered = by_gas(ordered, full_gas);
			if !asks {
				ordered.capabilities = self.capabilities;
			}
		}
		match self.flaw {
			Flaw::None => {}
			Flaw::Class => ordered.class = CPU_V1 + 1,
			Flaw::Region => {
				ordered.regions = vec![64u16].try_into().expect("one fits");
			}
			Flaw::Gas(gas) => ordered.limits.gas = gas,
			Flaw::Memory => ordered.limits.memory_bytes = 0,
			Flaw::Package(size) => ordered.package.size = size,
			Flaw::NoLinks => ordered.package.links = Default::default(),
			Flaw::BadLink => {
				let link: Link = b"ftp://a".to_vec().try_into().expect("short");
				ordered.package.links = vec![link].try_into().expect("one fits");
			}
			// No flaw at all where it is good, stands once and the capability is asked for.
			Flaw::Host(name, times) => {
				let host: Host = name.as_bytes().to_vec().try_into().expect("short");
				ordered.hosts = vec![host; times].try_into().expect("they fit");
			}
			Flaw::Minimum => ordered.min_workers = self.target + 1,
			Flaw::Overflow => ordered.price_ceiling = Balance::MAX,
		}
		ordered
	}
}

/// What a go-live or a notice is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duty {
	Right,
	/// Authorised before its provider had spent the bond.
	Unchecked,
	WrongKey,
	/// Signed for another assignment.
	WrongEpoch,
	Unregistered,
	/// Not as a duty at all.
	From(Caller),
}

/// How much an account sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sum {
	Half,
	/// All but so much.
	AllBut(Balance),
	Exactly(Balance),
}

#[derive(Clone, Debug)]
pub(super) enum Op {
	PostOffer {
		caller: Caller,
		peer: u8,
		terms: OfferTerms,
	},
	WithdrawOffer {
		caller: Caller,
		peer: u8,
	},
	CreateDeal {
		caller: Caller,
		owner: u64,
		order: Order,
		/// Epochs at the ceiling that the escrow covers.
		epochs: u8,
		/// What is missing of that.
		missing: Balance,
	},
	UpdateOffer {
		caller: Caller,
		peer: u8,
		terms: OfferTerms,
	},
	TopUp {
		caller: Caller,
		deal: u8,
		amount: Balance,
		/// A deal in grace is looked for; it gets what its closing deposit lacks and the price of so
		/// many epochs.
		in_grace: Option<u8>,
	},
	Stop {
		caller: Caller,
		deal: u8,
	},
	GoLive {
		pick: u8,
		duty: Duty,
	},
	Release {
		caller: Caller,
		pick: u8,
		/// After the time to go live.
		late: bool,
	},
	Close {
		caller: Caller,
		deal: u8,
	},
	Match {
		caller: Caller,
		deal: u8,
	},
	Drain {
		pick: u8,
		duty: Duty,
	},
	Redeem {
		pick: u8,
		duty: Duty,
		/// Gas beyond the last voucher.
		more: Gas,
	},
	EndWorker {
		caller: Caller,
		pick: u8,
	},
	Replace {
		caller: Caller,
		pick: u8,
		/// After an epoch that the peer of a live worker did not report.
		misses: bool,
	},
	Resize {
		caller: Caller,
		deal: u8,
		least: u32,
		target: u32,
	},
	NameHeir {
		caller: Caller,
		deal: u8,
		heir: Option<u64>,
	},
	TakeDeal {
		caller: Caller,
		deal: u8,
	},
	BeginGrace {
		caller: Caller,
		deal: u8,
	},
	/// A deal is served until its escrow is used up.
	UseUp {
		caller: Caller,
		pick: u8,
		/// Epochs that are served from then on.
		epochs: u8,
		/// What is brought after them, if anything: what the closing deposit lacks and the price of so
		/// many epochs.
		brings: Option<u8>,
	},
	/// Somebody is cheaper than a worker of a deal that wants that.
	Cheapen {
		pick: u8,
		peer: u8,
	},
	UpdatePackage {
		caller: Caller,
		deal: u8,
		/// Which of some; 0 is none that can be.
		package: u8,
	},
	Probe {
		caller: Caller,
		pick: u8,
		/// Length of the body.
		bytes: usize,
	},
	AnswerProbe {
		pick: u8,
		duty: Duty,
	},
	FailProbe {
		caller: Caller,
		pick: u8,
		/// After the time to answer.
		late: bool,
		/// After the commitment of who was asked has failed.
		gone: bool,
	},
	SetParams(MarketParams),
	/// The matcher and the patrol, with so much of time.
	Poll(u64),
	Idle(u64),
	Report {
		peer: u8,
		missing: u32,
		void: bool,
		mask: u8,
	},
	/// An epoch in which those of the mask report all that they owe.
	Serve {
		mask: u8,
		settles: bool,
	},
	Settle(u8),
	Commit {
		pick: u8,
		units: u32,
	},
	Units {
		peer: u8,
		units: u32,
	},
	/// Its next settlement ends a commitment, or fails it.
	End {
		peer: u8,
		fails: bool,
	},
	Fail(u8),
	Register {
		pick: u8,
		provider: u64,
	},
	/// A peer without a commitment leaves.
	Leave(u8),
	Transfer {
		from: u64,
		to: u64,
		sum: Sum,
	},
	Ask {
		order: Order,
		peer: u8,
	},
	Blocks {
		blocks: u32,
		time: u64,
	},
	Epochs(u32),
}

fn caller() -> impl Strategy<Value = Caller> {
	prop_oneof![
		24 => Just(Caller::Entitled),
		3 => (0u64..14).prop_map(Caller::Account),
		1 => Just(Caller::Root),
		1 => Just(Caller::Nobody),
		1 => Just(Caller::Authorized),
	]
}

/// Somebody who has something.
fn account() -> impl Strategy<Value = u64> {
	prop_oneof![
		Just(CLIENT),
		Just(STRANGER),
		Just(PROVIDER),
		Just(PROVIDER + 1),
		Just(PROVIDER + 2),
	]
}

fn terms() -> impl Strategy<Value = OfferTerms> {
	let class = prop_oneof![20 => Just(CPU_V1), 1 => any::<u16>()];
	let region = prop_oneof![10 => 0u16..3, 1 => 62u16..66];
	let ask = prop_oneof![10 => 0u128..40, 1 => Just(Balance::MAX)];
	let bond = prop_oneof![8 => Just(1_000u128), 1 => 99u128..101, 1 => Just(0u128)];
	(class, region, ask, 0u64..8, bond).prop_map(
		|(class, region, ask, capabilities, max_worker_bond)| OfferTerms {
			class,
			region,
			ask,
			capabilities: capabilities | 1,
			max_worker_bond,
		},
	)
}

fn flaw() -> impl Strategy<Value = Flaw> {
	prop_oneof![
		40 => Just(Flaw::None),
		1 => Just(Flaw::Class),
		1 => Just(Flaw::Region),
		1 => prop_oneof![Just(0u64), Just(1u64), Just(1_001u64), Just(Gas::MAX)].prop_map(Flaw::Gas),
		1 => Just(Flaw::Memory),
		1 => prop_oneof![Just(0u32), Just(1u32 << 20), Just((1u32 << 20) + 1)].prop_map(Flaw::Package),
		1 => Just(Flaw::NoLinks),
		1 => Just(Flaw::BadLink),
		2 => (prop_oneof![Just("a.example"), Just("[::1]:80"), Just("A"), Just("a:0")], 1usize..3)
			.prop_map(|(name, times)| Flaw::Host(name, times)),
		1 => Just(Flaw::Minimum),
		1 => Just(Flaw::Overflow),
	]
}

/// How many workers are looked for.
fn wanted() -> impl Strategy<Value = u32> {
	prop_oneof![1 => Just(0u32), 12 => 1u32..5, 1 => 256u32..258]
}

fn heir() -> impl Strategy<Value = Option<u64>> {
	prop_oneof![
		6 => account().prop_map(Some),
		1 => (0u64..14).prop_map(Some),
		1 => Just(None),
	]
}

fn order() -> impl Strategy<Value = Order> {
	let target = wanted();
	let units = prop_oneof![1 => Just(0u32), 12 => 1u32..4, 1 => Just(u32::MAX)];
	let per_provider = prop_oneof![1 => Just(0u32), 12 => 1u32..4];
	let bond = prop_oneof![4 => Just(100u128), 2 => 0u128..3, 1 => 999u128..1_002];
	let term = prop_oneof![
		6 => Just(None::<u32>),
		3 => (0u32..6).prop_map(Some),
		1 => Just(Some(u32::MAX)),
	];
	let region = prop_oneof![4 => Just(None::<u16>), 1 => (0u16..3).prop_map(Some)];
	let filter = prop_oneof![6 => Just(0u8), 1 => Just(1u8), 1 => Just(2u8)];
	let ceiling = prop_oneof![1 => 0u128..4, 8 => 15u128..60];
	let gas = prop_oneof![
		6 => Just(None),
		3 => (1u64..20).prop_map(|gas| Some((gas, true))),
		1 => (0u64..2, any::<bool>()).prop_map(Some),
	];
	let capabilities = prop_oneof![6 => 0u64..2, 1 => 2u64..16];
	(
		(target, units, per_provider, ceiling, bond),
		(term, capabilities, region, filter, gas, flaw()),
		prop::option::weighted(0.5, 0u32..30),
	)
		.prop_map(|(size, rest, rematch)| {
			let (target, units, per_provider, ceiling, bond) = size;
			let (term, capabilities, region, filter, gas, flaw) = rest;
			Order {
				target,
				units,
				per_provider,
				ceiling,
				bond,
				term,
				capabilities,
				region,
				filter,
				rematch,
				gas,
				flaw,
			}
		})
}

fn new_params() -> impl Strategy<Value = MarketParams> {
	let deposit = || prop_oneof![1 => Just(0u128), 1 => 4u128..6, 3 => 10u128..60];
	let epochs = || prop_oneof![8 => 0u32..4, 1 => Just(u32::MAX)];
	let min_price = prop_oneof![Just(0u128), Just(2u128), Just(10u128)];
	let gas = prop_oneof![1 => Just(999u64), 8 => Just(1_000u64)];
	let bond = prop_oneof![1 => 0u128..2, 3 => Just(PROBE_BOND)];
	let deposits = (deposit(), deposit(), bond);
	let part = || prop_oneof![Just(0u32), Just(1), Just(20_000_000), Just(500_000_000)];
	// Three epochs at half the price are more than the closing deposit has.
	let grace = (
		1u32..4,
		prop_oneof![4 => Just(500_000_000u32), 1 => Just(333_333_333)],
	);
	let terms = (part(), grace, 1u32..4, part());
	(min_price, deposits, gas, epochs(), epochs(), terms).prop_map(
		|(min_price, deposits, max_call_gas, exclusion, assignment, terms)| {
			let (deal_deposit, offer_deposit, probe_bond) = deposits;
			let (burn, (grace_epochs, grace_price), counts, probe_burn) = terms;
			MarketParams {
				min_price,
				ask_tick: 1,
				deal_deposit,
				offer_deposit,
				max_call_gas,
				exclusion_epochs: exclusion,
				assignment_epochs: assignment,
				probe_bond,
				probe_blocks: PROBE_BLOCKS,
				probe_burn: Perbill::from_parts(probe_burn),
				payment_burn: Perbill::from_parts(burn),
				grace_epochs,
				grace_price: Perbill::from_parts(grace_price),
				min_escrow_epochs: counts,
				max_lapses: counts,
				..Default::default()
			}
		},
	)
}

fn duty() -> impl Strategy<Value = Duty> {
	prop_oneof![
		20 => Just(Duty::Right),
		2 => Just(Duty::Unchecked),
		1 => Just(Duty::WrongKey),
		1 => Just(Duty::WrongEpoch),
		1 => Just(Duty::Unregistered),
		2 => caller().prop_map(Duty::From),
	]
}

/// Units that are missing in a report.
fn short() -> impl Strategy<Value = u32> {
	prop_oneof![4 => Just(0u32), 1 => 1u32..3]
}

/// All, or some.
fn mask() -> impl Strategy<Value = u8> {
	prop_oneof![2 => Just(u8::MAX), 1 => any::<u8>()]
}

/// Time for the matcher: none, a look or two, or more than it needs.
fn time() -> impl Strategy<Value = u64> {
	prop_oneof![
		1 => Just(0u64),
		4 => 0u64..40_000_000_000,
		4 => Just(500_000_000_000u64),
	]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
	let n = || 0..PEERS;
	let deal = || 0u8..12;
	let amount = || {
		prop_oneof![
			1 => Just(0u128),
			1 => Just(Balance::MAX),
			5 => 1u128..500,
			3 => 500u128..3_000,
		]
	};
	let sum = prop_oneof![
		3 => Just(Sum::Half),
		1 => (0u128..300).prop_map(Sum::AllBut),
		1 => (0u128..300).prop_map(Sum::Exactly),
	];
	let missing = prop_oneof![8 => Just(0u128), 1 => Just(1u128)];
	// The least escrow is used up first.
	let escrow = prop_oneof![2 => Just(2u8), 3 => 1u8..9];
	let brings = || prop::option::of(0u8..4);
	// Up to the end of grace, and beyond.
	let in_grace = prop_oneof![2 => Just(2u8), 3 => 0u8..4];
	let owner = prop_oneof![5 => Just(CLIENT), 2 => Just(STRANGER), 1 => Just(PROVIDER)];
	let calls = prop_oneof![
		6 => (caller(), n(), terms())
			.prop_map(|(caller, peer, terms)| Op::PostOffer { caller, peer, terms }),
		2 => (caller(), n()).prop_map(|(caller, peer)| Op::WithdrawOffer { caller, peer }),
		12 => (caller(), owner, order(), escrow, missing).prop_map(
			|(caller, owner, order, epochs, missing)| Op::CreateDeal {
				caller, owner, order, epochs, missing,
			}
		),
		2 => (caller(), n(), terms())
			.prop_map(|(caller, peer, terms)| Op::UpdateOffer { caller, peer, terms }),
		5 => (caller(), deal(), amount(), brings()).prop_map(
			|(caller, deal, amount, in_grace)| Op::TopUp { caller, deal, amount, in_grace }
		),
		4 => (caller(), deal()).prop_map(|(caller, deal)| Op::Stop { caller, deal }),
		14 => (any::<u8>(), duty()).prop_map(|(pick, duty)| Op::GoLive { pick, duty }),
		3 => (caller(), any::<u8>(), any::<bool>())
			.prop_map(|(caller, pick, late)| Op::Release { caller, pick, late }),
		7 => (caller(), deal()).prop_map(|(caller, deal)| Op::Close { caller, deal }),
		4 => (caller(), deal()).prop_map(|(caller, deal)| Op::Match { caller, deal }),
		3 => (any::<u8>(), duty()).prop_map(|(pick, duty)| Op::Drain { pick, duty }),
		7 => (any::<u8>(), duty(), 0u64..30)
			.prop_map(|(pick, duty, more)| Op::Redeem { pick, duty, more }),
		2 => (caller(), any::<u8>()).prop_map(|(caller, pick)| Op::EndWorker { caller, pick }),
		4 => (caller(), any::<u8>(), any::<bool>())
			.prop_map(|(caller, pick, misses)| Op::Replace { caller, pick, misses }),
		3 => (caller(), deal(), 0u32..3, wanted()).prop_map(
			|(caller, deal, least, target)| Op::Resize { caller, deal, least, target }
		),
		2 => (caller(), deal(), heir()).prop_map(
			|(caller, deal, heir)| Op::NameHeir { caller, deal, heir }
		),
		2 => (caller(), deal()).prop_map(|(caller, deal)| Op::TakeDeal { caller, deal }),
		3 => (caller(), deal()).prop_map(|(caller, deal)| Op::BeginGrace { caller, deal }),
		4 => (caller(), any::<u8>(), in_grace, brings()).prop_map(
			|(caller, pick, epochs, brings)| Op::UseUp { caller, pick, epochs, brings }
		),
		3 => (any::<u8>(), n()).prop_map(|(pick, peer)| Op::Cheapen { pick, peer }),
		8 => (caller(), any::<u8>(), prop_oneof![6 => 0usize..9, 1 => 1_023usize..1_026])
			.prop_map(|(caller, pick, bytes)| Op::Probe { caller, pick, bytes }),
		7 => (any::<u8>(), duty()).prop_map(|(pick, duty)| Op::AnswerProbe { pick, duty }),
		3 => (caller(), any::<u8>(), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
			|(caller, pick, late, gone)| Op::FailProbe { caller, pick, late, gone }
		),
		3 => (caller(), deal(), 0u8..4).prop_map(
			|(caller, deal, package)| Op::UpdatePackage { caller, deal, package }
		),
		2 => new_params().prop_map(Op::SetParams),
		2 => (account(), account(), sum)
			.prop_map(|(from, to, sum)| Op::Transfer { from, to, sum }),
	];
	let world = prop_oneof![
		6 => time().prop_map(Op::Poll),
		3 => time().prop_map(Op::Idle),
		6 => (n(), short(), prop::bool::weighted(0.2), mask())
			.prop_map(|(peer, missing, void, mask)| Op::Report { peer, missing, void, mask }),
		8 => (mask(), any::<bool>())
			.prop_map(|(mask, settles)| Op::Serve { mask, settles }),
		4 => n().prop_map(Op::Settle),
		4 => (n(), 1u32..6).prop_map(|(pick, units)| Op::Commit { pick, units }),
		2 => (n(), 0u32..6).prop_map(|(peer, units)| Op::Units { peer, units }),
		2 => (n(), any::<bool>()).prop_map(|(peer, fails)| Op::End { peer, fails }),
		1 => n().prop_map(Op::Fail),
		3 => (n(), PROVIDER..PROVIDER + 3)
			.prop_map(|(pick, provider)| Op::Register { pick, provider }),
		2 => n().prop_map(Op::Leave),
		2 => (order(), n()).prop_map(|(order, peer)| Op::Ask { order, peer }),
		6 => (1u32..8, time()).prop_map(|(blocks, time)| Op::Blocks { blocks, time }),
		2 => (1u32..4).prop_map(Op::Epochs),
	];
	prop_oneof![calls, world]
}
