//! Values that tests of encodings share, and the runtime's metadata.

use millrace_client::AccountId;
use millrace_primitives::{
	audit::{AuditAnswer, ReceiptOpening, SolutionOpening},
	commitment::{CommitmentTerms, RoundKind, StakeOffer, StakerTerms},
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	market::{Abi, CallLimits, DealSpec, OfferTerms, Package, ProviderFilter},
	peer::PeerId,
	report::{Report, Served},
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
	};
	let listed = || vec![account.clone()].try_into();
	let allowing = DealSpec {
		providers: ProviderFilter::Allow(listed().unwrap_or_default()),
		term_epochs: Some(24),
		..plain.clone()
	};
	let denying = DealSpec {
		providers: ProviderFilter::Deny(listed().unwrap_or_default()),
		regions: Default::default(),
		..plain.clone()
	};
	vec![plain, allowing, denying]
}
