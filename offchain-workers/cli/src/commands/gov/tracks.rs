//! `millrace gov tracks`: what a referendum takes.

use crate::{
	context::Context,
	errors::{CliError, Result},
	ui,
};
use millrace_client::amounts;
use millrace_primitives::referenda::{TrackId, TrackView, VotingRules};

/// Lists the tracks.
pub(super) async fn run(context: &Context) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let rules = view.voting_rules().await?;
	context.emit(&rules, || {
		let rows = rules.tracks.iter().map(|track| {
			vec![
				track.id.to_string(),
				track.name.clone(),
				amounts::format(track.decision_deposit),
				format!("{} of {}", track.deciding, track.max_deciding),
				track.prepare_blocks.to_string(),
				track.decision_blocks.to_string(),
				track.confirm_blocks.to_string(),
				track.enactment_blocks.to_string(),
			]
		});
		let header = [
			"id", "track", "deposit", "deciding", "prepare", "decide", "confirm", "enact",
		];
		let more = ui::pairs([
			(
				"held for a submission",
				amounts::format(rules.submission_deposit),
			),
			(
				"dropped undecided after",
				format!("{} blocks", rules.undecided_blocks),
			),
			(
				"single conviction locks for",
				format!("{} blocks", rules.lock_blocks),
			),
		]);
		format!("{}\nperiods in blocks\n\n{more}", ui::table(header, rows))
	})
}

/// The track of a name, or an error that names them all.
pub(super) fn find<'a>(rules: &'a VotingRules, name: &str) -> Result<&'a TrackView> {
	rules
		.tracks
		.iter()
		.find(|track| track.name == name)
		.ok_or_else(|| {
			let names: Vec<_> = rules.tracks.iter().map(|track| &track.name[..]).collect();
			CliError::not_found("track_unknown", format!("there is no track {name}"))
				.hint(format!("there is {}", names.join(", ")))
		})
}

/// Name of a track, or its number where the chain has dropped it since.
pub(super) fn name_of(rules: &VotingRules, track: TrackId) -> String {
	rules
		.tracks
		.iter()
		.find(|known| known.id == track)
		.map_or_else(|| track.to_string(), |known| known.name.clone())
}

#[cfg(test)]
pub(super) fn sample() -> VotingRules {
	let track = |id, name: &str| TrackView {
		id,
		name: name.into(),
		origin: vec![0, 0],
		decision_deposit: 2_000 * millrace_primitives::FLT,
		max_deciding: 10,
		deciding: 1,
		prepare_blocks: 2,
		decision_blocks: 28,
		confirm_blocks: 3,
		enactment_blocks: 4,
	};
	VotingRules {
		referenda: 4,
		submission_deposit: 100 * millrace_primitives::FLT,
		undecided_blocks: 50,
		lock_blocks: 20,
		tracks: vec![track(0, "root"), track(4, "market")],
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_track_is_found_by_its_name_alone() {
		let rules = sample();
		assert_eq!(find(&rules, "market").expect("it is there").id, 4);
		let error = find(&rules, "Market").expect_err("there is none");
		assert_eq!(error.hint.as_deref(), Some("there is root, market"));
		assert_eq!(name_of(&rules, 0), "root");
		assert_eq!(name_of(&rules, 9), "9");
	}
}
