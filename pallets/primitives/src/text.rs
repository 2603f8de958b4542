//! Serde helpers: bounded bytes that hold text, such as URLs, as strings.
//!
//! The chain takes nothing but ASCII where these stand. Should other bytes ever stand there, they are
//! shown with a replacement character rather than refused: one row must not make a whole page fail.

use alloc::string::String;
use bounded_collections::{BoundedVec, ConstU32};
use serde::{de::Error, Deserialize, Deserializer, Serializer};

/// Bytes of a text.
type Text<const MAX: u32> = BoundedVec<u8, ConstU32<MAX>>;

/// Writes the bytes as a string.
pub fn serialize<S: Serializer, const MAX: u32>(
	text: &Text<MAX>,
	serializer: S,
) -> Result<S::Ok, S::Error> {
	serializer.serialize_str(&String::from_utf8_lossy(text))
}

/// Reads the bytes of a string that is not too long.
pub fn deserialize<'de, D: Deserializer<'de>, const MAX: u32>(
	deserializer: D,
) -> Result<Text<MAX>, D::Error> {
	bounded(String::deserialize(deserializer)?)
}

fn bounded<E: Error, const MAX: u32>(text: String) -> Result<Text<MAX>, E> {
	text.into_bytes()
		.try_into()
		.map_err(|_| E::custom(format_args!("a text of more than {MAX} bytes")))
}

/// The same for lists of texts.
pub mod list {
	use super::{bounded, Text};
	use alloc::{string::String, vec::Vec};
	use bounded_collections::{BoundedVec, ConstU32};
	use serde::{de::Error, Deserialize, Deserializer, Serializer};

	/// Writes the texts as strings.
	pub fn serialize<S: Serializer, const MAX: u32, const COUNT: u32>(
		texts: &BoundedVec<Text<MAX>, ConstU32<COUNT>>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		serializer.collect_seq(texts.iter().map(|text| String::from_utf8_lossy(text)))
	}

	/// Reads texts of which there are not too many.
	pub fn deserialize<'de, D: Deserializer<'de>, const MAX: u32, const COUNT: u32>(
		deserializer: D,
	) -> Result<BoundedVec<Text<MAX>, ConstU32<COUNT>>, D::Error> {
		let mut texts = Vec::new();
		for text in Vec::<String>::deserialize(deserializer)? {
			texts.push(bounded::<D::Error, MAX>(text)?);
		}
		texts
			.try_into()
			.map_err(|_| D::Error::custom(format_args!("more than {COUNT} texts")))
	}
}

#[cfg(test)]
mod tests {
	use crate::{
		market::{Abi, Link, Package, MAX_LINK, MAX_LINKS},
		peer::PeerId,
		views::PeerView,
		H256,
	};
	use proptest::prelude::*;
	use serde_json::{json, Value};

	fn package(links: &[&[u8]]) -> Package {
		let links: Vec<Link> = links
			.iter()
			.map(|link| link.to_vec().try_into().expect("it is short"))
			.collect();
		Package {
			hash: H256::repeat_byte(1),
			size: 2,
			links: links.try_into().expect("they are few"),
			abi: Abi::default(),
		}
	}

	/// The package in JSON, with other links.
	fn with_links(links: Value) -> Value {
		let mut value = json!(package(&[]));
		value["links"] = links;
		value
	}

	#[test]
	fn endpoints_and_links_are_strings() {
		let package = package(&[b"http://a", b"https://b/c"]);
		let value = json!(package);
		assert_eq!(value["links"], json!(["http://a", "https://b/c"]));
		let read: Package = serde_json::from_value(value).expect("that was a package");
		assert_eq!(read, package);

		let peer = PeerView {
			peer: PeerId::default(),
			provider: 1u64,
			key: [1; 32],
			key_since: 2,
			endpoint: b"http://a".to_vec().try_into().expect("it is short"),
		};
		let value = json!(peer);
		assert_eq!(value["endpoint"], "http://a");
		let read: PeerView<u64> = serde_json::from_value(value).expect("that was a peer");
		assert_eq!(read, peer);
	}

	#[test]
	fn texts_beyond_their_bounds_are_refused() {
		let longest = "a".repeat(MAX_LINK as usize);
		let most = vec!["a"; MAX_LINKS as usize];
		for (links, fits) in [
			(json!([longest]), true),
			(json!([format!("{longest}a")]), false),
			(json!(most), true),
			(json!([&most[..], &["a"]].concat()), false),
			(json!([[104, 116]]), false),
		] {
			let read = serde_json::from_value::<Package>(with_links(links.clone()));
			assert_eq!(read.is_ok(), fits, "{links}: {read:?}");
		}
	}

	#[test]
	fn bytes_that_are_no_text_are_shown_all_the_same() {
		let value = json!(package(&[b"http://a", b"\xff"]));
		assert_eq!(value["links"], json!(["http://a", "\u{fffd}"]));
	}

	proptest! {
		#[test]
		fn ascii_comes_back_as_it_was(text in "[!-~]{0,256}") {
			let written = package(&[text.as_bytes()]);
			let read: Package = serde_json::from_value(json!(written)).expect("it fits");
			prop_assert_eq!(read, written);
		}
	}
}
