//! Orders that become other orders, in a person's words: brackets, schedules, icebergs, ladders, replacements.

use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, done, failed, refused};
use crate::words::{OrderWords, read_order, read_trade_plan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_domain::{
    ClientOrderId, Coded, Instrument, InstrumentId, OrderKind, OrderRecord, OrderRequest, OrderState, PortfolioId,
    Price, Quantity, Source, Timestamp, TradePlan,
};
use tradewind_engine::algo::{
    Ask, Child, ChildState, Parent, ParentEvent, ParentId, ParentState, ParentWish, Participation, Plan, Protection,
    Rung, Schedule,
};
use tradewind_engine::{Amend, EventKind, State, Verdict};
use tradewind_governance::Principal;

const NANOS: i64 = 1_000_000_000;
/// Why a parent is paused that the end of a run paused.
const STOPPING: &str = "the node is stopping";

/// A wish for an order that becomes other orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentWords {
    /// What is wanted in all.
    pub order: OrderWords,
    /// How.
    pub plan: PlanWords,
}

/// How a wish becomes orders. Prices and sizes are decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan", deny_unknown_fields)]
pub enum PlanWords {
    /// Protect what fills.
    Bracket {
        /// Limit price at which to be content.
        #[serde(default)]
        target: Option<String>,
        /// Trigger price at which to give in.
        #[serde(default)]
        stop: Option<String>,
        /// Limit price of the stop once it is triggered; a market order without.
        #[serde(default)]
        stop_limit: Option<String>,
    },
    /// Even slices.
    Twap {
        /// From the first slice to the end.
        seconds: u32,
        /// How many.
        slices: u32,
    },
    /// Slices along a volume curve.
    VwapCurve {
        /// From the first slice to the end.
        seconds: u32,
        /// The volume that each slice usually sees, in any unit.
        weights: Vec<u32>,
    },
    /// A part of the volume that trades.
    VwapRate {
        /// How long at most.
        seconds: u32,
        /// Which part, in basis points.
        rate_bps: u32,
        /// The smallest order worth sending; the smallest that the venue takes without.
        #[serde(default)]
        clip: Option<String>,
    },
    /// Only a tip at a time.
    Iceberg {
        /// How much of it.
        display: String,
    },
    /// Even limit orders from one price to another.
    Scale {
        /// The first price; the order's own limit price without.
        from: String,
        /// The last one.
        to: String,
        /// How many orders.
        orders: u32,
    },
}

/// New terms for an open order; what is not given stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaceWords {
    /// The order's name, 32 hex digits.
    pub client_id: ClientOrderId,
    /// New limit price.
    #[serde(default)]
    pub price: Option<String>,
    /// New trigger price.
    #[serde(default)]
    pub trigger: Option<String>,
    /// New quantity in all, what has filled already included.
    #[serde(default)]
    pub quantity: Option<String>,
}

/// A parent as people list it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParentView {
    /// Its name, such as `p7`.
    pub parent: String,
    /// Its plan: `bracket`, `twap`, `vwap`, `iceberg`, `scale`, `replace` or `wait`.
    pub plan: String,
    /// Whose it is.
    pub portfolio: String,
    /// Who asked for it: a person's name, or a strategy's or an agent's.
    #[serde(default)]
    pub by: String,
    /// Unified symbol.
    pub symbol: String,
    /// Buy or sell.
    pub side: String,
    /// Kind of order.
    pub order_type: String,
    /// How much was asked for.
    pub amount: String,
    /// How much of that its orders filled; of a bracket its entry alone.
    pub filled: String,
    /// `working`, `paused`, `guarding` (it enters nothing more), `ending` or `over`.
    pub status: String,
    /// Why, once it does not simply work.
    pub reason: Option<String>,
    /// Why its last order did not work, if it did not.
    pub fault: Option<String>,
    /// Where a trailing stop stands now.
    pub level: Option<String>,
    /// Where what it enters is left with a loss, if it says so.
    #[serde(default)]
    pub stop: Option<String>,
    /// Where it is left with a profit.
    #[serde(default)]
    pub target: Option<String>,
    /// When it was opened.
    pub opened_at: String,
    /// Its orders, in the order in which they were proposed.
    pub orders: Vec<ChildView>,
}

/// An order of a parent, as people list it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChildView {
    /// Its name.
    pub client_id: String,
    /// What it is for.
    pub role: String,
    /// `asked`, `open`, `unknown` or how it ended.
    pub status: String,
    /// How much was asked for.
    pub amount: String,
    /// How much filled.
    pub filled: String,
}

type Read<T> = Result<T, Box<OperatorReply>>;

fn coded(error: &dyn Coded) -> Box<OperatorReply> {
    Box::new(failed(error.code(), error.to_string(), error.hint()))
}

fn price(it: &Instrument, text: &str) -> Read<Price> {
    it.price(text).map_err(|error| coded(&error))
}

fn quantity(it: &Instrument, text: &str) -> Read<Quantity> {
    it.quantity(text).map_err(|error| coded(&error))
}

fn read_plan(it: &Instrument, words: &PlanWords, request: &mut OrderRequest, now: Timestamp) -> Read<Plan> {
    let optional = |text: &Option<String>| text.as_deref().map(|text| price(it, text)).transpose();
    let nanos = |seconds: u32| i64::from(seconds) * NANOS;
    Ok(match words {
        PlanWords::Bracket { target, stop, stop_limit } => {
            let (target, stop, stop_limit) = (optional(target)?, optional(stop)?, optional(stop_limit)?);
            Plan::Bracket(Protection { target, stop, stop_limit })
        }
        PlanWords::Twap { seconds, slices } => Plan::Schedule(Schedule::even(now, nanos(*seconds), *slices)),
        PlanWords::VwapCurve { seconds, weights } => {
            let slices = u32::try_from(weights.len()).unwrap_or(u32::MAX);
            Plan::Schedule(Schedule { weights: weights.clone(), ..Schedule::even(now, nanos(*seconds), slices) })
        }
        PlanWords::VwapRate { seconds, rate_bps, clip } => Plan::Participate(Participation {
            rate_bps: *rate_bps,
            clip: clip.as_deref().map_or(Ok(it.spec.min_quantity), |text| quantity(it, text))?,
            until: now.plus_nanos(nanos(*seconds)),
        }),
        PlanWords::Iceberg { display } => Plan::Iceberg { display: quantity(it, display)? },
        PlanWords::Scale { from, to, orders } => {
            let (from, to) = (price(it, from)?, price(it, to)?);
            request.kind = OrderKind::Limit { price: from };
            Plan::even_ladder(it, request.quantity, from, to, *orders).ok_or_else(|| {
                let message = format!("{} cannot be cut into {orders} orders", it.quantity_text(request.quantity));
                Box::new(failed("ENG-10", message, "ask for fewer orders, at least one, or a larger quantity"))
            })?
        }
    })
}

impl Core {
    /// Opens a parent, or says why not.
    pub(crate) fn place_parent(&mut self, words: &ParentWords) -> Result<OperatorReply, NodeError> {
        let portfolio = match self.portfolio_named(words.order.portfolio.as_deref()) {
            Ok(portfolio) => portfolio,
            Err(reply) => return Ok(*reply),
        };
        let now = self.now();
        let read = match self.host.state.find(&words.order.symbol) {
            None => Err(Box::new(self.no_such_symbol(&words.order.symbol))),
            Some(it) => read_order(it, &words.order).and_then(|mut request| {
                let plan = read_plan(it, &words.plan, &mut request, now)?;
                Ok((request, plan, read_trade_plan(it, &words.order)?))
            }),
        };
        match read {
            Ok((request, plan, trade)) => self.wish(portfolio, request, plan, trade),
            Err(reply) => Ok(*reply),
        }
    }

    /// Takes an order's place with new terms.
    pub(crate) fn replace(&mut self, words: &ReplaceWords) -> Result<OperatorReply, NodeError> {
        let list = "see `tradewind order list`";
        let old = words.client_id;
        let Some(record) = self.host.state.open.get(&old) else {
            return Ok(failed("NODE-10", format!("order {old} cannot be replaced: it is not open"), list));
        };
        let it = &self.host.state.listing(record.order.instrument()).instrument;
        let (portfolio, request) = (record.order.portfolio(), *record.order.request());
        let is_smaller = |new: &OrderRequest| new.kind == request.kind && new.quantity < request.quantity;
        match new_terms(it, request, words) {
            Ok(new) if is_smaller(&new) && self.may_amend(record) => self.amend(old, new.quantity),
            Ok(request) => self.wish(portfolio, request, Plan::Replace { old }, None),
            Err(reply) => Ok(*reply),
        }
    }

    /// Whether the venue makes this order smaller in its place; any other change is a cancel and a new order.
    fn may_amend(&self, record: &OrderRecord) -> bool {
        let order = &record.order;
        matches!(order.kind(), OrderKind::Limit { .. })
            && order.request().oco.is_none()
            && !order.client_id().is_foreign()
            && record.state == OrderState::Working
            && self.host.state.parents.parent_of(order.client_id()).is_none()
            && self.host.outside.connection.rules(order.instrument()).is_some_and(|rules| rules.amend)
    }

    fn amend(&mut self, client_id: ClientOrderId, quantity: Quantity) -> Result<OperatorReply, NodeError> {
        let kind = EventKind::Amend { client_id, said: Amend::Proposed { quantity } };
        let verdict = self.verdict_on(PortfolioId(0), kind)?;
        Ok(match (verdict, self.host.state.order(client_id)) {
            (Some(Verdict::AmendRefused { reason, .. }), _) => {
                let message = format!("order {client_id} cannot be made smaller: {reason}");
                failed("NODE-10", message, "see `tradewind order list`")
            }
            (_, Some(record)) => done(&self.view(record)),
            (_, None) => failed("NODE-10", format!("there is no order {client_id}"), "see `tradewind order list`"),
        })
    }

    fn wish(
        &mut self,
        portfolio: PortfolioId,
        request: OrderRequest,
        plan: Plan,
        trade: Option<Box<TradePlan>>,
    ) -> Result<OperatorReply, NodeError> {
        let reason = format!("an operator's {}", plan.word());
        let wish = ParentWish { entry: None, trade, source: Source::Operator, portfolio, request, plan, reason };
        let (id, event) = (self.host.state.parents.next_id(), self.host.state.sequence + 1);
        let kind = EventKind::Parent(Box::new(ParentEvent::Wished { wish }));
        let verdict = self.verdict_on(portfolio, kind)?;
        if let (None, Some(held)) = (&verdict, self.held_reply(event)) {
            return Ok(held); // the whole of it waits for people
        }
        Ok(self.parent_opened(id, verdict))
    }

    /// The brackets that were asked to close what `request` would, if any were.
    pub(crate) fn leaving(&self, portfolio: PortfolioId, request: &OrderRequest) -> Option<OperatorReply> {
        let state = &self.host.state;
        let asked = |parent: &&Parent| {
            let wish = &parent.wish;
            !parent.seen.leave.is_zero()
                && (wish.portfolio, wish.request.instrument) == (portfolio, request.instrument)
                && wish.request.side != request.side
        };
        state.parents.live().find(asked).map(|parent| done(&parent_view(state, parent)))
    }

    /// The answer to a wish for the parent that would be called `id`.
    pub(crate) fn parent_opened(&self, id: ParentId, verdict: Option<Verdict>) -> OperatorReply {
        match (self.host.state.parents.get(id), verdict) {
            (Some(parent), _) => done(&parent_view(&self.host.state, parent)),
            (None, Some(Verdict::Refused(refusal))) => refused(&refusal),
            (None, _) => failed("NODE-06", "the gate gave no verdict", "look at the journal"),
        }
    }

    /// Every parent, living ones first.
    pub(crate) fn parent_views(&self) -> Vec<ParentView> {
        let state = &self.host.state;
        state.parents.live().chain(state.parents.over()).map(|parent| parent_view(state, parent)).collect()
    }

    /// Asks something of a parent.
    pub(crate) fn ask_parent(&mut self, id: u64, ask: Ask, reason: &str) -> Result<OperatorReply, NodeError> {
        let (parent, list) = (ParentId(id), "see `tradewind order parents`");
        let portfolio = match self.host.state.parents.get(parent) {
            None => return Ok(failed("NODE-10", format!("there is no parent {parent}"), list)),
            Some(known) if known.is_over() => {
                return Ok(failed("NODE-10", format!("parent {parent} is over"), list));
            }
            Some(known) => known.wish.portfolio,
        };
        let said = ParentEvent::Asked { parent, ask, reason: reason.to_owned() };
        self.verdict_on(portfolio, EventKind::Parent(Box::new(said)))?;
        Ok(self.parent_opened(parent, None))
    }

    /// Lets no parent propose while the node ends; what it cancels is put back by [`Self::resume_parents`].
    pub(crate) fn pause_parents(&mut self) -> Result<(), NodeError> {
        let working = |parent: &&Parent| parent.state == ParentState::Working;
        let working: Vec<u64> = self.host.state.parents.live().filter(working).map(|parent| parent.id.0).collect();
        for id in working {
            self.ask_parent(id, Ask::Pause, STOPPING)?;
        }
        Ok(())
    }

    /// Lets those go on that the end of the last run paused.
    pub(crate) fn resume_parents(&mut self) -> Result<(), NodeError> {
        let paused = |parent: &&Parent| matches!(&parent.state, ParentState::Paused { reason } if reason == STOPPING);
        let paused: Vec<u64> = self.host.state.parents.live().filter(paused).map(|parent| parent.id.0).collect();
        for id in paused {
            self.ask_parent(id, Ask::Resume, "the node runs again")?;
        }
        Ok(())
    }

    /// Asks every living parent to stop and to cancel all of its orders.
    pub(crate) fn abandon_parents(&mut self, reason: &str) -> Result<(), NodeError> {
        let live: Vec<u64> = self.host.state.parents.live().map(|parent| parent.id.0).collect();
        for id in live {
            self.ask_parent(id, Ask::Abandon, reason)?;
        }
        Ok(())
    }
}

fn new_terms(it: &Instrument, old: OrderRequest, words: &ReplaceWords) -> Read<OrderRequest> {
    let limit = words.price.as_deref().map(|text| price(it, text)).transpose()?;
    let trigger = words.trigger.as_deref().map(|text| price(it, text)).transpose()?;
    let none = |what: &str| {
        let message = format!("a {} order has no {what}", old.kind.word());
        Err(Box::new(failed("NODE-12", message, "give what the order has: --price, --trigger or --quantity")))
    };
    let kind = match (old.kind, limit, trigger) {
        (kind, None, None) => kind,
        (OrderKind::Limit { .. }, Some(price), None) => OrderKind::Limit { price },
        (OrderKind::Stop { .. }, None, Some(trigger)) => OrderKind::Stop { trigger },
        (OrderKind::Touched { .. }, None, Some(trigger)) => OrderKind::Touched { trigger },
        (OrderKind::StopLimit { trigger: t, price: p }, price, trigger) => {
            OrderKind::StopLimit { trigger: trigger.unwrap_or(t), price: price.unwrap_or(p) }
        }
        (OrderKind::LimitTouched { trigger: t, price: p }, price, trigger) => {
            OrderKind::LimitTouched { trigger: trigger.unwrap_or(t), price: price.unwrap_or(p) }
        }
        (_, Some(_), _) => return none("limit price"),
        (_, None, Some(_)) => return none("trigger price"),
    };
    let quantity = words.quantity.as_deref().map_or(Ok(old.quantity), |text| quantity(it, text))?;
    Ok(OrderRequest { kind, quantity, ..old })
}

/// The plan that the engine wrote as `written`.
pub(crate) fn parent_plan(written: &str) -> Option<Plan> {
    serde_json::from_str(written).ok()
}

/// A plan as a person reads it before it is approved; the hash covers the plan as it was written.
pub(crate) fn plan_words(state: &State, instrument: InstrumentId, written: &str) -> Value {
    let (Some(plan), Some(listing)) = (parent_plan(written), state.listings.get(instrument.index())) else {
        return json!(written);
    };
    let it = &listing.instrument;
    let price = |price: Option<Price>| price.map_or_else(|| "none".to_owned(), |price| it.price_text(price));
    let seconds = |nanos: i64| tradewind_domain::format_decimal(nanos.into(), 9);
    let words = match &plan {
        Plan::Wait => "waits for its price".to_owned(),
        Plan::Bracket(Protection { target, stop, stop_limit }) => {
            format!("target {}, stop {}, stop limit {}", price(*target), price(*stop), price(*stop_limit))
        }
        Plan::Replace { old } => format!("takes the place of order {old}"),
        Plan::Iceberg { display } => format!("shows {} at a time", it.quantity_text(*display)),
        Plan::Schedule(schedule) => {
            let (slices, each) = (schedule.slices, seconds(schedule.every_nanos));
            let weights: Vec<String> = schedule.weights.iter().map(u32::to_string).collect();
            let curve =
                if weights.is_empty() { "even".to_owned() } else { format!("weighted {}", weights.join(" : ")) };
            format!("{slices} slices, {curve}, one each {each} s from {}", schedule.start)
        }
        Plan::Participate(part) => {
            let rate = tradewind_domain::format_decimal(part.rate_bps.into(), 2);
            format!("{rate} % of the volume until {}, at least {} an order", part.until, it.quantity_text(part.clip))
        }
        Plan::Ladder { rungs } => {
            let one = |rung: &Rung| format!("{} at {}", it.quantity_text(rung.quantity), it.price_text(rung.price));
            format!("{} orders: {}", rungs.len(), rungs.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    };
    json!(format!("{}: {words}", plan.word()))
}

pub(crate) fn parent_view(state: &State, parent: &Parent) -> ParentView {
    let request = &parent.wish.request;
    let it = &state.listing(request.instrument).instrument;
    let (status, reason) = match &parent.state {
        ParentState::Working => ("working", None),
        ParentState::Paused { reason } => ("paused", Some(reason.clone())),
        ParentState::Guarding { reason, .. } => ("guarding", Some(reason.clone())),
        ParentState::Ending { reason, .. } => ("ending", Some(reason.clone())),
        ParentState::Over { end, reason } => ("over", Some(format!("{}: {reason}", word(end)))),
    };
    let level = match request.kind {
        OrderKind::Trailing { offset, .. } => parent.seen.trail.level(request.side, offset),
        _ => None,
    };
    let ends = match parent.wish.plan {
        Plan::Bracket(protection) => Some(protection),
        _ => parent.wish.protection(),
    };
    ParentView {
        parent: parent.id.to_string(),
        plan: parent.wish.plan.word().to_owned(),
        portfolio: state.portfolio(parent.wish.portfolio).name.clone(),
        by: match &parent.behind {
            Some(behind) => behind.by.to_string(),
            None => Principal::of_source(parent.wish.source).name.to_string(),
        },
        symbol: it.spec.symbol.to_string(),
        side: word(&request.side),
        order_type: request.kind.word().to_owned(),
        amount: it.quantity_text(request.quantity),
        filled: it.quantity_text(parent.done()),
        status: status.to_owned(),
        reason,
        fault: [&parent.guard, &parent.faults, &parent.exit].into_iter().find_map(|it| it.fault.clone()),
        level: level.map(|level| it.price_text(level)),
        stop: ends.and_then(|ends| ends.stop).map(|stop| it.price_text(stop)),
        target: ends.and_then(|ends| ends.target).map(|target| it.price_text(target)),
        opened_at: parent.opened.to_string(),
        orders: parent.children.iter().map(|child| child_view(it, child)).collect(),
    }
}

fn child_view(it: &Instrument, child: &Child) -> ChildView {
    let status = match child.state {
        ChildState::Asked => "asked".to_owned(),
        ChildState::Open { unknown: true } => "unknown".to_owned(),
        ChildState::Open { unknown: false } => "open".to_owned(),
        ChildState::Over(end) => word(&end),
    };
    ChildView {
        client_id: child.client_id.to_string(),
        role: format!("{:?}", child.role).to_lowercase(),
        status,
        amount: it.quantity_text(child.quantity),
        filled: it.quantity_text(child.filled),
    }
}

/// The word that the journal uses for it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}
