//! What is pointed to, and what is not.

use super::*;
use millrace_primitives::{
	commitment::{ChangeView, CommitmentTerms, StakerTerms},
	epoch::{EpochInfo, EpochLengths},
	H256,
};
use sp_arithmetic::Perbill;

/// The present epoch of these tests.
const NOW: EpochIndex = 300;
/// First epoch that the commitment does not owe.
const END: EpochIndex = 1_000;

const LENGTHS: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

fn at(position: u32) -> EpochStatus {
	EpochStatus {
		info: EpochInfo {
			index: NOW,
			start: 1,
			start_ms: 1,
			slot_ms: 1,
			lengths: LENGTHS,
		},
		position,
		phase: LENGTHS.phase(position),
		seed: H256::zero(),
		draw: None,
	}
}

fn terms() -> CommitmentTerms {
	CommitmentTerms {
		stake_per_unit: 100,
		slash_rate: Perbill::from_percent(1),
		own_part: Perbill::one(),
		own_floor: Perbill::from_percent(10),
		commission: Perbill::zero(),
		unbonding_epochs: 504,
		challenge_epochs: 24,
		slash_delay_epochs: 24,
		vesting_epochs: 2_160,
		stake_floor: Perbill::from_percent(50),
		least_audit_slash: Perbill::from_percent(5),
	}
}

fn commitment(status: CommitmentStatus) -> CommitmentView<AccountId> {
	CommitmentView {
		peer: PeerId(H256::repeat_byte(1)),
		provider: AccountId::from([0; 32]),
		units: 1,
		stake: 100,
		slashed: 0,
		status,
		next_to_settle: NOW - 1,
		rewarded: 0,
		own: 100,
		waiting: 0,
		score_permille: 0,
		terms: terms(),
		change: None,
		withdrawable: None,
		delegators: Vec::new(),
		leaving: Vec::new(),
	}
}

fn round(kind: RoundKind) -> RoundView<AccountId> {
	RoundView {
		terms: StakerTerms {
			kind,
			units: 1,
			duration_epochs: 720,
			end: 0,
			terms: terms(),
		},
		deadline: NOW + 1,
		needed: 100,
		pledged: 40,
		reserved: 0,
		agreed: false,
		least: None,
		room: 60,
		kept: 0,
		invited: Vec::new(),
		pledges: Vec::new(),
	}
}

/// A peer with which all is well.
fn well() -> Standing {
	Standing {
		peer: PeerId(H256::repeat_byte(1)),
		endpoint: "http://mill.example:8650/".into(),
		epoch: at(0),
		commitment: Some(commitment(CommitmentStatus::Active { start: 2, end: END })),
		round: None,
		has_offer: true,
		report_due: true,
		audit: None,
		owes_evidence: false,
		awaited: Vec::new(),
		spendable: 10,
	}
}

fn codes(standing: &Standing) -> Vec<&'static str> {
	standing.steps().iter().map(|step| step.code).collect()
}

/// The only step, with the command that does it.
fn only(standing: &Standing) -> Step {
	let mut steps = standing.steps();
	assert_eq!(steps.len(), 1, "{steps:?}");
	steps.remove(0)
}

fn nothing_to_do(standing: &Standing) {
	let steps = standing.steps();
	assert!(steps.is_empty(), "{steps:?}");
}

fn with(change: impl FnOnce(&mut CommitmentView<AccountId>)) -> Standing {
	let mut standing = well();
	change(standing.commitment.as_mut().expect("it is committed"));
	standing
}

#[test]
fn who_need_do_nothing_is_told_nothing() {
	nothing_to_do(&well());
	// Its worker has time, and does these by itself.
	let busy = Standing {
		epoch: at(9),
		report_due: false,
		audit: Some(Audit {
			epoch: NOW - 1,
			status: AuditStatus::Open,
		}),
		awaited: vec![Awaited {
			deal: 7,
			deadline: NOW + 1,
			bond: 10,
		}],
		..well()
	};
	nothing_to_do(&busy);
}

#[test]
fn a_worker_that_is_late_is_pointed_to_while_there_is_time() {
	let silent = Standing {
		epoch: at(3),
		..well()
	};
	let step = only(&silent);
	assert_eq!((step.code, step.until), ("report_missing", Some(NOW)));
	assert_eq!(step.command, "curl -s http://mill.example:8650/healthz");
	let open = |epoch, position| Standing {
		epoch: at(position),
		report_due: false,
		audit: Some(Audit {
			epoch,
			status: AuditStatus::Open,
		}),
		..well()
	};
	assert_eq!(codes(&open(NOW - 1, 14)), ["audit_missing"]);
	// That of an earlier epoch was missed, and nothing helps any more.
	assert!(codes(&open(NOW - 2, 14)).is_empty());
	let asked = Standing {
		owes_evidence: true,
		..well()
	};
	assert_eq!(codes(&asked), ["evidence_owed"]);
	let behind = with(|commitment| commitment.next_to_settle = NOW - SILENT_EPOCHS);
	assert_eq!(codes(&behind), ["silent"]);
	let failing = with(|commitment| commitment.score_permille = SCORE_IS_HIGH);
	assert_eq!(codes(&failing), ["failing"]);
}

#[test]
fn bonds_of_all_deals_that_wait_must_be_there() {
	let awaited = |deal, deadline, bond| Awaited {
		deal,
		deadline,
		bond,
	};
	let short = Standing {
		awaited: vec![awaited(7, NOW + 1, 8), awaited(9, NOW + 1, 3)],
		..well()
	};
	let step = only(&short);
	assert_eq!((step.code, step.until), ("bond_missing", Some(NOW + 1)));
	assert!(step.why.contains("7, 9"), "{step:?}");
	let rich = Standing {
		spendable: 11,
		..short.clone()
	};
	nothing_to_do(&rich);
	let last = Standing {
		awaited: vec![awaited(7, NOW, 0)],
		..well()
	};
	assert_eq!(codes(&last), ["not_live"]);
}

#[test]
fn a_round_needs_its_stake_or_is_taken_back() {
	let growing = Standing {
		round: Some(round(RoundKind::Growth)),
		..well()
	};
	let step = only(&growing);
	assert_eq!((step.code, step.until), ("stake_missing", Some(NOW + 1)));
	let amount = amounts::format(60);
	assert!(
		step.command.contains(&format!("--amount \"{amount}\"")),
		"{step:?}"
	);
	let lapsed = RoundView {
		deadline: NOW - 1,
		..round(RoundKind::Start)
	};
	let lapsed = Standing {
		commitment: Some(commitment(CommitmentStatus::Pending { deadline: NOW - 1 })),
		round: Some(lapsed),
		report_due: false,
		..well()
	};
	assert_eq!(codes(&lapsed), ["round_lapsed"]);
	let full = RoundView {
		agreed: true,
		..round(RoundKind::Growth)
	};
	let full = Standing {
		round: Some(full),
		..well()
	};
	nothing_to_do(&full);
}

#[test]
fn a_commitment_is_made_offered_extended_and_withdrawn() {
	let bare = Standing {
		commitment: None,
		has_offer: false,
		report_due: false,
		..well()
	};
	assert_eq!(codes(&bare), ["no_commitment"]);
	let hidden = Standing {
		has_offer: false,
		..well()
	};
	assert_eq!(codes(&hidden), ["no_offer"]);

	let active = |end| CommitmentStatus::Active { start: 2, end };
	let near = with(|commitment| commitment.status = active(NOW + END_IS_NEAR));
	let step = only(&near);
	let last = NOW + END_IS_NEAR - 1;
	assert_eq!((step.code, step.until), ("ends_soon", Some(last)));
	let far = with(|commitment| commitment.status = active(NOW + END_IS_NEAR + 1));
	nothing_to_do(&far);
	let mut agreed = near.clone();
	agreed.commitment.as_mut().expect("it is committed").change = Some(ChangeView {
		at: NOW + END_IS_NEAR,
		units: 1,
		end: END,
	});
	nothing_to_do(&agreed);

	let ended = with(|commitment| commitment.status = active(NOW));
	let ended = |position| Standing {
		epoch: at(position),
		report_due: false,
		..ended.clone()
	};
	assert_eq!(codes(&ended(16)), ["ended"]);
	assert!(
		!codes(&ended(15)).contains(&"ended"),
		"it can still be reported"
	);

	let over = |first| {
		with(|commitment| {
			commitment.status = CommitmentStatus::Unbonding {
				until: NOW,
				failed: false,
			};
			commitment.withdrawable = Some(first);
		})
	};
	assert_eq!(codes(&over(NOW)), ["withdrawable"]);
	assert!(codes(&over(NOW + 1)).is_empty());
}

#[test]
fn who_only_stakes_is_not_told_to_become_a_provider() {
	let nothing = EarningsView {
		claimable: 0,
		vesting: 0,
		deposit: 0,
		places: 0,
		buckets: Vec::new(),
	};
	let codes = |registered, peers, earnings: &EarningsView| -> Vec<&str> {
		let steps = of_account(registered, peers, earnings);
		steps.iter().map(|step| step.code).collect()
	};
	assert_eq!(codes(false, 0, &nothing), ["not_registered"]);
	assert_eq!(codes(true, 0, &nothing), ["no_peer"]);
	assert!(codes(true, 1, &nothing).is_empty());
	let staker = EarningsView {
		claimable: 5,
		places: 1,
		..nothing
	};
	assert_eq!(codes(false, 0, &staker), ["claimable"]);
}
