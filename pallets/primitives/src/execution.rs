//! Calls and their receipts.

use crate::{
	effects::Transcript,
	hash,
	market::{CallLimits, Hosts, Package},
	peer::{PeerId, PeerSignature},
	BlockNumber, DealId, EpochIndex, Gas, H256,
};
use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Largest request body in bytes that a receipt can be challenged for.
pub const MAX_REQUEST_BYTES: u32 = 64 * 1024;
/// Largest challengeable package in bytes.
pub const MAX_PACKAGE_BYTES: u32 = 1024 * 1024;
/// Largest memory of a guest, in bytes.
pub const MAX_MEMORY_BYTES: u32 = 128 * 1024 * 1024;
/// Largest response in bytes.
pub const MAX_RESPONSE_BYTES: u32 = 4 * 1024 * 1024;
/// Largest SCALE encoding of a request that a challenge can bring: body, and 16 KiB of the rest.
pub const MAX_REQUEST_RECORD: u32 = MAX_REQUEST_BYTES + 16 * 1024;

/// Most gas of a call that the chain replays. Large packages leave less: [`arbitration_gas`].
pub const ARBITRATION_GAS: Gas = 24_000_000;
/// Picoseconds of reference time that a replay may take.
pub const ARBITRATION_PS: u64 = 630_000_000_000;
/// Picoseconds for a gas that is replayed: the worst mix that the search found.
pub const REPLAY_PS_PER_GAS: u64 = 21_000;
/// Picoseconds for any package: some take longer than their bytes say.
pub const REPLAY_PS_PER_PACKAGE: u64 = 60_000_000_000;
/// Picoseconds for a byte of a package: validated, instrumented, translated.
pub const REPLAY_PS_PER_BYTE: u64 = 250_000;

/// Picoseconds of reference time that it takes to replay so much gas of so large a package.
pub const fn replay_ps(package_bytes: u32, gas: Gas) -> u64 {
	REPLAY_PS_PER_BYTE
		.saturating_mul(package_bytes as u64)
		.saturating_add(REPLAY_PS_PER_PACKAGE)
		.saturating_add(REPLAY_PS_PER_GAS.saturating_mul(gas))
}

/// Most gas of a call that the chain replays with so large a package.
pub const fn arbitration_gas(package_bytes: u32) -> Gas {
	let left = ARBITRATION_PS.saturating_sub(replay_ps(package_bytes, 0)) / REPLAY_PS_PER_GAS;
	if left < ARBITRATION_GAS {
		left
	} else {
		ARBITRATION_GAS
	}
}

/// Engine profile 1: the instrumentation, cost table and limits that `millrace-executor` 0.1
/// ships. Gas, traps and results are functions of the profile, not of the engine below it.
pub const PROFILE_V1: ProfileId = 1;
/// Added to a profile's number where a deal grants a call more than the chain replays.
pub const UNVERIFIED: ProfileId = 1 << 31;

/// Names an engine profile.
pub type ProfileId = u32;

/// What the guest is asked: HTTP reduced to what a result may depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
	/// HTTP method; `REQUEST_METHOD` in the guest.
	pub method: String,
	/// Path below the deal, beginning with `/`; `PATH_INFO` in the guest.
	pub path: String,
	/// Query without the question mark; `QUERY_STRING` in the guest.
	pub query: String,
	/// Content type or nothing; `CONTENT_TYPE` in the guest.
	pub content_type: String,
	/// Body, on the guest's standard input; its length is `CONTENT_LENGTH`.
	pub body: Vec<u8>,
}

impl Request {
	/// What a receipt names the request by.
	pub fn hash(&self) -> H256 {
		hash::tagged("millrace/request/v1", self)
	}
}

/// What a receipt names a response by.
pub fn response_hash(body: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/response/v1", body)
}

/// What a package is named by: on chain, in stores and in receipts.
pub fn package_hash(module: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/package/v1", module)
}

/// Transcript of a call without outside effects.
pub fn empty_transcript() -> H256 {
	Transcript::default().hash()
}

/// Seed of the guest's randomness.
pub fn randomness_seed(
	genesis: H256,
	deal: DealId,
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	request: H256,
) -> H256 {
	hash::tagged(
		"millrace/guest-randomness/v1",
		&(genesis, deal, peer, epoch, seq, request),
	)
}

/// How a call ended. A guest that fails is billed and receipted like one that does not.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum CallStatus {
	/// The guest returned or called `proc_exit` with this code; 0 is success.
	Exited(u32),
	/// The guest trapped: unreachable, division by zero, out of bounds, bad indirect call.
	Trapped,
	/// The guest used up its gas.
	OutOfGas,
	/// The guest's operand and call stack passed the profile's limit.
	StackOverflow,
	/// The guest wrote more than its response limit.
	ResponseTooLarge,
}

impl CallStatus {
	/// Whether the guest exited with code 0.
	pub fn is_success(&self) -> bool {
		matches!(self, Self::Exited(0))
	}
}

/// What a call runs under. It is frozen with its deal and named by every receipt, so that a receipt
/// can be judged when the deal is gone.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallTerms {
	/// The deal.
	pub deal: DealId,
	/// Hash of its package.
	pub package: H256,
	/// Size of the package in bytes.
	pub package_bytes: u32,
	/// Engine profile, with [`UNVERIFIED`] or without.
	pub profile: ProfileId,
	/// What the call may use.
	pub limits: CallLimits,
	/// Hosts that it may ask, in the deal's order; empty: none.
	#[cfg_attr(feature = "serde", serde(with = "crate::text::list", default))]
	pub hosts: Hosts,
}

impl CallTerms {
	/// Terms of a deal that gets its package now, under the profile that package and limits give.
	///
	/// Those of a deal that has it are [`Self::frozen`]: what the chain replays can change.
	pub fn new(deal: DealId, package: &Package, limits: CallLimits, hosts: Hosts) -> Self {
		let mut terms = Self::frozen(deal, package, package.abi.profile(), limits, hosts);
		if !terms.is_verifiable() {
			terms.profile |= UNVERIFIED;
		}
		terms
	}

	/// Terms of a deal's calls, under the profile that was kept when it got its package.
	pub fn frozen(
		deal: DealId,
		package: &Package,
		profile: ProfileId,
		limits: CallLimits,
		hosts: Hosts,
	) -> Self {
		Self {
			deal,
			package: package.hash,
			package_bytes: package.size,
			profile,
			limits,
			hosts,
		}
	}

	/// Whether the chain can replay every call: none is granted more than a challenge can bring and
	/// the judge runs.
	pub fn is_verifiable(&self) -> bool {
		let CallLimits {
			gas,
			memory_bytes,
			request_bytes,
			response_bytes,
		} = self.limits;
		self.package_bytes <= MAX_PACKAGE_BYTES
			&& request_bytes <= MAX_REQUEST_BYTES
			&& memory_bytes <= MAX_MEMORY_BYTES
			&& response_bytes <= MAX_RESPONSE_BYTES
			&& gas <= arbitration_gas(self.package_bytes)
	}

	/// What a receipt names the terms by.
	pub fn hash(&self, genesis: H256) -> H256 {
		hash::tagged("millrace/call-terms/v1", &(genesis, self))
	}
}

/// Signed record of one call.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Seed of the epoch: binds the receipt to a fork.
	pub seed: H256,
	/// The deal that was called.
	pub deal: DealId,
	/// The peer that answered.
	pub peer: PeerId,
	/// The epoch of `block`.
	pub epoch: EpochIndex,
	/// Number of the call among all of this peer and epoch, from 0: the leaf's index.
	pub seq: u32,
	/// Hash of the module that ran.
	pub package: H256,
	/// Engine profile that it ran under.
	pub profile: ProfileId,
	/// [`CallTerms::hash`] of what it ran under.
	pub terms: H256,
	/// Hash of the request.
	pub request: H256,
	/// Hash of the response.
	pub response: H256,
	/// Hash of the recorded outside effects.
	pub transcript: H256,
	/// How the call ended.
	pub status: CallStatus,
	/// Gas used.
	pub gas: Gas,
	/// Finalised block at which the call began: sets the guest's clock.
	pub block: BlockNumber,
}

impl Receipt {
	/// What the peer's key signs; also the leaf in the report's tree.
	pub fn hash(&self) -> H256 {
		hash::tagged("millrace/receipt/v1", self)
	}

	/// Whether the response can be that of the status: only a call that succeeded has one.
	pub fn fits_status(&self) -> bool {
		self.status.is_success() || self.response == response_hash(&[])
	}

	/// Whether it names these terms and keeps to them: their deal, package and profile, no more gas
	/// than they grant and all of it where it ran out, and no effects where there are no hosts.
	pub fn fits_terms(&self, genesis: H256, terms: &CallTerms) -> bool {
		let gas = match self.status {
			CallStatus::OutOfGas => self.gas == terms.limits.gas,
			_ => self.gas <= terms.limits.gas,
		};
		self.terms == terms.hash(genesis)
			&& self.deal == terms.deal
			&& self.package == terms.package
			&& self.profile == terms.profile
			&& gas && (!terms.hosts.is_empty() || self.transcript == empty_transcript())
	}
}

/// A receipt with its peer's signature over [`Receipt::hash`].
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SignedReceipt {
	/// The record.
	pub receipt: Receipt,
	/// Signature of the peer's key.
	pub signature: PeerSignature,
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use crate::market::{Abi, Host};
	use codec::DecodeAll;

	const GENESIS: H256 = H256::repeat_byte(1);

	/// Terms that the chain can replay up to the last byte and gas.
	pub(crate) fn terms() -> CallTerms {
		let package = Package {
			hash: H256::repeat_byte(2),
			size: MAX_PACKAGE_BYTES,
			links: Default::default(),
			abi: Abi::default(),
		};
		let limits = CallLimits {
			gas: arbitration_gas(MAX_PACKAGE_BYTES),
			memory_bytes: MAX_MEMORY_BYTES,
			request_bytes: MAX_REQUEST_BYTES,
			response_bytes: MAX_RESPONSE_BYTES,
		};
		CallTerms::new(3, &package, limits, Hosts::default())
	}

	/// A receipt that keeps to [`terms`].
	pub(crate) fn receipt() -> Receipt {
		Receipt {
			genesis: GENESIS,
			seed: H256::zero(),
			deal: 3,
			peer: PeerId::default(),
			epoch: 0,
			seq: 0,
			package: H256::repeat_byte(2),
			profile: PROFILE_V1,
			terms: terms().hash(GENESIS),
			request: Request::default().hash(),
			response: response_hash(b"out"),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas: 1_000,
			block: 0,
		}
	}

	fn hosts(names: &[&[u8]]) -> Hosts {
		let hosts: Vec<Host> = names
			.iter()
			.map(|name| name.to_vec().try_into().expect("it is short"))
			.collect();
		hosts.try_into().expect("they are few")
	}

	#[test]
	fn names_of_equal_bytes_differ_by_purpose() {
		let names = [package_hash(b"x"), response_hash(b"x")];
		assert_ne!(names[0], names[1]);
		assert_ne!(empty_transcript(), response_hash(b""));
	}

	#[test]
	fn a_request_cannot_move_bytes_between_its_fields() {
		let one = Request {
			path: "/ab".into(),
			query: "c".into(),
			..Default::default()
		};
		let two = Request {
			path: "/a".into(),
			query: "bc".into(),
			..Default::default()
		};
		assert_ne!(one.hash(), two.hash());
	}

	#[test]
	fn a_request_of_the_longest_body_fits_into_a_challenge() {
		let request = Request {
			method: "POST".into(),
			path: "/".repeat(8 * 1024),
			query: "q".repeat(4 * 1024),
			content_type: "text/plain".into(),
			body: vec![0; MAX_REQUEST_BYTES as usize],
		};
		assert!(request.encoded_size() <= MAX_REQUEST_RECORD as usize);
	}

	#[test]
	fn only_a_call_that_succeeded_has_a_response() {
		let fits = |status, response: &[u8]| {
			Receipt {
				response: response_hash(response),
				status,
				..receipt()
			}
			.fits_status()
		};
		assert!(fits(CallStatus::Exited(0), b"out"));
		assert!(fits(CallStatus::Exited(0), b""));
		for failure in [
			CallStatus::Exited(1),
			CallStatus::Trapped,
			CallStatus::OutOfGas,
			CallStatus::StackOverflow,
			CallStatus::ResponseTooLarge,
		] {
			assert!(fits(failure, b""), "{failure:?}");
			assert!(!fits(failure, b"out"), "{failure:?}");
		}
	}

	#[test]
	fn terms_beyond_what_the_chain_replays_are_marked() {
		let package = |size| Package {
			hash: H256::zero(),
			size,
			links: Default::default(),
			abi: Abi::default(),
		};
		let most = terms();
		assert!(most.is_verifiable());
		assert_eq!(most.profile, PROFILE_V1);
		let larger = CallTerms::new(
			3,
			&package(MAX_PACKAGE_BYTES + 1),
			most.limits,
			most.hosts.clone(),
		);
		assert!(!larger.is_verifiable());
		assert_eq!(larger.profile, PROFILE_V1 | UNVERIFIED);
		let changes: [fn(&mut CallLimits); 4] = [
			|limits| limits.gas += 1,
			|limits| limits.memory_bytes += 1,
			|limits| limits.request_bytes += 1,
			|limits| limits.response_bytes += 1,
		];
		for change in changes {
			let mut limits = most.limits;
			change(&mut limits);
			let package = package(MAX_PACKAGE_BYTES);
			let terms = CallTerms::new(3, &package, limits, most.hosts.clone());
			assert!(!terms.is_verifiable(), "{limits:?}");
			assert_eq!(terms.profile, PROFILE_V1 | UNVERIFIED);
		}
	}

	#[test]
	fn terms_are_named_by_all_of_them_and_the_chain() {
		let changes: [fn(&mut CallTerms); 10] = [
			|_| {},
			|terms| terms.deal += 1,
			|terms| terms.package = H256::zero(),
			|terms| terms.package_bytes -= 1,
			|terms| terms.profile |= UNVERIFIED,
			|terms| terms.limits.gas -= 1,
			|terms| terms.limits.memory_bytes -= 1,
			|terms| terms.limits.request_bytes -= 1,
			|terms| terms.hosts = hosts(&[b"a.example", b"b.example"]),
			|terms| terms.hosts = hosts(&[b"b.example", b"a.example"]),
		];
		let mut hashes: Vec<_> = changes
			.iter()
			.map(|change| {
				let mut terms = terms();
				change(&mut terms);
				terms.hash(GENESIS)
			})
			.collect();
		hashes.push(terms().hash(H256::zero()));
		let distinct: alloc::collections::BTreeSet<_> = hashes.iter().collect();
		assert_eq!(distinct.len(), hashes.len());
	}

	#[test]
	fn terms_come_back_as_they_were() {
		let terms = CallTerms {
			hosts: hosts(&[b"a.example:8080", b"[2001:db8::1]"]),
			..terms()
		};
		assert_eq!(
			CallTerms::decode_all(&mut &terms.encode()[..]),
			Ok(terms.clone())
		);
		assert!(terms.encoded_size() <= CallTerms::max_encoded_len());
		let receipt = receipt();
		assert_eq!(
			Receipt::decode_all(&mut &receipt.encode()[..]),
			Ok(receipt.clone())
		);
	}

	#[test]
	fn large_packages_leave_less_gas() {
		assert_eq!(arbitration_gas(0), ARBITRATION_GAS);
		assert_eq!(arbitration_gas(250_000), ARBITRATION_GAS);
		for bytes in [0, 250_000, 260_000, MAX_PACKAGE_BYTES, u32::MAX] {
			let gas = arbitration_gas(bytes);
			assert!(gas == 0 || replay_ps(bytes, gas) <= ARBITRATION_PS);
			assert!(gas == ARBITRATION_GAS || replay_ps(bytes, gas + 1) > ARBITRATION_PS);
		}
		assert!((5_000_000..ARBITRATION_GAS).contains(&arbitration_gas(MAX_PACKAGE_BYTES)));
		let more = CallTerms {
			limits: CallLimits {
				gas: terms().limits.gas + 1,
				..terms().limits
			},
			..terms()
		};
		assert!(terms().is_verifiable() && !more.is_verifiable());
	}

	#[cfg(feature = "serde")]
	#[test]
	fn hosts_of_terms_are_strings_and_may_be_left_out() {
		let with_hosts = CallTerms {
			hosts: hosts(&[b"a.example"]),
			..terms()
		};
		let mut value = serde_json::json!(with_hosts);
		assert_eq!(value["hosts"], serde_json::json!(["a.example"]));
		let read: CallTerms = serde_json::from_value(value.clone()).expect("those were terms");
		assert_eq!(read, with_hosts);
		value.as_object_mut().expect("an object").remove("hosts");
		let read: CallTerms = serde_json::from_value(value).expect("hosts may be missing");
		assert_eq!(read, terms());
	}

	#[test]
	fn a_receipt_keeps_to_the_terms_that_it_names() {
		let fits = |change: fn(&mut Receipt)| {
			let mut receipt = receipt();
			change(&mut receipt);
			receipt.fits_terms(GENESIS, &terms())
		};
		assert!(fits(|_| {}));
		assert!(fits(|receipt| receipt.gas = terms().limits.gas));
		assert!(fits(|receipt| {
			receipt.status = CallStatus::OutOfGas;
			receipt.gas = terms().limits.gas;
		}));
		let falsehoods: [fn(&mut Receipt); 8] = [
			|receipt| receipt.terms = H256::zero(),
			|receipt| receipt.deal += 1,
			|receipt| receipt.package = H256::zero(),
			|receipt| receipt.profile += 1,
			|receipt| receipt.profile |= UNVERIFIED,
			|receipt| receipt.gas = terms().limits.gas + 1,
			|receipt| receipt.status = CallStatus::OutOfGas,
			|receipt| receipt.transcript = H256::zero(),
		];
		for (number, falsehood) in falsehoods.into_iter().enumerate() {
			assert!(!fits(falsehood), "{number}");
		}
		assert!(!receipt().fits_terms(H256::zero(), &terms()));
	}

	#[test]
	fn effects_need_hosts() {
		let terms = CallTerms {
			hosts: hosts(&[b"a.example"]),
			..terms()
		};
		let mut receipt = Receipt {
			terms: terms.hash(GENESIS),
			..receipt()
		};
		assert!(receipt.fits_terms(GENESIS, &terms));
		receipt.transcript = H256::repeat_byte(9);
		assert!(receipt.fits_terms(GENESIS, &terms));
	}
}
