//! Mishaps that are more than a line: another hand, money that moves, spoilt files, deciders that have lost their mind.

use crate::chaos::lots_worth;
use crate::orders::{MILLI, SECOND};
use crate::setup::MAX_ORDER;
use crate::storm::Storm;
use tradewind_domain::{Currency, InstrumentId, OrderRequest, PortfolioId, Price, Quantity, Side, Source, Timestamp};
use tradewind_engine::EventKind;
use tradewind_exchange::Receipt;
use tradewind_gate::Proposal;
use tradewind_journal::{Crash, Storage as _};
use tradewind_venues::binance::protocol::signed_frame;

/// So often a decider asks for the same order.
const AGAIN: usize = 100;

impl Storm {
    /// Another program with the same key buys something at the market, or lets an order rest.
    pub(crate) fn another_hand(&mut self, lot: u64) {
        let Some(codec) = self.codec.clone() else { return };
        let count = self.symbols.len() as u64;
        let id = InstrumentId(u32::try_from(lot % count).unwrap_or(0));
        let Some(it) = codec.instruments.id(id) else { return };
        let Some((price, rests)) = self.judge.price_of(id.index()).map(|price| (price, lot.is_multiple_of(3))) else {
            return;
        };
        let limit = it.tick_down(Price::from_mantissa(price - price / 100));
        let whole = i64::try_from(1_000 + lot % 2_000).unwrap_or(0);
        let quantity = lots_worth(it, whole, Price::from_mantissa(price));
        let mut pairs = vec![
            ("symbol", it.spec.venue_symbol.clone()),
            ("side", "BUY".to_owned()),
            ("type", if rests { "LIMIT" } else { "MARKET" }.to_owned()),
            ("quantity", it.quantity_text(quantity)),
            ("newClientOrderId", format!("by-hand-{}", self.tally.events)),
            ("timestamp", (self.now / MILLI).to_string()),
        ];
        if rests {
            pairs.extend([("timeInForce", "GTC".to_owned()), ("price", it.price_text(limit))]);
        }
        pairs.push(("apiKey", codec.signer.key().expose().to_owned()));
        let text = signed_frame(&codec.signer, -1, "order.place", pairs);
        let millis = self.now / MILLI;
        if let Receipt::Held(held) = self.house.receive(&text, millis) {
            let said = self.house.carry_out(*held, millis);
            self.note(&format!("another hand: {said}"));
        }
        self.emit();
    }

    /// Money comes to the account; of a unit nobody tells.
    pub(crate) fn transfer(&mut self, lot: u64, is_told: bool) {
        let cash = Currency::new("USDT").expect("a code of four letters");
        // untold it is more than the roundings of the fills between two comparisons could come to
        let units = if is_told { i128::from(lot % 1_000) * 100_000_000 + 1 } else { 1_000 };
        self.house.transfer_in(0, cash, units, is_told);
        self.emit();
    }

    /// The power fails, and what stands behind the last synced record is no zeros.
    pub(crate) fn spoil_tail(&mut self, lot: u64) {
        self.die(Crash::LoseUnsynced, 3 * SECOND);
        let Some(name) = self.files(".seg").pop() else { return };
        let Some(mut bytes) = self.node.storage.bytes(&name) else { return };
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1).next_multiple_of(8);
        let garbage = usize::try_from(lot % 600).unwrap_or(0).min(bytes.len().saturating_sub(end));
        for (place, byte) in bytes[end..end + garbage].iter_mut().enumerate() {
            *byte = u8::try_from((lot >> (place % 8)) & 0xFF).unwrap_or(1) | 1;
        }
        self.node.storage.set_bytes(&name, bytes);
    }

    /// The process is killed, and its snapshots are unreadable: they only saved time.
    pub(crate) fn spoil_snapshots(&mut self, lot: u64) {
        self.kill(lot);
        for name in self.files(".snap") {
            let Some(mut bytes) = self.node.storage.bytes(&name) else { continue };
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0xFF;
            }
            self.node.storage.set_bytes(&name, bytes);
        }
    }

    fn files(&self, kind: &str) -> Vec<String> {
        let mut names = self.node.storage.list().unwrap_or_default();
        names.retain(|name| name.ends_with(kind));
        names.sort();
        names
    }

    /// A decider asks for what no order can be.
    pub(crate) fn garbage(&mut self, lot: u64) {
        let id = InstrumentId(u32::try_from(lot % self.symbols.len() as u64).unwrap_or(0));
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX / 2, i64::MAX];
        for quantity in numbers {
            for price in numbers {
                let (quantity, price) = (Quantity::from_mantissa(quantity), Price::from_mantissa(price));
                self.asks_for(OrderRequest::limit(id, Side::Buy, quantity, price));
            }
            self.asks_for(OrderRequest::market(id, Side::Sell, Quantity::from_mantissa(quantity)));
        }
    }

    /// A decider asks for the same order again and again.
    pub(crate) fn again_and_again(&mut self, lot: u64) {
        let id = InstrumentId(u32::try_from(lot % self.symbols.len() as u64).unwrap_or(0));
        let Some(price) = self.judge.price_of(id.index()) else { return };
        let Some(process) = self.node.process.as_ref() else { return };
        let it = &process.host.state.listing(id).instrument;
        let quantity = lots_worth(it, MAX_ORDER / 2, Price::from_mantissa(price));
        for _ in 0..AGAIN {
            self.asks_for(OrderRequest::market(id, Side::Buy, quantity));
        }
    }

    fn asks_for(&mut self, request: OrderRequest) {
        let now = self.now;
        let Some(process) = self.node.process.as_ref() else { return };
        let at: Timestamp = process.market_time(now);
        let (source, portfolio) = (Source::Strategy(0), PortfolioId(0));
        self.tally.proposals += 1;
        let proposal = Proposal { plan: None, source, portfolio, request, reason: "a mishap".into() };
        self.record(at, source, portfolio, EventKind::Proposed(proposal));
    }
}
