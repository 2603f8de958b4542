//! A file for each direction, for what brakes them, and for anything in any order.

mod brakes;
mod conflicts;
mod delivery;
mod forced;
mod outbox;
mod release;
mod stateful;
mod try_state;
mod votes;
