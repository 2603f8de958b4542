//! Data that are demanded: who pays, what is posted, and what silence costs.

use super::*;
use crate::{
	refusal, Answered, Clients, Demand, Demands, OpenCases, OpenDemandCount, OpenDemands,
	OpeningClients, Posted, MAX_OTHER_DEMANDS, MAX_PACKAGE_DEMANDS, POSTED_PRICE, RING,
};
use frame_support::{assert_noop, dispatch::GetDispatchInfo};
use millrace_primitives::{
	effects::{EffectRecord, MAX_TRANSCRIPT_BYTES},
	execution::{package_hash, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD, UNVERIFIED},
};

fn demand(who: u64, seq: u32, wanted: Wanted) -> DispatchResult {
	Receipts::demand(by(who), peer(), 1, seq, wanted)
}

fn expire(seq: u32, wanted: Wanted) -> DispatchResult {
	plain(Receipts::expire_demand(
		by(STRANGER),
		peer(),
		1,
		seq,
		wanted,
	))
}

/// What is held for a demand.
fn held_for(most_bytes: u32) -> Balance {
	bond() + Balance::from(most_bytes) * BYTE_FEE
}

fn transcript() -> Transcript {
	Transcript(vec![EffectRecord {
		request: H256::zero(),
		reply: b"reply".to_vec(),
	}])
}

/// A receipt of a call with effects.
fn with_effects(seq: u32) -> Receipt {
	Receipt {
		transcript: transcript().hash(),
		..receipt(seq)
	}
}

#[test]
fn a_package_is_posted_and_paid_for() {
	build_and_execute(|| {
		open(&[receipt(0)]);
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		let deadline = System::block_number() + 10;
		assert_eq!(
			events(),
			vec![Event::DataDemanded {
				peer: peer(),
				epoch: 1,
				seq: 0,
				wanted: Wanted::Package,
				who: ALICE,
				deadline
			}]
		);
		let all = held_for(MAX_PACKAGE_BYTES);
		assert_eq!(held(ALICE, HoldReason::Demand), all);
		assert!(Receipts::has_open_case(peer()));
		let owed = Receipts::owed_evidence(peer()).post;
		assert_eq!(
			owed,
			Some((1, 0, Wanted::Package, package(), MAX_PACKAGE_BYTES))
		);
		assert_eq!(
			Receipts::demands(peer()),
			vec![(1, 0, Wanted::Package, deadline)]
		);

		pass(10);
		let before = issuance();
		let call = post_call(0, Wanted::Package, package(), PACKAGE.to_vec());
		let valid = send(call.clone()).expect("it is what is wanted");
		assert_eq!((valid.priority, valid.longevity), (u64::MAX, 1));
		let tag = ("millrace-post", peer(), 1u32, 0u32, Wanted::Package).encode();
		assert_eq!(valid.provides, vec![tag]);
		assert_eq!(
			events(),
			vec![Event::DataPosted {
				peer: peer(),
				epoch: 1,
				seq: 0,
				wanted: Wanted::Package
			}]
		);
		assert_eq!(free(ALICE), ENDOWMENT - POSTED_PRICE);
		assert_eq!(held(ALICE, HoldReason::Demand), 0);
		assert_eq!(issuance(), before - POSTED_PRICE);
		assert_eq!(Receipts::posted(package()), Some(System::block_number()));
		assert_eq!(OpenDemands::<Test>::get(), OpenDemandCount::default());
		assert!(!Receipts::has_open_case(peer()));
		assert_eq!(Receipts::owed_evidence(peer()).post, None);
		assert_eq!(send(call), refused(refusal::NOT_ASKED));
	});
}

#[test]
fn a_posted_package_pays_for_its_row_however_short_it_is() {
	for (bytes, burnt) in [
		(1, POSTED_PRICE),
		(53_999, POSTED_PRICE),
		(54_000, POSTED_PRICE),
		(54_001, POSTED_PRICE + BYTE_FEE),
		(
			MAX_PACKAGE_BYTES,
			Balance::from(MAX_PACKAGE_BYTES) * BYTE_FEE,
		),
	] {
		build_and_execute(|| {
			let data = vec![0u8; bytes as usize];
			let hash = package_hash(&data);
			open(&[Receipt {
				package: hash,
				..receipt(0)
			}]);
			assert_ok!(demand(ALICE, 0, Wanted::Package));
			let before = issuance();
			assert_ok!(send(post_call(0, Wanted::Package, hash, data)));
			assert_eq!(free(ALICE), ENDOWMENT - burnt, "{bytes}");
			assert_eq!(held(ALICE, HoldReason::Demand), 0);
			assert_eq!(issuance(), before - burnt);
			assert_eq!(Posted::<Test>::iter().count(), 1);
		});
	}
}

#[test]
fn the_price_of_a_packages_row_is_held_whatever_a_byte_costs() {
	let demand = Demand {
		who: ALICE,
		bond: 5,
		byte_fee: 2,
		most_bytes: 10,
		hash: H256::zero(),
		deadline: 0,
		part: Default::default(),
		reward: Default::default(),
	};
	for bytes in [0, 10, 11] {
		assert_eq!(demand.price_of(Wanted::Package, bytes), POSTED_PRICE);
	}
	assert_eq!(demand.held(Wanted::Package), 5 + POSTED_PRICE);
	// Of other data nothing stays.
	for wanted in [Wanted::Request, Wanted::Transcript] {
		assert_eq!(
			[0, 10, 11].map(|bytes| demand.price_of(wanted, bytes)),
			[0, 20, 20]
		);
		assert_eq!(demand.held(wanted), 25);
	}
}

#[test]
fn requests_and_transcripts_are_posted_as_well() {
	build_and_execute(|| {
		open(&[receipt(0), with_effects(3)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		assert_ok!(demand(BOB, 3, Wanted::Transcript));
		assert_eq!(
			held(ALICE, HoldReason::Demand),
			held_for(MAX_REQUEST_RECORD)
		);
		assert_eq!(
			held(BOB, HoldReason::Demand),
			held_for(MAX_TRANSCRIPT_BYTES)
		);
		let count = OpenDemandCount {
			packages: 0,
			others: 2,
		};
		assert_eq!(OpenDemands::<Test>::get(), count);
		// The first comes first.
		let owed = Receipts::owed_evidence(peer()).post;
		assert_eq!(
			owed,
			Some((1, 0, Wanted::Request, request().hash(), MAX_REQUEST_RECORD))
		);
		let (asked, told) = (request().encode(), transcript().encode());
		let prices = [asked.len(), told.len()].map(|bytes| bytes as Balance * BYTE_FEE);
		assert_ok!(send(post_call(0, Wanted::Request, request().hash(), asked)));
		assert_ok!(send(post_call(
			3,
			Wanted::Transcript,
			transcript().hash(),
			told
		)));
		assert_eq!(free(ALICE), ENDOWMENT - prices[0]);
		assert_eq!(free(BOB), ENDOWMENT - prices[1]);
		assert_eq!(Posted::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_wrong_post_does_not_enter_a_block() {
	build_and_execute(|| {
		open(&[with_effects(0)]);
		let nothing = refused(refusal::NOT_ASKED);
		let good = || post_call(0, Wanted::Package, package(), PACKAGE.to_vec());
		assert_eq!(send(good()), nothing);
		for wanted in [Wanted::Package, Wanted::Request, Wanted::Transcript] {
			assert_ok!(demand(ALICE, 0, wanted));
		}
		let other = refused(refusal::OTHER_DATA);
		let wrong = |wanted, hash, data| send(post_call(0, wanted, hash, data));
		assert_eq!(wrong(Wanted::Package, package(), vec![0; 100]), other);
		let hash = request().hash();
		assert_eq!(wrong(Wanted::Request, hash, vec![0; 100]), other);
		let more = [request().encode(), vec![0]].concat();
		assert_eq!(wrong(Wanted::Request, hash, more), other);
		let hash = transcript().hash();
		assert_eq!(wrong(Wanted::Transcript, hash, vec![0]), other);
		// Of a package there may be more bytes than of a transcript.
		let large = vec![0; MAX_TRANSCRIPT_BYTES as usize + 1];
		let too_large = refused(refusal::TOO_LARGE);
		assert_eq!(wrong(Wanted::Transcript, hash, large), too_large);
		// What is signed for is what the receipt names.
		let bad = refused(refusal::BAD_SIGNATURE);
		let hash = H256::zero();
		assert_eq!(wrong(Wanted::Package, hash, PACKAGE.to_vec()), bad);
		assert_eq!(send(post_call(1, Wanted::Package, hash, vec![])), nothing);
		let mut unknown = good();
		if let Call::post { peer, .. } = &mut unknown {
			*peer = super::other();
		}
		assert_eq!(send(unknown), refused(refusal::UNKNOWN_PEER));

		// Hashing is weighed by the byte, in the block and before.
		let weight = |bytes: usize| {
			let call = post_call(0, Wanted::Package, package(), vec![0; bytes]);
			(
				call.get_dispatch_info().call_weight,
				call.weight_of_authorize(),
			)
		};
		let (light, heavy) = (weight(0), weight(MAX_PACKAGE_BYTES as usize));
		let reading = Receipts::reading_weight(MAX_PACKAGE_BYTES as usize);
		assert_eq!(heavy.0, light.0.saturating_add(reading));
		assert_eq!(heavy.1, light.1.saturating_add(reading));

		pass(11);
		assert_eq!(send(good()), refused(refusal::WINDOW_CLOSED));
	});
}

#[test]
fn withheld_data_cost_stake_and_the_receipt() {
	build_and_execute(|| {
		open(&[receipt(0), receipt(1)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		pass(10);
		assert_noop!(expire(0, Wanted::Request), Error::<Test>::StillOpen);
		pass(1);
		events();
		assert_ok!(expire(0, Wanted::Request));
		let amount = STAKE / 20;
		assert_eq!(
			events(),
			vec![Event::DataWithheld {
				peer: peer(),
				epoch: 1,
				seq: 0,
				wanted: Wanted::Request,
				amount
			}]
		);
		let slashes = Slashes::get();
		assert_eq!(slashes.len(), 1);
		assert_eq!(slashes[0].amount, amount);
		assert!(!slashes[0].offence.fails);
		assert_eq!(slashes[0].offence.reporter, Some((ALICE, params().reward)));
		assert_eq!(free(ALICE), ENDOWMENT + amount / 10 * 3);
		assert_eq!(held(ALICE, HoldReason::Demand), 0);
		assert_eq!(Receipts::opened(peer(), 1), vec![sign(receipt(1))]);
		assert_noop!(expire(0, Wanted::Request), Error::<Test>::NoDemand);
		// A void receipt has no data any more.
		for wanted in [Wanted::Request, Wanted::Package] {
			assert_noop!(demand(BOB, 0, wanted), Error::<Test>::NotOpened);
		}
		assert!(!Receipts::has_open_case(peer()));
	});
}

#[test]
fn withholding_is_paid_once_an_epoch() {
	build_and_execute(|| {
		open(&[receipt(0), receipt(1)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		assert_ok!(demand(BOB, 1, Wanted::Request));
		pass(11);
		for (seq, wanted) in [
			(0, Wanted::Request),
			(0, Wanted::Package),
			(1, Wanted::Request),
		] {
			assert_ok!(expire(seq, wanted));
		}
		assert_eq!(Slashes::get().len(), 1);
		assert!(Receipts::opened(peer(), 1).is_empty());
		assert_eq!(free(BOB), ENDOWMENT);
	});
}

#[test]
fn the_end_of_a_demand_weighs_a_slash_only_where_there_is_one() {
	build_and_execute(|| {
		open(&[receipt(0)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		pass(11);
		let end = |wanted| {
			let info = Receipts::expire_demand(by(BOB), peer(), 1, 0, wanted);
			info.expect("it is over").actual_weight
		};
		let base = <() as crate::WeightInfo>::expire_demand();
		let whole = base.saturating_add(SLASH_WEIGHT);
		assert_eq!(end(Wanted::Request), Some(whole));
		assert_eq!(end(Wanted::Package), Some(base));
		assert_eq!(Receipts::expire_weight(), whole);
	});
}

#[test]
fn a_datum_is_demanded_once() {
	build_and_execute(|| {
		open(&[receipt(0), receipt(1)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		assert_noop!(
			demand(BOB, 0, Wanted::Request),
			Error::<Test>::AlreadyDemanded
		);
		let (hash, data) = (request().hash(), request().encode());
		assert_ok!(send(post_call(0, Wanted::Request, hash, data)));
		assert_noop!(
			demand(BOB, 0, Wanted::Request),
			Error::<Test>::AlreadyAnswered
		);
		// Others can still be.
		assert_ok!(demand(BOB, 1, Wanted::Request));
		assert_ok!(demand(BOB, 0, Wanted::Package));
		let package_call = post_call(0, Wanted::Package, package(), PACKAGE.to_vec());
		assert_ok!(send(package_call));
		// A package is posted once, whichever receipt names it.
		for seq in [0, 1] {
			assert!(demand(ALICE, seq, Wanted::Package).is_err());
		}
		assert_noop!(
			demand(ALICE, 1, Wanted::Package),
			Error::<Test>::AlreadyPosted
		);
	});
}

#[test]
fn answers_are_kept_in_a_ring() {
	build_and_execute(|| {
		for lap in 0..3 {
			let epoch = 1 + lap * RING;
			CurrentEpoch::set(epoch + 1);
			let seq = lap;
			let opening = Opening {
				epoch,
				receipts: vec![sign(receipt_of(peer(), epoch, seq))]
					.try_into()
					.expect("one fits"),
			};
			Opened::<Test>::insert(peer(), 1, opening);
			let wanted = Wanted::Request;
			assert_ok!(Receipts::demand(by(ALICE), peer(), epoch, seq, wanted));
			pass(11);
			assert_ok!(Receipts::expire_demand(
				by(ALICE),
				peer(),
				epoch,
				seq,
				wanted
			));
		}
		assert_eq!(Answered::<Test>::iter().count(), 1);
		assert_eq!(Slashes::get().len(), 3);
	});
}

#[test]
fn a_package_that_another_posted_need_not_be_posted_again() {
	build_and_execute(|| {
		open(&[receipt(0), receipt(1)]);
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		assert_ok!(demand(BOB, 1, Wanted::Package));
		let call = post_call(0, Wanted::Package, package(), PACKAGE.to_vec());
		assert_ok!(send(call));
		assert_eq!(Receipts::owed_evidence(peer()).post, None);
		events();
		// Before its time, so that others have the room.
		assert_ok!(expire(1, Wanted::Package));
		assert_eq!(
			events(),
			vec![Event::DemandMoot {
				peer: peer(),
				epoch: 1,
				seq: 1,
				wanted: Wanted::Package
			}]
		);
		assert_eq!(free(BOB), ENDOWMENT);
		assert!(Slashes::get().is_empty());
		assert_eq!(Receipts::opened(peer(), 1).len(), 2);
	});
}

#[test]
fn only_what_is_opened_and_can_be_judged_is_demanded() {
	build_and_execute(|| {
		let wanted = Wanted::Request;
		assert_noop!(demand(ALICE, 0, wanted), Error::<Test>::NotOpened);
		let unverified = Receipt {
			profile: receipt(1).profile | UNVERIFIED,
			..receipt(1)
		};
		open(&[receipt(0), unverified]);
		assert_noop!(demand(ALICE, 2, wanted), Error::<Test>::NotOpened);
		assert_noop!(demand(ALICE, 1, wanted), Error::<Test>::Unverified);
		assert_noop!(
			demand(ALICE, 0, Wanted::Transcript),
			Error::<Test>::NoTranscript
		);
		assert!(demand(77, 0, wanted).is_err());
		CurrentEpoch::set(7);
		assert_noop!(demand(ALICE, 0, wanted), Error::<Test>::PeriodOver);
		CurrentEpoch::set(6);
		assert_ok!(demand(ALICE, 0, wanted));
	});
	build_and_execute(|| {
		open(&[receipt(0)]);
		StakesOf::mutate(|stakes| stakes.clear());
		assert_noop!(demand(ALICE, 0, Wanted::Request), Error::<Test>::PeriodOver);
	});
}

#[test]
fn there_is_room_for_so_many_demands() {
	build_and_execute(|| {
		open(&[receipt(0)]);
		for (packages, others, wanted) in [
			(MAX_PACKAGE_DEMANDS, 0, Wanted::Package),
			(0, MAX_OTHER_DEMANDS, Wanted::Request),
		] {
			OpenDemands::<Test>::put(OpenDemandCount { packages, others });
			assert_noop!(demand(ALICE, 0, wanted), Error::<Test>::TooManyDemands);
		}
		OpenDemands::<Test>::put(OpenDemandCount {
			packages: 0,
			others: MAX_OTHER_DEMANDS,
		});
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		OpenDemands::<Test>::mutate(|open| open.others = 0);
	});
}

#[test]
fn a_demand_keeps_its_terms_and_outlives_the_opening() {
	build_and_execute(|| {
		open(&[receipt(0)]);
		assert_ok!(demand(ALICE, 0, Wanted::Request));
		let params = crate::ReceiptsParams {
			post_blocks: 1,
			bond: 1,
			withholding: sp_runtime::Perbill::one(),
			..params()
		};
		assert_ok!(Receipts::apply_params(params));
		Opened::<Test>::remove(peer(), 1);
		pass(10);
		assert_noop!(expire(0, Wanted::Request), Error::<Test>::StillOpen);
		assert_eq!(Demands::<Test>::iter().count(), 1);
		pass(1);
		assert_ok!(expire(0, Wanted::Request));
		assert_eq!(Slashes::get()[0].amount, STAKE / 20);
		assert_eq!(held(ALICE, HoldReason::Demand), 0);
	});
}

#[test]
fn a_migration_leaves_time_to_post() {
	build_and_execute(|| {
		open(&[receipt(0)]);
		assert_ok!(demand(ALICE, 0, Wanted::Package));
		pass(5);
		Migrating::set(true);
		pass(100);
		Migrating::set(false);
		pass(5);
		assert_eq!(Receipts::demands(peer())[0].3, System::block_number());
		let call = post_call(0, Wanted::Package, package(), PACKAGE.to_vec());
		assert_ok!(send(call));
		assert_eq!(Receipts::posted(package()), Some(System::block_number()));
		assert_eq!(OpenCases::<Test>::get(peer()), 0);
	});
}

#[test]
fn data_of_a_private_deal_are_for_its_owner_alone() {
	build_and_execute(|| {
		open(&[receipt(0), with_effects(3)]);
		let clients = OpeningClients {
			epoch: 1,
			clients: vec![(3, ALICE)].try_into().expect("one fits"),
		};
		Clients::<Test>::insert(peer(), 1, clients);
		for wanted in [Wanted::Package, Wanted::Request, Wanted::Transcript] {
			assert_noop!(demand(BOB, 3, wanted), Error::<Test>::NotClient);
			assert_noop!(demand(PROVIDER, 3, wanted), Error::<Test>::NotClient);
			assert_ok!(demand(ALICE, 3, wanted));
		}
		// The other receipt is of a deal that everybody may call.
		assert_ok!(demand(BOB, 0, Wanted::Request));

		// It is answered for all the same, and what is void needs no client.
		pass(11);
		for wanted in [Wanted::Request, Wanted::Transcript] {
			assert_ok!(expire(3, wanted));
		}
		assert_eq!(Receipts::opened(peer(), 1).len(), 1);
		assert_ok!(expire(0, Wanted::Request));
		assert!(Receipts::opened(peer(), 1).is_empty());
		assert_eq!(Clients::<Test>::iter().count(), 0);
	});
}
