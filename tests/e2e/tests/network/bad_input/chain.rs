//! What the chain itself refuses or finds out.

use super::{Scene, ELEVENS, MINUTE};
use futures::future::join_all;
use millrace_client::{calls, AccountId, PeerKeypair, SubmitError, View};
use millrace_e2e::{
	command::millrace,
	network::account,
	provider::{settle, EPOCHS},
	until, Provider,
};
use millrace_primitives::{
	audit::{drawn_solutions, AuditAnswer, AuditStatus, SolutionOpening},
	commitment::{SlashId, SlashView},
	epoch::{EpochStatus, Phase},
	merkle::Tree,
	peer::{key_proof, PeerId},
	report::Report,
	Balance, FLT,
};
use std::os::unix::fs::PermissionsExt;

/// A key that is not the caller's, or is in use.
pub(super) async fn a_key_needs_its_own_proof(scene: &Scene) {
	let (network, bob) = (&scene.network, account("//Bob"));
	let own = &scene.provider.peers[0].key;
	let other = PeerKeypair::generate().expect("there is randomness");
	let proof = own.sign_hash(key_proof(network.chain.genesis(), &bob.account()));
	let url = "http://127.0.0.1:1";
	let forged = calls::providers::register_peer(other.public(), proof, url);
	let outcome = network.chain.submit(&bob, forged).await;
	assert!(
		matches!(&outcome, Err(SubmitError::Dispatch { error, .. }) if error == "BadKeyProof"),
		"{outcome:?}"
	);
	// A worker refuses to start with a key that others can read.
	let key = &scene.provider.peers[0].key_file;
	let exposed = network.folder().join("exposed.json");
	std::fs::copy(key, &exposed).expect("the key file is there");
	let readable = std::fs::Permissions::from_mode(0o644);
	std::fs::set_permissions(&exposed, readable).expect("it is ours");
	let exposed = exposed.display().to_string();
	let data = network.folder().join("exposed").display().to_string();
	let node = network.node.ws();
	let run = [
		"--json",
		"--node",
		&node,
		"worker",
		"run",
		"--data-dir",
		&data,
		"--peer-key",
		&exposed,
		"--listen",
		"127.0.0.1:0",
	];
	let ran = millrace(network.folder(), MINUTE, run).await;
	assert_eq!(ran.error(), (2, "bad_config".into()), "{ran:?}");
	assert!(ran.stderr.contains("chmod 600"), "{ran:?}");
}

/// A peer that reports work and receipts which it has not done opens what does not hold: it is slashed
/// by exactly what the rules say, and is rewarded for nothing. Gives the slash that waits.
pub(super) async fn a_forged_opening_is_found_out(scene: &Scene, liar: &Provider) -> SlashView {
	let (network, key) = (&scene.network, &liar.peers[0].key);
	let (chain, peer) = (&network.chain, key.id());
	let what = "the liar can report";
	let epoch = until(chain, what, EPOCHS, async |view: &View| {
		let duties = view.duties(peer).await?;
		let in_time = duties.report_due && duties.epoch.position <= 2;
		Ok(in_time.then_some(duties.epoch.info.index - 1))
	})
	.await;
	let leaves: Vec<[u8; 8]> = (0u64..4).map(|nonce| nonce.to_le_bytes()).collect();
	let tree = Tree::new(&leaves);
	// One in four nonces meets the target by chance; a receipt that is not there never holds.
	let report = Report {
		proven_idle: 1,
		proofs_root: tree.root(),
		receipts: 1,
		..Report::empty(epoch)
	};
	let signature = key.sign_hash(report.hash(chain.genesis(), peer));
	let call = calls::capacity::report(peer, &report, signature);
	chain
		.submit_duty(call)
		.await
		.expect("a lie is a report, too");

	let draw = until(chain, "the draw", EPOCHS, async |view: &View| {
		let duties = view.duties(peer).await?;
		assert!(
			duties.epoch.info.index <= epoch + 1,
			"the liar was not drawn"
		);
		let drawn = duties.audit.filter(|audit| audit.epoch == epoch);
		let answerable = drawn.is_some() && duties.epoch.phase == Phase::Answer;
		Ok(duties.epoch.draw.filter(|_| answerable))
	})
	.await;
	let mut answer = AuditAnswer {
		report,
		solutions: Default::default(),
		receipts: Default::default(),
	};
	// The leaves are those of the root, or the answer would be no answer; but nothing was worked for.
	for index in drawn_solutions(draw, peer, 4) {
		let path = tree.path(index).expect("there are four leaves");
		let opening = SolutionOpening { nonce: index, path };
		answer.solutions.try_push(opening).expect("three are drawn");
	}
	let signature = key.sign_hash(answer.hash(chain.genesis(), peer));
	let call = calls::capacity::answer_audit(peer, &answer, signature);
	chain.submit_duty(call).await.expect("it is an answer");
	until(
		chain,
		"the answer is judged",
		EPOCHS,
		async |view: &View| {
			let audit = view
				.duties(peer)
				.await?
				.audit
				.filter(|audit| audit.epoch == epoch);
			let status = audit.map(|audit| audit.status);
			assert_ne!(status, Some(AuditStatus::Passed), "forged work passed");
			Ok((status == Some(AuditStatus::Failed)).then_some(()))
		},
	)
	.await;

	let view = settle(network, &[peer], epoch).await;
	let commitment = view.commitment(peer).await.expect("it can be read");
	let commitment = commitment.expect("it is committed");
	// A unit's stake is 100 FLT, a miss costs 1 % of it, a failed audit of everybody 5 % more.
	let silent = Balance::from(epoch - liar.first_epoch);
	assert_eq!(commitment.next_to_settle, epoch + 1);
	assert_eq!(commitment.slashed, (silent + 1 + 5) * FLT, "{commitment:?}");
	assert_eq!(commitment.stake, 100 * FLT - commitment.slashed);
	assert_eq!(
		(commitment.own, commitment.waiting),
		(commitment.stake, 5 * FLT)
	);
	assert_eq!(commitment.rewarded, 0);
	// What waits is held still, though it is no stake any more.
	let held = held_as_stake(&view, liar).await;
	assert_eq!(held, commitment.stake + commitment.waiting);

	let slashes = view.slashes(peer).await.expect("they can be read");
	let [slash] = &slashes[..] else {
		panic!("one slash waits: {slashes:?}");
	};
	assert_eq!((slash.epoch, slash.amount), (epoch, 5 * FLT));
	let now = view.epoch().await.expect("it can be read").info.index;
	assert!(slash.due <= now + 2 && slash.due > epoch + 2, "{slash:?}");
	let (peer, index) = (peer.to_string(), slash.slash.to_string());
	let apply = ["--key", "//Eve", "peer", "apply-slash", &peer, &index];
	scene.tool_fails(&apply, 3, "SlashNotDue").await;
	slash.clone()
}

async fn held_as_stake(view: &View, provider: &Provider) -> Balance {
	let holds = view.holds(&provider.account.account()).await;
	let holds = holds.expect("holds can be read");
	let stakes = holds
		.iter()
		.filter(|hold| (&hold.pallet[..], &hold.reason[..]) == ("Capacity", "Stake"));
	stakes.map(|hold| hold.amount).sum()
}

/// A slash that has waited burns once, less the bounty of whoever asks for it.
pub(super) async fn a_slash_that_waited_burns_once(
	scene: &Scene,
	liar: &Provider,
	slash: &SlashView,
) {
	let (chain, peer) = (&scene.network.chain, liar.peers[0].id());
	// While nobody reports nothing is settled, and nothing else burns but the fee.
	let quiet = |status: &EpochStatus| status.phase != Phase::Report && status.position <= 16;
	until(chain, "the slash is due", EPOCHS, async |view: &View| {
		let status = view.epoch().await?;
		Ok((status.info.index >= slash.due && quiet(&status)).then_some(()))
	})
	.await;
	let dave = account("//Dave");
	let call = calls::capacity::apply_slash(peer, slash.slash);
	let included = chain.submit(&dave, call).await.expect("it is due");
	let (_, _, burnt, reporter, bounty): (PeerId, SlashId, Balance, Balance, Balance) = included
		.find("Capacity", "SlashApplied")
		.expect("it has its event");
	let (_, fee, _): (AccountId, Balance, Balance) = included
		.find("TransactionPayment", "TransactionFeePaid")
		.expect("a fee is paid");
	assert_eq!(burnt + bounty, 5 * FLT, "the rest of the bounty burns");
	assert_eq!(reporter, 0, "nobody reported it: it was audited");
	assert!(0 < bounty && bounty <= 5 * FLT / 100, "{bounty}");

	let parent = scene.network.rpc.block_hash(included.number - 1).await;
	let before = chain.at(parent.expect("it is final")).await;
	let after = chain.at(included.block).await;
	let (before, after) = (before.expect("it is there"), after.expect("it is there"));
	let mut moved = Vec::new();
	for view in [&before, &after] {
		let issuance = view.total_issuance().await.expect("it can be read");
		let dave = view.balance(&dave.account()).await.expect("it has one");
		moved.push((issuance, dave.total(), held_as_stake(view, liar).await));
	}
	assert_eq!(moved[0].0 - moved[1].0, burnt + fee, "what burns");
	assert_eq!(moved[1].1 + fee, moved[0].1 + bounty, "Dave's account");
	assert_eq!(moved[0].2 - moved[1].2, 5 * FLT, "what was held");
	let commitment = after.commitment(peer).await.expect("it can be read");
	let commitment = commitment.expect("it stands");
	assert_eq!(commitment.waiting, 0);

	let (peer, index) = (peer.to_string(), slash.slash.to_string());
	let apply = ["--key", "//Eve", "peer", "apply-slash", &peer, &index];
	scene.tool_fails(&apply, 3, "UnknownSlash").await;
}

/// Transactions that the runtime refuses, by the names of its errors. Each account makes one.
pub(super) async fn the_chain_refuses(scene: &Scene) {
	let peer = scene.provider.peers[0].id().to_string();
	let deal = scene.odd.id.to_string();
	let order = |price: &'static str, rest: &[&'static str], key: &'static str| {
		let order = [
			"--key",
			key,
			"deal",
			"create",
			"--package-hash",
			ELEVENS,
			"--package-size",
			"8",
			"--link",
			"http://127.0.0.1:1/m",
			"--price",
			price,
		];
		let all = [&order[..], rest].concat();
		all.into_iter().map(str::to_string).collect::<Vec<_>>()
	};
	let plain = |all: &[&str]| all.iter().map(|text| text.to_string()).collect::<Vec<_>>();
	let refused = [
		(order("1 unit", &[], "//Charlie"), "PriceBelowMinimum"),
		(
			order("1 FLT", &["--escrow", "1 FLT"], "//Eve"),
			"EscrowTooSmall",
		),
		(
			order("1 FLT", &["--escrow", "900000000 FLT"], "//Dave"),
			"FundsTooLow",
		),
		(
			plain(&["--key", "//Alice", "deal", "stop", &deal]),
			"NotOwner",
		),
		(
			plain(&["--key", "//Ferdie", "offer", "withdraw", &peer]),
			"NotProvider",
		),
		(
			plain(&[
				"--key", "//Bob", "peer", "commit", &peer, "--units", "1", "--epochs", "9",
			]),
			"AlreadyCommitted",
		),
		(order("1 FLT", &[], "//Nobody"), "transaction_refused"),
	];
	let runs = refused.iter().map(|(arguments, code)| async move {
		let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
		scene.tool_fails(&arguments, 3, code).await;
	});
	join_all(runs).await;
}
