//! Whose portfolio is whose: one for each strategy, and one for what people do by hand.

use crate::settings::StrategySettings;
use tradewind_domain::PortfolioId;
use tradewind_engine::State;

/// The name of the portfolio for orders by hand.
pub(crate) const OPERATOR: &str = "operator";
/// The only portfolio of a node without strategies, before people had one of their own.
const FORMER: &str = "0-manual";

/// Who owns which portfolio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portfolios {
    /// By a strategy's place in the settings.
    pub(crate) strategies: Vec<PortfolioId>,
    /// People's.
    pub(crate) operator: PortfolioId,
    /// Names of those that are still to be opened, in order.
    pub(crate) to_open: Vec<String>,
}

impl Portfolios {
    /// Shares out the portfolios of `state`, and plans those that are missing.
    ///
    /// Strategies take the portfolios that are not people's, in the order in which they were opened: a strategy that
    /// replaces another at its place in the settings goes on with its portfolio.
    pub(crate) fn plan(state: &State, settings: &[StrategySettings]) -> Self {
        let operator = operator_of(state).or_else(|| named(state, FORMER).filter(|_| settings.is_empty()));
        let known = (0..state.portfolios.len()).map(id);
        let mut strategies: Vec<_> = known.filter(|it| Some(*it) != operator).take(settings.len()).collect();
        let mut to_open = Vec::new();
        for (place, strategy) in settings.iter().enumerate().skip(strategies.len()) {
            strategies.push(id(state.portfolios.len() + to_open.len()));
            to_open.push(format!("{place}-{}", strategy.name));
        }
        let operator = operator.unwrap_or_else(|| {
            to_open.push(OPERATOR.to_owned());
            id(state.portfolios.len() + to_open.len() - 1)
        });
        Self { strategies, operator, to_open }
    }
}

/// Where an order goes that names no portfolio: to people's own.
pub(crate) fn operators(state: &State) -> PortfolioId {
    operator_of(state).unwrap_or(PortfolioId(0)) // only a former layout without strategies has none
}

fn operator_of(state: &State) -> Option<PortfolioId> {
    named(state, OPERATOR)
}

fn named(state: &State, name: &str) -> Option<PortfolioId> {
    state.portfolios.iter().position(|it| it.name == name).map(id)
}

fn id(place: usize) -> PortfolioId {
    PortfolioId(u16::try_from(place).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{Currency, Source, Timestamp};
    use tradewind_engine::{Event, EventKind, apply};

    fn state(names: &[&str]) -> State {
        let mut state = State::default();
        for (place, name) in names.iter().enumerate() {
            let kind = EventKind::Opened { base: Currency::new("USDT").unwrap(), name: (*name).to_owned() };
            let event = Event::new(state.sequence + 1, Timestamp::from_millis(1), Source::Host, kind);
            apply(&mut state, &Event { portfolio: id(place), ..event });
        }
        state
    }

    fn settings(names: &[&str]) -> Vec<StrategySettings> {
        let entry = |name: &&str| StrategySettings::named(name);
        names.iter().map(entry).collect()
    }

    fn check(known: &[&str], wanted: &[&str], strategies: &[u16], operator: u16, to_open: &[&str]) {
        let settings = settings(wanted);
        let planned = Portfolios::plan(&state(known), &settings);
        let strategies = strategies.iter().copied().map(PortfolioId).collect();
        let opened: Vec<String> = to_open.iter().map(|it| (*it).to_owned()).collect();
        let want = Portfolios { strategies, operator: PortfolioId(operator), to_open: opened.clone() };
        assert_eq!(planned, want, "{known:?} for {wanted:?}");

        // wherever a crash cuts the opening, the next start goes on to the same end
        for cut in 0..=to_open.len() {
            let half: Vec<&str> = known.iter().chain(&to_open[..cut]).copied().collect();
            let rest = Portfolios { to_open: opened[cut..].to_vec(), ..want.clone() };
            assert_eq!(Portfolios::plan(&state(&half), &settings), rest, "{half:?} for {wanted:?}");
        }
    }

    #[test]
    fn each_strategy_and_the_people_have_one() {
        check(&[], &[], &[], 0, &["operator"]);
        check(&[], &["ema", "vote"], &[0, 1], 2, &["0-ema", "1-vote", "operator"]);
        check(&["0-ema", "1-vote", "operator"], &["ema", "vote"], &[0, 1], 2, &[]);
    }

    #[test]
    fn a_strategy_more_comes_after_the_people_and_one_less_leaves_its_own_behind() {
        check(&["0-ema", "operator"], &["ema", "vote"], &[0, 2], 1, &["1-vote"]);
        check(&["0-ema", "1-vote", "operator"], &["ema"], &[0], 2, &[]);
        check(&["0-ema", "operator"], &["breakout"], &[0], 1, &[]);
        check(&["operator"], &["ema"], &[1], 0, &["0-ema"]);
    }

    #[test]
    fn a_former_layout_keeps_its_portfolios_and_gets_one_for_people() {
        check(&["0-ema"], &["ema"], &[0], 1, &["operator"]);
        check(&["0-ema", "1-vote"], &["ema", "vote"], &[0, 1], 2, &["operator"]);
        check(&["0-manual"], &["ema"], &[0], 1, &["operator"]); // the strategy went on with it then, too
        assert_eq!(operators(&state(&["0-manual"])), PortfolioId(0));
    }

    #[test]
    fn without_strategies_the_former_manual_portfolio_is_the_peoples() {
        check(&["0-manual"], &[], &[], 0, &[]);
    }
}
