//! # Millrace chain client
//!
//! How daemons and tools reach the chain: one connection that heals itself, whole-picture reads at
//! a block, calls named at run time, and keys.
//!
//! Nothing here is generated from a runtime. A call is a pallet's name, a call's name and
//! SCALE-encoded arguments in the types of `millrace-primitives`; its indices are looked up in the
//! metadata that the node serves. A read is a runtime API that answers with one of the shared
//! views. A runtime upgrade that keeps those names therefore needs no new client.
//!
//! ```no_run
//! use futures::StreamExt;
//! use millrace_client::{amounts, calls, keys::AccountKey, Chain};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = Chain::connect("ws://127.0.0.1:9944").await?;
//! let alice = AccountKey::from_suri("//Alice")?;
//! let call = calls::market::top_up(7, amounts::parse("1.5 FLT")?);
//! let included = chain.submit(&alice, call).await?;
//! println!("finalised in {:?}", included.block);
//!
//! let mut blocks = chain.finalized();
//! while let Some(block) = blocks.next().await {
//!     let view = chain.at(block.hash).await?;
//!     println!("{} {:?}", block.number, view.epoch().await?);
//! }
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod amounts;
mod authoring;
pub mod balance;
pub mod calls;
pub mod chain;
mod changes;
pub mod checkpoints;
pub mod error;
pub mod extrinsic;
mod history;
pub mod keys;
pub mod net;
mod pool;
pub mod receipts;
mod referenda;
pub mod storage;
pub mod submit;
pub mod view;
pub mod vouchers;
pub mod web;

pub use authoring::GeneratedKeys;
pub use balance::{AccountBalance, Hold};
pub use calls::Call;
pub use chain::{BestStream, Block, Chain, Finalized, FinalizedStream};
pub use changes::{Changes, DealChanges};
pub use error::{ConnectError, ReadError};
pub use keys::{verify_peer_signature, AccountKey, KeyError, PeerKeypair};
pub use millrace_primitives as primitives;
pub use receipts::{ReceiptProof, VerifyError};
pub use referenda::Outcome;
pub use submit::{ChainEvent, DutySent, Included, SubmitError};
pub use view::View;

/// Account of the chain: 32 bytes, shown in SS58.
pub type AccountId = subxt::utils::AccountId32;
