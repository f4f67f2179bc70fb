//! What holdings may lose: value at risk by every method side by side, whose it is, and whether it would have held.

use serde::Serialize;
use tradewind_quant::covariance::{Moments, Target};
use tradewind_quant::tail_risk::{Change, Contributions, Historical, Level, Parametric, TailRisk, modified, simulate};
use tradewind_quant::var_backtest::{LikelihoodRatio, conditional_coverage, exceptions, independence, kupiec};
use tradewind_quant::{QuantError, ReturnWindow, tail};

/// What is asked of [`tail_report`].
#[derive(Clone, Copy, Debug)]
pub struct TailQuestion {
    /// Confidence, and the horizon in periods of the returns.
    pub level: Level,
    /// Periods from which each figure of the past is reckoned when it is tried against the next one.
    pub window: usize,
    /// Paths of the simulation.
    pub paths: usize,
    /// Seed of the simulation.
    pub seed: u64,
}

/// The answer. Amounts are in the currency of the exposures, losses positive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TailReport {
    /// Periods of returns that were looked at.
    pub periods: usize,
    /// Each method's figures over the whole history.
    pub methods: Vec<TailOf>,
    /// What each holding has of the historical figures, in the order of the exposures; the parts sum to the whole.
    pub components: Vec<TailRisk>,
    /// Correlations of the returns, row by row.
    pub correlations: Vec<Vec<f64>>,
    /// How figures of the past held in the period after each; empty where the history is no longer than the window.
    pub tried: Vec<Tried>,
}

/// One method's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TailOf {
    /// `historical`, `parametric` (normal), `modified` (Cornish-Fisher) or `monte-carlo` (normal, simulated).
    pub method: &'static str,
    /// Loss that is exceeded with the tail's probability; `None` where the method cannot tell.
    pub var: Option<f64>,
    /// Mean loss in that tail; `None` where the method cannot tell.
    pub cvar: Option<f64>,
    /// Why it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

impl TailOf {
    const fn of(method: &'static str, risk: TailRisk) -> Self {
        Self { method, var: Some(risk.var), cvar: Some(risk.cvar), note: None }
    }

    /// The modified figures, where they mean something.
    fn modified(returns: &ReturnWindow, exposures: &[f64], level: &Level) -> Result<Self, QuantError> {
        let none = |note| Ok(Self { method: "modified", var: None, cvar: None, note: Some(note) });
        if level.confidence() <= 0.5 {
            return none("it bends a tail, and half of all periods are none");
        }
        let outcomes = returns.outcomes(exposures)?;
        let Some((skewness, kurtosis)) = tail::skewness(&outcomes).zip(tail::kurtosis(&outcomes)) else {
            return none("it needs a deviation, and the outcomes do not vary");
        };
        if !tail::modified_quantile_grows(skewness, kurtosis - 3.0) {
            return none("skewness and kurtosis are outside the range in which its quantile grows with confidence");
        }
        let told = Self::of("modified", modified(returns, exposures, level)?.total);
        Ok(match told.cvar > told.var {
            true => told,
            false => Self { cvar: None, note: Some("its density falls below zero in the tail: no shortfall"), ..told },
        })
    }
}

/// How one method's value at risk over one period held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Which method.
    pub method: &'static str,
    /// Periods that were tried.
    pub periods: usize,
    /// Periods that lost more.
    pub exceptions: usize,
    /// How many a right model expects.
    pub expected: f64,
    /// Is their number right?
    pub kupiec: LikelihoodRatio,
    /// Do they come one by one?
    pub independence: LikelihoodRatio,
    /// Both together.
    pub conditional: LikelihoodRatio,
}

/// Reckons what `exposures`, signed amounts of money, may lose, from the returns of their assets.
///
/// The covariance of the parametric and the simulated figures is shrunk towards constant correlation (Ledoit and Wolf).
///
/// # Errors
/// [`QuantError`] for shapes that do not fit, too few periods, or a window below two.
pub fn tail_report(
    returns: &ReturnWindow,
    exposures: &[f64],
    question: &TailQuestion,
) -> Result<TailReport, QuantError> {
    let TailQuestion { level, window, paths, seed } = *question;
    let (moments, _) = Moments::shrunk(returns, Target::ConstantCorrelation);
    let historical: Contributions = Historical::new(returns, exposures)?.contributions(&level)?;
    let drawn = simulate(&moments, &level, paths, seed)?;
    let simulated = Historical::new(&drawn, exposures)?.tail_risk(&Level::new(level.confidence(), 1.0)?)?;
    let methods = [
        TailOf::of("historical", historical.total),
        TailOf::of("parametric", Parametric::new(&moments, exposures)?.tail_risk(&level)?),
        TailOf::modified(returns, exposures, &level)?,
        TailOf::of("monte-carlo", simulated),
    ];
    let components = historical.component_var.iter().zip(&historical.component_cvar);
    let correlations = moments.covariance.correlations();
    Ok(TailReport {
        periods: returns.periods(),
        methods: methods.to_vec(),
        components: components.map(|(var, cvar)| TailRisk { var: *var, cvar: *cvar }).collect(),
        correlations: (0..returns.assets()).map(|row| correlations.row(row).to_vec()).collect(),
        tried: tried(&returns.outcomes(exposures)?, level.confidence(), window)?,
    })
}

/// What an order would do to one method's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChangeOf {
    /// `historical` or `parametric`, as in [`TailOf`].
    pub method: &'static str,
    /// Before and after.
    #[serde(flatten)]
    pub change: Change,
    /// After less before, negative for a hedge.
    pub incremental: TailRisk,
}

/// Reckons what `changes`, signed amounts of money by place of the asset, would do to what `exposures` may lose.
///
/// # Errors
/// As [`tail_report`]; [`QuantError::Shape`] for an asset that the window does not hold.
pub fn tail_changes(
    returns: &ReturnWindow,
    exposures: &[f64],
    changes: &[(usize, f64)],
    level: &Level,
) -> Result<Vec<ChangeOf>, QuantError> {
    let (moments, _) = Moments::shrunk(returns, Target::ConstantCorrelation);
    let methods = [
        ("historical", Historical::new(returns, exposures)?.after(changes, level)?),
        ("parametric", Parametric::new(&moments, exposures)?.after(changes, level)?),
    ];
    let of = |(method, change): (&'static str, Change)| {
        let incremental = TailRisk { var: change.incremental_var(), cvar: change.incremental_cvar() };
        ChangeOf { method, change, incremental }
    };
    Ok(methods.map(of).to_vec())
}

/// Tries the value at risk of each window of outcomes against the outcome after it.
fn tried(outcomes: &[f64], confidence: f64, window: usize) -> Result<Vec<Tried>, QuantError> {
    let level = Level::new(confidence, 1.0)?;
    let Some(after) = outcomes.get(window..).filter(|after| after.len() > 1) else { return Ok(Vec::new()) };
    let stated = |of: &dyn Fn(&ReturnWindow) -> Result<TailRisk, QuantError>| -> Result<Vec<f64>, QuantError> {
        let past = outcomes.windows(window).take(after.len());
        past.map(|past| Ok(of(&ReturnWindow::new(&[past])?)?.var)).collect()
    };
    let historical = stated(&|past| Historical::new(past, &[1.0])?.tail_risk(&level))?;
    let parametric = stated(&|past| Parametric::new(&Moments::sample(past), &[1.0])?.tail_risk(&level))?;
    let judged = |method, stated: &[f64]| -> Result<Tried, QuantError> {
        let record = exceptions(after, stated)?;
        let hits = record.iter().filter(|hit| **hit).count();
        #[allow(clippy::cast_precision_loss)] // periods of a history
        let expected = (1.0 - confidence) * record.len() as f64;
        Ok(Tried {
            method,
            periods: record.len(),
            exceptions: hits,
            expected,
            kupiec: kupiec(hits, record.len(), confidence)?,
            independence: independence(&record)?,
            conditional: conditional_coverage(&record, confidence)?,
        })
    };
    Ok(vec![judged("historical", &historical)?, judged("parametric", &parametric)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_quant::Draws;

    /// Two assets of 1 % and 2 % deviation with a correlation of 0.6, each period `scale` times as wild.
    fn market(periods: usize, scale: impl Fn(usize) -> f64) -> ReturnWindow {
        let mut draws = Draws::new(7);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for period in 0..periods {
            let (a, b) = (draws.normal(), draws.normal());
            first.push(0.01 * scale(period) * a);
            second.push(0.02 * scale(period) * (0.6 * a + 0.8 * b));
        }
        ReturnWindow::new(&[first, second]).unwrap()
    }

    fn question(confidence: f64) -> TailQuestion {
        TailQuestion { level: Level::new(confidence, 1.0).unwrap(), window: 250, paths: 20_000, seed: 3 }
    }

    #[test]
    fn on_normal_returns_every_method_agrees_and_the_parts_sum_to_the_whole() {
        let report = tail_report(&market(20_000, |_| 1.0), &[6_000.0, 4_000.0], &question(0.95)).unwrap();
        // the deviation of 60 a + 80 (0.6 a + 0.8 b) is 125.22; 95 % of a normal lie above -1.645 of it
        let want = 125.22 * 1.645;
        for it in &report.methods {
            assert!((it.var.unwrap() / want - 1.0).abs() < 0.03 && it.cvar > it.var, "{it:?} for {want}");
        }
        let parts: f64 = report.components.iter().map(|part| part.var).sum();
        assert!((parts / report.methods[0].var.unwrap() - 1.0).abs() < 1e-9, "{parts}");
        assert!((report.correlations[0][1] - 0.6).abs() < 0.02);
    }

    #[test]
    fn an_order_adds_what_the_whole_after_it_has_more_and_a_hedge_takes_away() {
        let (returns, level) = (market(2_000, |_| 1.0), Level::new(0.95, 1.0).unwrap());
        let figures = |exposures: &[f64]| tail_report(&returns, exposures, &question(0.95)).unwrap().methods;
        for (order, adds) in [(4_000.0, true), (-2_000.0, false)] {
            let told = tail_changes(&returns, &[6_000.0, 0.0], &[(1, order)], &level).unwrap();
            let (before, after) = (figures(&[6_000.0, 0.0]), figures(&[6_000.0, order]));
            for (place, it) in told.iter().enumerate() {
                assert_eq!((it.method, it.method), (before[place].method, after[place].method));
                let more = |of: fn(&TailOf) -> Option<f64>| of(&after[place]).unwrap() - of(&before[place]).unwrap();
                let more = (more(|it| it.var), more(|it| it.cvar));
                let got = (it.incremental.var, it.incremental.cvar);
                assert!((got.0 - more.0).abs() < 1e-6 && (got.1 - more.1).abs() < 1e-6, "{got:?} for {more:?}");
                assert!((got.0 > 0.0) == adds && (got.1 > 0.0) == adds, "{order}: {got:?}");
            }
        }
        assert!(tail_changes(&returns, &[1.0, 1.0], &[(2, 1.0)], &level).is_err());
    }

    #[test]
    fn a_hedge_that_cancels_all_loses_nothing_and_has_no_modified_figure() {
        let one = market(500, |_| 1.0).asset(0).to_vec();
        let twice = ReturnWindow::new(&[one.clone(), one]).unwrap();
        let report = tail_report(&twice, &[1_000.0, -1_000.0], &question(0.95)).unwrap();
        for it in report.methods.iter().filter(|it| it.method != "modified") {
            assert!(it.var.unwrap().abs() < 1e-3 && it.cvar.unwrap().abs() < 1e-3 && it.note.is_none(), "{it:?}");
        }
        let json = serde_json::to_value(report.methods[2]).unwrap();
        assert_eq!((&json["method"], &json["var"]), (&"modified".into(), &serde_json::Value::Null));
        assert!(json["cvar"].is_null() && json["note"].as_str().unwrap().contains("do not vary"), "{json}");
        assert!(report.tried.iter().all(|it| it.exceptions == 0), "{:?}", report.tried);
    }

    #[test]
    fn modified_figures_are_told_within_the_range_of_their_expansion_alone() {
        let told = |returns: &ReturnWindow, confidence| {
            let exposures = vec![1_000.0; returns.assets()];
            tail_report(returns, &exposures, &question(confidence)).unwrap().methods[2]
        };
        let calm = market(2_000, |_| 1.0);
        assert_eq!((told(&calm, 0.95).note, told(&calm, 0.5).var), (None, None));
        let wild = told(&market(2_000, |period| if period % 100 == 0 { 20.0 } else { 1.0 }), 0.95);
        assert_eq!((wild.var, wild.cvar), (None, None));
        assert!(wild.note.unwrap().contains("outside the range"), "{wild:?}");
        // as often up as down, one move in fifty six times as far: an excess kurtosis of 6.3
        let ups: Vec<f64> = (0..250).map(|period| if period % 50 == 0 { 0.06 } else { 0.01 }).collect();
        let both =
            ReturnWindow::new(&[ups.iter().map(|up| -up).chain(ups.iter().copied()).collect::<Vec<_>>()]).unwrap();
        let (near, far) = (told(&both, 0.95), told(&both, 0.99));
        assert!(near.cvar > near.var && near.note.is_none(), "{near:?}");
        assert!(far.var > near.var && far.cvar.is_none() && far.note.unwrap().contains("no shortfall"), "{far:?}");
    }

    #[test]
    fn a_steady_market_rejects_no_model() {
        // figures of a window err themselves: over tens of thousands of trials even that would show
        let report = tail_report(&market(2_000, |_| 1.0), &[6_000.0, 4_000.0], &question(0.95)).unwrap();
        assert_eq!(report.tried.len(), 2);
        for tried in &report.tried {
            assert!(tried.periods == 1_750 && !tried.conditional.rejects(0.05), "{tried:?}");
        }
    }

    #[test]
    fn a_model_that_lags_behind_a_changing_market_is_rejected() {
        let calm_then_wild = market(3_000, |period| if period / 250 % 2 == 0 { 0.5 } else { 2.5 });
        let report = tail_report(&calm_then_wild, &[6_000.0, 4_000.0], &question(0.95)).unwrap();
        assert!(
            report.tried.iter().all(|it| it.independence.rejects(0.05) && it.conditional.rejects(0.01)),
            "{report:?}"
        );
    }

    #[test]
    fn a_short_history_has_figures_and_no_trial() {
        let report = tail_report(&market(100, |_| 1.0), &[1.0, -1.0], &question(0.9)).unwrap();
        assert_eq!((report.periods, report.tried), (100, Vec::new()));
        assert!(tail_report(&market(100, |_| 1.0), &[1.0], &question(0.9)).is_err());
    }
}
