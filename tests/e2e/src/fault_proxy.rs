//! A server of an anchor that can be made to lie, to leave things out, and to refuse.

use crate::Http;
use axum::{extract::State, http::StatusCode, routing::post, Json, Router};
use serde_json::{json, Value};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{net::TcpListener, task::JoinHandle};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
	/// Nothing.
	#[default]
	None,
	/// It tells no events.
	NoEvents,
	/// The contract answers something else than it does.
	FalseCalls,
	/// It takes no requests.
	TooMany,
}

/// The server. It answers what the one behind it answers, but for its fault.
#[derive(Debug)]
pub struct FaultProxy {
	/// Its URL.
	pub url: String,
	fault: Arc<Mutex<Fault>>,
	task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
	behind: String,
	http: Http,
	fault: Arc<Mutex<Fault>>,
}

impl FaultProxy {
	/// Starts one without a fault.
	pub async fn start(behind: &str) -> Self {
		let listener = TcpListener::bind("127.0.0.1:0")
			.await
			.expect("there is a free port");
		let url = format!("http://{}", listener.local_addr().expect("it is bound"));
		let fault: Arc<Mutex<Fault>> = Arc::default();
		let shared = Shared {
			behind: behind.into(),
			http: Http::default(),
			fault: fault.clone(),
		};
		let router = Router::new().route("/", post(answer)).with_state(shared);
		let task = tokio::spawn(async move {
			// Nobody is left to tell when the test is over.
			let _ = axum::serve(listener, router).await;
		});
		Self { url, fault, task }
	}

	/// Gives it a fault, or takes it away.
	pub fn set(&self, fault: Fault) {
		*self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
	}
}

impl Drop for FaultProxy {
	fn drop(&mut self) {
		self.task.abort();
	}
}

async fn answer(
	State(shared): State<Shared>,
	Json(request): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
	let fault = *shared.fault.lock().unwrap_or_else(PoisonError::into_inner);
	if fault == Fault::TooMany {
		return Err(StatusCode::TOO_MANY_REQUESTS);
	}
	let method = request["method"].as_str().unwrap_or_default().to_string();
	let sent = shared
		.http
		.send(
			::http::Method::POST,
			&shared.behind,
			"application/json",
			request.to_string(),
		)
		.await
		.map_err(|_| StatusCode::BAD_GATEWAY)?;
	let mut answer: Value =
		serde_json::from_slice(&sent.body).map_err(|_| StatusCode::BAD_GATEWAY)?;
	match (fault, method.as_str()) {
		(Fault::NoEvents, "eth_getLogs") => answer["result"] = json!([]),
		(Fault::FalseCalls, "eth_call") => falsify(&mut answer["result"]),
		_ => {}
	}
	Ok(Json(answer))
}

/// Changes the accumulator of a status, which is its fifth word, and nothing of shorter answers.
fn falsify(result: &mut Value) {
	let Some(text) = result.as_str() else {
		return;
	};
	let place = 2 + 5 * 64 - 1;
	if text.len() > place {
		let mut digits = text.to_string();
		let other = if &digits[place..=place] == "f" {
			"e"
		} else {
			"f"
		};
		digits.replace_range(place..=place, other);
		*result = digits.into();
	}
}
