//! What people and machines get wrong: each ends in a code, a hint, an exit code, and nothing on stdout.

use crate::support::{Run, Running, shell, text, tradewind, tradewind_in, waves};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

fn backtest(more: &[&str]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 200);
    let args = [&["backtest", "--data", text(&data), "--symbol", "WAVES/USDT", "--no-report"][..], more].concat();
    tradewind(&args)
}

#[test]
fn options_that_make_no_sense_are_named() {
    for (more, code, value) in [
        (&["--symbol", "WAVESUSDT"][..], "DOM-09", "`WAVESUSDT`"),
        (&["--symbol", "/"], "DOM-09", "`/`"),
        (&["--symbol", "waves/usdt"], "DOM-09", "`waves/usdt` is not a symbol: the market writes WAVES/USDT"),
        (&["--symbol", "WAVES/WAVES"], "DOM-09", "`WAVES/WAVES` is not a symbol"),
        (&["--deposit", "-5"], "CLI-05", "`-5`"),
        (&["--deposit", "0"], "CLI-05", "`0`"),
        (&["--deposit", "NaN"], "DOM-01", "--deposit: `NaN`"),
        (&["--deposit", "1e400"], "DOM-01", "`1e400`"),
        (&["--deposit", "99999999999999999999999999999999"], "DOM-03", "is too large"),
        (&["--deposit", "99999999999"], "DOM-03", "--deposit: `99999999999` is too large"),
        (&["--strategy", "ema_trend"], "STR-01", "ema-trend, mean-reversion"),
        (&["--set", "fsat=3"], "STR-02", "`fsat`"),
        (&["--set", "fast=quick"], "STR-03", "quick"),
        (&["--set", "fast=0"], "STR-04", "0"),
        (&["--set", "fast=30"], "STR-05", "30 and 20"),
        (&["--set", "weight=nan"], "STR-04", "nan"),
        (&["--set", "fast"], "CLI-04", "`fast`"),
        (&["--sizing", "martingale"], "STR-07", "`martingale`"),
        (&["--sizing", "fixed-risk"], "STR-08", "fixed-risk"),
        (&["--sizing", "fixed-risk", "--size", "risk=2", "--stop", "2"], "STR-04", "risk is 2"),
        (&["--sizing", "fixed-risk", "--size", "risk"], "CLI-04", "`risk`"),
        (&["--stop", "0"], "CLI-05", "--stop `0` is no percentage above 0 and below 100"),
        (&["--stop", "100"], "CLI-05", "--stop `100` is no percentage above 0 and below 100"),
        (&["--target", "100"], "CLI-05", "--target `100`"),
        (&["--target", "far"], "CLI-05", "--target `far`"),
        (&["--parameters-file", "/nonexistent.toml"], "CLI-01", "/nonexistent.toml"),
        (&["--limits", "tight"], "CLI-05", "`tight`"),
        (&["--fee-bps", "1e9"], "CLI-05", "`1e9`"),
        (&["--slippage-bps", "-3"], "CLI-05", "--slippage-bps"),
        (&["--half-spread-bps", "-1"], "CLI-05", "--half-spread-bps is negative"),
        (&["--half-spread-bps", "wide"], "CLI-05", "--half-spread-bps `wide`"),
        (&["--volume-share", "lots"], "CLI-05", "`lots`"),
        (&["--volume-share", "1000"], "CLI-05", "no percentage above 0 and up to 100"),
        (&["--volume-share", "0"], "CLI-05", "`0`"),
        (&["--impact", "cubic:3"], "CLI-05", "`cubic:3`"),
        (&["--fee-asset", "gold"], "CLI-05", "`gold`"),
        (&["--from", "2020-13-01"], "CLI-03", "`2020-13-01`"),
        (&["--from", "2024-01-02", "--until", "2024-01-01"], "CLI-03", "--from must be before"),
        (&["--from", "2031-01-01"], "CLI-03", "no bar"),
        (&["--factors", "/nonexistent.csv"], "HIS-01", "/nonexistent.csv"),
    ] {
        let args: Vec<&str> = if more[0] == "--symbol" { vec!["--symbol=x/y"] } else { more.to_vec() };
        let run = if more[0] == "--symbol" {
            let dir = tempfile::tempdir().unwrap();
            let data = waves(dir.path(), 60);
            tradewind(&["backtest", "--data", text(&data), "--symbol", more[1], "--no-report"])
        } else {
            backtest(&args)
        };
        let run = run.failed_with(1, code);
        assert!(run.err.contains(value), "{more:?} does not name {value}: {}", run.err);
    }
}

#[test]
fn an_output_never_takes_the_place_of_what_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 60);
    let at = |name: &str| dir.path().join(name);
    let (soft, hard, other, page) = (at("soft"), at("hard"), at("other"), at("page.html"));
    std::os::unix::fs::symlink(&data, &soft).unwrap();
    std::fs::hard_link(&data, &hard).unwrap();
    std::fs::write(&other, "fast = 5\n").unwrap();
    let before = std::fs::read(&data).unwrap();
    let (soft, hard, other, page) = (text(&soft), text(&hard), text(&other), text(&page));
    for (more, output, taken) in [
        (&["--no-report", "--events", text(&data)][..], "--events", "--data"),
        (&["--no-report", "--events", soft], "--events", "--data"),
        (&["--no-report", "--events", hard], "--events", "--data"),
        (&["--report", text(&data)], "--report", "--data"),
        (&["--report", soft], "--report", "--data"),
        (&["--report", other, "--parameters-file", other], "--report", "--parameters-file"),
        (&["--report", other, "--funding", other], "--report", "--funding"),
        (&["--no-report", "--events", other, "--factors", other], "--events", "--factors"),
        (&["--report", page, "--events", page], "--events", "--report"),
        (&["--events", "backtest-WAVES-USDT-ema-trend.html"], "--events", "the report"),
    ] {
        let command = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"];
        let run = tradewind_in(dir.path(), &[&command[..], more].concat()).failed_with(1, "CLI-05");
        let said = format!("is the same file as {taken}, which it would overwrite\n");
        assert!(run.err.contains(&format!(": {output} `")) && run.err.contains(&said), "{more:?}: {}", run.err);
    }
    tradewind(&["stress", "--scenarios", "1", "--bars", "50", "--report", other, "--parameters-file", other])
        .failed_with(1, "CLI-05");
    assert_eq!(std::fs::read(&data).unwrap(), before);
    assert_eq!(std::fs::read_to_string(other).unwrap(), "fast = 5\n");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4, "nothing else was written");
    let command = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"];
    tradewind(&[&command[..], &["--report", "/dev/null", "--events", "/dev/null"]].concat()).ended_with(0);
}

#[test]
fn an_option_that_counts_more_finely_than_the_file_allows_is_named_alone() {
    const LARGE: i64 = 100_000_000_000;
    let dir = tempfile::tempdir().unwrap();
    let options: [([&str; 2], i64, i64); 4] = [
        (["--tick", "1"], LARGE, 5),
        (["--settlement", "100.00000001"], LARGE, 5),
        (["--lot", "1"], 100, LARGE),
        (["--fee-asset", "received"], 100, LARGE),
    ];
    for (given, price, volume) in options {
        let row =
            |hour: i64| format!("{},{price},{price},{price},{price},{volume}\n", 1_701_388_800 - (60 - hour) * 3_600);
        let rows: String = (0..60).map(row).collect();
        let data = dir.path().join("large.csv");
        std::fs::write(&data, format!("time,open,high,low,close,volume\n{rows}")).unwrap();
        let command = ["backtest", "--data", text(&data), "--symbol", "BTC/USDT:USDT-231130", "--no-report"];
        let run = tradewind(&[&command[..], &given].concat()).failed_with(1, "CLI-05");
        assert!(run.err.contains("in more decimals than the file"), "{}", run.err);
        for ([other, _], ..) in options {
            assert_eq!(run.err.contains(other), other == given[0], "{given:?}: {}", run.err);
        }
    }
}

#[test]
fn words_that_the_command_line_does_not_know_are_misuse() {
    for args in [
        &["backtset"][..],
        &["backtest"],
        &["backtest", "--data", "bars.csv", "--symbol", "A/B", "--limit-fill", "near"],
        &["demo", "--for", "0s"],
        &["demo", "--for", "soon"],
        &["demo", "--seed", "-1"],
        &["demo", "--seed", "99999999999999999999999"],
        &["exchange", "--port", "70000"],
        &["--log", "loud", "doctor"],
        &["-o", "yaml", "doctor"],
        &["journal", "show", "x", "--from", "first"],
    ] {
        let run = tradewind(args).failed_with(2, "CLI-15");
        assert!(run.err.contains("\nFor more information, try '--help'."), "how it is used: {}", run.err);
    }
    let run = tradewind(&["backtest", "--frm", "2024-01-01"]).failed_with(2, "CLI-15");
    assert!(run.err.starts_with("error[CLI-15]: unexpected argument '--frm' found\n  hint: see "), "{}", run.err);
    assert!(run.err.contains("'--from'") && run.err.contains("\nUsage: tradewind backtest "), "{}", run.err);
    for args in [&["order"][..], &[]] {
        let run = tradewind(args).failed_with(2, "CLI-15");
        assert!(run.err.contains("\nUsage: tradewind "), "{}", run.err);
        assert!(run.err.contains("\nerror[CLI-15]: a command is missing\n  hint: "), "{}", run.err);
    }
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let noise = dir.path().join("noise.csv");
    std::fs::write(&noise, [0x1b, b'[', b'2', b'J', 0xff, 0, b'\n', 7].repeat(500)).unwrap();
    let noise = text(&noise);
    for (args, code) in [
        (&["backtest", "--symbol", "A/B", "--data", "/nonexistent.csv"][..], "HIS-01"),
        (&["backtest", "--symbol", "A/B", "--data", place], "HIS-01"),
        (&["backtest", "--symbol", "A/B", "--data", noise], "HIS-02"),
        (&["diagnose", "--symbol", "A/B", "--data", noise], "HIS-02"),
        (&["demo", "--tape", noise, "--data-dir", place], "EXC-03"),
        (&["demo", "--tape", "/nonexistent", "--data-dir", place], "EXC-03"),
        (&["demo", "--tape", noise, "--symbol", "BTC/USDT:USDT", "--data-dir", place], "CLI-05"),
        (&["exchange", "--tape", noise], "EXC-03"),
        (&["replay", place], "CLI-09"),
        (&["replay", "/nonexistent"], "CLI-09"),
        (&["journal", "verify", noise], "CLI-09"),
        (&["journal", "backup", place, place], "CLI-09"),
        (&["config", "check", noise], "CFG-01"),
        (&["config", "check", "/nonexistent.toml"], "CFG-01"),
        (&["paper", "--config", place], "CFG-01"),
        (&["strategy", "show", "ema"], "STR-01"),
        (&["strategy", "new", "mine", "--tradewind", place], "CLI-07"),
    ] {
        let run = tradewind(args).failed_with(1, code);
        assert!(!run.err.contains('\u{1b}') && !run.err.contains('\u{7}'), "{args:?}: raw bytes on a terminal");
        assert!(run.err.len() < 2_000, "{args:?}: {} bytes of message", run.err.len());
    }
}

#[test]
fn a_failure_asked_for_in_json_is_json_on_stderr() {
    let run = tradewind(&["replay", "/nonexistent", "-o", "json"]).ended_with(1);
    assert_eq!(run.out, "");
    let error: serde_json::Value = serde_json::from_str(&run.err).unwrap();
    assert_eq!(error["error"]["code"], "CLI-09");
    assert!(error["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
}

#[test]
fn misuse_asked_for_in_json_is_json_on_stderr() {
    for (args, word) in [
        (&["backtset", "-o", "json"][..], "backtset"),
        (&["--output=json", "demo", "--for", "soon"], "soon"),
        (&["-o", "json", "order"], "a command is missing"),
        (&["journal", "show", "x", "--from", "first", "-o", "json"], "first"),
    ] {
        let run = tradewind(args).ended_with(2);
        assert_eq!(run.out, "");
        let error: serde_json::Value = serde_json::from_str(&run.err).unwrap();
        assert_eq!(error["error"]["code"], "CLI-15", "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(word), "{error}");
        assert!(!error["error"]["message"].as_str().unwrap().contains("Usage"), "{error}");
    }
    assert!(tradewind(&["--help", "-o", "json"]).ended_with(0).out.contains("Exit codes:"));
}

#[test]
fn settings_faults_name_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    for (settings, place, value) in [
        ("mode = \"paper\"\nspeed = 3\n", ":2:", "`speed`"),
        ("[limits]\nmax_order = \"10\"\n", ":2:", "\"2.5%\""),
        ("[limits]\nstale_after = \"5 parsecs\"\n", ":2:", "5 parsecs"),
        ("symbols = [\"BTCUSDT\"]\n", ":1:", "BTCUSDT"),
        ("[journal]\n\nsync_every = 100\n", ":3:", "100"),
        ("mode = \n", ":1:", ""),
        ("interval = \"7m\"\n", ":1:", "7m"),
        ("[venue]\n\nrecv_window = \"1000s\"\n", ":3:", "60000 ms"),
        ("symbols = [\"BTC/USDT:USDT\"]\n", ":1:", "BTC/USDT:USDT"),
    ] {
        let file = dir.path().join("tradewind.toml");
        std::fs::write(&file, settings).unwrap();
        for command in [&["config", "check"][..], &["paper", "--config"], &["doctor", "--config"]] {
            let run = tradewind(&[command, &[text(&file)]].concat()).failed_with(1, "CFG-02");
            assert!(run.err.contains(&format!("tradewind.toml{place}")), "{settings:?}: {}", run.err);
            assert!(run.err.contains(value), "{settings:?}: {}", run.err);
        }
    }
}

#[test]
fn faults_of_a_parameters_file_name_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (waves(dir.path(), 60), dir.path().join("mine.toml"));
    let bars = ["--data", text(&data), "--symbol", "WAVES/USDT"];
    let commands = [
        [&["backtest", "--no-report"][..], &bars].concat(),
        [&["diagnose"][..], &bars].concat(),
        vec!["stress", "--scenarios", "1", "--bars", "50"],
    ];
    let check = |more: &[&str], code: &str, words: &[&str]| {
        for command in &commands {
            let args = [&command[..], &["--parameters-file", text(&file)][..], more].concat();
            let run = tradewind(&args).failed_with(1, code);
            for word in words {
                assert!(run.err.contains(word), "{command:?} {more:?} does not say {word}: {}", run.err);
            }
        }
    };
    for (parameters, code, place, value, hint) in [
        ("slow = 30\nfsat = 3\n", "STR-02", ":2: ", "no parameter `fsat`", "tradewind strategy show NAME"),
        ("[ema-trend]\nfast = 3\n", "STR-02", ":1: ", "`ema-trend`", "tradewind strategy show NAME"),
        ("# quick\n\nfast = \"12 bars\"\n", "STR-03", ":3: ", "12 bars", "write whole numbers as 20"),
        ("fast = 12\nweight = 11.0\n", "STR-04", ":2: ", "outside 0 to 10 in `weight = 11.0`", "inside the range"),
        ("slow = 30\nfast = \n", "CLI-04", ":2: ", "in `fast =`", "tradewind strategy show NAME"),
    ] {
        std::fs::write(&file, parameters).unwrap();
        let place = format!("mine.toml{place}");
        check(&[], code, &[place.as_str(), value, hint]);
    }
    // the file is not blamed for what was typed beside it
    std::fs::write(&file, "fast = 0\n").unwrap();
    check(&["--set", "fast=-5"], "STR-04", &["error[STR-04]: ema-trend: fast is -5"]);
}

#[test]
fn a_secret_pasted_into_the_settings_is_refused_and_never_printed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tradewind.toml");
    std::fs::write(&file, "[venue]\napi_secret = \"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP\"\n").unwrap();
    for command in [&["config", "check"][..], &["config", "show", "--config"], &["paper", "--config"]] {
        for format in ["text", "json"] {
            let run = tradewind(&[command, &[text(&file), "-o", format]].concat()).ended_with(1);
            assert!(
                run.err.contains("CFG-02") && run.err.contains("tradewind.toml:2") && run.err.contains("env:NAME"),
                "{}",
                run.err
            );
            assert!(!run.err.contains("NhqP") && !run.out.contains("NhqP"), "{}{}", run.err, run.out);
        }
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = tradewind(&["exchange", "--port", &port]).failed_with(1, "EXC-01");
    assert!(run.err.contains(&port));
}

#[test]
fn numbers_out_of_range_stop_an_exchange_before_it_opens() {
    for (more, code) in [
        (["--speed", "NaN"], "EXC-05"),
        (["--speed", "-1"], "EXC-05"),
        (["--speed", "1e300"], "EXC-05"),
        (["--cash", "-5"], "CLI-05"),
        (["--cash", "NaN"], "CLI-05"),
        (["--cash", "99999999999999999999"], "CLI-05"),
    ] {
        tradewind(&[&["exchange"][..], &more].concat()).failed_with(1, code);
    }
    let run = tradewind(&["exchange", "--speed", "0"]).failed_with(1, "EXC-05");
    assert!(run.err.contains("speed 0 is not above 0"), "{}", run.err);
}

#[test]
fn a_second_node_on_the_same_data_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = text(dir.path());
    let mut first = Running::start(&["paper", "--data-dir", place]);
    first.until("ready in");
    for args in [&["paper", "--data-dir", place][..], &["demo", "--for", "2s", "--data-dir", place]] {
        tradewind(args).failed_with(1, "JRN-01");
    }
    tradewind(&["journal", "retain", place]).failed_with(1, "JRN-01");
    tradewind(&["status", "--data-dir", place]).ended_with(0);
    tradewind(&["stop", "--data-dir", place]).ended_with(0);
    assert_eq!(first.end().0.code, Some(0));
}

#[test]
fn without_a_node_control_commands_say_so() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["status"][..],
        &["stop"],
        &["flatten"],
        &["halt"],
        &["resume"],
        &["order", "list"],
        &["position", "list"],
        &["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "1"],
        &["position", "close", "BTC/USDT"],
    ] {
        tradewind(&[args, &["--data-dir", text(dir.path())]].concat()).failed_with(4, "NODE-05");
    }
}

#[test]
fn a_full_disk_is_an_error_and_not_a_result() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 400);
    let base = ["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"];
    for more in [&["--no-report", "--events", "/dev/full"][..], &["--report", "/dev/full"]] {
        let run = tradewind(&[&base[..], more].concat()).failed_with(1, "CLI-01");
        assert!(run.err.contains("/dev/full"), "{}", run.err);
    }
    let run = shell("\"$0\" strategy list > /dev/full").ended_with(1);
    assert!(run.err.contains("error[CLI-01]: stdout"), "{}", run.err);
    run.is_calm();
    let backtest = format!("backtest --data '{}' --symbol WAVES/USDT --no-report -o json", text(&data));
    for command in ["strategy list -o json", &backtest] {
        let run = shell(&format!("\"$0\" {command} > /dev/full")).ended_with(1);
        let said: serde_json::Value = serde_json::from_str(run.err.trim()).expect("one JSON value and nothing else");
        assert_eq!(said["error"]["code"], "CLI-01", "{command}");
        assert!(said["error"]["message"].as_str().unwrap().starts_with("stdout: "), "{said}");
    }
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_not_the_end_of_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let (data, place) = (waves(dir.path(), 2_000), text(dir.path()));
    tradewind_in(dir.path(), &["demo", "--for", "2s", "--data-dir", "data"]).ended_with(0);
    let limited = |what: &str| shell(&format!("ulimit -f 8; cd '{place}'; exec \"$0\" {what}"));
    let bars = format!("'{}' --symbol WAVES/USDT", text(&data));
    limited(&format!("backtest --data {bars} --report page.html")).failed_with(1, "CLI-01");
    limited(&format!("backtest --data {bars} --no-report --events events.jsonl")).failed_with(1, "CLI-01");
    let import = limited(&format!("data import {bars} --catalog catalog")).failed_with(1, "HIS-01");
    assert!(import.err.contains("ulimit -f"), "{}", import.err);
    limited("journal backup data copy").failed_with(1, "JRN-05");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let tighter = format!("ulimit -f 1; cd '{place}'; exec \"$0\" strategy new mine --tradewind '{root}'");
    shell(&tighter).failed_with(1, "CLI-01");
    let run = limited("demo --for 2s --data-dir full").ended_with(1);
    assert!(run.err.contains("error[JRN-"), "{}", run.err);
    run.is_calm();
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, place) = (waves(dir.path(), 2_000), text(dir.path()));
    let report = format!("backtest --data '{}' --symbol WAVES/USDT --report page.html", text(&data));
    let run = |limit: &str| shell(&format!("{limit} cd '{place}'; exec \"$0\" {report}"));
    run("").ended_with(0);
    let names = || std::fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().file_name()).collect::<BTreeSet<_>>();
    let (earlier, files) = (std::fs::read(dir.path().join("page.html")).unwrap(), names());
    let refused = run("ulimit -f 8;").failed_with(1, "CLI-01");
    assert!(refused.err.contains("page.html: "), "{}", refused.err);
    assert!(std::fs::read(dir.path().join("page.html")).unwrap() == earlier, "it is another one now");
    assert_eq!(names(), files, "and nothing is left of the attempt");
}

#[test]
fn a_report_goes_into_a_pipe_and_to_where_a_link_leads() {
    let dir = tempfile::tempdir().unwrap();
    let (data, place) = (waves(dir.path(), 200), text(dir.path()));
    let report = |to: &str| format!("backtest --data '{}' --symbol WAVES/USDT --report '{to}'", text(&data));
    let piped = shell(&format!("\"$0\" {} | cat", report("/proc/self/fd/1"))).ended_with(0);
    assert!(piped.out.contains("<html") && piped.out.contains("\nreport: /proc/self/fd/1"), "{}", piped.err);

    let (link, page) = (dir.path().join("link.html"), dir.path().join("page.html"));
    std::os::unix::fs::symlink(&page, &link).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for wanted in [None, Some(0o640)] {
        if let Some(wanted) = wanted {
            std::fs::set_permissions(&page, std::fs::Permissions::from_mode(wanted)).unwrap();
        }
        shell(&format!("cd '{place}'; exec \"$0\" {}", report("link.html"))).ended_with(0);
        assert!(link.is_symlink() && std::fs::read_to_string(&page).unwrap().contains("<html"));
        assert!(wanted.is_none_or(|wanted| mode(&page) == wanted), "{:o}", mode(&page));
    }
}

#[test]
fn a_process_that_nobody_could_end_in_order_does_not_begin() {
    let run = shell("ulimit -n 4; exec \"$0\" config template").failed_with(1, "CLI-02");
    assert!(run.err.contains("signals cannot be watched"), "{}", run.err);
}

#[test]
fn a_folder_that_may_not_be_written_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let data = waves(dir.path(), 200);
    let page = ["--report", "/proc/nothing/page.html"];
    tradewind(&[&["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"][..], &page].concat())
        .failed_with(1, "CLI-01");
    let run = tradewind(&["demo", "--for", "2s", "--data-dir", "/proc/nothing"]).ended_with(1);
    assert!(run.err.contains("/proc/nothing"), "{}", run.err);
    run.is_calm();

    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(locked.join("probe"), "").is_ok() {
        println!("skipped: a_folder_that_may_not_be_written_is_an_error: root writes everywhere");
        return;
    }
    let run = tradewind_in(&locked, &["backtest", "--data", text(&data), "--symbol", "WAVES/USDT"]);
    run.failed_with(1, "CLI-01");
}

/// Where each run alone sees the folder read-only, which holds for root as well.
#[test]
fn a_disk_that_is_read_only_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (data, locked) = (waves(dir.path(), 200), dir.path().join("locked"));
    std::fs::create_dir(&locked).unwrap();
    let place = text(&locked);
    let lock = format!("mount --bind '{place}' '{place}' && mount -o remount,bind,ro '{place}' && cd '{place}'");
    let mounted = Command::new("unshare").args(["--mount", "sh", "-c", &lock]).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: a_disk_that_is_read_only_is_an_error: this process may not mount");
        return;
    }
    let line = |args: &str| format!(r#"exec unshare --mount sh -c "{lock} && exec \"\$0\" {args}" "$0""#);
    let of_waves = format!("'{}' --symbol WAVES/USDT", text(&data));
    for (args, code) in [
        (format!("backtest --data {of_waves}"), "CLI-01"),
        (format!("backtest --data {of_waves} --report page.html"), "CLI-01"),
        (format!("data import {of_waves}"), "HIS-01"),
        ("demo --for 2s --data-dir data".to_owned(), "NODE-15"),
    ] {
        let run = shell(&line(&args)).failed_with(1, code);
        assert!(run.err.contains("Read-only file system"), "{args}: {}", run.err);
    }
    assert_eq!(std::fs::read_dir(&locked).unwrap().count(), 0, "and nothing is left of the attempts");

    // a journal that lies there can be brought away
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data-v5/journal");
    for entry in std::fs::read_dir(kept).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), locked.join(entry.file_name())).unwrap();
    }
    let copy = dir.path().join("copy");
    shell(&line(&format!("journal backup '{place}' '{}'", text(&copy)))).ended_with(0);
    let verified = tradewind(&["journal", "verify", text(&copy), "-o", "json"]).ended_with(0).json();
    assert_eq!(verified["records"], 405);
}
