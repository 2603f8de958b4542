//! Reports of peers whose keys own nothing, through blocks that are full of tipped transfers; and
//! the refusal of every duty that is not one, before it costs block space.

use millrace_client::{calls, AccountId, PeerKeypair, View};
use millrace_e2e::{
	eventually, flood::Flood, network::account, rpc::duty, until, Fault, Network, Provider, Rpc,
};
use millrace_primitives::{
	audit::AuditAnswer,
	epoch::{EpochStatus, Phase},
	peer::{key_proof, PeerId, PeerSignature},
	report::{Report, Served},
	EpochIndex, H256,
};
use std::time::Duration;
use subxt::Metadata;

/// Batches of each of the two accounts: more than the blocks up to the window's end can hold.
const BATCHES: u32 = 150;
/// Most weight that ordinary transactions may take of a block: three quarters of one and a half
/// seconds and of 5 MiB.
const FULL: (u64, u64) = (1_125_000_000_000, 5 * 1024 * 1024 / 4 * 3);
/// Longest wait for anything that takes an epoch.
const EPOCH: Duration = Duration::from_secs(120);
/// Longest wait for a block or two.
const BLOCKS: Duration = Duration::from_secs(20);
/// What a pool says to a transaction that it has, or that it has seen included.
const KNOWN: [i64; 2] = [1012, 1013];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfunded_peer_reports_through_full_blocks() {
	let network = Network::dev().await;
	let rpc = &network.rpc;
	// The test itself does what daemons do, so that it knows every byte.
	let provider = Provider::register(&network, "//Bob", 3, 1).await;
	let idle = register_idle_peer(&network, &provider).await;
	let metadata = rpc.metadata().await;
	let epoch = provider.first_epoch;
	let flood = Flood::prepare(&network, BATCHES).await;
	until_best(rpc, "the epoch's end", |status| {
		(status.info.index == epoch && status.position >= 14) || status.info.index > epoch
	})
	.await;
	let flowing = flood.start();
	// A block later than it begins: the pool may still look at the block before the best one.
	let window = until_best(rpc, "the report window", |status| {
		status.info.index > epoch && status.position >= 1
	})
	.await;
	assert_eq!(
		(window.info.index, window.phase),
		(epoch + 1, Phase::Report)
	);

	let duties = Duties {
		genesis: network.chain.genesis(),
		metadata,
		rpc: rpc.clone(),
	};
	what_is_no_duty_is_refused(&duties, &provider, &idle, epoch).await;

	let mut sent = Vec::new();
	for peer in &provider.peers {
		let report = Report::empty(epoch);
		let signature = peer.key.sign_hash(report.hash(duties.genesis, peer.id()));
		let call = calls::capacity::report(peer.id(), &report, signature);
		let bytes = duty(&duties.metadata, &call, 0);
		rpc.submit(&bytes).await.expect("the pool takes a report");
		sent.push((peer, report, call, bytes));
	}
	let (peer, report, call, bytes) = &sent[0];
	// The pool has the very bytes.
	let fault = rpc.submit(bytes).await.expect_err("it was sent already");
	assert!(is_known(&fault), "{fault:?}");
	// Included, the runtime knows the duty, whatever its bytes.
	let mut nonce = 0;
	eventually("the runtime has the report", BLOCKS, async || {
		nonce += 1;
		let again = duty(&duties.metadata, call, nonce);
		let fault = rpc.submit(&again).await.expect_err("it was sent already");
		match fault.refusal() {
			Some(5) => Ok(()),
			_ => Err(format!("another refusal than 5, already sent: {fault:?}")),
		}
	})
	.await;
	let fault = rpc.submit(bytes).await.expect_err("it is in a block");
	assert!(is_known(&fault), "{fault:?}");

	let (draw, answers) = (
		window.info.lengths.report_window,
		window.info.lengths.fold_window,
	);
	until_best(rpc, "the window's end", |status| status.position > draw).await;
	let late = duty(&duties.metadata, call, u32::MAX);
	let fault = rpc.submit(&late).await.expect_err("the window is closed");
	assert_eq!(fault.refusal(), Some(4), "window closed: {fault:?}");
	until_best(rpc, "the answers' window", |status| {
		status.position > draw + answers
	})
	.await;
	duties
		.refuse_answer(peer.id(), &peer.key, report, 7, "nobody was drawn")
		.await;
	assert_eq!(flowing.finish().await, 2 * BATCHES as usize);

	let end = window.info.start + window.info.lengths.report_window;
	let view = until(
		&network.chain,
		"the window is final",
		EPOCH,
		async |view: &View| Ok((view.block().number >= end).then(|| view.clone())),
	)
	.await;
	for (peer, report, call, bytes) in &sent {
		let record = view.report(peer.id(), epoch).await.expect("it can be read");
		let record = record.unwrap_or_else(|| panic!("{} has not reported", peer.id()));
		assert_eq!(record.hash, report.hash(duties.genesis, peer.id()));
		let call = call
			.encode(&duties.metadata)
			.expect("the runtime has reports");
		its_block_was_full(rpc, window.info.start..end, bytes, &call).await;
		let own = view.balance(&AccountId::from(peer.key.public())).await;
		assert_eq!(
			own.expect("it can be read").total(),
			0,
			"a peer's key owns nothing"
		);
	}
	// Whoever proves nothing misses: the reports were taken as they are.
	let commitment = view.commitment(peer.id()).await.expect("it can be read");
	assert_eq!(commitment.expect("it is committed").units, 1);
}

fn is_known(fault: &Fault) -> bool {
	KNOWN.contains(&fault.code) || fault.refusal() == Some(5)
}

/// A peer without a commitment.
async fn register_idle_peer(network: &Network, provider: &Provider) -> PeerKeypair {
	let key = PeerKeypair::generate().expect("there is randomness");
	let proof = key.sign_hash(key_proof(
		network.chain.genesis(),
		&provider.account.account(),
	));
	let call = calls::providers::register_peer(key.public(), proof, "http://127.0.0.1:1");
	let bob = account("//Bob");
	network
		.chain
		.submit(&bob, call)
		.await
		.expect("the provider can register it");
	key
}

/// Waits for a best block: duties are sent at best-block sight.
async fn until_best(rpc: &Rpc, what: &str, found: impl Fn(&EpochStatus) -> bool) -> EpochStatus {
	eventually(what, EPOCH, async || {
		let best = rpc.best().await;
		let status = rpc.epoch(best).await;
		match found(&status) {
			true => Ok(status),
			false => Err(format!("{status:?}")),
		}
	})
	.await
}

/// Duties that are put together here.
struct Duties {
	genesis: H256,
	metadata: Metadata,
	rpc: Rpc,
}

impl Duties {
	/// A report that the pool must refuse with a code.
	async fn refuse(
		&self,
		peer: PeerId,
		report: &Report,
		signature: PeerSignature,
		code: u8,
		why: &str,
	) {
		let call = calls::capacity::report(peer, report, signature);
		let bytes = duty(&self.metadata, &call, 0);
		let fault = self.rpc.submit(&bytes).await.expect_err(why);
		assert_eq!(
			(fault.code, fault.refusal()),
			(1010, Some(code)),
			"{why}: {fault:?}"
		);
	}

	/// The same of a report that is signed as it should be.
	async fn refuse_signed(&self, key: &PeerKeypair, report: &Report, code: u8, why: &str) {
		let signature = key.sign_hash(report.hash(self.genesis, key.id()));
		self.refuse(key.id(), report, signature, code, why).await;
	}

	/// An answer to an audit that the pool must refuse with a code.
	async fn refuse_answer(
		&self,
		peer: PeerId,
		key: &PeerKeypair,
		report: &Report,
		code: u8,
		why: &str,
	) {
		let answer = AuditAnswer {
			report: report.clone(),
			solutions: Default::default(),
			receipts: Default::default(),
		};
		let signature = key.sign_hash(answer.hash(self.genesis, peer));
		let call = calls::capacity::answer_audit(peer, &answer, signature);
		let fault = self
			.rpc
			.submit(&duty(&self.metadata, &call, 0))
			.await
			.expect_err(why);
		assert_eq!(
			(fault.code, fault.refusal()),
			(1010, Some(code)),
			"{why}: {fault:?}"
		);
	}
}

/// Each wrong duty has its own code, and none enters the pool.
async fn what_is_no_duty_is_refused(
	duties: &Duties,
	provider: &Provider,
	idle: &PeerKeypair,
	epoch: EpochIndex,
) {
	let (own, other) = (&provider.peers[0].key, &provider.peers[1].key);
	let right = Report::empty(epoch);
	let stranger = PeerKeypair::generate().expect("there is randomness");
	duties
		.refuse_signed(&stranger, &right, 1, "an unknown peer")
		.await;

	let mut forged = own.sign_hash(right.hash(duties.genesis, own.id()));
	forged[0] ^= 1;
	duties
		.refuse(own.id(), &right, forged, 2, "a forged signature")
		.await;
	let of_other = other.sign_hash(right.hash(duties.genesis, own.id()));
	duties
		.refuse(own.id(), &right, of_other, 2, "another peer's key")
		.await;
	let elsewhere = own.sign_hash(right.hash(H256::repeat_byte(1), own.id()));
	duties
		.refuse(
			own.id(),
			&right,
			elsewhere,
			2,
			"a signature for another chain",
		)
		.await;

	duties
		.refuse_signed(own, &Report::empty(epoch + 1), 3, "the present epoch")
		.await;
	duties
		.refuse_signed(own, &Report::empty(epoch - 1), 3, "an epoch long over")
		.await;
	duties.refuse_signed(idle, &right, 6, "no commitment").await;
	let boastful = Report {
		proven_idle: 2,
		..right.clone()
	};
	duties
		.refuse_signed(own, &boastful, 8, "more units than owed")
		.await;
	let mut unordered = right.clone();
	let served = |deal| Served {
		deal,
		calls: 0,
		gas: 0,
	};
	unordered.served = vec![served(2), served(1)].try_into().expect("two fit");
	duties
		.refuse_signed(own, &unordered, 9, "deals out of order")
		.await;
	duties
		.refuse_answer(own.id(), own, &right, 4, "answers come after the draw")
		.await;

	let pending = duties
		.rpc
		.result("author_pendingExtrinsics", serde_json::json!([]))
		.await;
	let pending = pending.as_array().cloned().unwrap_or_default();
	let general = |text: &serde_json::Value| {
		let bytes = hex::decode(text.as_str()?.trim_start_matches("0x")).ok()?;
		// The preamble stands behind a length of one, two or four bytes.
		let at = *[1, 2, 4].get(usize::from(bytes.first()? & 3))?;
		(bytes.get(at) == Some(&0x45)).then_some(())
	};
	assert!(
		pending.len() > 10,
		"the pool is full of batches: {}",
		pending.len()
	);
	assert_eq!(
		pending.iter().filter_map(general).count(),
		0,
		"no wrong duty is in the pool"
	);
}

/// The duty stands once in the window's blocks, in one that holds as many batches as it can.
async fn its_block_was_full(rpc: &Rpc, window: std::ops::Range<u32>, bytes: &[u8], call: &[u8]) {
	let (whole, call) = (format!("0x{}", hex::encode(bytes)), hex::encode(call));
	let mut found = Vec::new();
	for number in window {
		let hash = rpc.block_hash(number).await.expect("the block is final");
		let transactions = rpc.transactions(hash).await;
		let times = transactions
			.iter()
			.filter(|text| text.ends_with(&call))
			.count();
		if times > 0 {
			assert_eq!(times, 1, "once in block {number}");
			assert!(
				transactions.contains(&whole),
				"these very bytes in block {number}"
			);
			found.push((number, transactions.len(), rpc.normal_weight(hash).await));
		}
	}
	assert_eq!(found.len(), 1, "in one block: {found:?}");
	let (_, transactions, (time, proof)) = found[0];
	assert!(transactions > 8, "with many batches: {found:?}");
	let nearly = |part: u64, whole: u64| part >= whole / 100 * 85;
	assert!(
		nearly(time, FULL.0) || nearly(proof, FULL.1),
		"a full block: {found:?}"
	);
}
