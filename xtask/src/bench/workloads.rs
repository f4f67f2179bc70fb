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
    /// Its arguments, `{data}` being the folder of generated data and `{run}` a working folder.
    pub(super) args: &'static [&'static str],
    /// Variables of its environment, as `NAME=value`.
    pub(super) env: &'static [&'static str],
    /// How to see that it is up, if the time from its start is measured, in the words of `ready.py`.
    pub(super) ready: Option<&'static str>,
}

impl Contestant {
    const fn new(name: &'static str, program: Program, args: &'static [&'static str]) -> Self {
        Self { name, program, args, env: &[], ready: None }
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
        self.other_keys.iter().find(|(name, _)| *name == contestant).map_or(self.key, |(_, key)| key)
    }
}

/// What shows that the work was done: `key` of each of `of` lies within `slack` of `value`.
pub(crate) struct Check {
    /// The field.
    pub(super) key: &'static str,
    /// Who must agree.
    pub(super) of: &'static [&'static str],
    /// The right value; `None` is what ours says.
    pub(super) value: Option<f64>,
    /// How far from it is still right.
    pub(super) slack: f64,
}

const fn check(key: &'static str, of: &'static [&'static str], value: f64, slack: f64) -> Check {
    Check { key, of, value: Some(value), slack }
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

/// The last value of an indicator, which both print to four decimals.
const fn last(key: &'static str) -> Check {
    Check { key, of: &["talib"], value: None, slack: 2e-4 }
}

/// Everything that `cargo xtask bench` measures.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload { name: "bars-1m", about: "EMA 10/20 over a million bars, 45,418 fills", data: &["bars"], cases: &[BARS] },
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
    Workload { name: "startup", about: "from start to ready, and memory at rest", data: &[], cases: &[STARTUP] },
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

/// Queue models differ, so the counts of quotes may, by 5 %: 38,581 of the floor and 40,033 of the peer.
const TICKS: Case = Case {
    label: "quoting",
    contestants: &[
        Contestant::new(OURS, Program::Ours("ticks"), &["{data}/book.bin"]),
        Contestant::new(FLOOR, Program::Floor("book"), &["w3", "{data}/book.bin"]),
        Contestant::new("hftbacktest", Program::Python(&HFTBACKTEST), &["{data}/book.bin"]),
    ],
    figures: &[Figure { label: "run_cpu_s", key: "run_cpu_s", other_keys: &[("hftbacktest", "roivector_run_cpu_s")] }],
    checks: &[
        check("sent", &[OURS, FLOOR], 39_307.0, 39_307.0 * 0.05),
        check("events", &[OURS, FLOOR, "hftbacktest"], 2_000_000.0, 0.0),
    ],
    note: "queue models differ, so fills do; quotes sent agree within 5 %",
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
    ],
    figures: &[figure("all_five", "stream_all5_s")],
    checks: &[],
    note: "",
};

const RECORDS: Figure = figure("records_per_s", "records_per_s");

const JOURNAL_SINGLE: Case = Case {
    label: "single",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["append", "{run}/ours", "4000", "256", "1"]),
        Contestant::new(FLOOR, Program::JournalC, &["prealloc", "{run}/floor", "4000", "256", "1"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite", "{run}/sqlite", "4000", "256", "1", "full"]),
    ],
    figures: &[RECORDS],
    checks: &[],
    note: "wall time; every append is on the disk before the next",
};

const JOURNAL_GROUP: Case = Case {
    label: "group-64",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["append", "{run}/ours", "256000", "256", "64"]),
        Contestant::new(FLOOR, Program::JournalC, &["prealloc", "{run}/floor", "256000", "256", "64"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite", "{run}/sqlite", "256000", "256", "64", "full"]),
    ],
    figures: &[RECORDS],
    checks: &[],
    note: "wall time; one sync for 64 records",
};

/// Reads what the case before wrote.
const JOURNAL_REPLAY: Case = Case {
    label: "replay",
    contestants: &[
        Contestant::new(OURS, Program::Ours("journal"), &["replay", "{run}/ours"]),
        Contestant::new(FLOOR, Program::JournalC, &["replay", "{run}/floor", "256"]),
        Contestant::new("sqlite", Program::JournalC, &["sqlite-replay", "{run}/sqlite"]),
    ],
    figures: &[RECORDS],
    checks: &[check("records", &[OURS, FLOOR, "sqlite"], 256_000.0, 0.0)],
    note: "",
};

const STARTUP: Case = Case {
    label: "ready",
    contestants: &[
        Contestant::new(OURS, Program::Product, &["paper", "--data-dir", "{run}/paper"]).until("line:ready"),
        Contestant::new(FLOOR, Program::Floor("http"), &["hyper"])
            .until("http:http://127.0.0.1:18473/")
            .with_env(&["PORT=18473"]),
        Contestant::new("nautilus", Program::Python(&NAUTILUS), &[]).until("line:READY"),
    ],
    figures: &[figure("ready_s", "ready_s"), figure("rss_mib", "rss_mib")],
    checks: &[check("ok", &[OURS, FLOOR, "nautilus"], 1.0, 0.0)],
    note: "wall time; polled",
};
