//! Combined prices of one bar that `ta-lib` computes.

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`HeikinAshi`] yields.
    HeikinAshiOutput { open: "The open.", high: "The high.", low: "The low.", close: "The close." }
}

from_ta_lib! {
    /// (open + high + low + close) / 4.
    AveragePrice = "avgprice", "Average price", Price, overlay: true;
        Candle(open, high, low, close) => avgprice_lookback, avgprice_open, AvgpriceStream();
        () -> (value) f64;

    /// (high + low) / 2.
    MedianPrice = "medprice", "Median price", Price, overlay: true;
        Candle(high, low) => medprice_lookback, medprice_open, MedpriceStream();
        () -> (value) f64;

    /// (high + low + close) / 3.
    TypicalPrice = "typprice", "Typical price", Price, overlay: true;
        Candle(high, low, close) => typprice_lookback, typprice_open, TyppriceStream();
        () -> (value) f64;

    /// (high + low + 2 close) / 4.
    WeightedClose = "wclprice", "Weighted close", Price, overlay: true;
        Candle(high, low, close) => wclprice_lookback, wclprice_open, WclpriceStream();
        () -> (value) f64;

    /// Averaged candles: each opens in the middle of the one before it.
    HeikinAshi = "ha", "Heikin-Ashi candles", Price, overlay: true;
        Candle(open, high, low, close) => ha_lookback, ha_open, HaStream();
        () -> (open, high, low, close) HeikinAshiOutput;
}
