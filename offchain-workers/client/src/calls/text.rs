//! An encoded call in words, by the runtime's own names.

use serde::Serialize;
use subxt::{
	ext::scale_value::{scale::decode_as_type, stringify, Composite, Value, ValueDef},
	Metadata,
};

/// Longest call whose arguments are told. Calls nest: what strangers wrote is not followed deeper than
/// this can.
const MAX_BYTES: usize = 1_024;

/// What an encoded call would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallText {
	/// Name of the pallet.
	pub pallet: String,
	/// Name of the call.
	pub call: String,
	/// Names of its arguments with their values; `None` where it is long, cut off or unreadable.
	pub arguments: Option<Vec<(String, String)>>,
}

impl CallText {
	/// Names a call, if the runtime has it; of a call that is cut off, its beginning is enough.
	pub fn of(bytes: &[u8], metadata: &Metadata) -> Option<Self> {
		let pallet = metadata.pallet_by_call_index(*bytes.first()?)?;
		let call = pallet.call_variant_by_index(*bytes.get(1)?)?;
		Some(Self {
			pallet: pallet.name().into(),
			call: call.name.clone(),
			arguments: arguments(bytes, metadata),
		})
	}
}

impl std::fmt::Display for CallText {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "{}.{}", self.pallet, self.call)
	}
}

fn arguments(bytes: &[u8], metadata: &Metadata) -> Option<Vec<(String, String)>> {
	if bytes.len() > MAX_BYTES {
		return None;
	}
	let mut rest = bytes;
	let all = metadata.outer_enums().call_enum_ty();
	let decoded = decode_as_type(&mut rest, all, metadata.types()).ok()?;
	if !rest.is_empty() {
		return None;
	}
	let ValueDef::Variant(pallet) = decoded.value else {
		return None;
	};
	let call = pallet.values.into_values().next()?;
	let ValueDef::Variant(call) = call.value else {
		return None;
	};
	Some(match call.values {
		Composite::Named(fields) => fields
			.iter()
			.map(|(name, value)| (name.clone(), text(value)))
			.collect(),
		Composite::Unnamed(values) => values
			.iter()
			.enumerate()
			.map(|(place, value)| (place.to_string(), text(value)))
			.collect(),
	})
}

/// A value on one line, bytes in hexadecimal.
fn text(value: &Value<u32>) -> String {
	let mut text = String::new();
	let written = stringify::to_writer_custom()
		.add_custom_formatter(|value, writer| {
			stringify::custom_formatters::format_hex(value, writer)
		})
		.write(value, &mut text);
	match written {
		Ok(()) => text,
		Err(_) => value.to_string(),
	}
}
