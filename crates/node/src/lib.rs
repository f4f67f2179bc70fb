//! The live and paper runtime, and the services its faces offer.
