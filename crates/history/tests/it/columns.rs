//! Columns of every honest type: what loses nothing is read, the rest is refused with its name and type.

use crate::common::{reported, stated};
use arrow_array::types::{Float64Type, Int8Type};
use arrow_array::{
    ArrayRef, Date32Array, Date64Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array,
    LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array, UInt64Array,
};
use arrow_ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tradewind_domain::Coded;
use tradewind_history::{BarSeries, ImportError, read_bars, read_quotes, read_series, read_trades};

/// 2024-01-01.
const START: i64 = 1_704_067_200;

/// A file of these columns, as Feather and as Parquet.
fn files(columns: Vec<(&str, ArrayRef)>) -> (tempfile::TempDir, [PathBuf; 2]) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["table.feather", "table.parquet"].map(|name| folder.path().join(name));
    let mut writer = FileWriter::try_new(File::create(&paths[0]).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&paths[1]).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    (folder, paths)
}

/// Three bars of that time and price, read from both formats.
fn bars(time: &ArrayRef, price: &ArrayRef) -> [Result<BarSeries, ImportError>; 2] {
    let prices = ["open", "high", "low", "close"].map(|name| (name, Arc::clone(price)));
    let columns = [("time", Arc::clone(time))].into_iter().chain(prices).collect();
    let (_folder, paths) = files(columns);
    paths.map(|path| read_bars(&path, &stated()))
}

fn seconds() -> [i64; 3] {
    [0, 1, 2].map(|hour| START + hour * 3_600)
}

/// What stands for 100.25, 101.5 and 99.
fn floats() -> ArrayRef {
    Arc::new(Float64Array::from(vec![100.25, 101.5, 99.0]))
}

#[test]
fn times_of_every_type_are_the_same_times() {
    let text = ["2024-01-01 00:00:00", "2024-01-01 01:00:00", "2024-01-01 02:00:00"];
    let scaled = |unit: i64| seconds().map(|second| second * unit).to_vec();
    let small = |second: i64| u32::try_from(second).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampSecondArray::from(scaled(1))),
        Arc::new(TimestampMillisecondArray::from(scaled(1_000)).with_timezone("UTC")),
        Arc::new(TimestampMicrosecondArray::from(scaled(1_000_000)).with_timezone("+02:00")),
        Arc::new(TimestampNanosecondArray::from(scaled(1_000_000_000)).with_timezone("Europe/Berlin")),
        Arc::new(Int32Array::from(seconds().map(|second| i32::try_from(second).unwrap()).to_vec())),
        Arc::new(UInt32Array::from(seconds().map(small).to_vec())),
        Arc::new(UInt64Array::from(seconds().map(|second| u64::from(small(second)) * 1_000).to_vec())),
        Arc::new(StringArray::from(text.to_vec())),
        Arc::new(LargeStringArray::from(seconds().map(|second| second.to_string()).to_vec())),
        Arc::new(StringViewArray::from(text.to_vec())),
        Arc::new(text.into_iter().collect::<DictionaryArray<Int8Type>>()),
    ];
    for column in columns {
        for series in bars(&column, &floats()) {
            let times: Vec<i64> =
                series.unwrap().bars.iter().map(|bar| bar.open_time.nanos() / 1_000_000_000).collect();
            assert_eq!(times, seconds(), "{column:?}");
        }
    }
}

#[test]
fn days_are_read_of_both_types() {
    let days = [0_i32, 1, 2].map(|day| 19_723 + day);
    let columns: [ArrayRef; 2] = [
        Arc::new(Date32Array::from(days.to_vec())),
        Arc::new(Date64Array::from(days.map(|day| i64::from(day) * 86_400_000).to_vec())),
    ];
    for column in columns {
        for series in bars(&column, &floats()) {
            let series = series.unwrap();
            assert_eq!(
                (series.interval.to_string(), series.bars[0].open_time.nanos()),
                ("1d".to_owned(), START * 1_000_000_000)
            );
        }
    }
}

#[test]
fn numbers_of_every_type_are_the_same_numbers() {
    let time: ArrayRef = Arc::new(TimestampSecondArray::from(seconds().to_vec()));
    let text = ["100.25", "101.5", "99"];
    let decimal = |mantissas: [i128; 3], digits: u8, scale: i8| -> ArrayRef {
        Arc::new(Decimal128Array::from(mantissas.to_vec()).with_precision_and_scale(digits, scale).unwrap())
    };
    let columns: Vec<ArrayRef> = vec![
        floats(),
        Arc::new(Float32Array::from(vec![100.25, 101.5, 99.0])),
        decimal([10_025, 10_150, 9_900], 9, 2),
        decimal([10_025, 10_150, 9_900].map(|it| it * 10_i128.pow(28)), 38, 30),
        Arc::new(StringArray::from(text.to_vec())),
        Arc::new(LargeStringArray::from(text.to_vec())),
        Arc::new(StringViewArray::from(text.to_vec())),
        Arc::new(text.into_iter().collect::<DictionaryArray<Int8Type>>()),
    ];
    for column in columns {
        for series in bars(&time, &column) {
            let series = series.unwrap();
            let closes: Vec<i64> = series.bars.iter().map(|bar| bar.close.mantissa()).collect();
            assert_eq!((closes, series.instrument.price_decimals), (vec![10_025, 10_150, 9_900], 2), "{column:?}");
            assert!(series.defects.iter().all(|defect| defect.code == "HIS-33"), "{:?}", series.defects);
        }
    }
    for series in bars(&time, &(Arc::new(Int32Array::from(vec![100, 101, 99])) as ArrayRef)) {
        assert_eq!(series.unwrap().bars[1].close.mantissa(), 101);
    }
    let too_fine = decimal([100_123_456_789, 100_123_456_789, 100_123_456_789], 18, 9);
    for series in bars(&time, &too_fine) {
        let series = series.unwrap();
        assert!(
            series.defects.iter().any(|defect| defect.code == "HIS-20" && defect.rows == 3),
            "{:?}",
            series.defects
        );
    }
}

#[test]
fn ids_keep_all_their_bits_and_words_may_be_a_dictionary() {
    let times: ArrayRef = Arc::new(UInt64Array::from(vec![1_704_067_200_000, 1_704_067_201_000]));
    let ids: ArrayRef = Arc::new(UInt64Array::from(vec![7, u64::MAX]));
    let sides: ArrayRef = Arc::new(["buy", "sell"].into_iter().collect::<DictionaryArray<Int8Type>>());
    let prices = Decimal128Array::from(vec![1_005, 1_010]).with_precision_and_scale(18, 1).unwrap();
    let prices: ArrayRef = Arc::new(prices);
    let amounts: ArrayRef = Arc::new(Int32Array::from(vec![3, 4]));
    let (_folder, paths) =
        files(vec![("timestamp", times), ("id", ids), ("side", sides), ("price", prices), ("amount", amounts)]);
    for path in paths {
        let series = read_trades(&path, &stated()).unwrap();
        assert_eq!(series.trades.iter().map(|(_, trade)| trade.id.0).collect::<Vec<_>>(), [7, u128::from(u64::MAX)]);
        assert_eq!((series.trades[1].1.price.mantissa(), series.trades[1].1.quantity.mantissa()), (1_010, 4));
    }
}

#[test]
fn a_decimal_that_is_rounded_is_named_with_all_of_its_digits() {
    let times: ArrayRef = Arc::new(UInt64Array::from(vec![1_704_067_200_000]));
    let (ids, sides): (ArrayRef, ArrayRef) =
        (Arc::new(UInt64Array::from(vec![7])), Arc::new(StringArray::from(vec!["buy"])));
    let price = Decimal128Array::from(vec![12_345_678_912_345_678_912]).with_precision_and_scale(38, 20).unwrap();
    let price: ArrayRef = Arc::new(price);
    let amounts: ArrayRef = Arc::new(Int32Array::from(vec![3]));
    let (_folder, paths) =
        files(vec![("timestamp", times), ("id", ids), ("side", sides), ("price", price), ("amount", amounts)]);
    for path in paths {
        let series = read_trades(&path, &stated()).unwrap();
        assert_eq!(series.trades[0].1.price.mantissa(), 12_345_679);
        let rounded = series.defects.iter().find(|defect| defect.code == "HIS-20").unwrap();
        assert_eq!(rounded.value, "0.12345678912345678912");
    }
}

#[test]
fn a_column_of_a_type_that_is_not_read_is_named_with_its_type() {
    let lists = || -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(vec![Some(vec![Some(1.0)]); 3]))
    };
    let named = |error: &ImportError, column: &str| {
        let text = error.to_string();
        assert!(error.code() == "HIS-48" && text.contains(column) && text.contains("List"), "{text}");
    };
    let time: ArrayRef = Arc::new(TimestampSecondArray::from(seconds().to_vec()));
    bars(&time, &lists()).into_iter().for_each(|series| named(&series.unwrap_err(), "`open`"));
    bars(&lists(), &floats()).into_iter().for_each(|series| named(&series.unwrap_err(), "`time`"));
    let quotes = |bid: ArrayRef, bid_size: ArrayRef| {
        files(vec![
            ("time", Arc::clone(&time)),
            ("bid", bid),
            ("ask", floats()),
            ("bid_size", bid_size),
            ("ask_size", floats()),
        ])
    };
    for (columns, column) in [((lists(), floats()), "`bid`"), ((floats(), lists()), "`bid_size`")] {
        let (_folder, paths) = quotes(columns.0, columns.1);
        for path in paths {
            named(&read_quotes(&path, &reported()).unwrap_err(), column);
            named(&read_series(&path, &reported()).unwrap_err(), column);
        }
    }
}
