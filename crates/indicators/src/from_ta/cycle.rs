//! Cycle measures that `ta-lib` computes, after J. Ehlers.

use crate::indicator::outputs;
use crate::ta::from_ta_lib;

outputs! {
    /// What [`Phasor`] yields.
    PhasorOutput { in_phase: "The in-phase part.", quadrature: "The quadrature part." }
}

outputs! {
    /// What [`HilbertSine`] yields.
    HilbertSineOutput { sine: "The sine of the phase.", lead: "The sine 45 degrees ahead." }
}

from_ta_lib! {
    /// The period of the dominant cycle in bars (J. Ehlers, by Hilbert transform).
    DominantCyclePeriod = "ht_dcperiod", "Dominant cycle period", Cycle, overlay: false;
        f64(real) => ht_dcperiod_lookback, ht_dcperiod_open, HtDcperiodStream();
        () -> (value) f64;

    /// The phase of the dominant cycle in degrees (J. Ehlers).
    DominantCyclePhase = "ht_dcphase", "Dominant cycle phase", Cycle, overlay: false;
        f64(real) => ht_dcphase_lookback, ht_dcphase_open, HtDcphaseStream();
        () -> (value) f64;

    /// The in-phase and quadrature parts of the dominant cycle (J. Ehlers).
    Phasor = "ht_phasor", "Hilbert phasor", Cycle, overlay: false;
        f64(real) => ht_phasor_lookback, ht_phasor_open, HtPhasorStream();
        () -> (in_phase, quadrature) PhasorOutput;

    /// The sine of the dominant cycle's phase, and the same 45 degrees ahead (J. Ehlers).
    HilbertSine = "ht_sine", "Hilbert sine wave", Cycle, overlay: false;
        f64(real) => ht_sine_lookback, ht_sine_open, HtSineStream();
        () -> (sine, lead) HilbertSineOutput;

    /// 1 in a trend, 0 in a cycle (J. Ehlers).
    HilbertTrendMode = "ht_trendmode", "Hilbert trend or cycle mode", Cycle, overlay: false;
        f64(real) => ht_trendmode_lookback, ht_trendmode_open, HtTrendmodeStream();
        () -> (value) f64;

    /// The series without its slow part (J. Ehlers, Swiss Army Knife indicator).
    TwoPoleHighPass = "swak_2php", "Two-pole high-pass filter", Cycle, overlay: false;
        f64(real) => swak_2php_lookback, swak_2php_open, Swak2phpStream(period);
        (period: usize = 20 in 2..=10_000) -> (value) f64;

    /// The part of the series near one period (J. Ehlers, Swiss Army Knife indicator).
    BandPass = "swak_bp", "Band-pass filter", Cycle, overlay: false;
        f64(real) => swak_bp_lookback, swak_bp_open, SwakBpStream(period, bandwidth);
        (period: usize = 20 in 5..=2000, bandwidth: f64 = 0.1 in 0.05..=0.5) -> (value) f64;

    /// The series without its slow part, by one pole (J. Ehlers, Swiss Army Knife indicator).
    HighPass = "swak_hp", "High-pass filter", Cycle, overlay: false;
        f64(real) => swak_hp_lookback, swak_hp_open, SwakHpStream(period);
        (period: usize = 20 in 5..=100_000) -> (value) f64;
}
