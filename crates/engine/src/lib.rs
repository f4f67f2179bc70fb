//! The pure core: state, step, order life cycle, portfolio.
