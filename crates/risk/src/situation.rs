//! What must be known of the world to judge one order.

use crate::{Line, Margin, Plan};
use tradewind_domain::{
    Instrument, OrderKind, OrderRequest, PortfolioId, Price, Quantity, Quote, Side, Source, Timestamp,
};
use tradewind_quant::impact::SideDepth;

/// The price that an order is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The newest price.
    pub price: Price,
    /// When it was true.
    pub at: Timestamp,
}

/// What a depth was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DepthSource {
    /// Ten levels of the book.
    #[default]
    Book,
    /// The size at the best price alone: what rests behind it is not known and counts as nothing.
    Quote,
}

impl DepthSource {
    const fn text(self) -> &'static str {
        match self {
            Self::Book => "by ten levels of the book",
            Self::Quote => "by the quote's size alone",
        }
    }
    /// An impact in words.
    #[must_use]
    pub fn told(self, impact: &str) -> String {
        format!("{impact} {}", self.text())
    }
}

/// The world as one order meets it. Amounts are ledger units (10⁻⁸) of the judged portfolio's base currency.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The moment of judgement.
    pub now: Timestamp,
    /// Whose order it is.
    pub portfolio: PortfolioId,
    /// Who wishes for it.
    pub source: Source,
    /// What is to be traded.
    pub instrument: &'a Instrument,
    /// The order.
    pub request: &'a OrderRequest,
    /// Whether it can only bring the position nearer to zero, whatever else fills.
    pub reduces: bool,
    /// Whether it sells coins or shares that the portfolio has, a position or not, where nothing is borrowed: less of them
    /// is left, and nobody is short afterwards.
    pub sells_owned: bool,
    /// Whether it is a slice of an order that was judged as a whole: slices may look alike.
    pub is_slice: bool,
    /// The position in the instrument, signed.
    pub position: Quantity,
    /// The newest price of the instrument.
    pub reference: Reference,
    /// The worst price with which a market order will be sent; `None` where no limit bounds it.
    pub worst: Option<Price>,
    /// The best bid and ask.
    pub quote: Option<Quote>,
    /// What the book holds on the side that the order would take from, in quantity mantissas; `None` where it is not
    /// known.
    pub depth: Option<SideDepth>,
    /// What is known of it.
    pub depth_source: DepthSource,
    /// Notional of the order at the price that it is judged at.
    pub notional: i128,
    /// Equity of the portfolio.
    pub equity: i128,
    /// Equity of all portfolios together.
    pub account_equity: i128,
    /// What every portfolio holds and may come to hold: for each portfolio at most one position an instrument, and one line
    /// of coins an asset.
    pub lines: &'a [Line<'a>],
    /// How many stakes could not be valued, for want of a mark or a rate: they are not among the lines.
    pub unvalued: i64,
    /// Open orders of the instrument, those of all portfolios and of other hands together.
    pub open_orders_symbol: i64,
    /// Open orders of the account, those of other hands included.
    pub open_orders: i64,
    /// The best price of our own open orders on the other side of the instrument, of any portfolio.
    pub own_opposite: Option<Price>,
    /// The best price on the other side of what other hands have resting on the account.
    pub foreign_opposite: Option<Price>,
    /// What stands behind a contract; `None` for what is paid in full.
    pub margin: Option<Margin>,
    /// What the proposal says of its stop, target and confidence.
    pub plan: Option<&'a Plan>,
}

impl<'a> Situation<'a> {
    /// Whether `line` is the position that the order would change.
    #[must_use]
    pub fn is_own(&self, line: &Line<'_>) -> bool {
        !line.is_coins && line.portfolio == self.portfolio && line.instrument.id == self.instrument.id
    }

    /// The line of the order's instrument and portfolio as it stands; empty if there is none.
    #[must_use]
    pub fn line_before(&self) -> Line<'a> {
        let (portfolio, instrument) = (self.portfolio, self.instrument);
        let rate = self.margin.map_or((1, 1), |margin| margin.rate);
        let empty = Line { portfolio, instrument, is_coins: false, rate, held: 0, low: 0, high: 0 };
        self.lines.iter().find(|line| self.is_own(line)).copied().unwrap_or(empty)
    }

    /// The same line with the order counted: as filled in what is held, and beside every open order of its side.
    #[must_use]
    pub fn line_after(&self) -> Line<'a> {
        let mut line = self.line_before();
        match self.request.side {
            Side::Buy => {
                line.held += self.notional;
                line.high += self.notional;
            }
            Side::Sell => {
                line.held -= self.notional;
                line.low -= self.notional;
            }
        }
        if self.sells_owned {
            (line.held, line.low) = (line.held.max(0), line.low.max(0));
        }
        line
    }

    /// All that is held or may come to be held with the order counted, the order's own line first.
    pub(crate) fn lines_after(&self) -> impl Iterator<Item = Line<'a>> {
        let others = self.lines.iter().filter(move |line| !self.is_own(line) && line.worst() != 0);
        std::iter::once(self.line_after()).chain(others.map(move |line| self.less_paid(line)))
    }

    /// A line beside the order's own, less what the order pays for with it: a purchase in a cross pair spends coins.
    fn less_paid(&self, line: &Line<'a>) -> Line<'a> {
        let is_spent = line.is_coins
            && line.portfolio == self.portfolio
            && line.instrument.spec.symbol.base == self.instrument.spec.symbol.quote
            && self.instrument.is_cash()
            && self.request.side == Side::Buy;
        if !is_spent {
            return *line;
        }
        let left = |units: i128| (units - self.notional).max(0);
        Line { held: left(line.held), low: left(line.low), high: left(line.high), ..*line }
    }

    /// What the order's side of the line comes to if the order and every open one of its side fill, signed.
    #[must_use]
    pub fn stake_after(&self) -> i128 {
        self.line_after().filled(self.request.side)
    }

    /// The best price on the side that the order would take from.
    #[must_use]
    pub fn best_opposite(&self) -> Option<Price> {
        self.quote.map(|quote| if self.request.side == Side::Buy { quote.ask } else { quote.bid })
    }

    /// Whether the order would take from the book at once. A limit does if it reaches the other side; without a quote
    /// the mark stands for it. What waits for a trigger takes later, at prices nobody knows yet.
    #[must_use]
    pub fn takes(&self) -> bool {
        takes(self.request, self.quote, self.reference.price)
    }
}

/// Whether an order would take from the book at once: [`Situation::takes`] for those who have no situation yet.
#[must_use]
pub fn takes(request: &OrderRequest, quote: Option<Quote>, mark: Price) -> bool {
    let opposite = quote.map_or(mark, |quote| if request.side == Side::Buy { quote.ask } else { quote.bid });
    match (request.kind, request.side) {
        (OrderKind::Market, _) => true,
        (OrderKind::Limit { .. }, _) if request.post_only => false,
        (OrderKind::Limit { price }, Side::Buy) => price >= opposite,
        (OrderKind::Limit { price }, Side::Sell) => price <= opposite,
        _ => false,
    }
}
