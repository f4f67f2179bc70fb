//! People beside the one who looks after halts: they approve what agents ask for, change limits two by two, and end what
//! runs on when the day is over.

use crate::orders::SECOND;
use crate::setup::{MAX_ORDER, MAX_POSITION, PORTFOLIOS};
use crate::storm::Storm;
use tradewind_domain::PortfolioId;
use tradewind_engine::algo::{Ask, ParentEvent, ParentId, ParentState};
use tradewind_engine::{EventKind, limit_values};
use tradewind_governance::{Act, ChangeState, Changed, Name, Principal, ProposalState, Role};

/// Of so many seconds in ten thousand somebody changes a limit.
const CHANGES: u64 = 15;
/// Nobody reads a proposal faster.
const READS_FOR: i64 = 3 * SECOND;

/// Who may say what: one proposes, approves and changes limits, the other is the second person.
pub(crate) fn operators() -> Vec<Principal> {
    vec![person("anna", &[Role::Trader, Role::Approver, Role::Risk]), person("ben", &[Role::Approver, Role::Risk])]
}

fn person(name: &str, roles: &[Role]) -> Principal {
    Principal::person(Name::new(name).expect("the storm's own people have names"), roles.iter().copied())
}

impl Storm {
    /// What people do in this second.
    pub(crate) fn people(&mut self) {
        self.answer_proposals();
        if self.now >= self.calm_from {
            return self.end_parents();
        }
        if self.mood.below(10_000) < CHANGES {
            self.change_a_limit();
        }
    }

    /// A person says yes or no to what waits, sooner or later or never.
    fn answer_proposals(&mut self) {
        let Some(process) = self.node.process.as_ref() else { return };
        let state = &process.host.state;
        let (now, operators) = (process.market_time(self.now), operators());
        let open = |held: &&tradewind_governance::Held| {
            held.state == ProposalState::Proposed && now.since(held.asked_at) >= READS_FOR
        };
        let waiting: Vec<_> =
            state.governance.proposals.values().filter(open).map(|it| (it.id, it.hash.clone())).collect();
        for (proposal, hash) in waiting {
            let by = self.mood.pick(&operators).clone();
            let act = match self.mood.below(100) {
                0..=3 => Act::ApprovalSaid { proposal, hash, by },
                4 => Act::RejectionSaid { proposal, by, reason: "too much of it".to_owned(), changes: false },
                _ => continue,
            };
            let approves = matches!(act, Act::ApprovalSaid { .. });
            self.tally.approved += u64::from(approves);
            self.tally.unapproved += u64::from(!approves);
            self.says(EventKind::Governance(Box::new(act)));
        }
    }

    /// A limit is lowered, which holds at once, or raised again, which takes a second person.
    fn change_a_limit(&mut self) {
        let portfolio = PortfolioId(u16::try_from(self.mood.below(PORTFOLIOS.into())).unwrap_or(0));
        let of_order = self.mood.happens(500);
        let (name, most) =
            if of_order { ("max_order.amount", MAX_ORDER) } else { ("max_position.amount", MAX_POSITION) };
        let wanted = if self.mood.happens(400) { most } else { most * self.mood.between(30, 95) / 100 };
        let Some(process) = self.node.process.as_ref() else { return };
        let Some(books) = process.host.state.portfolios.get(portfolio.index()) else { return };
        let Some((_, tighter, old)) = limit_values(&books.limits).into_iter().find(|row| row.0 == name) else { return };
        let changed =
            Changed::Limit { portfolio, name: name.to_owned(), tighter, old, new: Some(wanted * 100_000_000) };
        let [anna, ben] = <[Principal; 2]>::try_from(operators()).expect("there are two of them");
        let loosens = changed.loosens();
        let act = Act::ChangeSaid { changed, by: anna.clone(), reason: "the day is what it is".to_owned() };
        self.says(EventKind::Governance(Box::new(act)));
        if loosens {
            let Some(process) = self.node.process.as_ref() else { return };
            let changes = process.host.state.governance.changes.values().rev();
            let asked = |it: &&tradewind_governance::Change| it.state == ChangeState::Asked;
            let Some(change) = changes.take(1).find(asked).map(|it| it.id) else { return };
            let agrees = !self.mood.happens(200);
            // her own word is not a second one
            for (by, yes) in [(anna, true), (ben, agrees)] {
                self.says(EventKind::Governance(Box::new(Act::ChangeAnswered { change, by, yes })));
            }
        }
        self.tally.limits_changed += 1;
        self.tell_judge_the_limits(portfolio);
    }

    /// What people were told is durable: from here on the judge holds the program to it.
    pub(crate) fn tell_judge_the_limits(&mut self, portfolio: PortfolioId) {
        let Some(process) = self.node.process.as_mut() else { return };
        let synced = process.host.journal.sync().map(drop);
        self.after(synced);
        let Some(process) = self.node.process.as_ref() else { return };
        let Some(books) = process.host.state.portfolios.get(portfolio.index()) else { return };
        let whole = |amount: Option<i64>| amount.map_or(i64::MAX, |units| units / 100_000_000);
        let (order, position) = (whole(books.limits.max_order.amount), whole(books.limits.max_position.amount));
        self.judge.limits(portfolio.0, order.min(MAX_ORDER), position.min(MAX_POSITION));
    }

    /// The day is over: what would go on by itself is ended, with all its orders.
    fn end_parents(&mut self) {
        let Some(process) = self.node.process.as_ref() else { return };
        let goes_on = |state: &ParentState| !matches!(state, ParentState::Ending { .. } | ParentState::Over { .. });
        let live = process.host.state.parents.live().filter(|parent| goes_on(&parent.state));
        for parent in live.map(|parent| parent.id).collect::<Vec<ParentId>>() {
            let said = ParentEvent::Asked { parent, ask: Ask::Abandon, reason: "the day is over".to_owned() };
            self.says(EventKind::Parent(Box::new(said)));
        }
    }
}
