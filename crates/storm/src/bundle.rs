//! Bundles: named kinds of trouble that last for a whole storm, each a column of figures.
//!
//! A fault of the catalogue strikes once. A bundle is what the market and the venue are like meanwhile: its figures hold
//! from the first event until the calm. [`KNOBS`] is the table.

use std::fmt;

/// A named kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bundle {
    /// An ordinary market and a sound venue: what the others are compared with.
    Normal,
    /// The market is wild and wide, and orders fill in parts.
    Volatile,
    /// Data are missing and late, and the venue is slow, full of errors, and short of offers.
    Degraded,
    /// Everything falls within minutes and comes back, while the venue is overrun.
    FlashCrash,
}

impl Bundle {
    /// Every bundle, in the order of the columns of [`KNOBS`].
    pub const ALL: [Self; 4] = [Self::Normal, Self::Volatile, Self::Degraded, Self::FlashCrash];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Volatile => "volatile",
            Self::Degraded => "degraded",
            Self::FlashCrash => "flash-crash",
        }
    }

    /// The bundle of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// How far it turns a knob, in the knob's unit.
    #[must_use]
    pub const fn figure(self, knob: Knob) -> u32 {
        KNOBS[knob as usize].figures[self as usize]
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that bundles differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnobInfo {
    /// Which.
    pub knob: Knob,
    /// What it turns.
    pub name: &'static str,
    /// What its figures count.
    pub unit: &'static str,
    /// How far each bundle turns it, in the order of [`Bundle::ALL`].
    pub figures: [u32; 4],
    /// Why so far.
    pub why: &'static str,
}

macro_rules! knobs {
    ($($id:ident $name:literal $unit:literal [$($figure:literal)*] $why:literal;)*) => {
        /// One thing that bundles differ in, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Knob { $(#[doc = $name] $id,)* }

        /// Every knob, and how far each bundle turns it.
        pub const KNOBS: &[KnobInfo] =
            &[$(KnobInfo { knob: Knob::$id, name: $name, unit: $unit, figures: [$($figure),*], why: $why },)*];
    };
}

knobs! {
//                                             normal volatile degraded flash-crash
    MissingCandles "candles that never come" "%" [0 0 5 0]
        "every pair misses one or two in half an hour, so every strategy meets gaps and still decides";
    StaleMarks "quotes come late by up to" "s" [0 0 30 0]
        "six times the age at which the gate takes a quote for stale";
    StaleEvery "and do so once in" "s" [0 0 240 0]
        "seven times in half an hour, and there is time to trade between";
    Spread "distance at which makers quote, against the usual" "times" [1 12 1 6]
        "so that the spread is five times as wide on average: gaps in the books, and the crash, do their part";
    Volatility "movement by chance, against the usual" "times" [1 4 1 2]
        "as much in every minute as the simulated market moves in its bursts; half of that beside a crash";
    OrderErrors "orders that the venue answers with an error" "%" [0 0 10 10]
        "half of them are plain refusals, half server errors, of which half are carried out all the same";
    Partials "taking orders that find half of what they ask" "%" [0 20 20 0]
        "every fifth: what is left is held, protected and closed in odd sizes all the time";
    Latency "an order's way into the venue, and every answer's way back, longer by" "ms" [0 100 500 250]
        "a quarter of the two seconds for which a request is valid; less where the market is the trouble";
    CrashDepth "fall of every price" "%" [0 0 0 15]
        "three times the five per cent from the mark beyond which the gate takes a limit price for a mistake";
    CrashFall "within" "s" [0 0 0 180]
        "three of the one-minute bars that strategies decide on";
    CrashBack "and back within" "s" [0 0 0 360]
        "twice the fall: what was sold at the bottom is seen to be regretted";
    CrashEvery "once in" "s" [0 0 0 1200]
        "at least one whole fall and recovery in half an hour, beginning within its first eleven minutes";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_its_names() {
        for (place, info) in KNOBS.iter().enumerate() {
            assert_eq!(info.knob as usize, place);
        }
        for (place, bundle) in Bundle::ALL.into_iter().enumerate() {
            assert_eq!((bundle as usize, Bundle::named(bundle.name())), (place, Some(bundle)));
        }
        assert_eq!(Bundle::named("calm"), None);
    }

    #[test]
    fn every_knob_is_turned_by_a_bundle_and_by_none_in_normal_weather() {
        for info in KNOBS {
            let usual = u32::from(info.unit == "times");
            assert_eq!(Bundle::Normal.figure(info.knob), usual, "{}", info.name);
            assert!(info.figures.iter().any(|figure| *figure != usual), "{}", info.name);
        }
    }
}
