//! Uploads, fetches and what makes room for what.

use super::*;

/// A command that does nothing: memory and `_start` are exported.
const NOTHING: &[u8] = &[
	0, b'a', b's', b'm', 1, 0, 0, 0, // magic and version
	1, 4, 1, 0x60, 0, 0, // type 0: no parameters, no results
	3, 2, 1, 0, // function 0 is of type 0
	5, 3, 1, 0, 1, // one memory of at least one page
	7, 19, 2, 6, b'm', b'e', b'm', b'o', b'r', b'y', 2, 0, 6, b'_', b's', b't', b'a', b'r', b't',
	0, 0, // exports
	10, 4, 1, 2, 0, 0x0b, // body of function 0: end
];
/// An hour.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A module that does nothing either, and has a section of its own with a number.
fn module(number: u8) -> Bytes {
	let mut module = NOTHING.to_vec();
	// A custom section with the name "n" and one byte.
	module.extend([0, 3, 1, b'n', number]);
	module.into()
}

async fn store(folder: &Path, capacity: u64) -> PackageStore {
	PackageStore::open(folder, capacity)
		.await
		.expect("the folder is ours")
}

fn code(outcome: Result<(H256, bool), GatewayError>) -> &'static str {
	outcome.expect_err("it is refused").code()
}

async fn has(packages: &PackageStore, module: &Bytes) -> bool {
	let found = packages.read(package_hash(module)).await;
	found.expect("the folder is ours").is_some()
}

fn file(folder: &Path, module: &[u8]) -> std::path::PathBuf {
	folder.join(format!("{}.wasm", hex::encode(package_hash(module))))
}

#[tokio::test]
async fn a_module_is_stored_once_and_under_its_hash() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), MIN_COST).await;
	let module = Bytes::from_static(NOTHING);
	let hash = package_hash(NOTHING);
	assert_eq!(packages.get(hash).await.expect("it is read"), None);
	assert_eq!(
		packages.put(module.clone()).await.expect("it runs"),
		(hash, true)
	);
	assert_eq!(
		packages.put(module.clone()).await.expect("it runs"),
		(hash, false)
	);
	assert_eq!(packages.get(hash).await.expect("it is read"), Some(module));
	let again = store(folder.path(), MIN_COST).await;
	assert_eq!(again.index().cost, MIN_COST);
}

#[tokio::test]
async fn what_cannot_run_is_not_stored() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), 1 << 30).await;
	let text = packages.put(Bytes::from_static(b"hello")).await;
	assert_eq!(code(text), "package_invalid");
	let mut cut = NOTHING.to_vec();
	cut.pop();
	assert_eq!(code(packages.put(cut.into()).await), "package_invalid");
	let large = vec![0; MAX_PACKAGE_BYTES as usize + 1];
	assert_eq!(code(packages.put(large.into()).await), "body_too_large");
	assert_eq!(packages.index().cost, 0);
}

#[tokio::test]
async fn whatever_is_a_day_old_makes_room_in_the_order_of_its_use() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), 3 * MIN_COST).await;
	let now = SystemTime::now();
	for number in 0..3 {
		let stored = now - 30 * HOUR + u32::from(number) * Duration::from_secs(1);
		let outcome = packages.put_at(module(number), stored).await;
		assert!(outcome.is_ok(), "{outcome:?}");
	}
	// The first was uploaded first, and is fetched last.
	let fetched = packages.get(package_hash(&module(0))).await;
	assert!(fetched.expect("it is read").is_some());
	let outcome = packages.put_at(module(3), now).await;
	assert!(outcome.is_ok(), "{outcome:?}");
	let mut left = Vec::new();
	for number in 0..4 {
		left.push(has(&packages, &module(number)).await);
	}
	assert_eq!(left, [true, false, true, true]);
	assert_eq!(packages.index().cost, 3 * MIN_COST);
}

#[tokio::test]
async fn nothing_younger_than_a_day_makes_room() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), 2 * MIN_COST).await;
	let now = SystemTime::now();
	for (number, age) in [(0, 23 * HOUR), (1, 25 * HOUR)] {
		let outcome = packages.put_at(module(number), now - age).await;
		assert!(outcome.is_ok(), "{outcome:?}");
	}
	// One of two may go, and is not enough for what counts double.
	let displaced = packages
		.index()
		.displaced(H256::zero(), 2 * MIN_COST, 2 * MIN_COST, now);
	assert_eq!(displaced, None);
	let outcome = packages.put_at(module(2), now).await;
	assert!(outcome.is_ok(), "{outcome:?}");
	assert_eq!(code(packages.put_at(module(3), now).await), "store_full");
	let mut left = Vec::new();
	for number in 0..4 {
		left.push(has(&packages, &module(number)).await);
	}
	assert_eq!(left, [true, false, true, false]);
}

#[tokio::test]
async fn an_upload_of_what_is_here_keeps_it_for_another_day() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), MIN_COST).await;
	let now = SystemTime::now();
	for age in [25 * HOUR, HOUR] {
		let outcome = packages.put_at(module(0), now - age).await;
		assert!(outcome.is_ok(), "{outcome:?}");
	}
	assert_eq!(code(packages.put_at(module(1), now).await), "store_full");
	// The file itself says so: a restart changes nothing.
	let again = store(folder.path(), MIN_COST).await;
	assert_eq!(code(again.put_at(module(1), now).await), "store_full");
	let later = now + 24 * HOUR;
	let outcome = again.put_at(module(1), later).await;
	assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test]
async fn what_a_killed_gateway_left_half_written_is_removed() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let whole = file(folder.path(), NOTHING);
	let half = whole.with_extension("wasm#1");
	let foreign = folder.path().join("notes#1");
	for path in [&half, &foreign] {
		fs::write(path, b"\0asm").expect("the folder is ours");
	}
	let packages = store(folder.path(), MIN_COST).await;
	assert!(!half.exists() && foreign.exists());
	assert_eq!(packages.index().cost, 0);
	let outcome = packages.put(Bytes::from_static(NOTHING)).await;
	assert!(outcome.is_ok(), "{outcome:?}");
	let names: Vec<_> = fs::read_dir(folder.path())
		.expect("the folder is ours")
		.map(|file| file.expect("it can be listed").path())
		.filter(|path| *path != foreign)
		.collect();
	assert_eq!(names, [whole], "nothing is left beside the package");
}

#[tokio::test]
async fn a_damaged_package_is_not_handed_out_and_can_be_stored_again() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let packages = store(folder.path(), MIN_COST).await;
	let (hash, _) = packages
		.put(Bytes::from_static(NOTHING))
		.await
		.expect("it runs");
	fs::write(file(folder.path(), NOTHING), b"\0asm").expect("the file is ours");
	assert_eq!(packages.get(hash).await.expect("it is read"), None);
	let again = packages
		.put(Bytes::from_static(NOTHING))
		.await
		.expect("it runs");
	assert_eq!(again, (hash, true));
	assert_eq!(packages.index().cost, MIN_COST, "it counts once");
}
