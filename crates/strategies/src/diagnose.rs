//! Why a strategy does what it does: its last decisions with every signal, weight and distance.

use crate::hindsight::Hindsight;
pub use crate::hindsight::{Followed, Judged, JudgedSignal};
use crate::rehearsal::{Rehearsal, Scene};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use tradewind_domain::Bar;
use tradewind_engine::{DecisionKind, Forecast, Signal};
use tradewind_quant::signal::ForecastQuality;

/// What a strategy decided on a series of bars.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The strategy's name.
    pub strategy: String,
    /// Which version of it, where it says so.
    pub version: Option<String>,
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
    /// What became of its forecasts and decisions; `None` for a strategy that says nothing about direction.
    pub judged: Option<Judged>,
    /// The last decisions, oldest first.
    pub last: Vec<Explained>,
}

/// One decision, for people. Numbers are decimal text.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Why in one word: reports gather trades by it. `None` where nothing was proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Why the gate refused the order, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// What the strategy expected of the market, over how many bars, and how sure it was of its word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// What then happened over the forecast's horizon; `None` while it has not passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
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
        version: rehearsal.strategy().version(),
        judged: None,
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
    let mut hindsight = rehearsal.strategy().expects().map(|it| Hindsight::over(it.horizon_bars));
    let mut last = VecDeque::with_capacity(keep.min(1024));
    for (at, bar) in bars.into_iter().enumerate() {
        let scene = rehearsal.bar(&bar);
        diagnosis.tally(&scene);
        if let Some(hindsight) = &mut hindsight {
            hindsight.bar(rehearsal.instrument().price_f64(bar.close), &scene.decision);
        }
        if last.len() == keep {
            last.pop_front();
        }
        if keep > 0 {
            last.push_back((at, bar, scene));
        }
    }
    diagnosis.judged = hindsight.as_ref().map(Hindsight::judge);
    let explain = |(at, bar, scene): (usize, Bar, Scene)| {
        let followed = hindsight.as_ref().and_then(|it| it.followed(at, &scene.decision));
        explained(&rehearsal, &bar, scene, followed)
    };
    diagnosis.last = last.into_iter().map(explain).collect();
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
        let version = self.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let mut text = format!(
            "{strategy}{version} on {symbol}: {}, {warm_up} of them to warm up\n\
             {}, {}, {}; {} refused by the gate\n",
            counted(*bars, "bar"),
            counted(*buys, "buy"),
            counted(*sells, "sell"),
            counted(*holds, "hold"),
            counted(*refused, "order"),
        );
        let mut reasons: Vec<_> = self.hold_reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in reasons {
            writeln!(text, "  {count:>8} x hold: {reason}").expect("text takes any line");
        }
        self.judged.iter().for_each(|judged| judged.render(&mut text));
        self.last.iter().for_each(|decision| decision.render(&mut text));
        text
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl Judged {
    fn render(&self, text: &mut String) {
        let Self { horizon_bars, forecasts, decisions, signals } = self;
        text.push_str(&format!("what the market did in the {horizon_bars} bars after:\n"));
        for (what, it) in [("forecasts", forecasts), ("decisions to trade", decisions)] {
            text.push_str(&format!("  {what}: {}\n", quality(it)));
        }
        let width = signals.iter().map(|signal| signal.name.len()).max().unwrap_or(0).max(6);
        if !signals.is_empty() {
            text.push_str(&format!("  {:width$}  {:>8}  {:>8}  {:>8}\n", "signal", "judged", "IC", "rank IC"));
        }
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        for it in signals {
            let (plain, ranks) = (number(it.information_coefficient), number(it.rank_information_coefficient));
            text.push_str(&format!("  {:width$}  {:>8}  {plain:>8}  {ranks:>8}\n", it.name, it.judged));
        }
    }
}

/// How good forecasts were, in words.
#[must_use]
pub fn quality(it: &ForecastQuality) -> String {
    let (Some(rate), Some(mean)) = (it.hit_rate, it.mean_outcome) else { return "none to judge".to_owned() };
    let correlation = it.information_coefficient.map(|value| format!(", IC {value:.3}")).unwrap_or_default();
    format!("{:.1} % of {} right, {:+.3} % on average{correlation}", rate * 100.0, it.directed, mean * 100.0)
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
        let tag = self.tag.as_ref().map(|tag| format!(" [{tag}]")).unwrap_or_default();
        let confidence_bps = self.forecast.as_ref().and_then(|it| it.confidence_bps);
        let sure = confidence_bps.map(|bps| format!(", {} % sure", bps / 100)).unwrap_or_default();
        text.push_str(&format!("\n{at}  close {close}  position {position}\n"));
        text.push_str(&format!("  {kind}{target}{tag}{sure}: {reason}\n"));
        if let Some(refusal) = &self.refusal {
            text.push_str(&format!("  refused: {refusal}\n"));
        }
        match &self.forecast {
            Some(Forecast { horizon_bars, value: Some(value), .. }) => {
                let followed = self.followed.as_ref().map_or_else(|| "not over yet".to_owned(), Followed::text);
                text.push_str(&format!("  forecast {value} over {horizon_bars} bars: {followed}\n"));
            }
            Some(Forecast { horizon_bars, value: None, confidence_bps: Some(_) }) => {
                text.push_str(&format!("  for {horizon_bars} bars, without a forecast of direction\n"));
            }
            Some(Forecast { value: None, confidence_bps: None, .. }) | None => (),
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

impl Followed {
    fn text(&self) -> String {
        let word = match self.right {
            Some(true) => ", right",
            Some(false) => ", wrong",
            None => "",
        };
        format!("{:+.2} % followed{word}", self.market_return * 100.0)
    }
}

fn explained(rehearsal: &Rehearsal, bar: &Bar, scene: Scene, followed: Option<Followed>) -> Explained {
    let instrument = rehearsal.instrument();
    Explained {
        at: bar.close_time().to_string(),
        close: instrument.price_text(bar.close),
        position: instrument.quantity_text(scene.position),
        kind: scene.outcome.kind,
        target: scene.outcome.target.map(|target| instrument.quantity_text(target)),
        reason: scene.outcome.reason.into_owned(),
        tag: scene.decision.tag.map(std::borrow::Cow::into_owned),
        refusal: scene.refusal,
        forecast: scene.decision.forecast,
        followed,
        signals: scene.decision.signals,
    }
}
