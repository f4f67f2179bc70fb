//! With which codes commands end: explained in the help of the program, named in that of each command.

use crate::output::{EXIT_MISUSED, EXIT_NOT_RUNNING, Failure};
use crate::signals::EXIT_INTERRUPTED;
use clap::Command;
use std::process::ExitCode;

/// Checked, and found wrong: how a [`Checking`] command ends, and no other.
const EXIT_WRONG: u8 = 3;

/// One exit code.
struct Exit {
    code: u8,
    /// In a word or two, for the help of a command.
    name: &'static str,
    /// As the help of the program has it.
    meaning: &'static str,
}

/// What scripts may rely on.
const EXITS: [Exit; 6] = [
    Exit {
        code: 0,
        name: "done",
        meaning: "done; also when Ctrl-C or SIGTERM ended a demo, a node or an exchange in order",
    },
    Exit {
        code: 1,
        name: "failed",
        meaning: "failed: `error[CODE]` with a hint stands on stderr; also a value that means nothing, such as `--side hold`",
    },
    Exit {
        code: EXIT_MISUSED,
        name: "misused",
        meaning: "misused: no such command or option, or words that are not of the option's kind (CLI-15)",
    },
    Exit {
        code: EXIT_WRONG,
        name: "found wrong",
        meaning: "checked and found wrong: a defect in data, a damaged journal, a replay that differs",
    },
    Exit { code: EXIT_NOT_RUNNING, name: "no node", meaning: "no node is running there" },
    Exit {
        code: EXIT_INTERRUPTED,
        name: "interrupted",
        meaning: "interrupted before there was a result, or by a second Ctrl-C",
    },
];

/// Lists what checks once, so that none is named here and missing from [`Checking::ALL`].
macro_rules! checking {
    ($($name:ident: $command:literal,)*) => {
        /// A command that checks something, and says by its code that it was found wrong.
        ///
        /// Nothing else can end with that code: what does is named here, and so in its own help.
        #[derive(Clone, Copy)]
        pub(crate) enum Checking {
            $(#[doc = concat!("`tradewind ", $command, "`.")] $name,)*
        }

        impl Checking {
            /// Every one.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its words behind `tradewind`.
            pub(super) const fn command(self) -> &'static str {
                match self {
                    $(Self::$name => $command,)*
                }
            }
        }
    };
}

checking! {
    Demo: "demo",
    DropCopy: "drop-copy",
    Replay: "replay",
    JournalVerify: "journal verify",
    AuditVerify: "audit verify",
    DataCheck: "data check",
    DataList: "data list",
    Storm: "storm",
    Doctor: "doctor",
}

impl Checking {
    /// How it ends with a result.
    pub(crate) fn ended(self, sound: bool) -> ExitCode {
        if sound { ExitCode::SUCCESS } else { ExitCode::from(EXIT_WRONG) }
    }

    /// How it ends where what was found leaves no result.
    pub(crate) fn failed(self, failure: Failure) -> Failure {
        Failure { exit: EXIT_WRONG, ..failure }
    }
}

/// Every code with its meaning; printed by `tradewind --help` and in the book.
pub(super) fn explained() -> String {
    let lines: String = EXITS.iter().map(|it| format!("  {:<5}{}\n", it.code, it.meaning)).collect();
    format!(
        "Exit codes:\n{lines}\nData are on stdout, with `-o json` as one JSON value; everything else is on stderr, \
         faults then as JSON too."
    )
}

/// Names the codes of a command of the program, and of all below it, at the end of its help.
pub(super) fn named(command: Command) -> Command {
    named_below("", command)
}

/// [`named`] for a command whose path begins with `above`. A group ends with what its commands end with.
fn named_below(above: &str, command: Command) -> Command {
    let path = format!("{above}{}", command.get_name());
    let below = format!("{path} ");
    let checks = Checking::ALL.iter().any(|it| it.command() == path || it.command().starts_with(&below));
    let asks = asks_a_node(&command);
    let ends = EXITS.iter().filter(|it| match it.code {
        EXIT_WRONG => checks,
        EXIT_NOT_RUNNING => asks,
        _ => true,
    });
    let ends: Vec<String> = ends.map(|it| format!("{} {}", it.code, it.name)).collect();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help = format!("{help}\n\nExit codes: {}", ends.join(", "));
    command.after_help(help.trim_start().to_owned()).mut_subcommands(|inner| named_below(&below, inner))
}

/// Whether it speaks to a running node: who asks is then an option of it.
fn asks_a_node(command: &Command) -> bool {
    command.get_arguments().any(|it| it.get_id().as_str() == "token_file") || command.get_subcommands().any(asks_a_node)
}
