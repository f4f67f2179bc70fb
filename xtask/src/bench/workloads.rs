//! The workloads: which programs do the same work, which of their figures are compared, and what shows
//! that the work was the same.

/// The name of our own side.
pub(super) const OURS: &str = "ours";
/// The name of the least code that does the work.
pub(super) const FLOOR: &str = "floor";

/// One kind of work.
pub(crate) struct Workload {
    /// What `--only` calls it.
    pub(super) name: &'static str,
    /// One line about it.
    pub(super) about: &'static str,
    /// What `gen_data.py` has to write for it.
    pub(super) data: &'static [&'static str],
    /// The ways it is measured.
    pub(super) cases: &'static [Case],
}

/// Programs that are run in turn and compared.
pub(crate) struct Case {
    /// Tells the cases of a workload apart.
    pub(super) label: &'static str,
    /// Ours first.
    pub(super) contestants: &'static [Contestant],
    /// What is compared.
    pub(super) figures: &'static [Figure],
    /// What shows that the work was the same.
    pub(super) checks: &'static [Check],
    /// What a reader of the figures has to know.
    pub(super) note: &'static str,
}

/// One program of a case.
pub(crate) struct Contestant {
    /// What the report calls it.
    pub(super) name: &'static str,
    /// Which program it is.
    pub(super) program: Program,
    /// Its arguments, `{data}` being the folder of generated data, `{run}` a working folder that keeps what earlier runs
    /// left, and `{fresh}` one that every run finds empty.
    pub(super) args: &'static [&'static str],
    /// Variables of its environment, as `NAME=value`.
    pub(super) env: &'static [&'static str],
    /// How to see that it is up, if the time from its start is measured, in the words of `ready.py`.
    pub(super) ready: Option<&'static str>,
    /// Whether it trades on an exchange in a process of its own, whose settings lie in `{fresh}`.
    pub(super) outside: bool,
}

impl Contestant {
    pub(super) const fn new(name: &'static str, program: Program, args: &'static [&'static str]) -> Self {
        Self { name, program, args, env: &[], ready: None, outside: false }
    }

    /// The same, beside an exchange in a process of its own.
    const fn beside_an_exchange(mut self) -> Self {
        self.outside = true;
        self
    }

    /// The same, timed from its start until `how` shows that it is up.
    const fn until(mut self, how: &'static str) -> Self {
        self.ready = Some(how);
        self
    }

    const fn with_env(mut self, env: &'static [&'static str]) -> Self {
        self.env = env;
        self
    }
}

/// Where a program comes from.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// A binary of our own `bench` package.
    Ours(&'static str),
    /// The product itself.
    Product,
    /// A binary of the package of floors.
    Floor(&'static str),
    /// A Python script and the packages it needs.
    Python(&'static Python),
    /// `nautilus-backtest` with a strategy in Rust.
    NautilusRust,
    /// The program around the crates `ta`, `yata` and `kand`.
    RustCrates,
    /// The C program that appends to files and to SQLite.
    JournalC,
}

/// A script and its environment.
pub(crate) struct Python {
    /// Names the environment.
    pub(super) name: &'static str,
    /// The releases of Python that the packages work with.
    pub(super) versions: &'static [&'static str],
    /// The requirements file.
    pub(super) pins: &'static str,
    /// The script, from the folder of scripts.
    pub(super) script: &'static str,
}

/// A number that several programs print, each under a name of its own.
pub(crate) struct Figure {
    /// What the report calls it.
    pub(super) label: &'static str,
    /// The field, unless the program is listed in `other_keys`.
    pub(super) key: &'static str,
    /// Programs that print it under another name.
    pub(super) other_keys: &'static [(&'static str, &'static str)],
}

impl Figure {
    /// The field under which `contestant` prints this figure.
    pub(super) fn key_of(&self, contestant: &str) -> &'static str {
        key_of(contestant, self.key, self.other_keys)
    }
}

/// What shows that the work was done: `key` of each of `of` lies within `slack` of `value`.
pub(crate) struct Check {
    /// The field, unless the program is listed in `other_keys`.
    pub(super) key: &'static str,
    /// Programs that print it under another name.
    pub(super) other_keys: &'static [(&'static str, &'static str)],
    /// Who must agree.
    pub(super) of: &'static [&'static str],
    /// The right value; `None` is what ours says.
    pub(super) value: Option<f64>,
    /// How far from it is still right.
    pub(super) slack: f64,
}

impl Check {
    /// The field under which `contestant` prints this value.
    pub(super) fn key_of(&self, contestant: &str) -> &'static str {
        key_of(contestant, self.key, self.other_keys)
    }

    /// The same, where some programs print the value under another name.
    const fn or_under(mut self, other_keys: &'static [(&'static str, &'static str)]) -> Self {
        self.other_keys = other_keys;
        self
    }
}

fn key_of(contestant: &str, key: &'static str, others: &[(&'static str, &'static str)]) -> &'static str {
    others.iter().find(|(name, _)| *name == contestant).map_or(key, |(_, key)| *key)
}

const fn check(key: &'static str, of: &'static [&'static str], value: f64, slack: f64) -> Check {
    Check { key, other_keys: &[], of, value: Some(value), slack }
}

/// The value is what ours says.
const fn like_ours(key: &'static str, of: &'static [&'static str], slack: f64) -> Check {
    Check { key, other_keys: &[], of, value: None, slack }
}

const VECTORBT: Python = Python {
    name: "vectorbt",
    versions: &["3.12"],
    pins: "vectorbt==1.2.0\n",
    script: "w1_bar_backtest/vectorbt_run.py",
};
const HFTBACKTEST: Python = Python {
    name: "hftbacktest",
    versions: &["3.12"],
    pins: "hftbacktest==2.4.4\n",
    script: "w3_tick_backtest/hft_run.py",
};
const TALIB: Python =
    Python { name: "talib", versions: &["3.12"], pins: "TA-Lib==0.8.2\n", script: "w5_indicators/talib_run.py" };
const NAUTILUS: Python = Python {
    name: "nautilus",
    versions: &["3.13", "3.12"],
    pins: "nautilus_trader==1.231.0\npandas<3\n",
    script: "w11_startup/nautilus_node.py",
};

const fn figure(label: &'static str, key: &'static str) -> Figure {
    Figure { label, key, other_keys: &[] }
}

/// The most memory that a program held, as the system says.
const PEAK: Figure = figure("peak_kib", "peak_kib");

/// The last value of an indicator, which both print to four decimals.
const fn last(key: &'static str) -> Check {
    like_ours(key, &["talib"], 2e-4)
}

/// Everything that `cargo xtask bench` measures.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "bars-1m", about: "EMA 10/20 over a million bars, 45,418 fills", data: &["bars"], cases: &[BARS] },
    Workload {
        name: "bars-csv",
        about: "the same from the file of text: whole processes, and their memory",
        data: &["bars"],
        cases: &[BARS_CSV],
    },
    Workload { name: "bars-scale", about: "what a fill costs from 1k to 1M of them", data: &[], cases: &[BARS_SCALE] },
    Workload {
        name: "ticks",
        about: "two quotes through two million depth and trade events",
        data: &["book"],
        cases: &[TICKS],
    },
    Workload {
        name: "indicators",
        about: "five indicators over ten million points",
        data: &["bars10m"],
        cases: &[INDICATORS_BATCH, INDICATORS_STREAM],
    },
    Workload {
        name: "journal",
        about: "durable appends of 256 bytes, and reading them back",
        data: &[],
        cases: &[JOURNAL_SINGLE, JOURNAL_GROUP, JOURNAL_REPLAY],
    },
    Workload {
        name: "gate",
        about: "one verdict of the gate: 100 positions, 1,000 open orders, value at risk included",
        data: &[],
        cases: &[GATE, GATE_PARAMETRIC, GATE_MONTE_CARLO, GATE_LARGEST],
    },
    Workload {
        name: "recovery",
        about: "a start on a tail of a million records: safe, reconciled, and from a snapshot",
        data: &[],
        cases: &[RECOVERY],
    },
    Workload {
        name: "startup",
        about: "from start to ready, memory and processor at rest",
        data: &[],
        cases: &[STARTUP_OUTSIDE, STARTUP_INSIDE],
    },
];

const GATE: Case = Case {
    label: "verdict",
    contestants: &[Contestant::new(OURS, Program::Ours("gate"), &["20000"])],
    figures: &[figure("p50_us", "p50_us"), figure("p99_us", "p99_us")],
    checks: &[check("positions", &[OURS], 100.0, 0.0), check("open_orders", &[OURS], 1_000.0, 0.0)],
    note: "every limit of the profile moderate is set; no peer asks as much before an order",
};
const GATE_PARAMETRIC: Case = Case {
    label: "verdict, parametric",
    contestants: &[Contestant::new(OURS, Program::Ours("gate"), &["20000", "parametric"])],
    ..GATE
};
const GATE_MONTE_CARLO: Case = Case {
    label: "verdict, Monte Carlo",
    contestants: &[Contestant::new(OURS, Program::Ours("gate"), &["20000", "monte-carlo"])],
    ..GATE
};
const GATE_LARGEST: Case = Case {
    label: "verdict, the largest of the three",
    contestants: &[Contestant::new(OURS, Program::Ours("gate"), &["20000", "largest"])],
    ..GATE
};

const RECOVERY: Case = Case {
    label: "start",
    contestants: &[Contestant::new(OURS, Program::Ours("recovery"), &["{run}/recovery", "1000000"])],
    figures: &[figure("safe_s", "safe_s"), figure("reconciled_s", "reconciled_s"), figure("snapshot_s", "snapshot_s")],
    checks: &[check("records", &[OURS], 1_000_000.0, 0.0)],
    note: "nine quotes to a bar; reconciled with the local exchange on loopback",
};

const BARS: Case = Case {
    label: "backtest",
    contestants: &[
        Contestant::new(OURS, Program::Ours("bars"), &["{data}/bars_1m.bin"]),
        Contestant::new(FLOOR, Program::Floor("bars"), &["w1", "{data}/bars_1m.bin"]),
        Contestant::new("vectorbt", Program::Python(&VECTORBT), &["{data}/bars_1m.bin"]),
        Contestant::new("nautilus", Program::NautilusRust, &["{data}/bars_1m.bin", "1000000", "notrade"]),
    ],
    figures: &[figure("run_cpu_s", "run_cpu_s")],
    checks: &[
        check("fills", &[OURS, FLOOR, "vectorbt"], 45_418.0, 0.0),
        check("pnl", &[OURS, FLOOR, "vectorbt"], -1_708_795.29, 0.004),
    ],
    note: "nautilus runs without orders, its cheaper case: with them its cost grows with the square of the fills",
};

const BARS_CSV: Case = Case {
    label: "from CSV",
    contestants: &[
        Contestant::new(OURS, Program::Ours("bars"), &["{data}/bars_1m.csv"]),
        Contestant::new(FLOOR, Program::Floor("bars"), &["w1", "{data}/bars_1m.csv"]),
    ],
    figures: &[figure("wall_s", "wall_s"), PEAK],
    checks: &[check("fills", &[OURS, FLOOR], 45_418.0, 0.0), check("pnl", &[OURS, FLOOR], -1_708_795.29, 0.004)],
    note: "wall time; ours reads as it goes, the floor reads all and then goes through its bars five times",
};

const BARS_SCALE: Case = Case {
    label: "fills",
    contestants: &[Contestant::new(OURS, Program::Ours("bars"), &["scale"])],
    figures: &[
        figure("ns_per_fill_1k", "ns_per_fill_1000"),
        figure("ns_per_fill_10k", "ns_per_fill_10000"),
        figure("ns_per_fill_100k", "ns_per_fill_100000"),
        figure("ns_per_fill_1m", "ns_per_fill_1000000"),
        figure("last_over_first", "last_over_first"),
    ],
    checks: &[
        check("fills_1000", &[OURS], 1_000.0, 0.0),
        check("fills_10000", &[OURS], 10_000.0, 0.0),
        check("fills_100000", &[OURS], 100_000.0, 0.0),
        check("fills_1000000", &[OURS], 1_000_000.0, 0.0),
    ],
    note: "eight bars to a fill; no limits, as a million losing trades would meet every one",
};

/// Ours and the peer have the same queue model, and so the same quotes and fills. The floor's is simpler: its 40,033
/// requests are within 5 % of theirs, its fills are fewer.
const TICKS: Case = Case {
    label: "quoting",
    contestants: &[
        Contestant::new(OURS, Program::Ours("ticks"), &["{data}/book.bin"]),
        Contestant::new(FLOOR, Program::Floor("book"), &["w3", "{data}/book.bin"]),
        Contestant::new("hftbacktest", Program::Python(&HFTBACKTEST), &["{data}/book.bin"]),
    ],
    figures: &[
        Figure { label: "run_cpu_s", key: "run_cpu_s", other_keys: &[("hftbacktest", "roivector_run_cpu_s")] },
        PEAK,
    ],
    checks: &[
        check("sent", &[OURS, "hftbacktest"], 38_581.0, 0.0).or_under(&[("hftbacktest", "roivector_sent")]),
        check("fills", &[OURS, "hftbacktest"], 16_094.0, 0.0).or_under(&[("hftbacktest", "roivector_fills")]),
        check("sent", &[FLOOR], 38_581.0, 38_581.0 * 0.05),
        check("events", &[OURS, FLOOR, "hftbacktest"], 1_990_294.0, 0.0),
    ],
    note: "the floor's queue model is simpler: its requests agree within 5 %, its fills do not",
};

const INDICATORS_BATCH: Case = Case {
    label: "batch",
    contestants: &[
        Contestant::new(OURS, Program::Ours("indicators"), &["batch", "{data}"]),
        Contestant::new(FLOOR, Program::Floor("bars"), &["w5", "{data}"]),
        Contestant::new("talib", Program::Python(&TALIB), &["{data}"]),
    ],
    figures: &[
        figure("rsi", "rsi_s"),
        figure("macd", "macd_s"),
        figure("bbands", "bbands_s"),
        figure("atr", "atr_s"),
        figure("adx", "adx_s"),
    ],
    checks: &[last("rsi_last"), last("macd_last"), last("bbands_last"), last("atr_last"), last("adx_last")],
    note: "",
};

const INDICATORS_STREAM: Case = Case {
    label: "stream",
    contestants: &[
        Contestant::new(OURS, Program::Ours("indicators"), &["stream", "{data}"]),
        Contestant::new(FLOOR, Program::Floor("bars"), &["w5", "{data}"]),
        Contestant::new("ta", Program::RustCrates, &["{data}"]),
    ],
    figures: &[
        figure("all_five", "stream_all5_s"),
        Figure { label: "rsi", key: "stream_rsi_s", other_keys: &[("ta", "ta_rsi_s")] },
        Figure { label: "macd", key: "stream_macd_s", other_keys: &[("ta", "ta_macd_s")] },
        Figure { label: "bbands", key: "stream_bbands_s", other_keys: &[("ta", "ta_bbands_s")] },
        Figure { label: "atr", key: "stream_atr_s", other_keys: &[("ta", "ta_atr_s")] },
    ],
    checks: &[
        like_ours("stream_all5_last", &[FLOOR], 1e-3),
        like_ours("stream_macd_last", &["ta"], 2e-4).or_under(&[("ta", "ta_macd_last")]),
        like_ours("stream_bbands_last", &["ta"], 2e-4).or_under(&[("ta", "ta_bbands_last")]),
    ],
    note: "`ta` smooths RSI and ATR by another average, so their values are not compared; nor are the crates `yata` and \
           `kand`, which its program times as well, nor TA-Lib's own stream",
};

const RECORDS: Figure = figure("records_per_s", "records_per_s");
const MEDIAN: Figure = figure("p50_us", "p50_us");

const JOURNAL_SINGLE: Case = Case {
    label: "single",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["append", "{run}/ours", "4000", "256", "1"]),
        Contestant::new(FLOOR, Program::JournalC, &["prealloc", "{run}/floor", "4000", "256", "1"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite", "{run}/sqlite", "4000", "256", "1", "full"]),
    ],
    figures: &[RECORDS, MEDIAN],
    checks: &[
        check("group", &[OURS, FLOOR, "sqlite"], 1.0, 0.0),
        check("records", &[OURS], 4_000.0, 0.0),
        check("verified", &[OURS], 1.0, 0.0),
        check("segments", &[OURS], 1.0, 0.0),
    ],
    note: "wall time; every append is on the disk before the next",
};

const JOURNAL_GROUP: Case = Case {
    label: "group-64",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["append", "{run}/ours", "256000", "256", "64"]),
        Contestant::new(FLOOR, Program::JournalC, &["prealloc", "{run}/floor", "256000", "256", "64"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite", "{run}/sqlite", "256000", "256", "64", "full"]),
    ],
    figures: &[RECORDS, MEDIAN],
    checks: &[
        check("group", &[OURS, FLOOR, "sqlite"], 64.0, 0.0),
        check("records", &[OURS], 256_000.0, 0.0),
        check("verified", &[OURS], 1.0, 0.0),
        check("segments", &[OURS], 1.0, 0.0),
    ],
    note: "wall time; one sync for 64 records",
};

/// Reads what the case before wrote.
const JOURNAL_REPLAY: Case = Case {
    label: "replay",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["replay-sum", "{run}/ours"]),
        Contestant::new(FLOOR, Program::JournalC, &["replay", "{run}/floor", "256"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite-replay", "{run}/sqlite"]),
    ],
    figures: &[RECORDS],
    checks: &[
        check("records", &[OURS, FLOOR, "sqlite"], 256_000.0, 0.0),
        check("bad", &[OURS, FLOOR], 0.0, 0.0),
        like_ours("x", &["sqlite"], 0.0),
    ],
    note: "all compute the sum of every record; ours checks its CRC as well. An even number of equal records makes x 0",
};

const STARTUP_FIGURES: &[Figure] =
    &[figure("ready_s", "ready_s"), figure("rss_mib", "rss_mib"), figure("idle_cpu_percent", "idle_cpu_percent")];

/// As a node beside a venue runs.
const STARTUP_OUTSIDE: Case = Case {
    label: "exchange outside",
    contestants: &[
        Contestant::new(OURS, Program::Product, &["paper", "--config", "{fresh}/tradewind.toml"])
            .until("line:ready in ")
            .beside_an_exchange(),
        Contestant::new(FLOOR, Program::Floor("http"), &["hyper"])
            .until("http:http://127.0.0.1:18473/")
            .with_env(&["PORT=18473"]),
        Contestant::new("nautilus", Program::Python(&NAUTILUS), &[]).until("line:READY"),
    ],
    figures: STARTUP_FIGURES,
    checks: &[check("ok", &[OURS, FLOOR, "nautilus"], 1.0, 0.0)],
    note: "wall time, polled; each start on an empty folder, one strategy on a local exchange of another process",
};

const STARTUP_INSIDE: Case = Case {
    label: "exchange inside",
    contestants: &[
        Contestant::new(OURS, Program::Product, &["paper", "--data-dir", "{fresh}/data"]).until("line:ready in ")
    ],
    figures: STARTUP_FIGURES,
    checks: &[check("ok", &[OURS], 1.0, 0.0)],
    note: "the exchange, its market and its memory are part of the process; each start on an empty folder",
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case with what a failed test calls it.
    fn cases() -> impl Iterator<Item = (String, &'static Case)> {
        let named = |workload: &'static Workload| {
            workload.cases.iter().map(move |case| (format!("{} {}", workload.name, case.label), case))
        };
        WORKLOADS.iter().flat_map(named)
    }

    #[test]
    fn ours_comes_first_and_no_speed_counts_without_a_check_of_its_work() {
        for (name, case) in cases() {
            assert_eq!(case.contestants[0].name, OURS, "{name}");
            let of_ours = |check: &Check| check.of.contains(&OURS) || check.value.is_none();
            assert!(case.checks.iter().any(of_ours), "{name} has no check of ours");
        }
    }

    #[test]
    fn figures_and_checks_name_contestants_of_their_case() {
        for (name, case) in cases() {
            let takes_part = |who: &str| case.contestants.iter().any(|contestant| contestant.name == who);
            let others = case.figures.iter().flat_map(|figure| figure.other_keys);
            let others = others.chain(case.checks.iter().flat_map(|check| check.other_keys)).map(|(who, _)| *who);
            for who in others.chain(case.checks.iter().flat_map(|check| check.of.iter().copied())) {
                assert!(takes_part(who), "{name} speaks of {who}");
            }
        }
    }

    #[test]
    fn a_workload_whose_ratios_others_read_keeps_its_form() {
        let bars = WORKLOADS.iter().find(|workload| workload.name == "bars-1m").unwrap();
        assert_eq!((bars.cases.len(), bars.cases[0].figures.len()), (1, 1), "ratio_vs_vectorbt is one number");
        let names: Vec<&str> = bars.cases[0].contestants.iter().map(|contestant| contestant.name).collect();
        assert_eq!(names, [OURS, FLOOR, "vectorbt", "nautilus"]);
    }

    #[test]
    fn a_value_is_read_under_the_name_that_each_program_gives_it() {
        let check = check("sent", &[OURS, "peer"], 1.0, 0.0).or_under(&[("peer", "best_sent")]);
        assert_eq!((check.key_of(OURS), check.key_of("peer")), ("sent", "best_sent"));
    }
}
