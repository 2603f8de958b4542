//! `millrace gov params`: the protocol's numbers.

use super::value;
use crate::{
	context::Context,
	errors::{CliError, Result},
};
use clap::Args;
use millrace_client::View;
use millrace_primitives::{governance::ParameterInfo, U256};
use serde_json::{json, Value};

/// Options of `gov params`.
#[derive(Debug, Args)]
pub(crate) struct ParamsArgs {
	/// Only those with this in their name.
	#[arg(long, value_name = "TEXT")]
	filter: Option<String>,
}

/// Lists the parameters.
pub(super) async fn run(context: &Context, args: &ParamsArgs) -> Result<()> {
	let all = context.chain().await?.latest().await?.parameters().await?;
	let wanted = args.filter.as_deref().unwrap_or_default();
	let found: Vec<_> = all
		.iter()
		.filter(|info| info.name.contains(wanted))
		.collect();
	if found.is_empty() {
		return Err(unknown(&all, wanted));
	}
	let rows: Vec<_> = found.iter().map(|info| of_parameter(info)).collect();
	context.emit(&json!({ "parameters": rows }), || {
		let texts: Vec<_> = found.iter().map(|info| describe(info)).collect();
		texts.join("\n\n")
	})
}

/// The parameter of a name, or an error that names its like.
pub(in crate::commands) async fn get(view: &View, name: &str) -> Result<ParameterInfo> {
	let all = view.parameters().await?;
	match all.iter().find(|info| info.name == name) {
		Some(info) => Ok(info.clone()),
		None => Err(unknown(&all, name)),
	}
}

fn unknown(all: &[ParameterInfo], name: &str) -> CliError {
	let field = name.rsplit('.').next().unwrap_or(name);
	let like: Vec<_> = all
		.iter()
		.map(|info| info.name.as_str())
		.filter(|known| known.contains(field))
		.collect();
	let hint = match like.is_empty() {
		true => "`millrace gov params` lists all".to_string(),
		false => format!("there is {}", like.join(", ")),
	};
	CliError::not_found("parameter_unknown", format!("there is no parameter {name}")).hint(hint)
}

/// A parameter as JSON: values in smallest units as decimal strings, and as people write them.
fn of_parameter(info: &ParameterInfo) -> Value {
	let text = |value: U256| value::format(info, value);
	json!({
		"name": info.name,
		"unit": info.unit,
		"kind": info.kind,
		"track": info.track,
		"meaning": info.meaning,
		"value": info.value.to_string(),
		"in_force": info.in_force.to_string(),
		"pending": info.is_pending(),
		"least": info.least.to_string(),
		"most": info.most.to_string(),
		"default": info.default.to_string(),
		"text": {
			"value": text(info.value),
			"in_force": text(info.in_force),
			"least": text(info.least),
			"most": text(info.most),
			"default": text(info.default),
		},
	})
}

/// A parameter in words.
fn describe(info: &ParameterInfo) -> String {
	let mut head = format!("{} = {}", info.name, value::format(info, info.in_force));
	if info.is_pending() {
		let voted = value::format(info, info.value);
		head = format!("{head}, from the next epoch on {voted}");
	}
	format!(
		"{head}\n    {}; default {}; unit: {}; track: {}\n    {}",
		value::range(info),
		value::format(info, info.default),
		info.unit,
		info.track,
		info.meaning
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::governance::ParameterKind;

	fn blocks() -> ParameterInfo {
		value::sample("market.probe_blocks", ParameterKind::U32, "blocks")
	}

	#[test]
	fn a_parameter_is_told_with_all_that_a_proposer_asks() {
		assert_eq!(
			describe(&blocks()),
			"market.probe_blocks = 40 blocks\n    2 blocks to 50 blocks; default 40 blocks; unit: \
			 blocks; track: market\n    Blocks in which a probe is answered."
		);
		let voted = ParameterInfo {
			value: 30.into(),
			..blocks()
		};
		assert!(describe(&voted)
			.starts_with("market.probe_blocks = 40 blocks, from the next epoch on 30 blocks\n"));
		let json = of_parameter(&voted);
		assert_eq!(
			(&json["value"], &json["in_force"]),
			(&json!("30"), &json!("40"))
		);
		assert_eq!(json["pending"], true);
		assert_eq!(json["text"]["most"], "50 blocks");
	}

	#[test]
	fn a_name_that_is_half_right_is_answered_with_the_right_ones() {
		let all = [blocks()];
		let hint = |name: &str| unknown(&all, name).hint.expect("there is one");
		assert_eq!(
			hint("capacity.probe_blocks"),
			"there is market.probe_blocks"
		);
		assert_eq!(hint("market.nothing"), "`millrace gov params` lists all");
	}
}
