//! What strikes at a moment, how it ends, and the calm after it.

use crate::faults::FaultId;
use crate::orders::{MILLI, SECOND};
use crate::plan::EVERYDAY;
use crate::queue::What;
use crate::storm::Storm;
use tradewind_journal::Fault;

/// After how much silence a connection counts as dead.
const DEAD_AFTER: i64 = 15 * SECOND;

impl Storm {
    pub(crate) fn strike(&mut self, place: usize) {
        let planned = self.plan.plan.faults[place];
        self.plan.struck.push(place);
        let lot = planned.lot;
        let length = (1 + i64::try_from(lot % 60).unwrap_or(0)) * SECOND;
        let session = self.node.process.as_ref().map_or(0, |process| process.session.id);
        match planned.fault {
            FaultId::D01 => self.cut_noticed(self.now, session, self.now + DEAD_AFTER),
            FaultId::D05 => {
                self.link.down_until = self.now + length / 3;
                self.cut(self.now, session);
            }
            FaultId::F01 => {
                let hours = i64::try_from(lot % 3).unwrap_or(0) - 1;
                self.node.wall_off = hours * 3_600 * SECOND + (i64::try_from(lot % 11).unwrap_or(0) - 5) * SECOND;
            }
            FaultId::F05 => {
                let length = (30 + i64::try_from(lot % 570).unwrap_or(0)) * SECOND;
                self.frozen_until = self.now + length;
                self.cut_noticed(self.now, session, self.frozen_until);
                if let Some(process) = self.node.process.as_mut() {
                    process.began += length; // the monotonic clock stands still meanwhile
                }
            }
            FaultId::G02 => self.power_fails(lot),
            FaultId::G04 => {
                self.disk_spoilt = true;
                self.node.storage.set_space(Some(1));
            }
            FaultId::G05 => {
                self.disk_spoilt = true;
                let at = self.node.storage.operations() + lot % 7;
                self.node.storage.fail_at(at, if lot.is_multiple_of(2) { Fault::Io } else { Fault::Full });
            }
            FaultId::G13 => self.kill(lot),
            FaultId::G03 => self.spoil_tail(lot),
            FaultId::G09 => self.spoil_snapshots(lot),
            FaultId::B05 => self.another_hand(lot),
            FaultId::B11 => self.transfer(lot, true),
            FaultId::B12 => self.transfer(lot, false),
            FaultId::D02 => self.slow_until = self.now + length,
            FaultId::E01 => {
                self.scarce_until = self.scarce_until.max(self.now + 70 * SECOND);
                self.house.squeeze(u32::try_from(lot % 200).unwrap_or(0));
            }
            FaultId::E02 => {
                let ban = (120 + i64::try_from(lot % 120).unwrap_or(0)) * SECOND;
                self.scarce_until = self.scarce_until.max(self.now + ban + 10 * SECOND);
                self.house.ban(ban / MILLI);
            }
            FaultId::E06 => {
                self.emit();
                self.house.forget_open_orders(0);
                self.cut(self.now, session);
            }
            FaultId::E09 => {
                self.link.down_until = self.now + 2 * length;
                self.link.away_until = self.link.down_until;
                self.link.market = Some((FaultId::C07, self.now + 2 * length));
                self.cut(self.now, session);
            }
            FaultId::F07 => self.frozen_until = self.now + (1 + i64::try_from(lot % 3).unwrap_or(0)) * SECOND,
            FaultId::I02 => self.garbage(lot),
            FaultId::I04 => self.again_and_again(lot),
            FaultId::C02 | FaultId::C05 | FaultId::C06 | FaultId::C07 => {
                self.link.market = Some((planned.fault, self.now + length));
            }
            _ => (),
        }
        self.queue.at(self.now + length, What::Heal(place));
    }

    pub(crate) fn heal(&mut self, place: usize) {
        match self.plan.plan.faults[place].fault {
            FaultId::G04 => self.node.storage.set_space(None),
            FaultId::F01 => self.node.wall_off = 0,
            _ => (),
        }
    }

    /// The sky clears: what still goes wrong by the plan goes wrong no more.
    pub(crate) fn calm(&mut self) {
        self.node.storage.set_space(None);
        self.node.wall_off = 0;
        self.link.market = None;
        self.link.down_until = self.link.down_until.min(self.now);
        self.lag_until = self.lag_until.map(|until| until.min(self.now));
        self.slow_until = 0;
        self.plan.rest();
        self.climate.rest();
        self.settled = None;
    }

    /// Whether nothing is planned to go wrong that would worry a person.
    pub(crate) fn is_fair(&self) -> bool {
        self.plan.plan.faults.iter().all(|it| EVERYDAY.contains(&it.fault))
    }
}
