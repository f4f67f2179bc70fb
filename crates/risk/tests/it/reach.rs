//! For each shipped profile and each limit in it: one situation just inside passes, and one just outside is refused by
//! exactly that limit's guard.

use crate::world::*;
use tradewind_domain::*;
use tradewind_quant::impact::SideDepth;
use tradewind_risk::*;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

#[test]
fn every_limit_of_every_profile_is_reached_from_both_sides() {
    let mut reached = 0;
    for (place, profile) in Profile::ALL.into_iter().enumerate() {
        for limit in &LIMITS {
            let (Some(guard), Some(value)) = (limit.guard, limit.values[place]) else { continue };
            if matches!(limit.unit, Unit::Choice(_)) {
                continue; // it refuses nothing itself: `tails` and `sizes` try each of its words
            }
            let name = format!("{} of {}", limit.name, profile.name());
            assert_eq!(scenario(limit.name, profile, value, false), None, "just inside {name}");
            assert_eq!(scenario(limit.name, profile, value, true), Some(guard), "just outside {name}");
            reached += 1;
        }
    }
    assert!(reached > 80, "{reached}");
}

/// The guard that refuses just inside, or just outside, the limit of that name.
fn scenario(name: &str, profile: Profile, value: i64, outside: bool) -> Option<Guard> {
    let mut world = world(profile);
    let more = i64::from(outside);
    match name {
        "collar" => {
            let limit = price("100").mantissa() * (10_000 + value) / 10_000 + more;
            world.request = OrderRequest::limit(InstrumentId(0), Side::Buy, quantity("1"), Price::from_mantissa(limit));
        }
        "market_collar" => {
            let ask = Price::from_mantissa(price("101").mantissa() + more);
            world.quote = Some(Quote { bid: ask, ask, ..quote("101", "101") });
            assert_eq!(value, 100);
        }
        "duplicate_window" => {
            world.fold(NOW, ordered(0, "1"));
            world.now = NOW.plus_nanos(value - more);
        }
        "orders_per_second" => (0..value - 1 + more).for_each(|i| world.fold(NOW, ordered(0, &(i + 2).to_string()))),
        "account_orders_per_second" => (0..value - 1 + more).for_each(|i| world.fold(NOW, ordered(1 + i as u16, "1"))),
        "repeated_fills" => (0..value - 1 + more).for_each(|_| world.fold(NOW, filled())),
        "spread" => {
            world.quote = Some(quote("100", if outside { "100.5001" } else { "100.5" }));
            assert_eq!(value, 50);
        }
        "impact_by_book" => {
            assert_eq!(value, 1);
            world.depth = Some(SideDepth::new(50_000_000, 50_000_000 * (2 - more.unsigned_abs())).unwrap());
        }
        "impact" => {
            world.depth = Some(SideDepth::new(50_000_000, 100_000_000).unwrap());
            world.request.quantity += Quantity::from_mantissa(more);
        }
        "no_reversal" => {
            (world.position, world.request.side, world.reduces) = (quantity("1"), Side::Sell, !outside);
            world.request.quantity += Quantity::from_mantissa(more);
        }
        "open_positions" => others(&mut world, 0, value - 1 + more),
        "account_positions" => others(&mut world, 1, value - 1 + more),
        "leverage" => {
            world.equity = 1_000 * UNIT;
            let rest = world.equity * i128::from(value) / 10_000 - world.notional + i128::from(more);
            world.lines.push((0, instrument(1, "ETH/USDT", "kraken"), rest, rest));
        }
        "hard_order_amount" => world.notional = i128::from(value + more),
        "liquidation_buffer" | "maintenance_margin" => liquidation(&mut world, outside),
        "liquidation_alert" | "deleverage" => {
            // an order of all of max_order, which caution halves
            world.notional = world.limits.limits.max_order.units(world.equity).unwrap();
            if name == "deleverage" {
                world.notional = UNIT;
            }
            let (portfolio, instrument) = (PortfolioId(0), InstrumentId(0));
            world.fold(NOW, Fact::NearLiquidation { portfolio, instrument, distance_bps: value - more });
        }
        "margin_used" | "initial_margin" => margin_used(&mut world, more),
        "asset" | "sector" | "strategy" | "net" | "venue" | "class" | "gross" => {
            exposure(&mut world, name, value, more)
        }
        "open_orders_symbol" => world.open_orders_symbol = value - 1 + more,
        "open_orders" => world.open_orders = value - 1 + more,
        "no_self_match" => {
            world.request = OrderRequest::limit(InstrumentId(0), Side::Buy, quantity("1"), price("100"));
            world.own_opposite = Some(price(if outside { "100" } else { "100.0001" }));
        }
        "api_errors" => (0..value - 1 + more).for_each(|_| world.fold(NOW, Fact::ApiError)),
        "consecutive_losses" => {
            let fact = Fact::Realised { portfolio: PortfolioId(0), profit: -1 };
            (0..value - 1 + more).for_each(|_| world.fold(NOW, fact));
        }
        "failed_trades" => {
            let fact = Fact::Rejected { portfolio: PortfolioId(0) };
            (0..value - 1 + more).for_each(|_| world.fold(NOW, fact));
        }
        "order_failures" => {
            let fact = Fact::Failed { portfolio: PortfolioId(0) };
            (0..value - 1 + more).for_each(|_| world.fold(NOW, fact));
        }
        "daily_loss" => equities(&mut world, &[(0, 10_000), (0, 10_000 - value + 1 - more)]),
        "weekly_loss" => {
            let steps = [(-4, 10_000), (-3, 9_800), (-2, 9_600), (-1, 9_400), (0, 9_200), (1, 9_100)];
            equities(&mut world, &steps);
            equities(&mut world, &[(1, 10_000 - value + 1 - more)]);
        }
        "drawdown" | "drawdown_halt" => {
            if name == "drawdown_halt" {
                // a plain sell, not marked as an exit: it passes reduce-only and not a halt
                (world.reduces, world.request.side) = (true, Side::Sell);
            }
            let end = 10_000 - value + 1 - more;
            let slow: Vec<(i64, i64)> = (0..30).map(|day| (day * 3 - 87, 10_000 - (10_000 - end) * day / 30)).collect();
            equities(&mut world, &slow);
            equities(&mut world, &[(1, end)]);
        }
        "volatility_caution" | "volatility_reduce" | "volatility_halt" => return volatility(name, profile, outside),
        "correlation" | "value_at_risk" | "expected_shortfall" => return tail(name, profile, None, outside),
        "confidence" => plan(&mut world, |plan| plan.confidence_bps = Some(value - more)),
        "confidence_range" | "confidence_counter" => plan(&mut world, |plan| {
            plan.regime = Some(if name == "confidence_range" { PlanRegime::Range } else { PlanRegime::Counter });
            plan.confidence_bps = Some(value - more);
        }),
        "stop_min" => plan(&mut world, |plan| plan.stop = Some(below(value - more))),
        "stop_max" => plan(&mut world, |plan| (plan.stop, plan.target) = (Some(below(value + more)), None)),
        "reward_risk" => plan(&mut world, |plan| {
            plan.target = Some(Price::from_mantissa(price("103").mantissa() - more));
        }),
        "order_risk" => {
            plan(&mut world, |_| ());
            // a stop 2 % away loses 2 % of the notional
            world.equity = world.notional + i128::from(1 - more) - i128::from(more);
        }
        "unprotected" => {
            let (portfolio, instrument) = (PortfolioId(0), InstrumentId(0));
            world.fold(NOW, Fact::Bare { portfolio, instrument });
            world.fold(NOW.plus_nanos(value - 1 + more), Fact::Tick);
        }
        other => panic!("no scenario for the limit {other}"),
    }
    world.refusal()
}

fn ordered(portfolio: u16, size: &str) -> Fact {
    let (instrument, side) = (InstrumentId(0), Side::Buy);
    Fact::Ordered { portfolio: PortfolioId(portfolio), instrument, side, quantity: quantity(size), price: None }
}

fn filled() -> Fact {
    Fact::Filled { portfolio: PortfolioId(0), instrument: InstrumentId(0), side: Side::Buy }
}

fn others(world: &mut World, portfolio: u16, count: i64) {
    for i in 0..count {
        let it = instrument(10 + i as u32, &format!("C{i}/USDT"), "kraken");
        world.lines.push((portfolio, it, 1, 1));
    }
}

/// Stakes that add up to the limit with the order counted, and to nothing near any other limit.
fn exposure(world: &mut World, name: &str, value: i64, more: i64) {
    let share = |bps: i64| 10_000 * UNIT * i128::from(bps) / 10_000;
    let rest = share(value) - world.notional + i128::from(more);
    let ether = |venue| instrument(1, "ETH/USDT", venue);
    let solana = |venue| instrument(2, "SOL/USDT", venue);
    let halves = |world: &mut World, ether: Instrument, solana: Instrument| {
        world.lines.push((1, ether, rest / 2, rest / 2));
        world.lines.push((2, solana, -(rest - rest / 2), -(rest - rest / 2)));
    };
    match name {
        "asset" => world.lines.push((1, instrument(3, "BTC/USDC", "kraken"), rest, rest)),
        "sector" => {
            for asset in ["BTC", "ETH"] {
                world.limits.account.sectors.insert(asset.to_owned(), "majors".to_owned());
            }
            world.lines.push((1, ether("kraken"), rest, rest));
        }
        "strategy" => world.lines.push((0, ether("kraken"), rest, rest)),
        "net" => world.lines.push((1, ether("kraken"), rest, rest)),
        "venue" => halves(world, ether("binance"), solana("binance")),
        "class" => halves(world, ether("kraken"), solana("okx")),
        _ => {
            let (ether, solana) = (instrument(1, "ETH/USDT:USDT", "kraken"), instrument(2, "SOL/USDT:USDT", "okx"));
            halves(world, ether, solana);
        }
    }
}

/// Collateral of one contract alone.
fn alone(collateral: i128) -> Margin {
    Margin { collateral, others_maintenance: 0, others_initial: 0, rate: (1, 1) }
}

/// Equity of a strategy whose margin is just within the part that the limit allows, and one unit less of it. No other
/// limit of the profile is touched or taken away.
fn margin_used(world: &mut World, more: i64) {
    world.instrument = instrument(0, "BTC/USDT:USDT", "binance");
    let controls = world.limits.limits.controls.unwrap();
    let (limit, rate) = (i128::from(controls.margin_used_bps.unwrap()), i128::from(controls.initial_bps.unwrap()));
    // margin of the order and of another contract, 100 and 300 of notional
    let margin_e4 = (world.notional + 300 * UNIT) * rate;
    world.equity = margin_e4 / limit + i128::from(margin_e4 % limit > 0) - i128::from(more);
    let ether = instrument(1, "ETH/USDT:USDT", "kraken");
    world.lines.push((0, ether, 300 * UNIT, 300 * UNIT));
    let terms_of = |notional: i128| notional * rate / 10_000;
    world.margin = Some(Margin {
        collateral: world.equity,
        others_maintenance: 300 * UNIT * i128::from(controls.maintenance_bps.unwrap()) / 10_000,
        others_initial: terms_of(300 * UNIT),
        rate: (1, 1),
    });
}

/// The least collateral that keeps the buffer, and one unit less.
fn liquidation(world: &mut World, outside: bool) {
    world.instrument = instrument(0, "BTC/USDT:USDT", "binance");
    let controls = world.limits.limits.controls.unwrap();
    let buffer = controls.liquidation_buffer_bps.unwrap();
    world.limits.limits.controls.as_mut().unwrap().margin_used_bps = None; // which stops it before, as leverage does
    let terms = Terms::of(&world.instrument, &controls, (1, 1));
    let keeps = |collateral: i128| {
        liquidation_distance_bps(world.notional, &alone(collateral), &terms).is_none_or(|distance| distance >= buffer)
    };
    let (mut low, mut high) = (0, world.notional);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if keeps(middle) { high = middle } else { low = middle }
    }
    let collateral = if outside { low } else { high };
    world.margin = Some(alone(collateral));
}

/// Equities on days relative to `NOW`'s; the order is judged on the last.
fn equities(world: &mut World, steps: &[(i64, i64)]) {
    for (day, units) in steps {
        world.now = NOW.plus_nanos(day * DAY);
        world.reference.at = world.now;
        let units = i128::from(*units) * UNIT;
        world.fold(world.now, Fact::Equity { portfolio: PortfolioId(0), units });
    }
}

fn below(bps: i64) -> Price {
    Price::from_mantissa(price("100").mantissa() * (10_000 - bps) / 10_000)
}

fn plan(world: &mut World, change: impl FnOnce(&mut Plan)) {
    let mut plan =
        Plan { confidence_bps: Some(9_000), stop: Some(price("98")), target: Some(price("104")), ..Plan::default() };
    change(&mut plan);
    world.plan = Some(plan);
}

/// The last minutes of instruments, ending at `NOW`, from changes in parts of a million a minute.
pub(crate) fn minutes(world: &mut World, series: &[(u32, &[i64])]) {
    let mut levels = vec![1_000_000_000_i64; series.len()];
    let count = series[0].1.len();
    for minute in 0..count {
        let at = NOW.plus_nanos((minute as i64 - count as i64 + 1) * 60 * SECOND);
        for ((id, changes), level) in series.iter().zip(&mut levels) {
            let Some(change) = changes.get(minute) else { continue };
            *level += *level / 1_000_000 * change;
            world.fold(at, Fact::Marked { instrument: InstrumentId(*id), price: Price::from_mantissa(*level) });
        }
    }
}

/// The first refusal as `strength` grows from nothing: what passes just before it, or the guard that refuses.
fn first_refusal(outside: bool, most: i64, build: impl Fn(i64) -> World) -> Option<Guard> {
    let strength = (0..most).find(|strength| build(*strength).refusal().is_some()).expect("strong enough to refuse");
    build(if outside { strength } else { strength - 1 }).refusal()
}

fn volatility(name: &str, profile: Profile, outside: bool) -> Option<Guard> {
    first_refusal(outside, 400, |strength| {
        let mut world = world(profile);
        match name {
            // an order of all of max_order, which caution halves
            "volatility_caution" => world.notional = world.limits.limits.max_order.units(world.equity).unwrap(),
            "volatility_reduce" => world.notional = UNIT,
            _ => (world.reduces, world.request.side) = (true, Side::Sell),
        }
        let sign = |i: i64| if i % 2 == 0 { 1 } else { -1 };
        let zigzag: Vec<i64> = (0..30).map(|i| sign(i) * strength * 25).collect();
        minutes(&mut world, &[(0, &zigzag)]);
        world
    })
}

/// As [`first_refusal`] for the limits on what moves together and on what a day may cost, by that method.
pub(crate) fn tail(name: &str, profile: Profile, method: Option<i64>, outside: bool) -> Option<Guard> {
    let noise = |i: i64, seed: i64| (i * 7_919 * seed + i * i * 104_729) % 199 - 99;
    first_refusal(outside, 400, |strength| {
        let mut world = world(profile);
        world.limits.account.caps.var_method = method;
        if name == "correlation" {
            let own: Vec<i64> = (0..200).map(|i| noise(i, 3)).collect();
            let mixed = |i: i64| (own[i as usize] * strength + noise(i, 11) * (400 - strength)) / 400;
            let other: Vec<i64> = (0..200).map(mixed).collect();
            minutes(&mut world, &[(0, &own), (1, &other)]);
            world.hold(0, instrument(1, "ETH/USDT", "kraken"), 10);
            return world;
        }
        // ether and bitcoin move as one; half of the account stands in ether
        let worst = |i: i64| match name {
            "value_at_risk" => i % 2 == 0,
            _ => i % 25 == 0, // four minutes in a hundred: the quantile at five does not see them
        };
        let moves: Vec<i64> = (0..200).map(|i| if worst(i) { -strength * 12 } else { strength / 2 }).collect();
        minutes(&mut world, &[(0, &moves), (1, &moves)]);
        world.hold(1, instrument(1, "ETH/USDT", "kraken"), 5_000);
        world
    })
}
