//! The parts of the door that need no guest.

use super::*;

#[test]
fn a_path_is_split_after_the_deal_and_stays_as_sent() {
	assert_eq!(split_path("/deals/7"), Ok((7, "/".into())));
	assert_eq!(split_path("/deals/7/"), Ok((7, "/".into())));
	assert_eq!(
		split_path("/deals/7/a%20b//c/"),
		Ok((7, "/a%20b//c/".into()))
	);
	assert!(matches!(
		split_path("/deals/seven"),
		Err(Refusal::BadRequest(_))
	));
	assert!(matches!(
		split_path("/deals/-1/x"),
		Err(Refusal::BadRequest(_))
	));
}

#[test]
fn what_reaches_the_guest_beside_the_body_is_bounded_to_the_byte() {
	let ask = |method: &str, path: usize, query: usize, content_type: usize| {
		let path = format!("/{}", "p".repeat(path - 1));
		let (parts, ()) = axum::http::Request::builder()
			.method(method)
			.uri(format!("/deals/7{path}?{}", "q".repeat(query)))
			.header(header::CONTENT_TYPE, "c".repeat(content_type))
			.body(())
			.expect("a request")
			.into_parts();
		guest_request(&parts, path).map(|request| request.query.len())
	};
	let refusal = Err(Refusal::RequestHeadTooLarge { limit: 8_192 });
	assert_eq!(ask("GET", 4_000, 4_000, 192), Ok(4_000));
	assert_eq!(ask("GET", 4_001, 4_000, 192), refusal);
	assert_eq!(ask("GET", 4_000, 4_001, 192), refusal);
	assert_eq!(ask("GET", 4_000, 4_000, 193), refusal);
	assert_eq!(ask(&"M".repeat(32), 1, 0, 0), Ok(0));
	assert_eq!(ask(&"M".repeat(33), 1, 0, 0), refusal);
}

#[test]
fn a_hash_is_read_with_and_without_its_prefix() {
	let expected = H256::repeat_byte(0xab);
	assert_eq!(hash(&format!("{expected:?}")), Ok(expected));
	assert_eq!(hash(&hex::encode(expected)), Ok(expected));
	for text in ["", "0xab", "../etc/passwd"] {
		assert!(matches!(hash(text), Err(Refusal::BadRequest(_))), "{text}");
	}
}

#[test]
fn what_protects_the_machine_is_told() {
	assert_eq!(sandbox(Protection::None), json!({ "mode": "off" }));
	let process = Protection::Process {
		landlock_abi: 4,
		seccomp: true,
	};
	assert_eq!(
		sandbox(process),
		json!({ "mode": "process", "landlock_abi": 4, "seccomp": true })
	);
}

#[test]
fn standard_error_survives_a_header() {
	let text = percent_encode("50 % of \u{e4}\n".as_bytes());
	assert_eq!(text, "50 %25 of %C3%A4%0A");
	assert!(HeaderValue::try_from(text).is_ok());
}

#[test]
fn the_search_is_told_with_these_fields() {
	let metrics = Metrics::new().expect("the names are distinct and valid");
	metrics.prover.rate_needed.set(100.0);
	metrics.prover.too_slow.set(1);
	let progress = Progress {
		epoch: Some(7),
		owed_idle: 8,
		owed_busy: 2,
		found_idle: 4,
		found_busy: 1,
		rate: 12.5,
		eta_seconds: Some(30.0),
		threads: 4,
		mode: millrace_prover::Mode::Light,
		filling: Some(0.5),
		trouble: Some("no memory".into()),
		..Progress::default()
	};
	assert_eq!(
		prover(&progress, &metrics.prover),
		json!({
			"mode": "light", "threads": 4, "epoch": 7, "found": 5, "owed": 10, "filling": 0.5,
			"rate": 12.5, "rate_needed": 100.0, "too_slow": true, "eta_seconds": 30.0,
			"trouble": "no memory",
		})
	);
}

#[tokio::test]
async fn a_body_that_is_not_taken_is_refused() {
	let time = Duration::from_millis(20);
	let whole = read_body(Body::from("1234"), 4, time).await;
	assert_eq!(whole, Ok(b"1234".to_vec()));
	let long = read_body(Body::from("12345"), 4, time).await;
	assert_eq!(long, Err(Refusal::BodyTooLarge { limit: 4 }));
	let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
	let slow = read_body(Body::from_stream(never), 4, time).await;
	assert_eq!(slow, Err(Refusal::BodyIncomplete));
}

#[test]
fn receipts_are_written_in_hexadecimal() {
	assert_eq!(in_hex(&[]), b"0x");
	assert_eq!(in_hex(&[0x00, 0xab, 0x0f]), b"0x00ab0f");
}

#[test]
fn every_way_to_fail_has_its_code() {
	let codes = [
		CallStatus::Exited(1),
		CallStatus::Trapped,
		CallStatus::OutOfGas,
		CallStatus::StackOverflow,
		CallStatus::ResponseTooLarge,
	]
	.map(|status| failure(status).map(|(code, _, _)| code));
	assert_eq!(
		codes,
		[
			Some("guest_failed"),
			Some("guest_trapped"),
			Some("guest_out_of_gas"),
			Some("guest_stack_overflow"),
			Some("response_too_large"),
		]
	);
	assert!(failure(CallStatus::Exited(0)).is_none());
}
