//! Flaws of comparable systems that show only where all pallets work together. Those of capacity
//! alone are tested in its pallet.

mod market;

use crate::errors::{
	refuses,
	scene::{
		account, asked, by, commit, deal, done, endow, endpoint, go_live, go_to, hand_in, key,
		make, next_block, now, offer, offering, on_chain, on_dev_chain, order, paid, pass_audit,
		peer, proof, registration, report, root, sign, state_root, ALICE, BOB, EVE,
	},
};
use millrace_primitives::{market::split_payment, peer::PeerId, DealId, FLT, H256};
use millrace_runtime::{
	parameters::{
		dynamic_params::{epochs, market as of_market},
		RuntimeParameters,
	},
	Capacity, Market, Runtime, RuntimeCall,
};
use sp_runtime::{DispatchError, Perbill};

/// Workers of a deal.
fn workers(deal: DealId) -> Vec<PeerId> {
	let rows = Market::worker_rows(deal);
	rows.into_iter().map(|worker| worker.peer).collect()
}

/// Idle units and units at work that the n-th machine owes for the present epoch.
fn owed(n: u16) -> (u32, u32) {
	let owed = Capacity::work_of(peer(n), now().0).expect("the commitment stands");
	(owed.idle, owed.busy)
}

/// There, whoever comes first owns any name. Here a name is the hash of a key, and the key must have
/// said whom it serves.
#[test]
fn known_flaw_names_are_squatted() {
	on_dev_chain(|| {
		let name = Default::default();
		done(
			by(EVE),
			pallet_providers::Call::<Runtime>::register_provider { name },
		);
		let squat = |proof| pallet_providers::Call::<Runtime>::register_peer {
			key: key(1),
			proof,
			endpoint: endpoint("https://eve.example"),
		};
		// Without the key there is no proof; that of its owner is for its owner.
		let own_key = sign(2, peer(1).0);
		for forged in [[0; 64], own_key, proof(2, EVE), proof(1, ALICE)] {
			refuses!(Providers::BadKeyProof, by(EVE), squat(forged));
		}
		commit(ALICE, 1, 1, 6);
		refuses!(Providers::PeerExists, by(EVE), squat(proof(1, EVE)));
	});
}

/// There, a made-up deal takes units out of the rewards and never lets go of them. Here nobody's
/// units are at work before the machine itself has signed for the deal, and whatever it was matched
/// to falls away by itself.
#[test]
fn known_flaw_a_fake_deal_captures_units() {
	on_dev_chain(|| {
		// Without an offer of its provider, a machine is found by no deal.
		commit(ALICE, 9, 3, 100);
		offering(ALICE, 1, 3);
		let mut greedy = order(2, 2);
		greedy.units_per_worker = 3;
		let fake = deal(greedy);
		done(
			by(EVE),
			pallet_market::Call::<Runtime>::match_deal { deal: fake },
		);
		assert_eq!(workers(fake), [peer(1)]);

		// Nobody but the machine's key can make it go live.
		let live = pallet_market::Call::<Runtime>::go_live {
			peer: peer(1),
			deal: fake,
			signature: [0; 64],
		};
		for origin in [by(BOB), by(ALICE), root()] {
			let before = state_root();
			let refusal = make(origin, live.clone()).expect_err("it is a duty");
			assert_eq!(refusal.error, DispatchError::BadOrigin);
			assert_eq!(state_root(), before);
		}
		go_to(3, 0);
		assert_eq!(owed(1), (3, 0), "nothing is at work");
		go_to(4, 0);
		assert!(workers(fake).is_empty(), "the assignment has lapsed");
		assert_eq!(owed(1), (3, 0));

		// And the machine's units are there for the next one, whatever the fake still wants.
		done(by(BOB), pallet_market::Call::<Runtime>::stop { deal: fake });
		done(
			by(EVE),
			pallet_market::Call::<Runtime>::close { deal: fake },
		);
		hand_in(1, &report(3, 0, &[0], &[]));
		go_to(4, 8);
		pass_audit(1);
		go_to(4, 16);
		let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
		done(by(EVE), settle);
		let honest = deal(order(1, 1));
		done(
			by(EVE),
			pallet_market::Call::<Runtime>::match_deal { deal: honest },
		);
		assert_eq!(workers(honest), [peer(1)]);
	});
}

/// There, pay begins with an entry in a table. Here each epoch is paid when the peer reported it,
/// listed the deal and stood its audit, once, to the unit; and whoever leaves it out works for it no
/// more.
#[test]
fn known_flaw_pay_without_a_report() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		done(by(EVE), pallet_market::Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		let settle = || pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };

		// Epoch 3 is served, and not reported, which is forgiven: nobody else is there.
		go_to(4, 16);
		done(by(EVE), settle());
		assert_eq!(paid(deal), 0);
		// Epoch 4 is reported with the deal, and its audit is not answered.
		go_to(5, 0);
		hand_in(1, &report(0, 1, &[0], &[deal]));
		go_to(5, 16);
		done(by(EVE), settle());
		assert_eq!(paid(deal), 0);
		// Of epoch 5 everything holds.
		go_to(6, 0);
		hand_in(1, &report(0, 1, &[0], &[deal]));
		go_to(6, 8);
		pass_audit(1);
		go_to(6, 16);
		done(by(EVE), settle());
		let (due, _) = split_payment(asked().ask);
		assert_eq!(paid(deal), due);
		refuses!(Capacity::NothingToSettle, by(EVE), settle());
		assert_eq!(paid(deal), due);
		// Epoch 6 is reported without the deal.
		go_to(7, 0);
		hand_in(1, &report(0, 1, &[0], &[]));
		assert_eq!(workers(deal), [peer(1)]);
		go_to(7, 8);
		pass_audit(1);
		assert!(workers(deal).is_empty());
		go_to(7, 16);
		done(by(EVE), settle());
		assert_eq!(paid(deal), due);
	});
}

/// There, the matcher takes one worker of a provider too many, and the whole match fails on it.
#[test]
fn known_flaw_provider_limit_off_by_one() {
	on_dev_chain(|| {
		offering(ALICE, 4, 1);
		for limit in 1..=2 {
			let limited = deal(order(4, limit));
			done(
				by(EVE),
				pallet_market::Call::<Runtime>::match_deal { deal: limited },
			);
			assert_eq!(workers(limited).len(), limit as usize);
			// Later visits find no more.
			next_block();
			done(
				by(EVE),
				pallet_market::Call::<Runtime>::match_deal { deal: limited },
			);
			assert_eq!(workers(limited).len(), limit as usize);
		}
	});
}

/// There, one key changes all code, and with it everybody's stake. Here code and parameters are
/// root's, which outside of development chains only a referendum is.
#[test]
fn known_flaw_an_owner_upgrades_everything() {
	on_chain("local_testnet", || {
		type System = frame_system::Call<Runtime>;
		let code = || vec![0; 8];
		let code_hash = H256::repeat_byte(1);
		let calls: Vec<RuntimeCall> = vec![
			System::set_code { code: code() }.into(),
			System::set_code_without_checks { code: code() }.into(),
			System::set_storage {
				items: vec![(code(), code())],
			}
			.into(),
			System::kill_storage { keys: vec![code()] }.into(),
			System::kill_prefix {
				prefix: code(),
				subkeys: 1,
			}
			.into(),
			System::authorize_upgrade { code_hash }.into(),
			System::authorize_upgrade_without_checks { code_hash }.into(),
			pallet_governed::Call::<Runtime>::set {
				parameter: RuntimeParameters::Epochs(epochs::Parameters::Len(
					epochs::Len,
					Some(2_000),
				)),
			}
			.into(),
			pallet_governed::Call::<Runtime>::set {
				parameter: RuntimeParameters::Market(of_market::Parameters::MinPrice(
					of_market::MinPrice,
					Some(FLT),
				)),
			}
			.into(),
			pallet_capacity::Call::<Runtime>::cancel_slash {
				peer: peer(1),
				slash: 0,
			}
			.into(),
		];
		for call in calls {
			let before = state_root();
			for name in [ALICE, BOB, EVE] {
				let refusal = make(by(name), call.clone()).expect_err("it is root's");
				assert_eq!(refusal.error, DispatchError::BadOrigin, "{call:?}");
			}
			assert_eq!(state_root(), before, "{call:?}");
		}

		// Nobody is root by a key, and nobody becomes it by one.
		let harmless = RuntimeCall::System(System::remark { remark: code() });
		let as_root = pallet_sudo::Call::<Runtime>::sudo {
			call: Box::new(harmless),
		};
		refuses!(Sudo::RequireSudo, by(ALICE), as_root);
		let new = account(ALICE).into();
		refuses!(
			Sudo::RequireSudo,
			by(ALICE),
			pallet_sudo::Call::<Runtime>::set_key { new }
		);
		// Whoever puts an upgrade in only does what was authorised.
		let apply = System::apply_authorized_upgrade { code: code() };
		refuses!(System::NothingAuthorized, by(ALICE), apply);
	});
}

/// There, a list says who may provide. Here whoever brings the deposits and the stake does, and
/// whoever has FLT may stake with it.
#[test]
fn known_flaw_whitelisted_providers() {
	on_chain("local_testnet", || {
		let (provider, delegator) = ("//Anybody", "//Somebody");
		endow(provider, 100 * FLT);
		endow(delegator, 1_000 * FLT);
		let name = Default::default();
		done(
			by(provider),
			pallet_providers::Call::<Runtime>::register_provider { name },
		);
		done(by(provider), registration(1, provider));
		let (own_part, commission) = (Perbill::from_percent(20), Perbill::from_percent(5));
		let terms = Capacity::start_terms(1, 6, own_part, commission);
		done(
			by(provider),
			pallet_capacity::Call::<Runtime>::create {
				peer: peer(1),
				units: 1,
				duration_epochs: 6,
				offer: offer(20, 5, &[]),
			},
		);
		let stake = |add| pallet_capacity::Call::<Runtime>::stake {
			peer: peer(1),
			terms,
			keep: 0,
			add,
		};
		done(by(provider), stake(20 * FLT));
		done(by(delegator), stake(80 * FLT));
		go_to(1, 0);
		assert_eq!(owed(1), (1, 0));
		go_to(2, 0);
		hand_in(1, &report(1, 0, &[0], &[]));
		let terms = asked();
		let peer = peer(1);
		done(
			by(provider),
			pallet_market::Call::<Runtime>::post_offer { peer, terms },
		);
	});
}
