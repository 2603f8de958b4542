//! Who a call comes from: what an invoker sends with it, and what gateways and workers make of that.
//!
//! A token is known before a body is read, a key only with the request that it signed: so a call is
//! first a [`Claim`], and then somebody's.

mod rates;

pub use rates::Rates;

use crate::keys::{verify_peer_signature, PeerKeypair};
use codec::{DecodeAll, Encode};
use http::{header, HeaderMap, HeaderName, HeaderValue};
use millrace_primitives::{
	access::{
		invoke_hash, token_hash, Access, Invocation, INVOCATION_SECONDS, MAX_TOKEN_BYTES,
		MIN_TOKEN_BYTES,
	},
	DealId, H256,
};
use std::{
	net::{IpAddr, Ipv6Addr},
	time::{SystemTime, UNIX_EPOCH},
};

/// Carries an [`Invocation`]: SCALE in hexadecimal.
pub const INVOKER_HEADER: HeaderName = HeaderName::from_static("x-millrace-invoker");
/// Carries the address that a call comes from, past those that forward it.
pub const FORWARDED_HEADER: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who makes a call, as far as rates are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invoker {
	/// Who holds this key.
	Key(H256),
	/// Who holds the token of this hash.
	Token(H256),
	/// Who comes from this address; of IPv6, from this network of one customer.
	Address(IpAddr),
}

/// Why somebody may not call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
	/// No token came, or no such one.
	#[error("the deal takes calls only with one of its tokens")]
	Token,
	/// No signed header came, or none that can be read.
	#[error("the deal takes calls only that one of its keys has signed")]
	Unsigned,
	/// The key is not one of the deal's.
	#[error("the call is signed with a key that the deal does not list")]
	Key,
	/// The signature is too old, or of a time to come.
	#[error("the call was not signed within the last {seconds} seconds", seconds = INVOCATION_SECONDS)]
	Stale,
	/// The signature is of another chain, deal or request.
	#[error("the signature is not of this call")]
	Signature,
}

impl Denied {
	/// What the caller can do.
	pub fn hint(self) -> &'static str {
		match self {
			Self::Token => "send `authorization: Bearer TOKEN`; the deal's owner gives tokens out",
			Self::Unsigned => {
				"call with `millrace invoke --access-key FILE`, or sign as the docs say"
			}
			Self::Key => "ask the deal's owner to add the key: `millrace deal access`",
			Self::Stale => "set this machine's clock, and sign each call anew",
			Self::Signature => {
				"sign the very request that is sent: method, path, query, type, body"
			}
		}
	}
}

/// A call whose caller may be let in, once its request is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
	/// Nothing is left to check.
	Known(Invoker),
	/// Somebody says so, with a listed key.
	Signed(Invocation),
}

impl Claim {
	/// What the headers of a call claim, and where it comes from.
	pub fn of(access: &Access, headers: &HeaderMap, address: IpAddr) -> Result<Self, Denied> {
		match access {
			Access::Open => Ok(Self::Known(Invoker::Address(network(address)))),
			Access::Tokens(hashes) => {
				let hash = token(headers).map(token_hash).ok_or(Denied::Token)?;
				match hashes.contains(&hash) {
					true => Ok(Self::Known(Invoker::Token(hash))),
					false => Err(Denied::Token),
				}
			}
			Access::Keys(keys) => {
				let invocation = invocation(headers).ok_or(Denied::Unsigned)?;
				match keys.contains(&invocation.key) {
					true => Ok(Self::Signed(invocation)),
					false => Err(Denied::Key),
				}
			}
		}
	}

	/// Who calls, if it is so. The request, by its hash, is asked for only where somebody signed it.
	pub fn confirm(
		&self,
		genesis: H256,
		deal: DealId,
		request: impl FnOnce() -> H256,
		now_seconds: u64,
	) -> Result<Invoker, Denied> {
		let invocation = match self {
			Self::Known(invoker) => return Ok(*invoker),
			Self::Signed(invocation) => invocation,
		};
		if !invocation.is_fresh(now_seconds) {
			return Err(Denied::Stale);
		}
		let Invocation {
			key,
			seconds,
			signature,
		} = invocation;
		let signed = invoke_hash(genesis, deal, request(), *seconds);
		match verify_peer_signature(&key.0, signed, signature) {
			true => Ok(Invoker::Key(*key)),
			false => Err(Denied::Signature),
		}
	}
}

/// Where a call comes from. What is said of it is believed of addresses that this machine's operator
/// names, and of nobody else: of the last of those on the way that is not one of them.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
	let mut nearest = peer.to_canonical();
	let values = headers.get_all(FORWARDED_HEADER);
	let said: Vec<&str> = values
		.iter()
		.filter_map(|value| value.to_str().ok())
		.flat_map(|value| value.split(','))
		.collect();
	for address in said.into_iter().rev() {
		if !proxies.contains(&nearest) {
			break;
		}
		let Ok(address) = address.trim().parse::<IpAddr>() else {
			break;
		};
		nearest = address.to_canonical();
	}
	nearest
}

/// The address, or of IPv6 the first 64 bits of it: a customer has all that begin with them.
fn network(address: IpAddr) -> IpAddr {
	match address.to_canonical() {
		IpAddr::V6(v6) => {
			let [a, b, c, d, ..] = v6.segments();
			IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
		}
		v4 => v4,
	}
}

/// What an invoker sends besides a request to show who it is.
#[derive(Clone, Debug)]
pub struct Credential {
	/// The header.
	pub name: HeaderName,
	/// Its value, which is not shown in logs.
	pub value: HeaderValue,
}

impl Credential {
	/// A bearer token; `None`: it is too short, too long, or no visible ASCII.
	pub fn token(token: &str) -> Option<Self> {
		if !is_token(token.as_bytes()) {
			return None;
		}
		Self::new(header::AUTHORIZATION, format!("Bearer {token}"))
	}

	/// The signature of a key for one request of a deal, made now.
	pub fn signed(key: &PeerKeypair, genesis: H256, deal: DealId, request: H256) -> Option<Self> {
		let seconds = now_seconds();
		let invocation = Invocation {
			key: H256(key.public()),
			seconds,
			signature: key.sign_hash(invoke_hash(genesis, deal, request, seconds)),
		};
		Self::new(INVOKER_HEADER, hex::encode(invocation.encode()))
	}

	/// The one that came with a call of such a deal, for whoever it is forwarded to.
	pub fn forwarded(access: &Access, headers: &HeaderMap) -> Option<Self> {
		let name = match access {
			Access::Open => return None,
			Access::Tokens(_) => header::AUTHORIZATION,
			Access::Keys(_) => INVOKER_HEADER,
		};
		let mut value = headers.get(&name)?.clone();
		value.set_sensitive(true);
		Some(Self { name, value })
	}

	fn new(name: HeaderName, value: String) -> Option<Self> {
		let mut value = HeaderValue::try_from(value).ok()?;
		value.set_sensitive(true);
		Some(Self { name, value })
	}
}

/// Seconds since 1970 by this machine's clock.
pub fn now_seconds() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH);
	since.map_or(0, |since| since.as_secs())
}

/// Whether the bytes can be a bearer token: long enough not to be guessed at once, and visible.
pub fn is_token(bytes: &[u8]) -> bool {
	(MIN_TOKEN_BYTES..=MAX_TOKEN_BYTES).contains(&bytes.len())
		&& bytes.iter().all(u8::is_ascii_graphic)
}

fn token(headers: &HeaderMap) -> Option<&[u8]> {
	let value = headers.get(header::AUTHORIZATION)?.as_bytes();
	let token = value.strip_prefix(b"Bearer ")?;
	is_token(token).then_some(token)
}

fn invocation(headers: &HeaderMap) -> Option<Invocation> {
	let text = headers.get(INVOKER_HEADER)?.to_str().ok()?;
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
	Invocation::decode_all(&mut &bytes[..]).ok()
}

#[cfg(test)]
mod tests;
