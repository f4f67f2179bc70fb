//! What the gate lately said: of its last 1,000 verdicts, in all and of each portfolio, how many passed, passed with a
//! plan put right, or were blocked, by which guard and on whose wish.
//!
//! Computed from the journal when somebody asks, rather than folded into the state: the order path then pays nothing for
//! it, state hashes stay what they are, and the answer is there for journals of any age and for a node that is down. One
//! pass over the records; those that cannot matter are skipped before they are parsed, and memory is bounded.

use crate::data_dir::DataDir;
use crate::error::NodeError;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use tradewind_domain::{ClientOrderId, PortfolioId, Sequence, Source};
use tradewind_engine::algo::ParentEvent;
use tradewind_engine::{Event, EventKind, RiskAct, Verdict, decode};
use tradewind_governance::{Act, Name, Principal};
use tradewind_journal::{ReadError, Reader};

/// Verdicts that are looked back on.
pub const AUDITS_KEPT: usize = 1_000;
/// Proposals whose source is remembered until their verdict: people have 120 seconds for it.
const PROPOSALS_KEPT: usize = 16_384;

/// The last verdicts of a data directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditStatistics {
    /// How many verdicts are looked back on at most, in all and of each portfolio.
    pub window: usize,
    /// In all.
    pub all: AuditTally,
    /// Of each portfolio that was ever judged, by its id.
    pub portfolios: Vec<AuditTally>,
}

/// What became of the last verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditTally {
    /// Of which portfolio, by name; `all` for all of them.
    pub of: String,
    /// Verdicts counted.
    pub judged: usize,
    /// Orders that the gate approved.
    pub passed: usize,
    /// Of those, the ones whose plan was put right first.
    pub corrected: usize,
    /// Proposals that it refused.
    pub blocked: usize,
    /// Of the approved, the ones that name no decision.
    pub without_decision: usize,
    /// Records of the first and the last verdict counted.
    pub records: Option<(Sequence, Sequence)>,
    /// Blocks by what refused, the most frequent first.
    pub by_guard: Vec<GuardBlocks>,
    /// By whose wish it was, by name.
    pub by_source: Vec<SourceAudits>,
}

/// How often one guard or rule refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardBlocks {
    /// Its stable code.
    pub code: String,
    /// Its name.
    pub guard: String,
    /// How often.
    pub blocked: usize,
}

/// What became of one source's wishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceAudits {
    /// Its name, such as `strategy-0` or a person's.
    pub source: String,
    /// Verdicts on its wishes.
    pub judged: usize,
    /// Of those, the refusals.
    pub blocked: usize,
}

/// One verdict.
#[derive(Clone, Debug)]
struct Audit {
    sequence: Sequence,
    source: String,
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Passed { client_id: ClientOrderId, corrected: bool, decided: bool },
    Blocked { code: &'static str, guard: String },
}

/// The windows, while events go by.
#[derive(Default)]
struct Audits {
    names: Vec<String>,
    all: VecDeque<Audit>,
    portfolios: BTreeMap<PortfolioId, VecDeque<Audit>>,
    /// Whose wish each of the newest proposals was.
    wishes: BTreeMap<Sequence, String>,
    /// Who spoke last, and the record after which its wish stands, in journals of before wishes named their person.
    spoke: Option<(Sequence, String)>,
}

/// What the gate said in the last 1,000 verdicts of a data directory, also while a node writes it.
///
/// # Errors
/// [`NodeError`] if the journal cannot be read.
pub fn audit_statistics(data_dir: &Path) -> Result<AuditStatistics, NodeError> {
    let dir = DataDir::new(data_dir).journal();
    let mut reader = match Reader::open(&dir, 1) {
        Err(ReadError::Removed { oldest, .. }) => Reader::open(&dir, oldest)?,
        other => other?,
    };
    let mut audits = Audits::default();
    while let Some(record) = reader.next()? {
        if matters(record.payload) {
            let event = decode(record.payload).map_err(|source| NodeError::Record { sequence: record.seq, source })?;
            audits.feed(&event);
        }
    }
    Ok(audits.statistics())
}

/// Whether a record may hold something that is counted here: told from the first bytes of its kind, since most records
/// are of the market. Within a text every quotation mark is escaped, so no words can look like a kind.
fn matters(record: &[u8]) -> bool {
    const KIND: &[u8] = b"\"kind\":{\"type\":\"";
    const KINDS: [&[u8]; 6] = [b"judged\"", b"proposed", b"parent\"", b"governance\"", b"risk\"", b"opened\""];
    let Some(at) = record.windows(KIND.len()).position(|window| window == KIND) else { return true };
    let kind = &record[at + KIND.len()..];
    KINDS.iter().any(|known| kind.starts_with(known))
}

impl Audits {
    fn feed(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Opened { name, .. } => self.names.push(name.clone()),
            EventKind::Proposed(proposal) => self.wished(event, proposal.source),
            EventKind::ProposedPair { pair } => self.wished(event, pair[0].source),
            EventKind::Parent(said) => match &**said {
                ParentEvent::Wished { wish } => self.wished(event, wish.source),
                ParentEvent::Child { proposal, .. } => self.wished(event, proposal.source),
                ParentEvent::Pair { pair, .. } => self.wished(event, pair[0].source),
                ParentEvent::Opened { .. } | ParentEvent::Asked { .. } | ParentEvent::Moved { .. } => (),
            },
            EventKind::Governance(act) => self.said(event, act),
            EventKind::Judged(verdict) => self.judged(event, verdict),
            EventKind::Risk(act) => match &**act {
                RiskAct::Planned { client_id, corrections, .. } if !corrections.is_empty() => {
                    self.corrected(*client_id, event.portfolio);
                }
                RiskAct::Resized { client_id, .. } => self.corrected(*client_id, event.portfolio),
                _ => (),
            },
            _ => (),
        }
    }

    fn wished(&mut self, event: &Event, source: Source) {
        let named = event.spoken.as_ref().and_then(|spoken| spoken.by.as_ref()).map(Name::to_string);
        let spoke = self.spoke.as_ref().filter(|(at, _)| source == Source::Operator && at + 1 == event.sequence);
        let name = named.or_else(|| spoke.map(|(_, name)| name.clone()));
        self.remember(event.sequence, name.unwrap_or_else(|| Principal::of_source(source).name.to_string()));
    }

    fn remember(&mut self, sequence: Sequence, name: String) {
        self.wishes.insert(sequence, name);
        if self.wishes.len() > PROPOSALS_KEPT {
            self.wishes.pop_first();
        }
    }

    fn said(&mut self, event: &Event, act: &Act) {
        match act {
            Act::Speaks { by } => self.spoke = Some((event.sequence, by.name.to_string())),
            Act::KeyClaimed { .. } => {
                let next = self.spoke.take().filter(|(at, _)| at + 1 == event.sequence);
                self.spoke = next.map(|(_, name)| (event.sequence, name));
            }
            // what was put aside is judged once the last approval is there, which is then the cause
            Act::Approved { proposal, .. } => {
                if let Some(name) = self.wishes.get(proposal).cloned() {
                    self.remember(event.sequence, name);
                }
            }
            _ => (),
        }
    }

    fn judged(&mut self, event: &Event, verdict: &Verdict) {
        let (outcome, own) = match verdict {
            Verdict::Approved(order) => {
                let (client_id, decided) = (order.client_id(), order.decision().is_some());
                (Outcome::Passed { client_id, corrected: false, decided }, order.source())
            }
            Verdict::Refused(refusal) => (Outcome::Blocked { code: refusal.code(), guard: name_of(refusal) }, None),
            Verdict::CancelApproved { .. }
            | Verdict::CancelRefused { .. }
            | Verdict::AmendApproved { .. }
            | Verdict::AmendRefused { .. } => return,
        };
        let wished = event.cause.and_then(|cause| self.wishes.get(&cause).cloned());
        let own = || own.map(|source| Principal::of_source(source).name.to_string());
        let source = wished.or_else(own).unwrap_or_else(|| "unknown".to_owned());
        let audit = Audit { sequence: event.sequence, source, outcome };
        for window in [&mut self.all, self.portfolios.entry(event.portfolio).or_default()] {
            window.push_back(audit.clone());
            if window.len() > AUDITS_KEPT {
                window.pop_front();
            }
        }
    }

    /// The plan of an order that has just passed was put right.
    fn corrected(&mut self, order: ClientOrderId, portfolio: PortfolioId) {
        for window in [Some(&mut self.all), self.portfolios.get_mut(&portfolio)].into_iter().flatten() {
            for audit in window.iter_mut().rev() {
                if let Outcome::Passed { client_id, corrected, .. } = &mut audit.outcome
                    && *client_id == order
                {
                    *corrected = true;
                    break;
                }
            }
        }
    }

    fn statistics(&self) -> AuditStatistics {
        let name = |id: &PortfolioId| self.names.get(id.index()).cloned().unwrap_or_else(|| format!("{}", id.0));
        let portfolios = self.portfolios.iter().map(|(id, window)| tally(name(id), window)).collect();
        AuditStatistics { window: AUDITS_KEPT, all: tally("all".to_owned(), &self.all), portfolios }
    }
}

/// What refused, as exactly as its code: the policy's rule, or else the guard.
fn name_of(refusal: &tradewind_gate::Refusal) -> String {
    refusal.rule.map_or_else(|| refusal.name(), |rule| format!("{rule:?}"))
}

fn tally(of: String, window: &VecDeque<Audit>) -> AuditTally {
    let mut tally = AuditTally { of, judged: window.len(), ..AuditTally::default() };
    tally.records = window.front().zip(window.back()).map(|(first, last)| (first.sequence, last.sequence));
    let mut guards: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut sources: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for audit in window {
        let source = sources.entry(&audit.source).or_default();
        source.0 += 1;
        match &audit.outcome {
            Outcome::Passed { corrected, decided, .. } => {
                tally.passed += 1;
                tally.corrected += usize::from(*corrected);
                tally.without_decision += usize::from(!decided);
            }
            Outcome::Blocked { code, guard } => {
                tally.blocked += 1;
                source.1 += 1;
                *guards.entry((code, guard)).or_default() += 1;
            }
        }
    }
    let of_guard = |((code, guard), blocked): ((&str, &str), usize)| GuardBlocks {
        code: code.to_owned(),
        guard: guard.to_owned(),
        blocked,
    };
    tally.by_guard = guards.into_iter().map(of_guard).collect();
    tally.by_guard.sort_by_key(|row| std::cmp::Reverse(row.blocked)); // stable: of equals the first code first
    let of_source =
        |(source, (judged, blocked)): (&str, _)| SourceAudits { source: source.to_owned(), judged, blocked };
    tally.by_source = sources.into_iter().map(of_source).collect();
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{
        Incarnation, InstrumentId, InstrumentSpec, Order, OrderRequest, Quantity, Side, Timestamp, TradePlan,
    };
    use tradewind_engine::{State, encode};
    use tradewind_gate::{Guard, Proposal, Refusal};
    use tradewind_governance::{Name, Role, Rule};
    use tradewind_risk::Correction;

    /// Events that go by, each through the codec and the filter that the journal's records pass.
    #[derive(Default)]
    struct Stage {
        audits: Audits,
        sequence: Sequence,
    }

    impl Stage {
        fn say(&mut self, source: Source, portfolio: u16, cause: Option<Sequence>, kind: EventKind) -> Sequence {
            self.sequence += 1;
            let at = Timestamp::from_millis(1);
            let (portfolio, event) = (PortfolioId(portfolio), Event::new(self.sequence, at, source, kind));
            let record = encode(&Event { portfolio, cause, ..event }, &State::default());
            if matters(&record) {
                self.audits.feed(&decode(&record).unwrap());
            }
            self.sequence
        }

        fn propose(&mut self, source: Source, portfolio: u16) -> Sequence {
            let reason = "\"kind\":{\"type\":\"timer\"".into();
            let (id, plan) = (PortfolioId(portfolio), None);
            let proposal = Proposal { source, portfolio: id, request: request(), reason, plan };
            self.say(source, portfolio, None, EventKind::Proposed(proposal))
        }

        fn pass(&mut self, cause: Sequence, portfolio: u16, decision: Option<Sequence>) -> ClientOrderId {
            let it = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test").list(InstrumentId(0)).unwrap();
            let (at, id) = (Timestamp::from_millis(1), PortfolioId(portfolio));
            let name = ClientOrderId::derive(at, Incarnation(1), id, cause);
            let order = Order::new(&it, id, name, request(), None).unwrap().following(decision);
            self.say(Source::Host, portfolio, Some(cause), EventKind::Judged(Verdict::Approved(order)));
            name
        }

        fn block(&mut self, cause: Sequence, portfolio: u16, guard: Guard, rule: Option<Rule>) {
            let refusal = Refusal { guard, value: "1".to_owned(), limit: "0".to_owned(), rule, breach: None };
            let verdict = Verdict::Refused(Box::new(refusal));
            self.say(Source::Host, portfolio, Some(cause), EventKind::Judged(verdict));
        }
    }

    fn request() -> OrderRequest {
        OrderRequest::market(InstrumentId(0), Side::Buy, Quantity::from_mantissa(100_000_000))
    }

    /// The code of each guard with what it blocked, and each source with what was judged and blocked of it.
    type Rows<'a> = (Vec<(&'a str, usize)>, Vec<(&'a str, usize, usize)>);

    fn rows(tally: &AuditTally) -> Rows<'_> {
        let guards = tally.by_guard.iter().map(|row| (row.code.as_str(), row.blocked)).collect();
        (guards, tally.by_source.iter().map(|row| (row.source.as_str(), row.judged, row.blocked)).collect())
    }

    #[test]
    fn verdicts_are_counted_by_portfolio_guard_and_source_and_corrections_as_corrections() {
        let mut stage = Stage::default();
        for (place, name) in (0..).zip(["main", "other"]) {
            let base = tradewind_domain::Currency::new("USDT").unwrap();
            stage.say(Source::Host, place, None, EventKind::Opened { base, name: name.to_owned() });
        }
        let asked = stage.propose(Source::Strategy(0), 0);
        let order = stage.pass(asked, 0, Some(asked - 1));
        let correction = Correction {
            what: "stop".to_owned(),
            from: "110".to_owned(),
            to: "95".to_owned(),
            reason: "on the wrong side".to_owned(),
        };
        let resized = RiskAct::Resized { client_id: order, correction: correction.clone() };
        stage.say(Source::Host, 0, None, EventKind::Risk(Box::new(resized)));
        assert_eq!(stage.audits.statistics().all.corrected, 1);
        for corrections in [vec![], vec![correction]] {
            let planned = RiskAct::Planned { client_id: order, plan: TradePlan::default(), corrections };
            stage.say(Source::Host, 0, None, EventKind::Risk(Box::new(planned)));
        }
        for _ in 0..2 {
            let asked = stage.propose(Source::Strategy(0), 1);
            stage.block(asked, 1, Guard::MaxOrder, None);
        }
        let asked = stage.propose(Source::Agent(3), 1);
        stage.block(asked, 1, Guard::Policy, Some(Rule::Decision));
        let anna = Principal::person(Name::new("anna").unwrap(), [Role::Trader]);
        stage.say(Source::Operator, 0, None, EventKind::Governance(Box::new(Act::Speaks { by: anna })));
        let asked = stage.propose(Source::Operator, 0);
        stage.pass(asked, 0, None);
        let asked = stage.propose(Source::Operator, 0);
        stage.pass(asked, 0, None);
        stage.say(Source::Host, 0, Some(asked), EventKind::Judged(Verdict::CancelApproved { client_id: order }));

        let found = stage.audits.statistics();
        let count = |it: &AuditTally| (it.judged, it.passed, it.corrected, it.blocked, it.without_decision);
        assert_eq!(count(&found.all), (6, 3, 1, 3, 2));
        let (guards, sources) = rows(&found.all);
        assert_eq!(guards, [("GATE-07", 2), ("GOV-38", 1)]);
        assert_eq!(sources, [("agent-3", 1, 1), ("anna", 1, 0), ("operator", 1, 0), ("strategy-0", 3, 2)]);
        let [main, other] = found.portfolios.as_slice() else { panic!("{found:?}") };
        assert_eq!((main.of.as_str(), count(main)), ("main", (3, 3, 1, 0, 2)));
        assert_eq!((other.of.as_str(), count(other)), ("other", (3, 0, 0, 3, 0)));
        assert_eq!(other.by_guard[1].guard, "Decision");
    }

    #[test]
    fn the_last_thousand_count_in_all_and_of_each_portfolio_for_itself() {
        let mut stage = Stage::default();
        let quiet = stage.propose(Source::Strategy(1), 1);
        stage.pass(quiet, 1, None);
        for n in 0..1_500 {
            let asked = stage.propose(Source::Strategy(0), 0);
            let guard = if n < 500 { Guard::Funds } else { Guard::MaxOrder };
            stage.block(asked, 0, guard, None);
        }
        let found = stage.audits.statistics();
        for tally in [&found.all, &found.portfolios[0]] {
            assert_eq!((tally.judged, tally.blocked), (AUDITS_KEPT, AUDITS_KEPT));
            assert_eq!(rows(tally).0, [("GATE-07", AUDITS_KEPT)], "the first five hundred are forgotten");
            assert_eq!(tally.records, Some((stage.sequence - 1_998, stage.sequence)));
        }
        assert_eq!((found.portfolios[1].judged, found.portfolios[1].passed), (1, 1), "a quiet one is not crowded out");
    }

    #[test]
    fn what_people_released_is_counted_on_whoever_wished_for_it() {
        let mut stage = Stage::default();
        let asked = stage.propose(Source::Agent(0), 0);
        let by = Name::new("anna").unwrap();
        let act = Act::Approved { proposal: asked, by };
        let approved = stage.say(Source::Host, 0, None, EventKind::Governance(Box::new(act)));
        stage.block(approved, 0, Guard::Halt, None);
        stage.block(7_777, 0, Guard::Halt, None);
        assert_eq!(rows(&stage.audits.statistics().all).1, [("agent-0", 1, 1), ("unknown", 1, 1)]);
    }
}
