//! Logarithm, exponential and normal quantile from additions and multiplications alone.
//!
//! The standard library asks the platform for `ln` and `exp`, and platforms differ in the last bit. What decides
//! inside the gate must not: these give the same bits wherever IEEE 754 holds.

/// Natural logarithm of a positive, finite, normal number; relative error below 1e-15.
///
/// `x = m 2^e` with m in [sqrt(1/2), sqrt(2)), and `ln m = 2 artanh((m - 1) / (m + 1))` as a series.
/// NaN for anything else. Source: Abramowitz and Stegun 4.1.27.
pub(crate) fn ln(x: f64) -> f64 {
    if !x.is_normal() || x < 0.0 {
        return f64::NAN;
    }
    let bits = x.to_bits();
    let mut exponent = i32::try_from(bits >> 52).expect("eleven bits") - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12_u32).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    // ln 2 in two parts: the first has zeros at its end, so that its product with the exponent is exact.
    let (high, low) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
    f64::from(exponent) * high + (2.0 * s * series + f64::from(exponent) * low)
}

/// `e^x`, relative error below 1e-15; 0 below -708 and infinite above 709.
///
/// `x = k ln 2 + r` with `|r| <= ln 2 / 2`, the Taylor series of r, then k onto the exponent.
/// Source: Abramowitz and Stegun 4.2.1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 <= 1023 + k <= 2046")]
pub(crate) fn exp(x: f64) -> f64 {
    if x.is_nan() || x > 709.0 {
        return if x.is_nan() { x } else { f64::INFINITY };
    }
    if x < -708.0 {
        return 0.0;
    }
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = (x - k * 6.931_471_803_691_238e-1) - k * 1.908_214_929_270_587_7e-10;
    let series = (1..=18_u32).rev().fold(1.0, |sum, n| 1.0 + sum * r / f64::from(n));
    series * f64::from_bits(((1023.0 + k) as u64) << 52)
}

/// Density of the standard normal distribution.
pub(crate) fn normal_density(z: f64) -> f64 {
    exp(-0.5 * z * z) * 0.398_942_280_401_432_7
}

/// Inverse of the standard normal distribution function for `0 < probability < 1`, to about 1e-15; else NaN.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics,
/// 1988 (PPND16).
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    if !(probability > 0.0 && probability < 1.0) {
        return f64::NAN;
    }
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * fraction(&CENTRE, r);
    }
    let tail = if centred < 0.0 { probability } else { 1.0 - probability };
    let r = (-ln(tail)).sqrt();
    let distance = if r <= 5.0 { fraction(&SHOULDER, r - 1.6) } else { fraction(&FAR, r - 5.0) };
    if centred < 0.0 { -distance } else { distance }
}

/// Numerator over denominator, highest power first.
fn fraction(coefficients: &[[f64; 8]; 2], x: f64) -> f64 {
    let [top, bottom] = coefficients.map(|row| row.iter().fold(0.0, |sum, c| sum * x + c));
    top / bottom
}

const CENTRE: [[f64; 8]; 2] = [
    [
        2_509.080_928_730_122_7,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ],
    [
        5_226.495_278_852_854,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ],
];
const SHOULDER: [[f64; 8]; 2] = [
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_4e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_88e-1,
        1.0,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric;

    #[test]
    fn logarithm_and_exponential_equal_those_of_the_platform_to_a_few_last_bits() {
        for step in -3_000..=3_000 {
            let x = f64::from(step) * 0.23;
            let expected = x.exp();
            assert!((exp(x) - expected).abs() <= 1e-15 * expected, "exp {x}: {} and {expected}", exp(x));
            assert!((ln(expected) - expected.ln()).abs() <= 4e-16 * x.abs().max(1.0), "ln {expected}");
        }
        assert!(ln(0.0).is_nan() && ln(-1.0).is_nan() && ln(f64::INFINITY).is_nan() && ln(f64::NAN).is_nan());
        assert!(exp(-1e9).abs() < 1e-300 && exp(1e9).is_infinite() && exp(f64::NAN).is_nan());
    }

    #[test]
    fn the_quantile_equals_the_bisected_one() {
        let table = [1e-300, 1e-20, 1e-9, 1e-4, 0.01, 0.05, 0.0749, 0.0751, 0.3, 0.5, 0.7, 0.95, 0.99];
        for p in table {
            let (ours, slow) = (normal_quantile(p), numeric::normal_quantile(p).unwrap());
            assert!((ours - slow).abs() <= 2e-14 * slow.abs().max(1.0), "{p}: {ours} and {slow}");
        }
        let odd = normal_quantile(0.75) + normal_quantile(0.25);
        assert!(odd.abs() < 1e-15, "{odd}");
        assert!(normal_quantile(0.0).is_nan() && normal_quantile(1.0).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}
