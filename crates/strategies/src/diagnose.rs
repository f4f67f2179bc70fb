//! Why a strategy does what it does: its last decisions with every signal, weight and distance.

use crate::rehearsal::{Rehearsal, Scene};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use tradewind_domain::Bar;
use tradewind_engine::{DecisionKind, Signal};

/// What a strategy decided on a series of bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The strategy's name.
    pub strategy: String,
    /// What it watched, as a unified symbol.
    pub symbol: String,
    /// Bars shown.
    pub bars: u64,
    /// Bars that it needs before its opinions mean something; they count as holds.
    pub warm_up: usize,
    /// Decisions to have more.
    pub buys: u64,
    /// Decisions to have less.
    pub sells: u64,
    /// Decisions to do nothing.
    pub holds: u64,
    /// Orders that the gate refused.
    pub refused: u64,
    /// How often each reason for a hold was given. Reasons that quote numbers are counted together.
    pub hold_reasons: BTreeMap<Cow<'static, str>, u64>,
    /// The last decisions, oldest first.
    pub last: Vec<Explained>,
}

/// One decision, for people. Numbers are decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// When the bar closed, RFC 3339 in UTC.
    pub at: String,
    /// Its close.
    pub close: String,
    /// What was held, signed.
    pub position: String,
    /// More, less or nothing.
    pub kind: DecisionKind,
    /// The position wanted, signed, where the strategy named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why.
    pub reason: String,
    /// Why the gate refused the order, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What the strategy saw.
    pub signals: Vec<Signal>,
}

/// Reasons that quote numbers, under one name.
const OTHER_REASONS: &str = "short of a threshold, with its numbers";

/// Shows `bars`, oldest first, to a rehearsal that is set but has not begun, and keeps the last `keep` decisions.
///
/// ```
/// use tradewind_domain::*;
/// use tradewind_strategies::{Rehearsal, diagnose::diagnose, registry};
///
/// let spec = InstrumentSpec { price_decimals: 2, ..InstrumentSpec::spot("BTC/USDT".parse()?, "binance") };
/// let strategy = registry::build("ema-trend", &toml::Table::new())?;
/// let deposit = Money::parse("10000", spec.symbol.quote)?;
/// let limits = tradewind_gate::Limits::RESEARCH;
/// let rehearsal = Rehearsal::new(strategy, &spec.list(InstrumentId(0))?, deposit, limits);
/// let bar = |minute: i64| Bar {
///     instrument: InstrumentId(0),
///     interval: Interval::MINUTE,
///     open_time: Timestamp::from_millis(minute * 60_000),
///     open: Price::from_mantissa(10_000 + minute),
///     high: Price::from_mantissa(10_001 + minute),
///     low: Price::from_mantissa(10_000 + minute),
///     close: Price::from_mantissa(10_001 + minute),
///     volume: Quantity::from_mantissa(1),
/// };
/// let diagnosis = diagnose(rehearsal, (0..30).map(bar), 3);
/// assert_eq!((diagnosis.buys, diagnosis.sells, diagnosis.last.len()), (1, 0, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diagnose(mut rehearsal: Rehearsal, bars: impl IntoIterator<Item = Bar>, keep: usize) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        strategy: rehearsal.strategy().name().to_owned(),
        symbol: rehearsal.instrument().spec.symbol.to_string(),
        warm_up: rehearsal.strategy().warm_up(),
        bars: 0,
        buys: 0,
        sells: 0,
        holds: 0,
        refused: 0,
        hold_reasons: BTreeMap::new(),
        last: Vec::new(),
    };
    let mut last = VecDeque::with_capacity(keep.min(1024));
    for bar in bars {
        let scene = rehearsal.bar(&bar);
        diagnosis.tally(&scene);
        if last.len() == keep {
            last.pop_front();
        }
        if keep > 0 {
            last.push_back((bar, scene));
        }
    }
    diagnosis.last = last.into_iter().map(|(bar, scene)| explained(&rehearsal, &bar, scene)).collect();
    diagnosis
}

impl Diagnosis {
    fn tally(&mut self, scene: &Scene) {
        self.bars += 1;
        self.refused += u64::from(scene.refusal.is_some());
        match scene.outcome.kind {
            DecisionKind::Buy => self.buys += 1,
            DecisionKind::Sell => self.sells += 1,
            DecisionKind::Hold => {
                self.holds += 1;
                let reason = match scene.outcome.reason {
                    Cow::Borrowed(reason) => reason,
                    Cow::Owned(_) => OTHER_REASONS,
                };
                *self.hold_reasons.entry(Cow::Borrowed(reason)).or_default() += 1;
            }
        }
    }

    /// The diagnosis as text for a terminal; ends with a newline.
    #[must_use]
    pub fn render(&self) -> String {
        let Self { strategy, symbol, bars, warm_up, buys, sells, holds, refused, .. } = self;
        let mut text = format!(
            "{strategy} on {symbol}: {bars} bars, {warm_up} of them to warm up\n\
             {buys} buys, {sells} sells, {holds} holds; {refused} orders refused by the gate\n"
        );
        let mut reasons: Vec<_> = self.hold_reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in reasons {
            writeln!(text, "  {count:>8} x hold: {reason}").expect("text takes any line");
        }
        self.last.iter().for_each(|decision| decision.render(&mut text));
        text
    }
}

impl Explained {
    fn render(&self, text: &mut String) {
        let kind = match self.kind {
            DecisionKind::Buy => "buy",
            DecisionKind::Sell => "sell",
            DecisionKind::Hold => "hold",
        };
        let Self { at, close, position, reason, .. } = self;
        let target = self.target.as_ref().map(|target| format!(" of {target}")).unwrap_or_default();
        text.push_str(&format!("\n{at}  close {close}  position {position}\n  {kind}{target}: {reason}\n"));
        if let Some(refusal) = &self.refusal {
            text.push_str(&format!("  refused: {refusal}\n"));
        }
        if self.signals.is_empty() {
            return;
        }
        let width = self.signals.iter().map(|signal| signal.name.len()).max().unwrap_or(0).max(6);
        text.push_str(&format!("  {:width$}  {:>18}  {:>8}  {:>18}\n", "signal", "value", "weight", "to threshold"));
        for Signal { name, value, weight, distance } in &self.signals {
            let line = format!("  {name:width$}  {value:>18}  {weight:>8}  {distance:>18}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

fn explained(rehearsal: &Rehearsal, bar: &Bar, scene: Scene) -> Explained {
    let instrument = rehearsal.instrument();
    Explained {
        at: bar.close_time().to_string(),
        close: instrument.price_text(bar.close),
        position: instrument.quantity_text(scene.position),
        kind: scene.outcome.kind,
        target: scene.outcome.target.map(|target| instrument.quantity_text(target)),
        reason: scene.outcome.reason.into_owned(),
        refusal: scene.refusal,
        signals: scene.decision.signals,
    }
}
