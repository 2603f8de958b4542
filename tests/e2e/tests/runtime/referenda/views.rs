//! Views of referenda: the client asks and reads what the runtime describes.

use crate::samples::{client_account, metadata};
use codec::Encode;
use millrace_client::AccountId;
use millrace_primitives::{
	referenda::{
		Ballot, DelegationView, DepositView, Enactment, OngoingView, ReferendumPhase,
		ReferendumView, TallyView, TrackLock, TrackView, VoteLock, VoteView, VotingRules,
		VotingView,
	},
	H256,
};
use sp_runtime::Perbill;
use subxt::ext::scale_value::scale::decode_as_type;

fn ongoing() -> OngoingView {
	OngoingView {
		track: 1,
		submitted: 2,
		enactment: Enactment::After(3),
		proposal: H256::repeat_byte(4),
		proposal_bytes: Some(5),
		has_preimage: true,
		call: vec![6, 7],
		tally: TallyView {
			ayes: 8,
			nays: 9,
			support: 10,
			electorate: 11,
			approval: Perbill::from_percent(12),
			approval_needed: Perbill::from_percent(13),
			supported: Perbill::from_percent(14),
			support_needed: Perbill::from_percent(15),
			passes_from: Some(16),
		},
	}
}

fn referendum(phase: ReferendumPhase) -> ReferendumView<AccountId> {
	ReferendumView {
		referendum: 1,
		phase,
		ongoing: Some(ongoing()),
		submission_deposit: Some(DepositView {
			who: client_account(),
			amount: 2,
		}),
		decision_deposit: None,
	}
}

/// A method of a runtime API, its arguments and its answers.
type Method = (&'static str, &'static str, Vec<u8>, Vec<Vec<u8>>);

fn methods() -> Vec<Method> {
	let until = 5;
	let phases = [
		ReferendumPhase::NeedsDeposit { until },
		ReferendumPhase::Preparing { until },
		ReferendumPhase::Queued { place: 1 },
		ReferendumPhase::Deciding { since: 4, until },
		ReferendumPhase::Confirming { since: 4, until },
		ReferendumPhase::Approved {
			at: 6,
			enacts: Some(7),
		},
		ReferendumPhase::Rejected { at: 6 },
		ReferendumPhase::Cancelled { at: 6 },
		ReferendumPhase::TimedOut { at: 6 },
		ReferendumPhase::Killed { at: 6 },
	];
	let one: Vec<_> = phases
		.iter()
		.map(|phase| Some(referendum(*phase)).encode())
		.chain([vec![0]])
		.collect();
	let page: Vec<_> = phases.into_iter().map(referendum).collect();
	let track = TrackView {
		id: 1,
		name: "root".into(),
		origin: vec![0, 0],
		decision_deposit: 2,
		max_deciding: 3,
		deciding: 4,
		prepare_blocks: 5,
		decision_blocks: 6,
		confirm_blocks: 7,
		enactment_blocks: 8,
	};
	let rules = VotingRules {
		referenda: 1,
		submission_deposit: 2,
		undecided_blocks: 3,
		lock_blocks: 4,
		tracks: vec![track],
	};
	let vote = |lock| VoteView {
		referendum: 1,
		track: 2,
		ballot: Ballot::Split {
			aye: 3,
			nay: 4,
			abstain: 5,
		},
		lock,
	};
	let voting = VotingView {
		votes: [VoteLock::Ongoing, VoteLock::Until(6), VoteLock::Free]
			.map(vote)
			.to_vec(),
		delegations: vec![DelegationView {
			track: 1,
			to: client_account(),
			conviction: 2,
			balance: 3,
		}],
		locks: vec![TrackLock {
			track: 1,
			locked: 2,
			needed: 3,
			past: 4,
			past_until: 5,
		}],
	};
	vec![
		("ReferendaApi", "rules", vec![], vec![rules.encode()]),
		("ReferendaApi", "referendum", 1u32.encode(), one),
		(
			"ReferendaApi",
			"referenda",
			(1u32, 2u32).encode(),
			vec![page.encode()],
		),
		(
			"ReferendaApi",
			"voting",
			client_account().encode(),
			vec![voting.encode()],
		),
		(
			"ReferendaApi",
			"has_preimage",
			H256::repeat_byte(1).encode(),
			vec![true.encode()],
		),
	]
}

#[test]
fn what_the_client_asks_and_reads_is_what_the_runtime_describes() {
	for version in [15, 16] {
		let metadata = metadata(version);
		for (api, name, arguments, answers) in methods() {
			let method = metadata
				.runtime_api_trait_by_name(api)
				.and_then(|api| api.method_by_name(name))
				.unwrap_or_else(|| panic!("the runtime has no {api}_{name}"));
			let decodes = |ty: u32, bytes: &mut &[u8]| {
				decode_as_type(bytes, ty, metadata.types())
					.map(drop)
					.unwrap_or_else(|error| panic!("{api}_{name}: {error}"));
			};
			let mut rest = &arguments[..];
			for input in method.inputs() {
				decodes(input.id, &mut rest);
			}
			assert!(rest.is_empty(), "{api}_{name} takes fewer arguments");
			for answer in answers {
				let mut rest = &answer[..];
				decodes(method.output_ty(), &mut rest);
				assert!(rest.is_empty(), "{api}_{name} answers with less");
			}
		}
	}
}
