//! Words for tests.

use tradewind_domain::{
    Incarnation, Instrument, InstrumentId, InstrumentSpec, OrderRequest, PortfolioId, Quantity, Side, Source, Timestamp,
};
use tradewind_governance::{Act, At, Held, Mode, Name, Principal, Register, Role, Usage, Wish};

pub(crate) const ONE: i64 = 100_000_000;
pub(crate) const RUN: Incarnation = Incarnation(7);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn person(text: &str, roles: &[Role]) -> Principal {
    Principal::person(name(text), roles.iter().copied())
}

pub(crate) fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + seconds * 1_000_000_000)
}

pub(crate) fn bitcoin() -> Instrument {
    InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance").list(InstrumentId(0)).unwrap()
}

pub(crate) fn wish(source: Source) -> Wish {
    let it = bitcoin();
    let request = OrderRequest::market(it.id, Side::Buy, Quantity::from_mantissa(1_000));
    let by = Principal::of_source(source).name;
    Wish::of_order(by, source, PortfolioId(0), &it, request, "it looks cheap")
}

pub(crate) fn usage() -> Usage {
    Usage {
        now: seconds(0),
        mode: Mode::Paper,
        notional: Some(i128::from(100 * ONE)),
        reduces: false,
        exposure: Some(0),
        source_day: 0,
        source_orders: 0,
        day: 0,
    }
}

pub(crate) fn at(sequence: u64, second: i64) -> At {
    At { sequence, now: seconds(second), incarnation: RUN }
}

/// A register with events numbered for it: says a word, records what follows from it.
pub(crate) struct World {
    pub(crate) register: Register,
    pub(crate) sequence: u64,
    pub(crate) incarnation: Incarnation,
    /// Proposals in the order in which they were released.
    pub(crate) released: Vec<u64>,
}

impl World {
    pub(crate) fn new(operators: Vec<Principal>) -> Self {
        let mut world = Self { register: Register::default(), sequence: 0, incarnation: RUN, released: Vec::new() };
        world.say(Act::OperatorsSet { operators, tokens: Default::default() }, 0);
        world
    }

    /// Steps `act` at `second` and all that follows from it; gives back the facts that answer it.
    pub(crate) fn say(&mut self, act: Act, second: i64) -> Vec<Act> {
        self.sequence += 1;
        let at = At { sequence: self.sequence, now: seconds(second), incarnation: self.incarnation };
        self.register.apply(&act, at);
        self.check_reads_back(&act);
        if let Some(held) = self.register.released_by(self.sequence) {
            self.released.push(held.id);
        }
        let facts = self.register.judge(&act, at);
        for fact in facts.clone() {
            self.say(fact, second);
        }
        facts
    }

    /// What a snapshot would keep is what it gives back, whatever was said.
    fn check_reads_back(&self, act: &Act) {
        let text = serde_json::to_string(&self.register).unwrap();
        let read: Result<Register, _> = serde_json::from_str(&text);
        assert!(read.as_ref().is_ok_and(|read| *read == self.register), "after {act:?}: {read:?} of {text}");
    }

    /// Holds a proposal of `source` that needs `quorum` persons; gives back its number.
    pub(crate) fn hold(&mut self, source: Source, quorum: u8, second: i64) -> u64 {
        let id = self.sequence + 1;
        let held = Held::new(id, wish(source), quorum, seconds(second), self.incarnation);
        self.say(Act::Held(Box::new(held)), second);
        id
    }

    pub(crate) fn held(&self, id: u64) -> &Held {
        &self.register.proposals[&id]
    }

    pub(crate) fn approve(&mut self, id: u64, by: &Principal, second: i64) -> Result<(), String> {
        let hash = self.held(id).hash.clone();
        code(&self.say(Act::ApprovalSaid { proposal: id, hash, by: by.clone() }, second))
    }
}

/// The code of a refusal among `facts`.
pub(crate) fn code(facts: &[Act]) -> Result<(), String> {
    match facts {
        [Act::Refused(refused)] => Err(refused.info().code.to_owned()),
        _ => Ok(()),
    }
}

/// Whether something was there before does not matter here.
pub(crate) fn put<T>(_: T) {}
