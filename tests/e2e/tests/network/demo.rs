//! The demo, as anybody runs it.

use millrace_e2e::{binaries, command::millrace, eventually, network::folder, Process};
use rustix::process::{kill_process, Pid, Signal};
use serde_json::Value;
use std::{ffi::OsStr, path::Path, time::Duration};

/// Limit of a warm run.
const LIMIT: Duration = Duration::from_secs(300);
/// Calls that it makes.
const CALLS: u64 = 20;

#[tokio::test]
async fn the_demo_runs_and_every_balance_is_right() {
	let folder = folder();
	let (out, data) = (folder.path().join("thumbnails"), folder.path().join("data"));
	let (package, photo) = (binaries::guest("thumbnail"), binaries::sample("photo.png"));
	let arguments: Vec<&OsStr> = vec![
		"dev".as_ref(),
		"--json".as_ref(),
		"--data-dir".as_ref(),
		data.as_os_str(),
		"--out".as_ref(),
		out.as_os_str(),
		"--package".as_ref(),
		package.as_os_str(),
		"--input".as_ref(),
		photo.as_os_str(),
	];
	let ran = millrace(folder.path(), LIMIT, arguments).await.succeeded();
	let result = ran.json();
	eprintln!("{result:#}");

	assert_eq!(result["ok"], true, "{}", result["mismatches"]);
	assert_eq!(number(&result, "calls"), CALLS);
	assert_eq!(number(&result, "calls_ok"), CALLS);
	assert_eq!(number(&result, "receipts_verified"), CALLS);
	let checkpoint = &result["checkpoint"];
	assert_eq!(number(checkpoint, "receipts"), CALLS);
	assert!(number(checkpoint, "block") > 5 * 20, "{checkpoint}");
	assert!(number(checkpoint, "gas") > 21_000, "{checkpoint}");
	assert_eq!(number(&result, "units"), 2, "two peers of one unit each");
	assert_eq!(number(&result, "solutions_per_unit"), 4);
	// Both peers report at least three epochs, and with so few every report is drawn.
	assert!(number(&result, "audits_verified") >= 4, "{result}");
	assert!(number(&result, "epochs") >= 5, "{result}");
	assert!(number(&result, "blocks") >= 5 * 20, "{result}");
	assert!(number(&result, "finality_lag_blocks") <= 5, "{result}");
	assert!(number(&result, "gas_total") > 20 * 1_000_000, "{result}");
	check_latency(&result["latency_ms"]);
	let elapsed = result["elapsed_seconds"].as_f64().expect("it is a number");
	assert!(elapsed > 60.0 && elapsed < LIMIT.as_secs_f64(), "{elapsed}");
	check_money(&result["flt"]);
	check_thumbnails(&out, &package).await;
}

/// Programs of a demo: itself, the node and two workers.
const PROGRAMS: usize = 4;

#[tokio::test]
async fn ctrl_c_ends_every_process_of_the_demo() {
	let folder = folder();
	let data = folder.path().join("data").display().to_string();
	let package = binaries::guest("thumbnail").display().to_string();
	let photo = binaries::sample("photo.png").display().to_string();
	let arguments = [
		"--json",
		"dev",
		"--data-dir",
		&data,
		"--package",
		&package,
		"--input",
		&photo,
	];
	let mut demo = Process::start(folder.path(), "demo", &binaries::millrace(), arguments);
	eventually(
		"the demo's programs run",
		Duration::from_secs(90),
		async || {
			demo.assert_running();
			match programs_with(&data).len() {
				enough if enough >= PROGRAMS => Ok(()),
				few => Err(format!("only {few} run")),
			}
		},
	)
	.await;
	let pid = demo
		.id()
		.and_then(|id| Pid::from_raw(id as i32))
		.expect("it runs");
	kill_process(pid, Signal::INT).expect("it takes signals");
	let status = demo.ended(Duration::from_secs(30)).await;
	assert_eq!(status, Some(1), "{}", demo.log());
	assert!(
		demo.log().contains("\"code\":\"interrupted\""),
		"{}",
		demo.log()
	);
	assert_eq!(
		programs_with(&data),
		Vec::<String>::new(),
		"nothing is left behind"
	);
}

/// Command lines of all processes that name a folder.
fn programs_with(folder: &str) -> Vec<String> {
	let processes = std::fs::read_dir("/proc").expect("processes can be listed");
	let line = |entry: std::io::Result<std::fs::DirEntry>| {
		let bytes = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
		let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
		text.contains(folder).then_some(text)
	};
	processes.filter_map(line).collect()
}

#[tokio::test]
async fn the_demo_refuses_what_it_cannot_run() {
	let folder = folder();
	let minute = Duration::from_secs(60);
	let missing = ["--json", "dev", "--package", "there-is-none.wasm"];
	let ran = millrace(folder.path(), minute, missing).await;
	assert_eq!(ran.error(), (2, "file_missing".into()), "{ran:?}");
	std::fs::write(folder.path().join("something"), "").expect("the folder is writable");
	let (package, photo) = (binaries::guest("thumbnail"), binaries::sample("photo.png"));
	let full: Vec<&OsStr> = vec![
		"--json".as_ref(),
		"dev".as_ref(),
		"--data-dir".as_ref(),
		folder.path().as_os_str(),
		"--package".as_ref(),
		package.as_os_str(),
		"--input".as_ref(),
		photo.as_os_str(),
	];
	let ran = millrace(folder.path(), minute, full).await;
	assert_eq!(ran.error(), (2, "folder_not_empty".into()), "{ran:?}");
}

fn number(result: &Value, field: &str) -> u64 {
	result[field]
		.as_u64()
		.unwrap_or_else(|| panic!("{field} is no whole number: {result}"))
}

fn check_latency(latency: &Value) {
	let p50 = latency["p50"].as_f64().expect("the median is a number");
	let p99 = latency["p99"]
		.as_f64()
		.expect("the 99th percentile is a number");
	assert!(0.0 < p50 && p50 <= p99 && p99 < 30_000.0, "{latency}");
}

fn check_money(flt: &Value) {
	let amount = |field: &str| -> u128 {
		let digits = flt[field].as_str();
		digits
			.and_then(|digits| digits.parse().ok())
			.unwrap_or_else(|| panic!("{field} is no decimal string: {flt}"))
	};
	let (paid, burnt, refunded) = (
		amount("paid_to_provider"),
		amount("burnt"),
		amount("refunded"),
	);
	assert_eq!(amount("escrowed"), paid + burnt + refunded, "{flt}");
	assert_eq!(amount("expected_paid"), paid, "{flt}");
	assert!(paid > 0 && refunded > 0, "{flt}");
	// Two in a hundred burn, rounded up once for each payment.
	let whole = paid + burnt;
	assert!(burnt >= whole / 50 && burnt < whole / 50 + 100, "{flt}");
	let (credited, claimed) = (amount("reward_credited"), amount("reward_claimed"));
	assert!(0 < claimed && claimed < credited, "{flt}");
}

/// Every response is a whole PNG of the asked size; the guest itself decodes it again.
async fn check_thumbnails(out: &Path, package: &Path) {
	let entries = std::fs::read_dir(out).expect("the responses are there");
	let mut files: Vec<_> = entries
		.map(|entry| entry.expect("it can be listed").path())
		.collect();
	files.sort();
	assert_eq!(files.len() as u64, CALLS, "{files:?}");
	let mut contents = Vec::new();
	for file in &files {
		let bytes = std::fs::read(file).expect("it can be read");
		let (width, height) = png_size(&bytes).unwrap_or_else(|why| {
			panic!("{} is no PNG: {why}", file.display());
		});
		assert_eq!(
			width.max(height),
			128,
			"the longer edge of {}",
			file.display()
		);
		contents.push(bytes);
	}
	contents.dedup();
	assert_eq!(contents.len(), 1, "equal requests have equal responses");

	let again = out.join("again.png");
	let arguments: Vec<&OsStr> = vec![
		"run".as_ref(),
		package.as_os_str(),
		"--input".as_ref(),
		files[0].as_os_str(),
		"--out".as_ref(),
		again.as_os_str(),
	];
	millrace(out, Duration::from_secs(60), arguments)
		.await
		.succeeded();
	let bytes = std::fs::read(again).expect("the guest has answered");
	assert_eq!(png_size(&bytes), png_size(&contents[0]));
}

/// Width and height of a PNG, all of whose chunks are whole.
fn png_size(bytes: &[u8]) -> Result<(u32, u32), String> {
	let mut rest = bytes
		.strip_prefix(b"\x89PNG\r\n\x1a\n")
		.ok_or("another signature")?;
	let mut size = None;
	let mut data = 0;
	loop {
		let (length, after) = rest
			.split_first_chunk::<4>()
			.ok_or("it ends without an end")?;
		let length = u32::from_be_bytes(*length) as usize;
		let chunk = after.get(..4 + length).ok_or("a chunk is cut off")?;
		let sum = after
			.get(4 + length..8 + length)
			.ok_or("a chunk has no checksum")?;
		if crc32(chunk).to_be_bytes() != sum {
			return Err("a checksum is wrong".into());
		}
		let (kind, content) = chunk.split_at(4);
		match (kind, size) {
			(b"IHDR", None) => {
				let (width, after) = content.split_first_chunk::<4>().ok_or("a short header")?;
				let (height, _) = after.split_first_chunk::<4>().ok_or("a short header")?;
				size = Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)));
			}
			(b"IDAT", Some(_)) => data += content.len(),
			(b"IEND", Some(size)) if data > 0 && after.len() == 8 + length => return Ok(size),
			(b"IEND", _) => return Err("it ends without a picture, or goes on".into()),
			(_, None) => return Err("it does not begin with a header".into()),
			_ => {}
		}
		rest = &after[8 + length..];
	}
}

fn crc32(bytes: &[u8]) -> u32 {
	!bytes.iter().fold(!0u32, |crc, byte| {
		(0..8).fold(crc ^ u32::from(*byte), |crc, _| {
			(crc >> 1) ^ (0xEDB8_8320 & (0u32.wrapping_sub(crc & 1)))
		})
	})
}

#[test]
fn checksums_are_those_of_png() {
	assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
	assert!(png_size(b"\x89PNG\r\n\x1a\n").is_err());
	let photo = std::fs::read(binaries::sample("photo.png")).expect("it can be read");
	assert!(png_size(&photo).is_ok());
}
