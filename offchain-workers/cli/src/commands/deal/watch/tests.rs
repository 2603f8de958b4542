//! When watching ends, and what is told until then.

use super::*;
use clap::Parser;
use millrace_primitives::{execution::PROFILE_V1, market::DealTerms};

#[derive(Parser)]
struct Watched {
	#[command(flatten)]
	watch: WatchArgs,
}

fn limit(more: &[&str]) -> Option<u64> {
	let line = [&["test", "7"][..], more].concat();
	let watched = Watched::try_parse_from(line).expect("every option is known");
	watched.watch.limit().map(|limit| limit.as_secs())
}

/// A deal that wants two workers, and has some that stand so.
fn deal(status: Value, workers: &[Value]) -> DealView<AccountId> {
	let workers: Vec<Value> = workers
		.iter()
		.map(|status| {
			json!({
				"worker": {
					"peer": format!("0x{}", "22".repeat(32)),
					"offer": 1,
					"ask": "5",
					"units": 1,
					"bond": "0",
					"status": status,
				},
				"endpoint": "http://mill.example",
				"key": format!("0x{}", "33".repeat(32)),
			})
		})
		.collect();
	let value = json!({
		"deal": 7,
		"owner": AccountId::from([0; 32]),
		"heir": null,
		"spec": {
			"class": 1,
			"units_per_worker": 1,
			"min_workers": 1,
			"target_workers": 2,
			"max_workers_per_provider": 2,
			"price_ceiling": "9",
			"package": {
				"hash": format!("0x{}", "11".repeat(32)),
				"size": 8,
				"links": [],
				"abi": "wasi_preview1_command",
			},
			"limits": {
				"gas": 1_000,
				"memory_bytes": 65_536,
				"request_bytes": 1_024,
				"response_bytes": 1_024,
			},
			"capabilities": 0,
			"regions": [],
			"providers": "any",
			"worker_bond": "0",
			"term_epochs": null,
		},
		"status": status,
		"created": 3,
		"escrow": "40",
		"closing_deposit": "18",
		"grace": null,
		"paid": "0",
		"burnt": "0",
		"paid_until": 9,
		"workers": workers,
		"profile": PROFILE_V1,
		"terms": DealTerms::default(),
	});
	serde_json::from_value(value).expect("that is a deal")
}

fn live(since: EpochIndex) -> Value {
	json!({ "live": { "since": since } })
}

#[test]
fn waiting_has_an_end_and_following_only_where_it_is_asked_for() {
	assert_eq!(limit(&[]), Some(PATIENCE_SECONDS));
	assert_eq!(limit(&["--timeout", "5"]), Some(5));
	assert_eq!(limit(&["--follow"]), None);
	assert_eq!(limit(&["--follow", "--timeout", "5"]), Some(5));
}

#[test]
fn who_goes_live_serves_at_once_and_who_leaves_does_not_count() {
	let draining = json!({ "draining": { "since": 3, "last": 5 } });
	let assigned = json!({ "assigned": { "deadline": 6 } });
	let found = deal(json!("active"), &[live(5), live(4), draining, assigned]);
	assert_eq!(serving(&found, 3), 1);
	assert_eq!(serving(&found, 4), 2);
	assert!(!is_filled(&found, 3).expect("it looks for more"));
	assert!(is_filled(&found, 4).expect("it has all"));
}

#[test]
fn who_waits_for_what_never_comes_is_told_so() {
	let ending = deal(json!({ "ending": { "last": 5 } }), &[live(3), live(3)]);
	let error = is_filled(&ending, 5).expect_err("it ends");
	assert_eq!(error.code, "deal_ending");
	let short = deal(json!("grace"), &[live(3)]);
	let error = is_filled(&short, 5).expect_err("it looks for nobody");
	assert_eq!(error.code, "deal_in_grace");
	assert!(error.hint.is_some_and(|hint| hint.contains("top-up")));
	// Who has all workers in grace has what was waited for.
	let whole = deal(json!("grace"), &[live(3), live(3)]);
	assert!(is_filled(&whole, 5).expect("they serve"));
}

#[test]
fn a_line_has_the_deal_or_says_that_it_is_closed() {
	let found = deal(json!("active"), &[live(5)]);
	let line = object(7, Some(&found), 5);
	assert_eq!(line["deal"]["paid_until"], 9);
	let told = [
		&line["id"],
		&line["epoch"],
		&line["serving"],
		&line["wanted"],
	];
	assert_eq!(told, [&json!(7), &json!(5), &json!(1), &json!(2)]);
	assert!(!line.to_string().contains('\n'));
	let closed = object(7, None, 6);
	assert_eq!(closed["deal"], Value::Null);
	assert_eq!(closed["serving"], Value::Null);
	let text = in_short(&found, 5);
	assert!(text.contains("1 of 2 workers serve"), "{text}");
	assert!(text.contains("paid until epoch 9"), "{text}");
}
