//! Receipts and proofs, true and forged.

use super::Scene;
use millrace_client::{PeerKeypair, ReceiptProof};
use millrace_primitives::H256;

/// Receipts and proofs of the tool: those that hold, and forged ones.
pub(super) async fn receipts_are_checked(scene: &Scene) {
	let deal = scene.odd.id.to_string();
	let path = |name: &str| scene.network.folder().join(name).display().to_string();
	let (kept, trapped, proven) = (path("kept.json"), path("trap.json"), path("proof.json"));
	let (input, output) = (scene.file("in.txt", b"call me"), path("out.txt"));
	let good = [
		"invoke",
		&deal,
		"--data",
		&input,
		"--receipt",
		&kept,
		"--out",
		&output,
	];
	scene.tool(&good).await.succeeded();
	assert_eq!(std::fs::read(&output).expect("it is written"), b"call me");
	let trap = scene.file("trap.txt", b"t");
	let bad = ["invoke", &deal, "--data", &trap, "--receipt", &trapped];
	scene.tool_fails(&bad, 1, "guest_trapped").await;
	scene
		.tool_fails(&["receipt", "verify", &kept], 4, "not_reported")
		.await;

	let wait = [
		"receipt",
		"verify",
		&kept,
		"--wait",
		"55",
		"--response",
		&output,
	];
	let ran = scene
		.tool(&[&wait[..], &["--proof", &proven]].concat())
		.await
		.succeeded();
	assert_eq!(ran.json()["verified"], true);
	// A failure that is receipted stands in the report like a success.
	let ran = scene
		.tool(&["receipt", "verify", &trapped, "--wait", "55"])
		.await
		.succeeded();
	assert_eq!(ran.json()["receipt"]["status"], "trapped");
	let other = scene.file("other.txt", b"call you");
	let lie = ["receipt", "verify", &kept, "--response", &other];
	scene.tool_fails(&lie, 6, "response_hash").await;
	scene
		.tool(&["receipt", "verify", &proven])
		.await
		.succeeded();

	let bytes = std::fs::read(&proven).expect("the proof is kept");
	let proof: ReceiptProof = serde_json::from_slice(&bytes).expect("that is a proof");
	let stranger = PeerKeypair::generate().expect("there is randomness");
	type Forge<'a> = Box<dyn Fn(&mut ReceiptProof) + 'a>;
	let forgeries: [(&str, i32, Forge<'_>); 8] = [
		(
			"receipt_bad_signature",
			6,
			Box::new(|p: &mut ReceiptProof| p.receipt.receipt.gas += 1),
		),
		(
			"receipt_bad_signature",
			6,
			Box::new(|p: &mut ReceiptProof| p.receipt.signature[3] ^= 1),
		),
		(
			"receipt_bad_signature",
			6,
			Box::new(|p: &mut ReceiptProof| {
				p.receipt.signature = stranger.sign_hash(p.receipt.receipt.hash())
			}),
		),
		(
			"receipt_other_chain",
			6,
			Box::new(|p: &mut ReceiptProof| p.receipt.receipt.genesis = H256::zero()),
		),
		(
			"receipt_other_seed",
			6,
			Box::new(|p: &mut ReceiptProof| p.receipt.receipt.seed = H256::zero()),
		),
		(
			"other_report",
			6,
			Box::new(|p: &mut ReceiptProof| p.report.receipts += 1),
		),
		(
			"not_in_report",
			6,
			Box::new(|p: &mut ReceiptProof| {
				p.path
					.try_push(H256::zero())
					.expect("there is room for a sibling too many")
			}),
		),
		(
			"epoch_forgotten",
			4,
			Box::new(|p: &mut ReceiptProof| p.receipt.receipt.epoch = 9_999),
		),
	];
	for (number, (code, status, forge)) in forgeries.iter().enumerate() {
		let mut forged = proof.clone();
		forge(&mut forged);
		let text = serde_json::to_vec(&forged).expect("a proof is plain data");
		let file = scene.file(&format!("forged-{number}.json"), &text);
		scene
			.tool_fails(&["receipt", "verify", &file], *status, code)
			.await;
	}
	let torn = scene.file("torn.json", br#"{"receipt":"0x00"}"#);
	scene
		.tool_fails(&["receipt", "verify", &torn], 6, "receipt_undecodable")
		.await;
	let text = scene.file("text.json", b"no receipt");
	scene
		.tool_fails(&["receipt", "verify", &text], 2, "bad_receipt_file")
		.await;
}
