//! The run for drawing: at most [`Curve::MAX`] points, however many bars.

use tradewind_domain::{Bar, Price, Timestamp};

/// Some neighbouring bars in one: what a chart shows at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When the first of them began.
    pub opened_at: Timestamp,
    /// When the last of them ended.
    pub closed_at: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Equity at the last close.
    pub equity: f64,
    /// The deepest fall of equity below its highest so far, at any of the closes; a fraction of that peak in [0, 1].
    pub drawdown: f64,
}

/// Price, equity and drawdown over time. When it is full, neighbours become one: memory stays flat.
#[derive(Clone, Debug)]
pub struct Curve {
    points: Vec<Point>,
    current: Option<Point>,
    /// How many bars a point holds now.
    stride: u32,
    /// How many more bars the current point takes.
    room: u32,
    peak: f64,
    /// Lowest equity of the current point since the peak.
    lowest: f64,
}

impl Default for Curve {
    fn default() -> Self {
        Self::new()
    }
}

impl Curve {
    /// The most points there can be.
    pub const MAX: usize = 2_000;

    /// No bars yet.
    #[must_use]
    pub fn new() -> Self {
        let points = Vec::with_capacity(Self::MAX);
        Self { points, current: None, stride: 1, room: 0, peak: f64::MIN, lowest: f64::MAX }
    }

    /// Takes in a closed bar and the equity at its close.
    #[inline]
    pub fn push(&mut self, bar: &Bar, equity: f64) {
        if equity > self.peak {
            (self.peak, self.lowest) = (equity, equity);
        }
        match &mut self.current {
            Some(point) if self.room > 0 => {
                self.room -= 1;
                point.high = point.high.max(bar.high);
                point.low = point.low.min(bar.low);
                (point.close, point.closed_at, point.equity) = (bar.close, bar.close_time(), equity);
            }
            _ => self.start(bar, equity),
        }
        if equity < self.lowest {
            self.lowest = equity;
            self.fall(equity);
        }
    }

    /// Takes in what equity came to after the last bar.
    pub fn end(&mut self, equity: f64) {
        if equity > self.peak {
            (self.peak, self.lowest) = (equity, equity);
        }
        if let Some(point) = &mut self.current {
            point.equity = equity;
        }
        if equity < self.lowest {
            self.lowest = equity;
            self.fall(equity);
        }
    }

    fn start(&mut self, bar: &Bar, equity: f64) {
        if let Some(done) = self.current.take() {
            self.points.push(done);
        }
        if self.points.len() == Self::MAX {
            self.halve();
        }
        self.room = self.stride - 1;
        self.lowest = f64::MAX;
        self.current = Some(Point {
            opened_at: bar.open_time,
            closed_at: bar.close_time(),
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            equity,
            drawdown: 0.0,
        });
    }

    /// Notes a new low since the peak: only there can a fall be the deepest.
    fn fall(&mut self, equity: f64) {
        if let Some(point) = self.current.as_mut().filter(|_| self.peak > 0.0) {
            point.drawdown = point.drawdown.max((1.0 - equity / self.peak).clamp(0.0, 1.0));
        }
    }

    fn halve(&mut self) {
        for place in 0..self.points.len() / 2 {
            self.points[place] = join(&self.points[2 * place], &self.points[2 * place + 1]);
        }
        self.points.truncate(self.points.len() / 2);
        self.stride = self.stride.saturating_mul(2);
    }

    /// The points, oldest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<Point> {
        self.points.extend(self.current);
        self.points
    }
}

fn join(first: &Point, second: &Point) -> Point {
    Point {
        opened_at: first.opened_at,
        closed_at: second.closed_at,
        open: first.open,
        high: first.high.max(second.high),
        low: first.low.min(second.low),
        close: second.close,
        equity: second.equity,
        drawdown: first.drawdown.max(second.drawdown),
    }
}
