//! What the engine's thread does with the venue's word on the account: findings, other terms, other hands.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::inbox::Comparison;
use tradewind_domain::{ClientOrderId, Coded, Currency, PortfolioId, Price, Quantity, Source};
use tradewind_engine::{EventKind, Findings, compare};
use tradewind_host::fact_of_terms;
use tradewind_venues::binance::convert::ConvertError;

/// Notices that are kept.
const NOTICES: usize = 50;
/// What an alarm ends with after which somebody resumed.
const RESUMED: &str = " (resumed ";

impl Core {
    /// Something that the status should show.
    pub(crate) fn note(&mut self, text: String) {
        tracing::warn!("{text}");
        if self.notices.len() == NOTICES {
            self.notices.pop_front();
        }
        self.notices.push_back(format!("{} {text}", self.now()));
    }

    /// Says of every alarm so far that somebody has resumed since, once nothing holds trading any more.
    pub(crate) fn note_resumed(&mut self) {
        if self.host.state.halted.is_some()
            || self.host.state.reduce_only.is_some()
            || !self.host.state.holds().is_empty()
        {
            return;
        }
        let now = self.now();
        let is_open = |text: &&mut String| text.contains(" alarm: ") && !text.contains(RESUMED);
        self.notices.iter_mut().filter(is_open).for_each(|text| text.push_str(&format!("{RESUMED}{now})")));
    }

    /// Compares what the venue said with the books, and records what follows.
    pub(crate) fn compare(&mut self, comparison: &Comparison) -> Result<Findings, NodeError> {
        let findings = compare(&self.host.state, &comparison.basis, &comparison.seen);
        if comparison.seen.balances.is_some() {
            self.tell_unread(&comparison.unread, &findings.unread);
        }
        if !findings.ask.is_empty() && !comparison.last {
            return Ok(findings); // it comes again with their names
        }
        self.record_findings(&findings)?;
        if findings.balanced || !findings.drifts.is_empty() {
            for drift in &findings.drifts {
                let count = self.host.state.drifting + 1;
                self.note(format!(
                    "alarm: {} is {} here and {} at the venue ({count} in a row)",
                    drift.what, drift.ours, drift.venue
                ));
            }
            self.off.clone_from(&findings.off);
            let (through, drifts) = (comparison.seen.asked, findings.drifts.clone());
            let kind = EventKind::Compared { through, drifts, at_start: false };
            self.record(self.now(), wall(), Source::Venue, PortfolioId(0), kind)?;
        }
        Ok(findings)
    }

    /// Says which balances cannot be read, of each asset once until it can be; an alarm for `ours`, which the books hold or
    /// trade. What was known of a difference is forgotten with them: nobody adopts what is not known any more.
    pub(crate) fn tell_unread(&mut self, faults: &[ConvertError], ours: &[Currency]) {
        self.off.retain(|(currency, _)| !ours.contains(currency));
        let mut news = Vec::new();
        for fault in faults.iter().filter(|fault| !self.told_unread.contains(fault.symbol())) {
            let is_ours = ours.iter().any(|currency| currency.code() == fault.symbol());
            let alarm = if is_ours { "alarm: " } else { "" };
            news.push(format!("{alarm}{}: {fault}: this balance is not compared until it can be read", fault.code()));
        }
        self.told_unread = faults.iter().map(|fault| fault.symbol().to_owned()).collect();
        news.into_iter().for_each(|text| self.note(text));
    }

    /// Records what a comparison found: missed fills, other hands, gaps.
    pub(crate) fn record_findings(&mut self, findings: &Findings) -> Result<(), NodeError> {
        for (at, kind) in &findings.facts {
            match kind {
                EventKind::Foreign(order) if !self.host.state.foreign.contains_key(&order.client_id) => {
                    let name = &order.client_text;
                    self.note(format!("alarm: order {name} by another hand: `tradewind adopt` takes it over"));
                }
                EventKind::ForeignFilled(fill) => {
                    let id = fill.trade_id.0;
                    self.note(format!("alarm: execution {id} by another hand: `tradewind adopt` takes it over"));
                }
                EventKind::GapFound { from, to } => {
                    self.note(format!("alarm: the venue does not tell what happened between {from} and {to}"));
                }
                _ => (),
            }
            self.record(*at, wall(), Source::Venue, PortfolioId(0), kind.clone())?;
        }
        Ok(())
    }

    /// Adopts the terms at which the venue works an order, where they are not what was meant.
    pub(crate) fn check_terms(
        &mut self,
        client_id: ClientOrderId,
        price: Option<Price>,
        quantity: Quantity,
    ) -> Result<(), NodeError> {
        let state = &self.host.state;
        let (Some(kind), Some(record)) = (fact_of_terms(state, client_id, price, quantity), state.open.get(&client_id))
        else {
            return Ok(());
        };
        let order = &record.order;
        let portfolio = order.portfolio();
        if let EventKind::Amend { .. } = kind {
            return self.record(self.now(), wall(), Source::Venue, portfolio, kind); // it was asked for
        }
        let it = &self.host.state.listing(order.instrument()).instrument;
        let text = |quantity, price: Option<Price>| {
            let at = price.map(|price| format!(" at {}", it.price_text(price)));
            format!("{}{}", it.quantity_text(quantity), at.unwrap_or_default())
        };
        let (meant, worked) = (text(order.quantity(), order.terms().kind.limit()), text(quantity, price));
        self.note(format!("alarm: order {client_id} was meant as {meant} and the venue works {worked}"));
        self.record(self.now(), wall(), Source::Venue, portfolio, kind)
    }
}
