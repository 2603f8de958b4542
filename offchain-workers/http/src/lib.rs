//! # Millrace HTTP
//!
//! What the worker's and the gateway's doors have in common: a [`server`] with bounds, a [`body`]
//! that is read within bounds, and the form of every [`error`].

pub mod body;
pub mod error;
pub mod server;
