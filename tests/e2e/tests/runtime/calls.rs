//! Client and runtime agree to the byte, without a node between them.

mod anchor;

use crate::samples::{
	answer, case, client_account, evidence, invokers, metadata, offer, peer, receipt, report,
	runtime_account, shown, signed_terms, specifications, terms,
};
use codec::{Decode, Encode};
use millrace_client::calls::{self, Call};
use millrace_e2e::{flood, rpc};
use millrace_primitives::{
	access::{Access, RateLimit},
	billing::Voucher,
	challenge::{Charge, OffenceKind, Wanted},
	commitment::RoundKind,
	hash::blake2_256,
	merkle::Path,
	H256,
};
use millrace_runtime::{RuntimeCall, SessionKeys, UncheckedExtrinsic};
use sp_core::sr25519;
use sp_runtime::{
	generic::Preamble,
	traits::{IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};

/// A text as the bounded bytes that a call takes.
fn bounded<T: TryFrom<Vec<u8>>>(text: &str) -> T {
	let bytes = text.as_bytes().to_vec();
	T::try_from(bytes).unwrap_or_else(|_| panic!("{text} is too long"))
}

/// Every call that the client builds, with the same call as the runtime knows it.
fn pairs() -> Vec<(Call, RuntimeCall)> {
	let (peer, key, signature) = (peer(), [7; 32], [8; 64]);
	let (report, answer, terms) = (report(), answer(), terms());
	let signed = signed_terms(RoundKind::Renewal);
	let access = Access::Tokens(invokers());
	let rate = Some(RateLimit {
		calls: 9,
		per_seconds: 10,
	});
	let url = "http://127.0.0.1:8650";
	let mut pairs = vec![
		(
			calls::balances::transfer(&client_account(), 12_345_678_901_234),
			RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
				dest: MultiAddress::Id(runtime_account()),
				value: 12_345_678_901_234,
			}),
		),
		(
			calls::providers::register_provider("a name"),
			RuntimeCall::Providers(pallet_providers::Call::register_provider {
				name: bounded("a name"),
			}),
		),
		(
			calls::providers::remove_provider(),
			RuntimeCall::Providers(pallet_providers::Call::remove_provider {}),
		),
		(
			calls::providers::register_peer(key, signature, url),
			RuntimeCall::Providers(pallet_providers::Call::register_peer {
				key,
				proof: signature,
				endpoint: bounded(url),
			}),
		),
		(
			calls::providers::set_endpoint(peer, url),
			RuntimeCall::Providers(pallet_providers::Call::set_endpoint {
				peer,
				endpoint: bounded(url),
			}),
		),
		(
			calls::providers::rotate_key(peer, key, signature),
			RuntimeCall::Providers(pallet_providers::Call::rotate_key {
				peer,
				new_key: key,
				proof: signature,
			}),
		),
		(
			calls::providers::remove_peer(peer),
			RuntimeCall::Providers(pallet_providers::Call::remove_peer { peer }),
		),
	];
	type Capacity = pallet_capacity::Call<millrace_runtime::Runtime>;
	pairs.extend(
		[
			(
				calls::capacity::create(peer, 3, 720, &offer(client_account())),
				Capacity::create {
					peer,
					units: 3,
					duration_epochs: 720,
					offer: offer(runtime_account()),
				},
			),
			(
				calls::capacity::stake(peer, &signed, 7, u128::MAX),
				Capacity::stake {
					peer,
					terms: signed,
					keep: 7,
					add: u128::MAX,
				},
			),
			(
				calls::capacity::grow(peer, 5, &offer(client_account()).invited),
				Capacity::grow {
					peer,
					more_units: 5,
					invited: offer(runtime_account()).invited,
				},
			),
			(
				calls::capacity::extend(peer, 720, &offer(client_account())),
				Capacity::extend {
					peer,
					duration_epochs: 720,
					offer: offer(runtime_account()),
				},
			),
			(calls::capacity::cancel(peer), Capacity::cancel { peer }),
			(
				calls::capacity::report(peer, &report, signature),
				Capacity::new_call_variant_report(peer, report.clone(), signature),
			),
			(
				calls::capacity::answer_audit(peer, &answer, signature),
				Capacity::new_call_variant_answer_audit(peer, answer.clone(), signature),
			),
			(calls::capacity::settle(peer), Capacity::settle { peer }),
			(calls::capacity::withdraw(peer), Capacity::withdraw { peer }),
			(
				calls::capacity::claim(&client_account()),
				Capacity::claim {
					who: runtime_account(),
				},
			),
			(
				calls::capacity::apply_slash(peer, 1 << 40),
				Capacity::apply_slash {
					peer,
					slash: 1 << 40,
				},
			),
		]
		.map(|(built, call)| (built, RuntimeCall::Capacity(call))),
	);
	type Market = pallet_market::Call<millrace_runtime::Runtime>;
	let specs = specifications(client_account())
		.into_iter()
		.zip(specifications(runtime_account()));
	for (built, spec) in specs {
		let call = Market::create_deal {
			spec,
			escrow: u128::MAX,
		};
		pairs.push((
			calls::market::create_deal(&built, u128::MAX),
			RuntimeCall::Market(call),
		));
	}
	let deal = 1 << 40;
	let package = specifications(client_account()).remove(0).package;
	let voucher = Voucher {
		cumulative: 1 << 50,
		signature: [6; 64],
	};
	pairs.extend(
		[
			(
				calls::market::post_offer(peer, terms),
				Market::post_offer { peer, terms },
			),
			(
				calls::market::withdraw_offer(peer),
				Market::withdraw_offer { peer },
			),
			(
				calls::market::top_up(deal, 9),
				Market::top_up { deal, amount: 9 },
			),
			(calls::market::stop(deal), Market::stop { deal }),
			(
				calls::market::go_live(peer, deal, signature),
				Market::new_call_variant_go_live(peer, deal, signature),
			),
			(
				calls::market::release_worker(deal, peer),
				Market::release_worker { deal, peer },
			),
			(calls::market::close(deal), Market::close { deal }),
			(calls::market::match_deal(deal), Market::match_deal { deal }),
			(
				calls::market::update_offer(peer, terms),
				Market::update_offer { peer, terms },
			),
			(
				calls::market::drain(peer, deal, signature),
				Market::new_call_variant_drain(peer, deal, signature),
			),
			(
				calls::market::redeem(peer, deal, voucher, signature),
				Market::new_call_variant_redeem(peer, deal, voucher, signature),
			),
			(
				calls::market::end_worker(deal, peer),
				Market::end_worker { deal, peer },
			),
			(
				calls::market::replace(deal, peer),
				Market::replace { deal, peer },
			),
			(
				calls::market::resize(deal, 2, 3),
				Market::resize {
					deal,
					min_workers: 2,
					target_workers: 3,
				},
			),
			(
				calls::market::name_heir(deal, Some(&client_account())),
				Market::name_heir {
					deal,
					heir: Some(runtime_account()),
				},
			),
			(
				calls::market::name_heir(deal, None),
				Market::name_heir { deal, heir: None },
			),
			(calls::market::take_deal(deal), Market::take_deal { deal }),
			(
				calls::market::set_access(deal, &access, rate),
				Market::set_access {
					deal,
					access: access.clone(),
					rate,
				},
			),
			(
				calls::market::begin_grace(deal),
				Market::begin_grace { deal },
			),
			(
				calls::market::probe(deal, peer, &bounded("asked")),
				Market::probe {
					deal,
					peer,
					body: bounded("asked"),
				},
			),
			(
				calls::market::answer_probe(peer, deal, &receipt()),
				Market::answer_probe {
					peer,
					deal,
					receipt: receipt(),
				},
			),
			(
				calls::market::fail_probe(deal, peer),
				Market::fail_probe { deal, peer },
			),
			(
				calls::market::update_package(deal, &package),
				Market::update_package {
					deal,
					package: package.clone(),
				},
			),
		]
		.map(|(built, call)| (built, RuntimeCall::Market(call))),
	);
	pairs.extend(challenges());
	pairs.extend(rewards());
	pairs.extend(anchor::pairs());
	pairs.extend(crate::referenda::pairs());
	type Validators = pallet_validators::Call<millrace_runtime::Runtime>;
	pairs.extend(
		[
			(calls::validators::validate(), Validators::validate {}),
			(calls::validators::chill(), Validators::chill {}),
			(calls::validators::purge_keys(), Validators::purge_keys {}),
		]
		.map(|(built, call)| (built, RuntimeCall::Validators(call))),
	);
	// Keys of three kinds, one after the other.
	let keys: Vec<u8> = (0..32 + 32 + 33).collect();
	pairs.push((
		calls::session::set_keys(&keys, &[6; 200]),
		RuntimeCall::Session(pallet_session::Call::set_keys {
			keys: SessionKeys::decode(&mut &keys[..]).expect("any bytes are keys"),
			proof: vec![6; 200],
		}),
	));
	let (built, inner): (Vec<Call>, Vec<RuntimeCall>) = pairs.iter().cloned().unzip();
	pairs.push((
		calls::utility::batch_all(built),
		RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: inner }),
	));
	let (built, inner) = pairs[0].clone();
	pairs.push((
		calls::sudo::sudo(built),
		RuntimeCall::Sudo(pallet_sudo::Call::sudo {
			call: Box::new(inner),
		}),
	));
	pairs
}

/// Those of developer rewards.
fn rewards() -> Vec<(Call, RuntimeCall)> {
	type Rewards = pallet_developer_rewards::Call<millrace_runtime::Runtime>;
	let path = [H256::repeat_byte(1), H256::repeat_byte(2)];
	let bounded = || Path::try_from(path.to_vec()).expect("two nodes are a path");
	let (root, account) = (H256::repeat_byte(3), runtime_account());
	let (rewards, total, ends) = (4, u128::MAX, 5);
	let terms = pallet_developer_rewards::NewProgramme {
		root,
		rewards,
		total,
		ends,
	};
	[
		(
			calls::rewards::start(root, rewards, total, ends),
			Rewards::start { terms },
		),
		(
			calls::rewards::claim(6, 7, &path),
			Rewards::claim {
				index: 6,
				amount: 7,
				path: bounded(),
			},
		),
		(
			calls::rewards::claim_for(&client_account(), 6, 7, &path, [8; 64]),
			Rewards::claim_for {
				account: account.clone(),
				index: 6,
				amount: 7,
				path: bounded(),
				signature: MultiSignature::Sr25519(sr25519::Signature::from_raw([8; 64])),
			},
		),
		(
			calls::rewards::release(&client_account()),
			Rewards::release { account },
		),
		(calls::rewards::end(), Rewards::end {}),
		(calls::rewards::sweep(), Rewards::sweep {}),
	]
	.map(|(built, call)| (built, RuntimeCall::DeveloperRewards(call)))
	.to_vec()
}

/// Those of challenges.
fn challenges() -> Vec<(Call, RuntimeCall)> {
	type Receipts = pallet_receipts::Call<millrace_runtime::Runtime>;
	let (peer, signature) = (peer(), [8; 64]);
	let (commitment, salt) = (H256::repeat_byte(1), H256::repeat_byte(2));
	let (epoch, seq) = (4, 5);
	let subject = case(Charge::Omitted).subject;
	let mut pairs = vec![
		(
			calls::receipts::commit(commitment),
			Receipts::commit { commitment },
		),
		(
			calls::receipts::reveal(&case(Charge::Replay), salt, None),
			Receipts::reveal {
				case: case(Charge::Replay),
				salt,
				evidence: None,
			},
		),
		(
			calls::receipts::forget_commit(&client_account(), commitment),
			Receipts::forget_commit {
				who: runtime_account(),
				commitment,
			},
		),
		(
			calls::receipts::show(peer, &case(Charge::Omitted), &shown(), signature),
			Receipts::new_call_variant_show(peer, case(Charge::Omitted), shown(), signature),
		),
		(
			calls::receipts::close_show(peer, subject),
			Receipts::close_show { peer, subject },
		),
	];
	for (charge, evidence) in evidence() {
		let case = case(charge);
		pairs.push((
			calls::receipts::reveal(&case, salt, Some(&evidence)),
			Receipts::reveal {
				case,
				salt,
				evidence: Some(Box::new(evidence)),
			},
		));
	}
	for kind in [
		OffenceKind::Fraud,
		OffenceKind::Omission,
		OffenceKind::Withholding,
	] {
		pairs.push((
			calls::receipts::conclude(peer, epoch, kind),
			Receipts::conclude { peer, epoch, kind },
		));
	}
	for wanted in [Wanted::Package, Wanted::Request, Wanted::Transcript] {
		let data = vec![9u8; 70_000];
		pairs.extend([
			(
				calls::receipts::demand(peer, epoch, seq, wanted),
				Receipts::demand {
					peer,
					epoch,
					seq,
					wanted,
				},
			),
			(
				calls::receipts::post(peer, epoch, seq, wanted, &data, signature),
				Receipts::new_call_variant_post(
					peer,
					epoch,
					seq,
					wanted,
					data.try_into().expect("they fit"),
					signature,
				),
			),
			(
				calls::receipts::expire_demand(peer, epoch, seq, wanted),
				Receipts::expire_demand {
					peer,
					epoch,
					seq,
					wanted,
				},
			),
		]);
	}
	pairs
		.into_iter()
		.map(|(built, call)| (built, RuntimeCall::Receipts(call)))
		.collect()
}

#[test]
fn every_call_is_encoded_as_the_runtime_reads_it() {
	// Whichever version of the metadata the client gets.
	for version in [14, 15, 16] {
		let metadata = metadata(version);
		for (built, expected) in pairs() {
			let bytes = built
				.encode(&metadata)
				.unwrap_or_else(|error| panic!("version {version}: {error}"));
			assert_eq!(
				hex::encode(&bytes),
				hex::encode(expected.encode()),
				"{built}"
			);
			let decoded = RuntimeCall::decode(&mut &bytes[..]).expect("it is a call");
			assert_eq!(decoded, expected, "{built}");
		}
	}
}

#[test]
fn no_call_of_ours_is_forgotten() {
	let built: Vec<String> = pairs().iter().map(|(call, _)| call.to_string()).collect();
	let metadata = metadata(15);
	let ours = [
		"Providers",
		"Capacity",
		"Market",
		"Receipts",
		"Validators",
		"Anchor",
		"DeveloperRewards",
		"Governed",
	];
	for name in ours {
		let pallet = metadata.pallet_by_name(name).expect("the runtime has it");
		for call in pallet.call_variants().expect("it has calls") {
			let call = format!("{name}.{}", call.name);
			assert!(built.contains(&call), "the client does not build {call}");
		}
	}
}

#[test]
fn a_duty_is_a_general_transaction_of_the_runtime() {
	let duties = [
		calls::capacity::report(peer(), &report(), [8; 64]),
		calls::capacity::answer_audit(peer(), &answer(), [8; 64]),
		calls::market::go_live(peer(), 3, [8; 64]),
		calls::receipts::show(peer(), &case(Charge::Omitted), &shown(), [8; 64]),
		calls::receipts::post(peer(), 4, 5, Wanted::Package, &[9; 70_000], [8; 64]),
		calls::anchor::vote(6, &anchor::signed(7).vote, &[8; 65]),
		calls::anchor::deliver(&anchor::messages()),
	];
	for version in [14, 15, 16] {
		let metadata = metadata(version);
		for call in &duties {
			for nonce in [0, 1, 70, u32::MAX] {
				let bytes = rpc::duty(&metadata, call, nonce);
				let transaction = UncheckedExtrinsic::decode(&mut &bytes[..])
					.unwrap_or_else(|error| panic!("{call} with {nonce}: {error}"));
				assert!(
					matches!(transaction.preamble, Preamble::General(_)),
					"{call}: {:?}",
					transaction.preamble
				);
				let expected = call.encode(&metadata).expect("the runtime has it");
				assert_eq!(transaction.function.encode(), expected, "{call}");
				assert_eq!(
					transaction.encode(),
					bytes,
					"nothing is left over of {call}"
				);
			}
		}
	}
}

/// The transactions that the tests flood blocks with are what the runtime takes them for.
#[test]
fn a_flooding_transfer_is_signed_as_the_runtime_checks_it() {
	let metadata = metadata(14);
	let binding = flood::Binding {
		genesis: H256::repeat_byte(3),
		spec_version: millrace_runtime::VERSION.spec_version,
		transaction_version: millrace_runtime::VERSION.transaction_version,
	};
	let signer = subxt_signer::sr25519::dev::eve();
	// A short payload is signed as it is, of a long one its hash.
	let transfer = calls::balances::transfer(&client_account(), 5);
	let long = calls::utility::batch_all(vec![transfer.clone(); 12]);
	for call in [transfer, long] {
		let call = call.encode(&metadata).expect("the runtime has it");
		let bytes = flood::signed(&binding, &signer, &call, 17, 400);
		let transaction = UncheckedExtrinsic::decode(&mut &bytes[..]).expect("it is a transaction");
		assert_eq!(transaction.encode(), bytes);
		assert_eq!(transaction.function.encode(), call);
		let Preamble::Signed(address, signature, extensions) = transaction.preamble else {
			panic!("it is signed");
		};
		let eve = sp_core::sr25519::Public::from_raw(signer.public_key().0);
		let eve = sp_runtime::MultiSigner::from(eve).into_account();
		assert_eq!(address, MultiAddress::Id(eve.clone()));
		let implicit = (
			binding.spec_version,
			binding.transaction_version,
			binding.genesis,
			binding.genesis,
			None::<[u8; 32]>,
		);
		let payload = (call_bytes(&call), extensions, implicit).encode();
		let signature: MultiSignature = signature;
		let message = match payload.len() > 256 {
			true => blake2_256(&payload).0.to_vec(),
			false => payload,
		};
		assert!(
			signature.verify(&message[..], &eve),
			"the signature is Eve's"
		);
	}
}

/// The call again, so that it encodes as itself.
fn call_bytes(call: &[u8]) -> RuntimeCall {
	RuntimeCall::decode(&mut &call[..]).expect("it is a call")
}
