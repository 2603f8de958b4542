//! Values that tests of encodings share, and the runtime's metadata.

use millrace_client::AccountId;
use millrace_primitives::{
	access::{Access, Invokers, RateLimit},
	audit::{AuditAnswer, ReceiptOpening, SolutionOpening},
	billing::Billing,
	challenge::{CaseId, Charge, Evidence, LeafProof, Shown},
	commitment::{CommitmentTerms, RoundKind, StakeOffer, StakerTerms},
	execution::{empty_transcript, CallStatus, CallTerms, Receipt, SignedReceipt, PROFILE_V1},
	market::{Abi, CallLimits, DealSpec, Hosts, OfferTerms, Package, ProviderFilter},
	peer::PeerId,
	report::{Report, Served},
	validators::{EquivocationView, SeatView, ValidatorView, ValidatorsView},
	CPU_V1, H256,
};
use millrace_runtime::Runtime;
use sp_runtime::Perbill;
use subxt::Metadata;

/// The runtime's metadata in a version. Constants and defaults read storage, so there must be some.
pub(crate) fn metadata(version: u32) -> Metadata {
	let bytes = sp_io::TestExternalities::new_empty().execute_with(|| {
		Runtime::metadata_at_version(version).expect("the runtime has this version")
	});
	Metadata::decode_from(&bytes).expect("the client can read it")
}

pub(crate) fn client_account() -> AccountId {
	AccountId::from([9; 32])
}

pub(crate) fn runtime_account() -> millrace_runtime::AccountId {
	millrace_runtime::AccountId::from([9; 32])
}

pub(crate) fn peer() -> PeerId {
	PeerId(H256::repeat_byte(5))
}

pub(crate) fn terms() -> OfferTerms {
	OfferTerms {
		class: CPU_V1,
		region: 63,
		ask: 1_000_000_000_007,
		capabilities: 1 << 63,
		max_worker_bond: 3,
	}
}

/// Terms that differ in every field.
pub(crate) fn signed_terms(kind: RoundKind) -> StakerTerms {
	StakerTerms {
		kind,
		units: 1,
		duration_epochs: 2,
		end: 3,
		terms: CommitmentTerms {
			stake_per_unit: u128::MAX,
			slash_rate: Perbill::from_parts(4),
			own_part: Perbill::one(),
			own_floor: Perbill::from_parts(5),
			commission: Perbill::zero(),
			unbonding_epochs: 6,
			challenge_epochs: 7,
			slash_delay_epochs: 8,
			vesting_epochs: u32::MAX,
			stake_floor: Perbill::from_parts(9),
			least_audit_slash: Perbill::from_parts(10),
		},
	}
}

/// An offer to one staker.
pub(crate) fn offer<A: std::fmt::Debug>(account: A) -> StakeOffer<A> {
	StakeOffer {
		own_part: Perbill::from_percent(20),
		commission: Perbill::from_parts(7),
		invited: vec![account].try_into().expect("one fits"),
	}
}

pub(crate) fn report() -> Report {
	let served = [(1, 2, 3), (u64::MAX, u32::MAX, u64::MAX)].map(|(deal, calls, gas)| Served {
		deal,
		calls,
		gas,
	});
	Report {
		proven_idle: 4,
		proven_busy: 2,
		proofs_root: H256::repeat_byte(1),
		receipts: 300,
		served: served.to_vec().try_into().expect("two fit"),
		..Report::empty(12)
	}
}

pub(crate) fn receipt() -> SignedReceipt {
	SignedReceipt {
		receipt: Receipt {
			genesis: H256::repeat_byte(1),
			seed: H256::repeat_byte(2),
			deal: 3,
			peer: peer(),
			epoch: 4,
			seq: 5,
			package: H256::repeat_byte(6),
			profile: PROFILE_V1,
			terms: H256::repeat_byte(13),
			request: H256::repeat_byte(7),
			response: H256::repeat_byte(8),
			transcript: empty_transcript(),
			status: CallStatus::Exited(9),
			gas: 10,
			block: 11,
		},
		signature: [12; 64],
	}
}

pub(crate) fn answer() -> AuditAnswer {
	let path = || vec![H256::repeat_byte(3); 7].try_into().expect("seven fit");
	let solution = SolutionOpening {
		nonce: u64::MAX,
		path: path(),
	};
	let opened = ReceiptOpening {
		receipt: receipt(),
		path: path(),
	};
	AuditAnswer {
		report: report(),
		solutions: vec![solution; 3].try_into().expect("three fit"),
		receipts: vec![opened; 2].try_into().expect("two fit"),
	}
}

pub(crate) fn case(charge: Charge) -> CaseId {
	CaseId {
		peer: peer(),
		epoch: 4,
		charge,
		subject: H256::repeat_byte(14),
	}
}

pub(crate) fn shown() -> Shown {
	Shown {
		report: report(),
		path: vec![H256::repeat_byte(3); 7].try_into().expect("seven fit"),
	}
}

/// Evidence of every charge, with its charge.
pub(crate) fn evidence() -> Vec<(Charge, Evidence)> {
	let Shown { report, path } = shown();
	let leaf = LeafProof {
		report: report.clone(),
		index: 6,
		path,
	};
	let spec = specifications(client_account()).remove(1);
	let bytes = |length: usize| vec![7; length];
	vec![
		(
			Charge::Inspection,
			Evidence::Inspection {
				receipt: receipt(),
				leaf: None,
			},
		),
		(
			Charge::Inspection,
			Evidence::Inspection {
				receipt: receipt(),
				leaf: Some(leaf),
			},
		),
		(
			Charge::Replay,
			Evidence::Replay {
				receipt: receipt(),
				terms: CallTerms::new(3, &spec.package, spec.limits, spec.hosts),
				package: bytes(100).try_into().expect("they fit"),
				request: bytes(70).try_into().expect("they fit"),
				transcript: bytes(1).try_into().expect("it fits"),
			},
		),
		(
			Charge::Omitted,
			Evidence::Omitted {
				receipt: receipt(),
				report,
			},
		),
		(
			Charge::DoubleSeq,
			Evidence::DoubleSeq {
				first: receipt(),
				second: receipt(),
			},
		),
	]
}

pub(crate) fn validators<A>(who: A) -> ValidatorsView<A> {
	ValidatorsView {
		session: 1,
		bootstrapped: true,
		total_stake: 2,
		standing_stake: 1,
		bootstrap_stake: 3,
		needed: 4,
		max_validators: 5,
		candidates: 6,
		expected: 7,
		seats: vec![SeatView {
			who,
			stake: 8,
			authored: 9,
			disabled: true,
		}],
		planned: Vec::new(),
	}
}

pub(crate) fn validator(keys: Option<Vec<u8>>) -> ValidatorView {
	ValidatorView {
		active_stake: 1,
		rank: Some(2),
		keys,
		seated: true,
		planned: false,
		disabled: true,
		silent_sessions: 3,
		banned_until: None,
		authored: 4,
		expected: 5,
		equivocations: vec![EquivocationView {
			session: 6,
			epoch: 7,
			part: Perbill::from_percent(1),
		}],
	}
}

/// One host, with a port.
pub(crate) fn invokers() -> Invokers {
	vec![H256::repeat_byte(6)].try_into().expect("one fits")
}

pub(crate) fn hosts() -> Hosts {
	let host = b"a.example:8080".to_vec().try_into().expect("it is short");
	vec![host].try_into().expect("one fits")
}

/// Specifications that differ in every field that has more than one form.
pub(crate) fn specifications<A: Clone>(account: A) -> Vec<DealSpec<A>> {
	let link = |text: &str| {
		text.as_bytes()
			.to_vec()
			.try_into()
			.expect("the link is short")
	};
	let plain = DealSpec {
		class: CPU_V1,
		units_per_worker: 2,
		min_workers: 1,
		target_workers: 3,
		max_workers_per_provider: 2,
		price_ceiling: 1_000_000_000_009,
		package: Package {
			hash: H256::repeat_byte(4),
			size: 1_000,
			links: vec![link("http://a/m"), link("https://b/m")]
				.try_into()
				.expect("two fit"),
			abi: Abi::WasiPreview1Command,
		},
		limits: CallLimits {
			gas: 1 << 33,
			memory_bytes: 65_536,
			request_bytes: 1_024,
			response_bytes: 2_048,
		},
		capabilities: 5,
		regions: vec![1, 2].try_into().expect("two fit"),
		providers: ProviderFilter::Any,
		worker_bond: 8,
		term_epochs: None,
		hosts: Default::default(),
		billing: Billing::Reserved,
		access: Access::Open,
		rate: None,
		rematch: None,
	};
	let listed = || vec![account.clone()].try_into();
	let allowing = DealSpec {
		providers: ProviderFilter::Allow(listed().unwrap_or_default()),
		term_epochs: Some(24),
		hosts: hosts(),
		billing: Billing::Gas {
			full_gas: 1_000,
			voucher_key: [7; 32],
		},
		access: Access::Keys(invokers()),
		rate: Some(RateLimit {
			calls: 100,
			per_seconds: 60,
		}),
		rematch: Some(Perbill::from_percent(10)),
		..plain.clone()
	};
	let denying = DealSpec {
		providers: ProviderFilter::Deny(listed().unwrap_or_default()),
		regions: Default::default(),
		access: Access::Tokens(invokers()),
		..plain.clone()
	};
	vec![plain, allowing, denying]
}
