//! A file for each side: programmes, claims, free transactions, and anything in any order.

mod claims;
mod free;
mod programmes;
mod stateful;
