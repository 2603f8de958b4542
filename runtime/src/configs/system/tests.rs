//! What passes while others are paused, and what a proxy may do.

use super::*;
use frame_support::{
	traits::{GetCallMetadata, GetCallName},
	BoundedVec,
};
use millrace_primitives::{
	audit::AuditAnswer,
	challenge::{CaseId, Charge, OffenceKind, Shown, Wanted},
	commitment::{CommitmentTerms, RoundKind, StakeOffer, StakerTerms},
	market::OfferTerms,
	peer::PeerId,
	report::Report,
	H256,
};
use pallet_capacity::Call as Capacity;
use pallet_market::Call as Market;
use pallet_providers::Call as Providers;
use pallet_receipts::Call as Receipts;
use pallet_tx_pause::RuntimeCallNameOf;

const PEER: PeerId = PeerId(H256([1; 32]));
const SIGNATURE: [u8; 64] = [0; 64];

fn offer() -> StakeOffer<AccountId> {
	StakeOffer {
		own_part: Perbill::one(),
		commission: Perbill::zero(),
		invited: Default::default(),
	}
}

fn signed_terms() -> StakerTerms {
	StakerTerms {
		kind: RoundKind::Start,
		units: 1,
		duration_epochs: 1,
		end: 0,
		terms: CommitmentTerms {
			stake_per_unit: 1,
			slash_rate: Perbill::zero(),
			own_part: Perbill::one(),
			own_floor: Perbill::zero(),
			commission: Perbill::zero(),
			unbonding_epochs: 1,
			challenge_epochs: 1,
			slash_delay_epochs: 1,
			vesting_epochs: 1,
			stake_floor: Perbill::zero(),
			least_audit_slash: Perbill::zero(),
		},
	}
}

/// Every call of the capacity pallet, and whether it must pass while others are paused.
fn capacity_calls() -> Vec<(RuntimeCall, bool)> {
	let peer = PEER;
	let answer = AuditAnswer {
		report: Report::empty(1),
		solutions: Default::default(),
		receipts: Default::default(),
	};
	let calls: [(Capacity<Runtime>, bool); 12] = [
		(
			Capacity::create {
				peer,
				units: 1,
				duration_epochs: 1,
				offer: offer(),
			},
			false,
		),
		(
			Capacity::stake {
				peer,
				terms: signed_terms(),
				keep: 0,
				add: 1,
			},
			false,
		),
		(Capacity::cancel { peer }, true),
		(
			Capacity::report {
				peer,
				report: Report::empty(1),
				signature: SIGNATURE,
			},
			true,
		),
		(
			Capacity::answer_audit {
				peer,
				answer,
				signature: SIGNATURE,
			},
			true,
		),
		(Capacity::settle { peer }, true),
		(Capacity::withdraw { peer }, true),
		(
			Capacity::grow {
				peer,
				more_units: 1,
				invited: Default::default(),
			},
			false,
		),
		(
			Capacity::extend {
				peer,
				duration_epochs: 1,
				offer: offer(),
			},
			false,
		),
		(
			Capacity::claim {
				who: AccountId::new([1; 32]),
			},
			true,
		),
		(Capacity::apply_slash { peer, slash: 0 }, true),
		(Capacity::cancel_slash { peer, slash: 0 }, true),
	];
	calls
		.into_iter()
		.map(|(call, passes)| (RuntimeCall::Capacity(call), passes))
		.collect()
}

/// Every call of the receipts pallet, and whether it must pass while others are paused: all that makes
/// a case, answers it or ends it.
fn receipts_calls() -> Vec<(RuntimeCall, bool)> {
	let (peer, epoch, seq, wanted) = (PEER, 1, 2, Wanted::Request);
	let case = CaseId {
		peer,
		epoch,
		charge: Charge::Omitted,
		subject: H256::zero(),
	};
	let shown = Shown {
		report: Report::empty(1),
		path: Default::default(),
	};
	let calls: [(Receipts<Runtime>, bool); 9] = [
		(
			Receipts::commit {
				commitment: H256::zero(),
			},
			true,
		),
		(
			Receipts::reveal {
				case,
				salt: H256::zero(),
				evidence: None,
			},
			true,
		),
		(
			Receipts::conclude {
				peer,
				epoch,
				kind: OffenceKind::Fraud,
			},
			true,
		),
		(
			Receipts::forget_commit {
				who: AccountId::new([1; 32]),
				commitment: H256::zero(),
			},
			true,
		),
		(
			Receipts::show {
				peer,
				case,
				shown,
				signature: SIGNATURE,
			},
			true,
		),
		(
			Receipts::close_show {
				peer,
				subject: H256::zero(),
			},
			true,
		),
		(
			Receipts::demand {
				peer,
				epoch,
				seq,
				wanted,
			},
			true,
		),
		(
			Receipts::post {
				peer,
				epoch,
				seq,
				wanted,
				data: Default::default(),
				signature: SIGNATURE,
			},
			true,
		),
		(
			Receipts::expire_demand {
				peer,
				epoch,
				seq,
				wanted,
			},
			true,
		),
	];
	calls
		.into_iter()
		.map(|(call, passes)| (RuntimeCall::Receipts(call), passes))
		.collect()
}

fn name_of(call: &RuntimeCall) -> RuntimeCallNameOf<Runtime> {
	let metadata = call.get_call_metadata();
	let bounded = |name: &str| BoundedVec::truncate_from(name.as_bytes().to_vec());
	(
		bounded(metadata.pallet_name),
		bounded(metadata.function_name),
	)
}

#[test]
fn duties_and_ways_out_of_capacity_pass_whatever_is_paused() {
	let calls = capacity_calls();
	assert_eq!(
		calls.len(),
		Capacity::<Runtime>::get_call_names().len(),
		"a call is missing here"
	);
	for (call, passes) in calls {
		let name = call.get_call_metadata().function_name;
		assert_eq!(
			AlwaysAllowed::contains(&call),
			passes,
			"{name} in safe mode"
		);
		assert_eq!(NeverPaused::contains(&name_of(&call)), passes, "{name}");
	}
}

#[test]
fn challenges_are_made_and_answered_whatever_is_paused() {
	let calls = receipts_calls();
	assert_eq!(
		calls.len(),
		Receipts::<Runtime>::get_call_names().len(),
		"a call is missing here"
	);
	for (call, passes) in calls {
		let name = call.get_call_metadata().function_name;
		assert_eq!(
			AlwaysAllowed::contains(&call),
			passes,
			"{name} in safe mode"
		);
		assert_eq!(NeverPaused::contains(&name_of(&call)), passes, "{name}");
		// Bonds are not for whoever runs the machines to risk.
		assert!(!ProxyType::Operator.filter(&call), "{name}");
	}
}

#[test]
fn a_candidate_can_always_leave_and_a_seat_keeps_its_keys() {
	use pallet_validators::Call as Validators;
	let calls: [(Validators<Runtime>, bool); 3] = [
		(Validators::validate {}, false),
		(Validators::chill {}, true),
		(Validators::purge_keys {}, true),
	];
	assert_eq!(calls.len(), Validators::<Runtime>::get_call_names().len());
	for (call, passes) in calls {
		let call = RuntimeCall::Validators(call);
		let name = call.get_call_metadata().function_name;
		assert_eq!(AlwaysAllowed::contains(&call), passes, "{name}");
		assert_eq!(NeverPaused::contains(&name_of(&call)), passes, "{name}");
		assert!(KeysStay::contains(&call), "{name}");
		assert!(!ProxyType::Operator.filter(&call), "{name}");
	}
	let purge = pallet_session::Call::purge_keys {};
	assert!(!KeysStay::contains(&RuntimeCall::Session(purge)));
}

#[test]
fn an_operator_runs_machines_and_moves_neither_stake_nor_keys() {
	let peer = PEER;
	let operator = |call: RuntimeCall| ProxyType::Operator.filter(&call);
	let post_offer = |max_worker_bond| {
		operator(RuntimeCall::Market(Market::post_offer {
			peer,
			terms: OfferTerms {
				class: millrace_primitives::CPU_V1,
				region: Default::default(),
				ask: 1,
				capabilities: Default::default(),
				max_worker_bond,
			},
		}))
	};
	assert!(operator(RuntimeCall::Providers(Providers::set_endpoint {
		peer,
		endpoint: Default::default(),
	})));
	assert!(operator(RuntimeCall::Market(Market::withdraw_offer {
		peer
	})));
	assert!(post_offer(0));
	assert!(!post_offer(1));

	for (call, _) in capacity_calls() {
		let settles = matches!(call, RuntimeCall::Capacity(Capacity::settle { .. }));
		let name = call.get_call_metadata().function_name;
		assert_eq!(operator(call), settles, "{name}");
	}
	let kept_from = [
		Providers::register_provider {
			name: Default::default(),
		},
		Providers::remove_provider {},
		Providers::register_peer {
			key: [0; 32],
			proof: SIGNATURE,
			endpoint: Default::default(),
		},
		Providers::rotate_key {
			peer,
			new_key: [0; 32],
			proof: SIGNATURE,
		},
		Providers::remove_peer { peer },
	];
	for call in kept_from {
		assert!(!operator(RuntimeCall::Providers(call)));
	}
}

/// Calls of ours that wait while all is stopped: new bonds, and what changes a deal to somebody's liking.
/// All others pass.
const WAITING: [(&str, &[&str]); 7] = [
	("Providers", &["register_provider", "register_peer"]),
	("Capacity", &["create", "stake", "grow", "extend"]),
	(
		"Market",
		&[
			"post_offer",
			"update_offer",
			"create_deal",
			"match_deal",
			"resize",
			"name_heir",
			"take_deal",
			"update_package",
			"set_access",
		],
	),
	("Receipts", &[]),
	("Validators", &["validate"]),
	("Anchor", &["withdraw", "send", "set_anchor", "set_inbox"]),
	("DeveloperRewards", &["start"]),
];

fn is_never_paused(pallet: &str, call: &str) -> bool {
	let bounded = |name: &str| BoundedVec::truncate_from(name.as_bytes().to_vec());
	NeverPaused::contains(&(bounded(pallet), bounded(call)))
}

#[test]
fn each_call_of_ours_either_waits_or_passes() {
	for (pallet, waiting) in WAITING {
		let calls = RuntimeCall::get_call_names(pallet);
		for call in waiting {
			assert!(calls.contains(call), "there is no {pallet}.{call}");
		}
		for call in calls {
			let passes = is_never_paused(pallet, call);
			assert_eq!(passes, !waiting.contains(call), "{pallet}.{call}");
		}
	}
}

#[test]
fn what_passes_is_there() {
	for (pallet, calls) in brakes::PASSING {
		let there = RuntimeCall::get_module_names().contains(pallet);
		assert!(there, "there is no pallet {pallet} with calls");
		let brakes::Calls::Only(calls) = calls else {
			continue;
		};
		let known = RuntimeCall::get_call_names(pallet);
		for call in *calls {
			assert!(known.contains(call), "there is no {pallet}.{call}");
		}
	}
}

#[test]
fn money_changes_hands_only_out_of_what_stands() {
	for (pallet, call) in [
		("Balances", "transfer_keep_alive"),
		("Balances", "transfer_allow_death"),
		("Treasury", "payout"),
		("Proxy", "add_proxy"),
	] {
		let known = RuntimeCall::get_call_names(pallet);
		assert!(known.contains(&call), "there is no {pallet}.{call}");
		assert!(!is_never_paused(pallet, call), "{pallet}.{call}");
	}
}

#[test]
fn wrappers_pass_safe_mode_and_can_be_paused() {
	let leave = RuntimeCall::Capacity(Capacity::withdraw { peer: PEER });
	let owner = AccountId::new([1; 32]);
	let wrappers = [
		RuntimeCall::Utility(pallet_utility::Call::batch_all {
			calls: vec![leave.clone()],
		}),
		RuntimeCall::Proxy(pallet_proxy::Call::proxy {
			real: owner.clone().into(),
			force_proxy_type: None,
			call: Box::new(leave.clone()),
		}),
		RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![owner],
			call: Box::new(leave),
		}),
	];
	for call in wrappers {
		let name = call.get_call_metadata().function_name;
		assert!(AlwaysAllowed::contains(&call), "{name} in safe mode");
		assert!(!NeverPaused::contains(&name_of(&call)), "{name}");
	}
}
