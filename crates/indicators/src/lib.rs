//! Technical indicators, candlestick patterns and market regimes, one bar at a time.
