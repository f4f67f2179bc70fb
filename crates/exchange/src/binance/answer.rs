//! The venue's error answers: status, code and text that clients match on.
//!
//! Source: `errors.md` of the venue's documentation (2025-01-09), read apart from the client side of this project.

use serde_json::{Value, json};

/// A refusal as the venue words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status, also used as `status` in the WebSocket API.
    pub(crate) status: u16,
    /// The venue's code, negative.
    pub(crate) code: i32,
    /// The venue's text.
    pub(crate) text: String,
    /// Seconds to wait, for 429 and 418.
    pub(crate) retry_after: Option<u64>,
    /// More for the answer than code and text, as cancel-replace has it.
    pub(crate) data: Option<Box<Value>>,
}

pub(crate) type Answer = Result<Value, Refusal>;

impl Refusal {
    pub(crate) fn new(code: i32, text: impl Into<String>) -> Self {
        Self { status: 400, code, text: text.into(), retry_after: None, data: None }
    }
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The error object of both protocols.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({"code": self.code, "msg": self.text});
        if let Some(data) = &self.data {
            body["data"] = (**data).clone();
        }
        body
    }

    pub(crate) fn too_much_weight(limit: u32, retry_after: u64) -> Self {
        let text = format!(
            "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. \
             Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Self { retry_after: Some(retry_after), ..Self::new(-1003, text).with_status(429) }
    }
    pub(crate) fn banned(until_millis: i64, retry_after: u64) -> Self {
        let text = format!(
            "Way too much request weight used; IP banned until {until_millis}. \
             Please use WebSocket Streams for live updates to avoid bans."
        );
        Self { retry_after: Some(retry_after), ..Self::new(-1003, text).with_status(418) }
    }
    pub(crate) fn too_many_orders(limit: u32, interval: &str) -> Self {
        Self::new(-1015, format!("Too many new orders; current limit is {limit} orders per {interval}."))
            .with_status(429)
    }
    pub(crate) fn unauthorized() -> Self {
        Self::new(-1002, "You are not authorized to execute this request.").with_status(401)
    }
    pub(crate) fn outside_window() -> Self {
        Self::new(-1021, "Timestamp for this request is outside of the recvWindow.")
    }
    pub(crate) fn ahead_of_time() -> Self {
        Self::new(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    }
    pub(crate) fn bad_signature() -> Self {
        Self::new(-1022, "Signature for this request is not valid.")
    }
    pub(crate) fn illegal(parameter: &str, range: &str) -> Self {
        Self::new(-1100, format!("Illegal characters found in parameter '{parameter}'; legal range is '{range}'."))
    }
    pub(crate) fn duplicate_parameter() -> Self {
        Self::new(-1101, "Duplicate values for a parameter detected.")
    }
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(-1102, format!("Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed."))
    }
    pub(crate) fn missing_either(one: &str, other: &str) -> Self {
        Self::new(-1102, format!("Param '{one}' or '{other}' must be sent, but both were empty/null!"))
    }
    pub(crate) fn unread(read: usize, sent: usize) -> Self {
        Self::new(
            -1104,
            format!("Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."),
        )
    }
    pub(crate) fn empty(parameter: &str) -> Self {
        Self::new(-1105, format!("Parameter '{parameter}' was empty."))
    }
    pub(crate) fn not_required(parameter: &str) -> Self {
        Self::new(-1106, format!("Parameter '{parameter}' sent when not required."))
    }
    pub(crate) fn too_precise(parameter: &str) -> Self {
        Self::new(-1111, format!("Parameter '{parameter}' has too much precision."))
    }
    pub(crate) fn bad_time_in_force() -> Self {
        Self::new(-1115, "Invalid timeInForce.")
    }
    pub(crate) fn bad_order_type() -> Self {
        Self::new(-1116, "Invalid orderType.")
    }
    pub(crate) fn bad_side() -> Self {
        Self::new(-1117, "Invalid side.")
    }
    pub(crate) fn bad_interval() -> Self {
        Self::new(-1120, "Invalid interval.")
    }
    pub(crate) fn bad_symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }
    pub(crate) fn bad_combination() -> Self {
        Self::new(-1128, "Combination of optional parameters invalid.")
    }
    pub(crate) fn bad_data(parameter: &str) -> Self {
        Self::new(-1130, format!("Data sent for parameter '{parameter}' is not valid."))
    }
    pub(crate) fn filter(name: &str) -> Self {
        Self::new(-1013, format!("Filter failure: {name}"))
    }
    pub(crate) fn not_supported(text: &str) -> Self {
        Self::new(-1013, text)
    }
    pub(crate) fn rejected(text: &str) -> Self {
        Self::new(-2010, text)
    }
    pub(crate) fn insufficient_balance() -> Self {
        Self::rejected("Account has insufficient balance for requested action.")
    }
    pub(crate) fn duplicate_order() -> Self {
        Self::rejected("Duplicate order sent.")
    }
    pub(crate) fn would_match() -> Self {
        Self::rejected("Order would immediately match and take.")
    }
    pub(crate) fn would_trigger() -> Self {
        Self::rejected("Order would trigger immediately.")
    }
    pub(crate) fn cancel_unknown() -> Self {
        Self::new(-2011, "Unknown order sent.")
    }
    pub(crate) fn cancel_restricted() -> Self {
        Self::new(-2011, "Order was not canceled due to cancel restrictions.")
    }
    pub(crate) fn amend_rejected(text: &str) -> Self {
        Self::new(-2038, text)
    }
    pub(crate) fn no_such_order() -> Self {
        Self::new(-2013, "Order does not exist.")
    }
    pub(crate) fn no_such_list() -> Self {
        Self::new(-2018, "Order list does not exist.")
    }
    pub(crate) fn bad_key_format() -> Self {
        Self::new(-2014, "API-key format invalid.").with_status(401)
    }
    pub(crate) fn bad_key() -> Self {
        Self::new(-2015, "Invalid API-key, IP, or permissions for action.").with_status(401)
    }
    pub(crate) fn hmac_not_supported() -> Self {
        Self::new(-4056, "HMAC_SHA256 API-key is not supported.")
    }
}
