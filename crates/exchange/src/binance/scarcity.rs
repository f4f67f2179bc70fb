//! Orders that find less in the book than they ask for.

use super::calls::{Call, Route};
use super::params::Params;
use crate::world::World;
use tradewind_domain::{Price, Quantity, Side, parse_decimal};

/// What an order that is about to be carried out would take.
pub(crate) struct Wanted {
    listing: usize,
    side: Side,
    limit: Option<Price>,
    quantity: Quantity,
    /// Whether its type lets it take what is there: not where it waits for its trigger, or only rests.
    takes: bool,
}

impl Wanted {
    /// Reads it; `None` for any other request.
    pub(crate) fn read(world: &World, route: &Route, params: &Params) -> Option<Self> {
        if route.call != Call::Place {
            return None;
        }
        let number = |name: &str| params.raw(name).and_then(|text| parse_decimal(text, 8).ok());
        Some(Self {
            listing: params.raw("symbol").and_then(|name| world.listing(name).ok())?,
            side: if params.raw("side") == Some("BUY") { Side::Buy } else { Side::Sell },
            limit: number("price").map(Price::from_mantissa),
            quantity: Quantity::from_mantissa(number("quantity").unwrap_or(0)),
            takes: matches!(params.raw("type"), Some("MARKET" | "LIMIT")),
        })
    }

    /// The venue's name of what it is an order for.
    pub(crate) fn symbol<'a>(&self, world: &'a World) -> &'a str {
        world.markets[self.listing].rules.name()
    }

    /// Leaves it so many percent of what it asks for, as [`World::thin_out`] does; false for one that takes nothing now.
    pub(crate) fn thin_out(&self, world: &mut World, percent: u8) -> bool {
        self.takes && world.thin_out(self.listing, self.side, self.limit, self.quantity, percent)
    }
}
