//! How long the returns are that figures are formed of: days, unless bars are longer.

/// How much time one return spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    seconds: u32,
}

impl Period {
    /// A day.
    pub const DAY: Self = Self { seconds: 86_400 };
    const WEEK: Self = Self { seconds: 604_800 };

    /// The period of bars of so many seconds: a day, or the bar where that is longer.
    pub fn of_bars(seconds: u32) -> Self {
        Self { seconds: seconds.max(Self::DAY.seconds) }
    }

    /// Its length in days.
    pub fn days(self) -> f64 {
        f64::from(self.seconds) / f64::from(Self::DAY.seconds)
    }

    /// What `text` says of days, said of this period: weekly bars turn "Best day of daily returns" into "Best week of weekly
    /// returns".
    pub fn told(self, text: &str) -> String {
        if self == Self::DAY {
            return text.to_owned();
        }
        let (one, each) = self.words();
        let mut told = String::with_capacity(text.len() + 16);
        for piece in text.split_inclusive(|letter: char| !letter.is_alphabetic()) {
            let word = piece.trim_end_matches(|letter: char| !letter.is_alphabetic());
            let instead = match word {
                "day" | "Day" => one.clone(),
                "days" | "Days" => format!("{one}s"),
                "daily" | "Daily" => each.clone(),
                _ => {
                    told.push_str(piece);
                    continue;
                }
            };
            let begins =
                if word.starts_with('D') { instead[..1].to_ascii_uppercase() } else { instead[..1].to_owned() };
            told.extend([begins.as_str(), &instead[1..], &piece[word.len()..]]);
        }
        told
    }

    /// What one of them is called, and what comes with each.
    fn words(self) -> (String, String) {
        if self == Self::WEEK {
            return ("week".to_owned(), "weekly".to_owned());
        }
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let (unit, name) =
            units.into_iter().find(|(unit, _)| self.seconds.is_multiple_of(*unit)).unwrap_or((1, "second"));
        let each = format!("{}-{name}", self.seconds / unit);
        (format!("{each} period"), each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_days_is_said_of_the_period() {
        let text = "Best day's date: Days of daily returns, Daily, on Sunday, 365.25 days";
        let told = |seconds: u32| Period::of_bars(seconds).told(text);
        assert_eq!((told(60), told(86_400)), (text.to_owned(), text.to_owned()));
        assert_eq!(told(604_800), "Best week's date: Weeks of weekly returns, Weekly, on Sunday, 365.25 weeks");
        let three = "Best 3-day period's date: 3-day periods of 3-day returns, 3-day, on Sunday, 365.25 3-day periods";
        assert_eq!(told(3 * 86_400), three);
        assert_eq!(Period::of_bars(129_600).told("one day"), "one 36-hour period");
        assert_eq!(Period::of_bars(86_460).told("one day"), "one 1441-minute period");
    }

    #[test]
    fn a_period_is_no_shorter_than_a_day() {
        let days: Vec<f64> = [1, 86_400, 129_600, 604_800].map(|seconds| Period::of_bars(seconds).days()).into();
        assert_eq!(days, [1.0, 1.0, 1.5, 7.0]);
    }
}
