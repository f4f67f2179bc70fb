//! Two orders of which one cancels the other: judged together, sent together.

use crate::guards::{halt, refuse};
use crate::{Action, Approved, Guard, Proposal, Refusal, View, judge};
use tradewind_domain::{ClientOrderId, OrderKind, Price, Side};

/// Judges two proposals of which one cancels the other; both pass every guard, or neither goes.
///
/// A pair is a target (a limit order) and a stop of the same group, instrument, portfolio, side and size, one on each
/// side of the mark. `view` must leave out what is open of the pair's own group: only one of the two can trade, so
/// each is judged as if it were alone.
///
/// # Errors
/// The first guard that refuses either of them.
pub fn review_pair(
    view: &View<'_>,
    proposals: &[Proposal; 2],
    client_ids: [ClientOrderId; 2],
) -> Result<Approved, Box<Refusal>> {
    let [first, second] = proposals;
    halt(view, first)?;
    halt(view, second)?;
    belong_together(view, first, second)?;
    let orders = [judge(view, first, client_ids[0])?.0, judge(view, second, client_ids[1])?.0];
    Ok(Approved { action: Action::SubmitPair(Box::new(orders)), audited: None, resized: None })
}

fn belong_together(view: &View<'_>, first: &Proposal, second: &Proposal) -> Result<(), Box<Refusal>> {
    let (one, other) = (&first.request, &second.request);
    let differ = |what: &str| Err(refuse(Guard::Pair, format!("two {what}"), format!("the same {what} for both")));
    if first.portfolio != second.portfolio {
        return differ("portfolios");
    }
    if one.instrument != other.instrument {
        return differ("instruments");
    }
    if one.side != other.side {
        return differ("sides");
    }
    if one.quantity != other.quantity {
        return differ("quantities");
    }
    if one.oco.is_none() || one.oco != other.oco {
        return differ("groups");
    }
    let (target, stop) = match (one.kind, other.kind) {
        (OrderKind::Limit { price }, OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. })
        | (OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. }, OrderKind::Limit { price }) => {
            (price, trigger)
        }
        (one, other) => {
            return Err(refuse(Guard::Pair, format!("{one:?} and {other:?}"), "a limit order and a stop"));
        }
    };
    around_the_mark(view, one.side, target, stop)
}

/// Without a mark nothing is decided here: no order passes the gate then.
fn around_the_mark(view: &View<'_>, side: Side, target: Price, stop: Price) -> Result<(), Box<Refusal>> {
    let Some(mark) = view.mark.map(|mark| mark.price) else { return Ok(()) };
    let text = |price| view.instrument.price_text(price);
    let (target_fits, stop_fits, wanted) = match side {
        Side::Sell => (target > mark, stop < mark, ("above", "below")),
        Side::Buy => (target < mark, stop > mark, ("below", "above")),
    };
    let (name, price, wanted) = match (target_fits, stop_fits) {
        (true, true) => return Ok(()),
        (false, _) => ("target", target, wanted.0),
        (true, false) => ("stop", stop, wanted.1),
    };
    Err(refuse(Guard::Pair, format!("a {name} at {}", text(price)), format!("{wanted} the market at {}", text(mark))))
}
