//! # Millrace end-to-end harness
//!
//! Starts the real programs on the loopback interface, waits for what the chain says, and ends
//! everything with the test. Every wait is bounded and names what it waited for; a test that fails
//! shows the ends of the logs of all its processes, and behind them once more why it failed.
//!
//! The programs are those that `scripts/test.sh` builds beside the tests: see [`binaries`].

pub mod anvil;
pub mod binaries;
pub mod command;
pub mod deal;
pub mod embedded_anchor;
pub mod events;
pub mod fault_proxy;
pub mod flood;
pub mod guests;
pub mod http;
pub mod load;
pub mod measure;
pub mod network;
pub mod npm;
pub mod process;
pub mod provider;
pub mod receipts;
pub mod rpc;
pub mod spec;
pub mod validator;
pub mod wait;

pub use anvil::Anvil;
pub use command::Ran;
pub use deal::Deal;
pub use embedded_anchor::EmbeddedAnchor;
pub use events::Events;
pub use fault_proxy::FaultProxy;
pub use http::Http;
pub use network::{Gateway, Network, Node};
pub use process::Process;
pub use provider::{Peer, Provider};
pub use rpc::{Fault, Rpc};
pub use wait::{eventually, until};
