//! Files that people bring: bars, trades, funding, factors, and configuration of tapes.

use super::{Feed, Target, owned, refused, way};
use crate::seeds;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tradewind_domain::{InstrumentSpec, Interval};
use tradewind_history::{
    BarSeries, Defect, Effect, FactorFile, ImportError, ImportOptions, OnDefect, read_bars, read_depth, read_funding,
    read_orders, read_quotes, read_trades,
};

/// A file that holds one input after the other; in memory where the system has such a folder.
struct Place {
    file: PathBuf,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let folder = folder.expect("there is room for a folder");
        Self { file: folder.path().join("BTC_USDT-1h.csv"), _folder: folder }
    }

    fn with(&self, bytes: &[u8]) -> &Path {
        std::fs::write(&self.file, bytes).expect("there is room for a file");
        &self.file
    }
}

/// What is asked of a file: everything stated, so that the rows decide, and once with nothing stated.
fn stated() -> [ImportOptions; 2] {
    let instrument = InstrumentSpec::spot("BTC/USDT".parse().expect("a symbol"), "binance");
    let all = ImportOptions {
        instrument: Some(instrument),
        interval: Some(Interval::HOUR),
        on_defect: OnDefect::Report,
        hash: false,
        ..ImportOptions::default()
    };
    [all, ImportOptions { symbol: "BTC/USDT".parse().ok(), hash: false, ..ImportOptions::default() }]
}

/// What recordings of that form begin with, and a few rows of our own.
fn recorded(target: &str, folders: &[&str], ends: fn(&str) -> bool, own: &[&str]) -> Vec<Vec<u8>> {
    let mut all = owned(own);
    for folder in folders {
        let Some(folder) = seeds::recordings(target, folder) else { return all };
        let files = seeds::files(&folder, ends).into_iter().filter_map(|file| std::fs::read(file).ok());
        all.extend(files);
    }
    all
}

fn outcome<T>(result: &Result<T, ImportError>, ways: impl FnOnce(&T) -> u64) -> u64 {
    match result {
        Ok(it) => ways(it),
        Err(error) => refused(error),
    }
}

/// The way of a file with so many rows and these defects.
fn found(rows: usize, defects: &[Defect]) -> u64 {
    way((rows.min(8), defects.iter().map(|it| it.code).collect::<Vec<_>>()))
}

/// Bars ascend, each is possible, and defects have codes.
fn bars(series: &BarSeries) -> u64 {
    let ascends = series.bars.windows(2).all(|pair| pair[0].open_time < pair[1].open_time);
    assert!(ascends, "two bars of one time, or out of order");
    let is_clean = series.defects.iter().all(|defect| defect.effect != Effect::Kept);
    for bar in series.bars.iter().filter(|_| is_clean) {
        assert!(bar.low <= bar.open.min(bar.close) && bar.open.max(bar.close) <= bar.high, "{bar:?}");
        assert!(bar.volume.mantissa() >= 0, "{bar:?}");
    }
    way((
        series.bars.len().min(8),
        series.defects.iter().map(|it| it.code).collect::<Vec<_>>(),
        series.gaps.len().min(4),
    ))
}

const CSV: &[&str] = &[
    "date,open,high,low,close,volume\n2026-01-01 00:00:00,100.5,101,99,100,12\n2026-01-01 01:00:00,100,102,100,101.25,3\n",
    "1499040000000,0.01634790,0.80000000,0.01575800,0.01577100,148976.11427815,1499644799999,2434.19,308,1756.87,28.46,17928\n",
    "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT\n1700000000,2023-11-14 22:13:20,BTC/USDT,1,2,0.5,1.5,3,4\n",
    "20180404 00:00,730000,740000,720000,735000,123\n",
    "ts;open;high;low;close\n2026-01-01T00:00:00Z;1;2;0.5;1\n2026-01-01T01:00:00Z;1;2;0.5;NaN\n",
];

pub(super) const BARS: Target = Target {
    name: "bar-files",
    about: "files of bars as text, plain or packed: bars ascend and are possible",
    seeds: |name| {
        let ends = |path: &str| path.ends_with(".csv") || path.ends_with(".zip") || path.ends_with(".gz");
        recorded(name, &["ohlcv"], ends, CSV).into_iter().filter(|it| it.len() < 20_000).collect()
    },
    make: || series(Place::new()),
};

pub(super) const COLUMNS: Target = Target {
    name: "column-files",
    about: "Arrow and Parquet files of bars: as bar-files",
    seeds: |name| {
        let ends = |path: &str| path.ends_with(".feather") || path.ends_with(".parquet");
        recorded(name, &["ohlcv"], ends, &["ARROW1\0\0", "PAR1PAR1"])
            .into_iter()
            .filter(|it| it.len() < 40_000)
            .collect()
    },
    make: || series(Place::new()),
};

fn series(place: Place) -> Feed {
    let options = stated();
    Box::new(move |bytes| {
        let file = place.with(bytes);
        way(options.each_ref().map(|options| outcome(&read_bars(file, options), bars)))
    })
}

pub(super) const TRADES: Target = Target {
    name: "trade-files",
    about: "files of public trades: trades ascend, prices and quantities are positive",
    seeds: |name| {
        let own = [
            "timestamp,id,type,side,price,amount,cost\n1700000000000,1,limit,buy,100.5,2,201\n1700000001000,2,limit,sell,100,1,100\n",
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\nbinance,BTCUSDT,1700000000000000,1700000000000001,7,buy,100.5,2\n",
            "[[1700000000000,\"1\",null,\"buy\",100.5,2.0,201.0],[1700000001000,\"2\",null,\"sell\",100.0,1.0,100.0]]",
            "1700000000.5: {\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"100.5\",\"q\":\"2\",\"T\":1700000000000,\"m\":true}}\n",
        ];
        let ends = |path: &str| path.contains("trade");
        recorded(name, &["ticks", "ohlcv/crypto"], ends, &own).into_iter().filter(|it| it.len() < 40_000).collect()
    },
    make: || -> Feed {
        let (place, options) = (Place::new(), stated());
        Box::new(move |bytes| {
            let file = place.with(bytes);
            let read = |options| {
                outcome(&read_trades(file, options), |series| {
                    assert!(series.trades.windows(2).all(|pair| pair[0].0 <= pair[1].0), "out of order");
                    let is_real = |price: i64, quantity: i64| price > 0 && quantity > 0;
                    let all = series.trades.iter().all(|(_, it)| is_real(it.price.mantissa(), it.quantity.mantissa()));
                    let is_clean = series.defects.iter().all(|defect| defect.effect != Effect::Kept);
                    assert!(all || !is_clean, "a trade of nothing, or for nothing, and no word about it");
                    found(series.trades.len(), &series.defects)
                })
            };
            way(options.each_ref().map(read))
        })
    },
};

pub(super) const BOOKS: Target = Target {
    name: "book-files",
    about: "files of quotes, depth and orders: quotes and orders ascend, no level is of a negative size",
    seeds: |name| {
        let own = [
            "timestamp,bid,ask,bid_size,ask_size\n1700000000000,100.5,100.6,2,3\n1700000001000,100.4,100.4,1,0\n",
            "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\nderibit,BTC-PERPETUAL,1700000000000000,1700000000000001,true,bid,100.5,2\nderibit,BTC-PERPETUAL,1700000000000000,1700000000000001,true,ask,100.6,1\nderibit,BTC-PERPETUAL,1700000001000000,1700000001000001,false,bid,100.5,0\n",
            "id,timestamp,exchange.timestamp,price,volume,action,direction\n1,1430438400,1430438400,236.5,1.5,created,bid\n1,1430438401,1430438401,236.5,0.5,changed,bid\n1,1430438402,1430438402,236.5,0.5,deleted,bid\n",
            "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"snapshot\",\"ts\":1700000000000,\"data\":{\"s\":\"XRPUSDT\",\"b\":[[\"0.5\",\"10\"]],\"a\":[[\"0.6\",\"9\"]],\"u\":1,\"seq\":7},\"cts\":1700000000000}\n",
        ];
        let ends = |path: &str| ["depth", "quote", "book", "orders"].iter().any(|word| path.contains(word));
        recorded(name, &["ticks"], ends, &own).into_iter().filter(|it| it.len() < 40_000).collect()
    },
    make: || -> Feed {
        let (place, options) = (Place::new(), stated());
        Box::new(move |bytes| {
            let file = place.with(bytes);
            let read = |options| {
                let quotes = outcome(&read_quotes(file, options), |series| {
                    assert!(series.quotes.windows(2).all(|pair| pair[0].0 <= pair[1].0), "quotes out of order");
                    found(series.quotes.len(), &series.defects)
                });
                let depth = outcome(&read_depth(file, options), |series| {
                    let mut levels = series.updates.iter().flat_map(|it| &it.levels);
                    assert!(levels.all(|level| level.size.mantissa() >= 0), "a level of a negative size");
                    found(series.updates.len(), &series.defects)
                });
                let orders = outcome(&read_orders(file, options), |series| {
                    assert!(series.events.windows(2).all(|pair| pair[0].0 <= pair[1].0), "orders out of order");
                    found(series.events.len(), &series.defects)
                });
                way((quotes, depth, orders))
            };
            way(options.each_ref().map(read))
        })
    },
};

pub(super) const TABLES: Target = Target {
    name: "funding-factors",
    about: "files of funding rates and of factors: payments ascend",
    seeds: |name| {
        let own = [
            "date,open,high,low,close,volume\n2026-01-01 00:00:00,0.0001,0,0,0,0\n2026-01-01 08:00:00,-0.0002,0,0,0,0\n",
            "20200101,0.9876543,1,100\n20210101,0.99,0.25,120\n20501231,1,1,0\n",
        ];
        let ends = |path: &str| path.contains("funding") || path.contains("factor_files");
        recorded(name, &["ohlcv"], ends, &own).into_iter().filter(|it| it.len() < 40_000).collect()
    },
    make: || -> Feed {
        let (place, options) = (Place::new(), stated());
        Box::new(move |bytes| {
            let file = place.with(bytes);
            let funding = outcome(&read_funding(file, &options[0]), |series| way(series.rates.len().min(8)));
            let factors = outcome(&FactorFile::read(file), |_| 1);
            way((funding, factors))
        })
    },
};
