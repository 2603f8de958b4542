//! What a bare node answers over its RPC, to a client that knows nothing of ours.

use millrace_client::AccountId;
use millrace_e2e::{
	deal::specification,
	eventually,
	network::{account, Stored},
	Network, Rpc,
};
use millrace_primitives::{
	epoch::{EpochStatus, Phase},
	execution::package_hash,
	market::DealSpec,
	peer::PeerId,
	validators::{ValidatorView, ValidatorsView},
	views::{Content, DealView, Quote, Reason, WhyNot},
	FLT, H256,
};
use serde_json::{json, Value};
use std::time::Duration;
use subxt::rpcs::{
	client::{RpcParams, RpcSubscription},
	Error as RpcError, RpcClient,
};
use tokio::{join, time::timeout};

/// JSON-RPC's own number for parameters that cannot be read.
const INVALID_PARAMS: i64 = -32602;
/// JSON-RPC's own number for a method that is not there.
const NO_METHOD: i64 = -32601;
/// Longest wait for a notification: a few blocks.
const BLOCKS: Duration = Duration::from_secs(30);
/// Most subscriptions to our methods that a node serves at a time.
const MAX_SUBSCRIPTIONS: usize = 256;
/// What the next one is refused with.
const TOO_MANY_SUBSCRIPTIONS: i32 = 7006;
/// Most subscriptions of one connection.
const MAX_OF_CONNECTION: usize = 64;
/// What the server refuses the connection's next one with.
const TOO_MANY_OF_CONNECTION: i32 = -32006;
/// The first day of 2020 in milliseconds: earlier than any block, later than a clock that stands.
const YEAR_2020_MS: u64 = 1_577_836_800_000;

#[tokio::test]
async fn a_bare_node_answers_by_itself() {
	let mut network = Network::dev().await;
	let rpc = network.rpc.clone();

	let health = rpc.result("system_health", json!([])).await;
	assert_eq!(health["isSyncing"], false, "{health}");
	let properties = rpc.result("system_properties", json!([])).await;
	assert_eq!(
		(&properties["tokenSymbol"], &properties["tokenDecimals"]),
		(&json!("FLT"), &json!(18))
	);
	let version = rpc.result("state_getRuntimeVersion", json!([])).await;
	assert_eq!(version["specName"], "millrace");

	every_method_is_listed(&rpc).await;
	the_clock_is_that_of_the_preset(&rpc).await;
	nothing_is_there_yet(&rpc).await;
	join!(
		orders_can_be_priced_and_made(&network),
		bad_parameters_have_their_errors(&rpc),
		subscriptions_follow_finality(&network)
	);
	places_for_subscriptions_run_out_and_come_back(&network).await;

	let supply = network
		.chain
		.latest()
		.await
		.expect("the node is up")
		.total_issuance()
		.await;
	let supply = supply.expect("the issuance can be read");
	assert!(
		supply <= 1_000_000_000 * FLT && supply > 999_999_999 * FLT,
		"fees burn: {supply}"
	);
	// It is still the same process that answers.
	network.node.until_up().await;
}

async fn every_method_is_listed(rpc: &Rpc) {
	let listed = rpc.result("rpc_methods", json!([])).await;
	let listed = listed["methods"].as_array().expect("methods are listed");
	for method in [
		"epochs_current",
		"epochs_seed",
		"epochs_subscribeCurrent",
		"epochs_unsubscribeCurrent",
		"capacity_commitment",
		"capacity_earnings",
		"capacity_round",
		"market_quote",
		"market_whyNot",
		"market_deal",
		"market_deals",
		"market_subscribeDeal",
		"market_unsubscribeDeal",
		"receipts_report",
		"validators_list",
		"validators_account",
		"author_rotateKeysWithOwner",
		"payment_queryInfo",
		"system_accountNextIndex",
		"author_submitExtrinsic",
	] {
		assert!(listed.contains(&json!(method)), "{method} is not listed");
	}
}

async fn the_clock_is_that_of_the_preset(rpc: &Rpc) {
	let status = rpc.result("epochs_current", json!([])).await;
	let status: EpochStatus = serde_json::from_value(status).expect("that is a status");
	let lengths = status.info.lengths;
	assert_eq!(status.info.slot_ms, 1_000);
	assert_eq!(
		(
			lengths.len,
			lengths.report_window,
			lengths.fold_window,
			lengths.answer_window
		),
		(20, 6, 2, 8)
	);
	assert!(status.position < 20);
	// The first block, asked for by its hash, is the first of epoch 0.
	let first = eventually("the first block", BLOCKS, async || {
		rpc.block_hash(1).await.ok_or_else(|| "none yet".into())
	})
	.await;
	let status = rpc.epoch(first).await;
	assert_eq!(
		(status.info.index, status.info.start, status.position),
		(0, 1, 0)
	);
	assert_eq!(status.phase, Phase::Report);
	let seed = rpc.result("epochs_seed", json!([0, first])).await;
	assert_eq!(seed, json!(status.seed));
	let later = rpc.result("epochs_seed", json!([1, first])).await;
	assert_eq!(later, Value::Null, "it is not folded yet");
	// Guests of the first epoch do not live in 1970.
	assert!(status.info.start_ms > YEAR_2020_MS, "{status:?}");
}

async fn nothing_is_there_yet(rpc: &Rpc) {
	let peer = PeerId(H256::repeat_byte(1));
	let null = Value::Null;
	assert_eq!(rpc.result("capacity_commitment", json!([peer])).await, null);
	assert_eq!(rpc.result("capacity_round", json!([peer])).await, null);
	let account = account("//Bob").account();
	let earnings = rpc.result("capacity_earnings", json!([account])).await;
	assert_eq!(
		earnings,
		json!({ "claimable": "0", "vesting": "0", "deposit": "0", "places": 0, "buckets": [] })
	);
	assert_eq!(rpc.result("market_deal", json!([0])).await, null);
	assert_eq!(rpc.result("market_deals", json!([])).await, json!([]));
	assert_eq!(
		rpc.result("market_deals", json!([null, 0, 100])).await,
		json!([])
	);
	assert_eq!(rpc.result("receipts_report", json!([peer, 0])).await, null);

	// The one seat is that of genesis, since nobody has stake.
	let list = rpc.result("validators_list", json!([])).await;
	let list: ValidatorsView<AccountId> = serde_json::from_value(list).expect("that is a list");
	let alice = millrace_e2e::network::account("//Alice").account();
	assert!(!list.bootstrapped && list.candidates == 0, "{list:?}");
	assert_eq!((list.total_stake, list.needed), (0, 100 * FLT));
	let seats: Vec<AccountId> = list.seats.iter().map(|seat| seat.who).collect();
	assert_eq!((seats, list.planned), (vec![alice], vec![alice]));
	let seated = rpc.result("validators_account", json!([alice])).await;
	let seated: ValidatorView = serde_json::from_value(seated).expect("that is an account");
	assert!(seated.seated && seated.planned && !seated.disabled);
	assert_eq!(seated.keys.map(|keys| keys.len()), Some(32 + 32 + 33));
	let other = rpc.result("validators_account", json!([account])).await;
	let other: ValidatorView = serde_json::from_value(other).expect("that is an account");
	assert!(!other.seated && other.keys.is_none() && other.rank.is_none());
}

fn order() -> DealSpec<AccountId> {
	let module = b"a module that nobody runs";
	let package = Stored {
		hash: package_hash(module),
		size: module.len() as u32,
		url: "http://127.0.0.1:1/module".into(),
	};
	specification(&package, 2)
}

async fn orders_can_be_priced_and_made(network: &Network) {
	let spec = order();
	let price = spec.epoch_price_ceiling().expect("it fits");
	let quote = network.rpc.result("market_quote", json!([spec])).await;
	// Amounts are decimal strings: numbers would lose digits.
	assert_eq!(quote["min_escrow"], json!((2 * price).to_string()));
	let quote: Quote = serde_json::from_value(quote).expect("that is a quote");
	assert!(
		quote.workers.is_empty() && !quote.truncated,
		"nobody offers: {quote:?}"
	);
	assert_eq!((quote.closing_deposit, quote.epoch_price), (price, 0));
	assert_eq!(quote.paid_epochs, None);
	reasons_can_be_asked_for(&network.rpc, json!({ "spec": spec }), None).await;

	let client = account("//Charlie");
	let deal = millrace_e2e::Deal::create(network, &client, &spec, 5).await;
	let shown = network.rpc.result("market_deal", json!([deal.id])).await;
	assert_eq!(
		shown["spec"]["package"]["links"],
		json!(["http://127.0.0.1:1/module"])
	);
	let shown: DealView<AccountId> = serde_json::from_value(shown).expect("that is a deal");
	assert_eq!((shown.owner, shown.escrow), (client.account(), deal.escrow));
	assert_eq!(shown.spec, spec);
	assert_eq!((shown.heir, shown.grace), (None, None));
	reasons_can_be_asked_for(&network.rpc, json!({ "deal": deal.id }), None).await;
	let unknown = Some(Content::UnknownDeal);
	reasons_can_be_asked_for(&network.rpc, json!({ "deal": deal.id + 1 }), unknown).await;
	let mine = network
		.rpc
		.result("market_deals", json!([client.account()]))
		.await;
	assert_eq!(mine[0]["deal"], json!(deal.id));
	assert_eq!(mine.as_array().map(Vec::len), Some(1));
	let others = network
		.rpc
		.result("market_deals", json!([account("//Eve").account()]))
		.await;
	assert_eq!(others, json!([]));
}

/// Nobody offers, so there is nothing to count but a peer that is named.
async fn reasons_can_be_asked_for(rpc: &Rpc, subject: Value, content: Option<Content>) {
	let why = rpc.result("market_whyNot", json!([subject])).await;
	let why: WhyNot = serde_json::from_value(why).expect("those are reasons");
	let nothing = WhyNot {
		content,
		..Default::default()
	};
	assert_eq!(why, nothing, "{subject}");
	if content.is_some() {
		return;
	}
	let peer = PeerId(H256::repeat_byte(1));
	let why = rpc.result("market_whyNot", json!([subject, peer])).await;
	let why: WhyNot = serde_json::from_value(why).expect("those are reasons");
	assert_eq!((why.looked_at, why.eligible), (1, 0), "{subject}");
	assert_eq!(why.reasons, [(Reason::NoOffer, 1)], "{subject}");
}

async fn bad_parameters_have_their_errors(rpc: &Rpc) {
	let nowhere = H256::repeat_byte(0xee);
	let peer = PeerId(H256::repeat_byte(1));
	for (method, params) in [
		("epochs_current", json!([nowhere])),
		("capacity_commitment", json!([peer, nowhere])),
		(
			"capacity_earnings",
			json!([account("//Bob").account(), nowhere]),
		),
		("capacity_round", json!([peer, nowhere])),
		("market_quote", json!([order(), null, nowhere])),
		("market_whyNot", json!([{ "deal": 0 }, null, nowhere])),
		("market_deal", json!([0, nowhere])),
		("market_deals", json!([null, 0, 10, nowhere])),
		("receipts_report", json!([peer, 0, nowhere])),
		("epochs_seed", json!([0, nowhere])),
		("validators_list", json!([nowhere])),
		(
			"validators_account",
			json!([account("//Bob").account(), nowhere]),
		),
	] {
		let fault = rpc
			.call(method, params)
			.await
			.expect_err("there is no such block");
		assert_eq!(fault.code, 7001, "{method}: {fault:?}");
		assert_eq!(fault.data["code"], "block_unknown", "{method}: {fault:?}");
		assert!(fault.data["hint"]
			.as_str()
			.is_some_and(|hint| !hint.is_empty()));
	}
	for limit in [0, 101] {
		let fault = rpc.call("market_deals", json!([null, 0, limit])).await;
		let fault = fault.expect_err("a page has 1 to 100 deals");
		assert_eq!(
			(fault.code, &fault.data["code"]),
			(7005, &json!("page_out_of_range"))
		);
	}
	let mut torn = json!(order());
	torn["price_ceiling"] = json!(20);
	for (method, params) in [
		("epochs_current", json!(["no hash"])),
		("capacity_commitment", json!([])),
		("capacity_commitment", json!(["0x00"])),
		("capacity_earnings", json!(["nobody"])),
		("capacity_round", json!([])),
		("market_quote", json!([{ "class": 1 }])),
		("market_quote", json!([torn])),
		("market_quote", json!([order(), 20])),
		("market_whyNot", json!([0])),
		("market_whyNot", json!([{ "deal": 0 }, "0x00"])),
		("market_deal", json!(["seven"])),
		("market_deal", json!([-1])),
		("receipts_report", json!([peer])),
		("epochs_seed", json!([])),
		("validators_account", json!([])),
	] {
		let fault = rpc
			.call(method, params.clone())
			.await
			.expect_err("that cannot be read");
		assert_eq!(fault.code, INVALID_PARAMS, "{method} {params}: {fault:?}");
	}
	let fault = rpc
		.call("market_nothing", json!([]))
		.await
		.expect_err("there is no such method");
	assert_eq!(fault.code, NO_METHOD, "{fault:?}");
}

async fn subscriptions_follow_finality(network: &Network) {
	let socket = RpcClient::from_insecure_url(network.node.ws())
		.await
		.expect("it connects");
	let mut clock = subscribe_clock(&socket)
		.await
		.expect("the node takes subscriptions");
	let mut last: Option<EpochStatus> = None;
	for _ in 0..3 {
		let status = next(&mut clock).await;
		if let Some(last) = last {
			// The first block knows when the epoch began, which genesis does not.
			let order = |status: &EpochStatus| {
				let EpochStatus { info, position, .. } = status;
				(info.index, info.start_ms, *position)
			};
			assert!(order(&status) > order(&last), "{status:?} after {last:?}");
		}
		last = Some(status);
	}

	// A deal is shown as it stands, and again when it changes.
	let client = account("//Ferdie");
	let deal = millrace_e2e::Deal::create(network, &client, &order(), 5).await;
	let mut params = RpcParams::new();
	params.push(deal.id).expect("a number is JSON");
	let mut deals: RpcSubscription<Option<DealView<AccountId>>> = socket
		.subscribe("market_subscribeDeal", params, "market_unsubscribeDeal")
		.await
		.expect("the node takes subscriptions");
	let shown = next(&mut deals).await.expect("the deal stands");
	assert_eq!((shown.deal, shown.escrow), (deal.id, deal.escrow));
	let call = millrace_client::calls::market::top_up(deal.id, FLT);
	network
		.chain
		.submit(&client, call)
		.await
		.expect("anybody may add to it");
	let shown = next(&mut deals).await.expect("the deal stands");
	assert_eq!(shown.escrow, deal.escrow + FLT);
}

async fn places_for_subscriptions_run_out_and_come_back(network: &Network) {
	let url = network.node.ws();
	let connect = async || {
		RpcClient::from_insecure_url(&url)
			.await
			.expect("it connects")
	};
	let mut greedy = Vec::new();
	for _ in 0..MAX_SUBSCRIPTIONS / MAX_OF_CONNECTION {
		greedy.push(connect().await);
	}
	let modest = connect().await;
	// The places of connections that ended just now come back when the node notices.
	let mut taken = Vec::new();
	eventually("all places", BLOCKS, async || {
		for client in &greedy {
			while let Ok(clock) = subscribe_clock(client).await {
				taken.push(clock);
			}
		}
		match taken.len() {
			MAX_SUBSCRIPTIONS => Ok(()),
			other => Err(format!("{other} are taken")),
		}
	})
	.await;
	let Err(RpcError::User(fault)) = subscribe_clock(&greedy[0]).await else {
		panic!("the connection has all that it may have");
	};
	assert_eq!(fault.code, TOO_MANY_OF_CONNECTION, "{fault:?}");
	let Err(RpcError::User(fault)) = subscribe_clock(&modest).await else {
		panic!("there is no place left for anybody");
	};
	assert_eq!(fault.code, TOO_MANY_SUBSCRIPTIONS, "{fault:?}");
	let data = fault.data.expect("every error has data");
	assert!(data.get().contains("too_many_subscriptions"), "{data}");
	drop((taken, greedy));
	let mut clock = eventually("a place", BLOCKS, async || {
		subscribe_clock(&modest)
			.await
			.map_err(|error| error.to_string())
	})
	.await;
	next(&mut clock).await;
}

async fn subscribe_clock(socket: &RpcClient) -> Result<RpcSubscription<EpochStatus>, RpcError> {
	socket
		.subscribe(
			"epochs_subscribeCurrent",
			RpcParams::new(),
			"epochs_unsubscribeCurrent",
		)
		.await
}

async fn next<T: serde::de::DeserializeOwned>(subscription: &mut RpcSubscription<T>) -> T {
	timeout(BLOCKS, subscription.next())
		.await
		.expect("a notification comes within some blocks")
		.expect("the subscription does not end")
		.expect("the notification can be read")
}
