//! Bad input to audits. What is wrong on its face is refused with its own error and without a write;
//! what takes a hash to find out is judged once.

use crate::errors::{
	refuses,
	scene::{
		answer, answer_call, answered, commit, done, duty, genesis_hash, go_to, hand_in, is_drawn,
		make, on_dev_chain, peer, pooled, refusal_of, report, state, ALICE,
	},
};
use codec::{DecodeAll, Encode};
use millrace_primitives::{
	audit::{AuditAnswer, AuditStatus, SolutionOpening, RECEIPTS_PER_AUDIT, SOLUTIONS_PER_AUDIT},
	capacity::{meets, Puzzle, WorkRates},
	challenge::Wanted,
	commitment::MAX_DELEGATORS,
	execution::MAX_PACKAGE_BYTES,
	merkle::MAX_PATH,
	peer::{PeerId, MAX_ENDPOINT},
	report::{Report, MAX_DEALS_PER_PEER},
	traits::{EpochClock, RandomX},
	DealId, Gas, H256,
};
use millrace_runtime::{Capacity, Epochs, Runtime, RuntimeCall, RuntimeEvent, System};
use pallet_capacity::{
	refusal, AuditFailure, CapacityParams, Config, Event, Params, WeightInfo as _,
};
use pallet_providers::MAX_NAME;
use sp_crypto_hashing::twox_128;

/// Nonces that solve all that one idle unit of the first machine owes in the present epoch, and
/// nothing of what the second one owes: by the real RandomX.
fn mined() -> Vec<u64> {
	let epoch = <Epochs as EpochClock>::current().index;
	let row = Capacity::row(epoch).expect("the epoch has begun");
	let seed = <Epochs as EpochClock>::seed(epoch).expect("the epoch has begun");
	let solves = |n: u16, k: u32, nonce: u64| {
		let puzzle = Puzzle {
			genesis: genesis_hash(),
			peer: peer(n),
			unit: 0,
			k,
		};
		let hash = <Runtime as Config>::RandomX::hash(seed, puzzle.input(nonce));
		meets(&hash.expect("a block is always answered"), row.target)
	};
	(0..row.rates.idle)
		.map(|k| {
			(0..)
				.find(|nonce| solves(1, k, *nonce) && !solves(2, k, *nonce))
				.expect("there are many")
		})
		.collect()
}

/// A good answer with something wrong in it.
fn spoilt(good: &AuditAnswer, spoil: impl FnOnce(&mut AuditAnswer)) -> AuditAnswer {
	let mut answer = good.clone();
	spoil(&mut answer);
	answer
}

/// The pool lets an answer of the first machine pass, which refuses nothing but what costs nothing to
/// see; the call is refused with an error and changes nothing.
macro_rules! refuses_answer {
	($error:ident, $answer:expr) => {
		let answer = $answer;
		let pooled = pooled(&answered(1, &answer));
		assert!(pooled.is_ok(), "{pooled:?}");
		refuses!(Capacity::$error, duty(), answer_call(1, &answer));
		assert!(is_drawn(1), "the audit stays open");
	};
}

#[test]
fn forged_openings_change_nothing_and_the_true_ones_pass() {
	on_dev_chain(|| {
		for n in 1..=3 {
			commit(ALICE, n, 1, 20);
		}
		go_to(1, 0);
		let nonces = mined();
		let others = [5, 6, 7, 8];
		go_to(2, 0);
		let reported = report(1, 0, &nonces, &[]);
		let of_other = report(1, 0, &others, &[]);
		hand_in(1, &reported);
		// The second machine puts the first one's work under a root of its own.
		hand_in(2, &reported);
		hand_in(3, &of_other);
		go_to(2, 8);

		let good = answer(1, &reported, &nonces);
		let foreign = answer(3, &of_other, &others);
		// A forged path, and a forged leaf.
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| answer.solutions[0].path[0].0[0] ^= 1)
		);
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| answer.solutions[2].path[1] = H256::zero())
		);
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| answer.solutions[1].nonce ^= 1)
		);
		// A second preimage: an inner node in the place of a leaf has a shorter path, and if it is
		// made as long as it must be, it leads elsewhere.
		refuses_answer!(
			SolutionPathLength,
			spoilt(&good, |answer| as_inner_node(&mut answer.solutions[0]))
		);
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| {
				as_inner_node(&mut answer.solutions[0]);
				longer(&mut answer.solutions[0]);
			})
		);
		// Truncated and over-long paths.
		refuses_answer!(
			SolutionPathLength,
			spoilt(&good, |answer| {
				answer.solutions[2].path.pop();
			})
		);
		refuses_answer!(
			SolutionPathLength,
			spoilt(&good, |answer| longer(&mut answer.solutions[1]))
		);
		refuses_answer!(
			SolutionPathLength,
			spoilt(&good, |answer| answer.solutions[0].path =
				Default::default())
		);
		// Good openings at a wrong index: in another order, and one for all.
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| answer.solutions.as_mut().swap(0, 1))
		);
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| {
				answer.solutions[1] = answer.solutions[0].clone();
			})
		);
		// Another peer's openings, and its whole answer.
		refuses_answer!(
			SolutionPath,
			spoilt(&good, |answer| answer.solutions = foreign.solutions.clone())
		);
		refuses_answer!(OtherReport, foreign.clone());
		// Too few of them.
		refuses_answer!(
			SolutionCount,
			spoilt(&good, |answer| {
				answer.solutions.pop();
			})
		);
		refuses_answer!(
			SolutionCount,
			spoilt(&good, |answer| answer.solutions = Default::default())
		);

		done(duty(), answer_call(1, &good));
		let audit = Capacity::audit_of(peer(1)).expect("it was drawn");
		assert_eq!(audit.status, AuditStatus::Passed);

		anothers_work_is_judged_once(&answer(2, &reported, &nonces));
	});
}

/// Makes of an opening one of the node above its leaf.
fn as_inner_node(opening: &mut SolutionOpening) {
	let mut path = opening.path.to_vec();
	let sibling = path.remove(0);
	let first = sibling.0.first_chunk().expect("a hash has 32 bytes");
	opening.nonce = u64::from_le_bytes(*first);
	opening.path = path.try_into().expect("it is shorter");
}

fn longer(opening: &mut SolutionOpening) {
	let pushed = opening.path.try_push(H256::zero());
	pushed.expect("the path is far from its bound");
}

/// Whatever can be seen holds: only the hash tells whose work it is. The verdict is all that is
/// written, and the hash that brought it all that is paid.
fn anothers_work_is_judged_once(answer: &AuditAnswer) {
	let epoch = answer.report.epoch;
	let before = state();
	let post = make(duty(), answer_call(2, answer)).expect("it is a verdict, not an error");
	let after = state();

	type Weights = <Runtime as Config>::WeightInfo;
	let paid = Weights::answer_checks().saturating_add(Weights::randomx_hash());
	assert_eq!(post.actual_weight, Some(paid));
	let audits = [twox_128(b"Capacity"), twox_128(b"Audits")].concat();
	let differ: Vec<_> = after
		.iter()
		.filter(|(key, value)| before.get(*key) != Some(*value))
		.map(|(key, _)| key)
		.collect();
	assert_eq!(before.len(), after.len());
	assert_eq!(differ.len(), 1);
	assert!(differ[0].starts_with(&audits), "{differ:?}");
	let audit = Capacity::audit_of(peer(2)).expect("it was drawn");
	assert_eq!((audit.epoch, audit.status), (epoch, AuditStatus::Failed));
	let failed = RuntimeEvent::Capacity(Event::AuditFailed {
		peer: peer(2),
		epoch,
		reason: AuditFailure::SolutionWork,
	});
	assert!(System::events().iter().any(|row| row.event == failed));
	assert_eq!(refusal_of(&answered(2, answer)), refusal::ALREADY_SENT);
}

#[test]
fn another_epochs_openings_change_nothing() {
	on_dev_chain(|| {
		let (old, new) = ([1, 2, 3, 4], [5, 6, 7, 8]);
		commit(ALICE, 1, 1, 20);
		go_to(2, 0);
		let first = report(1, 0, &old, &[]);
		hand_in(1, &first);
		go_to(2, 8);
		let before = answer(1, &first, &old);
		go_to(3, 0);
		let second = report(1, 0, &new, &[]);
		hand_in(1, &second);
		go_to(3, 8);

		// The whole of it does not even enter a block.
		let code = refusal_of(&answered(1, &before));
		assert_eq!(code, refusal::WRONG_EPOCH);
		// The old report under the new epoch's name, and old openings under the new report.
		let renamed = spoilt(&before, |answer| answer.report.epoch = second.epoch);
		refuses_answer!(OtherReport, renamed);
		refuses_answer!(SolutionPath, answer(1, &second, &old));
		let mixed = spoilt(&answer(1, &second, &new), |answer| {
			answer.solutions = before.solutions.clone();
		});
		refuses_answer!(SolutionPath, mixed);
	});
}

#[test]
fn more_openings_than_drawn_change_nothing() {
	on_dev_chain(|| {
		// A unit owes one solution: there is nothing else to draw.
		let params = CapacityParams {
			rates: WorkRates { idle: 1, busy: 1 },
			..Params::<Runtime>::get()
		};
		Capacity::apply_params(params).expect("they fit each other");
		commit(ALICE, 1, 1, 20);
		go_to(2, 0);
		let report = report(1, 0, &[7], &[]);
		hand_in(1, &report);
		go_to(2, 8);
		let good = answer(1, &report, &[7]);
		assert_eq!(good.solutions.len(), 1);
		for more in 1..SOLUTIONS_PER_AUDIT {
			refuses_answer!(
				SolutionCount,
				spoilt(&good, |answer| {
					for _ in 0..more {
						let again = answer.solutions[0].clone();
						answer.solutions.try_push(again).expect("three fit");
					}
				})
			);
		}
		refuses_answer!(
			SolutionPathLength,
			spoilt(&good, |answer| longer(&mut answer.solutions[0]))
		);
	});
}

/// Pallet and call, as a transaction names them.
fn indices(call: impl Into<RuntimeCall>) -> [u8; 2] {
	let bytes = call.into().encode();
	[bytes[0], bytes[1]]
}

fn decodes(call: [u8; 2], arguments: impl Encode) -> bool {
	let bytes = (call, arguments).encode();
	RuntimeCall::decode_all(&mut &bytes[..]).is_ok()
}

type Served = (DealId, u32, Gas);
type Opening<Leaf> = (Leaf, Vec<H256>);

/// A report with so many deals, as it is encoded.
fn long_report(deals: u32) -> impl Encode {
	let Report {
		epoch,
		proven_idle,
		proven_busy,
		proofs_root,
		receipts_root,
		receipts,
		..
	} = Report::empty(1);
	let served: Vec<Served> = (0..deals).map(|deal| (deal.into(), 0, 0)).collect();
	let numbers = (epoch, proven_idle, proven_busy);
	(numbers, proofs_root, receipts_root, receipts, served)
}

#[test]
fn over_long_vectors_do_not_decode() {
	let peer = PeerId::default();
	let empty = AuditAnswer {
		report: Report::empty(1),
		solutions: Default::default(),
		receipts: Default::default(),
	};
	let call = indices(pallet_capacity::Call::<Runtime>::answer_audit {
		peer,
		answer: empty,
		signature: [0; 64],
	});
	let answer_decodes = |deals: u32, solutions: u32, receipts: u32, path: u32| {
		let path = || vec![H256::zero(); path as usize];
		let solutions: Vec<Opening<u64>> = (0..solutions).map(|_| (0, path())).collect();
		let receipt = crate::samples::receipt();
		let receipts: Vec<Opening<_>> = (0..receipts).map(|_| (receipt.clone(), path())).collect();
		let openings = (solutions, receipts);
		decodes(call, (peer, long_report(deals), openings, [0u8; 64]))
	};
	let most = (
		MAX_DEALS_PER_PEER,
		SOLUTIONS_PER_AUDIT,
		RECEIPTS_PER_AUDIT,
		MAX_PATH,
	);
	assert!(answer_decodes(most.0, most.1, most.2, most.3));
	assert!(!answer_decodes(most.0 + 1, most.1, most.2, most.3));
	assert!(!answer_decodes(most.0, most.1 + 1, most.2, most.3));
	assert!(!answer_decodes(most.0, most.1, most.2 + 1, most.3));
	assert!(!answer_decodes(most.0, most.1, most.2, most.3 + 1));

	let call = indices(pallet_capacity::Call::<Runtime>::report {
		peer,
		report: Report::empty(1),
		signature: [0; 64],
	});
	let report_decodes = |deals| decodes(call, (peer, long_report(deals), [0u8; 64]));
	assert!(report_decodes(MAX_DEALS_PER_PEER));
	assert!(!report_decodes(MAX_DEALS_PER_PEER + 1));

	let call = indices(pallet_capacity::Call::<Runtime>::grow {
		peer,
		more_units: 1,
		invited: Default::default(),
	});
	let grow_decodes =
		|invited: u32| decodes(call, (peer, 1u32, vec![[0u8; 32]; invited as usize]));
	assert!(grow_decodes(MAX_DELEGATORS));
	assert!(!grow_decodes(MAX_DELEGATORS + 1));

	let call = indices(pallet_providers::Call::<Runtime>::register_provider {
		name: Default::default(),
	});
	let name_decodes = |bytes: u32| decodes(call, vec![0u8; bytes as usize]);
	assert!(name_decodes(MAX_NAME));
	assert!(!name_decodes(MAX_NAME + 1));

	let call = indices(pallet_providers::Call::<Runtime>::set_endpoint {
		peer,
		endpoint: Default::default(),
	});
	let endpoint_decodes = |bytes: u32| decodes(call, (peer, vec![0u8; bytes as usize]));
	assert!(endpoint_decodes(MAX_ENDPOINT));
	assert!(!endpoint_decodes(MAX_ENDPOINT + 1));

	let (epoch, seq, wanted) = (1, 2, Wanted::Package);
	let call = indices(pallet_receipts::Call::<Runtime>::post {
		peer,
		epoch,
		seq,
		wanted,
		data: Default::default(),
		signature: [0; 64],
	});
	let post_decodes = |bytes: u32| {
		let data = vec![0u8; bytes as usize];
		decodes(call, (peer, epoch, seq, wanted, data, [0u8; 64]))
	};
	assert!(post_decodes(MAX_PACKAGE_BYTES));
	assert!(!post_decodes(MAX_PACKAGE_BYTES + 1));
}
