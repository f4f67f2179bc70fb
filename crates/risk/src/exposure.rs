//! What is held and what may still fill, added up the ways that limits ask for.

use crate::{AccountLimits, Situation};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, InstrumentKind, PortfolioId, Side};

/// What kind of thing an instrument is, as far as limits care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Assets change hands.
    Spot,
    /// A contract without an end.
    Perpetual,
    /// A contract with an end.
    Future,
    /// A right.
    Option,
    /// A share.
    Equity,
}

impl Class {
    /// The class of an instrument.
    #[must_use]
    pub const fn of(instrument: &Instrument) -> Self {
        match instrument.spec.kind {
            InstrumentKind::Spot => Self::Spot,
            InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual => Self::Perpetual,
            InstrumentKind::DatedFuture { .. } => Self::Future,
            InstrumentKind::Option { .. } => Self::Option,
            InstrumentKind::Equity => Self::Equity,
        }
    }
}

/// One portfolio's stake in one instrument, in ledger units of the judged portfolio's base currency, signed.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what; of coins the pair that values them.
    pub instrument: &'a Instrument,
    /// Whether it is no position, but what the portfolio holds of the asset beyond its positions: what the account held
    /// before the first start, or what came in since.
    pub is_coins: bool,
    /// One unit of the instrument's settlement currency in base currency, as a fraction.
    pub rate: (i128, i128),
    /// Notional of what is held, at its mark.
    pub held: i128,
    /// Notional if every open sell filled and no buy; those of unknown outcome are open. Where nobody can be short it is
    /// no less than nothing.
    pub low: i128,
    /// Notional if every open buy filled and no sell.
    pub high: i128,
}

impl Line<'_> {
    /// The larger of what may be held long and short.
    #[must_use]
    pub fn worst(&self) -> i128 {
        self.low.abs().max(self.high.abs())
    }
    /// The signed notional that is larger in size.
    #[must_use]
    pub fn worst_signed(&self) -> i128 {
        if self.low.abs() > self.high.abs() { self.low } else { self.high }
    }
    /// Notional if every open order of `side` filled and none of the other.
    pub(crate) const fn filled(&self, side: Side) -> i128 {
        match side {
            Side::Buy => self.high,
            Side::Sell => self.low,
        }
    }
}

/// A range of signed notional, from what all sells to what all buys would lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range(i128, i128);

impl Range {
    fn add(&mut self, line: &Line<'_>) {
        self.0 += line.low;
        self.1 += line.high;
    }
    fn worst(self) -> i128 {
        self.0.abs().max(self.1.abs())
    }
}

/// The account as it would stand after the order, seen from the order. Ledger units of the judged base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All of it, longs and shorts added.
    pub gross: i128,
    /// All of it, longs and shorts set off, on the worse side.
    pub net: i128,
    /// In the order's asset over all its instruments, longs and shorts set off, on the worse side.
    pub asset: i128,
    /// In the order's sector; 0 where it belongs to none.
    pub sector: i128,
    /// In the order's class.
    pub class: i128,
    /// At the order's venue.
    pub venue: i128,
    /// Of the order's portfolio, coins beside its positions left out.
    pub strategy: i128,
    /// Instruments that the order's portfolio holds or may come to hold.
    pub own_positions: i64,
    /// Instruments that the account holds or may come to hold.
    pub positions: i64,
}

impl Totals {
    /// Adds up the lines of `situation` with the order in its own.
    #[must_use]
    pub fn after(situation: &Situation<'_>, account: &AccountLimits) -> Self {
        let tags = Tags::of(situation.instrument, account);
        let (mut totals, mut net, mut asset) = (Self::default(), Range::default(), Range::default());
        let mut instruments = Vec::with_capacity(situation.lines.len() + 1);
        for line in situation.lines_after() {
            let worst = line.worst();
            if worst == 0 {
                continue;
            }
            if !line.is_coins {
                instruments.push(line.instrument.id.0);
                let mine = line.portfolio == situation.portfolio;
                totals.strategy += if mine { worst } else { 0 };
                totals.own_positions += i64::from(mine);
            }
            net.add(&line);
            totals.gross += worst;
            let spec = &line.instrument.spec;
            if spec.symbol.base == situation.instrument.spec.symbol.base {
                asset.add(&line);
            }
            if Class::of(line.instrument) == tags.class {
                totals.class += worst;
            }
            if spec.venue == situation.instrument.spec.venue {
                totals.venue += worst;
            }
            if tags.sector.is_some() && Tags::sector(line.instrument, account) == tags.sector {
                totals.sector += worst;
            }
        }
        instruments.sort_unstable();
        instruments.dedup();
        totals.positions = i64::try_from(instruments.len()).unwrap_or(i64::MAX);
        (totals.net, totals.asset) = (net.worst(), asset.worst());
        totals
    }
}

struct Tags<'a> {
    class: Class,
    sector: Option<&'a str>,
}

impl<'a> Tags<'a> {
    fn of(instrument: &Instrument, account: &'a AccountLimits) -> Self {
        Self { class: Class::of(instrument), sector: Self::sector(instrument, account) }
    }
    fn sector(instrument: &Instrument, account: &'a AccountLimits) -> Option<&'a str> {
        if account.sectors.is_empty() {
            return None;
        }
        account.sectors.get(instrument.spec.symbol.base.code()).map(String::as_str)
    }
}
