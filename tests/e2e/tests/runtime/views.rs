//! Runtime APIs and storage that the client reads: names, and the bytes of every view.

use crate::samples::{
	case, client_account, hosts, invokers, metadata, peer, receipt, runtime_account, signed_terms,
	specifications, terms, validator, validators,
};
use codec::{DecodeAll, Encode};
use millrace_client::AccountId;
use millrace_primitives::{
	access::{Access, RateLimit},
	audit::{Audit, AuditStatus},
	billing::{Billing, Redeemed},
	capacity::WorkRates,
	challenge::{CaseView, Charge, OwedEvidence, Wanted},
	commitment::{
		BucketView, ChangeView, EarningsView, RoundKind, RoundView, SlashView, StakeView,
	},
	epoch::{EpochInfo, EpochLengths, EpochStatus, Phase},
	market::{DealSpec, DealStatus, DealTerms, Worker, WorkerStatus},
	packages::{PackageHistory, PastPackage},
	peer::PeerId,
	probe::{Moment, ProbeView},
	views::{
		Assignment, CommitmentStatus, CommitmentView, Content, DealView, GraceSpan, OfferView,
		Owed, PeerDuties, PeerView, Quote, Reason, ReportRecord, Subject, WhyNot, WorkerView,
	},
	H256, U256,
};
use sp_runtime::Perbill;
use subxt::{ext::scale_value::scale::decode_as_type, Metadata};

fn status() -> EpochStatus {
	EpochStatus {
		info: EpochInfo {
			index: 1,
			start: 21,
			start_ms: 3,
			slot_ms: 1_000,
			lengths: EpochLengths {
				len: 20,
				report_window: 6,
				fold_window: 2,
				answer_window: 8,
			},
		},
		position: 9,
		phase: Phase::Answer,
		seed: H256::repeat_byte(1),
		draw: Some(H256::repeat_byte(2)),
	}
}

fn worker(status: WorkerStatus) -> Worker {
	Worker {
		peer: peer(),
		offer: 1,
		ask: 2,
		units: 3,
		bond: 4,
		status,
	}
}

fn endpoint() -> millrace_primitives::peer::Endpoint {
	b"http://127.0.0.1:8650"
		.to_vec()
		.try_into()
		.expect("it is short")
}

fn peer_view<A>(provider: A) -> PeerView<A> {
	PeerView {
		peer: peer(),
		provider,
		key: [1; 32],
		key_since: 2,
		endpoint: endpoint(),
	}
}

fn commitment<A: Clone>(provider: A, status: CommitmentStatus) -> CommitmentView<A> {
	CommitmentView {
		peer: peer(),
		units: 1,
		stake: 2,
		slashed: 3,
		status,
		next_to_settle: 4,
		rewarded: 5,
		own: 6,
		waiting: 7,
		score_permille: 8,
		terms: signed_terms(RoundKind::Start).terms,
		change: Some(ChangeView {
			at: 9,
			units: 10,
			end: 11,
		}),
		withdrawable: Some(12),
		delegators: vec![stake(provider.clone())],
		leaving: vec![stake(provider.clone()), stake(provider.clone())],
		provider,
	}
}

fn stake<A>(staker: A) -> StakeView<A> {
	StakeView {
		staker,
		left: 1,
		share: 2,
	}
}

fn round<A: Clone>(staker: A, kind: RoundKind, least: Option<u128>) -> RoundView<A> {
	RoundView {
		terms: signed_terms(kind),
		deadline: 1,
		needed: 2,
		pledged: 3,
		reserved: 4,
		agreed: true,
		least,
		room: 5,
		kept: 6,
		invited: vec![staker.clone()],
		pledges: vec![stake(staker)],
	}
}

fn earnings() -> EarningsView {
	EarningsView {
		claimable: 1,
		vesting: 2,
		deposit: 3,
		places: 4,
		buckets: vec![BucketView {
			start: 5,
			epochs: 6,
			amount: 7,
			taken: 8,
		}],
	}
}

fn packages() -> PackageHistory {
	let past = PastPackage {
		hash: H256::repeat_byte(4),
		size: 5,
		profile: 6,
		from: 7,
		until: 8,
	};
	PackageHistory {
		since: 9,
		past: vec![past; 2].try_into().expect("two fit"),
		forgotten: Some(3),
	}
}

fn deal<A: Clone>(owner: A, spec: DealSpec<A>) -> DealView<A> {
	DealView {
		deal: 1,
		heir: Some(owner.clone()),
		owner,
		spec,
		status: DealStatus::Ending { last: 2 },
		created: 3,
		escrow: 4,
		closing_deposit: 5,
		grace: Some(GraceSpan { from: 1, until: 2 }),
		terms: DealTerms {
			payment_burn: Perbill::from_parts(11),
			grace_epochs: 12,
			grace_price: Perbill::from_parts(13),
		},
		paid: 6,
		burnt: 7,
		paid_until: 8,
		workers: vec![WorkerView {
			worker: worker(WorkerStatus::Draining { since: 9, last: 10 }),
			endpoint: endpoint(),
			key: [1; 32],
		}],
		profile: 9,
		packages: packages(),
	}
}

fn offer() -> OfferView {
	OfferView {
		offer: 1,
		peer: peer(),
		terms: terms(),
		free_units: 2,
	}
}

fn quote() -> Quote {
	Quote {
		workers: vec![offer()],
		epoch_price: 3,
		min_escrow: 4,
		closing_deposit: 5,
		paid_epochs: Some(6),
		looked_at: 7,
		truncated: true,
		verifiable: true,
	}
}

fn why_not() -> WhyNot {
	WhyNot {
		looked_at: 1,
		truncated: true,
		eligible: 2,
		reasons: vec![(Reason::NoOffer, 3), (Reason::Excluded, 4)],
		content: Some(Content::EscrowTooLow),
	}
}

fn assignment() -> Assignment {
	let spec = specifications(client_account()).remove(0);
	Assignment {
		deal: 1,
		worker: worker(WorkerStatus::Assigned { deadline: 2 }),
		package: spec.package,
		limits: spec.limits,
		status: DealStatus::Grace,
		paid_until: 3,
		hosts: hosts(),
		profile: 9,
		access: Access::Keys(invokers()),
		rate: Some(RateLimit {
			calls: 4,
			per_seconds: 5,
		}),
		packages: packages(),
		billing: Billing::Reserved,
		redeemed: Redeemed {
			cumulative: 10,
			billed: 9,
			epoch: 8,
		},
		probe: Some(ProbeView {
			body: vec![11, 12],
			at: 13,
			deadline: Moment {
				epoch: 14,
				position: 15,
			},
		}),
	}
}

fn owed_evidence(wanted: Wanted) -> OwedEvidence {
	OwedEvidence {
		show: vec![case(Charge::Omitted); 2],
		post: Some((1, 2, wanted, H256::repeat_byte(3), 4)),
	}
}

fn case_view<A>(leader: A, charge: Charge) -> CaseView<A> {
	CaseView {
		case: case(charge),
		first_reveal: 1,
		concludes: 2,
		leader,
		proven: true,
		concluded: false,
	}
}

fn duties() -> PeerDuties {
	let owed = Owed {
		epoch: 1,
		seed: H256::repeat_byte(1),
		target: U256::MAX >> 4,
		idle: 2,
		busy: 3,
		rates: WorkRates { idle: 4, busy: 1 },
	};
	PeerDuties {
		genesis: H256::repeat_byte(1),
		epoch: status(),
		previous: Some(status().info),
		key: Some([2; 32]),
		work: Some(owed),
		previous_work: None,
		report_due: true,
		audit: Some(Audit {
			epoch: 3,
			status: AuditStatus::Passed,
		}),
		assignments: vec![assignment()],
	}
}

/// A method, arguments as the client sends them, and answers as it reads them.
type Method = (&'static str, &'static str, Vec<u8>, Vec<Vec<u8>>);

fn methods() -> Vec<Method> {
	let account = client_account();
	let spec = specifications(account).remove(1);
	let states = [
		CommitmentStatus::Pending { deadline: 1 },
		CommitmentStatus::Active { start: 1, end: 2 },
		CommitmentStatus::Unbonding {
			until: 1,
			failed: true,
		},
	];
	let commitments = states
		.map(|status| Some(commitment(account, status)).encode())
		.to_vec();
	let rounds = vec![
		Some(round(account, RoundKind::Start, Some(6))).encode(),
		Some(round(account, RoundKind::Growth, None)).encode(),
		vec![0],
	];
	let slash = SlashView {
		slash: 1 << 40,
		epoch: 1,
		due: 2,
		amount: 3,
	};
	let half = Perbill::from_percent(50);
	let deals: Vec<_> = specifications(account)
		.into_iter()
		.map(|spec| deal(account, spec))
		.collect();
	let cases: Vec<_> = [
		Charge::Inspection,
		Charge::Replay,
		Charge::Omitted,
		Charge::DoubleSeq,
	]
	.map(|charge| case_view(account, charge))
	.to_vec();
	let record = ReportRecord {
		epoch: 1,
		hash: H256::repeat_byte(2),
	};
	vec![
		("EpochsApi", "status", vec![], vec![status().encode()]),
		(
			"EpochsApi",
			"seed",
			1u32.encode(),
			vec![Some(H256::repeat_byte(1)).encode(), vec![0]],
		),
		(
			"DutiesApi",
			"duties",
			peer().encode(),
			vec![duties().encode()],
		),
		("CapacityApi", "commitment", peer().encode(), commitments),
		("CapacityApi", "round", peer().encode(), rounds),
		(
			"CapacityApi",
			"start_terms",
			(1u32, 2u32, half, half).encode(),
			vec![signed_terms(RoundKind::Start).encode()],
		),
		(
			"CapacityApi",
			"growth_terms",
			(peer(), 1u32).encode(),
			vec![Some(signed_terms(RoundKind::Growth)).encode(), vec![0]],
		),
		(
			"CapacityApi",
			"renewal_terms",
			(peer(), 1u32, half, half).encode(),
			vec![Some(signed_terms(RoundKind::Renewal)).encode(), vec![0]],
		),
		(
			"CapacityApi",
			"slashes",
			peer().encode(),
			vec![vec![slash; 2].encode()],
		),
		(
			"CapacityApi",
			"earnings",
			account.encode(),
			vec![earnings().encode()],
		),
		(
			"CapacityApi",
			"active_stake",
			account.encode(),
			vec![u128::MAX.encode()],
		),
		(
			"ValidatorsApi",
			"validators",
			vec![],
			vec![validators(account).encode()],
		),
		(
			"ValidatorsApi",
			"validator",
			account.encode(),
			vec![
				validator(Some(vec![9; 97])).encode(),
				validator(None).encode(),
			],
		),
		(
			"MarketApi",
			"quote",
			(spec.clone(), 1u128).encode(),
			vec![quote().encode()],
		),
		(
			"MarketApi",
			"why_not",
			(Subject::Spec(spec), None::<PeerId>).encode(),
			vec![why_not().encode()],
		),
		(
			"MarketApi",
			"why_not",
			(Subject::<AccountId>::Deal(1), Some(peer())).encode(),
			vec![WhyNot::default().encode()],
		),
		(
			"MarketApi",
			"offer",
			peer().encode(),
			vec![Some(offer()).encode(), vec![0]],
		),
		("MarketApi", "probe_bond", vec![], vec![1u128.encode()]),
		(
			"MarketApi",
			"deal",
			1u64.encode(),
			vec![deals.first().encode(), vec![0]],
		),
		(
			"MarketApi",
			"deals",
			(Some(account), 1u64, 2u32).encode(),
			vec![deals.encode()],
		),
		(
			"MarketApi",
			"assignments",
			peer().encode(),
			vec![vec![assignment()].encode()],
		),
		(
			"ProvidersApi",
			"peer",
			peer().encode(),
			vec![Some(peer_view(account)).encode()],
		),
		(
			"ProvidersApi",
			"peers_of",
			account.encode(),
			vec![vec![peer_view(account)].encode()],
		),
		(
			"ProvidersApi",
			"key_at",
			(peer(), 7u32).encode(),
			vec![Some([1u8; 32]).encode(), None::<[u8; 32]>.encode()],
		),
		(
			"ReceiptsApi",
			"report",
			(peer(), 1u32).encode(),
			vec![Some(record).encode()],
		),
		(
			"ReceiptsApi",
			"opened",
			(peer(), 1u32).encode(),
			vec![vec![receipt(); 2].encode()],
		),
		(
			"ReceiptsApi",
			"owed_evidence",
			peer().encode(),
			vec![
				owed_evidence(Wanted::Package).encode(),
				owed_evidence(Wanted::Request).encode(),
				owed_evidence(Wanted::Transcript).encode(),
				OwedEvidence::default().encode(),
			],
		),
		(
			"ReceiptsApi",
			"cases",
			peer().encode(),
			vec![cases.encode()],
		),
		(
			"ReceiptsApi",
			"demands",
			peer().encode(),
			vec![vec![(1u32, 2u32, Wanted::Request, 3u32); 2].encode()],
		),
		(
			"ReceiptsApi",
			"posted",
			H256::repeat_byte(1).encode(),
			vec![Some(7u32).encode(), vec![0]],
		),
		(
			"ReceiptsApi",
			"params",
			vec![],
			vec![pallet_receipts::ReceiptsParams::default().encode()],
		),
		(
			"EpochsApi",
			"seed",
			7u32.encode(),
			vec![Some(H256::repeat_byte(1)).encode(), vec![0]],
		),
		(
			"AccountNonceApi",
			"account_nonce",
			account.encode(),
			vec![7u32.encode()],
		),
	]
}

/// Decodes bytes by the runtime's own description of a type, all of them.
fn decodes(metadata: &Metadata, ty: u32, bytes: &mut &[u8]) -> Result<(), String> {
	decode_as_type(bytes, ty, metadata.types())
		.map(drop)
		.map_err(|error| error.to_string())
}

#[test]
fn every_view_is_encoded_as_the_runtime_describes_it() {
	for version in [15, 16] {
		let metadata = metadata(version);
		for (api, name, arguments, answers) in methods() {
			let method = metadata
				.runtime_api_trait_by_name(api)
				.and_then(|api| api.method_by_name(name))
				.unwrap_or_else(|| panic!("the runtime has no {api}_{name}"));
			let mut rest = &arguments[..];
			for input in method.inputs() {
				decodes(&metadata, input.id, &mut rest)
					.unwrap_or_else(|error| panic!("{api}_{name}({}): {error}", input.name));
			}
			assert!(rest.is_empty(), "{api}_{name} takes fewer arguments");
			for answer in answers {
				let mut rest = &answer[..];
				decodes(&metadata, method.output_ty(), &mut rest)
					.unwrap_or_else(|error| panic!("{api}_{name} answers otherwise: {error}"));
				assert!(rest.is_empty(), "{api}_{name} answers with less");
			}
		}
	}
}

/// The runtime's account and the client's are the same 32 bytes wherever a view has one.
#[test]
fn views_of_the_runtime_are_those_of_the_client() {
	let (ours, theirs) = (client_account(), runtime_account());
	assert_eq!(peer_view(ours).encode(), peer_view(theirs.clone()).encode());
	let status = CommitmentStatus::Active { start: 1, end: 2 };
	assert_eq!(
		commitment(ours, status).encode(),
		commitment(theirs.clone(), status).encode()
	);
	assert_eq!(
		round(ours, RoundKind::Renewal, None).encode(),
		round(theirs.clone(), RoundKind::Renewal, None).encode()
	);
	assert_eq!(
		validators(ours).encode(),
		validators(theirs.clone()).encode()
	);
	assert_eq!(
		case_view(ours, Charge::Replay).encode(),
		case_view(theirs.clone(), Charge::Replay).encode()
	);
	let specs = specifications(ours)
		.into_iter()
		.zip(specifications(theirs.clone()));
	for (ours_spec, theirs_spec) in specs {
		let bytes = deal(theirs.clone(), theirs_spec).encode();
		let read = DealView::decode_all(&mut &bytes[..]).expect("the client reads it");
		assert_eq!(read, deal(ours, ours_spec));
	}
}

/// What the client reads without a runtime API: items, the hashers of their keys, their values.
#[test]
fn storage_lies_where_the_client_looks_for_it() {
	let metadata = metadata(15);
	// An account is a nonce, three counters, three amounts and flags.
	let account = [0u8; 4 * 4 + 4 * 16].to_vec();
	// Epoch, target and where it has settled, rates; pool, what was carried to it, most for a unit,
	// stake of a unit, cost of a miss; audits, drawn, reports; units, idle ones, leaves owed and
	// proven; whether excused.
	let work = (1u32, [U256::MAX; 2], (4u32, 1u32));
	let row = (work, [1u128; 5], [2u32; 3], [3u64; 4], true).encode();
	let held = vec![((0u8, 0u8), 1u128)];
	let items = [
		("System", "Account", vec!["Blake2_128Concat"], account),
		(
			"Balances",
			"Holds",
			vec!["Blake2_128Concat"],
			holds(&metadata, held),
		),
		("Balances", "TotalIssuance", vec![], 1u128.encode()),
		(
			"Epochs",
			"Seeds",
			vec!["Identity"],
			(1u32, H256::repeat_byte(1)).encode(),
		),
		("Epochs", "Infos", vec!["Identity"], status().info.encode()),
		("Capacity", "EpochRows", vec!["Twox64Concat"], row),
	];
	for (pallet, name, hashers, value) in items {
		let found = metadata
			.pallet_by_name(pallet)
			.and_then(|pallet| pallet.storage());
		let entry = found.and_then(|storage| storage.entry_by_name(name));
		let entry = entry.unwrap_or_else(|| panic!("there is no {pallet}.{name}"));
		let keys: Vec<String> = entry
			.keys()
			.map(|key| format!("{:?}", key.hasher))
			.collect();
		assert_eq!(keys, hashers, "keys of {pallet}.{name}");
		let mut rest = &value[..];
		decodes(&metadata, entry.value_ty(), &mut rest)
			.unwrap_or_else(|error| panic!("{pallet}.{name} has another form: {error}"));
		assert!(rest.is_empty(), "{pallet}.{name} is shorter");
	}
}

/// Holds under the first reason that the runtime has.
fn holds(metadata: &Metadata, mut held: Vec<((u8, u8), u128)>) -> Vec<u8> {
	let capacity = metadata
		.pallet_by_name("Capacity")
		.expect("the runtime has it")
		.call_index();
	held[0].0 .0 = capacity;
	let bytes = held.encode();
	let entry = metadata
		.pallet_by_name("Balances")
		.and_then(|pallet| pallet.storage());
	let entry = entry
		.and_then(|storage| storage.entry_by_name("Holds"))
		.expect("it is there");
	decode_as_type(&mut &bytes[..], entry.value_ty(), metadata.types())
		.expect("a reason is a pallet's index and its own");
	bytes
}
