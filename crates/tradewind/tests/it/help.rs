//! What the program says about itself.

use crate::support::tradewind;

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn visit(path: &[String], leaves: &mut usize) {
    let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = tradewind(&args).ended_with(0).out;
    let inner = listed(&help);
    if inner.is_empty() {
        *leaves += 1;
        let name = format!("tradewind {}", path.join(" "));
        let example = help.split("\nExample").nth(1).unwrap_or_else(|| panic!("{name} has no example"));
        assert!(example.contains(&name), "the example of {name} shows another command");
        assert!(help.contains("--output"), "{name} cannot answer in JSON");
    }
    if !inner.is_empty() && !path.is_empty() {
        let group = format!("\n  tradewind {} ", path.join(" "));
        assert!(help.contains("\nExample") && help.contains(&group), "{group} has no example");
    }
    for name in inner {
        visit(&[path, &[name]].concat(), leaves);
    }
}

#[test]
fn every_command_shows_an_example_and_can_answer_in_json() {
    let mut leaves = 0;
    visit(&[], &mut leaves);
    assert!(leaves >= 29, "{leaves} commands");
}

#[test]
fn exit_codes_are_documented() {
    let help = tradewind(&["--help"]).ended_with(0).out;
    for line in ["0    done", "1    failed", "2    misused", "3    checked", "4    no node", "130  interrupted"] {
        assert!(help.contains(line), "{line}: {help}");
    }
    assert!(tradewind(&["--version"]).ended_with(0).out.starts_with("tradewind 0."));
    assert_eq!(tradewind(&[]).ended_with(2).out, "", "without a command it is misuse");
}
