//! Deals whose package is updated while they are served: the one before is kept until the new one is
//! ready, and an update that comes to nothing is not the worker's fault.

use crate::{
	errors::Refusal,
	packages::Packages,
	snapshot::{NamedTerms, Snapshot},
};
use millrace_primitives::{market::Package, views::Assignment, H256};

/// The packages that standing deals need: each its own, and of those before it as many, the newest first,
/// as it takes until one is ready.
pub fn wanted(snapshot: &Snapshot, ready: impl Fn(H256) -> bool) -> Vec<Package> {
	let mut wanted = Vec::new();
	for assignment in snapshot.standing() {
		let present = &assignment.package;
		wanted.push(present.clone());
		for named in snapshot.choices(assignment.deal) {
			let terms = &named.terms;
			if terms.package != present.hash {
				// Nobody has to fetch it any more, so the chain keeps no links to it.
				wanted.push(Package {
					hash: terms.package,
					size: terms.package_bytes,
					links: Default::default(),
					abi: present.abi,
				});
			}
			if ready(terms.package) {
				break;
			}
		}
	}
	// What one deal had may be what another has, and is fetched from there.
	wanted.sort_by_key(|package| package.links.is_empty());
	wanted
}

/// What a call of a deal that is served runs under: the first choice whose package is ready. Why the deal's
/// package is not, if none is.
pub fn choose<'a>(
	packages: &Packages,
	snapshot: &'a Snapshot,
	assignment: &Assignment,
) -> Result<&'a NamedTerms, Refusal> {
	let mut choices = snapshot.choices(assignment.deal).iter();
	let ready = |named: &&NamedTerms| packages.ready(named.terms.package).is_ok();
	choices.find(ready).ok_or_else(|| {
		let refusal = packages.ready(assignment.package.hash).err();
		refusal.unwrap_or(Refusal::DealUnknown(assignment.deal))
	})
}

/// Whether a worker does its part in a deal that it is paid for: it can run calls, or could not for
/// nothing but an update of the package that cannot be had.
pub fn stands_ready(packages: &Packages, snapshot: &Snapshot, assignment: &Assignment) -> bool {
	let is_spoilt =
		|| assignment.packages.is_updated() && packages.has_failed(assignment.package.hash);
	packages.any_ready(snapshot.choices(assignment.deal)) || is_spoilt()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::snapshot::tests::{assignment, duties, KEY};
	use millrace_primitives::{
		execution::PROFILE_V1,
		market::WorkerStatus,
		packages::{PackageHistory, PastPackage},
	};

	fn past(byte: u8, from: u32, until: u32) -> PastPackage {
		PastPackage {
			hash: H256::repeat_byte(byte),
			size: 5,
			profile: PROFILE_V1,
			from,
			until,
		}
	}

	/// What a deal needs at a block of epoch 5 that was updated at block 110, while some are ready.
	fn needed(block: u32, ready: &[u8]) -> Vec<H256> {
		let updated = Assignment {
			packages: PackageHistory {
				since: 110,
				past: vec![past(7, 0, 5), past(8, 90, 6)]
					.try_into()
					.expect("two fit"),
				forgotten: None,
			},
			..assignment(1, WorkerStatus::Live { since: 5 })
		};
		let snapshot = Snapshot::new(block, &duties(5, vec![updated]), &KEY);
		let ready = |hash| ready.iter().any(|byte| H256::repeat_byte(*byte) == hash);
		let wanted = wanted(&snapshot, ready);
		assert!(wanted[1..].iter().all(|package| package.links.is_empty()));
		wanted.into_iter().map(|package| package.hash).collect()
	}

	#[test]
	fn a_past_package_is_kept_until_a_newer_one_is_ready() {
		let [older, old, new] = [7, 8, 9].map(H256::repeat_byte);
		assert_eq!(needed(111, &[]), [new, old, older]);
		assert_eq!(needed(111, &[7]), [new, old, older]);
		assert_eq!(needed(111, &[7, 8]), [new, old]);
		assert_eq!(needed(111, &[7, 8, 9]), [new]);
		// At the block of the update calls are run as before.
		assert_eq!(needed(110, &[8, 9]), [new, old]);
	}
}
