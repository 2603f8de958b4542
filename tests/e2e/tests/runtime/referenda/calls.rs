//! Calls of governance: the client builds them as the runtime reads them.

use crate::samples::{client_account, peer, runtime_account};
use codec::{Decode, Encode};
use frame_support::traits::{schedule::DispatchTime, Bounded};
use frame_system::RawOrigin;
use millrace_client::calls::{
	governance::{self as gov, Proposal},
	Call,
};
use millrace_primitives::{
	hash::blake2_256,
	referenda::{Ballot, Enactment},
	H256,
};
use millrace_runtime::{
	configs::governance::origins::Origin, Governed, OriginCaller, Runtime, RuntimeCall,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::BoundedCallOf;
use sp_runtime::MultiAddress;

/// Every call of governance that the client builds, with the same call as the runtime knows it.
pub(crate) fn pairs() -> Vec<(Call, RuntimeCall)> {
	let to = || MultiAddress::Id(runtime_account());
	let mut pairs = votes();
	type Referenda = pallet_referenda::Call<Runtime>;
	type Preimage = pallet_preimage::Call<Runtime>;
	type System = frame_system::Call<Runtime>;
	type Set = pallet_governed::Call<Runtime>;
	type Treasury = pallet_treasury::Call<Runtime>;
	type Capacity = pallet_capacity::Call<Runtime>;
	type TxPause = pallet_tx_pause::Call<Runtime>;
	type SafeMode = pallet_safe_mode::Call<Runtime>;
	type Voting = pallet_conviction_voting::Call<Runtime>;
	let long = vec![7; 129];
	let proposals: [(Vec<u8>, BoundedCallOf<Runtime, ()>); 2] = [
		(
			vec![7; 128],
			Bounded::Inline(vec![7; 128].try_into().expect("it fits")),
		),
		(
			long.clone(),
			Bounded::Lookup {
				hash: blake2_256(&long),
				len: 129,
			},
		),
	];
	for (call, proposal) in proposals {
		let origins = [
			(OriginCaller::system(RawOrigin::Root), Enactment::At(9)),
			(
				OriginCaller::GovernanceOrigins(Origin::Market),
				Enactment::After(9),
			),
		];
		for (origin, enactment) in origins {
			let built = gov::submit(&origin.encode(), &Proposal::of(&call), enactment);
			let submit = Referenda::submit {
				proposal_origin: Box::new(origin),
				proposal: proposal.clone(),
				enactment_moment: match enactment {
					Enactment::At(block) => DispatchTime::At(block),
					Enactment::After(blocks) => DispatchTime::After(blocks),
				},
			};
			pairs.push((built, submit.into()));
		}
	}
	let infos = sp_io::TestExternalities::new_empty().execute_with(Governed::parameters);
	let info = infos.first().expect("there are parameters");
	let argument = info.parameter(info.most).expect("its kind can hold it");
	let parameter = Decode::decode(&mut &argument[..]).expect("it is a parameter");
	let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
	let others: Vec<(Call, RuntimeCall)> = vec![
		(
			gov::place_decision_deposit(5),
			Referenda::place_decision_deposit { index: 5 }.into(),
		),
		(
			gov::refund_decision_deposit(5),
			Referenda::refund_decision_deposit { index: 5 }.into(),
		),
		(
			gov::refund_submission_deposit(5),
			Referenda::refund_submission_deposit { index: 5 }.into(),
		),
		(
			gov::cancel_referendum(5),
			Referenda::cancel { index: 5 }.into(),
		),
		(
			gov::note_preimage(&[1; 300]),
			Preimage::note_preimage {
				bytes: vec![1; 300],
			}
			.into(),
		),
		(
			gov::unnote_preimage(H256::repeat_byte(2)),
			Preimage::unnote_preimage {
				hash: H256::repeat_byte(2),
			}
			.into(),
		),
		(gov::set_parameter(&argument), Set::set { parameter }.into()),
		(
			gov::set_code(&[3; 70_000]),
			System::set_code {
				code: vec![3; 70_000],
			}
			.into(),
		),
		(
			gov::spend(&client_account(), u128::MAX),
			Treasury::spend {
				asset_kind: Box::new(()),
				amount: u128::MAX,
				beneficiary: Box::new(runtime_account()),
				valid_from: None,
			}
			.into(),
		),
		(gov::payout(6), Treasury::payout { index: 6 }.into()),
		(
			gov::cancel_slash(peer(), 1 << 40),
			Capacity::cancel_slash {
				peer: peer(),
				slash: 1 << 40,
			}
			.into(),
		),
		(
			gov::pause("Market", "create_deal"),
			TxPause::pause {
				full_name: (name("Market"), name("create_deal")),
			}
			.into(),
		),
		(
			gov::resume("Market", "create_deal"),
			TxPause::unpause {
				ident: (name("Market"), name("create_deal")),
			}
			.into(),
		),
		(gov::enter_safe_mode(), SafeMode::force_enter {}.into()),
		(gov::extend_safe_mode(), SafeMode::force_extend {}.into()),
		(gov::exit_safe_mode(), SafeMode::force_exit {}.into()),
		(
			gov::unlock(2, &client_account()),
			Voting::unlock {
				class: 2,
				target: to(),
			}
			.into(),
		),
		(
			gov::delegate(2, &client_account(), 6, 7),
			Voting::delegate {
				class: 2,
				to: to(),
				conviction: Conviction::Locked6x,
				balance: 7,
			}
			.into(),
		),
	];
	pairs.extend(others);
	pairs
}

/// Those of votes.
fn votes() -> Vec<(Call, RuntimeCall)> {
	type Voting = pallet_conviction_voting::Call<Runtime>;
	let sides = [
		(true, 0, Conviction::None),
		(false, 3, Conviction::Locked3x),
		(true, 6, Conviction::Locked6x),
	];
	let mut pairs: Vec<(Call, RuntimeCall)> = Vec::new();
	for (aye, level, conviction) in sides {
		let ballot = Ballot::Side {
			aye,
			conviction: level,
			balance: 1 << 100,
		};
		let vote = AccountVote::Standard {
			vote: Vote { aye, conviction },
			balance: 1 << 100,
		};
		let poll_index = 70_000;
		let call = Voting::vote { poll_index, vote };
		pairs.push((gov::vote(poll_index, &ballot), call.into()));
	}
	let ballot = Ballot::Split {
		aye: 1,
		nay: 2,
		abstain: 3,
	};
	let vote = AccountVote::SplitAbstain {
		aye: 1,
		nay: 2,
		abstain: 3,
	};
	pairs.push((
		gov::vote(4, &ballot),
		Voting::vote {
			poll_index: 4,
			vote,
		}
		.into(),
	));
	pairs.push((
		gov::remove_vote(2, 4),
		Voting::remove_vote {
			class: Some(2),
			index: 4,
		}
		.into(),
	));
	pairs.push((gov::undelegate(2), Voting::undelegate { class: 2 }.into()));
	pairs
}
