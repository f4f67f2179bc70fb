//! The crate's error codes and their hints.

use tradewind_domain::ErrorCode;

tradewind_domain::codes! {
    "BOK-01" "no open order has this id" "it may have filled or been cancelled already: ask for its state first";
    "BOK-02" "the order is a stop that has not woken" "cancel it and send a new stop";
    "BOK-03" "the new quantity is not positive" "to take the order away, cancel it";
    "BOK-04" "post only, and the new price would cross" "choose a price that rests, or send an order that may take";
    "BOK-05" "a level of the book lies between two ticks" "the tick may have changed: read the instrument's rules again and take a new snapshot";
    "BOK-06" "the size of a level is negative" "sizes are absolute: zero removes a level";
    "BOK-07" "an event is older than the one before it" "sort the recording by exchange time first, keeping equal times in their order";
    "BOK-08" "the book is not the venue's: their checksums differ, or it waits for a snapshot" "take a new snapshot; nothing is priced from the book before";
    "BOK-09" "no order of this id rests in the book" "it left before, or its adding was lost: take a new recording or snapshot";
    "BOK-10" "an order of this id rests in the book already" "ids are used once: look for a message that came twice";
    "BOK-11" "the size of an order that is to rest is not positive" "to take an order away, delete it";
}

/// Looks up the hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}
