//! The crate's error codes and their hints.

pub(crate) use tradewind_domain::Coded;
use tradewind_domain::ErrorCode;

tradewind_domain::codes! {
    "VEN-01" "the venue's answer is not JSON" "something else answers at this address: check the URL and any proxy";
    "VEN-02" "the venue answered with a web page" "a proxy, a firewall or a maintenance page stands in between";
    "VEN-03" "the venue's answer is cut off" "the connection broke while the answer came in: reconcile before anything else";
    "VEN-04" "the venue's answer is empty" "the connection was closed without an answer: reconcile before anything else";
    "VEN-05" "the venue's answer is JSON of another shape" "the venue changed its protocol or another program answers: update, or check the URL";
    "VEN-06" "no connection to the venue" "nothing was sent; check the address, the network and whether the venue is up";
    "VEN-07" "the connection broke after bytes may have left" "the order may be live: reconcile before anything else";
    "VEN-08" "the venue did not answer in time" "the order may be live: reconcile before anything else";
    "VEN-09" "the venue rejected the request" "trying the same again changes nothing; see the venue's code and text";
    "VEN-10" "the venue does not know the outcome" "the order may be live: reconcile before anything else";
    "VEN-11" "the request budget is used up" "wait for the next interval, or raise the interval between requests";
    "VEN-12" "the venue banned this address for a while" "send nothing until the ban ends";
    "VEN-13" "the send fence is closed" "the request is too old to be sent; a new order is a new decision";
    "VEN-14" "the venue connection is halted" "resume trading first; cancels stay possible";
    "VEN-15" "the venue refused the time stamp" "synchronise this machine's clock; the window is never widened";
    "VEN-16" "the venue already has an order of this client id" "the account is halted: an id was used twice, find out why";
    "VEN-17" "a secret cannot be read" "name its place as file:/path, fd:3 or env:NAME, never the secret itself";
    "VEN-18" "a secret is not a key of a known kind" "use the HMAC secret as given, or an unencrypted PKCS#8 PEM for Ed25519";
    "VEN-19" "the venue does not take this kind of order" "see the venue's capabilities and the instrument's order types";
    "VEN-20" "the symbol is not among the instruments of this connection" "list the instrument first";
    "VEN-21" "a value of the venue does not fit its type" "see the message for field and value; the message was not used";
    "VEN-22" "the venue's listing of a symbol is not usable" "see the message for the filter that is missing or contradicts";
    "VEN-23" "a market stream lost messages" "the book was discarded and is being fetched anew";
    "VEN-24" "a stream is silent or was refused" "it is being connected anew; check network and key if this repeats";
    "VEN-25" "the venue's answer is too large" "something else answers at this address: check the URL and any proxy";
    "VEN-26" "the venue refused with a code this build does not know" "the order may be live: reconcile, and report the code";
    "VEN-27" "the connection's task has ended" "the order may be live if it was handed over: reconcile after restart";
    "VEN-28" "the venue answered with a redirect" "signed requests are never redirected: correct the URL";
    "VEN-29" "the venue refused the key" "check key, secret, its permissions and its list of addresses";
    "VEN-30" "the configuration of the connection is not usable" "see the message for the field and its value";
    "VEN-31" "the venue's answer is nested too deeply" "something else answers at this address: check the URL and any proxy";
    "VEN-32" "the venue's answer belongs to another request" "the order may be live: reconcile; the connection is made anew";
    "VEN-33" "the venue fails again and again" "it is left in peace for a moment, then asked anew by itself";
    "VEN-34" "a market message cannot be believed" "it was left out; nothing is priced from it";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        for (i, line) in CODES.iter().enumerate() {
            assert_eq!(line.code, format!("VEN-{:02}", i + 1));
            assert!(!line.hint.is_empty() && !line.meaning.is_empty());
        }
    }
}
