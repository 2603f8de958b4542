//! Four validators and an anchor: checkpoints through changes of the set, FLT both ways to the unit, servers
//! that lie, relayers that are dead, gas that is dear, an anchor that takes blocks back, and a fork.

mod forged;
mod scene;
mod seats;
mod spike;

use millrace_client::{amounts, AccountKey, View};
use millrace_e2e::{
	deal::specification, eventually, fault_proxy::Fault, guests, load::call, network::account,
	provider::settle, until, Deal, Gateway, Network, Provider,
};
use millrace_primitives::{Balance, FLT};
use scene::{Relays, Scene, HOLDER, SHORT, WAIT};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::join;

/// Longest time from a withdrawal's block to where it can be claimed.
const CLAIMABLE: Duration = Duration::from_secs(60);
/// Sessions for which relayers are dead.
const DEAD_SESSIONS: u64 = 3;
/// Blocks of an epoch: more than a test takes, so that nothing is owed for any stake.
const LONG_EPOCH: u32 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flt_goes_to_the_anchor_and_back_and_pays_for_a_job() {
	// Each validator runs its relayer itself.
	let (network, scene) = Scene::start(Relays::InNodes).await.network().await;
	// Some epochs go by until its worker can be ordered.
	let provider = Provider::register(&network, "//Bob", 1, 1).await;
	let _workers = provider.start_workers(&network).await;
	let started = Instant::now();
	let sent = scene.withdraw("//Charlie", "100 FLT").await;
	assert_eq!(sent, 0, "the first message");
	let claimed = scene.claim(sent).await;
	let waited = started.elapsed();
	assert_eq!(claimed["balance"], (100 * FLT).to_string());
	assert!(waited <= CLAIMABLE, "claimable after {waited:?}");
	let again = scene
		.tool(&["anchor", "claim", "0", "--anchor-key", HOLDER, "--json"])
		.await;
	assert_eq!(again.error(), (3, "NothingToClaim".into()));

	let owner = account("//Anchored");
	let to = owner.address();
	let deposited = scene.deposit("40 FLT", &to).await;
	assert_eq!(deposited["taken"], true);
	let view = network.chain.latest().await.expect("the node is up");
	let balance = view
		.balance(&owner.account())
		.await
		.expect("it can be read");
	assert_eq!(balance.free, 40 * FLT, "to the unit");
	let there = view.anchor().await.expect("it can be read").there;
	assert_eq!(there, 60 * FLT);
	assert_eq!(scene.minted().await, 60 * FLT);

	let (gateway, deal) = a_job_is_ordered(&network, &owner).await;
	// What it can spare goes back while the job is done.
	let back = async {
		let sent = scene.withdraw("//Anchored", "5 FLT").await;
		assert_eq!(sent, 1);
		scene.claim(sent).await
	};
	let job = a_job_is_paid(&network, &provider, &gateway, &deal);
	let (claimed, ()) = join!(back, job);
	assert_eq!(claimed["balance"], (65 * FLT).to_string());
	let view = network.chain.latest().await.expect("the node is up");
	let there = view.anchor().await.expect("it can be read").there;
	assert_eq!((there, scene.minted().await), (65 * FLT, 65 * FLT));
}

/// A deal that is paid with what came from the anchor.
async fn a_job_is_ordered(network: &Network, owner: &AccountKey) -> (Gateway, Deal) {
	let gateway = Gateway::start(network).await;
	let package = gateway.upload(&network.http, guests::echo()).await;
	let deal = Deal::create(network, owner, &specification(&package, 1), 20).await;
	(gateway, deal)
}

/// It is served, and paid by the rules.
async fn a_job_is_paid(network: &Network, provider: &Provider, gateway: &Gateway, deal: &Deal) {
	settle(network, &provider.ids(), provider.first_epoch).await;
	let live = deal.until_live(network, 1, 10).await;
	let receipt = eventually("the call is answered", SHORT, async || {
		call(&network.http, &gateway.deal(deal.id), "over the anchor").await
	})
	.await;
	assert_eq!(receipt.receipt.deal, deal.id);
	let view = settle(network, &provider.ids(), live).await;
	let paid: Balance = deal.assert_paid_by_the_rules(&view).await;
	assert!(paid > 0, "{} was paid", amounts::format(paid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_relayers_lying_servers_and_blocks_taken_back_lose_and_double_nothing() {
	let mut scene = Scene::with_epochs(Relays::Beside, LONG_EPOCH).await;
	let sent = scene.withdraw("//Charlie", "100 FLT").await;
	scene.claim(sent).await;
	let before = scene.until_contract_set(2).await;

	// Nobody relays for three sessions, in which seats change; then one commitment for each of them, without
	// anybody's help, the first one in spite of what gas costs.
	scene.stop_relays().await;
	seats::change(&scene).await;
	scene.until_chain_set(before + DEAD_SESSIONS + 1).await;
	seats::until_changed(&scene).await;
	let status = scene.status().await;
	let behind = status["sets_behind"].as_u64().expect("a number");
	assert!(behind >= DEAD_SESSIONS, "{status}");
	spike::is_outlived(&scene).await;
	scene.start_relays();
	scene.until_contract_set(before + DEAD_SESSIONS + 1).await;

	// The anchor takes a deposit back that was not final: nothing is unlocked for it, and the FLT is there
	// still.
	let lost = scene.deposit_only("7 FLT", "//Ferdie").await;
	assert_eq!(lost["messages"], 1);
	scene.anvil.take_back(scene.anvil.finality - 1).await;
	eventually("the deposit is taken back", SHORT, async || {
		match scene.minted().await {
			minted if minted == 100 * FLT => Ok(()),
			minted => Err(amounts::format(minted)),
		}
	})
	.await;
	tokio::time::sleep(Duration::from_secs(2 * scene.anvil.finality)).await;
	assert_eq!(scene.taken().await, 0);
	let to = account("//Returned");
	scene.deposit("7 FLT", &to.address()).await;
	assert_eq!(scene.free(&to).await, 7 * FLT, "once");

	// One of two servers says something else: nobody signs, everybody is told.
	scene.proxy.set(Fault::FalseCalls);
	let deposited = scene.deposit_only("3 FLT", &to.address()).await;
	assert_eq!(deposited["messages"], 2);
	scene.until_alarm("divergent", 1.0).await;
	tokio::time::sleep(Duration::from_secs(2 * scene.anvil.finality)).await;
	assert_eq!(scene.taken().await, 1);
	// It takes no requests: one server alone is not believed.
	scene.proxy.set(Fault::TooMany);
	scene.until_alarm("divergent", 0.0).await;
	tokio::time::sleep(Duration::from_secs(scene.anvil.finality)).await;
	assert_eq!(scene.taken().await, 1);
	// It tells no events: the other one does.
	scene.proxy.set(Fault::NoEvents);
	scene.until_taken(2).await;
	assert_eq!(scene.free(&to).await, 10 * FLT, "once");
	assert_eq!(scene.minted().await, 90 * FLT);
	scene.proxy.set(Fault::None);
	scene.until_contract_set(before + DEAD_SESSIONS + 2).await;
	seats::until_followed(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_is_reported_on_both_sides() {
	let scene = Scene::start(Relays::Beside).await;
	let (network, scene) = scene.network().await;
	let block = begun_at(&scene).await;
	forged::submit_fork(&scene, &network.chain, block).await;
	until_reported(&network, &scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_that_comes_through_another_contract_is_found_in_events() {
	let scene = Scene::start(Relays::Beside).await;
	let (network, scene) = scene.network().await;
	// The other server tells them.
	scene.proxy.set(Fault::NoEvents);
	let block = begun_at(&scene).await;
	forged::report_fork_through_another(&scene, &network.chain, block).await;
	until_reported(&network, &scene).await;
}

/// Block at which the contract stands, or has begun.
async fn begun_at(scene: &Scene) -> u32 {
	let status = scene.status().await;
	let block = status["contract"]["status"]["latest_block"].as_u64();
	let block = block.and_then(|block| u32::try_from(block).ok());
	block.expect("the contract began at one that was signed")
}

/// Waits until the contract is frozen, and the chain holds the fork against those who signed it. None of
/// them has stake here: what the fork costs who has is told where the runtime is tested without nodes.
async fn until_reported(network: &Network, scene: &Scene) {
	eventually("the client is frozen", WAIT, async || {
		let status = scene.try_status().await?;
		match &status["contract"]["status"]["frozen"] {
			Value::Bool(true) => Ok(()),
			_ => Err(status["contract"].to_string()),
		}
	})
	.await;
	// Those who signed it, and nobody else.
	for (name, signed) in [
		("//Alice", true),
		("//Bob", true),
		("//Charlie", true),
		("//Dave", false),
	] {
		let id = account(name).account();
		let what = format!("{name} has equivocated: {signed}");
		until(&network.chain, &what, WAIT, async |view: &View| {
			let known = view.validator(&id).await?;
			let found = !known.equivocations.is_empty() || known.banned_until.is_some();
			Ok((found == signed).then_some(()))
		})
		.await;
	}
}
