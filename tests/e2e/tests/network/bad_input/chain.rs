//! What the chain itself refuses or finds out.

use super::{Scene, ELEVENS, MINUTE};
use futures::future::join_all;
use millrace_client::{calls, PeerKeypair, SubmitError, View};
use millrace_e2e::{
	command::millrace,
	network::account,
	provider::{settle, EPOCHS},
	until, Provider,
};
use millrace_primitives::{
	audit::{drawn_solutions, AuditAnswer, AuditStatus, SolutionOpening},
	epoch::Phase,
	merkle::Tree,
	peer::key_proof,
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
	assert_eq!(ran.error(), (1, "daemon_failed".into()), "{ran:?}");
	assert!(ran.stderr.contains("chmod 600"), "{ran:?}");
}

/// A peer that reports work which it has not done opens leaves that do not hold: it is slashed by
/// exactly what the rules say, and is rewarded for nothing.
pub(super) async fn a_forged_opening_is_found_out(scene: &Scene, liar: &Provider) {
	let (network, key) = (&scene.network, &liar.peers[0].key);
	let (chain, peer) = (&network.chain, key.id());
	let what = "the liar can report";
	let epoch = until(chain, what, EPOCHS, async |view: &View| {
		let duties = view.duties(peer).await?;
		let in_time = duties.report_due && duties.epoch.position <= 1;
		Ok(in_time.then_some(duties.epoch.info.index - 1))
	})
	.await;
	let leaves: Vec<[u8; 8]> = (0u64..4).map(|nonce| nonce.to_le_bytes()).collect();
	let tree = Tree::new(&leaves);
	let report = Report {
		proven_idle: 1,
		proofs_root: tree.root(),
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
	// Nothing was worked for; besides, other nonces are opened than the root is made of.
	for index in drawn_solutions(draw, peer, 4) {
		let path = tree.path(index).expect("there are four leaves");
		let nonce = index + 1_000;
		let opening = SolutionOpening { nonce, path };
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
	assert_eq!(commitment.rewarded, 0);
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
