//! A deal whose package is updated while its worker serves it.

mod common;

use common::{assignment, limits, package, snapshot, world, World, DEAL, EPOCH, GENESIS, MODULE};
use millrace_primitives::{
	execution::{Request, PROFILE_V1},
	packages::{PackageHistory, PastPackage},
	views::Assignment,
	EpochIndex,
};
use millrace_worker::{
	calls::Answer,
	errors::Refusal,
	staged::{stands_ready, wanted},
};
use std::{path::Path, time::Duration};
use tokio::time::{sleep, timeout};

/// The deal, updated some blocks before the one that calls see; what it had before counts up to an epoch.
fn updated(module: &[u8], until: EpochIndex) -> Assignment {
	let before = package(MODULE);
	let past = PastPackage {
		hash: before.hash,
		size: before.size,
		profile: PROFILE_V1,
		from: 0,
		until,
	};
	Assignment {
		packages: PackageHistory {
			since: 105,
			past: vec![past].try_into().expect("one fits"),
			forgotten: None,
		},
		..assignment(DEAL, package(module))
	}
}

/// The same module, but for an instruction that does nothing.
fn next_module() -> Vec<u8> {
	let (start, _) = MODULE.split_at(MODULE.len() - 6);
	[start, &[0x0a, 0x05, 0x01, 0x03, 0x00, 0x01, 0x0b]].concat()
}

async fn call(world: &World) -> Result<Answer, Refusal> {
	let request = Request {
		method: "GET".into(),
		path: "/".into(),
		..Request::default()
	};
	let admission = world.calls.admit(DEAL)?;
	world.calls.execute(admission, request).await
}

/// Lets the daemon see the deal as it is, and do what it does at each block until a package is ready or
/// has failed.
async fn see(world: &World, deal: &Assignment) {
	let seen = snapshot(&world.identity, vec![deal.clone()]);
	world.snapshots.send_replace(Some(seen.clone()));
	let decided = async {
		loop {
			let wanted = wanted(&seen, |hash| world.packages.ready(hash).is_ok());
			world.packages.want(&wanted.iter().collect::<Vec<_>>());
			let hash = deal.package.hash;
			if world.packages.ready(hash).is_ok() || world.packages.has_failed(hash) {
				return;
			}
			sleep(Duration::from_millis(10)).await;
		}
	};
	let in_time = timeout(Duration::from_secs(30), decided).await;
	in_time.expect("a package is ready or it fails");
}

fn keep(dir: &Path, module: &[u8]) {
	let name = format!("{}.wasm", hex::encode(package(module).hash));
	std::fs::write(dir.join("packages").join(name), module).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_package_is_served_until_the_new_one_is_ready() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let module = next_module();
	let deal = updated(&module, EPOCH + 1);
	let judged = |answer: &Answer| {
		let receipt = &answer.receipt.receipt;
		let judged =
			deal.packages
				.terms(&deal.terms(), receipt.package, receipt.epoch, receipt.block);
		assert!(receipt.fits_terms(GENESIS, &judged.expect("it counts")));
		receipt.package
	};

	// Nobody has it yet.
	see(&world, &deal).await;
	let answer = call(&world).await.expect("an answer");
	assert_eq!(judged(&answer), package(MODULE).hash);

	keep(dir.path(), &module);
	let ready = async {
		while world.packages.ready(deal.package.hash).is_err() {
			see(&world, &deal).await;
			sleep(Duration::from_millis(50)).await;
		}
	};
	timeout(Duration::from_secs(30), ready)
		.await
		.expect("it is tried again");
	let answer = call(&world).await.expect("an answer");
	assert_eq!(judged(&answer), deal.package.hash);
	// The old one is not needed any more.
	see(&world, &deal).await;
	assert!(world.packages.ready(package(MODULE).hash).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_cannot_be_had_is_no_reason_to_leave_the_deal_out_of_a_report() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	// The old one counts no more.
	let deal = updated(&next_module(), EPOCH - 1);
	see(&world, &deal).await;
	let refused = call(&world).await.expect_err("nothing can be run");
	assert_eq!(refused.code(), "package_unavailable");
	let seen = snapshot(&world.identity, vec![deal.clone()]);
	assert!(stands_ready(&world.packages, &seen, &deal));

	// But what was ordered has to be there.
	let ordered = assignment(DEAL, package(&next_module()));
	let seen = snapshot(&world.identity, vec![ordered.clone()]);
	assert!(!stands_ready(&world.packages, &seen, &ordered));
}
