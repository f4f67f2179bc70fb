//! Icebergs and ladders: resting orders, one after another or side by side.

use super::parent::{ChildState, Due, Look, Parent, Role};
use super::plan::Rung;
use tradewind_domain::{OrderKind, OrderRequest, Quantity};

/// The next tip, once the last one is gone. What would be left too small to order is shown with it.
pub(super) fn iceberg(parent: &Parent, look: &Look<'_>, display: Quantity) -> Option<Due> {
    if !parent.is_quiet(look.now) {
        return None;
    }
    let left = parent.wish.request.quantity - parent.committed(look.now);
    if look.is_dust(left) {
        return Some(parent.finish(look));
    }
    let tip = display.min(left);
    let quantity = if look.is_dust(tip) || look.is_dust(left - tip) && tip < left { left } else { tip };
    Some(parent.slice(Role::Slice(parent.children.len() as u64), quantity))
}

/// The next rung that has no order, or whose order never worked.
pub(super) fn ladder(parent: &Parent, look: &Look<'_>, rungs: &[Rung]) -> Option<Due> {
    let is_free = |nth: u32| {
        let mut orders = parent.children.iter().filter(|child| child.role == Role::Rung(nth));
        orders.all(|child| matches!(child.state, ChildState::Over(end) if end.never_worked()))
    };
    let free = rungs.iter().zip(0..).find(|(_, nth)| is_free(*nth));
    match free {
        None => parent.is_quiet(look.now).then(|| parent.finish(look)),
        Some((rung, nth)) => {
            let kind = OrderKind::Limit { price: rung.price };
            let request = OrderRequest { kind, quantity: rung.quantity, ..parent.wish.request };
            Some(Due::One(Role::Rung(nth), request))
        }
    }
}
