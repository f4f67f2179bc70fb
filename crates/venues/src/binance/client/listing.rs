//! What the venue lists today, and what it lists otherwise than before.

use super::config::BinanceConfig;
use super::rest::Rest;
use crate::binance::convert::{ConvertError, Instruments, ListingRules, list_symbol};
use crate::binance::rules::Endpoint;
use crate::binance::wire::{ExchangeInfo, SymbolInfo};
use crate::outcome::QueryError;
use crate::report::{Relisting, VenueEvent};
use crate::socket::wall_clock;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tradewind_domain::{Instrument, InstrumentId, InstrumentSpec};

/// Rules of the instruments as they were read last.
pub(crate) type Rules = Arc<RwLock<BTreeMap<InstrumentId, ListingRules>>>;

/// Doubts of the listing within this time are one.
const PAUSE: Duration = Duration::from_secs(1);
/// "Invalid symbol."
const NO_SUCH_SYMBOL: i32 = -1121;

pub(crate) async fn exchange_info(rest: &Rest, symbols: &[&str]) -> Result<ExchangeInfo, QueryError> {
    let list = format!("[\"{}\"]", symbols.join("\",\""));
    rest.get(Endpoint::ExchangeInfo, "/api/v3/exchangeInfo", &[("symbols", list)]).await
}

/// Reads limits and listings, and checks that the instruments are those that the venue lists today.
pub(crate) async fn read_rules(
    rest: &Rest,
    instruments: &Instruments,
) -> Result<BTreeMap<InstrumentId, ListingRules>, QueryError> {
    let mut rules = BTreeMap::new();
    if instruments.is_empty() {
        return Ok(rules);
    }
    let symbols: Vec<&str> = instruments.iter().map(|it| it.spec.venue_symbol.as_str()).collect();
    let info = exchange_info(rest, &symbols).await?;
    rest.budgets.set_limits(&info.rate_limits);
    for it in instruments.iter() {
        let symbol = &it.spec.venue_symbol;
        let listed = info.symbols.iter().find(|listed| &listed.symbol == symbol);
        let listed = listed.ok_or_else(|| ConvertError::UnknownSymbol(symbol.clone()))?;
        rules.insert(it.id, rules_of(it, listed)?);
    }
    Ok(rules)
}

/// The rules of an instrument whose decimals, tick and lot are still those that the venue lists.
fn rules_of(it: &Instrument, listed: &SymbolInfo) -> Result<ListingRules, ConvertError> {
    let listing = list_symbol(listed, it.spec.fees)?;
    let (ours, theirs) = (&it.spec, &listing.spec);
    let same = (ours.price_decimals, ours.quantity_decimals, ours.tick, ours.lot)
        == (theirs.price_decimals, theirs.quantity_decimals, theirs.tick, theirs.lot);
    if same {
        return Ok(listing.rules);
    }
    let why = format!(
        "decimals, tick and lot are {}, {}, {}, {} at the venue and {}, {}, {}, {} here",
        theirs.price_decimals,
        theirs.quantity_decimals,
        theirs.tick.mantissa(),
        theirs.lot.mantissa(),
        ours.price_decimals,
        ours.quantity_decimals,
        ours.tick.mantissa(),
        ours.lot.mantissa()
    );
    Err(ConvertError::Listing { symbol: it.spec.venue_symbol.clone(), why })
}

/// Reads the listing now and then, and soon after the venue refused an order by a rule of it, and tells what changed.
pub(crate) struct ListingTask {
    pub(crate) config: Arc<BinanceConfig>,
    pub(crate) rest: Rest,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) rules: Rules,
    pub(crate) closed: watch::Receiver<()>,
    pub(crate) events: mpsc::Sender<VenueEvent>,
}

impl ListingTask {
    pub(crate) async fn run(mut self) {
        // what the start read is known; a pair that did not trade then is told first of all
        let mut told: BTreeMap<InstrumentId, Relisting> = BTreeMap::new();
        let mut specs: BTreeMap<_, _> = self.instruments.iter().map(|it| (it.id, it.spec.clone())).collect();
        let mut first = true;
        loop {
            if !std::mem::take(&mut first) || self.all_trade() {
                let doubted = self.rest.listing_doubted.clone();
                tokio::select! {
                    () = tokio::time::sleep(self.config.listing_every) => (),
                    () = doubted.notified() => (),
                    _ = self.closed.changed() => return,
                }
            }
            for it in self.instruments.clone().iter() {
                let Some((how, spec)) = self.look(it).await else { continue };
                let mut news = Vec::new();
                if let Some(spec) = spec.filter(|spec| specs.get(&it.id) != Some(spec)) {
                    specs.insert(it.id, spec.clone());
                    news.push(Relisting::Rules(Box::new(spec)));
                }
                if told.get(&it.id).unwrap_or(&Relisting::Trading) != &how {
                    told.insert(it.id, how.clone());
                    news.push(how);
                }
                for how in news {
                    tracing::warn!(symbol = it.spec.venue_symbol, ?how, "the listing changed");
                    let event = VenueEvent::Relisted { instrument: it.id, how, at: wall_clock() };
                    tokio::select! {
                        sent = self.events.send(event) => if sent.is_err() { return },
                        _ = self.closed.changed() => return,
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => (),
                _ = self.closed.changed() => return,
            }
        }
    }

    fn all_trade(&self) -> bool {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).values().all(|rules| rules.trading)
    }

    /// How the venue lists an instrument now, and by which rules, where those are in our decimals; `None` if it does not
    /// answer.
    async fn look(&self, it: &Instrument) -> Option<(Relisting, Option<InstrumentSpec>)> {
        let symbol = &it.spec.venue_symbol;
        let info = match exchange_info(&self.rest, &[symbol.as_str()]).await {
            Ok(info) => info,
            Err(QueryError::Refused(refusal)) if refusal.venue_code == NO_SUCH_SYMBOL => {
                return Some((Relisting::Gone, None));
            }
            Err(error) => {
                tracing::warn!(%error, "the listing could not be read");
                return None;
            }
        };
        let Some(listed) = info.symbols.iter().find(|listed| &listed.symbol == symbol) else {
            return Some((Relisting::Gone, None));
        };
        let decimals = |spec: &InstrumentSpec| (spec.price_decimals, spec.quantity_decimals);
        let spec = list_symbol(listed, it.spec.fees).ok().map(|listing| listing.spec);
        let spec = spec.filter(|spec| decimals(spec) == decimals(&it.spec));
        let how = match rules_of(it, listed) {
            Ok(rules) => {
                let how = match rules.trading {
                    true => Relisting::Trading,
                    false => Relisting::Paused(listed.status.to_string()),
                };
                self.rules.write().unwrap_or_else(PoisonError::into_inner).insert(it.id, rules);
                how
            }
            Err(error) => Relisting::OtherSteps(error.to_string()),
        };
        Some((how, spec))
    }
}
