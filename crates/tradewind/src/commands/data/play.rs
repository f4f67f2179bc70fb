//! Plays the books of a file through our own, and names what cannot be right.

use tradewind_book::{OrderBook, QueueBook, QueuedOrder};
use tradewind_domain::{Price, Side};
use tradewind_history::{Defect, Defects, DepthLevel, DepthSeries, OrderAction, OrderEvent, OrderSeries, Series};

/// What is wrong with the books of these series: where one becomes crossed or locked, once until it is sound again.
pub(super) fn defects(series: &[Series]) -> Defects {
    let mut found = Defects::default();
    for it in series {
        match it {
            Series::Depth(depth) => found.append(play_depth(depth)),
            Series::Orders(orders) => found.append(play_orders(orders)),
            Series::Bars(_) | Series::Funding(_) | Series::Trades(_) | Series::Quotes(_) => {}
        }
    }
    found
}

fn play_depth(series: &DepthSeries) -> Defects {
    let mut book = OrderBook::new(Price::from_mantissa(1));
    let mut watch = Watch::new(series.instrument.price_decimals);
    for update in series.playable() {
        if update.snapshot {
            book.clear();
        }
        for DepthLevel { side, price, size } in &update.levels {
            book.set(*side, *price, *size)
                .expect("the reader leaves out negative sizes, and every price is on this tick");
        }
        watch.see(update.row, book.best_bid().map(|(price, _)| price), book.best_ask().map(|(price, _)| price));
    }
    watch.found
}

fn play_orders(series: &OrderSeries) -> Defects {
    let mut book = QueueBook::new();
    let mut watch = Watch::new(series.instrument.price_decimals);
    for (_, event) in &series.events {
        apply(&mut book, event);
        watch.see(event.row, book.best(Side::Buy), book.best(Side::Sell));
    }
    watch.found
}

/// Applies what can be applied; what contradicts itself was named when the file was read. An order of before the
/// recording rests from its first change on.
fn apply(book: &mut QueueBook, event: &OrderEvent) {
    let OrderEvent { id, side, price, size, .. } = *event;
    let keeps_side = book.order(id).is_some_and(|order| order.side == side);
    let _ = match event.action {
        OrderAction::Added | OrderAction::Changed if keeps_side => book.change(id, price, size),
        OrderAction::Added | OrderAction::Changed => {
            let _ = book.delete(id);
            book.add(QueuedOrder { id, side, price, size })
        }
        OrderAction::Deleted => book.delete(id).map(|_| ()),
    };
}

/// Notes when a book becomes crossed or locked.
struct Watch {
    decimals: u8,
    /// The code of what was wrong with the book when it was last seen.
    was: Option<&'static str>,
    found: Defects,
}

impl Watch {
    fn new(decimals: u8) -> Self {
        Self { decimals, was: None, found: Defects::default() }
    }

    fn see(&mut self, row: u64, bid: Option<Price>, ask: Option<Price>) {
        let defect = bid.zip(ask).and_then(|(bid, ask)| Defect::of_book(row, bid, ask, self.decimals));
        let is = defect.as_ref().map(|defect| defect.code);
        if is != self.was {
            defect.into_iter().for_each(|defect| self.found.push(defect));
        }
        self.was = is;
    }
}
