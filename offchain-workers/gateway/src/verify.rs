//! Whether a worker's answer is one: signed by its key, for this deal, this request and this
//! response. A client that trusts its gateway need not check anything; one that does not has the
//! receipt.

use crate::routing::{Clock, LiveWorker, Route};
use axum::http::{HeaderMap, StatusCode};
use codec::DecodeAll;
use millrace_client::verify_peer_signature;
use millrace_primitives::{
	execution::{response_hash, Request, SignedReceipt},
	H256,
};

/// Header that carries a receipt: SCALE in hexadecimal.
pub const RECEIPT_HEADER: &str = "x-millrace-receipt";

/// What an answer must fit.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Where the chain stands.
	pub clock: &'a Clock,
	/// The deal that was called.
	pub route: &'a Route,
	/// The worker that was called.
	pub worker: &'a LiveWorker,
	/// What was sent.
	pub request: &'a Request,
}

/// Why an answer counts as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
	/// It carries no receipt, or none that can be read.
	#[error("the receipt is missing or cannot be read")]
	Unreadable,
	/// The receipt is of another chain or fork.
	#[error("the receipt is of another chain, fork or epoch")]
	OtherChain,
	/// The receipt is of another peer or deal.
	#[error("the receipt is of another peer or deal")]
	OtherCall,
	/// Another module ran, or under another profile.
	#[error("the receipt is for another module or profile")]
	OtherPackage,
	/// The receipt bills more gas than the deal allows.
	#[error("the receipt bills more gas than the deal allows")]
	TooMuchGas,
	/// The receipt names other terms than the deal's, or does not keep to them.
	#[error("the receipt is under other terms than the deal's")]
	OtherTerms,
	/// The receipt is for another request.
	#[error("the receipt is for another request")]
	OtherRequest,
	/// The receipt is for another response, or for one that its call cannot have had.
	#[error("the receipt is for another response")]
	OtherResponse,
	/// The HTTP status says something else than the receipt.
	#[error("the receipt says something else than the HTTP status")]
	OtherStatus,
	/// The signature is not the worker's.
	#[error("the receipt is not signed by the worker's key")]
	BadSignature,
}

impl Rejection {
	/// Its name in figures and logs.
	pub fn code(&self) -> &'static str {
		match self {
			Self::Unreadable => "unreadable",
			Self::OtherChain => "other_chain",
			Self::OtherCall => "other_call",
			Self::OtherPackage => "other_package",
			Self::TooMuchGas => "too_much_gas",
			Self::OtherTerms => "other_terms",
			Self::OtherRequest => "other_request",
			Self::OtherResponse => "other_response",
			Self::OtherStatus => "other_status",
			Self::BadSignature => "bad_signature",
		}
	}

	/// Whether a receipt that is signed and rejected so is the worker's own word on the call, which
	/// may be false.
	fn is_about_the_call(self) -> bool {
		matches!(
			self,
			Self::OtherPackage | Self::TooMuchGas | Self::OtherTerms | Self::OtherResponse
		)
	}
}

/// Reads the receipt of an answer.
pub fn receipt(headers: &HeaderMap) -> Option<SignedReceipt> {
	let text = headers.get(RECEIPT_HEADER)?.to_str().ok()?;
	let bytes = hex::decode(text.trim_start_matches("0x")).ok()?;
	SignedReceipt::decode_all(&mut &bytes[..]).ok()
}

/// Checks an answer that claims to be the guest's.
///
/// A guest that failed has no response: its receipt names the empty one, and the body describes
/// the failure. Where it succeeded the body is the response, but for `HEAD`, whose answers have none.
pub fn check(
	expected: &Expected<'_>,
	status: StatusCode,
	headers: &HeaderMap,
	body: &[u8],
) -> Result<SignedReceipt, Rejection> {
	let signed = receipt(headers).ok_or(Rejection::Unreadable)?;
	let receipt = &signed.receipt;
	let Expected {
		genesis,
		clock,
		route,
		worker,
		request,
	} = *expected;
	let ensure = |holds: bool, rejection| if holds { Ok(()) } else { Err(rejection) };

	let of_chain = receipt.genesis == genesis && clock.admits(receipt.epoch, receipt.seed);
	ensure(of_chain, Rejection::OtherChain)?;
	let of_call = receipt.peer == worker.peer && receipt.deal == route.deal;
	ensure(of_call, Rejection::OtherCall)?;
	// Where the deal was updated, the package of before may still answer.
	let terms = route.terms_of(receipt).ok_or(Rejection::OtherPackage)?;
	ensure(receipt.profile == terms.profile, Rejection::OtherPackage)?;
	ensure(receipt.gas <= route.limits.gas, Rejection::TooMuchGas)?;
	// The name of the terms, and what is left of them: all gas where it ran out, no effects where no
	// hosts are listed.
	ensure(receipt.fits_terms(genesis, &terms), Rejection::OtherTerms)?;
	ensure(receipt.request == request.hash(), Rejection::OtherRequest)?;
	ensure(
		receipt.status.is_success() == status.is_success(),
		Rejection::OtherStatus,
	)?;
	let is_response = status.is_success() && request.method != "HEAD";
	let of_response = !is_response || receipt.response == response_hash(body);
	ensure(
		of_response && receipt.fits_status(),
		Rejection::OtherResponse,
	)?;
	let signature = verify_peer_signature(&worker.key, receipt.hash(), &signed.signature);
	ensure(signature, Rejection::BadSignature)?;
	Ok(signed)
}

/// The receipt of an answer that was rejected, if the worker signed it for this very request: whoever
/// watches can hold it against the worker.
pub fn held_against(
	expected: &Expected<'_>,
	headers: &HeaderMap,
	rejection: Rejection,
) -> Option<SignedReceipt> {
	let signed = receipt(headers).filter(|_| rejection.is_about_the_call())?;
	let receipt = &signed.receipt;
	let Expected {
		genesis,
		clock,
		worker,
		request,
		..
	} = *expected;
	let of_call = receipt.genesis == genesis
		&& clock.admits(receipt.epoch, receipt.seed)
		&& receipt.peer == worker.peer
		&& receipt.request == request.hash();
	let is_signed = || verify_peer_signature(&worker.key, receipt.hash(), &signed.signature);
	(of_call && is_signed()).then_some(signed)
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use crate::routing::tests::{deal, status};
	use axum::http::HeaderValue;
	use codec::Encode;
	use millrace_client::PeerKeypair;
	use millrace_primitives::{
		execution::{empty_transcript, CallStatus, Receipt, PROFILE_V1, UNVERIFIED},
		packages::PastPackage,
		BlockNumber,
	};

	pub(crate) const SEED: H256 = H256::repeat_byte(3);
	pub(crate) const BLOCK: BlockNumber = 90;

	pub(crate) fn clock() -> Clock {
		let routing = crate::routing::Routing::new(H256::zero(), 1);
		routing.set_clock(BLOCK, &status(4, SEED));
		routing.clock()
	}

	pub(crate) fn route() -> Route {
		Route::new(H256::zero(), &deal(7, Vec::new()), Default::default())
	}

	pub(crate) fn live(key: &PeerKeypair, endpoint: &str) -> LiveWorker {
		LiveWorker {
			peer: key.id(),
			key: key.public(),
			endpoint: endpoint.into(),
			since: 0,
		}
	}

	/// What an honest worker hands over with a response.
	pub(crate) fn sign(
		key: &PeerKeypair,
		request: &Request,
		response: &[u8],
		status: CallStatus,
	) -> SignedReceipt {
		let receipt = Receipt {
			genesis: H256::zero(),
			seed: SEED,
			deal: 7,
			peer: key.id(),
			epoch: 4,
			seq: 0,
			package: route().package,
			profile: PROFILE_V1,
			terms: route().terms,
			request: request.hash(),
			response: response_hash(response),
			transcript: empty_transcript(),
			status,
			gas: 1_000,
			block: BLOCK,
		};
		SignedReceipt {
			signature: key.sign_hash(receipt.hash()),
			receipt,
		}
	}

	pub(crate) fn headers(receipt: &SignedReceipt) -> HeaderMap {
		let text = format!("0x{}", hex::encode(receipt.encode()));
		let value = HeaderValue::from_str(&text).expect("digits are valid");
		HeaderMap::from_iter([(axum::http::HeaderName::from_static(RECEIPT_HEADER), value)])
	}

	/// What an answer comes to whose receipt was changed after it was signed.
	fn outcome(change: impl FnOnce(&mut SignedReceipt), status: StatusCode) -> &'static str {
		judged(&route(), change, status).0
	}

	/// The same at another route, and whether the receipt is held against the worker.
	fn judged(
		route: &Route,
		change: impl FnOnce(&mut SignedReceipt),
		status: StatusCode,
	) -> (&'static str, bool) {
		let key = PeerKeypair::from_seed([1; 32], None);
		let request = Request {
			method: "POST".into(),
			path: "/".into(),
			..Default::default()
		};
		let mut signed = sign(&key, &request, b"out", CallStatus::Exited(0));
		change(&mut signed);
		let (clock, worker) = (clock(), live(&key, ""));
		let expected = Expected {
			genesis: H256::zero(),
			clock: &clock,
			route,
			worker: &worker,
			request: &request,
		};
		let headers = headers(&signed);
		match check(&expected, status, &headers, b"out") {
			Ok(_) => ("holds", false),
			Err(rejection) => {
				let held = held_against(&expected, &headers, rejection);
				(rejection.code(), held == Some(signed))
			}
		}
	}

	/// A change that the worker itself signs.
	fn signed(change: impl FnOnce(&mut Receipt)) -> impl FnOnce(&mut SignedReceipt) {
		move |signed: &mut SignedReceipt| {
			change(&mut signed.receipt);
			let key = PeerKeypair::from_seed([1; 32], None);
			signed.signature = key.sign_hash(signed.receipt.hash());
		}
	}

	#[test]
	fn an_honest_answer_holds() {
		assert_eq!(outcome(|_| {}, StatusCode::OK), "holds");
	}

	#[test]
	fn every_claim_is_checked() {
		let ok = StatusCode::OK;
		let other = H256::repeat_byte(0xee);
		assert_eq!(outcome(|r| r.receipt.genesis = other, ok), "other_chain");
		assert_eq!(outcome(|r| r.receipt.seed = other, ok), "other_chain");
		assert_eq!(outcome(|r| r.receipt.epoch = 9, ok), "other_chain");
		assert_eq!(outcome(|r| r.receipt.deal = 8, ok), "other_call");
		assert_eq!(
			outcome(|r| r.receipt.peer = Default::default(), ok),
			"other_call"
		);
		assert_eq!(outcome(|r| r.receipt.package = other, ok), "other_package");
		assert_eq!(outcome(|r| r.receipt.profile = 2, ok), "other_package");
		assert_eq!(
			outcome(|r| r.receipt.profile |= UNVERIFIED, ok),
			"other_package"
		);
		assert_eq!(outcome(|r| r.receipt.gas = 1_001, ok), "too_much_gas");
		assert_eq!(outcome(|r| r.receipt.terms = other, ok), "other_terms");
		assert_eq!(outcome(|r| r.receipt.request = other, ok), "other_request");
		assert_eq!(
			outcome(|r| r.receipt.response = other, ok),
			"other_response"
		);
		assert_eq!(outcome(|r| r.receipt.transcript = other, ok), "other_terms");
		assert_eq!(outcome(|r| r.receipt.seq = 1, ok), "bad_signature");
		assert_eq!(outcome(|r| r.signature[0] ^= 1, ok), "bad_signature");
		assert_eq!(outcome(|_| {}, StatusCode::BAD_GATEWAY), "other_status");
	}

	#[test]
	fn the_package_before_an_update_answers_until_its_time_is_over() {
		let before = route();
		// Updated at the clock's block; the call of the receipt began there.
		let updated = |until| {
			let mut view = deal(7, Vec::new());
			let past = PastPackage {
				hash: before.package,
				size: before.call_terms.package_bytes,
				profile: before.call_terms.profile,
				from: 0,
				until,
			};
			view.spec.package.hash = H256::repeat_byte(0xa);
			view.packages.since = BLOCK;
			view.packages.past = vec![past].try_into().expect("one fits");
			Route::new(H256::zero(), &view, Default::default())
		};
		let ok = StatusCode::OK;
		assert_eq!(judged(&updated(4), |_| {}, ok).0, "holds");
		assert_eq!(judged(&updated(3), |_| {}, ok).0, "other_package");
		let route = updated(4);
		let (package, terms) = (route.package, route.terms);
		let of_new = |block| {
			signed(move |receipt: &mut Receipt| {
				(receipt.package, receipt.terms, receipt.block) = (package, terms, block);
			})
		};
		assert_eq!(judged(&route, of_new(BLOCK), ok).0, "holds");
		let early = judged(&route, of_new(BLOCK - 1), ok);
		assert_eq!(early, ("other_package", true));
		// Each under its own terms.
		let mixed = signed(move |receipt: &mut Receipt| receipt.terms = terms);
		assert_eq!(judged(&route, mixed, ok).0, "other_terms");
	}

	#[test]
	fn a_guest_that_failed_has_no_response() {
		let failed = |response: &[u8]| {
			let response = response_hash(response);
			let change = signed(|receipt| {
				receipt.status = CallStatus::Exited(3);
				receipt.response = response;
			});
			outcome(change, StatusCode::BAD_GATEWAY)
		};
		assert_eq!(failed(b""), "holds");
		// "out" is what the body says: a description of the failure is no response.
		assert_eq!(failed(b"out"), "other_response");
	}

	#[test]
	fn a_call_that_ran_out_of_gas_used_all_of_it() {
		let ran_out = |gas| {
			let change = signed(move |receipt| {
				receipt.status = CallStatus::OutOfGas;
				receipt.response = response_hash(b"");
				receipt.gas = gas;
			});
			outcome(change, StatusCode::BAD_GATEWAY)
		};
		assert_eq!(ran_out(1_000), "holds");
		assert_eq!(ran_out(999), "other_terms");
	}

	#[test]
	fn effects_are_for_deals_that_list_hosts() {
		let mut view = deal(7, Vec::new());
		let host = b"a.example".to_vec().try_into().expect("it is short");
		view.spec.hosts.try_push(host).expect("it is the first");
		let asking = Route::new(H256::zero(), &view, Default::default());
		let terms = asking.terms;
		let with_effects = |terms| {
			signed(move |receipt: &mut Receipt| {
				receipt.terms = terms;
				receipt.transcript = H256::repeat_byte(0xee);
			})
		};
		let ok = StatusCode::OK;
		assert_eq!(judged(&asking, with_effects(terms), ok).0, "holds");
		assert_eq!(outcome(with_effects(route().terms), ok), "other_terms");
		assert_eq!(judged(&asking, |_| {}, ok).0, "other_terms");
	}

	#[test]
	fn what_a_worker_signed_of_a_call_is_held_against_it() {
		let other = H256::repeat_byte(0xee);
		let ok = StatusCode::OK;
		let held = |change: fn(&mut Receipt)| judged(&route(), signed(change), ok);
		let falsehoods: [(fn(&mut Receipt), &str); 4] = [
			(|receipt| receipt.package = H256::zero(), "other_package"),
			(|receipt| receipt.gas = 1_001, "too_much_gas"),
			(|receipt| receipt.terms = H256::zero(), "other_terms"),
			(|receipt| receipt.response = H256::zero(), "other_response"),
		];
		for (change, code) in falsehoods {
			assert_eq!(held(change), (code, true));
		}
		// Of another call or fork, and what anybody could have written.
		let replayed = |receipt: &mut Receipt| receipt.request = H256::zero();
		assert_eq!(held(replayed), ("other_request", false));
		let foreign = |receipt: &mut Receipt| receipt.seed = H256::zero();
		assert_eq!(held(foreign), ("other_chain", false));
		let both = |receipt: &mut Receipt| {
			receipt.request = H256::zero();
			receipt.package = H256::zero();
		};
		assert_eq!(held(both), ("other_package", false));
		let unsigned = judged(&route(), |r| r.receipt.package = other, ok);
		assert_eq!(unsigned, ("other_package", false));
	}

	#[test]
	fn what_is_no_receipt_is_not_read() {
		assert!(receipt(&HeaderMap::new()).is_none());
		let text = HeaderValue::from_static("0xzz");
		let headers =
			HeaderMap::from_iter([(axum::http::HeaderName::from_static(RECEIPT_HEADER), text)]);
		assert!(receipt(&headers).is_none());
	}
}
