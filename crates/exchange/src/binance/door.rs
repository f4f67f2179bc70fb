//! The door: who asks and by what right. The same over sockets and in process; the clock comes in.

use super::answer::Refusal;
use super::calls::{Context, Route, Security};
use super::limits::Counters;
use super::params::Params;
use super::signature::{self, Fence};
use crate::config::{KeySecret, Limits};
use std::collections::BTreeMap;

/// One key and whose it is.
pub(crate) struct Key {
    pub(crate) account: usize,
    pub(crate) secret: KeySecret,
    pub(crate) may_trade: bool,
    pub(crate) may_withdraw: bool,
}

/// Every key by its public name.
pub(crate) type Keys = BTreeMap<String, Key>;

/// Who called, and until when the request is good; nobody for open calls.
pub(crate) type Caller<'a> = Option<(&'a Key, Fence)>;

/// The key that `name` names.
pub(crate) fn key<'a>(keys: &'a Keys, name: Option<&str>) -> Result<&'a Key, Refusal> {
    match name {
        None | Some("") => Err(Refusal::bad_key_format()),
        Some(name) => keys.get(name).ok_or_else(Refusal::bad_key),
    }
}

/// The fence that a request carries.
pub(crate) fn fence(params: &Params) -> Result<Fence, Refusal> {
    params.raw("signature");
    Fence::new(params.whole("timestamp")?, params.whole("recvWindow")?)
}

/// Checks a signed request at its receipt at `now`, the server's time; the fence is checked again before matching.
pub(crate) fn check_signed(
    key: &Key,
    params: &Params,
    payload: &str,
    given: Option<&str>,
    now: i64,
) -> Result<Fence, Refusal> {
    let fence = fence(params)?;
    let given = given.filter(|text| !text.is_empty()).ok_or_else(|| Refusal::missing("signature"))?;
    signature::verify(&key.secret, payload, given)?;
    fence.check(now)?;
    Ok(fence)
}

/// Who calls over REST: the key stands in a header, the signature covers query and body.
pub(crate) fn rest_caller<'a>(
    keys: &'a Keys,
    route: &Route,
    params: &Params,
    (query, body): (&str, &str),
    name: Option<&str>,
    now: i64,
) -> Result<Caller<'a>, Refusal> {
    if route.security == Security::Open {
        for ignored in ["timestamp", "recvWindow", "signature"] {
            params.raw(ignored); // clients that sign everything are welcome
        }
        return Ok(None);
    }
    let key = key(keys, name)?;
    let (payload, given) = signature::rest_payload(query, body);
    let fence = check_signed(key, params, &payload, given.as_deref(), now)?;
    may(route, key, fence)
}

/// Who calls over the WebSocket API: a signed request, or one of a session that is logged on, which need not sign.
pub(crate) fn ws_caller<'a>(
    keys: &'a Keys,
    route: &Route,
    params: &Params,
    logged_on: Option<&str>,
    now: i64,
) -> Result<Caller<'a>, Refusal> {
    if route.security == Security::Open {
        for ignored in ["apiKey", "timestamp", "recvWindow", "signature"] {
            params.raw(ignored);
        }
        return Ok(None);
    }
    let (key, fence) = match (logged_on, params.raw("apiKey")) {
        (Some(name), None) => {
            let (key, fence) = (key(keys, Some(name))?, fence(params)?);
            fence.check(now)?;
            (key, fence)
        }
        (_, name) => ws_signed(keys, params, name, now)?,
    };
    may(route, key, fence)
}

/// A signed request of the WebSocket API.
pub(crate) fn ws_signed<'a>(
    keys: &'a Keys,
    params: &Params,
    name: Option<&str>,
    now: i64,
) -> Result<(&'a Key, Fence), Refusal> {
    let name = name.ok_or_else(|| Refusal::missing("apiKey"))?;
    let key = key(keys, Some(name))?;
    let payload = signature::ws_payload(params.pairs());
    let fence = check_signed(key, params, &payload, params.raw("signature"), now)?;
    Ok((key, fence))
}

fn may<'a>(route: &Route, key: &'a Key, fence: Fence) -> Result<Caller<'a>, Refusal> {
    if route.security == Security::Trade && !key.may_trade {
        return Err(Refusal::bad_key());
    }
    Ok(Some((key, fence)))
}

/// What a call may know of its caller.
pub(crate) fn context<'a>(limits: &'a Limits, counters: &Counters, key: Option<&Key>, now: i64) -> Context<'a> {
    let order_counts = key.map_or((0, 0), |key| {
        let count = counters.orders_of(key.account, now);
        (count.in_10s, count.in_day)
    });
    Context {
        account: key.map(|key| key.account),
        server_time: now,
        order_counts,
        limits,
        may_withdraw: key.is_some_and(|key| key.may_withdraw),
        may_trade: key.is_some_and(|key| key.may_trade),
    }
}
