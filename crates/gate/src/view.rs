//! What the gate must know of the world to judge one proposal.

use crate::{Limits, Mode};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Instrument, OrderRequest, Origin, PortfolioId, Price, Quantity, Quote, Sequence, Side, Source, Timestamp, TradePlan,
};
use tradewind_governance::Ruling;
use tradewind_risk::{AccountLimits, DepthSource, Line, Margin, Monitor, SideDepth};

/// The price that a guard judges by, and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The newest price.
    pub price: Price,
    /// When it was true.
    pub at: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
}

/// Somebody's wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who wishes.
    pub source: Source,
    /// For whom.
    pub portfolio: PortfolioId,
    /// What.
    #[serde(flatten)]
    pub request: OrderRequest,
    /// Why, in words for the audit.
    pub reason: std::borrow::Cow<'static, str>,
    /// Where the trade ends and how sure its proposer is, where that was said: the guards of the risk crate judge it, and
    /// what fills of the order is protected by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<TradePlan>>,
}

/// The whole account as the risk crate wants to see it. Amounts are in the base currency of the proposal's portfolio.
#[derive(Debug)]
pub struct Survey<'a> {
    /// What the account may do.
    pub account: &'a AccountLimits,
    /// What happened lately.
    pub monitor: &'a Monitor,
    /// Equity of all portfolios together.
    pub account_equity: i128,
    /// What every portfolio holds and may come to hold.
    pub lines: Vec<Line<'a>>,
    /// How many stakes no mark or rate values: they are not among the lines.
    pub unvalued: i64,
    /// What the book holds on the side that the order would take from.
    pub depth: Option<SideDepth>,
    /// What that was taken from.
    pub depth_source: DepthSource,
    /// Open orders of the instrument, those of other hands included.
    pub open_orders_symbol: i64,
    /// Open orders of the account, those of other hands included.
    pub open_orders: i64,
    /// The best price of our own open orders on the other side.
    pub own_opposite: Option<Price>,
    /// The best price on the other side of what other hands have resting on the account.
    pub foreign_opposite: Option<Price>,
    /// What stands behind a contract.
    pub margin: Option<Margin>,
}

/// Who can survey the whole account. Asked only about proposals that passed every guard before.
pub trait Books: std::fmt::Debug {
    /// The account as `proposal` meets it.
    fn survey(&self, proposal: &Proposal) -> Survey<'_>;
}

/// What the gate needs for the guards of the risk crate.
#[derive(Clone, Copy, Debug)]
pub struct RiskView<'a> {
    /// The account.
    pub books: &'a dyn Books,
    /// Whether the order is a slice of one that was judged as a whole: slices may look alike.
    pub is_slice: bool,
    /// Whether the order may be made smaller rather than refused, if the limits say so: it was not approved as it is, and nobody
    /// counts on its size.
    pub may_shrink: bool,
}

/// The world as one proposal meets it. Amounts are ledger units (10⁻⁸) of the portfolio's base currency.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The moment of judgement.
    pub now: Timestamp,
    /// Why trading is halted, if it is.
    pub halted: Option<&'a str>,
    /// Whether the proposal protects, or brings back, what its own bracket entered: a halt does not stop that.
    pub protects: bool,
    /// Why only what reduces is allowed here, if so.
    pub restricted: Option<&'a str>,
    /// What the process is allowed to do.
    pub mode: Mode,
    /// What the policy says to this proposal; `None` where no policy was set.
    pub ruling: Option<&'a Ruling>,
    /// The event that records the decision which the proposal follows, where it names one: the order will name it too.
    pub decision: Option<Sequence>,
    /// What the portfolio is allowed to do.
    pub limits: &'a Limits,
    /// What is to be traded.
    pub instrument: &'a Instrument,
    /// Its newest price.
    pub mark: Option<Mark>,
    /// Its best bid and ask, where they are known.
    pub quote: Option<&'a Quote>,
    /// What is held of it, signed.
    pub position: Quantity,
    /// What open buys may still add, those of unknown outcome included.
    pub open_buys: Quantity,
    /// What open sells may still take, those of unknown outcome included.
    pub open_sells: Quantity,
    /// How many orders of this instrument have an unknown outcome.
    pub unknown_orders: u32,
    /// One unit of the instrument's settlement currency in base currency, as a fraction; `None` when no price is known.
    pub rate: Option<(i128, i128)>,
    /// Cash and assets at their marks, with unrealised profit.
    pub equity: i128,
    /// Equity at the last UTC midnight seen.
    pub day_equity: i128,
    /// Highest equity so far.
    pub peak_equity: i128,
    /// What pays for this order: quote currency for a buy, the base asset for a sell of a cash instrument, less
    /// what open orders hold already, in ledger units of that asset.
    pub free_funds: i128,
    /// What the guards of the risk crate need; `None` where no limit calls for them, as in a backtest.
    pub risk: Option<RiskView<'a>>,
}

impl View<'_> {
    /// The position if `signed` and every open order on its side filled.
    #[must_use]
    pub fn position_after(&self, signed: Quantity) -> i128 {
        let open = if signed > Quantity::ZERO { self.open_buys } else { -self.open_sells };
        i128::from(self.position.mantissa()) + i128::from(open.mantissa()) + i128::from(signed.mantissa())
    }

    /// Whether the proposal can only bring the position nearer to zero, whatever else fills.
    #[must_use]
    pub fn reduces(&self, proposal: &Proposal) -> bool {
        let signed = proposal.request.side.signed(proposal.request.quantity);
        let held = i128::from(self.position.mantissa());
        let after = self.position_after(signed);
        held != 0 && held.signum() * i128::from(signed.mantissa().signum()) < 0 && after * held.signum() >= 0
    }

    /// Whether the proposal sells coins or shares that the portfolio has, whether a position or deposited, on a market where
    /// nothing is borrowed: it leaves less of them, whatever else fills.
    #[must_use]
    pub fn sells_what_is_owned(&self, proposal: &Proposal) -> bool {
        proposal.request.side == Side::Sell
            && self.instrument.is_cash()
            && !self.limits.borrow
            && self.instrument.asset_units(proposal.request.quantity) <= self.free_funds
    }

    /// Whether the instrument's market is closed now, by its calendar. Never in a backtest: there the bars are the calendar,
    /// and what is decided at one's close is for the next one's open.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.mode != Mode::Backtest && !self.instrument.spec.calendar.is_open(self.now)
    }

    /// Whether a person asks to reduce: allowed in every mode that trades, even halted and on old data.
    #[must_use]
    pub fn is_operator_exit(&self, proposal: &Proposal) -> bool {
        proposal.source == Source::Operator && proposal.request.reduce_only && self.reduces(proposal)
    }

    /// Whether the proposal is a bracket's own protection and can only reduce.
    #[must_use]
    pub fn is_protection(&self, proposal: &Proposal) -> bool {
        self.protects && proposal.request.reduce_only && self.reduces(proposal)
    }
}
