//! What the gate must know of the world to judge one proposal.

use crate::{Limits, Mode};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, OrderRequest, Origin, PortfolioId, Price, Quantity, Source, Timestamp};
use tradewind_governance::Ruling;

/// The price that a guard judges by, and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The newest price.
    pub price: Price,
    /// When it was true.
    pub at: Timestamp,
    /// Where it comes from.
    pub origin: Origin,
}

/// Somebody's wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who wishes.
    pub source: Source,
    /// For whom.
    pub portfolio: PortfolioId,
    /// What.
    #[serde(flatten)]
    pub request: OrderRequest,
    /// Why, in words for the audit.
    pub reason: std::borrow::Cow<'static, str>,
}

/// The world as one proposal meets it. Amounts are ledger units (10⁻⁸) of the portfolio's base currency.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The moment of judgement.
    pub now: Timestamp,
    /// Why trading is halted, if it is.
    pub halted: Option<&'a str>,
    /// Why only what reduces is allowed here, if so.
    pub restricted: Option<&'a str>,
    /// What the process is allowed to do.
    pub mode: Mode,
    /// What the policy says to this proposal; `None` where no policy was set.
    pub ruling: Option<&'a Ruling>,
    /// What the portfolio is allowed to do.
    pub limits: &'a Limits,
    /// What is to be traded.
    pub instrument: &'a Instrument,
    /// Its newest price.
    pub mark: Option<Mark>,
    /// What is held of it, signed.
    pub position: Quantity,
    /// What open buys may still add, those of unknown outcome included.
    pub open_buys: Quantity,
    /// What open sells may still take, those of unknown outcome included.
    pub open_sells: Quantity,
    /// How many orders of this instrument have an unknown outcome.
    pub unknown_orders: u32,
    /// One unit of the instrument's settlement currency in base currency, as a fraction; `None` when no price is known.
    pub rate: Option<(i128, i128)>,
    /// Cash and assets at their marks, with unrealised profit.
    pub equity: i128,
    /// Equity at the last UTC midnight seen.
    pub day_equity: i128,
    /// Highest equity so far.
    pub peak_equity: i128,
    /// What pays for this order: quote currency for a buy, the base asset for a sell of a cash instrument, less
    /// what open orders hold already, in ledger units of that asset.
    pub free_funds: i128,
}

impl View<'_> {
    /// The position if `signed` and every open order on its side filled.
    #[must_use]
    pub fn position_after(&self, signed: Quantity) -> i128 {
        let open = if signed > Quantity::ZERO { self.open_buys } else { -self.open_sells };
        i128::from(self.position.mantissa()) + i128::from(open.mantissa()) + i128::from(signed.mantissa())
    }

    /// Whether the proposal can only bring the position nearer to zero, whatever else fills.
    #[must_use]
    pub fn reduces(&self, proposal: &Proposal) -> bool {
        let signed = proposal.request.side.signed(proposal.request.quantity);
        let held = i128::from(self.position.mantissa());
        let after = self.position_after(signed);
        held != 0 && held.signum() * i128::from(signed.mantissa().signum()) < 0 && after * held.signum() >= 0
    }

    /// Whether a person asks to reduce: allowed in every mode that trades, even halted and on old data.
    #[must_use]
    pub fn is_operator_exit(&self, proposal: &Proposal) -> bool {
        proposal.source == Source::Operator && proposal.request.reduce_only && self.reduces(proposal)
    }
}
