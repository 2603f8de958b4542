//! A process that is killed while it stores receipts.

use millrace_primitives::{
	effects::Transcript,
	execution::{
		empty_transcript, response_hash, CallStatus, CallTerms, Receipt, Request, SignedReceipt,
		PROFILE_V1,
	},
	market::CallLimits,
	peer::PeerId,
	H256,
};
use millrace_worker::{
	commit::Committer,
	ledger::{Call, Ledger},
	metrics::Metrics,
	receipts::{Finished, ReceiptStore, Stored},
};
use std::{
	env,
	io::{BufRead, BufReader},
	path::Path,
	process::{Command, Stdio},
	sync::{mpsc, Arc},
	thread,
};
use tokio_util::sync::CancellationToken;

/// Names the directory to the process that is going to be killed.
const VICTIM: &str = "MILLRACE_WORKER_VICTIM";
const EPOCH: u32 = 5;
/// Calls at once in the victim.
const CALLERS: usize = 16;
/// Receipts that the victim must have shown before it is killed: the journal has been full some
/// times.
const SHOWN: usize = 6_000;

fn open(dir: &Path) -> ReceiptStore {
	ReceiptStore::open(dir, H256::zero(), PeerId::default(), 1 << 20).expect("the store opens")
}

fn call() -> Call {
	Call {
		epoch: EPOCH,
		seq: 0,
		seed: H256::zero(),
		block: 101,
		clock_ms: 1,
		terms: CallTerms {
			deal: 1,
			package: H256::zero(),
			package_bytes: 1,
			profile: PROFILE_V1,
			limits: CallLimits {
				gas: 1,
				memory_bytes: 1,
				request_bytes: 1,
				response_bytes: 1,
			},
			hosts: Default::default(),
		},
		request: Arc::new(Request::default()),
	}
}

fn finished(call: Arc<Call>) -> Finished {
	let receipt = Receipt {
		genesis: H256::zero(),
		seed: call.seed,
		deal: call.terms.deal,
		peer: PeerId::default(),
		epoch: call.epoch,
		seq: call.seq,
		package: call.terms.package,
		profile: call.terms.profile,
		terms: call.terms.hash(H256::zero()),
		request: call.request.hash(),
		response: response_hash(b"out"),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1,
		block: call.block,
	};
	let receipt = SignedReceipt {
		receipt,
		signature: [0; 64],
	};
	Finished::new(call, &receipt, b"out", &Transcript::default())
}

/// Not a test by itself: the process that the next test kills. Every fifth call never ends, as if
/// its guest still ran.
#[test]
fn victim() {
	let Some(dir) = env::var_os(VICTIM) else {
		return;
	};
	let store = Arc::new(open(Path::new(&dir)));
	let ledger = Arc::new(Ledger::default());
	ledger.open_epoch(EPOCH, 0);
	let metrics = Metrics::new().expect("the names are distinct");
	let committer = Committer::start(store, ledger.clone(), metrics, CancellationToken::new())
		.expect("the thread starts");
	let callers: Vec<_> = (0..CALLERS)
		.map(|_| {
			let (ledger, committer) = (ledger.clone(), committer.clone());
			thread::spawn(move || call_and_show(&ledger, &committer))
		})
		.collect();
	for caller in callers {
		caller.join().expect("a caller never ends");
	}
}

/// Makes calls, one after the other, and shows each that is stored.
fn call_and_show(ledger: &Ledger, committer: &Committer) {
	let (told, heard) = mpsc::channel();
	loop {
		let call = ledger.begin(call()).expect("the epoch is open");
		if call.seq % 5 == 0 {
			continue;
		}
		let (seq, told) = (call.seq, told.clone());
		committer.store(finished(call), move |stored| {
			let _ = told.send(stored);
		});
		assert_eq!(heard.recv(), Ok(Stored::Durable));
		println!("stored {seq}");
	}
}

#[test]
fn a_killed_worker_keeps_every_receipt_that_was_shown_and_leaves_no_gap() {
	let dir = tempfile::tempdir().expect("a directory");
	let mut child = Command::new(env::current_exe().expect("this test has a path"))
		.args(["victim", "--exact", "--nocapture"])
		.env(VICTIM, dir.path())
		.stdout(Stdio::piped())
		.spawn()
		.expect("the process starts");
	let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
	let mut shown = Vec::new();
	let mut read = |shown: &mut Vec<u32>, most: usize| {
		for line in lines.by_ref().map_while(Result::ok) {
			// The last line may be cut off by the kill: only whole ones end in what was said.
			if let Some((_, seq)) = line.rsplit_once("stored ") {
				shown.extend(seq.parse::<u32>());
			}
			if shown.len() >= most {
				break;
			}
		}
	};
	read(&mut shown, SHOWN);
	child.kill().expect("the process is killed");
	read(&mut shown, usize::MAX);
	child.wait().expect("the process ends");
	assert!(
		shown.len() >= SHOWN,
		"only {} receipts were shown",
		shown.len()
	);

	let store = open(dir.path());
	// The last line of output may have lost digits to the kill.
	shown.pop();
	for seq in &shown {
		let receipt = store
			.receipt((EPOCH, *seq))
			.expect("reads")
			.expect("a receipt that was shown");
		assert_eq!(receipt.receipt.seq, *seq);
	}
	// Every number below the last receipt has a receipt, or a call that can be run again.
	let open: Vec<u32> = store
		.open_calls()
		.expect("reads")
		.into_iter()
		.map(|call| call.seq)
		.collect();
	let next = store.next_seq(EPOCH).expect("reads");
	for seq in 0..next {
		let stored = store.receipt((EPOCH, seq)).expect("reads").is_some();
		assert_ne!(stored, open.contains(&seq), "number {seq}");
	}
	// Numbers go on behind the last one.
	let ledger = Ledger::default();
	ledger.restore(store.open_calls().expect("reads"));
	ledger.open_epoch(EPOCH, next);
	assert_eq!(ledger.begin(call()).expect("the epoch is open").seq, next);
}
