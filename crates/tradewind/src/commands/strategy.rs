//! `tradewind strategy`: list, show, begin your own.

use crate::cli::StrategyCommand;
use crate::output::{self, Failure, Format};
use std::path::Path;
use std::process::ExitCode;
use tradewind_strategies::sizing::{self, SizingRule};
use tradewind_strategies::{Parameter, registry, template};

pub(crate) fn run(command: &StrategyCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        StrategyCommand::List => list(format),
        StrategyCommand::Show { name } => show(name, format)?,
        StrategyCommand::Sizing => sizing(format),
        StrategyCommand::New { name, tradewind, dir } => new(name, tradewind, dir, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(format: Format) {
    let value: Vec<_> = registry::all()
        .iter()
        .map(|entry| serde_json::json!({"name": entry.name, "summary": entry.summary, "parameters": entry.parameters.len()}))
        .collect();
    output::print(format, &value, || {
        let rows = registry::all().iter().map(|entry| vec![entry.name.to_owned(), entry.summary.to_owned()]);
        output::table(&["name", "what it does"], rows)
    });
}

fn show(name: &str, format: Format) -> Result<(), Failure> {
    let entry = registry::find(name)?;
    let value = described(entry.name, entry.summary, entry.parameters);
    output::print(format, &value, || format!("# {}: {}\n{}", entry.name, entry.summary, entry.template()));
    Ok(())
}

fn sizing(format: Format) {
    let rules = || sizing::rules().iter();
    let value: Vec<_> = rules().map(|rule| described(rule.name, rule.summary, rule.parameters)).collect();
    output::print(format, &value, || {
        let text = |rule: &SizingRule| format!("# {}\nrule = \"{}\"\n{}", rule.summary, rule.name, rule.template());
        rules().map(text).collect::<Vec<_>>().join("\n")
    });
}

fn described(name: &str, summary: &str, parameters: &[Parameter]) -> serde_json::Value {
    let parameter = |it: &Parameter| serde_json::json!({"name": it.name, "default": it.default, "range": it.range.to_string(), "meaning": it.meaning});
    let parameters: Vec<_> = parameters.iter().map(parameter).collect();
    serde_json::json!({"name": name, "summary": summary, "parameters": parameters})
}

fn new(name: &str, tradewind: &Path, dir: &Path, format: Format) -> Result<(), Failure> {
    let folder = dir.join(name);
    let root = std::fs::canonicalize(tradewind).map_err(|error| Failure::file(tradewind, &error))?;
    let crates = root.join("crates");
    if !crates.is_dir() {
        let hint = "name the folder of the tradewind sources with --tradewind";
        return Err(Failure::new("CLI-07", format!("{} holds no tradewind sources", root.display()), hint));
    }
    let crates_text = crates.display().to_string();
    let files = template::new_strategy(name, &template::Crates::Folder(&crates_text))?;
    if folder.exists() {
        return Err(Failure::new(
            "CLI-08",
            format!("{} is there already", folder.display()),
            "choose another name or --dir",
        ));
    }
    let mut written = Vec::new();
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
        }
        std::fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        written.push(path.display().to_string());
    }
    output::print(format, &serde_json::json!({"folder": folder, "files": written}), || {
        format!("{}\n\nnext: cd {} && cargo test", written.join("\n"), folder.display())
    });
    Ok(())
}
