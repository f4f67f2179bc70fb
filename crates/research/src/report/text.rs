//! Numbers, moments and foreign text as the page writes them.

use tradewind_quant::calendar::{Date, Day};

const DAY_NS: i64 = 86_400_000_000_000;
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Stands where nothing can be known.
pub(super) const NOTHING: &str = "\u{2013}";

/// `text` without anything that HTML would take for markup.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A number with thousands apart and a real minus; a dash for what is no number.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let minus = if value < 0.0 && !is_zero(&digits) { "\u{2212}" } else { "" };
    format!("{minus}{}", grouped(&digits))
}

/// Whether a number that was rounded to this text is zero: it then has no sign.
pub(super) fn is_zero(text: &str) -> bool {
    !text.bytes().any(|digit| matches!(digit, b'1'..=b'9'))
}

/// As [`number`], with a plus where it gained.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if value > 0.0 && !is_zero(&text) { format!("+{text}") } else { text }
}

/// A fraction in percent.
pub(super) fn percent(value: f64, decimals: usize) -> String {
    if value.is_finite() { number(value * 100.0, decimals) + "\u{202f}%" } else { NOTHING.to_owned() }
}

/// As [`percent`], with a plus where it gained.
pub(super) fn signed_percent(value: f64, decimals: usize) -> String {
    if value.is_finite() { signed(value * 100.0, decimals) + "\u{202f}%" } else { NOTHING.to_owned() }
}

/// Decimal text as a number to draw with; it came from the ledger.
pub(super) fn value_of(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// A whole count.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A count and what is counted.
pub(super) fn plural(value: u64, what: &str) -> String {
    format!("{} {what}{}", count(value), if value == 1 { "" } else { "s" })
}

fn grouped(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `gain` or `loss` for the colour of a number; empty for zero.
pub(super) fn tone(value: f64) -> &'static str {
    if value > 0.0 {
        "gain"
    } else if value < 0.0 {
        "loss"
    } else {
        ""
    }
}

/// Decimals that show about seven digits of `price`.
pub(super) fn price_decimals(price: f64) -> usize {
    [1_000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001]
        .iter()
        .position(|bound| price.abs() >= *bound)
        .map_or(8, |place| place + 2)
        .min(8)
}

/// Decimals that show what an account of `deposit` cares about.
pub(super) fn money_decimals(deposit: f64) -> usize {
    if deposit.abs() >= 100.0 {
        2
    } else if deposit.abs() >= 1.0 {
        4
    } else {
        8
    }
}

/// A moment to the minute, or to the second where that matters: `2024-03-01 12:00`.
pub(super) fn moment(at_ns: i64) -> String {
    let seconds = at_ns.div_euclid(1_000_000_000).rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let day = Day(at_ns.div_euclid(DAY_NS));
    if second == 0 {
        format!("{day} {hour:02}:{minute:02}")
    } else {
        format!("{day} {hour:02}:{minute:02}:{second:02}")
    }
}

/// The date that a moment lies in.
pub(super) fn date(at_ns: i64) -> Date {
    Day(at_ns.div_euclid(DAY_NS)).date()
}

/// A stretch of time in its two largest units: `3 d 4 h`.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NOTHING.to_owned();
    }
    let (units, mut rest) = ([(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")], seconds.round());
    let mut parts = Vec::new();
    for (length, name) in units {
        let whole = (rest / length).floor();
        if whole >= 1.0 || (parts.is_empty() && length < 2.0) {
            parts.push(format!("{}\u{202f}{name}", number(whole, 0)));
        } else if !parts.is_empty() {
            break;
        }
        rest -= whole * length;
        if parts.len() == 2 {
            break;
        }
    }
    parts.join(" ")
}
