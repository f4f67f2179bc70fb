//! Sends what is permitted, and tells the engine what became of it.

use crate::abort::AbortOnPanic;
use crate::inbox::{Fact, Input};
use crate::reconcile::{Doubt, Reconciler};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tradewind_domain::{ClientOrderId, Coded, InstrumentId};
use tradewind_engine::EventKind;
use tradewind_gate::Action;
use tradewind_host::{Outgoing, not_sent};
use tradewind_venues::SubmitError;
use tradewind_venues::binance::Connection;

/// Sends until the engine ends, each request on a task of its own so that a slow answer holds up nobody. Orders that
/// the last run left in doubt are asked for beside it.
pub(crate) async fn drive(
    mut outgoing: mpsc::Receiver<Outgoing>,
    connection: Connection,
    inbox: mpsc::Sender<Input>,
    reconciler: Reconciler,
    doubtful: Vec<(ClientOrderId, InstrumentId)>,
) {
    let mut tasks = JoinSet::new();
    for (client_id, instrument) in doubtful {
        let (inbox, reconciler) = (inbox.clone(), reconciler.clone());
        tasks.spawn(async move { reconciler.resolve(client_id, instrument, Doubt::Order, &inbox).await });
    }
    loop {
        tokio::select! {
            out = outgoing.recv() => match out {
                Some(out) => {
                    let (connection, inbox, reconciler) = (connection.clone(), inbox.clone(), reconciler.clone());
                    tasks.spawn(async move { submit(out, &connection, &inbox, &reconciler).await });
                }
                None => return,
            },
            Some(_) = tasks.join_next() => (),
        }
    }
}

async fn submit(out: Outgoing, connection: &Connection, inbox: &mpsc::Sender<Input>, reconciler: &Reconciler) {
    let _abort = AbortOnPanic("driver");
    let (client_id, instrument, is_order) = match out.permit.get().action() {
        Action::Submit(order) => (order.client_id(), order.instrument(), true),
        Action::Cancel { client_id, instrument, .. } => (*client_id, *instrument, false),
    };
    let (received, decided) = (out.received, out.decided);
    let (at, kind) = match connection.submit(out.permit, out.prepared).await {
        Ok(ack) => {
            let _ = inbox.send(Input::BytesOut { received, decided, sent: ack.sent_at }).await;
            if !is_order {
                return; // the cancel's effect comes as a report of the order
            }
            (Some(ack.at), EventKind::Accepted { client_id, venue_id: ack.venue_id })
        }
        Err(SubmitError::Rejected(rejection)) => {
            let reason = format!("{} {}: {}", rejection.code, rejection.venue_code, rejection.reason);
            let kind = if is_order {
                EventKind::Rejected { client_id, reason: reason.into() }
            } else {
                EventKind::CancelRefused { client_id, reason }
            };
            (None, kind)
        }
        Err(SubmitError::NotSent { reason, .. }) => {
            (None, not_sent(client_id, is_order, format!("{}: {reason}", reason.code())))
        }
        Err(SubmitError::Unknown(fault)) => {
            (None, EventKind::AnswerLost { client_id, reason: format!("{}: {fault}", fault.code()) })
        }
    };
    let doubt = match kind {
        EventKind::AnswerLost { .. } if is_order => Some(Doubt::Order),
        EventKind::AnswerLost { .. } | EventKind::CancelRefused { .. } => Some(Doubt::Cancel),
        _ => None,
    };
    // where the engine has ended, the next start asks the venue
    let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
    if let Some(doubt) = doubt {
        reconciler.resolve(client_id, instrument, doubt, inbox).await;
    }
}
