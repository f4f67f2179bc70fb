//! The page of what was tried: by crate, with how sure the score is, and the changes that no test noticed.

use super::{Mutant, SCORE, Tried, VERSION, Verdict};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

/// Of the normal distribution, what 95 % lie within, in standard deviations.
const Z: f64 = 1.959_964;

/// Of some changes, what came of those that the lot puts before the first untried one: a uniform sample.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    /// All there are.
    mutants: usize,
    caught: usize,
    out_of_time: usize,
    survived: usize,
    unviable: usize,
}

/// The part of what compiles that the tests notice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    pub(super) share: f64,
    /// Between which bounds that of all changes lies, in 95 of 100 such samples.
    least: f64,
    most: f64,
}

/// What a reader wants to know of all that was tried.
pub(super) struct Page<'a> {
    pub(super) all: Sample,
    crates: BTreeMap<&'a str, Sample>,
    survivors: Vec<&'a Tried>,
    /// Tried beyond the sample, because somebody asked for one crate.
    out_of_turn: usize,
    /// The mean, in seconds.
    each: f64,
}

impl Sample {
    /// `mutants` in the order of the lot.
    fn of<'a>(mutants: impl Iterator<Item = &'a Mutant>, tried: &BTreeMap<String, Tried>) -> Self {
        let (mut sample, mut is_over) = (Self::default(), false);
        for mutant in mutants {
            sample.mutants += 1;
            let verdict = tried.get(&mutant.name).map(|it| it.verdict);
            is_over |= verdict.is_none();
            match verdict.filter(|_| !is_over) {
                Some(Verdict::Caught) => sample.caught += 1,
                Some(Verdict::OutOfTime) => sample.out_of_time += 1,
                Some(Verdict::Survived) => sample.survived += 1,
                Some(Verdict::Unviable) => sample.unviable += 1,
                None => (),
            }
        }
        sample
    }

    fn tried(&self) -> usize {
        self.caught + self.out_of_time + self.survived + self.unviable
    }

    /// `None` while nothing that compiles was tried.
    pub(super) fn score(&self) -> Option<Score> {
        let noticed = self.caught + self.out_of_time;
        wilson(noticed, noticed + self.survived)
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mutants, caught, out_of_time, survived, unviable } = self;
        write!(
            f,
            "{} of {mutants} mutants by lot: {caught} caught, {out_of_time} by their time, {survived} survived, ",
            self.tried()
        )?;
        write!(f, "{unviable} do not compile; score {}", score(self))
    }
}

/// The share of `hits` in `all`, and where that of what was sampled lies.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
/// Statistical Association, 1927.
fn wilson(hits: usize, all: usize) -> Option<Score> {
    #[expect(clippy::cast_precision_loss, reason = "mutants are few")]
    let (hits, n) = (hits as f64, all as f64);
    if all == 0 {
        return None;
    }
    let (share, square) = (hits / n, Z * Z);
    let middle = (share + square / (2.0 * n)) / (1.0 + square / n);
    let reach = Z / (1.0 + square / n) * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    Some(Score { share, least: (middle - reach).max(0.0), most: (middle + reach).min(1.0) })
}

fn score(sample: &Sample) -> String {
    let Some(Score { share, least, most }) = sample.score() else { return "unknown".to_owned() };
    format!("{:.1} % (95 %: {:.1} to {:.1} %)", 100.0 * share, 100.0 * least, 100.0 * most)
}

impl<'a> Page<'a> {
    /// `mutants` in the order of the lot.
    pub(super) fn of(mutants: &'a [Mutant], tried: &'a BTreeMap<String, Tried>) -> Self {
        let mut by_crate: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        for it in mutants {
            by_crate.entry(it.package.trim_start_matches("tradewind-")).or_default().push(it);
        }
        let all = Sample::of(mutants.iter(), tried);
        #[expect(clippy::cast_precision_loss, reason = "mutants are few")]
        let each = tried.values().map(|it| it.seconds).sum::<f64>() / tried.len().max(1) as f64;
        Self {
            crates: by_crate.into_iter().map(|(name, of_it)| (name, Sample::of(of_it.into_iter(), tried))).collect(),
            survivors: tried.values().filter(|it| it.verdict == Verdict::Survived).collect(),
            out_of_turn: tried.len() - all.tried(),
            each,
            all,
        }
    }

    pub(super) fn text(&self, date: &str, commit: &str) -> String {
        let mut text = format!(
            "# Changes to the core that its tests notice, {date}\n\n\
             Small changes to the core, as cargo-mutants {VERSION} lists them, one at a time in the order of a lot, each tried with\n\
             the tests of the crate that it lies in, at commit {commit} or at an earlier one with the same file. `cargo xtask long\n\
             --only mutants` goes on with it. At least {:.0} % of what compiles should be noticed. One change took {:.1} s.\n\n\
             | crate | mutants | tried | caught | by their time | survived | do not compile | score |\n\
             |---|---|---|---|---|---|---|---|\n",
            100.0 * SCORE,
            self.each,
        );
        for (name, it) in self.crates.iter().map(|(name, it)| (*name, it)).chain([("all", &self.all)]) {
            let Sample { mutants, caught, out_of_time, survived, unviable } = it;
            let (tried, score) = (it.tried(), score(it));
            writeln!(
                text,
                "| {name} | {mutants} | {tried} | {caught} | {out_of_time} | {survived} | {unviable} | {score} |"
            )
            .expect("writing to text cannot fail");
        }
        if self.out_of_turn > 0 {
            let line = format!("\n{} more were tried out of turn; they do not count in `all`.\n", self.out_of_turn);
            text.push_str(&line);
        }
        writeln!(text, "\n## Survivors\n").expect("writing to text cannot fail");
        for it in &self.survivors {
            writeln!(text, "- `{}`", it.name).expect("writing to text cannot fail");
        }
        if self.survivors.is_empty() {
            text.push_str("None.\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mutant, tried};
    use super::*;

    #[test]
    fn the_interval_is_that_of_published_examples() {
        // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine, 1998, method 3
        for (hits, all, least, most) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let it = wilson(hits, all).unwrap();
            assert!((it.least - least).abs() < 5e-5 && (it.most - most).abs() < 5e-5, "{hits} of {all}: {it:?}");
        }
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn only_what_was_tried_in_its_turn_is_a_sample() {
        use Verdict::{Caught, OutOfTime, Survived, Unviable};
        let all = [("1", "risk"), ("2", "gate"), ("3", "risk"), ("4", "risk"), ("5", "gate"), ("6", "risk")];
        let all = all.map(|(name, package)| mutant(name, package));
        let seen = [("1", Caught), ("2", Survived), ("3", Unviable), ("4", OutOfTime), ("6", Survived)];
        let seen = seen.map(|(name, verdict)| (name.to_owned(), tried(name, verdict))).into();
        let page = Page::of(&all, &seen);
        assert_eq!(page.all, Sample { mutants: 6, caught: 1, out_of_time: 1, survived: 1, unviable: 1 });
        assert_eq!(page.crates["gate"], Sample { mutants: 2, survived: 1, ..Sample::default() });
        assert_eq!(page.crates["risk"].survived, 1, "of one crate all four were tried");
        let text = page.text("2026-01-02", "abc");
        for line in [
            "| gate | 2 | 1 | 0 | 0 | 1 | 0 | 0.0 % (95 %: 0.0 to 79.3 %) |",
            "| risk | 4 | 4 | 1 | 1 | 1 | 1 | 66.7 % (95 %: 20.8 to 93.9 %) |",
            "| all | 6 | 4 | 1 | 1 | 1 | 1 | 66.7 % (95 %: 20.8 to 93.9 %) |",
            "1 more were tried out of turn; they do not count in `all`.",
            "One change took 1.5 s.",
            "- `2`\n- `6`",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
