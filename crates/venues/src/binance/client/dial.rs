//! Web sockets within the venue's budget of connections, and what it says at the door.

use super::config::BinanceConfig;
use super::rest::Rest;
use crate::socket::{DialError, Socket};

/// Connects to `url`. A venue that told us to wait, or that banned this address, is left in peace until then.
pub(crate) async fn dial(config: &BinanceConfig, rest: &Rest, url: &str) -> Result<Socket, String> {
    rest.budgets.may_connect().map_err(|wait| format!("no connection is tried: {wait}"))?;
    match Socket::connect(url, &config.dialling()).await {
        Ok(socket) => Ok(socket),
        Err(DialError::Answered { status, retry_after }) => {
            if matches!(status, 403 | 418 | 429) {
                rest.budgets.told_to_wait(retry_after, status != 429);
            }
            Err(format!("the server answered {status}"))
        }
        Err(DialError::Failed(why)) => Err(why),
    }
}
