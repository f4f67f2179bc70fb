//! Commands of the people who decide: proposals, limits, stages.

use super::NodeArgs;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum ProposalsCommand {
    /// List proposals, newest first.
    #[command(after_help = "Example:\n  tradewind proposals list --data-dir my-paper")]
    List(NodeArgs),
    /// Show one: the order as it is, what it is worth now, and the hash that an approval is bound to.
    #[command(after_help = "Example:\n  tradewind proposals show 42 --data-dir my-paper")]
    Show {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Approve one. Without --hash it is shown first, and what was shown is approved.
    #[command(
        after_help = "Example:\n  tradewind proposals approve 42 --as ben --token-file ben.token --data-dir my-paper"
    )]
    Approve {
        /// Its number.
        id: u64,
        /// The hash that you saw.
        #[arg(long)]
        hash: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Reject one, send it back, or withdraw your own.
    #[command(after_help = "Example:\n  tradewind proposals reject 42 --reason \"too large\" --data-dir my-paper")]
    Reject {
        /// Its number.
        id: u64,
        /// Why.
        #[arg(long, default_value = "rejected by the operator")]
        reason: String,
        /// A changed one would do: this one is over as `needs-changes`, the changed one is a new proposal.
        #[arg(long, visible_alias = "needs-changes")]
        changes: bool,
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum LimitsCommand {
    /// Show limits, changes that wait for a second person, and kill switches that are on.
    #[command(after_help = "Example:\n  tradewind limits show --data-dir my-paper")]
    Show(NodeArgs),
    /// Change a limit of the running node. It outlives a restart.
    #[command(
        after_help = "Example:\n  tradewind limits set max_order 5% --reason \"smaller for the weekend\" --data-dir my-paper"
    )]
    Set {
        /// Its name in the settings, such as max_order or leverage: `tradewind config reference limits` lists all.
        name: String,
        /// As in the settings, such as 5%; `none` for no limit.
        #[arg(allow_negative_numbers = true)]
        value: String,
        /// Which portfolio, by name; all without.
        #[arg(long)]
        portfolio: Option<String>,
        /// A limit of the account, which holds for all portfolios together, such as gross.
        #[arg(long, conflicts_with = "portfolio")]
        account: bool,
        /// Why, for the record.
        #[arg(long, default_value = "by the operator")]
        reason: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Say which sector an asset counts to: into one at once, out of one with a second person. It outlives a restart.
    #[command(
        after_help = "Example:\n  tradewind limits sector SOL alts --reason \"it moves with them\" --data-dir my-paper"
    )]
    Sector {
        /// The asset, such as SOL, or a symbol, of which its base is meant.
        asset: String,
        /// The sector, such as majors; `none` for none.
        sector: String,
        /// Why, for the record.
        #[arg(long, default_value = "by the operator")]
        reason: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Show and move the staged roll-out: little money first, more once the record says so.
    #[command(subcommand, after_help = "Example:\n  tradewind limits stage show --data-dir my-paper")]
    Stage(StageCommand),
    /// Approve a change that another person asked for.
    #[command(
        after_help = "Example:\n  tradewind limits approve 57 --as ben --token-file ben.token --data-dir my-paper"
    )]
    Approve {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Reject a change, or take your own back.
    #[command(
        after_help = "Example:\n  tradewind limits reject 57 --as ben --token-file ben.token --data-dir my-paper"
    )]
    Reject {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum StageCommand {
    /// Show the stage, what was seen since it began, and what the next one wants to have seen.
    #[command(after_help = "Example:\n  tradewind limits stage show --data-dir my-paper")]
    Show(NodeArgs),
    /// Ask for the next stage: every criterion must be met, and a second person approves with `limits approve`.
    #[command(
        after_help = "Example:\n  tradewind limits stage advance --reason \"seven good days\" --as anna --token-file anna.token --data-dir my-paper"
    )]
    Advance(StageArgs),
    /// Go back to an earlier stage, at once.
    #[command(
        after_help = "Example:\n  tradewind limits stage demote --to 100 --reason \"slippage\" --data-dir my-paper"
    )]
    Demote {
        /// Its name; the stage before this one without.
        #[arg(long)]
        to: Option<String>,
        #[command(flatten)]
        args: StageArgs,
    },
    /// Begin the same stage again: what was seen until now counts no more.
    #[command(
        after_help = "Example:\n  tradewind limits stage repeat --reason \"after the drill\" --data-dir my-paper"
    )]
    Repeat(StageArgs),
}

#[derive(Args)]
pub(crate) struct StageArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Why, for the record.
    #[arg(long, default_value = "by the operator")]
    pub(crate) reason: String,
}
