//! What the account held before anything was traded: the cash that the portfolios begin with.

use crate::portfolios::Portfolios;
use tradewind_domain::{Currency, Money, PortfolioId};
use tradewind_engine::State;
use tradewind_venues::AssetBalance;

/// What is still to be booked so that the portfolios own what the account holds.
///
/// Of the base currency `by_hand_bps` basis points are for orders by hand; the strategies share the rest in equal parts,
/// the first of them takes what does not divide. Anything else that the account holds is for people's hands: no strategy
/// bought it. Without strategies everything is.
///
/// Once an order was approved nothing is booked any more: from then on the account and the books must agree by
/// themselves, and a portfolio that is opened later begins empty. Until then this may be asked again, after a crash
/// half-way as well.
pub(crate) fn missing(
    state: &State,
    balances: &[AssetBalance],
    base: Currency,
    portfolios: &Portfolios,
    by_hand_bps: u32,
) -> Vec<(PortfolioId, Money)> {
    if state.intents > 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for balance in balances {
        let units = balance.free.units + balance.locked.units;
        let shared = portfolios.strategies.as_slice();
        let shared = if balance.currency == base { shared } else { &[] };
        let parts = i128::try_from(shared.len()).unwrap_or(i128::MAX);
        let by_hand = if parts == 0 { units } else { units * i128::from(by_hand_bps) / 10_000 };
        for (place, portfolio) in (0_u16..).zip(&state.portfolios) {
            let id = PortfolioId(place);
            let share = match shared.iter().position(|it| *it == id) {
                Some(0) => units - by_hand - (units - by_hand) / parts * (parts - 1),
                Some(_) => (units - by_hand) / parts,
                None if id == portfolios.operator => by_hand,
                None => 0,
            };
            let missing = Money { currency: balance.currency, units: share - portfolio.units(balance.currency) };
            if missing.units != 0 {
                found.push((id, missing));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_domain::{Source, Timestamp};
    use tradewind_engine::{Event, EventKind, apply};

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    fn balance(code: &str, free: i128, locked: i128) -> AssetBalance {
        let money = |units| Money { currency: currency(code), units };
        AssetBalance { currency: currency(code), free: money(free), locked: money(locked) }
    }

    fn say(state: &mut State, portfolio: PortfolioId, kind: EventKind) {
        let event = Event::new(state.sequence + 1, Timestamp::from_millis(1), Source::Host, kind);
        apply(state, &Event { portfolio, ..event });
    }

    fn portfolios(count: u16) -> State {
        let mut state = State::default();
        for place in 0..count {
            let opened = EventKind::Opened { base: currency("USDT"), name: place.to_string() };
            say(&mut state, PortfolioId(place), opened);
        }
        state
    }

    fn owners(strategies: u16) -> Portfolios {
        let strategies_own = (0..strategies).map(PortfolioId).collect();
        Portfolios { strategies: strategies_own, operator: PortfolioId(strategies), to_open: Vec::new() }
    }

    fn check(strategies: u16, by_hand_bps: u32, want: &[(u16, &str)]) {
        let held = [balance("USDT", 9_000_000_000, 1_000_000_001), balance("BTC", 5, 0)];
        let state = portfolios(strategies + 1);
        let found = missing(&state, &held, currency("USDT"), &owners(strategies), by_hand_bps);
        let found: Vec<_> = found.iter().map(|(id, money)| (id.0, money.to_string())).collect();
        let want: Vec<_> = want.iter().map(|(id, money)| (*id, (*money).to_owned())).collect();
        assert_eq!(found, want, "{strategies} strategies, {by_hand_bps} by hand");
    }

    #[test]
    fn people_have_their_part_of_the_cash_and_what_no_strategy_bought() {
        check(0, 1_000, &[(0, "100.00000001 USDT"), (0, "0.00000005 BTC")]);
        check(1, 1_000, &[(0, "90.00000001 USDT"), (1, "10 USDT"), (1, "0.00000005 BTC")]);
        check(2, 1_000, &[(0, "45.00000001 USDT"), (1, "45 USDT"), (2, "10 USDT"), (2, "0.00000005 BTC")]);
        check(1, 0, &[(0, "100.00000001 USDT"), (1, "0.00000005 BTC")]);
        check(1, 10_000, &[(1, "100.00000001 USDT"), (1, "0.00000005 BTC")]);
    }

    #[test]
    fn what_a_former_layout_gave_a_strategy_is_shared_anew_until_it_has_traded() {
        let held = [balance("USDT", 10_000_000_000, 0)];
        let mut state = portfolios(2);
        say(&mut state, PortfolioId(0), EventKind::Deposited(held[0].free));
        let found = missing(&state, &held, currency("USDT"), &owners(1), 1_000);
        let found: Vec<_> = found.iter().map(|(id, money)| (id.0, money.to_string())).collect();
        assert_eq!(found, [(0, "-10 USDT".to_owned()), (1, "10 USDT".to_owned())]);
        state.intents = 1;
        assert_eq!(missing(&state, &held, currency("USDT"), &owners(1), 1_000), []);
    }

    proptest! {
        /// However many of the deposits a crash left in the journal, the rest is booked, once, to the last unit.
        #[test]
        fn what_a_crash_left_out_is_booked_and_nothing_twice(
            count in 1_u16..5, by_hand in 0_u32..=10_000, free in 0_i128..10_000_000_000, locked in 0_i128..1_000,
            coins in 0_i128..1_000, cut in 0_usize..6,
        ) {
            let held = [balance("USDT", free, locked), balance("BTC", coins, 0)];
            let mut state = portfolios(count + 1);
            let all = missing(&state, &held, currency("USDT"), &owners(count), by_hand);
            for (portfolio, money) in all.into_iter().take(cut) {
                say(&mut state, portfolio, EventKind::Deposited(money));
            }
            for (portfolio, money) in missing(&state, &held, currency("USDT"), &owners(count), by_hand) {
                say(&mut state, portfolio, EventKind::Deposited(money));
            }
            prop_assert_eq!(missing(&state, &held, currency("USDT"), &owners(count), by_hand), Vec::new());
            let owned: Vec<i128> = state.portfolios.iter().map(|it| it.units(currency("USDT"))).collect();
            prop_assert_eq!(owned.iter().sum::<i128>(), free + locked);
            let strategies = &owned[..usize::from(count)];
            prop_assert!(strategies.iter().all(|units| (units - strategies[0]).abs() < i128::from(count)));
            prop_assert_eq!(owned[usize::from(count)], (free + locked) * i128::from(by_hand) / 10_000);
            prop_assert_eq!(state.portfolios[usize::from(count)].units(currency("BTC")), coins);
        }
    }
}
