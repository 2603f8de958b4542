//! The tracks against each other, and against their documentation.

use super::*;
use crate::{timing::GovernanceHourBlocks, Runtime, RuntimeOrigin};
use frame_support::traits::OriginTrait;
use pallet_referenda::TracksInfo;
use sp_runtime::Perbill;
use std::collections::BTreeSet;

const DOCUMENTATION: &str = include_str!("../../../../../docs/governance.md");

fn all() -> Vec<Track<u16, Balance, BlockNumber>> {
	Tracks::tracks().map(Cow::into_owned).collect()
}

fn label(info: &Info) -> String {
	let text = core::str::from_utf8(&info.name).expect("it is text");
	text.trim_end_matches('\0').into()
}

fn on_mainnet(test: impl FnOnce()) {
	sp_io::TestExternalities::default().execute_with(test);
}

/// Cells of the rows of a table of the documentation, without its head.
fn rows(table: &str) -> Vec<Vec<String>> {
	let (_, rest) = DOCUMENTATION
		.split_once(&format!("<!-- {table} -->"))
		.expect("the table begins");
	let (text, _) = rest
		.split_once(&format!("<!-- /{table} -->"))
		.expect("the table ends");
	let lines = text.trim().lines().skip(2);
	let cells = |line: &str| -> Vec<String> {
		let inner = line.trim().trim_matches('|');
		inner.split('|').map(|cell| cell.trim().into()).collect()
	};
	lines.map(cells).collect()
}

/// A period as people write it.
fn written(blocks: BlockNumber) -> String {
	match blocks {
		day if day % days(1) == 0 => format!("{} d", day / days(1)),
		hour if hour % hours(1) == 0 => format!("{} h", hour / hours(1)),
		minute => {
			assert_eq!(minute % minutes(1), 0);
			format!("{} min", minute / minutes(1))
		}
	}
}

/// Thousands apart.
fn grouped(amount: Balance) -> String {
	let whole = amount / FLT;
	assert_eq!(amount % FLT, 0);
	match whole / 1_000 {
		0 => format!("{whole}"),
		thousands => format!("{thousands},{:03}", whole % 1_000),
	}
}

#[test]
fn the_documentation_has_the_tracks() {
	on_mainnet(|| {
		let expected: Vec<Vec<String>> = all()
			.into_iter()
			.map(|Track { id, info }| {
				vec![
					id.to_string(),
					label(&info),
					grouped(info.decision_deposit),
					info.max_deciding.to_string(),
					written(info.prepare_period),
					written(info.decision_period),
					written(info.confirm_period),
					written(info.min_enactment_period),
				]
			})
			.collect();
		let mut found = rows("tracks");
		for row in &mut found {
			// What it decides is for people.
			assert!(!row.remove(2).is_empty());
		}
		assert_eq!(found, expected);
	});
}

#[test]
fn the_documentation_has_the_thresholds() {
	let tenths = |threshold: Perbill| {
		let tenths = (threshold.deconstruct() + 500_000) / 1_000_000;
		format!("{}.{}", tenths / 10, tenths % 10)
	};
	let times = [0, 10, 25, 50, 100].map(Perbill::from_percent);
	on_mainnet(|| {
		let mut expected = Vec::new();
		for Track { info, .. } in all() {
			let curves = [
				("approval", &info.min_approval),
				("support", &info.min_support),
			];
			for (what, curve) in curves {
				let values = times.map(|time| tenths(curve.threshold(time)));
				expected.push([&[label(&info), what.into()][..], &values[..]].concat());
			}
		}
		assert_eq!(rows("thresholds"), expected);
	});
}

#[test]
fn each_origin_has_its_track_and_nobody_else_has_one() {
	let track = |origin: RuntimeOrigin| Tracks::track_for(origin.caller());
	let origins = [
		RuntimeOrigin::root(),
		Origin::Treasurer.into(),
		Origin::Parameters.into(),
		Origin::Capacity.into(),
		Origin::Market.into(),
		Origin::Emergency.into(),
	];
	let found: Vec<u16> = origins
		.into_iter()
		.map(|origin| track(origin).expect("it has one"))
		.collect();
	on_mainnet(|| {
		assert_eq!(Tracks::check_integrity(), Ok(()));
		let ids: Vec<u16> = Tracks::track_ids().collect();
		assert_eq!(found, ids);
		let labels: BTreeSet<String> = all().iter().map(|track| label(&track.info)).collect();
		assert_eq!(labels.len(), ids.len());
	});
	let signed = RuntimeOrigin::signed(crate::AccountId::new([1; 32]));
	assert_eq!(track(signed), Err(()));
	assert_eq!(track(RuntimeOrigin::none()), Err(()));
}

/// Where a tenth of all FLT wants it and nobody opposes.
#[test]
fn an_emergency_is_over_long_before_a_slash_is_due() {
	on_mainnet(|| {
		let info = emergency();
		let wanted = info.min_support.delay(Perbill::from_percent(10));
		let takes = info.prepare_period
			+ wanted * info.decision_period
			+ info.confirm_period
			+ info.min_enactment_period;
		assert!(takes > hours(1));
		let delay = pallet_capacity::CapacityParams::default().slash_delay_epochs
			* pallet_epochs::DEFAULT_LENGTHS.len;
		assert!(takes * 8 < delay, "{takes} of {delay} blocks");
	});
}

#[test]
fn nothing_but_root_passes_because_nobody_looked() {
	on_mainnet(|| {
		for Track { id, info } in all() {
			let least = info.min_support.threshold(Perbill::one());
			// A curve's ends are right to a few of its smallest parts.
			let hundredth = Perbill::from_parts(9_999_000);
			assert!(id == ROOT || least >= hundredth, "{}", label(&info));
			let half = Perbill::from_parts(499_999_000);
			assert!(info.min_approval.threshold(Perbill::one()) >= half);
		}
	});
}

#[test]
fn a_development_chain_decides_within_dozens_of_blocks() {
	on_mainnet(|| {
		GovernanceHourBlocks::<Runtime>::put(1);
		for Track { info, .. } in all() {
			let around = info.prepare_period + info.confirm_period + info.min_enactment_period;
			assert!((3..60).contains(&around), "{}: {around}", label(&info));
			assert!(info.decision_period >= 24, "{}", label(&info));
		}
		let parameters = of_parameters("parameters");
		assert_eq!(
			[
				parameters.prepare_period,
				parameters.confirm_period,
				parameters.min_enactment_period
			],
			[2, 12, 12]
		);
	});
}
