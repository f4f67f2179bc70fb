//! What a venue can do, and the cases by which every venue is tried.

/// How a venue does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The venue does it.
    Native,
    /// We do it over the venue's simpler means.
    Emulated,
    /// Not offered: such an order is refused before it is sent.
    Refused,
}

/// What kind of repetition a venue's order ids stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdScope {
    /// Unique for ever: a repeated request is answered by the original order.
    Replays,
    /// Unique for ever: a repeated request is refused.
    Forever,
    /// Unique among open orders only: a repetition after a fill makes a second order.
    OpenOrders,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// What, in the domain's words.
    pub name: &'static str,
    /// How.
    pub support: Support,
    /// By which of the venue's means.
    pub means: &'static str,
}

/// What one venue can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The venue.
    pub venue: &'static str,
    /// What repetition its ids stand.
    pub ids: IdScope,
    /// Line by line.
    pub table: &'static [Capability],
}

const fn line(name: &'static str, support: Support, means: &'static str) -> Capability {
    Capability { name, support, means }
}

/// Binance spot.
pub const BINANCE: Capabilities = Capabilities {
    venue: crate::binance::VENUE,
    ids: IdScope::OpenOrders,
    table: &[
        line("market", Support::Native, "MARKET"),
        line("limit", Support::Native, "LIMIT"),
        line("stop", Support::Native, "STOP_LOSS, where the symbol lists it"),
        line("stop-limit", Support::Native, "STOP_LOSS_LIMIT"),
        line(
            "market-if-touched",
            Support::Native,
            "TAKE_PROFIT, where the symbol lists it; elsewhere the engine waits",
        ),
        line("limit-if-touched", Support::Native, "TAKE_PROFIT_LIMIT, where the symbol lists it"),
        line("trailing-stop", Support::Emulated, "the engine follows, so that price distances work as basis points do"),
        line("post-only", Support::Native, "LIMIT_MAKER"),
        line("post-only stop-limit", Support::Refused, "no such order type"),
        line("gtc", Support::Native, "GTC"),
        line("ioc", Support::Native, "IOC"),
        line("fok", Support::Native, "FOK, limit orders only"),
        line("gtd", Support::Refused, "no such time in force"),
        line("reduce-only sell", Support::Emulated, "a spot account cannot sell short"),
        line("reduce-only buy", Support::Refused, "spot has no short positions"),
        line(
            "one cancels the other",
            Support::Native,
            "orderList/oco: a LIMIT_MAKER and a STOP_LOSS or STOP_LOSS_LIMIT",
        ),
        line("smaller quantity", Support::Native, "order/amend/keepPriority, where the symbol allows it"),
        line("replace", Support::Emulated, "cancel, then a new order with a new decision"),
        line("self-trade prevention", Support::Native, "EXPIRE_TAKER, where the symbol allows it"),
        line("cancel on disconnect", Support::Refused, "spot has no dead man's switch"),
        line("query by client id", Support::Native, "origClientOrderId; lags behind the matching engine"),
        line("send fence", Support::Native, "timestamp and recvWindow, checked again before matching"),
    ],
};

/// What every venue's connection must do, whatever its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConformanceCase {
    /// A stable name.
    pub id: &'static str,
    /// What is done to it.
    pub given: &'static str,
    /// What must come of it.
    pub then: &'static str,
}

const fn case(id: &'static str, given: &'static str, then: &'static str) -> ConformanceCase {
    ConformanceCase { id, given, then }
}

/// The cases, for venues that run for real and for local exchanges alike.
pub const CONFORMANCE: &[ConformanceCase] = &[
    case("C01", "an order that the venue takes", "acknowledged under our id, once"),
    case("C02", "an order that the venue refuses", "rejected with the venue's code and text"),
    case("C03", "an order whose answer is garbage, a page, half of it or nothing", "unknown"),
    case("C04", "an order while the venue is unreachable", "not sent, and the permit comes back"),
    case("C05", "an order after its fence", "not sent"),
    case("C06", "an order while halted", "not sent; a cancel is sent"),
    case("C07", "a repeated id while the first order is open", "rejected, and named as a repetition"),
    case("C08", "a refusal with a code that is not listed", "unknown"),
    case("C09", "the answer lost, the order live", "unknown, then found by its id"),
    case("C10", "a fill before the acknowledgement", "both reported, in the order in which they came"),
    case("C11", "the user stream cut and connected anew", "a gap is reported with the moment it began"),
    case("C12", "a lost change of a book", "the book is lost, then snapshot anew"),
    case("C13", "more market data than the reader takes", "quotes conflated, the rest counted, reports kept"),
    case("C14", "an order of another program", "reported as foreign, with its id as text"),
    case("C15", "429 with a time to wait", "nothing is sent before that time"),
    case("C16", "a frame with fields and words that are new", "read, or left out with its reason"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_cases_are_named_once() {
        let mut names: Vec<_> = BINANCE.table.iter().map(|line| line.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BINANCE.table.len());
        for (i, case) in CONFORMANCE.iter().enumerate() {
            assert_eq!(case.id, format!("C{:02}", i + 1));
        }
    }
}
