//! TA-Lib's candlestick patterns: 100 where the newest bar completes a bullish one, -100 a bearish one, 0 elsewhere.
//!
//! A few grade: 200 and -200 for a confirmed hikkake, 80 and -80 for an engulfing or harami whose ends touch.

use crate::ta::from_ta_lib;

from_ta_lib! {
    /// Two crows: 0 where the newest bar does not complete it.
    TwoCrows = "cdl2crows", "Two crows", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl2crows_lookback, cdl2crows_open, Cdl2crowsStream();
        () -> (value) f64;

    /// Three black crows: 0 where the newest bar does not complete it.
    ThreeBlackCrows = "cdl3blackcrows", "Three black crows", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl3blackcrows_lookback, cdl3blackcrows_open, Cdl3blackcrowsStream();
        () -> (value) f64;

    /// Three inside up/down: 0 where the newest bar does not complete it.
    ThreeInside = "cdl3inside", "Three inside up/down", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl3inside_lookback, cdl3inside_open, Cdl3insideStream();
        () -> (value) f64;

    /// Three-line strike: 0 where the newest bar does not complete it.
    ThreeLineStrike = "cdl3linestrike", "Three-line strike", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl3linestrike_lookback, cdl3linestrike_open, Cdl3linestrikeStream();
        () -> (value) f64;

    /// Three outside up/down: 0 where the newest bar does not complete it.
    ThreeOutside = "cdl3outside", "Three outside up/down", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl3outside_lookback, cdl3outside_open, Cdl3outsideStream();
        () -> (value) f64;

    /// Three stars in the south: 0 where the newest bar does not complete it.
    ThreeStarsInTheSouth = "cdl3starsinsouth", "Three stars in the south", Pattern, overlay: false;
        Candle(open, high, low, close) => cdl3starsinsouth_lookback, cdl3starsinsouth_open, Cdl3starsinsouthStream();
        () -> (value) f64;

    /// Three advancing white soldiers: 0 where the newest bar does not complete it.
    ThreeWhiteSoldiers = "cdl3whitesoldiers", "Three advancing white soldiers", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdl3whitesoldiers_lookback, cdl3whitesoldiers_open, Cdl3whitesoldiersStream();
        () -> (value) f64;

    /// Abandoned baby: 0 where the newest bar does not complete it. `penetration` is how far the last body must reach
    /// into the first one, as a fraction.
    AbandonedBaby = "cdlabandonedbaby", "Abandoned baby", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlabandonedbaby_lookback, cdlabandonedbaby_open, CdlabandonedbabyStream(penetration);
        (penetration: f64 = 0.3 in 0.0..=1.0) -> (value) f64;

    /// Advance block: 0 where the newest bar does not complete it.
    AdvanceBlock = "cdladvanceblock", "Advance block", Pattern, overlay: false;
        Candle(open, high, low, close) => cdladvanceblock_lookback, cdladvanceblock_open, CdladvanceblockStream();
        () -> (value) f64;

    /// Belt-hold: 0 where the newest bar does not complete it.
    BeltHold = "cdlbelthold", "Belt-hold", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlbelthold_lookback, cdlbelthold_open, CdlbeltholdStream();
        () -> (value) f64;

    /// Breakaway: 0 where the newest bar does not complete it.
    Breakaway = "cdlbreakaway", "Breakaway", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlbreakaway_lookback, cdlbreakaway_open, CdlbreakawayStream();
        () -> (value) f64;

    /// Closing marubozu: 0 where the newest bar does not complete it.
    ClosingMarubozu = "cdlclosingmarubozu", "Closing marubozu", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlclosingmarubozu_lookback, cdlclosingmarubozu_open, CdlclosingmarubozuStream();
        () -> (value) f64;

    /// Concealing baby swallow: 0 where the newest bar does not complete it.
    ConcealingBabySwallow = "cdlconcealbabyswall", "Concealing baby swallow", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlconcealbabyswall_lookback, cdlconcealbabyswall_open, CdlconcealbabyswallStream();
        () -> (value) f64;

    /// Counterattack: 0 where the newest bar does not complete it.
    Counterattack = "cdlcounterattack", "Counterattack", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlcounterattack_lookback, cdlcounterattack_open, CdlcounterattackStream();
        () -> (value) f64;

    /// Dark cloud cover: 0 where the newest bar does not complete it. `penetration` is how far the last body must
    /// reach into the first one, as a fraction.
    DarkCloudCover = "cdldarkcloudcover", "Dark cloud cover", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdldarkcloudcover_lookback, cdldarkcloudcover_open, CdldarkcloudcoverStream(penetration);
        (penetration: f64 = 0.5 in 0.0..=1.0) -> (value) f64;

    /// Doji: 0 where the newest bar does not complete it.
    Doji = "cdldoji", "Doji", Pattern, overlay: false;
        Candle(open, high, low, close) => cdldoji_lookback, cdldoji_open, CdldojiStream();
        () -> (value) f64;

    /// Doji star: 0 where the newest bar does not complete it.
    DojiStar = "cdldojistar", "Doji star", Pattern, overlay: false;
        Candle(open, high, low, close) => cdldojistar_lookback, cdldojistar_open, CdldojistarStream();
        () -> (value) f64;

    /// Dragonfly doji: 0 where the newest bar does not complete it.
    DragonflyDoji = "cdldragonflydoji", "Dragonfly doji", Pattern, overlay: false;
        Candle(open, high, low, close) => cdldragonflydoji_lookback, cdldragonflydoji_open, CdldragonflydojiStream();
        () -> (value) f64;

    /// Engulfing: 0 where the newest bar does not complete it.
    Engulfing = "cdlengulfing", "Engulfing", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlengulfing_lookback, cdlengulfing_open, CdlengulfingStream();
        () -> (value) f64;

    /// Evening doji star: 0 where the newest bar does not complete it. `penetration` is how far the last body must
    /// reach into the first one, as a fraction.
    EveningDojiStar = "cdleveningdojistar", "Evening doji star", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdleveningdojistar_lookback, cdleveningdojistar_open, CdleveningdojistarStream(penetration);
        (penetration: f64 = 0.3 in 0.0..=1.0) -> (value) f64;

    /// Evening star: 0 where the newest bar does not complete it. `penetration` is how far the last body must reach
    /// into the first one, as a fraction.
    EveningStar = "cdleveningstar", "Evening star", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdleveningstar_lookback, cdleveningstar_open, CdleveningstarStream(penetration);
        (penetration: f64 = 0.3 in 0.0..=1.0) -> (value) f64;

    /// Gap side-by-side white lines: 0 where the newest bar does not complete it.
    GapSideBySideWhite = "cdlgapsidesidewhite", "Gap side-by-side white lines", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlgapsidesidewhite_lookback, cdlgapsidesidewhite_open, CdlgapsidesidewhiteStream();
        () -> (value) f64;

    /// Gravestone doji: 0 where the newest bar does not complete it.
    GravestoneDoji = "cdlgravestonedoji", "Gravestone doji", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlgravestonedoji_lookback, cdlgravestonedoji_open, CdlgravestonedojiStream();
        () -> (value) f64;

    /// Hammer: 0 where the newest bar does not complete it.
    Hammer = "cdlhammer", "Hammer", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhammer_lookback, cdlhammer_open, CdlhammerStream();
        () -> (value) f64;

    /// Hanging man: 0 where the newest bar does not complete it.
    HangingMan = "cdlhangingman", "Hanging man", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhangingman_lookback, cdlhangingman_open, CdlhangingmanStream();
        () -> (value) f64;

    /// Harami: 0 where the newest bar does not complete it.
    Harami = "cdlharami", "Harami", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlharami_lookback, cdlharami_open, CdlharamiStream();
        () -> (value) f64;

    /// Harami cross: 0 where the newest bar does not complete it.
    HaramiCross = "cdlharamicross", "Harami cross", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlharamicross_lookback, cdlharamicross_open, CdlharamicrossStream();
        () -> (value) f64;

    /// High wave: 0 where the newest bar does not complete it.
    HighWave = "cdlhighwave", "High wave", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhighwave_lookback, cdlhighwave_open, CdlhighwaveStream();
        () -> (value) f64;

    /// Hikkake: 0 where the newest bar does not complete it.
    Hikkake = "cdlhikkake", "Hikkake", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhikkake_lookback, cdlhikkake_open, CdlhikkakeStream();
        () -> (value) f64;

    /// Modified hikkake: 0 where the newest bar does not complete it.
    HikkakeModified = "cdlhikkakemod", "Modified hikkake", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhikkakemod_lookback, cdlhikkakemod_open, CdlhikkakemodStream();
        () -> (value) f64;

    /// Homing pigeon: 0 where the newest bar does not complete it.
    HomingPigeon = "cdlhomingpigeon", "Homing pigeon", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlhomingpigeon_lookback, cdlhomingpigeon_open, CdlhomingpigeonStream();
        () -> (value) f64;

    /// Identical three crows: 0 where the newest bar does not complete it.
    IdenticalThreeCrows = "cdlidentical3crows", "Identical three crows", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlidentical3crows_lookback, cdlidentical3crows_open, Cdlidentical3crowsStream();
        () -> (value) f64;

    /// In-neck: 0 where the newest bar does not complete it.
    InNeck = "cdlinneck", "In-neck", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlinneck_lookback, cdlinneck_open, CdlinneckStream();
        () -> (value) f64;

    /// Inverted hammer: 0 where the newest bar does not complete it.
    InvertedHammer = "cdlinvertedhammer", "Inverted hammer", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlinvertedhammer_lookback, cdlinvertedhammer_open, CdlinvertedhammerStream();
        () -> (value) f64;

    /// Kicking: 0 where the newest bar does not complete it.
    Kicking = "cdlkicking", "Kicking", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlkicking_lookback, cdlkicking_open, CdlkickingStream();
        () -> (value) f64;

    /// Kicking, judged by the longer marubozu: 0 where the newest bar does not complete it.
    KickingByLength = "cdlkickingbylength", "Kicking, judged by the longer marubozu", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlkickingbylength_lookback, cdlkickingbylength_open, CdlkickingbylengthStream();
        () -> (value) f64;

    /// Ladder bottom: 0 where the newest bar does not complete it.
    LadderBottom = "cdlladderbottom", "Ladder bottom", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlladderbottom_lookback, cdlladderbottom_open, CdlladderbottomStream();
        () -> (value) f64;

    /// Long legged doji: 0 where the newest bar does not complete it.
    LongLeggedDoji = "cdllongleggeddoji", "Long legged doji", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdllongleggeddoji_lookback, cdllongleggeddoji_open, CdllongleggeddojiStream();
        () -> (value) f64;

    /// Long line: 0 where the newest bar does not complete it.
    LongLine = "cdllongline", "Long line", Pattern, overlay: false;
        Candle(open, high, low, close) => cdllongline_lookback, cdllongline_open, CdllonglineStream();
        () -> (value) f64;

    /// Marubozu: 0 where the newest bar does not complete it.
    Marubozu = "cdlmarubozu", "Marubozu", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlmarubozu_lookback, cdlmarubozu_open, CdlmarubozuStream();
        () -> (value) f64;

    /// Matching low: 0 where the newest bar does not complete it.
    MatchingLow = "cdlmatchinglow", "Matching low", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlmatchinglow_lookback, cdlmatchinglow_open, CdlmatchinglowStream();
        () -> (value) f64;

    /// Mat hold: 0 where the newest bar does not complete it. `penetration` is how far the last body must reach into
    /// the first one, as a fraction.
    MatHold = "cdlmathold", "Mat hold", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlmathold_lookback, cdlmathold_open, CdlmatholdStream(penetration);
        (penetration: f64 = 0.5 in 0.0..=1.0) -> (value) f64;

    /// Morning doji star: 0 where the newest bar does not complete it. `penetration` is how far the last body must
    /// reach into the first one, as a fraction.
    MorningDojiStar = "cdlmorningdojistar", "Morning doji star", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlmorningdojistar_lookback, cdlmorningdojistar_open, CdlmorningdojistarStream(penetration);
        (penetration: f64 = 0.3 in 0.0..=1.0) -> (value) f64;

    /// Morning star: 0 where the newest bar does not complete it. `penetration` is how far the last body must reach
    /// into the first one, as a fraction.
    MorningStar = "cdlmorningstar", "Morning star", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlmorningstar_lookback, cdlmorningstar_open, CdlmorningstarStream(penetration);
        (penetration: f64 = 0.3 in 0.0..=1.0) -> (value) f64;

    /// On-neck: 0 where the newest bar does not complete it.
    OnNeck = "cdlonneck", "On-neck", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlonneck_lookback, cdlonneck_open, CdlonneckStream();
        () -> (value) f64;

    /// Piercing: 0 where the newest bar does not complete it.
    Piercing = "cdlpiercing", "Piercing", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlpiercing_lookback, cdlpiercing_open, CdlpiercingStream();
        () -> (value) f64;

    /// Rickshaw man: 0 where the newest bar does not complete it.
    RickshawMan = "cdlrickshawman", "Rickshaw man", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlrickshawman_lookback, cdlrickshawman_open, CdlrickshawmanStream();
        () -> (value) f64;

    /// Rising/falling three methods: 0 where the newest bar does not complete it.
    RisingFallingThreeMethods = "cdlrisefall3methods", "Rising/falling three methods", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlrisefall3methods_lookback, cdlrisefall3methods_open, Cdlrisefall3methodsStream();
        () -> (value) f64;

    /// Separating lines: 0 where the newest bar does not complete it.
    SeparatingLines = "cdlseparatinglines", "Separating lines", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlseparatinglines_lookback, cdlseparatinglines_open, CdlseparatinglinesStream();
        () -> (value) f64;

    /// Shooting star: 0 where the newest bar does not complete it.
    ShootingStar = "cdlshootingstar", "Shooting star", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlshootingstar_lookback, cdlshootingstar_open, CdlshootingstarStream();
        () -> (value) f64;

    /// Short line: 0 where the newest bar does not complete it.
    ShortLine = "cdlshortline", "Short line", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlshortline_lookback, cdlshortline_open, CdlshortlineStream();
        () -> (value) f64;

    /// Spinning top: 0 where the newest bar does not complete it.
    SpinningTop = "cdlspinningtop", "Spinning top", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlspinningtop_lookback, cdlspinningtop_open, CdlspinningtopStream();
        () -> (value) f64;

    /// Stalled: 0 where the newest bar does not complete it.
    Stalled = "cdlstalledpattern", "Stalled", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlstalledpattern_lookback, cdlstalledpattern_open, CdlstalledpatternStream();
        () -> (value) f64;

    /// Stick sandwich: 0 where the newest bar does not complete it.
    StickSandwich = "cdlsticksandwich", "Stick sandwich", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlsticksandwich_lookback, cdlsticksandwich_open, CdlsticksandwichStream();
        () -> (value) f64;

    /// Takuri: 0 where the newest bar does not complete it.
    Takuri = "cdltakuri", "Takuri", Pattern, overlay: false;
        Candle(open, high, low, close) => cdltakuri_lookback, cdltakuri_open, CdltakuriStream();
        () -> (value) f64;

    /// Tasuki gap: 0 where the newest bar does not complete it.
    TasukiGap = "cdltasukigap", "Tasuki gap", Pattern, overlay: false;
        Candle(open, high, low, close) => cdltasukigap_lookback, cdltasukigap_open, CdltasukigapStream();
        () -> (value) f64;

    /// Thrusting: 0 where the newest bar does not complete it.
    Thrusting = "cdlthrusting", "Thrusting", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlthrusting_lookback, cdlthrusting_open, CdlthrustingStream();
        () -> (value) f64;

    /// Tristar: 0 where the newest bar does not complete it.
    Tristar = "cdltristar", "Tristar", Pattern, overlay: false;
        Candle(open, high, low, close) => cdltristar_lookback, cdltristar_open, CdltristarStream();
        () -> (value) f64;

    /// Unique 3 river: 0 where the newest bar does not complete it.
    UniqueThreeRiver = "cdlunique3river", "Unique 3 river", Pattern, overlay: false;
        Candle(open, high, low, close) => cdlunique3river_lookback, cdlunique3river_open, Cdlunique3riverStream();
        () -> (value) f64;

    /// Upside gap two crows: 0 where the newest bar does not complete it.
    UpsideGapTwoCrows = "cdlupsidegap2crows", "Upside gap two crows", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlupsidegap2crows_lookback, cdlupsidegap2crows_open, Cdlupsidegap2crowsStream();
        () -> (value) f64;

    /// Upside/downside gap three methods: 0 where the newest bar does not complete it.
    GapThreeMethods = "cdlxsidegap3methods", "Upside/downside gap three methods", Pattern, overlay: false;
        Candle(open, high, low, close) =>
            cdlxsidegap3methods_lookback, cdlxsidegap3methods_open, Cdlxsidegap3methodsStream();
        () -> (value) f64;
}
