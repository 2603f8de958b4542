use super::*;
use crate::commands::gov::tracks::sample;
use millrace_primitives::{
	referenda::{DepositView, Enactment},
	FLT, H256,
};

fn tally(ayes: Balance, nays: Balance, support: Balance) -> TallyView {
	let (votes, electorate) = (ayes + nays, 1_000);
	TallyView {
		ayes: ayes * FLT,
		nays: nays * FLT,
		support: support * FLT,
		electorate: electorate * FLT,
		approval: match votes {
			0 => Perbill::zero(),
			votes => Perbill::from_rational(ayes, votes),
		},
		approval_needed: Perbill::from_percent(80),
		supported: Perbill::from_rational(support, electorate),
		support_needed: Perbill::from_percent(10),
		passes_from: None,
	}
}

fn view(phase: ReferendumPhase, tally: TallyView) -> ReferendumView<AccountId> {
	let deposit = Some(DepositView {
		who: AccountId::from([7; 32]),
		amount: 100 * FLT,
	});
	let ongoing = OngoingView {
		track: 4,
		submitted: 3,
		enactment: Enactment::After(0),
		proposal: H256::repeat_byte(1),
		proposal_bytes: Some(7),
		has_preimage: true,
		call: vec![58, 0],
		tally,
	};
	ReferendumView {
		referendum: 3,
		phase,
		ongoing: phase.is_ongoing().then_some(ongoing),
		submission_deposit: deposit.clone(),
		decision_deposit: deposit,
	}
}

fn told(phase: ReferendumPhase, tally: TallyView, outcome: Option<Outcome>) -> Told {
	let view = view(phase, tally);
	Told {
		proposal: view.ongoing.as_ref().map(|_| Proposed {
			text: None,
			parameter: Some(("market.min_price".into(), "0.02 FLT".into())),
			otherwise: "a long call",
		}),
		view,
		head: 10,
		outcome,
	}
}

#[test]
fn what_is_missing_is_told_in_flt() {
	let missing = |tally: &TallyView| {
		let Missing { ayes, support } = Missing::of(tally);
		(ayes.map(|ayes| ayes / FLT), support / FLT)
	};
	// Of 100 votes, 80 must be ayes; of 1000 FLT, 100 must support.
	assert_eq!(missing(&tally(80, 20, 100)), (Some(0), 0));
	assert_eq!(missing(&tally(60, 20, 40)), (Some(20), 60));
	let all = TallyView {
		approval_needed: Perbill::one(),
		..tally(60, 20, 100)
	};
	assert_eq!(missing(&all), (None, 0));
	let nobody = Missing::of(&tally(0, 0, 0));
	assert_eq!(nobody.ayes, Some(1), "one vote at least");
}

#[test]
fn every_phase_says_what_comes_next() {
	let soon = TallyView {
		passes_from: Some(15),
		..tally(60, 20, 40)
	};
	let (since, until) = (5, 30);
	let cases = [
		(ReferendumPhase::NeedsDeposit { until }, "gov deposit 3"),
		(
			ReferendumPhase::Preparing { until },
			"begins in block 30, in 20 blocks",
		),
		(ReferendumPhase::Queued { place: 2 }, "at place 2"),
		(
			ReferendumPhase::Deciding { since, until },
			"begins in block 15, in 5 blocks",
		),
		(
			ReferendumPhase::Confirming { since, until },
			"approved in block 30",
		),
		(
			ReferendumPhase::Approved {
				at: 9,
				enacts: Some(11),
			},
			"enacted in the next block",
		),
		(ReferendumPhase::Rejected { at: 9 }, "gov refund 3"),
		(ReferendumPhase::Cancelled { at: 9 }, "gov refund 3"),
		(ReferendumPhase::TimedOut { at: 9 }, "gov refund 3"),
	];
	for (phase, expected) in cases {
		let text = next(&view(phase, soon.clone()), 10);
		assert!(text.contains(expected), "{phase:?}: {text}");
	}
	let lost = ReferendumPhase::Deciding { since, until };
	let text = next(&view(lost, tally(60, 20, 40)), 10);
	assert!(text.starts_with("rejected in block 30"), "{text}");
	let killed = ReferendumView {
		submission_deposit: None,
		decision_deposit: None,
		..view(ReferendumPhase::Killed { at: 9 }, soon)
	};
	assert_eq!(next(&killed, 10), "over");
}

#[test]
fn a_referendum_that_goes_on_is_told_whole() {
	let phase = ReferendumPhase::Deciding {
		since: 5,
		until: 30,
	};
	let told = told(phase, tally(60, 20, 40), None);
	let text = told.describe(&sample());
	for part in [
		"market.min_price = 0.02 FLT",
		"75% of 80% needed now",
		"4% of 10% needed now: 40 FLT of 1000 FLT",
		"20 FLT in favour",
		"60 FLT of support",
		"100 FLT of ",
	] {
		assert!(text.contains(part), "{part}: {text}");
	}
	let json = told.json(&sample());
	assert_eq!(json["track"], "market");
	assert_eq!(json["phase"]["deciding"]["until"], 30);
	assert_eq!(json["changes"], 30);
	assert_eq!(json["missing"]["support"], (60 * FLT).to_string());
	assert_eq!(json["proposal"]["parameter"]["value"], "0.02 FLT");
	assert!(json["enactment"].is_null());
}

#[test]
fn an_approved_call_that_failed_is_told_with_its_error() {
	let approved = |enacts| ReferendumPhase::Approved { at: 9, enacts };
	let failed = Outcome::Failed {
		block: 10,
		pallet: "Governed".into(),
		error: "AboveMost".into(),
		docs: "The value is over the most.".into(),
	};
	let over = told(approved(None), tally(1, 0, 1), Some(failed));
	let json = over.json(&sample());
	assert_eq!(json["enactment"]["state"], "failed");
	assert_eq!(json["enactment"]["error"], "Governed.AboveMost");
	assert!(json["track"].is_null());
	let text = over.describe(&sample());
	assert!(
		text.contains("Governed.AboveMost: The value is over"),
		"{text}"
	);

	let waits = told(approved(Some(12)), tally(1, 0, 1), None);
	assert_eq!(waits.json(&sample())["enactment"]["block"], 12);
	let paid = Outcome::Done {
		block: 10,
		spends: vec![4],
	};
	let paid = told(approved(None), tally(1, 0, 1), Some(paid));
	assert!(paid.describe(&sample()).contains("gov payout 4"));
}
