//! `GET /healthz` and `GET /metrics`.

use crate::{errors::GatewayError, App};
use axum::{
	extract::State,
	http::{header, StatusCode},
	response::{IntoResponse, Response},
	Json,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Time without a finalised block after which the gateway calls itself unhealthy: its routes may
/// be those of workers that are gone.
const STALE: Duration = Duration::from_secs(120);

/// Says whether the gateway knows where the chain stands.
pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Response {
	let clock = app.routing.clock();
	let age = clock.seen.map(|seen| seen.elapsed());
	let healthy = age.is_some_and(|age| age < STALE);
	let (status, text) = match healthy {
		true => (StatusCode::OK, "ok"),
		false => (
			StatusCode::SERVICE_UNAVAILABLE,
			"no finalised block for long",
		),
	};
	let body = json!({
		"status": text,
		"genesis": app.chain.genesis(),
		"block": clock.block,
		"epoch": clock.epoch,
		"block_age_ms": age.map(|age| age.as_millis() as u64),
		"deals": app.routing.len(),
	});
	(status, Json(body)).into_response()
}

/// All figures in Prometheus' text format.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, GatewayError> {
	let failed = |error: prometheus::Error| GatewayError::Internal(error.to_string());
	let mut text = app.metrics.render().map_err(failed)?;
	if let Some(watch) = &app.watch {
		text.push_str(&watch.render().map_err(failed)?);
	}
	Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
