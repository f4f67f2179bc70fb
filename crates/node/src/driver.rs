//! Sends what is permitted, and tells the engine what became of it.

use crate::abort::or_abort_async;
use crate::health::Component;
use crate::inbox::{Fact, Input};
use crate::inquire::{Reconciler, notice};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tradewind_domain::{ClientOrderId, Coded};
use tradewind_engine::{Doubt, EventKind, Halt};
use tradewind_host::{Asks, Outgoing};
use tradewind_journal::failpoint;
use tradewind_venues::binance::Connection;
use tradewind_venues::{Rejection, SubmitError, TransportFault};

/// Sends until the engine ends, each request on a task of its own so that a slow answer holds up nobody. Orders that
/// the last run left in doubt are asked for beside it.
pub(crate) async fn drive(
    mut outgoing: mpsc::Receiver<Outgoing>,
    connection: Connection,
    inbox: mpsc::Sender<Input>,
    reconciler: Reconciler,
    doubtful: Vec<(ClientOrderId, Doubt)>,
) {
    let _running = reconciler.watch.health.started(Component::Orders);
    let mut tasks = JoinSet::new();
    for (client_id, doubt) in doubtful {
        let (inbox, reconciler) = (inbox.clone(), reconciler.clone());
        tasks.spawn(async move { reconciler.resolve(client_id, doubt, None, &inbox).await });
    }
    loop {
        tokio::select! {
            out = outgoing.recv() => match out {
                Some(out) => {
                    let (connection, inbox, reconciler) = (connection.clone(), inbox.clone(), reconciler.clone());
                    let work = async move { submit(out, &connection, &inbox, &reconciler).await };
                    tasks.spawn(or_abort_async("driver", work));
                }
                None => return,
            },
            Some(_) = tasks.join_next() => (),
        }
    }
}

async fn submit(out: Outgoing, connection: &Connection, inbox: &mpsc::Sender<Input>, reconciler: &Reconciler) {
    let action = out.permit.get().action();
    let asks = Asks::of(action);
    let (is_order, ids) = (asks == Asks::Order, action.client_ids().collect::<Vec<_>>());
    let window = (out.prepared.not_before(), out.prepared.fence());
    let (received, decided) = (out.received, out.decided);
    let each = |tell: &dyn Fn(ClientOrderId) -> EventKind| ids.iter().copied().map(tell).collect::<Vec<_>>();
    failpoint("node.driver.taken");
    let answer = connection.submit(out.permit, out.prepared).await;
    failpoint("node.driver.answered");
    let (at, told, doubt) = match answer {
        Ok(ack) => {
            reconciler.watch.clock_agrees();
            reconciler.watch.health.worked(Component::Orders);
            let _ = inbox.send(Input::BytesOut { received, decided, sent: ack.sent_at }).await;
            if let Asks::Amend(_) = asks {
                (None, Vec::new(), Some(Doubt::Amend)) // the report of the order confirms it, or else its standing does
            } else if !is_order {
                return; // the effect of a cancel comes as a report of the order
            } else {
                let accepted = |(client_id, venue_id)| EventKind::Accepted { client_id, venue_id };
                (Some(ack.at), ack.orders.into_iter().map(accepted).collect(), None)
            }
        }
        Err(SubmitError::Rejected(rejection)) => {
            if let Some(reason) = refused_clock(&rejection, reconciler) {
                halt(inbox, reason).await;
            }
            let reason = format!("{} {}: {}", rejection.code, rejection.venue_code, rejection.reason);
            let told = each(&|client_id| asks.refused(client_id, reason.clone()));
            (None, told, (!is_order).then_some(asks.doubt()))
        }
        Err(SubmitError::NotSent { reason, .. }) => {
            let text = format!("{}: {reason}", reason.code());
            (None, each(&|client_id| asks.not_sent(client_id, text.clone())), (!is_order).then_some(asks.doubt()))
        }
        Err(SubmitError::Unknown(fault)) => {
            if let TransportFault::DuplicateId { text, .. } = &fault {
                let copy = "is another copy of this program running, or was a backup restored?";
                halt(inbox, format!("the venue has an order under an id that was never sent ({text}): {copy}")).await;
            }
            let reason = format!("{}: {fault}", fault.code());
            let told = each(&|client_id| EventKind::AnswerLost { client_id, reason: reason.clone() });
            (None, told, Some(asks.doubt()))
        }
    };
    // where the engine has ended, the next start asks the venue
    for kind in told {
        let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
    }
    failpoint("node.driver.told");
    let Some(doubt) = doubt else { return };
    let mut doubts = JoinSet::new();
    for client_id in ids {
        let (inbox, reconciler) = (inbox.clone(), reconciler.clone());
        doubts.spawn(async move { reconciler.resolve(client_id, doubt, Some(window), &inbox).await });
    }
    while doubts.join_next().await.is_some() {}
}

async fn halt(inbox: &mpsc::Sender<Input>, reason: String) {
    notice(inbox, format!("alarm: {reason}")).await;
    let _ = inbox.send(Input::Fact(Fact::of_venue(None, EventKind::Halted(Halt { reason })))).await;
}

/// Why a refusal must stop trading: the venue does not agree with our clock although it was measured anew. The window
/// is never widened.
fn refused_clock(rejection: &Rejection, reconciler: &Reconciler) -> Option<String> {
    if rejection.code != "VEN-15" || reconciler.watch.clock_refused() <= 1 {
        return None;
    }
    let reason = &rejection.reason;
    Some(format!("the venue refuses our time stamps although its clock was measured anew: {reason}"))
}
