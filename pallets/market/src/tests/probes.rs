//! Probes: who may ask what of whom, what it costs, and what is an answer.

use crate::{mock::*, refusal, *};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResultWithPostInfo,
	pallet_prelude::{Authorize, InvalidTransaction, TransactionSource, TransactionValidityError},
};
use millrace_primitives::{
	access::{token_hash, Access},
	execution::{response_hash, CallStatus, Receipt, SignedReceipt},
	market::{CallLimits, DealSpec},
	peer::PeerId,
	probe::{probe_request, Moment, ProbeBody, MAX_PROBE_BYTES},
	Balance, DealId, H256,
};

fn ask(who: u64, deal: DealId, peer: PeerId, bytes: usize) -> DispatchResultWithPostInfo {
	let body = ProbeBody::truncate_from(vec![b'x'; bytes]);
	Market::probe(RuntimeOrigin::signed(who), deal, peer, body)
}

/// A live worker in the first epoch that it is paid for.
fn serving(order: DealSpec<u64>) -> (DealId, PeerId) {
	let peer = offer(1, PROVIDER, 4, 10);
	let deal = create(order, 90);
	run_matcher();
	go_live(peer, deal);
	at(6, 3);
	(deal, peer)
}

fn refused(deal: DealId, peer: PeerId, receipt: SignedReceipt) -> Option<u8> {
	let call = Call::<Test>::answer_probe {
		peer,
		deal,
		receipt,
	};
	let answer = RuntimeCall::Market(call).authorize(TransactionSource::External);
	match answer.expect("it is a duty") {
		Ok((validity, _)) => {
			assert_eq!(validity.priority, u64::MAX);
			assert!(validity.longevity > 0 && validity.longevity <= u64::from(PROBE_BLOCKS));
			None
		}
		Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => Some(code),
		Err(error) => panic!("{error:?}"),
	}
}

fn answer(peer: PeerId, deal: DealId, receipt: SignedReceipt) {
	assert_eq!(refused(deal, peer, receipt.clone()), None);
	let origin = frame_system::RawOrigin::Authorized.into();
	assert_ok!(Market::answer_probe(origin, peer, deal, receipt));
}

#[test]
fn a_probe_asks_a_call_and_holds_a_bond() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		let done = ask(STRANGER, deal, peer, 3).expect("it can be asked");
		assert_eq!(done.actual_weight, Some(<() as WeightInfo>::probe(1)));
		assert_eq!(held(HoldReason::Probe, STRANGER), PROBE_BOND);
		let deadline = Moment {
			epoch: 6,
			position: 9,
		};
		System::assert_last_event(
			Event::<Test>::ProbeMade {
				deal,
				peer,
				prober: STRANGER,
				bond: PROBE_BOND,
				deadline,
			}
			.into(),
		);
		let assignments = Market::assignments(peer);
		let seen = assignments[0].probe.clone().expect("the worker sees it");
		assert_eq!((&seen.body[..], seen.deadline), (&b"xxx"[..], deadline));
		assert_eq!(seen.at, System::block_number());
		let row = Probes::<Test>::get(deal, peer).expect("it is open");
		assert_eq!(row.request, probe_request(b"xxx").hash());
	});
}

#[test]
fn only_who_is_paid_for_the_present_epoch_is_probed() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deal = create(spec(1, 10), 20);
		let asked = || ask(STRANGER, deal, peer, 0);
		assert_noop!(asked(), Error::<Test>::NotAssigned);
		assert_noop!(ask(STRANGER, deal + 1, peer, 0), Error::<Test>::UnknownDeal);
		run_matcher();
		assert_noop!(asked(), Error::<Test>::NothingToProbe);
		go_live(peer, deal);
		assert_noop!(asked(), Error::<Test>::NothingToProbe);
		// Epochs 6 and 7 are all that the escrow pays.
		at(7, 0);
		assert_ok!(asked());
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		at(8, 0);
		assert_noop!(asked(), Error::<Test>::NothingToProbe);
	});
}

#[test]
fn a_worker_with_notice_is_probed_up_to_its_last_epoch() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		drain(peer, deal);
		at(8, 0);
		let asked = || ask(STRANGER, deal, peer, 0);
		assert_noop!(asked(), Error::<Test>::NothingToProbe);
		at(7, LENGTHS.len - 1);
		assert_ok!(asked());
	});
}

#[test]
fn a_deal_that_is_not_open_is_probed_by_its_owner_alone() {
	build_and_execute(|| {
		let order = DealSpec {
			access: Access::Tokens(vec![token_hash(b"secret")].try_into().expect("one fits")),
			..spec(1, 10)
		};
		let (deal, peer) = serving(order);
		for other in [STRANGER, PROVIDER] {
			assert_noop!(ask(other, deal, peer, 0), Error::<Test>::NotOwner);
		}
		assert_ok!(ask(CLIENT, deal, peer, 0));
	});
}

#[test]
fn a_probe_is_no_longer_than_a_call_of_the_deal() {
	build_and_execute(|| {
		let order = DealSpec {
			limits: CallLimits {
				request_bytes: 7,
				..spec(1, 10).limits
			},
			..spec(1, 10)
		};
		let (deal, peer) = serving(order);
		assert_noop!(ask(STRANGER, deal, peer, 8), Error::<Test>::ProbeTooLong);
		assert_ok!(ask(STRANGER, deal, peer, 7));
		// And never longer than what may lie in the state.
		let longer = vec![0; MAX_PROBE_BYTES as usize + 1];
		assert!(ProbeBody::try_from(longer).is_err());
	});
}

#[test]
fn each_asks_a_worker_once_an_epoch_and_one_after_the_other() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		probe(STRANGER, deal, peer);
		assert_noop!(ask(CLIENT, deal, peer, 0), Error::<Test>::AlreadyProbed);
		answer(peer, deal, signed_by(1, answer_of(1, deal)));
		assert_noop!(ask(STRANGER, deal, peer, 0), Error::<Test>::ProbedBefore);
		probe(CLIENT, deal, peer);
		answer(peer, deal, signed_by(1, answer_of(1, deal)));
		at(7, 0);
		probe(STRANGER, deal, peer);
	});
}

#[test]
fn a_worker_is_probed_so_often_in_an_epoch() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		let others: Vec<u64> = (100..).take(MAX_PROBES_PER_EPOCH as usize).collect();
		let record = ProbeRecord {
			epoch: 6,
			probers: others.try_into().expect("they fit"),
			failed: None,
		};
		ProbeRecords::<Test>::insert(deal, peer, record);
		assert_noop!(ask(STRANGER, deal, peer, 0), Error::<Test>::TooManyProbes);
		at(7, 0);
		assert_ok!(ask(STRANGER, deal, peer, 0));
	});
}

#[test]
fn who_cannot_bring_the_bond_asks_nothing() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		let poor = 99;
		let given = EXISTENTIAL_DEPOSIT + PROBE_BOND - 1;
		let origin = RuntimeOrigin::signed(CLIENT);
		assert_ok!(Balances::transfer_keep_alive(origin, poor, given));
		assert_noop!(ask(poor, deal, peer, 0), Error::<Test>::FundsTooLow);
	});
}

#[test]
fn an_answer_burns_half_of_the_bond_and_gives_the_provider_the_other() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		let (issued, had) = (Balances::total_issuance(), Balances::free_balance(PROVIDER));
		probe(STRANGER, deal, peer);
		let receipt = signed_by(1, answer_of(1, deal));
		answer(peer, deal, receipt.clone());
		System::assert_last_event(
			Event::<Test>::ProbeAnswered {
				deal,
				peer,
				prober: STRANGER,
				receipt: Box::new(receipt.clone()),
				paid: 20,
				burnt: 21,
			}
			.into(),
		);
		assert_eq!(Balances::total_issuance(), issued - 21);
		assert_eq!(Balances::free_balance(PROVIDER), had + 20);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS - PROBE_BOND);
		assert_eq!(held(HoldReason::Probe, STRANGER), 0);
		assert_eq!(Probes::<Test>::iter().count(), 0);
		assert_eq!(OpenProbes::<Test>::iter().count(), 0);
		assert_eq!(workers(deal), vec![peer]);
		assert_eq!(refused(deal, peer, receipt), Some(refusal::NOT_PROBED));
	});
}

#[test]
fn a_provider_that_asks_its_own_machine_loses_half() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		let had = Balances::free_balance(PROVIDER);
		probe(PROVIDER, deal, peer);
		answer(peer, deal, signed_by(1, answer_of(1, deal)));
		assert_eq!(Balances::free_balance(PROVIDER), had - 21);
		assert_eq!(held(HoldReason::Probe, PROVIDER), 0);
	});
}

#[test]
fn what_is_asked_is_answered_and_nothing_else() {
	build_and_execute(|| {
		let (deal, peer) = serving(spec(1, 10));
		probe(STRANGER, deal, peer);
		at(6, 5);
		let good = answer_of(1, deal);
		assert_eq!(refused(deal, peer, signed_by(1, good.clone())), None);
		let others: [fn(&mut Receipt); 9] = [
			|receipt| receipt.request = probe_request(b"other").hash(),
			|receipt| receipt.deal += 1,
			|receipt| receipt.peer = PeerId::default(),
			|receipt| receipt.genesis = H256::zero(),
			|receipt| receipt.seed = H256::zero(),
			|receipt| receipt.epoch = 5,
			|receipt| receipt.epoch = 7,
			// A block before the probe, and one that is not there yet.
			|receipt| receipt.block -= 3,
			|receipt| receipt.block += 1,
		];
		for (number, change) in others.into_iter().enumerate() {
			let mut receipt = good.clone();
			change(&mut receipt);
			let code = refused(deal, peer, signed_by(1, receipt));
			assert_eq!(code, Some(refusal::OTHER_RECEIPT), "{number}");
		}
		let falsehoods: [fn(&mut Receipt); 5] = [
			|receipt| receipt.package = H256::zero(),
			|receipt| receipt.profile += 1,
			|receipt| receipt.terms = H256::zero(),
			|receipt| receipt.gas = 1_001,
			|receipt| receipt.status = CallStatus::Trapped,
		];
		for (number, change) in falsehoods.into_iter().enumerate() {
			let mut receipt = good.clone();
			change(&mut receipt);
			let code = refused(deal, peer, signed_by(1, receipt));
			assert_eq!(code, Some(refusal::RECEIPT_IS_FALSE), "{number}");
		}
		let forged = signed_by(2, good.clone());
		let code = refused(deal, peer, forged);
		assert_eq!(code, Some(refusal::BAD_SIGNATURE));
		assert_eq!(
			refused(deal + 1, peer, signed_by(1, good.clone())),
			Some(refusal::NOT_PROBED)
		);
		// A guest that fails has answered.
		let failed = Receipt {
			status: CallStatus::Trapped,
			response: response_hash(&[]),
			..good
		};
		answer(peer, deal, signed_by(1, failed));
	});
}

#[test]
fn a_probe_is_answered_up_to_its_deadline_also_over_a_border() {
	for (position, answered) in [(3, true), (4, false)] {
		build_and_execute(|| {
			let (deal, peer) = serving(spec(1, 10));
			at(6, LENGTHS.len - 3);
			probe(STRANGER, deal, peer);
			let of_then = answer_of(1, deal);
			at(7, position);
			let of_now = answer_of(1, deal);
			assert_eq!((of_then.epoch, of_now.epoch), (6, 7));
			let expected = (!answered).then_some(refusal::PROBE_OVER);
			for receipt in [of_then, of_now] {
				assert_eq!(refused(deal, peer, signed_by(1, receipt)), expected);
			}
		});
	}
}

/// What a provider gets of a probe's bond that is answered, if the part that burns changes before the
/// probe or while it is open.
fn paid_for_an_answer(voted_first: bool) -> Balance {
	let mut paid = 0;
	build_and_execute(|| {
		let all = crate::MarketParams {
			probe_burn: sp_runtime::Perbill::one(),
			..params()
		};
		let (deal, peer) = serving(spec(1, 10));
		if voted_first {
			assert_ok!(Market::apply_params(all.clone()));
		}
		probe(STRANGER, deal, peer);
		assert_ok!(Market::apply_params(all));
		let had = Balances::free_balance(PROVIDER);
		answer(peer, deal, signed_by(1, answer_of(1, deal)));
		assert_eq!(Balances::free_balance(STRANGER), FUNDS - PROBE_BOND);
		paid = Balances::free_balance(PROVIDER) - had;
	});
	paid
}

#[test]
fn a_probe_keeps_what_its_answer_burns() {
	assert_eq!(paid_for_an_answer(false), 20);
	assert_eq!(paid_for_an_answer(true), 0);
}
