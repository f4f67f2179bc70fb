//! What the account held before anything was traded: the cash that the portfolios begin with.

use tradewind_domain::{Currency, Money, PortfolioId};
use tradewind_engine::State;
use tradewind_venues::AssetBalance;

/// What is still to be booked so that the portfolios own what the account holds.
///
/// The base currency is split in equal parts among `count` portfolios, the first one takes what does not divide;
/// anything else belongs to the first. Once an order was approved nothing is booked any more: from then on the account
/// and the books must agree by themselves. Until then this may be asked again, after a crash half-way as well.
pub(crate) fn missing(
    state: &State,
    balances: &[AssetBalance],
    base: Currency,
    count: usize,
) -> Vec<(PortfolioId, Money)> {
    if state.intents > 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for balance in balances {
        let units = balance.free.units + balance.locked.units;
        let parts = if balance.currency == base { i128::try_from(count.max(1)).unwrap_or(1) } else { 1 };
        for (place, portfolio) in state.portfolios.iter().enumerate() {
            let share = match i128::try_from(place).unwrap_or(i128::MAX) {
                0 => units - units / parts * (parts - 1),
                place if place < parts => units / parts,
                _ => 0,
            };
            let missing = Money { currency: balance.currency, units: share - portfolio.units(balance.currency) };
            if missing.units != 0 {
                found.push((PortfolioId(u16::try_from(place).unwrap_or(u16::MAX)), missing));
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

    proptest! {
        /// However many of the deposits a crash left in the journal, the rest is booked, once, to the last unit.
        #[test]
        fn what_a_crash_left_out_is_booked_and_nothing_twice(
            count in 1_u16..5, free in 0_i128..10_000_000_000, locked in 0_i128..1_000, coins in 0_i128..1_000, cut in 0_usize..6,
        ) {
            let held = [balance("USDT", free, locked), balance("BTC", coins, 0)];
            let mut state = portfolios(count);
            let all = missing(&state, &held, currency("USDT"), count.into());
            for (portfolio, money) in all.into_iter().take(cut) {
                say(&mut state, portfolio, EventKind::Deposited(money));
            }
            for (portfolio, money) in missing(&state, &held, currency("USDT"), count.into()) {
                say(&mut state, portfolio, EventKind::Deposited(money));
            }
            prop_assert_eq!(missing(&state, &held, currency("USDT"), count.into()), Vec::new());
            let owned: Vec<i128> = state.portfolios.iter().map(|it| it.units(currency("USDT"))).collect();
            prop_assert_eq!(owned.iter().sum::<i128>(), free + locked);
            prop_assert!(owned.iter().all(|units| (units - owned[0]).abs() < i128::from(count)));
            prop_assert_eq!(state.portfolios[0].units(currency("BTC")), coins);
        }
    }
}
