//! Packages that are updated in place.

use crate::{mock::*, DealKey, Deals, Error, Event, Packages, Specs};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	execution::{CallTerms, ARBITRATION_GAS, MAX_PACKAGE_BYTES, PROFILE_V1, UNVERIFIED},
	market::{Link, Package},
	packages::{NoTerms, MAX_PAST_PACKAGES},
	traits::WorkInspector,
	BlockNumber, DealId, EpochIndex, H256,
};

fn package(number: u8) -> Package {
	Package {
		hash: H256::repeat_byte(number),
		size: 100,
		..spec(1, 10).package
	}
}

fn update(who: u64, deal: DealId, package: Package) -> sp_runtime::DispatchResult {
	Market::update_package(RuntimeOrigin::signed(who), deal, package)
}

/// What a call runs under, by the hash of its package.
fn terms_at(
	deal: DealId,
	package: H256,
	epoch: EpochIndex,
	block: BlockNumber,
) -> Result<CallTerms, NoTerms> {
	Market::call_terms(deal, package, epoch, block)
}

/// First block of an epoch.
fn start(epoch: EpochIndex) -> BlockNumber {
	1 + epoch * LENGTHS.len
}

fn ordered() -> H256 {
	spec(1, 10).package.hash
}

#[test]
fn a_new_package_counts_at_once_and_the_one_before_until_the_end_of_the_next_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 90);
		at(6, 4);
		let before = call_terms(deal).expect("it stands");
		assert_ok!(update(CLIENT, deal, package(1)));
		System::assert_last_event(
			Event::<Test>::PackageUpdated {
				deal,
				package: H256::repeat_byte(1),
				before: ordered(),
				until: Some(7),
			}
			.into(),
		);
		let block = System::block_number();
		let after = call_terms(deal).expect("it stands");
		assert_eq!(
			(after.package, after.package_bytes),
			(H256::repeat_byte(1), 100)
		);
		assert_eq!(
			terms_at(deal, after.package, 6, block - 1),
			Err(NoTerms::OtherPackage)
		);
		for (epoch, block) in [(6, block - 1), (6, block), (7, start(8) - 1)] {
			assert_eq!(
				terms_at(deal, ordered(), epoch, block),
				Ok(before.clone()),
				"{block}"
			);
		}
		assert_eq!(
			terms_at(deal, ordered(), 8, start(8)),
			Err(NoTerms::OtherPackage)
		);
		assert_eq!(
			terms_at(deal, H256::zero(), 6, block),
			Err(NoTerms::OtherPackage)
		);

		// Workers and clients see both, workers only as long as it is of use.
		let view = Market::deal_view(deal, |_| None).expect("it stands");
		assert_eq!(
			(view.spec.package.hash, view.packages.since),
			(after.package, block)
		);
		let assigned = &Market::assignments(peer)[0];
		assert_eq!(assigned.package, package(1));
		assert_eq!(assigned.packages, view.packages);
		let choices = |epoch, block| {
			let assigned = &Market::assignments(peer)[0];
			let choices = assigned.packages.choices(&assigned.terms(), epoch, block);
			choices
				.into_iter()
				.map(|terms| terms.package)
				.collect::<Vec<_>>()
		};
		assert_eq!(choices(6, block), vec![ordered(), after.package]);
		assert_eq!(choices(6, block + 1), vec![after.package, ordered()]);
		at(8, 0);
		assert_eq!(choices(8, start(8)), vec![after.package]);
		assert!(Market::assignments(peer)[0].packages.past.is_empty());
		let view = Market::deal_view(deal, |_| None).expect("it stands");
		assert_eq!(view.packages.past.len(), 1);
	});
}

#[test]
fn a_deal_is_updated_once_an_epoch_and_three_packages_may_count_at_once() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 900);
		at(6, 4);
		assert_ok!(update(CLIENT, deal, package(1)));
		at(6, 9);
		assert_noop!(
			update(CLIENT, deal, package(2)),
			Error::<Test>::UpdatedThisEpoch
		);
		// Nor back.
		assert_noop!(
			update(CLIENT, deal, spec(1, 10).package),
			Error::<Test>::UpdatedThisEpoch
		);
		at(7, 0);
		assert_ok!(update(CLIENT, deal, package(2)));
		for hash in [ordered(), H256::repeat_byte(1), H256::repeat_byte(2)] {
			assert!(terms_at(deal, hash, 7, start(7)).is_ok(), "{hash:?}");
		}
		at(8, 0);
		assert_ok!(update(CLIENT, deal, spec(1, 10).package));
		// What came back is what it is now, not what it was.
		assert_eq!(terms_at(deal, ordered(), 8, start(8)), call_terms(deal));
		assert_eq!(
			terms_at(deal, H256::repeat_byte(1), 8, start(8)).map(|terms| terms.package),
			Ok(H256::repeat_byte(1))
		);
	});
}

#[test]
fn other_links_are_taken_at_any_time_and_change_nothing_that_is_signed() {
	build_and_execute(|| {
		let (deal, _) = live_deal(1, 10, 90);
		at(6, 0);
		assert_ok!(update(CLIENT, deal, package(1)));
		let (terms, history) = (call_terms(deal), Packages::<Test>::get(deal));
		let link: Link = b"http://other.example/b"
			.to_vec()
			.try_into()
			.expect("short");
		let moved = Package {
			links: vec![link].try_into().expect("one fits"),
			..package(1)
		};
		at(6, 3);
		assert_ok!(update(CLIENT, deal, moved.clone()));
		System::assert_last_event(
			Event::<Test>::PackageUpdated {
				deal,
				package: moved.hash,
				before: moved.hash,
				until: None,
			}
			.into(),
		);
		assert_eq!(call_terms(deal), terms);
		assert_eq!(Packages::<Test>::get(deal), history);
		let spec = Specs::<Test>::get(deal).expect("it stands");
		assert_eq!(spec.package, moved);
	});
}

#[test]
fn each_package_has_the_profile_of_its_time() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 900);
		// As if the chain replayed less when it was ordered.
		Deals::<Test>::mutate(DealKey::from(deal), |deal| {
			deal.as_mut().expect("it stands").profile = PROFILE_V1 | UNVERIFIED;
		});
		at(6, 0);
		assert_ok!(update(CLIENT, deal, package(1)));
		let profile = |hash| terms_at(deal, hash, 6, start(6)).map(|terms| terms.profile);
		assert_eq!(profile(ordered()), Ok(PROFILE_V1 | UNVERIFIED));
		assert_eq!(profile(H256::repeat_byte(1)), Ok(PROFILE_V1));
	});
}

#[test]
fn a_package_too_large_for_the_gas_of_a_call_is_marked_from_then_on() {
	build_and_execute(|| {
		let mut params = params();
		params.max_call_gas = ARBITRATION_GAS;
		assert_ok!(Market::apply_params(params));
		let mut order = spec(1, 10);
		order.limits.gas = ARBITRATION_GAS;
		let deal = create(order, 900);
		assert_eq!(call_terms(deal).map(|terms| terms.profile), Ok(PROFILE_V1));
		let large = Package {
			size: MAX_PACKAGE_BYTES,
			..package(1)
		};
		assert_ok!(update(CLIENT, deal, large));
		let terms = call_terms(deal).expect("it stands");
		assert_eq!(terms.profile, PROFILE_V1 | UNVERIFIED);
	});
}

#[test]
fn packages_are_forgotten_when_no_receipt_of_them_can_be_challenged() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 900);
		assert_ok!(update(CLIENT, deal, package(1)));
		// It counted up to epoch 6, whose reports of epoch 7 can be challenged up to epoch 11.
		at(7 + ChallengeEpochs::get() + 1, 0);
		assert_ok!(update(CLIENT, deal, package(2)));
		let hashes = || -> Vec<H256> {
			let history = Packages::<Test>::get(deal);
			history.past.iter().map(|past| past.hash).collect()
		};
		assert_eq!(hashes(), vec![ordered(), H256::repeat_byte(1)]);
		assert_eq!(Packages::<Test>::get(deal).forgotten, None);
		at(7 + ChallengeEpochs::get() + 2, 0);
		assert_ok!(update(CLIENT, deal, package(3)));
		assert_eq!(hashes(), vec![H256::repeat_byte(1), H256::repeat_byte(2)]);
		assert_eq!(Packages::<Test>::get(deal).forgotten, Some(6));
		// A commitment of longer ago may still answer: nothing is called false that may have been true.
		assert_eq!(
			terms_at(deal, ordered(), 6, start(6)),
			Err(NoTerms::Unknown)
		);
		assert_eq!(
			terms_at(deal, ordered(), 7, start(7)),
			Err(NoTerms::OtherPackage)
		);
		assert!(terms_at(deal, H256::repeat_byte(1), 6, start(6)).is_ok());
	});
}

#[test]
fn more_packages_than_are_remembered_have_to_wait() {
	build_and_execute(|| {
		ChallengeEpochs::set(24);
		let deal = create(spec(1, 10), 900);
		let (first, after) = (6, 6 + MAX_PAST_PACKAGES);
		for epoch in first..after {
			at(epoch, 0);
			assert_ok!(update(CLIENT, deal, package(epoch as u8)));
		}
		at(after, 0);
		let next = || update(CLIENT, deal, package(after as u8));
		assert_noop!(next(), Error::<Test>::TooManyUpdates);
		// What was ordered counted up to the epoch after the first update.
		let last = first + 1 + 24 + 2;
		at(last, 0);
		assert_noop!(next(), Error::<Test>::TooManyUpdates);
		at(last + 1, 0);
		assert_ok!(next());
	});
}

#[test]
fn only_the_owner_updates_and_only_a_deal_that_is_active() {
	build_and_execute(|| {
		let (deal, _) = live_deal(1, 1_000, 2);
		assert_noop!(update(STRANGER, deal, package(1)), Error::<Test>::NotOwner);
		assert_noop!(
			update(CLIENT, deal + 1, package(1)),
			Error::<Test>::UnknownDeal
		);
		let flawed = |change: fn(&mut Package)| {
			let mut flawed = package(1);
			change(&mut flawed);
			update(CLIENT, deal, flawed)
		};
		assert_noop!(
			flawed(|package| package.size = 0),
			Error::<Test>::PackageEmpty
		);
		assert_noop!(
			flawed(|package| package.size = MAX_PACKAGE_BYTES + 1),
			Error::<Test>::PackageTooLarge
		);
		assert_noop!(
			flawed(|package| package.links = Default::default()),
			Error::<Test>::NoLinks
		);
		at(6, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_noop!(update(CLIENT, deal, package(1)), Error::<Test>::DealEnding);
	});
}

#[test]
fn a_deal_in_grace_keeps_its_package() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 2);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		let begun = Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal);
		assert_ok!(begun);
		assert_noop!(update(CLIENT, deal, package(1)), Error::<Test>::DealInGrace);
	});
}

#[test]
fn a_closed_deal_leaves_no_packages() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		assert_ok!(update(CLIENT, deal, package(1)));
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		// What was signed until then stays true.
		assert!(terms_at(deal, ordered(), 6, start(6)).is_ok());
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(Packages::<Test>::iter().count(), 0);
		assert_eq!(
			terms_at(deal, ordered(), 6, start(6)),
			Err(NoTerms::Unknown)
		);
	});
}
