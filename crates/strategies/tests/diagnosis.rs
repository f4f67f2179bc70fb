//! What `tradewind diagnose` prints and serialises.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{bars_of, build, rehearsal, spot};
use expect_test::{Expect, expect};
use tradewind_domain::{Currency, Money};
use tradewind_gate::Limits;
use tradewind_strategies::Rehearsal;
use tradewind_strategies::diagnose::diagnose;

/// A slow rise with a ripple on it.
fn rise(bars: u32) -> Vec<f64> {
    (0..bars).map(|at| 100.0 + 0.25 * f64::from(at) + f64::from(at % 3)).collect()
}

fn check(name: &str, parameters: &str, keep: usize, expected: Expect) {
    let diagnosis = diagnose(rehearsal(build(name, parameters), &spot()), bars_of(&rise(70)), keep);
    assert_eq!(diagnosis.last.len(), keep.min(70));
    expected.assert_eq(&diagnosis.render());
}

#[test]
fn a_vote_shows_each_value_weight_and_distance() {
    check(
        "vote",
        "buy = 0.95",
        1,
        expect![[r#"
            vote 1-02ffd1f5 on BTC/USDT: 70 bars, 49 of them to warm up
            0 buys, 0 sells, 70 holds; 0 orders refused by the gate
                    49 x hold: warming up
                    21 x hold: short of a threshold, with its numbers
            what the market did in the 20 bars after:
              forecasts: 100.0 % of 1 right, +3.532 % on average
              decisions to trade: none to judge
              signal       judged        IC   rank IC
              breakout          1         -         -
              macd              1         -         -
              mean              1         -         -
              rsi               1         -         -
              score             1         -         -
              threshold         1         -         -
              trend             1         -         -

            1970-01-03T22:00:00Z  close 117.25  position 0
              hold, 21 % sure: score 0.534, threshold 0.950: 0.416 missing, most of it from rsi (0.247)
              forecast 0.53365661 over 20 bars: not over yet
              signal                  value    weight        to threshold
              trend              0.84709654    0.3000         -1.38781130
              rsi                0.24665387    0.2000         -2.08171694
              macd              -0.09155765    0.1000         -4.16343389
              breakout           0.50000000    0.2000         -2.08171694
              mean               0.69676320    0.2000         -2.08171694
              score              0.53365661                   -0.41634339
              threshold          0.95000000
        "#]],
    );
}

#[test]
fn a_lone_signal_shows_its_distance() {
    check(
        "ema-trend",
        "",
        2,
        expect![[r#"
            ema-trend 1-fc3e2ec8 on BTC/USDT: 70 bars, 20 of them to warm up
            1 buy, 0 sells, 69 holds; 0 orders refused by the gate
                    49 x hold: long already, and the trend is not down
                    20 x hold: warming up
            what the market did in the 20 bars after:
              forecasts: 100.0 % of 30 right, +4.571 % on average, IC -0.531
              decisions to trade: 100.0 % of 1 right, +3.738 % on average
              signal                 judged        IC   rank IC
              ema fast                   30    -0.091    -0.546
              ema fast - ema slow        30    -0.456    -0.768
              ema slow                   30    -0.079    -0.546

            1970-01-03T21:00:00Z  close 119  position 88.78504672
              hold, 51 % sure: long already, and the trend is not down
              forecast 0.01136383 over 20 bars: not over yet
              signal                            value    weight        to threshold
              ema fast                   117.00789060
              ema slow                   115.69317266
              ema fast - ema slow          1.31471794                    1.31471794

            1970-01-03T22:00:00Z  close 117.25  position 88.78504672
              hold, 49 % sure: long already, and the trend is not down
              forecast 0.01044936 over 20 bars: not over yet
              signal                            value    weight        to threshold
              ema fast                   117.05191049
              ema slow                   115.84144193
              ema fast - ema slow          1.21046856                    1.21046856
        "#]],
    );
    check(
        "mean-reversion",
        "",
        1,
        expect![[r#"
            mean-reversion 1-80ed563c on BTC/USDT: 70 bars, 19 of them to warm up
            0 buys, 0 sells, 70 holds; 0 orders refused by the gate
                    51 x hold: flat: the price is not far enough from its mean
                    19 x hold: warming up
            what the market did in the 20 bars after:
              forecasts: 0.0 % of 31 right, -4.546 % on average, IC 0.876
              decisions to trade: none to judge
              signal     judged        IC   rank IC
              atr            31     0.844     0.512
              rsi            31    -0.841    -0.512
              z-score        31    -0.876    -0.741

            1970-01-03T22:00:00Z  close 117.25  position 0
              hold, 58 % sure: flat: the price is not far enough from its mean
              forecast -0.85222680 over 20 bars: not over yet
              signal                value    weight        to threshold
              z-score          0.85222680                    2.85222680
              rsi             56.16634686                   21.16634686
              atr              1.42896175
        "#]],
    );
    check(
        "breakout",
        "",
        1,
        expect![[r#"
            breakout 1-f820cd27 on BTC/USDT: 70 bars, 40 of them to warm up
            1 buy, 0 sells, 69 holds; 0 orders refused by the gate
                    40 x hold: warming up
                    28 x hold: long: the close is not below the exit channel
                     1 x hold: flat: the close is inside the entry channel
            what the market did in the 20 bars after:
              forecasts: 100.0 % of 10 right, +4.377 % on average, IC -0.822
              decisions to trade: 100.0 % of 1 right, +3.563 % on average
              signal                judged        IC   rank IC
              adx                       10    -0.079     0.321
              close - entry high         2    -1.000    -1.000
              close - exit low           8    -0.872    -0.882
              momentum %                10    -0.997    -0.273

            1970-01-03T22:00:00Z  close 117.25  position 84.6325167
              hold, 52 % sure: long: the close is not below the exit channel
              forecast 0.50000000 over 20 bars: not over yet
              signal                         value    weight        to threshold
              close - exit low          2.25000000                    2.25000000
              momentum %                7.32265446                    7.32265446
              adx                      43.61089161                   23.61089161
        "#]],
    );
    check(
        "volatility-target",
        "",
        1,
        expect![[r#"
            volatility-target 1-943d9cd5 on BTC/USDT: 70 bars, 60 of them to warm up
            1 buy, 0 sells, 69 holds; 0 orders refused by the gate
                    60 x hold: warming up
                     9 x hold: what is held is inside the band around what is wanted

            1970-01-03T22:00:00Z  close 117.25  position 21.1712236
              hold, 13 % sure: what is held is inside the band around what is wanted
              for 60 bars, without a forecast of direction
              signal                              value    weight        to threshold
              volatility a year              1.20705800
              weight held                    0.24711562
              weight wanted                  0.24853818
              off the wanted weight          0.00142256                   -0.14857744
        "#]],
    );
}

#[test]
fn a_trade_says_how_sure_it_is_and_for_how_long() {
    let told = |name: &str, bars: u32| diagnose(rehearsal(build(name, ""), &spot()), bars_of(&rise(bars)), 1).render();
    for (name, bars, expected) in [
        (
            "ema-trend",
            21,
            "buy of 88.78504672 [cross-up], 60 % sure: the fast average is above the slow one\n  \
             forecast 0.01087154 over 20 bars: not over yet\n",
        ),
        (
            "volatility-target",
            61,
            " [rebalance], 8 % sure: less is held than the volatility allows\n  \
             for 60 bars, without a forecast of direction\n",
        ),
    ] {
        let text = told(name, bars);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn nothing_kept_still_counts() {
    check(
        "ema-trend",
        "",
        0,
        expect![[r#"
            ema-trend 1-fc3e2ec8 on BTC/USDT: 70 bars, 20 of them to warm up
            1 buy, 0 sells, 69 holds; 0 orders refused by the gate
                    49 x hold: long already, and the trend is not down
                    20 x hold: warming up
            what the market did in the 20 bars after:
              forecasts: 100.0 % of 30 right, +4.571 % on average, IC -0.531
              decisions to trade: 100.0 % of 1 right, +3.738 % on average
              signal                 judged        IC   rank IC
              ema fast                   30    -0.091    -0.546
              ema fast - ema slow        30    -0.456    -0.768
              ema slow                   30    -0.079    -0.546
        "#]],
    );
}

/// The distance of a vote is what the vote would have to move by for the score to meet its threshold.
#[test]
fn distances_lead_to_the_threshold() {
    let diagnosis = diagnose(rehearsal(build("vote", ""), &spot()), bars_of(&rise(70)), 12);
    for decision in diagnosis.last {
        let number = |name: &str, field: fn(&tradewind_engine::Signal) -> &String| -> f64 {
            field(decision.signals.iter().find(|signal| signal.name == name).unwrap()).parse().unwrap()
        };
        let (score, threshold) = (number("score", |it| &it.value), number("threshold", |it| &it.value));
        let voters = ["trend", "rsi", "macd", "breakout", "mean"];
        let sum: f64 = voters.iter().map(|name| number(name, |it| &it.value) * number(name, |it| &it.weight)).sum();
        assert!((sum - score).abs() < 1e-6, "the score is the weighted sum: {decision:?}");
        for name in voters {
            let moved = score - number(name, |it| &it.weight) * number(name, |it| &it.distance);
            assert!((moved - threshold).abs() < 1e-6, "{name} {decision:?}");
        }
    }
}

#[test]
fn a_refusal_is_told_with_its_reason() {
    let deposit = Money::parse("10000", Currency::new("USDT").unwrap()).unwrap();
    let mut dear = spot();
    dear.spec.fees = tradewind_domain::FeeSchedule::bps(10, 10);
    let timid = Rehearsal::new(build("ema-trend", "weight = 1.0"), &dear, deposit, Limits::RESEARCH);
    let diagnosis = diagnose(timid, bars_of(&rise(25)), 1);
    assert_eq!((diagnosis.buys, diagnosis.refused), (5, 5), "it tries again and again");
    let refusal = diagnosis.last[0].refusal.as_deref().expect("all of the cash does not cover the fee as well");
    assert!(refusal.starts_with("GATE-") && diagnosis.render().contains(refusal), "{refusal}");
}

#[test]
fn tight_limits_make_an_order_smaller_not_impossible() {
    let deposit = Money::parse("10000", Currency::new("USDT").unwrap()).unwrap();
    let timid = Rehearsal::new(build("ema-trend", ""), &spot(), deposit, Limits::CONSERVATIVE);
    let diagnosis = diagnose(timid, bars_of(&rise(25)), 1);
    assert_eq!((diagnosis.buys, diagnosis.refused), (1, 0), "a tenth of equity is bought, and held");
}

#[test]
fn the_json_has_every_key() {
    let diagnosis = diagnose(rehearsal(build("ema-trend", ""), &spot()), bars_of(&rise(30)), 1);
    expect![[r#"
        {
          "strategy": "ema-trend",
          "version": "1-fc3e2ec8",
          "symbol": "BTC/USDT",
          "bars": 30,
          "warm_up": 20,
          "buys": 1,
          "sells": 0,
          "holds": 29,
          "refused": 0,
          "hold_reasons": {
            "long already, and the trend is not down": 9,
            "warming up": 20
          },
          "judged": {
            "horizon_bars": 20,
            "forecasts": {
              "judged": 0,
              "directed": 0,
              "hits": 0,
              "hit_rate": null,
              "mean_outcome": null,
              "information_coefficient": null,
              "blocks": 0,
              "information_coefficient_ratio": null,
              "rank_information_coefficient": null,
              "rank_information_coefficient_ratio": null
            },
            "decisions": {
              "judged": 0,
              "directed": 0,
              "hits": 0,
              "hit_rate": null,
              "mean_outcome": null,
              "information_coefficient": null,
              "blocks": 0,
              "information_coefficient_ratio": null,
              "rank_information_coefficient": null,
              "rank_information_coefficient_ratio": null
            },
            "signals": [
              {
                "name": "ema fast",
                "judged": 0,
                "information_coefficient": null,
                "rank_information_coefficient": null
              },
              {
                "name": "ema fast - ema slow",
                "judged": 0,
                "information_coefficient": null,
                "rank_information_coefficient": null
              },
              {
                "name": "ema slow",
                "judged": 0,
                "information_coefficient": null,
                "rank_information_coefficient": null
              }
            ]
          },
          "last": [
            {
              "at": "1970-01-02T06:00:00Z",
              "close": "109.25",
              "position": "88.78504672",
              "kind": "hold",
              "reason": "long already, and the trend is not down",
              "forecast": {
                "horizon_bars": 20,
                "value": "0.01169105",
                "confidence_bps": 5583
              },
              "signals": [
                {
                  "name": "ema fast",
                  "value": "107.25847854"
                },
                {
                  "name": "ema slow",
                  "value": "106.01900475"
                },
                {
                  "name": "ema fast - ema slow",
                  "value": "1.23947379",
                  "distance": "1.23947379"
                }
              ]
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&diagnosis).unwrap());
}

#[test]
fn what_followed_is_told_afterwards_and_changes_no_decision() {
    let prices = rise(70);
    let told = |bars: usize| {
        let rehearsal = rehearsal(build("ema-trend", ""), &spot());
        diagnose(rehearsal, bars_of(&prices).into_iter().take(bars), bars)
    };
    let (all, cut) = (told(70), told(60));
    for (later, earlier) in all.last.iter().zip(&cut.last) {
        let blind = |it: &tradewind_strategies::diagnose::Explained| {
            let mut it = it.clone();
            it.followed = None;
            it
        };
        assert_eq!(blind(later), blind(earlier), "the future changes what followed alone");
    }
    assert!(all.last[45].followed.is_some() && cut.last[45].followed.is_none(), "its 20 bars end at bar 65");
    let entry = all.last.iter().find(|it| it.kind == tradewind_engine::DecisionKind::Buy).unwrap();
    let followed = entry.followed.as_ref().unwrap();
    assert!((followed.market_return - (prices[40] / prices[20] - 1.0)).abs() < 1e-12, "{followed:?}");
    assert_eq!(followed.right, Some(true));
    let judged = all.judged.unwrap();
    assert_eq!((judged.horizon_bars, judged.forecasts.judged, judged.decisions.judged), (20, 30, 1));
    assert!(judged.signals.iter().all(|it| it.judged == 30 && it.rank_information_coefficient.is_some()));
}

#[test]
fn a_version_names_rule_and_parameters() {
    let version = |name: &str, parameters: &str| build(name, parameters).version().unwrap();
    for entry in tradewind_strategies::registry::all() {
        let version = version(entry.name, "");
        assert!(version.starts_with("1-") && version.len() == 10, "{}: {version}", entry.name);
        assert_eq!(version, build(entry.name, &entry.template()).version().unwrap(), "{}", entry.name);
    }
    assert_ne!(version("ema-trend", ""), version("ema-trend", "weight = 0.5"));
    assert_ne!(version("vote", "buy = 0.4"), version("vote", "buy = 0.41"));
}

#[test]
fn who_says_nothing_of_direction_is_not_judged() {
    let told = diagnose(rehearsal(build("volatility-target", ""), &spot()), bars_of(&rise(70)), 1);
    let forecast = told.last[0].forecast.clone().unwrap();
    assert_eq!((told.judged, told.last[0].followed.as_ref()), (None, None), "a hold is sure of itself, not of a rise");
    assert_eq!((forecast.horizon_bars, forecast.value, forecast.confidence_bps), (60, None, Some(1_352)));
    assert!(told.version.is_some());
    let traded = diagnose(rehearsal(build("volatility-target", ""), &spot()), bars_of(&rise(61)), 1);
    let forecast = traded.last[0].forecast.clone().unwrap();
    assert_eq!((traded.judged, traded.last[0].followed.as_ref()), (None, None), "a trade is not judged either");
    assert_eq!((forecast.horizon_bars, forecast.value, forecast.confidence_bps), (60, None, Some(896)));
}
