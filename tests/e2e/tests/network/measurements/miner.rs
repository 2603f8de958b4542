//! A peer's duties without its daemon: solutions by the prover, trees, reports and answers from the
//! shared types alone.

use millrace_client::{calls, Call, PeerKeypair, View};
use millrace_primitives::{
	audit::{drawn_solutions, AuditAnswer, AuditStatus, SolutionOpening},
	merkle::Tree,
	report::Report,
	views::{Owed, PeerDuties},
	EpochIndex, H256,
};
use millrace_prover::{Mode, Prover, ProverConfig, Settings, Task};
use std::path::Path;
use tokio::task::block_in_place;

/// What a peer reported last.
struct Filed {
	report: Report,
	nonces: Vec<u64>,
	answered: bool,
}

/// A peer that does what it owes, when it is asked to.
pub(super) struct Miner<'a> {
	key: &'a PeerKeypair,
	prover: Prover,
	filed: Option<Filed>,
}

impl<'a> Miner<'a> {
	/// Starts its prover: one thread, in light mode, over a folder of its own.
	pub(super) fn start(folder: &Path, key: &'a PeerKeypair) -> Self {
		let settings = Settings {
			mode: Mode::Light,
			threads: Some(1),
			..Settings::default()
		};
		let dir = folder.join(format!("solutions-{}", key.id()));
		let prover = Prover::start(ProverConfig { dir, settings }).expect("the prover starts");
		Self {
			key,
			prover,
			filed: None,
		}
	}

	/// The duty that is due at a block: the report of the epoch before, or the answer to its audit.
	/// Each is given once.
	pub(super) async fn due(&mut self, view: &View) -> Option<Call> {
		let duties = view.duties(self.key.id()).await.expect("they can be read");
		let work = duties.work.map(|owed| self.task(&duties, owed));
		self.prover.set_task(work);
		let before = duties.epoch.info.index.checked_sub(1)?;
		if duties.report_due && self.reported() != Some(before) {
			return Some(self.report(&duties, before));
		}
		let drawn = duties
			.audit
			.filter(|audit| audit.status == AuditStatus::Open);
		if drawn.is_some_and(|audit| self.reported() == Some(audit.epoch)) {
			return self.answer(&duties, duties.epoch.draw?);
		}
		None
	}

	fn reported(&self) -> Option<EpochIndex> {
		self.filed.as_ref().map(|filed| filed.report.epoch)
	}

	fn task(&self, duties: &PeerDuties, owed: Owed) -> Task {
		Task {
			epoch: owed.epoch,
			key: owed.seed,
			genesis: duties.genesis,
			peer: self.key.id(),
			target: owed.target,
			rates: owed.rates,
			idle: owed.idle,
			busy: owed.busy,
		}
	}

	fn report(&mut self, duties: &PeerDuties, epoch: EpochIndex) -> Call {
		// The prover reads its disk.
		let proofs = block_in_place(|| self.prover.finish(epoch)).expect("solutions can be read");
		let report = Report {
			proven_idle: proofs.proven_idle,
			proven_busy: proofs.proven_busy,
			proofs_root: tree(&proofs.nonces).root(),
			..Report::empty(epoch)
		};
		let peer = self.key.id();
		let signature = self.key.sign_hash(report.hash(duties.genesis, peer));
		let call = calls::capacity::report(peer, &report, signature);
		self.filed = Some(Filed {
			report,
			nonces: proofs.nonces,
			answered: false,
		});
		call
	}

	fn answer(&mut self, duties: &PeerDuties, draw: H256) -> Option<Call> {
		let filed = self.filed.as_mut().filter(|filed| !filed.answered)?;
		filed.answered = true;
		let mut answer = AuditAnswer {
			report: filed.report.clone(),
			solutions: Default::default(),
			receipts: Default::default(),
		};
		let (peer, tree) = (self.key.id(), tree(&filed.nonces));
		for index in drawn_solutions(draw, peer, tree.count()) {
			let path = tree.path(index).expect("the index is below all");
			let nonce = filed.nonces[index as usize];
			let opening = SolutionOpening { nonce, path };
			answer.solutions.try_push(opening).expect("three are drawn");
		}
		let signature = self.key.sign_hash(answer.hash(duties.genesis, peer));
		Some(calls::capacity::answer_audit(peer, &answer, signature))
	}
}

fn tree(nonces: &[u64]) -> Tree {
	Tree::new(nonces.iter().map(|nonce| nonce.to_le_bytes()))
}
