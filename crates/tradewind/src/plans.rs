//! Options of orders that become other orders. The help texts are the reference.

use crate::cli::{NodeArgs, RequestArgs};
use clap::Args;

/// What is wanted in all.
#[derive(Args)]
pub(crate) struct WishArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// What to trade.
    pub(crate) symbol: String,
    /// buy or sell.
    #[arg(long)]
    pub(crate) side: String,
    /// How much in all, in the base asset.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: String,
    /// Limit price of each order; market orders without.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) price: Option<String>,
    /// May only shrink a position.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    /// Which portfolio, by name.
    #[arg(long)]
    pub(crate) portfolio: Option<String>,
}

/// Where a trade ends and how sure its proposer is.
#[derive(Args)]
pub(crate) struct TradeArgs {
    /// Where to give up: a stop at the venue for what fills.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) stop: Option<String>,
    /// Where to be content: a limit order beside the stop.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) target: Option<String>,
    /// How sure you are, such as 65%; the limit `confidence` asks for a least.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) confidence: Option<String>,
    /// Average true range: a stop on the wrong side is moved to one and a half of it, and that is recorded.
    #[arg(long, allow_negative_numbers = true, requires = "stop", help_heading = "Plan of the trade")]
    pub(crate) atr: Option<String>,
    /// How the trade stands to the market: with-trend, range or counter; the last two want more confidence.
    #[arg(long, help_heading = "Plan of the trade")]
    pub(crate) regime: Option<String>,
}

#[derive(Args)]
pub(crate) struct BracketArgs {
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    /// Trigger price of the entry, for an entry by a stop; `--price` is its limit then.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) trigger: Option<String>,
    /// Limit price at which to be content.
    #[arg(long, allow_negative_numbers = true, required_unless_present = "stop")]
    pub(crate) target: Option<String>,
    /// Trigger price of the protective stop.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) stop: Option<String>,
    /// Limit price of the stop once it is triggered; a market order without.
    #[arg(long, allow_negative_numbers = true, requires = "stop")]
    pub(crate) stop_limit: Option<String>,
}

#[derive(Args)]
pub(crate) struct TwapArgs {
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    /// From the first slice to the end, such as 90s, 30m or 4h.
    #[arg(long, value_parser = seconds)]
    pub(crate) over: u32,
    /// How many slices.
    #[arg(long)]
    pub(crate) slices: u32,
}

#[derive(Args)]
pub(crate) struct VwapArgs {
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    /// How long: to the end of the curve, or at most, such as 90s, 30m or 4h.
    #[arg(long, value_parser = seconds)]
    pub(crate) over: u32,
    /// The part of the market's volume to take, such as 5 or 2.5 percent.
    #[arg(long, value_name = "PERCENT", required_unless_present = "curve", conflicts_with = "curve", value_parser = bps)]
    pub(crate) rate: Option<u32>,
    /// The volume that each slice usually sees, in any unit: 5,9,4,2.
    #[arg(long, value_delimiter = ',')]
    pub(crate) curve: Option<Vec<u32>>,
    /// The smallest order worth sending, with `--rate`.
    #[arg(long, requires = "rate")]
    pub(crate) clip: Option<String>,
}

#[derive(Args)]
pub(crate) struct IcebergArgs {
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    /// How much to show at a time.
    #[arg(long)]
    pub(crate) display: String,
}

#[derive(Args)]
pub(crate) struct ScaleArgs {
    #[command(flatten)]
    pub(crate) wish: WishArgs,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    /// Price of the first order.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) from: String,
    /// Price of the last one.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) to: String,
    /// How many orders.
    #[arg(long)]
    pub(crate) orders: u32,
}

#[derive(Args)]
pub(crate) struct ReplaceArgs {
    /// The order's name, 32 hex digits.
    pub(crate) client_id: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// New limit price.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) price: Option<String>,
    /// New trigger price.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) trigger: Option<String>,
    /// New quantity in all, what has filled already included.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: Option<String>,
}

#[derive(Args)]
pub(crate) struct ParentArgs {
    /// Its name, such as p7.
    pub(crate) parent: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Why, for the record.
    #[arg(long, default_value = "an operator's word")]
    pub(crate) reason: String,
}

/// Whole seconds from `90s`, `30m` or `4h`.
fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no time span: write 90s, 30m or 4h");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let count: u32 = digits.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    count.checked_mul(factor).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

/// Basis points from percent with at most two decimals.
fn bps(text: &str) -> Result<u32, String> {
    let bps = tradewind_domain::parse_decimal(text.trim_end_matches('%'), 2).map_err(|error| error.to_string())?;
    u32::try_from(bps).ok().filter(|bps| *bps > 0).ok_or_else(|| format!("`{text}` is no part of a volume"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_parts_are_read_as_people_write_them() {
        for (text, want) in [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("4h", Some(14_400)),
            ("0s", None),
            ("4d", None),
            ("", None),
            ("9999999h", None),
        ] {
            assert_eq!(seconds(text).ok(), want, "{text}");
        }
        for (text, want) in
            [("5", Some(500)), ("2.5%", Some(250)), ("0.01", Some(1)), ("0", None), ("-1", None), ("x", None)]
        {
            assert_eq!(bps(text).ok(), want, "{text}");
        }
    }
}
