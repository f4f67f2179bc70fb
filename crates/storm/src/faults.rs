//! The catalogue: every fault that a storm can inject, by its number in the failure catalogue.

use serde::Serialize;
use std::fmt;

/// What a fault is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The n-th order that is sent.
    Submit,
    /// The n-th cancel that is sent.
    Cancel,
    /// The n-th frame of the user stream.
    Frame,
    /// The n-th amendment that is sent.
    Amend,
    /// A moment.
    Moment,
}

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// Which.
    pub id: FaultId,
    /// Its number.
    pub name: &'static str,
    /// What it is attached to.
    pub place: Place,
    /// How often it is drawn, against the others of its place.
    pub share: u64,
    /// What happens.
    pub what: &'static str,
}

macro_rules! faults {
    ($($id:ident $place:ident $share:literal $what:literal;)*) => {
        /// A fault, by its number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum FaultId { $(#[doc = $what] $id,)* }

        /// Every kind of fault, in the order of the catalogue.
        pub const FAULTS: &[FaultInfo] = &[$(FaultInfo {
            id: FaultId::$id, name: stringify!($id), place: Place::$place, share: $share, what: $what,
        },)*];
    };
}

faults! {
    A01 Submit 22 "the venue accepts, the answer is lost";
    A02 Submit 12 "the venue accepts and fills, then the connection breaks";
    A03 Submit 16 "the request never arrives";
    A04 Submit 8 "the request is delayed past the break of its connection, and arrives inside the fence";
    A05 Submit 8 "the request is delayed past the fence";
    A06 Submit 4 "the request is on its way when the idle connection is closed: nobody sends it again";
    A07 Submit 4 "the answer is lost, and the venue's queries lag";
    A09 Submit 3 "an error comes inside a success";
    A10 Submit 3 "an error comes with a code that nobody knows";
    A13 Cancel 10 "the cancel is held while fills cross it";
    A14 Cancel 20 "the cancel is taken, its answer is lost";
    A15 Amend 10 "an amendment is held while fills cross it, never arrives, or its answer is lost";
    B01 Frame 10 "a report comes twice";
    B02 Frame 6 "a report comes before the one in front of it";
    B03 Frame 4 "a report comes much later";
    B04 Frame 10 "a report is lost, and nothing else";
    B05 Moment 4 "another hand trades on the account";
    B11 Moment 3 "money comes or goes, and the venue says so";
    B12 Moment 2 "a balance differs by a trifle, and nobody says why";
    D01 Moment 4 "the connection is half open: nothing comes, nothing breaks";
    D02 Moment 3 "answers to questions trickle in";
    D03 Submit 5 "half an answer comes";
    D05 Moment 6 "the connection breaks, several times in a row";
    D12 Submit 4 "a page for people comes as the answer";
    D13 Submit 3 "the answer to another request comes";
    E01 Moment 2 "another program uses up the minute's budget";
    E02 Moment 1 "the address is banned";
    E04 Submit 5 "a server error comes as the answer";
    E06 Moment 2 "the venue restarts and has forgotten the open orders";
    E09 Moment 2 "the venue is away for minutes";
    F01 Moment 6 "the wall clock jumps";
    F05 Moment 1 "the machine is suspended";
    F07 Moment 4 "timers fire late";
    G01 Submit 3 "the process is killed around the sending of an order";
    G02 Moment 3 "the power fails: what was not synced is lost or torn";
    G03 Moment 2 "the power fails, and the end of the log is garbage";
    G04 Moment 2 "the disk is full";
    G05 Moment 2 "the disk fails while it syncs";
    G09 Moment 1 "the process is killed, and its snapshots are spoilt";
    G13 Moment 2 "the process is killed at any moment";
    C02 Moment 4 "quotes come twice";
    C05 Moment 3 "quotes are crossed or empty";
    C06 Moment 3 "a quote is ten times too high";
    C07 Moment 4 "the market feed freezes";
    I02 Moment 3 "a decider asks for what no order can be";
    I04 Moment 3 "a decider asks for the same order a hundred times";
}

impl FaultId {
    /// Its line in the catalogue.
    ///
    /// # Panics
    /// Never: the table holds a line for each.
    #[must_use]
    pub fn info(self) -> &'static FaultInfo {
        FAULTS.iter().find(|line| line.id == self).expect("the table holds a line for each")
    }

    /// The fault of this number, such as `A01`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|line| line.name.eq_ignore_ascii_case(name)).map(|line| line.id)
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)
    }
}

/// Every fault that a storm knows.
#[must_use]
pub fn all_faults() -> Vec<FaultId> {
    FAULTS.iter().map(|line| line.id).collect()
}
