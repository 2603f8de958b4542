//! Everybody cheats on one chain, each in its own way: workers that lie about outputs, gas and
//! packages, that leave receipts out, sign numbers twice or withhold data; challengers that lie and
//! copy, and a peer that charges itself. Each is caught or gains nothing, and what everybody owns at
//! the end is what the rules leave, to the unit.

mod book;
mod model;
mod scene;

use book::Said;
use codec::Encode;
use millrace_client::{AccountId, View};
use millrace_e2e::{
	eventually, guests,
	network::account,
	provider::{settle, EPOCHS},
	until,
};
use millrace_primitives::{
	challenge::{Charge, OffenceKind},
	epoch::Phase,
	execution::response_hash,
	peer::PeerId,
	Balance, EpochIndex, FLT,
};
use model::Slash;
use scene::{
	Answered, Role, Scene, CLIENT, COPIER, DELEGATOR, GATEKEEPER, OWN, ROLES, SECOND, SLANDERER,
	STAKE, WATCHER,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::join;

/// Held with each challenge on development chains.
const BOND: Balance = FLT;
/// Longest wait for another node to have followed, and for a challenger that is done to end.
const SHORT: Duration = Duration::from_secs(60);

/// Part of the stake that an offence costs, in hundredths.
fn percent(role: Role) -> Balance {
	match role {
		Role::Output | Role::Gas | Role::Package | Role::Itself => 50,
		Role::Omit | Role::Double | Role::Withhold => 5,
		Role::Honest => 0,
	}
}

/// What a peer loses by its offence.
fn due(role: Role) -> Balance {
	STAKE * percent(role) / 100
}

/// Who loses it: the provider's own stake pays first, as far as units that it missed have left it.
fn slash(role: Role, missed: Balance) -> Slash {
	let own = if role == Role::Output { OWN } else { STAKE };
	Slash::of(percent(role), STAKE, own - missed)
}

/// Those that lose something by what they do.
fn cheats() -> impl Iterator<Item = Role> {
	ROLES.into_iter().filter(|role| percent(*role) > 0)
}

/// Who may have found a peer out: watchers compete where both can see it.
fn finders(role: Role) -> &'static [&'static str] {
	match role {
		// Nobody but an audit has shown these.
		Role::Output | Role::Withhold => &[WATCHER],
		Role::Gas | Role::Package => &[GATEKEEPER, WATCHER],
		// Nobody but the gateway has these receipts.
		Role::Omit | Role::Double => &[GATEKEEPER],
		Role::Itself => &[SECOND],
		Role::Honest => &[],
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cheats_is_caught_or_gains_nothing() {
	let scene = Scene::start().await;
	let chain = &scene.network.chain;
	let before = chain.latest().await.expect("the node is up");
	// Nodes drop the state of old blocks: what is compared at the end is read now.
	let first = before.block().number + 1;
	let owned = Owned::read(&before).await;
	let key = scene.peer(Role::Itself).key_file.display().to_string();
	let mut itself = scene.challenger(SECOND, &["itself", "--peer-key", &key]);

	let working: Vec<PeerId> = ROLES
		.into_iter()
		.filter(|role| role.works())
		.map(|role| scene.id(role))
		.collect();
	settle(
		&scene.network,
		&working,
		scene.providers[&Role::Honest].first_epoch,
	)
	.await;
	let epoch = scene.until_all_work().await;
	let rpc = format!("http://127.0.0.1:{}", scene.network.node.rpc_port);
	let victim = scene.id(Role::Gas).to_string();
	let copy = ["copy", "--rpc", &rpc, "--peer", &victim];
	let mut copier = scene.challenger(COPIER, &copy);
	let calls = scene.call_all(epoch).await;
	clients_see_what_is_signed(&calls);

	join!(
		all_pay(&scene),
		who_challenges_the_truth_pays(&scene, &calls[&Role::Honest], epoch)
	);
	assert_eq!(itself.ended(SHORT).await, Some(0), "{}", itself.log());
	assert_eq!(copier.ended(SHORT).await, Some(0), "{}", copier.log());

	let after = chain.latest().await.expect("the node is up");
	let last = after.block().number;
	let said = scene.book.of(first..=last).await;
	let all = scene.book.of(1..=last).await;
	let missed = missed(&scene, &all);
	let reporters = reporters(&scene, &said);
	the_copier_leads_nothing(&said);
	slander_is_refuted(&scene, &said, &calls[&Role::Honest]);
	stakes_lost_what_the_rules_take(&scene, &after, &missed).await;
	let found = (&reporters, &missed);
	money_went_by_the_rules(&scene, &owned, &after, &said, found).await;
	let unpaid = unpaid(&all, scene.id(Role::Honest));
	scene.deals[&Role::Honest]
		.assert_paid_but_for(&after, &unpaid)
		.await;
	the_other_node_agrees(&scene, &after).await;
}

/// What clients hold in their hands: nothing of it looks wrong by itself.
fn clients_see_what_is_signed(calls: &BTreeMap<Role, Vec<Answered>>) {
	for (role, answered) in calls {
		for call in answered {
			let body = &call.answer.body;
			let expected = match role {
				Role::Output => format!("{}!", call.text),
				Role::Package | Role::Honest => guests::OTHER.into(),
				_ => call.text.clone(),
			};
			assert_eq!(body.as_ref(), expected.as_bytes(), "of {role:?}");
			let receipt = &call.receipt.receipt;
			assert_eq!(receipt.response, response_hash(body));
			assert_eq!(call.answer.header("x-millrace-verified"), "replay");
		}
	}
	let numbers = |role: Role| -> Vec<u32> {
		let receipts = calls[&role].iter();
		receipts.map(|call| call.receipt.receipt.seq).collect()
	};
	assert_eq!(numbers(Role::Omit), [0, 1, 1_000_002, 3, 4, 1_000_005]);
	assert_eq!(numbers(Role::Double), [0, 1, 1, 3, 4, 4]);
	assert_eq!(numbers(Role::Honest), [0, 1, 2]);
}

/// Waits until every peer that cheats has paid. Each of these slashes waits, and is applied once.
async fn all_pay(scene: &Scene) {
	eventually("all who cheat pay", EPOCHS, async || {
		let paid = scene.book.paid();
		let owing: Vec<Role> = cheats()
			.filter(|role| !paid.contains(&scene.id(*role)))
			.collect();
		match owing.is_empty() {
			true => Ok(()),
			false => Err(format!("{owing:?} have not")),
		}
	})
	.await;
}

/// What each peer has lost by units that it missed. Whether a worker finds its solutions in time is
/// the machine's affair, above all in the first epoch, when all of them fill their memory at once;
/// what a miss costs is not.
fn missed(scene: &Scene, said: &[Said]) -> BTreeMap<Role, Balance> {
	let mut missed = BTreeMap::from(ROLES.map(|role| (role, 0)));
	for said in said {
		if let Said::Missed {
			peer,
			charged,
			slashed,
			..
		} = said
		{
			let cost = model::miss(STAKE) * Balance::from(*charged);
			assert_eq!(*slashed, cost, "{said:?}");
			*missed.entry(role_of(scene, *peer)).or_default() += slashed;
		}
	}
	missed
}

/// The epochs in which a peer missed units: its work in them is not paid for.
fn unpaid(said: &[Said], of: PeerId) -> Vec<(PeerId, EpochIndex)> {
	let missed = said.iter().filter_map(|said| match said {
		Said::Missed { peer, epochs, .. } if *peer == of => Some(epochs.clone()),
		_ => None,
	});
	missed.flatten().map(|epoch| (of, epoch)).collect()
}

/// Stakes have lost what offences and misses cost, and nothing waits any more.
async fn stakes_lost_what_the_rules_take(
	scene: &Scene,
	after: &View,
	missed: &BTreeMap<Role, Balance>,
) {
	for role in ROLES {
		let commitment = after.commitment(scene.id(role)).await;
		let commitment = commitment.expect("it can be read");
		let commitment = commitment.expect("a stake that answers is not withdrawn");
		let lost = due(role) + missed[&role];
		assert_eq!(commitment.slashed, lost, "{role:?}: {commitment:?}");
		assert_eq!(commitment.stake, STAKE - lost, "{role:?}: {commitment:?}");
		assert_eq!(commitment.waiting, 0, "{role:?}: {commitment:?}");
	}
}

/// Somebody challenges the honest peer twice: says that a call comes to something else, and that a
/// receipt was left out.
async fn who_challenges_the_truth_pays(scene: &Scene, calls: &[Answered], epoch: EpochIndex) {
	let door = &scene.peer(Role::Honest).url;
	let receipt = |call: &Answered| format!("0x{}", hex::encode(call.receipt.encode()));
	let told = |ran: millrace_e2e::Ran| ran.succeeded().json()["events"].to_string();
	let first = receipt(&calls[0]);
	let lie = ["lie", "--receipt", &first, "--door", door];
	let lied = told(scene.challenged(SLANDERER, &lie).await);
	assert!(lied.contains("ChallengeRefuted"), "{lied}");

	let chain = &scene.network.chain;
	until(
		chain,
		"the epoch is reported",
		EPOCHS,
		async |view: &View| {
			let status = view.epoch().await?;
			let reported = status.info.index > epoch && status.phase != Phase::Report;
			Ok(reported.then_some(()))
		},
	)
	.await;
	let second = receipt(&calls[1]);
	let claim = ["claim", "--receipt", &second, "--door", door];
	let claimed = told(scene.challenged(SLANDERER, &claim).await);
	assert!(claimed.contains("LeafAsked"), "{claimed}");
	let peer = scene.id(Role::Honest);
	until(chain, "the leaf is shown", EPOCHS, async |view: &View| {
		Ok(view.cases(peer).await?.is_empty().then_some(()))
	})
	.await;
}

/// Who is rewarded for each peer that was found out: once each, and somebody who could see it.
fn reporters(scene: &Scene, said: &[Said]) -> BTreeMap<Role, &'static str> {
	let mut reporters = BTreeMap::new();
	for role in cheats() {
		let peer = scene.id(role);
		let found: Vec<(AccountId, Balance)> = match role {
			Role::Withhold => withheld(said, peer),
			_ => concluded(said, peer, kind(role)),
		};
		let [(who, amount)] = &found[..] else {
			panic!("{role:?} should pay once: {found:?}");
		};
		assert_eq!(*amount, due(role), "of {role:?}");
		let names = finders(role).iter();
		let name = names.copied().find(|name| id(name) == *who);
		reporters.insert(role, name.unwrap_or_else(|| panic!("{who} found {role:?}")));
	}
	reporters
}

fn kind(role: Role) -> OffenceKind {
	match role {
		Role::Omit | Role::Double => OffenceKind::Omission,
		Role::Withhold => OffenceKind::Withholding,
		_ => OffenceKind::Fraud,
	}
}

/// Cases against a peer that were concluded: all of one kind.
fn concluded(said: &[Said], of: PeerId, expected: OffenceKind) -> Vec<(AccountId, Balance)> {
	let rows = said.iter().filter_map(|said| match said {
		Said::Concluded {
			peer,
			kind,
			leader,
			amount,
		} if *peer == of => {
			assert_eq!(*kind, expected);
			Some((*leader, *amount))
		}
		_ => None,
	});
	rows.collect()
}

/// Who demanded what a peer did not post, and what that cost: once, however many data it were.
fn withheld(said: &[Said], of: PeerId) -> Vec<(AccountId, Balance)> {
	let demanded = said.iter().find_map(|said| match said {
		Said::Demanded { peer, who } if *peer == of => Some(*who),
		_ => None,
	});
	let demanded = demanded.expect("its data were demanded");
	let charged = said.iter().filter_map(|said| match said {
		Said::Withheld { peer, amount } if *peer == of && *amount > 0 => Some(*amount),
		_ => None,
	});
	charged.map(|amount| (demanded, amount)).collect()
}

/// Whoever copies a reveal has committed later: it takes the lead of nobody.
fn the_copier_leads_nothing(said: &[Said]) {
	let leads = said
		.iter()
		.find(|said| matches!(said, Said::Joined { who, leads: true } if *who == id(COPIER)));
	assert_eq!(leads, None);
}

/// Both false challenges are refuted, at the price that the rules name.
fn slander_is_refuted(scene: &Scene, said: &[Said], calls: &[Answered]) {
	let refuted: Vec<_> = said
		.iter()
		.filter_map(|said| match said {
			Said::Refuted {
				case,
				who,
				burnt,
				provider,
			} => Some((case, who, (*burnt, *provider))),
			_ => None,
		})
		.collect();
	let charges: Vec<Charge> = refuted.iter().map(|(case, ..)| case.charge).collect();
	assert_eq!(charges, [Charge::Replay, Charge::Omitted]);
	for (case, who, (burnt, provider)) in &refuted {
		assert_eq!((case.peer, *who), (scene.id(Role::Honest), &id(SLANDERER)));
		assert_eq!(burnt + provider, BOND);
		// The cost burns, and of the rest one half.
		assert!(0 < *provider && provider < burnt, "{refuted:?}");
	}
	let gas = calls[0].receipt.receipt.gas;
	let cost = model::replay_cost(scene.honest_package.size, gas);
	assert_eq!(refuted[0].2, model::lost_bond(BOND, cost));
}

/// What everybody owns is what they owned before, less and more by the rules; and so is what there is.
async fn money_went_by_the_rules(
	scene: &Scene,
	before: &Owned,
	after: &View,
	said: &[Said],
	(reporters, missed): (&BTreeMap<Role, &'static str>, &BTreeMap<Role, Balance>),
) {
	let mut moved = Ledger::default();
	let (mut burnt, mut pushed): (Balance, Balance) = (0, 0);
	for said in said {
		match said {
			Said::Fee { who, amount } => {
				burnt += amount;
				// Others pay, too: Dave settles.
				if let Some(name) = name_of(who) {
					moved.take(name, *amount);
				}
			}
			Said::Paid {
				peer,
				paid,
				burnt: fire,
			} => {
				burnt += fire;
				moved.give(role_of(scene, *peer).account(), *paid);
			}
			Said::Refuted {
				case,
				burnt: fire,
				provider,
				..
			} => {
				burnt += fire;
				moved.take(SLANDERER, BOND);
				moved.give(role_of(scene, case.peer).account(), *provider);
			}
			Said::Applied {
				peer,
				burnt: fire,
				reporter,
				bounty,
			} => {
				burnt += fire;
				let role = role_of(scene, *peer);
				let rule = slash(role, missed[&role]);
				assert_eq!(*reporter, rule.reward, "of {role:?}");
				assert_eq!(fire + reporter + bounty, rule.sum(), "of {role:?}");
				assert!(*bounty <= rule.sum() / 100, "of {role:?}: {bounty}");
				moved.take(role.account(), rule.own);
				if role == Role::Output {
					moved.take(DELEGATOR, rule.other);
				}
				// Whoever has found it out applies it, too.
				moved.give(reporters[&role], reporter + bounty);
			}
			Said::Missed { peer, slashed, .. } => {
				burnt += slashed;
				moved.take(role_of(scene, *peer).account(), *slashed);
			}
			// A part of what a miss costs does not burn.
			Said::Pushed { who, amount } => {
				assert!(*amount <= model::miss(STAKE) / 100, "{said:?}");
				pushed += amount;
				if let Some(name) = name_of(who) {
					moved.give(name, *amount);
				}
			}
			Said::Forfeited { .. } | Said::Posted { .. } | Said::Claimed { .. } => {
				panic!("nobody was to do this: {said:?}");
			}
			Said::Joined { .. }
			| Said::Moot { .. }
			| Said::Concluded { .. }
			| Said::Demanded { .. }
			| Said::Withheld { .. } => {}
		}
	}
	let now = Owned::read(after).await;
	for name in names() {
		let expected = before.each[name] as i128 + moved.of(name);
		assert_eq!(now.each[name] as i128, expected, "what {name} owns");
	}
	let gone = burnt - pushed;
	assert_eq!(now.all, before.all - gone);

	// Nobody gains by what it does but those who watch, and who is honest.
	for name in [GATEKEEPER, WATCHER] {
		assert!(moved.of(name) > 0, "{name}: {}", moved.of(name));
	}
	let honest = moved.of(Role::Honest.account()) + missed[&Role::Honest] as i128;
	assert!(honest > 0, "{honest}");
	for role in cheats() {
		assert!(moved.of(role.account()) < 0, "{role:?}");
	}
	for name in [SLANDERER, COPIER, DELEGATOR] {
		assert!(moved.of(name) < 0, "{name}");
	}
	let together = moved.of(SECOND) + moved.of(Role::Itself.account());
	assert!(together < 0, "who charges itself: {together}");
	assert_eq!(moved.of(CLIENT), 0);
}

/// Another node has executed the same blocks, calls that were run again among them.
async fn the_other_node_agrees(scene: &Scene, view: &View) {
	let (block, rpc) = (view.block(), scene.follower.rpc());
	eventually("the other node has followed", SHORT, async || {
		match rpc.finalized_number().await {
			height if height >= block.number => Ok(()),
			height => Err(format!("it is at {height}")),
		}
	})
	.await;
	assert_eq!(rpc.block_hash(block.number).await, Some(block.hash));
}

/// What was taken and given, by name.
#[derive(Debug, Default)]
struct Ledger(BTreeMap<&'static str, i128>);

impl Ledger {
	fn give(&mut self, name: &'static str, amount: Balance) {
		*self.0.entry(name).or_default() += amount as i128;
	}

	fn take(&mut self, name: &'static str, amount: Balance) {
		*self.0.entry(name).or_default() -= amount as i128;
	}

	fn of(&self, name: &str) -> i128 {
		self.0.get(name).copied().unwrap_or_default()
	}
}

/// Everybody who takes part.
fn names() -> impl Iterator<Item = &'static str> {
	let others = [
		GATEKEEPER, WATCHER, SLANDERER, COPIER, SECOND, DELEGATOR, CLIENT,
	];
	ROLES.into_iter().map(Role::account).chain(others)
}

fn id(name: &str) -> AccountId {
	account(name).account()
}

/// The name of an account, if it is one that takes part.
fn name_of(who: &AccountId) -> Option<&'static str> {
	names().find(|name| id(name) == *who)
}

fn role_of(scene: &Scene, peer: PeerId) -> Role {
	let role = ROLES.into_iter().find(|role| scene.id(*role) == peer);
	role.unwrap_or_else(|| panic!("nobody knows {peer}"))
}

/// What everybody owns at a block. Escrow is not among it: it stands in the chain's pot.
struct Owned {
	each: BTreeMap<&'static str, Balance>,
	/// What there is, whoever owns it.
	all: Balance,
}

impl Owned {
	async fn read(view: &View) -> Self {
		let mut each = BTreeMap::new();
		for name in names() {
			let balance = view.balance(&id(name)).await.expect("it can be read");
			each.insert(name, balance.total());
		}
		let all = view.total_issuance().await.expect("it can be read");
		Self { each, all }
	}
}
