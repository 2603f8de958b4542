//! HTTP to the daemons and nodes of a test, which are on this machine.

use anyhow::{ensure, Context, Result};
use bytes::Bytes;
use http::{header::CONTENT_TYPE, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
	client::legacy::{connect::HttpConnector, Client},
	rt::TokioExecutor,
};
use serde_json::{json, Value};

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
	client: Client<HttpConnector, Full<Bytes>>,
}

impl Fetch {
	pub(crate) fn new() -> Self {
		Self {
			client: Client::builder(TokioExecutor::new()).build_http(),
		}
	}

	/// Sends a request and reads the whole answer.
	pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<http::Response<Bytes>> {
		let url = request.uri().to_string();
		let response = self.client.request(request.map(Full::new)).await;
		let (head, body) = response.with_context(|| url.clone())?.into_parts();
		let body = body.collect().await.context(url)?.to_bytes();
		Ok(http::Response::from_parts(head, body))
	}

	/// What is at a URL.
	pub(crate) async fn get(&self, url: &str) -> Result<Bytes> {
		let response = self.send(Request::get(url).body(Bytes::new())?).await?;
		ensure!(
			response.status().is_success(),
			"{url} answers with {}",
			response.status()
		);
		Ok(response.into_body())
	}

	/// The result of a JSON-RPC request of a node.
	pub(crate) async fn rpc(&self, url: &str, method: &str, params: Value) -> Result<Value> {
		let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
		let request = Request::builder()
			.method(Method::POST)
			.uri(url)
			.header(CONTENT_TYPE, "application/json")
			.body(Bytes::from(body.to_string()))?;
		let response = self.send(request).await?;
		let mut answer: Value = serde_json::from_slice(response.body())?;
		ensure!(answer["error"].is_null(), "{method}: {answer}");
		Ok(answer["result"].take())
	}
}
