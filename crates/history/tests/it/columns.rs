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
use parquet::basic::{Compression, GzipLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradewind_domain::Coded;
use tradewind_history::{
    BarSeries, Defect, ImportError, ImportOptions, VolumeKind, read_bars, read_quotes, read_series, read_trades,
    stream_bars,
};

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
    write_parquet(&paths[1], &batch, Compression::UNCOMPRESSED);
    (folder, paths)
}

fn write_parquet(path: &Path, batch: &RecordBatch, compression: Compression) {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
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

#[test]
fn parquet_in_gzip_is_read_and_what_is_packed_otherwise_is_no_damage() {
    let time: ArrayRef = Arc::new(TimestampSecondArray::from(seconds().to_vec()));
    let prices = ["open", "high", "low", "close"].map(|name| (name, floats()));
    let batch = RecordBatch::try_from_iter([("time", time)].into_iter().chain(prices)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    write_parquet(&path, &batch, Compression::GZIP(GzipLevel::default()));
    assert_eq!(read_bars(&path, &stated()).unwrap().bars.len(), 3);

    write_parquet(&path, &batch, Compression::UNCOMPRESSED);
    let mut bytes = std::fs::read(&path).unwrap();
    let unpacked = b"\x04open\x15\x00"; // the column's name and, as a number twice its own, how it is packed
    let at = bytes.windows(unpacked.len()).position(|it| it == unpacked).expect("a column");
    bytes[at + unpacked.len() - 1] = 6; // LZO
    std::fs::write(&path, &bytes).unwrap();
    let error = read_bars(&path, &stated()).unwrap_err();
    assert!(error.code() == "HIS-02" && error.to_string().contains("LZO"), "{error}");
}

/// Minutes with these volumes, as Feather, Parquet and CSV.
fn with_volumes(volumes: &[Option<f64>]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let times: Vec<i64> = (START..).step_by(60).take(volumes.len()).collect();
    let cells = volumes.iter().map(|volume| volume.map_or_else(String::new, |it| it.to_string()));
    let rows: String = times.iter().zip(cells).map(|(time, cell)| format!("{time},10,10,10,10,{cell}\n")).collect();
    let price: ArrayRef = Arc::new(Float64Array::from(vec![10.0; volumes.len()]));
    let prices = ["open", "high", "low", "close"].map(|name| (name, Arc::clone(&price)));
    let time: ArrayRef = Arc::new(TimestampSecondArray::from(times));
    let volume: ArrayRef = Arc::new(Float64Array::from(volumes.to_vec()));
    let columns = [("time", time)].into_iter().chain(prices).chain([("volume", volume)]);
    let (folder, paths) = files(columns.collect());
    let table = folder.path().join("table.csv");
    std::fs::write(&table, format!("time,open,high,low,close,volume\n{rows}")).unwrap();
    (folder, paths.into_iter().chain([table]).collect())
}

/// Whether minutes of these volumes give any, and the first two things that are wrong with them: the same of every kind of
/// file, read whole or as a stream.
#[track_caller]
fn check_volumes(volumes: &[Option<f64>], kind: VolumeKind, want: &[&str]) {
    let (_folder, paths) = with_volumes(volumes);
    for path in paths {
        let whole = read_bars(&path, &reported()).unwrap();
        let mut stream = stream_bars(&path, &reported()).unwrap();
        assert_eq!((whole.source.volume, stream.source().volume), (kind, kind), "{}", path.display());
        assert!(stream.by_ref().map(Result::unwrap).eq(whole.bars.iter().copied()), "{}", path.display());
        assert_eq!(stream.defects().count(), whole.defects.count(), "{}", path.display());
        let line = |d: &Defect| format!("{} {} {} {:?} x{}", d.code, d.row, d.column, d.effect, d.rows);
        assert_eq!(whole.defects.iter().take(2).map(line).collect::<Vec<_>>(), want, "{}", path.display());
    }
}

#[test]
fn a_file_in_which_no_row_has_a_volume_gives_none() {
    let none = vec![None; 3_000];
    check_volumes(&none, VolumeKind::Absent, &["HIS-33 1 volume Kept x3000"]);
    let (_folder, paths) = with_volumes(&none);
    let fixed = ImportOptions { price_decimals: Some(1), quantity_decimals: Some(1), ..stated() };
    for path in paths {
        assert_eq!(stream_bars(&path, &fixed).unwrap().source().volume, VolumeKind::Absent, "{}", path.display());
    }
}

#[test]
fn a_volume_that_is_missing_among_others_leaves_the_row_out_in_every_kind_of_file() {
    let missing = |rows: std::ops::Range<usize>| {
        (0..3_000).map(|row| (!rows.contains(&row)).then_some(1.5)).collect::<Vec<Option<f64>>>()
    };
    let hole = ["HIS-09 101 volume LeftOut x1", "HIS-14 102 time Kept x1"];
    check_volumes(&missing(100..101), VolumeKind::Given, &hole);
    check_volumes(
        &missing(2_500..2_501),
        VolumeKind::Given,
        &["HIS-09 2501 volume LeftOut x1", "HIS-14 2502 time Kept x1"],
    );
    let begin_late = ["HIS-09 1 volume LeftOut x1", "HIS-09 2 volume LeftOut x1"];
    check_volumes(&missing(0..2_500), VolumeKind::Given, &begin_late);
    let (_folder, paths) = with_volumes(&missing(2_500..2_501));
    for path in paths {
        assert_eq!(read_bars(&path, &stated()).unwrap_err().code(), "HIS-09", "{}", path.display());
        let last = stream_bars(&path, &stated()).unwrap().last().unwrap();
        assert_eq!(last.unwrap_err().code(), "HIS-09", "{}", path.display());
    }
}
