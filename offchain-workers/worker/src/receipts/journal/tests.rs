//! The journal's file, byte by byte.

use super::*;
use std::path::PathBuf;
use tempfile::TempDir;

const BLOCKS: usize = 8;
const KEY: H256 = H256::repeat_byte(7);

fn empty() -> (TempDir, PathBuf, Journal) {
	let dir = tempfile::tempdir().expect("a directory");
	let path = dir.path().join("journal");
	create(&path, BLOCKS).expect("it is made");
	let journal = Journal::open(&path, BLOCKS, KEY).expect("it opens");
	(dir, path, journal)
}

/// A payload of so many equal bytes.
fn payload(byte: u8, length: usize) -> Vec<u8> {
	vec![byte; length]
}

fn encoded(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
	payloads.iter().map(Encode::encode).collect()
}

fn found(path: &Path, settled: u64) -> Vec<Vec<u8>> {
	read(path, BLOCKS, (KEY, settled)).expect("nothing is missing")
}

#[test]
fn records_are_read_in_their_order_behind_the_settled_one() {
	let (_dir, path, mut journal) = empty();
	assert!(found(&path, 0).is_empty());
	let payloads = [payload(1, 10), payload(2, 5_000), payload(3, 0)];
	for payload in &payloads {
		journal.append(payload).expect("it is written");
	}
	assert_eq!(journal.mark(), (KEY, 3));
	for settled in 0..=3 {
		let behind = encoded(&payloads[settled..]);
		assert_eq!(found(&path, settled as u64), behind);
	}
	assert_eq!(
		fs::metadata(&path).expect("a file").len(),
		(BLOCKS * BLOCK) as u64
	);
}

#[test]
fn a_torn_record_is_none() {
	let (_dir, path, mut journal) = empty();
	let first = payload(1, 10);
	journal.append(&first).expect("it is written");
	journal.append(&payload(2, 600)).expect("it is written");
	let whole = fs::read(&path).expect("a file");
	let end = BLOCK + HEADER + payload(2, 600).encoded_size();
	for cut in BLOCK..end {
		let mut torn = whole.clone();
		torn[cut..].fill(0);
		let found = scan(&mut torn, &KEY, 0);
		assert_eq!(found, Some(encoded(&[first.clone()])), "cut at {cut}");
	}
}

#[test]
fn a_flipped_bit_is_seen() {
	let (_dir, path, mut journal) = empty();
	let first = payload(1, 10);
	journal.append(&first).expect("it is written");
	journal.append(&payload(2, 20)).expect("it is written");
	let whole = fs::read(&path).expect("a file");
	for bit in 0..8 * (HEADER + first.encoded_size()) {
		let flipped = |block: usize| {
			let mut bytes = whole.clone();
			bytes[block * BLOCK + bit / 8] ^= 1 << (bit % 8);
			scan(&mut bytes, &KEY, 0)
		};
		// The first was synced before the second was written: no crash spoils it.
		assert_eq!(flipped(0), None, "bit {bit}");
		assert_eq!(flipped(1), Some(encoded(&[first.clone()])), "bit {bit}");
	}
}

#[test]
fn what_is_left_of_an_earlier_round_is_not_read() {
	let (_dir, path, mut journal) = empty();
	for byte in 1..=3 {
		journal.append(&payload(byte, 10)).expect("it is written");
	}
	journal.recycle();
	assert!(found(&path, 3).is_empty());
	// One block is new; records 2 and 3 lie behind it.
	journal.append(&payload(4, 10)).expect("it is written");
	assert_eq!(found(&path, 3), encoded(&[payload(4, 10)]));
	journal.recycle();
	// Two blocks, and record 3.
	journal.append(&payload(5, 5_000)).expect("it is written");
	assert_eq!(found(&path, 4), encoded(&[payload(5, 5_000)]));
	// A round whose first record is torn: the database has all that is left.
	let mut torn = fs::read(&path).expect("a file");
	torn[BLOCK..2 * BLOCK].fill(0);
	assert_eq!(scan(&mut torn, &KEY, 4), Some(Vec::new()));
}

#[test]
fn a_record_fits_to_the_last_byte_of_a_half() {
	let (_dir, path, mut journal) = empty();
	// Two bytes say how long so long a payload is.
	let most = BLOCKS / 2 * BLOCK - HEADER;
	let long = |byte| payload(byte, most - 2);
	assert_eq!(long(1).encoded_size(), most);
	assert!(journal.fits(most) && !journal.fits(most + 1));
	assert!(journal.fits_a_half(most) && !journal.fits_a_half(most + 1));
	journal.append(&long(1)).expect("it is written");
	assert!(!journal.fits(0) && journal.fits_a_half(most));
	journal.turn();
	assert!(journal.fits(most) && !journal.fits(most + 1));
	journal.append(&long(2)).expect("it is written");
	assert!(!journal.fits(0));
	assert_eq!(found(&path, 0), encoded(&[long(1), long(2)]));
	assert_eq!(found(&path, 1), encoded(&[long(2)]));
	// The database has the first half.
	journal.turn();
	journal.append(&long(3)).expect("it is written");
	assert_eq!(found(&path, 1), encoded(&[long(2), long(3)]));
	journal.recycle();
	assert!(journal.fits(most));
	assert!(found(&path, 3).is_empty());
}

/// Where the older half is the later one in the file.
#[test]
fn records_are_read_in_the_order_of_their_numbers() {
	let (_dir, path, mut journal) = empty();
	journal.append(&payload(1, 10)).expect("it is written");
	journal.turn();
	for byte in [2, 3] {
		journal.append(&payload(byte, 10)).expect("it is written");
	}
	journal.turn();
	for byte in [4, 5] {
		journal.append(&payload(byte, 10)).expect("it is written");
	}
	let all: Vec<_> = (2..=5).map(|byte| payload(byte, 10)).collect();
	assert_eq!(found(&path, 1), encoded(&all));
	assert_eq!(found(&path, 3), encoded(&all[2..]));
	let whole = fs::read(&path).expect("a file");
	let without = |block: usize, settled: u64| {
		let mut bytes = whole.clone();
		bytes[block * BLOCK..(block + 1) * BLOCK].fill(0);
		scan(&mut bytes, &KEY, settled)
	};
	let half = BLOCKS / 2;
	// Blocks of the records 2, 3 and 4: others follow each.
	for block in [half, half + 1, 0] {
		assert_eq!(without(block, 1), None, "block {block}");
	}
	// The last one may be torn.
	assert_eq!(without(1, 1), Some(encoded(&all[..3])));
	// The database has those of the half before.
	assert_eq!(without(half + 1, 3), Some(encoded(&all[2..])));
}

/// What a client can send so that it lies where a record may begin passes for one only if it was
/// made with the key.
#[test]
fn bytes_of_a_request_cannot_pass_for_a_record() {
	let forged = |key: &H256| {
		let mut record = vec![0; HEADER];
		record.extend(payload(9, 3));
		record[NUMBER].copy_from_slice(&3u64.to_le_bytes());
		record[LENGTH].copy_from_slice(&3u64.to_le_bytes());
		let seal = seal(&mut record, key);
		record[SEAL].copy_from_slice(&seal);
		record
	};
	let (known, guessed) = (payload(9, 3), H256::repeat_byte(8));
	for (key, found_behind) in [(KEY, vec![known]), (guessed, Vec::new())] {
		let (_dir, path, mut journal) = empty();
		// Two bytes say how long the payload is; the second block begins behind that.
		let mut request = payload(0, BLOCK - HEADER - 2);
		request.extend(forged(&key));
		journal.append(&request).expect("it is written");
		journal.recycle();
		journal.append(&payload(2, 10)).expect("it is written");
		let mut expected = encoded(&[payload(2, 10)]);
		expected.extend(found_behind);
		assert_eq!(found(&path, 1), expected);
	}
}

#[test]
fn another_key_opens_nothing() {
	let (_dir, path, mut journal) = empty();
	journal.append(&payload(1, 10)).expect("it is written");
	let other = read(&path, BLOCKS, (H256::repeat_byte(8), 0));
	assert!(other.expect("nothing is missing").is_empty());
}

#[test]
fn a_record_that_is_missing_is_damage() {
	let (_dir, path, mut journal) = empty();
	journal.last = 2;
	journal.append(&payload(3, 10)).expect("it is written");
	assert_eq!(found(&path, 2), encoded(&[payload(3, 10)]));
	let skipped = read(&path, BLOCKS, (KEY, 1));
	assert!(matches!(skipped, Err(StoreError::Damaged("journal"))));
}

#[test]
fn a_journal_that_is_gone_or_cut_is_damage() {
	let (_dir, path, _) = empty();
	let damaged = || {
		let found = read(&path, BLOCKS, (KEY, 0));
		matches!(found, Err(StoreError::Damaged("journal")))
	};
	assert!(!damaged());
	let file = File::options().write(true).open(&path).expect("it opens");
	file.set_len((BLOCKS * BLOCK) as u64 - 1)
		.expect("it is cut");
	assert!(damaged());
	fs::remove_file(&path).expect("it was there");
	assert!(damaged());
}

#[test]
fn a_full_disk_is_told() {
	let full = File::options().write(true).open("/dev/full");
	let mut journal = Journal::over(full.expect("the system has it"), BLOCKS, KEY);
	match journal.append(&payload(1, 10)) {
		Err(StoreError::Journal(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
		other => panic!("{other:?}"),
	}
}
