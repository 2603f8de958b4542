//! Bodies of requests: bounded in length and time.

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;
use tokio::time::timeout;

/// Most bytes of a refused body that are read and thrown away.
const DISCARD_BYTES: u64 = 8 * 1024 * 1024;
/// Longest time that this takes.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
	/// It is longer than the limit.
	#[error("the body is too long")]
	TooLarge,
	/// It did not arrive whole or in time.
	#[error("the body did not arrive")]
	Incomplete,
}

/// Reads a whole body of at most `limit` bytes in at most `time`.
///
/// The rest of one that is too long is thrown away for a moment before this returns. Else the
/// connection would be closed with bytes unread, and a client that sends its body before it listens
/// would see a broken pipe instead of the refusal.
pub async fn read(mut body: Body, limit: u64, time: Duration) -> Result<Bytes, BodyError> {
	let announced = HttpBody::size_hint(&body).lower();
	if announced > limit {
		// Where not all of it can be thrown away, its beginning need not be either.
		if announced <= DISCARD_BYTES {
			discard(body).await;
		}
		return Err(BodyError::TooLarge);
	}
	let bytes = usize::try_from(limit).unwrap_or(usize::MAX);
	let outcome = timeout(time, Limited::new(&mut body, bytes).collect()).await;
	match outcome {
		Ok(Ok(whole)) => Ok(whole.to_bytes()),
		Ok(Err(error)) if error.is::<LengthLimitError>() => {
			discard(body).await;
			Err(BodyError::TooLarge)
		}
		Ok(Err(_)) | Err(_) => Err(BodyError::Incomplete),
	}
}

/// Throws away what still comes.
async fn discard(mut body: Body) {
	let mut left = DISCARD_BYTES;
	let rest = async {
		while let Some(Ok(frame)) = body.frame().await {
			let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
			match left.checked_sub(bytes) {
				Some(fewer) => left = fewer,
				None => return,
			}
		}
	};
	// Whoever sends on for longer may miss the answer.
	let _ = timeout(DISCARD_TIME, rest).await;
}

#[cfg(test)]
mod tests;
