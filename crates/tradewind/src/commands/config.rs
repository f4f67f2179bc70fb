//! `tradewind config`: show, check, template, reference.

use super::reference;
use crate::cli::ConfigCommand;
use crate::output::{self, Failure, Format};
use std::path::Path;
use std::process::ExitCode;
use tradewind_node::settings::{Settings, reference_page, template};

pub(crate) fn run(command: &ConfigCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Show { config } => {
            let settings = read(config.as_deref())?;
            let text = toml::to_string(&settings).unwrap_or_default();
            output::print(format, &settings, || text);
        }
        ConfigCommand::Check { file } => {
            let settings = Settings::read(file)?;
            output::print(format, &serde_json::json!({"ok": true, "mode": settings.mode}), || {
                format!("{} is sound", file.display())
            });
        }
        ConfigCommand::Template { reference: true } => page("reference", reference_page(), format),
        ConfigCommand::Template { reference: false } => page("template", template(), format),
        ConfigCommand::Reference { page: name } => page(name, reference::page(name), format),
    }
    Ok(ExitCode::SUCCESS)
}

fn page(name: &str, text: String, format: Format) {
    output::print(format, &serde_json::json!({ name: text }), || text);
}

/// The settings of a file; the defaults without one.
pub(crate) fn read(path: Option<&Path>) -> Result<Settings, Failure> {
    path.map_or_else(|| Ok(Settings::default()), |path| Settings::read(path).map_err(Failure::from))
}
