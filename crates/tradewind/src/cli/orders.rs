//! Commands that propose, cancel and list orders and positions.

use super::{NodeArgs, RequestArgs};
use crate::plans::{BracketArgs, IcebergArgs, ParentArgs, ReplaceArgs, ScaleArgs, TradeArgs, TwapArgs, VwapArgs};
use clap::{Args, Subcommand};

/// What to adopt.
#[derive(Args)]
pub(crate) struct AdoptArgs {
    /// Only this order, by its sender's name of it or by the venue's, with the others of its list at the venue.
    #[arg(long, conflicts_with = "balances")]
    pub(crate) order: Option<String>,
    /// Only the differences of balances: the venue's word is taken.
    #[arg(long)]
    pub(crate) balances: bool,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Subcommand)]
pub(crate) enum OrderCommand {
    /// Propose an order.
    #[command(
        after_help = "Examples:\n  tradewind order place --symbol BTC/USDT --side buy --quantity 0.01 --price 60000 --data-dir my-paper\n  tradewind order place --symbol BTC/USDT --side buy --quantity 0.01 --kind touched --trigger 60000 --data-dir my-paper\n  tradewind order place --symbol BTC/USDT --side sell --quantity 0.01 --kind trailing --offset 1.5% --activation 66000 --data-dir my-paper"
    )]
    Place(PlaceArgs),
    /// Propose a target and a stop together: when one trades, the other is taken off.
    ///
    /// To sell, the target stands above the market and the stop below it; to buy, the other way round. Both go to the
    /// venue as one request, are held against the same funds, and neither is placed without the other.
    #[command(
        after_help = "Example:\n  tradewind order oco BTC/USDT --side sell --quantity 0.01 --target 66000 --stop 61000 --stop-limit 60900 --data-dir my-paper"
    )]
    Oco(OcoArgs),
    /// Propose an entry; what fills of it is protected by a target and a stop.
    ///
    /// The pair goes to the venue as soon as some of the entry has filled, for as much as can be sold of it. Cancelled
    /// before it fills, it leaves nothing behind; cancelled later, it enters no more and keeps protecting what it has.
    #[command(
        after_help = "Example:\n  tradewind order bracket BTC/USDT --side buy --quantity 0.01 --price 63000 --target 66000 --stop 61000 --data-dir my-paper"
    )]
    Bracket(BracketArgs),
    /// Propose even slices over time.
    #[command(
        after_help = "Examples:\n  tradewind order twap BTC/USDT --side buy --quantity 0.02 --over 4h --slices 48 --data-dir my-paper\n  tradewind order twap BTC/USDT --side buy --quantity 0.02 --over 4h --slices 48 --stop 61000 --target 66000 --confidence 65% --data-dir my-paper"
    )]
    Twap(TwapArgs),
    /// Propose slices along a volume curve, or a fixed part of the volume that trades.
    #[command(
        after_help = "Examples:\n  tradewind order vwap BTC/USDT --side buy --quantity 0.02 --over 4h --rate 5 --data-dir my-paper\n  tradewind order vwap BTC/USDT --side buy --quantity 0.02 --over 4h --curve 9,5,3,4,8 --data-dir my-paper"
    )]
    Vwap(VwapArgs),
    /// Propose a resting order of which only a tip is shown.
    #[command(
        after_help = "Example:\n  tradewind order iceberg BTC/USDT --side buy --quantity 0.02 --price 63000 --display 0.005 --data-dir my-paper"
    )]
    Iceberg(IcebergArgs),
    /// Propose several limit orders from one price to another, to scale in or out.
    #[command(
        after_help = "Example:\n  tradewind order scale BTC/USDT --side buy --quantity 0.02 --from 63000 --to 60000 --orders 4 --data-dir my-paper"
    )]
    Scale(ScaleArgs),
    /// Give an open order new terms.
    ///
    /// The old order is cancelled, and its successor is proposed when it can no longer fill, for what is then left: the
    /// two never come to more than the larger of both quantities. A smaller quantity alone keeps the order's name and its
    /// turn in the queue, where the venue can.
    #[command(
        after_help = "Example:\n  tradewind order replace 018bcfe5680070008000000000000001 --price 62900 --quantity 0.02 --data-dir my-paper"
    )]
    Replace(ReplaceArgs),
    /// List brackets, schedules, icebergs, ladders, replacements and orders that wait, living ones first.
    #[command(after_help = "Example:\n  tradewind order parents -o json --data-dir my-paper")]
    Parents(NodeArgs),
    /// Let a bracket, schedule or ladder propose nothing for now; its orders stay, and a plan of the trade goes on guarding.
    #[command(after_help = "Example:\n  tradewind order pause p7 --data-dir my-paper")]
    Pause(ParentArgs),
    /// Let it go on after a pause.
    #[command(after_help = "Example:\n  tradewind order continue p7 --data-dir my-paper")]
    Continue(ParentArgs),
    /// End it and cancel its orders; a bracket or a plan of the trade keeps protecting what it holds.
    #[command(after_help = "Example:\n  tradewind order end p7 --data-dir my-paper")]
    End(ParentArgs),
    /// End it and cancel all of its orders, what protects as well.
    #[command(after_help = "Example:\n  tradewind order abandon p7 --reason \"closed by hand\" --data-dir my-paper")]
    Abandon(ParentArgs),
    /// Cancel an order.
    #[command(after_help = "Example:\n  tradewind order cancel 018bcfe5680070008000000000000001 --data-dir my-paper")]
    Cancel {
        /// The order's name, 32 hex digits.
        client_id: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List orders, open ones first.
    #[command(after_help = "Example:\n  tradewind order list -o json --data-dir my-paper")]
    List(NodeArgs),
}

#[derive(Args)]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// What to trade.
    #[arg(long)]
    pub(crate) symbol: String,
    /// buy or sell.
    #[arg(long)]
    pub(crate) side: String,
    /// How much, in the base asset.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: String,
    /// Limit price; a market order without.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) price: Option<String>,
    /// Trigger price of a stop.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) trigger: Option<String>,
    /// What kind it is, where the prices do not say so: `touched` wakes when the market comes to the trigger in its
    /// favour, `trailing` is a stop that follows the market.
    #[arg(long, value_parser = ["touched", "mit", "lit", "trailing"])]
    pub(crate) kind: Option<String>,
    /// How far a trailing stop follows: a distance in price, such as 150, or a part of it, such as 1.5%.
    #[arg(long, required_if_eq("kind", "trailing"))]
    pub(crate) offset: Option<String>,
    /// From which price on a trailing stop follows; at once without.
    #[arg(long, requires = "offset")]
    pub(crate) activation: Option<String>,
    /// gtc, ioc, fok, or a moment such as 2026-12-31T23:59:00Z.
    #[arg(long)]
    pub(crate) time_in_force: Option<String>,
    /// Rest on the book or be rejected.
    #[arg(long)]
    pub(crate) post_only: bool,
    /// May only shrink a position.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    /// Which portfolio, by name.
    #[arg(long)]
    pub(crate) portfolio: Option<String>,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
}

impl PlaceArgs {
    /// Whether it waits for a price.
    pub(crate) const fn waits(&self) -> bool {
        self.trigger.is_some() || self.kind.is_some()
    }
}

#[derive(Args)]
pub(crate) struct OcoArgs {
    /// What to trade.
    pub(crate) symbol: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// buy or sell, both of them.
    #[arg(long)]
    pub(crate) side: String,
    /// How much, in the base asset; only one of the two trades.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: String,
    /// Limit price of the target.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) target: String,
    /// Trigger price of the stop.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) stop: String,
    /// Limit price of the stop once it is triggered; a market order without.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) stop_limit: Option<String>,
    /// May only shrink a position.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    /// Which portfolio, by name.
    #[arg(long)]
    pub(crate) portfolio: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum PositionCommand {
    /// List positions.
    #[command(after_help = "Example:\n  tradewind position list --data-dir my-paper")]
    List(NodeArgs),
    /// Close what is held of a symbol; orders and plans that keep a part of it are taken back first.
    #[command(after_help = "Example:\n  tradewind position close BTC/USDT --data-dir my-paper")]
    Close {
        /// Unified symbol.
        symbol: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Let a position stand without a stop until it is closed, with your name and reason on record.
    #[command(
        after_help = "Example:\n  tradewind position exempt BTC/USDT --reason \"a hedge of coins held elsewhere\" --data-dir my-paper"
    )]
    Exempt {
        /// Unified symbol.
        symbol: String,
        #[command(flatten)]
        node: NodeArgs,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Which portfolio, by name.
        #[arg(long)]
        portfolio: Option<String>,
        /// Take an exemption back.
        #[arg(long)]
        end: bool,
    },
}
