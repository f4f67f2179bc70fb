//! Frames of the WebSocket API: requests read, answers wrapped.

use super::answer::{Answer, Refusal};
use super::params::Params;
use serde_json::{Value, json};

/// A request as it was sent.
pub(crate) struct Request {
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Result<Params, Refusal>,
    /// Whether the caller wants to hear of its budget.
    pub(crate) tells_limits: bool,
}

impl Request {
    /// Reads a frame; `None` if it is no JSON.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let request = serde_json::from_str::<Value>(text).ok()?;
        let quiet = request.pointer("/params/returnRateLimits").is_some_and(|wanted| *wanted == Value::Bool(false));
        Some(Self {
            id: request.get("id").cloned().unwrap_or(Value::Null),
            method: request.get("method").and_then(Value::as_str).unwrap_or_default().to_owned(),
            params: pairs(request.get("params")).map(Params::of_pairs),
            tells_limits: !quiet,
        })
    }
}

/// Parameters as texts, as the venue signs them.
fn pairs(params: Option<&Value>) -> Result<Vec<(String, String)>, Refusal> {
    let Some(Value::Object(map)) = params else { return Ok(Vec::new()) };
    map.iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Number(number) => Ok((name.clone(), number.to_string())),
            Value::Bool(flag) => Ok((name.clone(), flag.to_string())),
            Value::Array(_) => Ok((name.clone(), value.to_string())),
            Value::Null | Value::Object(_) => Err(Refusal::bad_data(name)),
        })
        .collect()
}

/// The answer to what is no JSON.
pub(crate) fn not_json() -> Value {
    envelope(&Value::Null, &Err(Refusal::new(-1135, "Invalid JSON Request")), None)
}

/// An answer as it is sent.
pub(crate) fn envelope(id: &Value, answer: &Answer, rate_limits: Option<Value>) -> Value {
    let mut envelope = match answer {
        Ok(result) => json!({"id": id, "status": 200, "result": result}),
        Err(refusal) => json!({"id": id, "status": refusal.status, "error": refusal.body()}),
    };
    if let Some(rate_limits) = rate_limits {
        envelope["rateLimits"] = rate_limits;
    }
    envelope
}

/// What an answer tells of the budget.
pub(crate) fn rate_limits(used: u32, limit: u32) -> Value {
    json!([{
        "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit, "count": used,
    }])
}
