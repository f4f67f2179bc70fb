//! The WebSocket API's envelopes.

use super::info::ErrorBody;
use super::words::{RateLimitInterval, RateLimitType};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A request's own name, given back with its answer: a number or a text of at most 36 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    Number(i64),
    Text(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// `{"id": …, "method": "order.place", "params": {…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRequest<P> {
    pub id: RequestId,
    pub method: String,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub params: Option<P>,
}

/// `{"id": …, "status": 200, "result": …, "rateLimits": […]}`, with `error` in place of `result` on failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiResponse<T> {
    /// `null` when the request could not be read.
    pub id: Option<RequestId>,
    pub status: u16,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub result: Option<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimitUsage>,
}

/// One entry of an answer's `rateLimits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitUsage {
    pub rate_limit_type: RateLimitType,
    pub interval: RateLimitInterval,
    pub interval_num: u32,
    pub limit: u64,
    pub count: u64,
}

/// The result of `userDataStream.subscribe` and `userDataStream.subscribe.signature`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscribed {
    pub subscription_id: u64,
}

/// The result of `session.logon`, `session.status` and `session.logout`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionStatus {
    pub api_key: Option<String>,
    pub authorized_since: Option<i64>,
    pub connected_since: i64,
    #[serde(default)]
    pub return_rate_limits: bool,
    pub server_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data_stream: Option<bool>,
}
