//! Icebergs and ladders: resting orders, one after another or side by side.

use super::parent::{ChildEnd, ChildState, Due, Look, Parent, Role};
use super::plan::Rung;
use tradewind_domain::{OrderKind, OrderRequest, Quantity};

/// The next tip, once the last one is gone. What would be left too small to order is shown with it.
pub(super) fn iceberg(parent: &Parent, look: &Look<'_>, display: Quantity) -> Option<Due> {
    if !parent.is_settled() {
        return None;
    }
    let left = parent.wish.request.quantity - parent.committed();
    if look.is_dust(left) {
        return Some(parent.finish(look));
    }
    let tip = display.min(left);
    let quantity = if look.is_dust(tip) || look.is_dust(left - tip) && tip < left { left } else { tip };
    Some(parent.slice(Role::Slice(parent.proposed().into()), quantity))
}

/// The next rung that has no order: one that was never placed, whose order never worked, or whose order was cancelled
/// before the parent went on after a pause.
pub(super) fn ladder(parent: &Parent, look: &Look<'_>, rungs: &[Rung]) -> Option<Due> {
    let left = |rung: &Rung, nth: u32| {
        let mut left = rung.quantity;
        for child in parent.children.iter().filter(|child| child.role == Role::Rung(nth)) {
            let gone_at = child.cancel_asked.unwrap_or(child.changed_at);
            let put_back = parent.seen.resumed.is_some_and(|resumed| gone_at <= resumed);
            match child.state {
                ChildState::Over(end) if end.never_worked() => (),
                ChildState::Over(ChildEnd::Cancelled) if put_back && !child.may_fill() => left -= child.filled,
                _ => return Quantity::ZERO,
            }
        }
        left
    };
    let free = rungs.iter().zip(0..).map(|(rung, nth)| (rung, nth, left(rung, nth)));
    let free = free.into_iter().find(|(_, _, left)| !look.is_dust(*left));
    match free {
        None => parent.is_settled().then(|| parent.finish(look)),
        Some((rung, nth, quantity)) => {
            let request =
                OrderRequest { kind: OrderKind::Limit { price: rung.price }, quantity, ..parent.wish.request };
            Some(Due::One(Role::Rung(nth), request))
        }
    }
}
