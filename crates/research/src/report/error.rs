//! Why there is no report.

use tradewind_domain::Coded;
use tradewind_quant::QuantError;

/// The statistics cannot be computed.
#[derive(Debug, thiserror::Error)]
#[error("the report's statistics cannot be computed")]
pub struct ReportError(#[from] pub QuantError);

impl Coded for ReportError {
    fn code(&self) -> &'static str {
        "BT-04"
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}
