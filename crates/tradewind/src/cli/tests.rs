//! The help against the parser: what it shows can be typed.

use super::{Cli, exits};
use clap::{Command, CommandFactory, Parser};
use std::collections::BTreeSet;

/// The program, and every command by its path, `data check` say, with what its help shows below its options.
fn helps() -> Vec<(String, String)> {
    fn visit(above: &str, command: &Command, found: &mut Vec<(String, String)>) {
        for inner in command.get_subcommands() {
            let path = format!("{above}{}", inner.get_name());
            let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            found.push((path.clone(), help));
            visit(&format!("{path} "), inner, found);
        }
    }
    let program = Cli::command();
    let mut found = vec![(String::new(), program.get_after_help().map(ToString::to_string).unwrap_or_default())];
    visit("", &program, &mut found);
    found
}

/// The examples of a help text; one that goes on in the next line is one.
fn examples(help: &str) -> Vec<String> {
    let help = help.replace("\\\n", " ");
    help.lines().map(str::trim).filter(|line| line.starts_with("tradewind ")).map(str::to_owned).collect()
}

/// What a shell hands to the program: quotes bind words, `$(…)` is one, and a redirection is not the program's.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut depth) = (Vec::new(), None::<String>, None::<char>, 0_u32);
    for letter in line.chars() {
        match letter {
            _ if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_with(String::new);
            }
            '>' | '|' if quote.is_none() && depth == 0 => break,
            ' ' if quote.is_none() && depth == 0 => words.extend(word.take()),
            _ => {
                match letter {
                    '(' if quote.is_none() => depth += 1,
                    ')' if quote.is_none() => depth -= 1,
                    _ => (),
                }
                word.get_or_insert_with(String::new).push(letter);
            }
        }
    }
    assert!(quote.is_none() && depth == 0, "a shell would ask for more: {line}");
    words.extend(word);
    words
}

/// Why the program would not take an example; `None` if it does.
fn refused(example: &str) -> Option<String> {
    Cli::try_parse_from(words(example)).err().map(|error| format!("{example}\n{error}"))
}

#[test]
fn every_example_in_the_help_parses() {
    let helps = helps();
    assert!(helps.len() > 60, "{} commands", helps.len());
    let mut wrong = Vec::new();
    for (path, help) in &helps {
        let examples = examples(help);
        assert!(!examples.is_empty(), "`{path}` shows no example");
        wrong.extend(examples.iter().filter_map(|example| refused(example)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_with_an_option_that_does_not_exist_is_noticed() {
    let help = "Examples:\n  tradewind position list\n  tradewind position close --symbol BTC/USDT --data-dir my-paper";
    let wrong: Vec<_> = examples(help).iter().filter_map(|example| refused(example)).collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("unexpected argument '--symbol'"), "{}", wrong[0]);
}

#[test]
fn an_example_is_typed_as_it_stands_and_holds_no_placeholder() {
    fn value_names(command: &Command, found: &mut BTreeSet<String>) {
        for names in command.get_arguments().filter_map(|it| it.get_value_names()) {
            let held = |name: &String| *name == name.to_uppercase(); // one in small letters is a word as well
            found.extend(names.iter().map(ToString::to_string).filter(held));
        }
        command.get_subcommands().for_each(|inner| value_names(inner, found));
    }
    let mut names = BTreeSet::new();
    value_names(&Cli::command(), &mut names);
    assert!(names.contains("FILE") && names.contains("NAME=VALUE"), "{names:?}");
    for (_, help) in helps() {
        for example in examples(&help) {
            for word in words(&example) {
                let open = word.contains('…') || word.contains("...") || word.contains('<');
                assert!(!open && !names.contains(&word), "`{word}` stands for something else in: {example}");
            }
        }
    }
}

#[test]
fn words_are_split_as_by_a_shell() {
    for (line, want) in [
        ("tradewind halt --reason \"looks wrong\"", &["tradewind", "halt", "--reason", "looks wrong"][..]),
        ("tradewind  a 'it is \"so\"' \"\"", &["tradewind", "a", "it is \"so\"", ""]),
        ("tradewind show vote > vote.toml", &["tradewind", "show", "vote"]),
        ("tradewind verify --key $(cat key.pub) x", &["tradewind", "verify", "--key", "$(cat key.pub)", "x"]),
        ("tradewind a \"b > c\"", &["tradewind", "a", "b > c"]),
    ] {
        assert_eq!(words(line), want, "{line}");
    }
    assert_eq!(examples("Example:\n  tradewind a \\\n    --b c\n\nExit codes: 0 done").len(), 1);
}

#[test]
fn what_checks_is_a_command() {
    let paths: BTreeSet<String> = helps().into_iter().map(|(path, _)| path).collect();
    for path in exits::Checking::ALL.iter().map(|it| it.command()) {
        assert!(paths.contains(path), "there is no `tradewind {path}`");
    }
}
