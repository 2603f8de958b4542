//! Claims that hold, and each way in which one does not.

use super::*;
use millrace_primitives::{access::Invokers, execution::Request};

const GENESIS: H256 = H256::repeat_byte(1);
const DEAL: DealId = 7;
const TOKEN: &str = "a-token-of-many-letters";

fn listed(invokers: &[H256]) -> Invokers {
	invokers.to_vec().try_into().expect("they are few")
}

fn key(number: u8) -> PeerKeypair {
	PeerKeypair::from_seed([number; 32], None)
}

fn here() -> IpAddr {
	IpAddr::from([192, 0, 2, 1])
}

fn with(credential: Option<Credential>) -> HeaderMap {
	let credential = credential.expect("it is well-formed");
	HeaderMap::from_iter([(credential.name, credential.value)])
}

fn request() -> H256 {
	Request::default().hash()
}

fn let_in(access: &Access, headers: &HeaderMap) -> Result<Invoker, Denied> {
	Claim::of(access, headers, here())?.confirm(GENESIS, DEAL, request, now_seconds())
}

#[test]
fn an_open_deal_takes_everybody_by_address() {
	let outcome = let_in(&Access::Open, &HeaderMap::new());
	assert_eq!(outcome, Ok(Invoker::Address(here())));
	let claim = |address: &str| {
		let address = address.parse().expect("that is an address");
		Claim::of(&Access::Open, &HeaderMap::new(), address)
	};
	// A customer has a whole network of version 6, and one address of version 4 in two forms.
	assert_eq!(claim("2001:db8:1:2:3::4"), claim("2001:db8:1:2:ffff::"));
	assert_ne!(claim("2001:db8:1:2::1"), claim("2001:db8:1:3::1"));
	assert_eq!(claim("::ffff:192.0.2.1"), claim("192.0.2.1"));
	assert_ne!(claim("192.0.2.2"), claim("192.0.2.1"));
}

#[test]
fn a_token_lets_in_and_no_other() {
	let hash = token_hash(TOKEN.as_bytes());
	let access = Access::Tokens(listed(&[H256::zero(), hash]));
	let outcome = let_in(&access, &with(Credential::token(TOKEN)));
	assert_eq!(outcome, Ok(Invoker::Token(hash)));
	assert_eq!(let_in(&access, &HeaderMap::new()), Err(Denied::Token));
	let other = with(Credential::token("another-token-of-many-letters"));
	assert_eq!(let_in(&access, &other), Err(Denied::Token));
	for form in [
		TOKEN.to_string(),
		format!("bearer {TOKEN}"),
		format!("Basic {TOKEN}"),
		format!("Bearer  {TOKEN}"),
		format!("Bearer {TOKEN} "),
	] {
		let value = HeaderValue::from_str(&form).expect("it is visible");
		let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
		assert_eq!(let_in(&access, &headers), Err(Denied::Token), "{form}");
	}
}

#[test]
fn a_token_that_is_guessed_at_once_is_none() {
	assert!(Credential::token(&"x".repeat(MIN_TOKEN_BYTES)).is_some());
	assert!(Credential::token(&"x".repeat(MAX_TOKEN_BYTES)).is_some());
	assert!(Credential::token(&"x".repeat(MIN_TOKEN_BYTES - 1)).is_none());
	assert!(Credential::token(&"x".repeat(MAX_TOKEN_BYTES + 1)).is_none());
	assert!(Credential::token("a token with spaces in it").is_none());
	// Even where its hash stands on the chain.
	let access = Access::Tokens(listed(&[token_hash(b"word")]));
	let headers = HeaderMap::from_iter([(
		header::AUTHORIZATION,
		HeaderValue::from_static("Bearer word"),
	)]);
	assert_eq!(let_in(&access, &headers), Err(Denied::Token));
}

#[test]
fn a_listed_key_signs_each_call() {
	let access = Access::Keys(listed(&[H256(key(1).public())]));
	let signed = |number: u8, genesis, deal, request| {
		with(Credential::signed(&key(number), genesis, deal, request))
	};
	let good = signed(1, GENESIS, DEAL, request());
	let outcome = let_in(&access, &good);
	assert_eq!(outcome, Ok(Invoker::Key(H256(key(1).public()))));
	assert_eq!(let_in(&access, &HeaderMap::new()), Err(Denied::Unsigned));
	let stranger = signed(2, GENESIS, DEAL, request());
	assert_eq!(let_in(&access, &stranger), Err(Denied::Key));
	for other in [
		signed(1, H256::zero(), DEAL, request()),
		signed(1, GENESIS, DEAL + 1, request()),
		signed(1, GENESIS, DEAL, H256::zero()),
	] {
		assert_eq!(let_in(&access, &other), Err(Denied::Signature));
	}
	// A token is no signature.
	let token = with(Credential::token(TOKEN));
	assert_eq!(let_in(&access, &token), Err(Denied::Unsigned));
}

#[test]
fn a_signature_counts_for_a_minute_and_for_the_time_that_it_names() {
	let access = Access::Keys(listed(&[H256(key(1).public())]));
	let headers = with(Credential::signed(&key(1), GENESIS, DEAL, request()));
	let claim = Claim::of(&access, &headers, here()).expect("the key is listed");
	let Claim::Signed(invocation) = claim else {
		panic!("{claim:?}")
	};
	let at = |now| claim.confirm(GENESIS, DEAL, request, now);
	assert!(at(invocation.seconds + INVOCATION_SECONDS).is_ok());
	let late = invocation.seconds + INVOCATION_SECONDS + 1;
	assert_eq!(at(late), Err(Denied::Stale));
	// Who changes the time changes what is signed.
	let later = Claim::Signed(Invocation {
		seconds: late,
		..invocation
	});
	let outcome = later.confirm(GENESIS, DEAL, request, late);
	assert_eq!(outcome, Err(Denied::Signature));
}

#[test]
fn what_is_no_invocation_is_told_as_one_that_is_missing() {
	let access = Access::Keys(listed(&[H256(key(1).public())]));
	let good = with(Credential::signed(&key(1), GENESIS, DEAL, request()));
	let text = good[INVOKER_HEADER].to_str().expect("it is hexadecimal");
	assert_eq!(text.len(), 2 * (32 + 8 + 64));
	for (form, outcome) in [
		(format!("0x{text}"), None),
		(format!("{text}00"), Some(Denied::Unsigned)),
		(text[2..].to_string(), Some(Denied::Unsigned)),
		("nonsense".to_string(), Some(Denied::Unsigned)),
	] {
		let value = HeaderValue::from_str(&form).expect("it is visible");
		let headers = HeaderMap::from_iter([(INVOKER_HEADER, value)]);
		assert_eq!(let_in(&access, &headers).err(), outcome, "{form}");
	}
}

#[test]
fn only_what_the_deal_asks_for_is_handed_on() {
	let mut headers = with(Credential::token(TOKEN));
	headers.extend(with(Credential::signed(&key(1), GENESIS, DEAL, request())));
	let name = |access: &Access| Credential::forwarded(access, &headers).map(|found| found.name);
	let one = listed(&[H256::zero()]);
	assert_eq!(name(&Access::Open), None);
	assert_eq!(
		name(&Access::Tokens(one.clone())),
		Some(header::AUTHORIZATION)
	);
	assert_eq!(name(&Access::Keys(one)), Some(INVOKER_HEADER));
	let shown = format!("{:?}", Credential::token(TOKEN));
	assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn an_address_is_believed_of_those_that_the_operator_names() {
	let ip = |text: &str| text.parse::<IpAddr>().expect("that is an address");
	let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
	let from = |peer: &str, said: &[&'static str]| {
		let mut headers = HeaderMap::new();
		for value in said {
			headers.append(FORWARDED_HEADER, HeaderValue::from_static(value));
		}
		client_address(ip(peer), &headers, &proxies).to_string()
	};
	assert_eq!(from("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
	assert_eq!(from("::ffff:10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
	// A stranger says what it likes.
	assert_eq!(from("192.0.2.9", &["192.0.2.7"]), "192.0.2.9");
	// Behind two of them; what stood there before was written by the client.
	assert_eq!(
		from("10.0.0.1", &["192.0.2.1, 192.0.2.7, 10.0.0.2"]),
		"192.0.2.7"
	);
	assert_eq!(from("10.0.0.1", &["192.0.2.1", "192.0.2.7"]), "192.0.2.7");
	assert_eq!(from("10.0.0.1", &["unknown"]), "10.0.0.1");
	assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
}
