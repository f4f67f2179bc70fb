//! Parents in a small world of their own: no gate, no venue, one market.

mod brackets;
mod failures;
mod properties;
mod replacing;
mod slices;

use super::Schedule;
use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use tradewind_domain::*;

const SECOND: i64 = 1_000_000_000;

fn it() -> Instrument {
    let symbol: Symbol = "BTC/USDT".parse().unwrap();
    let spec = InstrumentSpec {
        price_decimals: 0,
        quantity_decimals: 0,
        min_quantity: Quantity::from_mantissa(2),
        ..InstrumentSpec::spot(symbol, "binance")
    };
    spec.list(InstrumentId(0)).unwrap()
}

const fn price(mantissa: i64) -> Price {
    Price::from_mantissa(mantissa)
}
const fn lots(mantissa: i64) -> Quantity {
    Quantity::from_mantissa(mantissa)
}

fn wish(side: Side, quantity: i64, kind: OrderKind, plan: Plan) -> ParentWish {
    let request = OrderRequest { kind, ..OrderRequest::market(InstrumentId(0), side, lots(quantity)) };
    let reason = "a test".to_owned();
    ParentWish { entry: None, trade: None, source: Source::Operator, portfolio: PortfolioId(0), request, plan, reason }
}

/// What happens to a parent, its children named by their place.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many seconds pass.
    Wait(i64),
    /// The gate refuses the next proposal.
    Refuse,
    Fill(usize, i64),
    Accept(usize),
    Reject(usize),
    Cancel(usize),
    Lose(usize),
    Fee(usize, i64),
    Trade(i64),
    Volume(i64),
    Position(i64),
    Mark(i64),
    Ask(Ask),
    Restart,
}

/// A gate, a venue and a clock just good enough to show parents their world.
struct World {
    it: Instrument,
    now: Timestamp,
    parents: Parents,
    records: Vec<OrderRecord>,
    refuse: bool,
    mark: Price,
    position: Quantity,
    names: u128,
    log: Vec<String>,
}

impl World {
    fn new(wish: ParentWish) -> Self {
        wish.check(&it()).unwrap();
        let mut parents = Parents::default();
        parents.open(wish, Timestamp::from_nanos(0), None);
        Self::of(parents, Vec::new())
    }

    fn of(parents: Parents, records: Vec<OrderRecord>) -> Self {
        let (now, mark, position) = (Timestamp::from_nanos(0), price(100), Quantity::ZERO);
        let names = records.len() as u128;
        Self { it: it(), now, parents, records, refuse: false, mark, position, names, log: Vec::new() }
    }

    fn parent(&self) -> &Parent {
        self.parents.get(ParentId(1)).unwrap()
    }

    fn say(&mut self, text: &str) {
        self.log.push(format!("{}s {text}", self.now.nanos() / SECOND));
    }

    /// Does what is due until nothing is.
    fn run(&mut self) {
        for _ in 0..50 {
            let it = self.it.clone();
            let (now, mark, position) = (self.now, Some(self.mark), self.position);
            let look = Look {
                now,
                instrument: &it,
                mark,
                quote: None,
                position,
                room: None,
                others: Quantity::ZERO,
                may_propose: true,
                may_guard: true,
            };
            let due = self.parents.due(|_| look).map(|(_, due)| due);
            match due {
                None => return,
                Some(Due::One(role, request)) => self.propose(&[(role, request)]),
                Some(Due::Pair(pair)) => self.propose(&pair),
                Some(Due::Cancel(id)) => {
                    let place = self.records.iter().position(|it| it.order.client_id() == id).unwrap();
                    self.say(&format!("cancel {place}"));
                    self.parents.cancel_asked(id, self.now);
                }
                Some(Due::Move(state)) => {
                    self.say(&format!("{state:?}"));
                    self.parents.moved(ParentId(1), &state);
                }
            }
        }
        panic!("it never rests: {:#?}", self.log);
    }

    fn propose(&mut self, wishes: &[(Role, OrderRequest)]) {
        let slot = u32::try_from(self.parent().children.len()).unwrap();
        let named: Vec<_> = wishes
            .iter()
            .map(|(role, request)| {
                self.names += 1;
                (*role, ClientOrderId::from_u128(self.names), *request)
            })
            .collect();
        assert!(self.parents.ask(ParentId(1), slot, &named, (self.now, 0)));
        let refused = std::mem::take(&mut self.refuse);
        for (role, id, request) in &named {
            let kind = match (request.kind.trigger(), request.kind.limit()) {
                (None, None) => String::new(),
                (trigger, limit) => {
                    let at = trigger.or(limit).unwrap();
                    format!(" {} {}", request.kind.word(), at.mantissa())
                }
            };
            let side = if request.side == Side::Buy { "buy" } else { "sell" };
            let order = Order::new(&self.it, PortfolioId(0), *id, *request, Some(self.mark)).unwrap();
            if refused {
                self.say(&format!("refused: {role:?} {side} {}{kind}", request.quantity.mantissa()));
                self.parents.refused("too large", Refused::ForGood, self.now);
                return;
            }
            self.say(&format!("{}: {role:?} {side} {}{kind}", self.records.len(), request.quantity.mantissa()));
            self.records.push(OrderRecord::new(order, self.now));
            let record = self.records.last().unwrap().clone();
            self.parents.order(&record, self.now, Told::Plainly);
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(seconds) => self.now = self.now.plus_nanos(seconds * SECOND),
            Step::Refuse => self.refuse = true,
            Step::Fill(nth, quantity) => self.fill(nth, quantity),
            Step::Accept(nth) => self.input(nth, OrderInput::Accepted),
            Step::Reject(nth) => self.input(nth, OrderInput::Rejected),
            Step::Cancel(nth) => self.input(nth, OrderInput::Cancelled),
            Step::Lose(nth) => self.input(nth, OrderInput::AnswerLost),
            Step::Fee(nth, taken) => {
                let id = self.records[nth].order.client_id();
                self.parents.fee_taken(id, lots(taken));
                self.position -= lots(taken);
            }
            Step::Trade(at) => {
                self.mark = price(at);
                self.parents.on_trade(InstrumentId(0), price(at), Quantity::ZERO, self.now);
            }
            Step::Volume(quantity) => self.parents.on_trade(InstrumentId(0), self.mark, lots(quantity), self.now),
            Step::Position(quantity) => self.position = lots(quantity),
            Step::Mark(at) => self.mark = price(at),
            Step::Ask(ask) => self.parents.asked(ParentId(1), ask, "on request", self.now, &self.it),
            Step::Restart => {
                let text = serde_json::to_string(&self.parents).unwrap();
                self.parents = serde_json::from_str(&text).unwrap();
                self.parents.restarted(self.now);
            }
        }
        self.run();
    }

    fn input(&mut self, nth: usize, input: OrderInput) {
        let Some(record) = self.records.get_mut(nth) else { return };
        if record.on(input, self.now).is_ok() {
            self.parents.order(&record.clone(), self.now, Told::Plainly);
        }
    }

    fn fill(&mut self, nth: usize, quantity: i64) {
        let Some(record) = self.records.get_mut(nth) else { return };
        let left = record.order.quantity() - record.filled;
        let quantity = lots(quantity).min(left);
        if quantity.is_zero() {
            return;
        }
        let fee = Fee(Money::zero(Currency::new("USDT").unwrap()));
        let fill = Fill {
            client_id: record.order.client_id(),
            instrument: InstrumentId(0),
            trade_id: TradeId(0),
            side: record.order.side(),
            price: price(100),
            quantity,
            liquidity: Liquidity::Taker,
            fee,
        };
        if record.fill(&fill, self.now).is_ok() {
            self.position += record.order.side().signed(quantity);
            self.parents.order(&record.clone(), self.now, Told::Plainly);
        }
    }
}

#[allow(clippy::needless_pass_by_value)]
fn check(wish: ParentWish, steps: &[Step], want: Expect) {
    let mut world = World::new(wish);
    world.run();
    for step in steps {
        world.step(*step);
    }
    want.assert_eq(&(world.log.join("\n") + "\n"));
}

fn twap(seconds: i64, slices: u32) -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_nanos(0), seconds * SECOND, slices))
}

const LIMIT: OrderKind = OrderKind::Limit { price: price(90) };

const PROTECTION: Protection = Protection { target: Some(price(110)), stop: Some(price(90)), stop_limit: None };

#[test]
fn a_wish_that_means_nothing_is_named() {
    let refused = |wish: ParentWish| wish.check(&it()).unwrap_err().to_string();
    let market = OrderKind::Market;
    let bracket = |target, stop, stop_limit| Plan::Bracket(Protection { target, stop, stop_limit });
    let cases = [
        (0, market, twap(10, 1)),
        (10, market, Plan::Wait),
        (10, market, Plan::Iceberg { display: lots(5) }),
        (10, LIMIT, Plan::Iceberg { display: lots(0) }),
        (10, market, twap(10, 0)),
        (10, market, twap(0, 1)),
        (10, market, Plan::Schedule(Schedule { weights: vec![1], ..Schedule::even(Timestamp::default(), SECOND, 2) })),
        (10, market, Plan::Participate(Participation { rate_bps: 9_000, clip: lots(1), until: Timestamp::default() })),
        (10, LIMIT, Plan::Ladder { rungs: vec![Rung { price: price(90), quantity: lots(9) }] }),
        (10, market, bracket(None, None, None)),
        (10, market, bracket(Some(price(90)), Some(price(110)), None)),
        (10, LIMIT, bracket(Some(price(110)), Some(price(95)), None)),
        (10, market, bracket(Some(price(110)), None, Some(price(80)))),
        (10, OrderKind::Touched { trigger: price(90) }, bracket(Some(price(110)), Some(price(80)), None)),
    ];
    let text: Vec<String> = cases.into_iter().map(|(q, kind, plan)| refused(wish(Side::Buy, q, kind, plan))).collect();
    expect![[r#"
        a twap cannot have a quantity of 0: it takes whole lots
        a wait cannot have a market order: nothing to wait for
        a iceberg cannot have no limit price
        a iceberg cannot have a display of 0: it takes whole lots
        a twap cannot have fewer than 1 or more than 10,000 slices
        a twap cannot have slices less than a millisecond apart
        a vwap cannot have a curve that has not one weight a slice, or no weight at all
        a vwap cannot have a rate outside 1 to 5,000 basis points of the volume
        a scale cannot have rungs that do not sum to its quantity
        a bracket cannot have neither a target nor a stop
        a bracket cannot have a stop on the wrong side of its target
        a bracket cannot have a stop on the wrong side of its entry
        a bracket cannot have a stop limit without a stop
        a bracket cannot have a market-if-touched order: the venue does not keep those
    "#]]
    .assert_eq(&(text.join("\n") + "\n"));
}
