//! Reads what `cargo test` prints: counts, the tests that could not try all of it, and the lines worth showing.

/// How many passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Ended as they should.
    pub(crate) passed: usize,
    /// Did not.
    pub(crate) failed: usize,
}

impl Tally {
    /// One check.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed) }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// What the output of `cargo test -- --show-output` has told so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The sum over all test programs.
    pub(super) tally: Tally,
    /// Lines `no recordings: NAME`: a machine of record has them.
    pub(super) gaps: Vec<String>,
    /// What lines `skipped: NAME: WHY` say: what this machine's user cannot try, such as mounting a small disk.
    pub(super) skipped: Vec<String>,
    /// What lines `figure: …` say.
    pub(super) figures: Vec<String>,
    in_successes: bool,
}

impl Reader {
    /// Takes one line in. `true` if a person wants to see it.
    pub(super) fn line(&mut self, line: &str) -> bool {
        let told = line.trim();
        if let Some(name) = told.strip_prefix("no recordings: ") {
            self.gaps.push(format!("no recordings: {}", name.trim()));
            return false;
        }
        if let Some(name) = told.strip_prefix("skipped: ") {
            self.skipped.push(format!("skipped: {}", name.trim()));
            return false;
        }
        if let Some(figure) = told.strip_prefix("figure: ") {
            self.figures.push(figure.to_string());
            return false;
        }
        match told {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ if told.starts_with("test result: ") => {
                self.in_successes = false;
                self.tally = self.tally.plus(counts(told));
            }
            _ => {}
        }
        let is_pass = told.starts_with("test ") && (told.ends_with(" ok") || told.ends_with("(compile) ... ok"));
        !(self.in_successes || is_pass || told.is_empty() || told.starts_with("running "))
    }
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn counts(result: &str) -> Tally {
    let number_before = |word: &str| -> usize {
        let before = result.split(word).next().unwrap_or_default();
        before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    Tally { passed: number_before(" passed;"), failed: number_before(" failed;") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 3 tests
test reads_a_year ... ok
test fills ... FAILED
test sums ... ok

successes:

---- reads_a_year stdout ----
no recordings: reads_a_year
skipped: fills_a_disk: this process may not mount
figure: kill cycles: 7 survived
test result: a line that a test printed

successes:
    reads_a_year
    sums

failures:

---- fills stdout ----
left 1, right 2

failures:
    fills

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s
test result: ok. 40 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s
";

    #[test]
    fn counts_add_up_over_all_programs() {
        let mut reader = Reader::default();
        OUTPUT.lines().for_each(|line| _ = reader.line(line));
        assert_eq!(reader.tally, Tally { passed: 42, failed: 1 });
        assert_eq!(reader.gaps, ["no recordings: reads_a_year"]);
        assert_eq!(reader.skipped, ["skipped: fills_a_disk: this process may not mount"]);
        assert_eq!(reader.figures, ["kill cycles: 7 survived"]);
    }

    #[test]
    fn a_person_sees_failures_and_sums_but_no_list_of_passes() {
        let mut reader = Reader::default();
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| reader.line(line)).collect();
        assert!(shown.contains(&"left 1, right 2") && shown.contains(&"test fills ... FAILED"), "{shown:?}");
        assert!(!shown.iter().any(|line| line.contains("sums")), "{shown:?}");
    }
}
