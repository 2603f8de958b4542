//! What a client is told when its request is not answered as asked.

use axum::Json;
use serde_json::{json, Value};

/// The JSON body of every error: a name for machines, which does not change, what is wrong, and what
/// the client can do.
pub fn error_body(code: &str, message: &str, hint: &str) -> Json<Value> {
	Json(json!({ "error": { "code": code, "message": message, "hint": hint } }))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_error_has_code_message_and_hint() {
		let Json(body) = error_body("busy", "too much \"at once\"", "try again");
		let text =
			r#"{"error":{"code":"busy","hint":"try again","message":"too much \"at once\""}}"#;
		let expected: Value = serde_json::from_str(text).expect("it is JSON");
		assert_eq!(body, expected);
	}
}
