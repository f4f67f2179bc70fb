//! The simulated market inside the world: history before the opening, then steps of order flow.

use super::book::{Happening, Incoming};
use super::candles::Candle;
use super::ledger::MARKET;
use super::market::Market;
use super::order::{Force, SelfTrade};
use super::{Source, World};
use crate::config::{Crash, Flow};
use crate::flow::agents::{Act, Agents};
use crate::flow::fair::{BUSIEST, Fair};
use tradewind_domain::{Price, Quantity, Side};

/// The hidden state of the simulated market.
#[derive(Debug)]
pub(crate) struct Simulation {
    fair: Fair,
    agents: Vec<Agents>,
    next_step: i64,
    /// Length of one step in milliseconds.
    step: i64,
    start: i64,
    crash: Option<Crash>,
}

impl Simulation {
    /// A market that opens at `start` milliseconds, after `history` minutes whose candles are pushed to `markets`.
    pub(crate) fn new(
        seed: u64,
        markets: &mut [Market],
        starts: &[(f64, f64)],
        history: usize,
        start: i64,
        flow: Flow,
    ) -> Self {
        let mut fair = Fair::new(seed, starts.iter().map(|(price, _)| *price), flow.volatility);
        let first_minute = start - start.rem_euclid(60_000);
        for back in (1..=i64::try_from(history).unwrap_or(0)).rev() {
            past_minute(&mut fair, markets, starts, first_minute - back * 60_000);
        }
        for (symbol, market) in markets.iter_mut().enumerate().filter(|(_, market)| market.last == Price::default()) {
            let instrument = &market.rules.instrument; // without a past, the last price is the first one
            market.last = instrument.price_near(fair.price(symbol)).map_or(market.last, |it| instrument.tick_down(it));
        }
        let agents =
            starts.iter().enumerate().map(|(symbol, (_, size))| Agents::new(seed, symbol, *size, flow)).collect();
        let step = i64::try_from(flow.step.as_millis()).unwrap_or(i64::MAX).max(1);
        let next_step = start - start.rem_euclid(step) + step;
        Self { fair, agents, next_step, step, start, crash: flow.crash }
    }

    /// The fair price of a symbol at `now`, and how busy it is: in a crash both are not what they would be.
    fn mood(&self, listing: usize, now: i64) -> (f64, f64) {
        let (fair, activity) = (self.fair.price(listing), self.fair.activity(listing));
        match self.crash.and_then(|crash| crash.part_at(now - self.start)) {
            Some(part) => (fair * part, BUSIEST),
            None => (fair, activity),
        }
    }
}

/// One minute before the opening: the fair price in twelve strides, one trade at each.
fn past_minute(fair: &mut Fair, markets: &mut [Market], starts: &[(f64, f64)], open_time: i64) {
    let mut candles: Vec<Option<Candle>> = vec![None; markets.len()];
    for _ in 0..12 {
        fair.step(1.0 / 12.0);
        for (symbol, candle) in candles.iter_mut().enumerate() {
            let instrument = &markets[symbol].rules.instrument;
            let Some(price) = instrument.price_near(fair.price(symbol)) else { continue };
            let price = instrument.tick_down(price);
            let size = starts[symbol].1 * 5.0 * fair.activity(symbol) * fair.size();
            let Some(quantity) = instrument.quantity_near(size) else { continue };
            let quantity = instrument.whole_lots(quantity).max(instrument.spec.min_quantity);
            let taker = if fair.heads() { Side::Buy } else { Side::Sell };
            let candle = candle.get_or_insert_with(|| Candle::flat(open_time, price));
            candle.add(price, quantity, markets[symbol].rules.notional(price, quantity), taker, -1);
        }
    }
    for (market, candle) in markets.iter_mut().zip(candles) {
        if let Some(candle) = candle {
            market.last = candle.close;
            market.candles.push(candle);
        }
    }
}

impl World {
    /// Opens the market: first candles and, if it is simulated, the first ladder.
    pub(super) fn open_market(&mut self, source: Source) {
        for market in &mut self.markets {
            if !matches!(source, Source::Bars(_)) {
                market.begin(self.now, market.last);
            }
        }
        if let Source::Simulated(mut simulation) = source {
            for listing in 0..self.markets.len() {
                let fair = simulation.fair.price(listing);
                let acts = simulation.agents[listing].opening(&self.markets[listing].rules.instrument, fair);
                self.carry_out(listing, &mut simulation.agents[listing], acts);
            }
            self.source = Some(Source::Simulated(simulation));
        } else {
            self.source = Some(source);
        }
        self.tell_best();
        self.events.clear();
    }

    /// Steps of order flow until `to`.
    pub(super) fn simulate(&mut self, simulation: &mut Simulation, to: i64) {
        #[allow(clippy::cast_precision_loss)]
        let seconds = simulation.step as f64 / 1_000.0;
        while simulation.next_step <= to {
            self.set_time(simulation.next_step);
            simulation.next_step += simulation.step;
            simulation.fair.step(seconds / 60.0);
            for (listing, id) in std::mem::take(&mut self.departed) {
                simulation.agents[listing].gone(id);
            }
            for listing in 0..self.markets.len() {
                let best = [Side::Buy, Side::Sell].map(|side| self.best(listing, side).map(|(price, _)| price));
                let (fair, activity) = simulation.mood(listing, self.now);
                let instrument = self.markets[listing].rules.instrument.clone();
                let agents = &mut simulation.agents[listing];
                let acts = agents.step(&instrument, fair, best, activity, seconds);
                self.carry_out(listing, agents, acts);
            }
            self.finish();
        }
    }

    fn carry_out(&mut self, listing: usize, agents: &mut Agents, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Withdraw { id } => {
                    agents.gone(id);
                    self.drop_quote(listing, id);
                }
                Act::Quote { side, price, quantity } => {
                    let (id, happenings) = self.market_order(listing, side, price, quantity, Force::Gtc);
                    if happenings.iter().any(|happening| matches!(happening, Happening::Rested { .. })) {
                        agents.rests(id, side, price);
                    }
                }
                Act::Take { side, price, quantity } => {
                    self.market_order(listing, side, price, quantity, Force::Ioc);
                }
            }
            for (_, id) in self.departed.extract_if(.., |(at, _)| *at == listing) {
                agents.gone(id);
            }
        }
    }

    /// Leaves an order of `side` that takes something now so many percent of what it asks for: the makers in its way
    /// withdraw, but for one at the best price. False, and nothing changes, where it would take nothing, where that part
    /// of it is no lot, and on a tape, whose market has no makers.
    pub(crate) fn thin_out(
        &mut self,
        listing: usize,
        side: Side,
        limit: Option<Price>,
        quantity: Quantity,
        percent: u8,
    ) -> bool {
        let instrument = &self.markets[listing].rules.instrument;
        let part = i128::from(quantity.mantissa()) * i128::from(percent.min(100)) / 100;
        let part = Quantity::from_mantissa(i64::try_from(part).expect("a part is no more than the whole"));
        let part = instrument.whole_lots(part);
        let is_enough = part >= instrument.spec.min_quantity;
        let Some((best, _)) = self.best(listing, side.opposite()).filter(|_| is_enough) else { return false };
        let out_of_reach = limit.is_some_and(|limit| (best.mantissa() - limit.mantissa()) * side.sign() > 0);
        let mut simulation = match self.source.take() {
            Some(Source::Simulated(simulation)) if !out_of_reach => simulation,
            other => {
                self.source = other;
                return false;
            }
        };
        let agents = &mut simulation.agents[listing];
        let mut acts: Vec<Act> = agents.resting(side.opposite()).into_iter().map(|id| Act::Withdraw { id }).collect();
        acts.push(Act::Quote { side: side.opposite(), price: best, quantity: part });
        self.carry_out(listing, agents, acts);
        self.source = Some(Source::Simulated(simulation));
        true
    }

    fn drop_quote(&mut self, listing: usize, id: u64) {
        if let Some((side, price)) = self.books[listing].place_of(id)
            && self.books[listing].cancel(id)
        {
            self.markets[listing].touch(side, price);
        }
    }

    /// One order of the market's own participants.
    pub(super) fn market_order(
        &mut self,
        listing: usize,
        side: Side,
        price: Price,
        quantity: Quantity,
        force: Force,
    ) -> (u64, Vec<Happening>) {
        let incoming = self.market_incoming(side, price, quantity, force);
        let happenings = self.books[listing].submit(&incoming, self.now);
        self.settle(listing, &incoming, happenings.clone());
        self.wake();
        (incoming.id, happenings)
    }

    /// The same on its way to a book, with a number of its own.
    pub(super) fn market_incoming(&mut self, side: Side, price: Price, quantity: Quantity, force: Force) -> Incoming {
        let id = self.next_order;
        self.next_order += 1;
        Incoming {
            id,
            owner: MARKET,
            side,
            limit: Some(price),
            quantity,
            force,
            post_only: false,
            self_trade: SelfTrade::Allow,
        }
    }
}
