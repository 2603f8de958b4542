//! Submission of calls: signed ones, followed until they are final, and duties.
//!
//! A signed transaction is looked for in the bodies of finalised blocks rather than watched over
//! one connection, so that its fate is known also after the node restarted in between. It is
//! mortal: past its last block it can never happen any more, and the caller may try again.

use crate::{
	calls::{Call, CallError, CallText},
	chain::{lost, Chain, Finalized, Link, REQUEST_TIMEOUT},
	error::{ConnectError, ReadError},
	extrinsic::{self, UnknownExtension},
	keys::AccountKey,
	pool::{duty_sent, pool_answer, PoolAnswer},
	AccountId,
};
use codec::Decode;
use futures::StreamExt;
use millrace_primitives::{BlockNumber, H256};
use scale_info::PortableRegistry;
use std::{future::Future, time::Duration};
use subxt::{
	client::OnlineClientAtBlock,
	config::{polkadot::PolkadotExtrinsicParamsBuilder, PolkadotConfig},
	error::DispatchError,
	events::Phase,
	ext::{
		scale_decode::visitor::{decode_with_visitor, IgnoreVisitor},
		scale_encode::{self, EncodeAsFields, FieldIter, TypeResolver},
	},
	rpcs::Error as RpcError,
	tx::Payload,
};
use tokio::time::{sleep, timeout};

/// Blocks for which a signed transaction is valid; a power of two, as eras are.
const LIFE: BlockNumber = 64;
/// Finalised heads after which a transaction that is in none of them is sent again: pools forget.
const RESEND_EVERY: u32 = 8;
/// Attempts with a fresh nonce while others submit for the same account.
const NONCE_ATTEMPTS: u32 = 8;
/// Pause before the next such attempt.
const NONCE_PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for finality; longer than any transaction lives on a chain that moves.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(900);
/// Longest wait for the pool's answer.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts to hand a transaction to a node whose connection breaks.
const SEND_ATTEMPTS: u32 = 3;

/// A call that happened, in a finalised block.
#[derive(Clone, Debug)]
pub struct Included {
	/// Hash of the block.
	pub block: H256,
	/// Its height.
	pub number: BlockNumber,
	/// Hash of the transaction.
	pub hash: H256,
	/// What the runtime said while it executed it.
	pub events: Vec<ChainEvent>,
}

impl Included {
	/// Fields of the first event of this name, as a tuple in their order.
	pub fn find<T: Decode>(&self, pallet: &str, name: &str) -> Option<T> {
		let event = self
			.events
			.iter()
			.find(|e| e.pallet == pallet && e.name == name)?;
		T::decode(&mut &event.fields[..]).ok()
	}

	/// Fields of all events of this name, each as a tuple of the first of them in their order.
	pub fn all<T: Decode>(&self, pallet: &str, name: &str) -> Vec<T> {
		self.events
			.iter()
			.filter(|event| event.pallet == pallet && event.name == name)
			.filter_map(|event| T::decode(&mut &event.fields[..]).ok())
			.collect()
	}
}

/// An event of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEvent {
	/// The pallet that emitted it.
	pub pallet: String,
	/// Its name.
	pub name: String,
	/// Its fields, SCALE-encoded one after the other.
	pub fields: Vec<u8>,
}

/// What became of a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutySent {
	/// The pool took it.
	Accepted(H256),
	/// Pool or chain have it already.
	Already,
}

/// Why a call did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
	/// There is no connection.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// Something that had to be read could not be.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The runtime has no such call.
	#[error(transparent)]
	Call(#[from] CallError),
	/// The runtime has an extension that a duty cannot fill.
	#[error(transparent)]
	Extension(#[from] UnknownExtension),
	/// The transaction could not be built or signed.
	#[error("the transaction cannot be built: {0}")]
	Build(String),
	/// The node or runtime refused it before it cost anything.
	#[error("refused before inclusion: {reason}")]
	Refused {
		/// The runtime's own refusal code, for duties.
		code: Option<u8>,
		/// What the node says.
		reason: String,
	},
	/// It was executed and failed; the fee is paid.
	#[error("{pallet}.{error}: {docs}")]
	Dispatch {
		/// The pallet whose error it is, or the runtime's group of errors.
		pallet: String,
		/// The error's name.
		error: String,
		/// What the error's documentation says.
		docs: String,
	},
	/// Another transaction took its place.
	#[error("another transaction of the account took nonce {nonce}")]
	Replaced {
		/// The nonce of both.
		nonce: u64,
	},
	/// Its life is over and it is in no block: it never happened and never will.
	#[error("it was in no block up to {last}, its last one; it did not happen and never will")]
	Expired {
		/// The last block that could have held it.
		last: BlockNumber,
	},
	/// Finality did not come; whether it happened is not known.
	#[error("no finality within {0:?}; whether it happened is not known")]
	NotFinalized(Duration),
}

impl SubmitError {
	/// Whether the same may succeed later without anyone changing anything.
	pub fn is_transient(&self) -> bool {
		match self {
			Self::Connect(error) => matches!(error, ConnectError::Unreachable { .. }),
			Self::Read(error) => error.is_transient(),
			_ => false,
		}
	}
}

/// A transaction that a pool took.
struct Sent {
	bytes: Vec<u8>,
	account: AccountId,
	nonce: u64,
	born: BlockNumber,
}

impl Sent {
	/// The last block that can hold it.
	fn last(&self) -> BlockNumber {
		self.born.saturating_add(LIFE)
	}
}

impl Chain {
	/// Signs a call, submits it and waits until it is final.
	///
	/// Submissions for one account take their turns, so that each has its own nonce.
	pub async fn submit(&self, signer: &AccountKey, call: Call) -> Result<Included, SubmitError> {
		let sent = self.sign_and_send(signer, &call).await?;
		tracing::debug!(%call, nonce = sent.nonce, "submitted");
		match timeout(FINALITY_TIMEOUT, self.wait(&sent)).await {
			Ok(outcome) => outcome,
			Err(_) => Err(SubmitError::NotFinalized(FINALITY_TIMEOUT)),
		}
	}

	/// Submits a duty: a call that the runtime admits by its content, without signer or fee.
	///
	/// Returns when the pool has it; whether it happened shows in the chain's state. Sending one
	/// twice is no error, and no error here stands in the way of sending it again at the next
	/// finalised block.
	pub async fn submit_duty(&self, call: Call) -> Result<DutySent, SubmitError> {
		let link = self.link().await?;
		let at = at_current(&link).await?;
		let bytes = encode_checked(&at, &call)?;
		let mut answer = self.send(&duty(&at, &bytes, 0)?).await?;
		if matches!(answer, PoolAnswer::Banned) {
			// For half an hour the pool bars bytes that were in a block, that it refused, such as a
			// duty that came a block too early, or that it had no room for. Only the runtime can
			// say which, and other bytes of the same duty reach it.
			let nonce = u32::try_from(at.block_number()).unwrap_or(u32::MAX).max(1);
			answer = self.send(&duty(&at, &bytes, nonce)?).await?;
		}
		duty_sent(answer)
	}

	/// A call as the runtime reads it at present.
	pub async fn encode_call(&self, call: &Call) -> Result<Vec<u8>, SubmitError> {
		let link = self.link().await?;
		encode_checked(&at_current(&link).await?, call)
	}

	/// What an encoded call, or its beginning, would do, by the present runtime's names.
	pub async fn describe_call(&self, bytes: &[u8]) -> Result<Option<CallText>, SubmitError> {
		let link = self.link().await?;
		let at = at_current(&link).await?;
		Ok(CallText::of(bytes, at.metadata_ref()))
	}

	async fn sign_and_send(&self, signer: &AccountKey, call: &Call) -> Result<Sent, SubmitError> {
		let account = signer.account();
		let turn = self.signer_lock(&account.0);
		let _turn = turn.lock().await;
		let mut reason = String::new();
		for attempt in 0..NONCE_ATTEMPTS {
			if attempt > 0 {
				sleep(NONCE_PAUSE).await;
			}
			let link = self.link().await?;
			let at = at_current(&link).await?;
			encode_checked(&at, call)?;
			let nonce = self
				.request("the account's next nonce", |methods| async move {
					methods.system_account_next_index(&account).await
				})
				.await?;
			let bytes = sign(&at, signer, call, nonce)?;
			let born = BlockNumber::try_from(at.block_number()).unwrap_or(BlockNumber::MAX);
			match self.send(&bytes).await? {
				PoolAnswer::Accepted(_) | PoolAnswer::Known | PoolAnswer::Banned => {
					return Ok(Sent {
						bytes,
						account,
						nonce,
						born,
					});
				}
				PoolAnswer::Outbid => reason = "its nonce is taken in the pool".into(),
				PoolAnswer::Stale => reason = "its nonce is used".into(),
				PoolAnswer::Refused { code, reason } => {
					return Err(SubmitError::Refused { code, reason });
				}
			}
		}
		Err(SubmitError::Refused { code: None, reason })
	}

	/// Hands bytes to the pool. If the connection breaks they are sent again: then the pool knows
	/// them, or a block has them and their nonce is stale; both mean that they arrived.
	async fn send(&self, bytes: &[u8]) -> Result<PoolAnswer, SubmitError> {
		let mut reason = String::new();
		for attempt in 0..SEND_ATTEMPTS {
			let link = self.link().await?;
			let request = link.methods.author_submit_extrinsic(bytes);
			reason = match timeout(POOL_TIMEOUT, request).await {
				Ok(Ok(hash)) => return Ok(PoolAnswer::Accepted(hash)),
				Ok(Err(RpcError::User(error))) => {
					return Ok(match pool_answer(&error) {
						PoolAnswer::Stale if attempt > 0 => PoolAnswer::Known,
						answer => answer,
					});
				}
				Ok(Err(error)) if !lost(&error) => {
					let reason = error.to_string();
					return Ok(PoolAnswer::Refused { code: None, reason });
				}
				Ok(Err(error)) => error.to_string(),
				Err(_) => "no answer in time".into(),
			};
			link.give_up();
		}
		Err(ReadError::Lost(reason).into())
	}

	/// Goes through finalised blocks until one holds the transaction or none can any more.
	async fn wait(&self, sent: &Sent) -> Result<Included, SubmitError> {
		let last = sent.last();
		let mut next = sent.born.saturating_add(1);
		let mut heads = self.finalized();
		let mut seen = 0u32;
		while let Some(head) = heads.next().await {
			match self.look(sent, &mut next, head).await {
				Ok(Some(included)) => return Ok(included),
				Ok(None) => {}
				Err(error) if error.is_transient() => continue,
				Err(error) => return Err(error),
			}
			if head.number >= last {
				return Err(SubmitError::Expired { last });
			}
			seen = seen.wrapping_add(1);
			if seen.is_multiple_of(RESEND_EVERY) {
				// Whatever the pool says: it may be in a block that is not final yet.
				if let Err(error) = self.send(&sent.bytes).await {
					tracing::debug!(%error, "could not send again");
				}
			}
		}
		Err(SubmitError::Expired { last })
	}

	/// Looks through the blocks from `next` up to `head`, or up to the last one that can hold it.
	async fn look(
		&self,
		sent: &Sent,
		next: &mut BlockNumber,
		head: Finalized,
	) -> Result<Option<Included>, SubmitError> {
		let last = head.number.min(sent.last());
		while *next <= last {
			let block = Finalized {
				number: *next,
				hash: self.block_hash(*next).await?,
			};
			let hash = block.hash;
			let details = self
				.request("a block's body", |methods| async move {
					methods.chain_get_block(Some(hash)).await
				})
				.await?
				.ok_or_else(|| ReadError::UnknownBlock(format!("{hash:?}")))?;
			let found = details
				.block
				.extrinsics
				.iter()
				.position(|extrinsic| extrinsic.0 == sent.bytes);
			if let Some(index) = found {
				return self.outcome(sent, block, index as u32).await.map(Some);
			}
			*next = next.saturating_add(1);
		}
		let nonce = self.at(head.hash).await?.nonce(&sent.account).await?;
		if u64::from(nonce) > sent.nonce {
			return Err(SubmitError::Replaced { nonce: sent.nonce });
		}
		Ok(None)
	}

	async fn outcome(
		&self,
		sent: &Sent,
		block: Finalized,
		index: u32,
	) -> Result<Included, SubmitError> {
		let link = self.link().await?;
		let unreadable = |error: String| ReadError::Refused {
			what: "a block's events".into(),
			reason: error,
		};
		let at = answered(&link, link.client.at_block(block.hash)).await?;
		let events = answered(&link, at.events().fetch()).await?;
		let mut own = Vec::new();
		for event in events.iter() {
			let event = event.map_err(|e| unreadable(e.to_string()))?;
			if event.phase() != Phase::ApplyExtrinsic(index) {
				continue;
			}
			if let Some(error) =
				failure(event.pallet_name(), event.event_name(), event.field_bytes())
			{
				return Err(dispatch_error(error, at.metadata()));
			}
			own.push(ChainEvent {
				pallet: event.pallet_name().into(),
				name: event.event_name().into(),
				fields: event.field_bytes().to_vec(),
			});
		}
		let hash = millrace_primitives::hash::blake2_256(&sent.bytes);
		Ok(Included {
			block: block.hash,
			number: block.number,
			hash,
			events: own,
		})
	}
}

type At = OnlineClientAtBlock<PolkadotConfig>;

async fn at_current(link: &Link) -> Result<At, SubmitError> {
	answered(link, link.client.at_current_block()).await
}

/// What the node answers to one of subxt's requests, in bounded time. Whatever is wrong, a new
/// connection is the remedy that there is.
async fn answered<T, E: ToString>(
	link: &Link,
	request: impl Future<Output = Result<T, E>>,
) -> Result<T, SubmitError> {
	let reason = match timeout(REQUEST_TIMEOUT, request).await {
		Ok(Ok(answer)) => return Ok(answer),
		Ok(Err(error)) => error.to_string(),
		Err(_) => "no answer in time".into(),
	};
	link.give_up();
	Err(ReadError::Lost(reason).into())
}

/// Encodes a call and decodes it again by the runtime's own types, so that a client of another
/// version fails here, by name, and not as a transaction that no node can read.
fn encode_checked(at: &At, call: &Call) -> Result<Vec<u8>, SubmitError> {
	let metadata = at.metadata_ref();
	let bytes = call.encode(metadata)?;
	let mut rest = &bytes[..];
	// Looked at and not kept: a call can hold a whole runtime.
	let read = decode_with_visitor(
		&mut rest,
		metadata.outer_enums().call_enum_ty(),
		metadata.types(),
		IgnoreVisitor::<PortableRegistry>::new(),
	);
	let reason = match read {
		Ok(()) if rest.is_empty() => return Ok(bytes),
		Ok(()) => format!("it takes {} bytes less", rest.len()),
		Err(error) => error.to_string(),
	};
	Err(SubmitError::Call(CallError::OtherArguments {
		pallet: call.pallet.clone(),
		name: call.name.clone(),
		reason,
	}))
}

fn duty(at: &At, call: &[u8], nonce: u32) -> Result<Vec<u8>, SubmitError> {
	let metadata = at.metadata_ref();
	let extensions = metadata
		.extrinsic()
		.transaction_extensions_by_version(extrinsic::EXTENSION_VERSION)
		.into_iter()
		.flatten()
		.map(|extension| extension.identifier());
	Ok(extrinsic::general(call, extensions, nonce)?)
}

fn sign(at: &At, signer: &AccountKey, call: &Call, nonce: u64) -> Result<Vec<u8>, SubmitError> {
	let payload = Named {
		call,
		args: RawArgs(call.encode_args(at.metadata_ref())?),
	};
	let params = PolkadotExtrinsicParamsBuilder::<PolkadotConfig>::new()
		.nonce(nonce)
		.mortal_from_unchecked(u64::from(LIFE), at.block_number(), at.block_hash())
		.build();
	let signed = at
		.tx()
		.create_v4_signable_offline(&payload, params)
		.and_then(|mut signable| signable.sign(signer.pair()))
		.map_err(|error| SubmitError::Build(error.to_string()))?;
	Ok(signed.into_encoded())
}

/// A call in the form that subxt signs.
struct Named<'a> {
	call: &'a Call,
	args: RawArgs,
}

impl Payload for Named<'_> {
	type CallData = RawArgs;

	fn pallet_name(&self) -> &str {
		&self.call.pallet
	}

	fn call_name(&self) -> &str {
		&self.call.name
	}

	fn call_data(&self) -> &RawArgs {
		&self.args
	}
}

/// Arguments that are encoded already.
struct RawArgs(Vec<u8>);

impl EncodeAsFields for RawArgs {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_fields: &mut dyn FieldIter<'_, R::TypeId>,
		_types: &R,
		out: &mut Vec<u8>,
	) -> Result<(), scale_encode::Error> {
		out.extend_from_slice(&self.0);
		Ok(())
	}
}

/// The encoded dispatch error in an event that says that the call failed.
fn failure<'a>(pallet: &str, name: &str, fields: &'a [u8]) -> Option<&'a [u8]> {
	match (pallet, name, fields) {
		("System", "ExtrinsicFailed", error) => Some(error),
		// The call made as root has a result of its own: 1 and the error.
		("Sudo", "Sudid", [1, error @ ..]) => Some(error),
		_ => None,
	}
}

/// The error of a call that failed, by name.
pub(crate) fn dispatch_error(bytes: &[u8], metadata: subxt::ArcMetadata) -> SubmitError {
	let error = match DispatchError::decode_from(bytes, metadata) {
		Ok(error) => error,
		Err(error) => {
			let docs = format!("0x{} cannot be decoded: {error}", hex::encode(bytes));
			return named_error("Runtime", "Unknown", docs);
		}
	};
	match &error {
		DispatchError::Module(module) => match module.details() {
			Ok(details) => named_error(
				details.pallet.name(),
				&details.variant.name,
				details.variant.docs.join(" ").trim().to_string(),
			),
			Err(_) => named_error("Runtime", "Unknown", module.to_string()),
		},
		DispatchError::Token(token) => {
			named_error("Token", &format!("{token:?}"), token.to_string())
		}
		DispatchError::Arithmetic(arithmetic) => named_error(
			"Arithmetic",
			&format!("{arithmetic:?}"),
			arithmetic.to_string(),
		),
		other => named_error("Runtime", &format!("{other:?}"), other.to_string()),
	}
}

fn named_error(pallet: &str, error: &str, docs: String) -> SubmitError {
	SubmitError::Dispatch {
		pallet: pallet.into(),
		error: error.into(),
		docs,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn failures_stand_in_two_events() {
		assert_eq!(failure("System", "ExtrinsicFailed", &[2]), Some(&[2][..]));
		assert_eq!(failure("Sudo", "Sudid", &[1, 2]), Some(&[2][..]));
		assert_eq!(failure("Sudo", "Sudid", &[0]), None);
		assert_eq!(failure("System", "ExtrinsicSuccess", &[]), None);
	}

	#[test]
	fn an_event_is_found_and_read() {
		let included = Included {
			block: H256::zero(),
			number: 1,
			hash: H256::zero(),
			events: vec![ChainEvent {
				pallet: "Market".into(),
				name: "DealCreated".into(),
				fields: codec::Encode::encode(&(7u64, [1u8; 32])),
			}],
		};
		assert_eq!(
			included.find("Market", "DealCreated"),
			Some((7u64, [1u8; 32]))
		);
		assert_eq!(included.find::<u64>("Market", "DealStopped"), None);
		assert_eq!(included.all::<u64>("Market", "DealCreated"), [7u64]);
		assert!(included.all::<u64>("Capacity", "DealCreated").is_empty());
	}
}
