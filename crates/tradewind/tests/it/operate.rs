//! A person at the controls of a running node.

use crate::support::{Run, Running, text, tradewind};
use serde_json::Value;
use std::time::{Duration, Instant};

struct Node {
    process: Running,
    dir: tempfile::TempDir,
}

impl Node {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Running::start(&["paper", "--data-dir", text(dir.path()), "--seed", "3"]);
        process.until("ready in");
        Self { process, dir }
    }

    fn run(&self, args: &[&str]) -> Run {
        tradewind(&[args, &["--data-dir", text(self.dir.path())]].concat())
    }

    fn ask(&self, args: &[&str]) -> Value {
        self.run(&[args, &["-o", "json"]].concat()).ended_with(0).json()
    }

    /// Asks until the answer is as wanted: fills come over the wire.
    fn until(&self, args: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.ask(args);
            if wanted(&answer) {
                return answer;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{args:?} stays at {answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Node {
    /// A price at which nobody sells now, and which the venue still takes.
    fn far_below(&self) -> String {
        let status = self.ask(&["status"]);
        let mark = status["instruments"][0]["mark"].as_str().unwrap().parse::<f64>().unwrap();
        format!("{:.2}", mark * 0.9)
    }
}

const BUY: [&str; 8] = ["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.01"];

#[test]
fn a_person_places_cancels_closes_halts_and_stops() {
    let node = Node::start();
    let status = node.ask(&["status"]);
    assert_eq!((&status["mode"], &status["halted"], &status["trading"]), (&"paper".into(), &Value::Null, &true.into()));

    let resting = node.ask(&[&BUY[..], &["--price", &node.far_below()]].concat());
    let name = resting["client_id"].as_str().unwrap();
    let open = |rows: &Value| rows[0]["status"] == "open";
    node.until(&["order", "list"], open);
    assert!(node.run(&["order", "list"]).ended_with(0).out.contains(name));
    node.ask(&["order", "cancel", name]);
    node.until(&["order", "list"], |rows| rows[0]["status"] == "canceled" || rows[0]["status"] == "cancelled");

    node.ask(&BUY);
    // the strategy beside the person may trade meanwhile, and fees in the asset leave it dust
    let held = |rows: &Value| rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["dust"] == false));
    let by_hand = |rows: &Value| rows.as_array().unwrap().iter().any(|row| row["portfolio"] == "operator");
    node.until(&["position", "list"], by_hand);
    assert!(node.run(&["position", "list"]).ended_with(0).out.contains("BTC/USDT"));
    node.ask(&["position", "close", "BTC/USDT"]);
    node.until(&["position", "list"], |rows| !by_hand(rows));

    node.ask(&BUY);
    node.ask(&[&BUY[..], &["--price", &node.far_below()]].concat());
    node.until(&["position", "list"], by_hand);
    node.ask(&["halt", "--reason", "looks wrong"]);
    assert_eq!(node.ask(&["status"])["halted"], "looks wrong");
    let refused = node.run(&BUY).failed_with(1, "GATE-01");
    assert!(refused.err.contains("looks wrong"), "{}", refused.err);
    node.ask(&["flatten"]);
    node.until(&["position", "list"], |rows| !held(rows));
    node.until(&["status"], |status| status["open_orders"] == 0);
    node.ask(&["resume", "--reason", "checked"]);
    assert_eq!(node.ask(&["status"])["halted"], Value::Null);
    assert!(node.run(&["status"]).ended_with(0).out.contains("frame to decision"));

    let asked = Instant::now();
    node.ask(&["stop"]);
    let Node { process, dir } = node;
    let (run, _) = process.end();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert!(run.ended_with(0).out.contains("stopped in order"));
    let replay = tradewind(&["replay", text(dir.path()), "-o", "json"]).ended_with(0).json();
    assert_eq!(replay["matches"], true);
}

#[test]
fn an_order_shows_its_terms_and_what_its_executions_came_to() {
    let node = Node::start();
    let bought = node.ask(&BUY);
    let is_it = |row: &&Value| row["client_id"] == bought["client_id"] && row["status"] == "filled";
    let find = |rows: &Value| rows.as_array().and_then(|rows| rows.iter().find(is_it).cloned());
    let filled = find(&node.until(&["order", "list"], |rows| find(rows).is_some())).unwrap();
    let number = |name: &str| filled[name].as_str().unwrap().parse::<f64>().unwrap();
    let apart = number("cost") - number("filled") * number("average"); // an average is rounded
    assert!(number("cost") > 0.0 && apart.abs() < 1e-6, "{filled}");
    assert_eq!((&filled["market_type"], &filled["time_in_force"]), (&"spot".into(), &"gtc".into()));
    assert_eq!((&filled["post_only"], &filled["reduce_only"]), (&false.into(), &false.into()));

    let waiting = node.ask(&[&BUY[..], &["--price", &node.far_below(), "--post-only"]].concat());
    let shown = (&waiting["post_only"], &waiting["cost"], &waiting["average"]);
    assert_eq!(shown, (&true.into(), &"0".into(), &Value::Null));
    assert!(node.run(&["order", "list"]).ended_with(0).out.contains("post only"));
}

#[test]
fn a_person_says_where_a_trade_in_several_orders_ends() {
    let node = Node::start();
    let mark = node.ask(&["status"])["instruments"][0]["mark"].as_str().unwrap().parse::<f64>().unwrap();
    let (stop, target) = (format!("{:.2}", mark * 0.96), format!("{:.2}", mark * 1.12));
    let ends = ["--side", "buy", "--quantity", "0.01", "--stop", &stop, "--target", &target, "--confidence"];
    let twap = |sure| [&["order", "twap", "BTC/USDT", "--over", "1h", "--slices", "2"][..], &ends, &[sure]].concat();
    node.run(&twap("55%")).failed_with(1, "RSK-42");
    let (from, to) = (node.far_below(), format!("{:.2}", mark * 0.89));
    let scale = ["order", "scale", "BTC/USDT", "--from", &from, "--to", &to, "--orders", "2"];
    let refused = node.run(&[&scale[..], &ends, &["65%"]].concat()).failed_with(1, "RSK-43");
    assert!(refused.err.contains("a stop on the losing side"), "{}", refused.err);
    let opened = node.ask(&twap("65%"));
    assert_eq!((opened["plan"].as_str(), opened["status"].as_str()), (Some("twap"), Some("working")));
    let price = |name: &str| format!("{:.2}", opened[name].as_str().unwrap().parse::<f64>().unwrap());
    assert_eq!((price("stop"), price("target")), (stop, target));
    let guarded = |rows: &Value| {
        let by_hand = || rows.as_array().unwrap().iter().filter(|row| row["portfolio"] == "operator");
        let [open, filled] = ["open", "filled"].map(|status| by_hand().filter(|row| row["status"] == status).count());
        filled > 0 && open == 2 * filled // a slow machine may see both slices at once
    };
    node.until(&["order", "list"], guarded);
    node.ask(&["order", "end", "p1"]);
    let seen = node.until(&["order", "parents"], |rows| rows[0]["status"] == "guarding");
    assert_eq!(seen[0]["reason"], "an operator's word");
    assert!(guarded(&node.ask(&["order", "list"])), "what it bought stays guarded");
    let held = seen[0]["filled"].as_str().unwrap();
    let close = ["order", "place", "--symbol", "BTC/USDT", "--side", "sell", "--quantity", held, "--reduce-only"];
    let said = node.run(&close).ended_with(0).out;
    assert_eq!(said.trim_end(), "p1 guards what this closes, and closes it itself; see `tradewind order parents`");
    node.until(&["order", "parents"], |rows| rows[0]["status"] == "over");
    let left = node.ask(&["position", "list"]);
    let mut by_hand = left.as_array().unwrap().iter().filter(|row| row["portfolio"] == "operator");
    assert!(by_hand.all(|row| row["dust"] == true), "{left}"); // a lot is more than a fee took
}

#[test]
fn a_file_and_a_signal_halt_a_running_node_as_a_person_does() {
    let node = Node::start();
    let file = node.dir.path().join("HALTED");
    let halted = |why: &'static str| move |status: &Value| status["halted"].as_str().is_some_and(|it| it.contains(why));
    let resume = || node.run(&["resume", "--reason", "a drill"]).ended_with(0).out.trim_end().to_owned();
    for (throw, why, by) in [
        (Some("odd prices\n"), "the file HALTED: odd prices", "the file HALTED"),
        (Some(""), "the file HALTED, which gives no reason", "the file HALTED"),
        (None, "the signal SIGUSR1", "SIGUSR1"),
    ] {
        let thrown = Instant::now();
        match throw {
            Some(words) => std::fs::write(&file, words).unwrap(),
            None => node.process.signal("USR1"),
        }
        let status = node.until(&["status"], halted(why));
        println!("{by} halted within {} ms", thrown.elapsed().as_millis());
        assert_eq!((&status["holds"][0]["by"], &status["holds"][0]["why"]), (&by.into(), &why.into()));
        assert!(std::fs::read_to_string(&file).unwrap().contains(&format!("by {by} at ")), "it outlives the process");
        node.run(&BUY).failed_with(1, "GATE-01");
        assert_eq!(resume(), "trading again");
        assert!(!file.exists());
        let status = node.ask(&["status"]);
        assert_eq!((&status["halted"], &status["holds"]), (&Value::Null, &serde_json::json!([])));
        let notices = status["notices"].to_string();
        assert!(notices.contains(&format!("Z alarm: halted by {by} (resumed 20")), "{notices}");
    }
    node.ask(&BUY);
    assert!(node.run(&["flatten"]).ended_with(0).out.contains("`tradewind halt` first"));
    node.ask(&["stop"]);
    let Node { process, dir } = node;
    process.end().0.ended_with(0);
    let replay = tradewind(&["replay", text(dir.path()), "-o", "json"]).ended_with(0).json();
    assert_eq!(replay["matches"], true);
}

#[test]
fn an_order_that_cannot_be_is_refused_with_its_reason() {
    let node = Node::start();
    for (change, code) in [
        (["--quantity", "NaN"], "DOM-01"),
        (["--quantity", "99999999999999"], "DOM-03"),
        (["--price", "-5"], "GATE-03]: Order: it cannot be sent as it is: DOM-14"),
        (["--price", "0"], "GATE-03]: Order: it cannot be sent as it is: DOM-14"),
        (["--time-in-force", "forever"], "NODE-12"),
        (["--portfolio", "nobody"], "NODE-09"),
        (["--side", "hold"], "CLI-10"),
        (["--symbol", "BTC/USDX"], "NODE-01"),
        (["--quantity", "90"], "GATE-07"),
    ] {
        let mut args = BUY.to_vec();
        match args.iter().position(|arg| *arg == change[0]) {
            Some(place) => args[place + 1] = change[1],
            None => args.extend(change),
        }
        let run = node.run(&args).ended_with(1);
        run.is_calm();
        assert!(run.err.contains(&format!("error[{code}")), "{change:?}: {}", run.err);
        assert_eq!(run.out, "");
    }
    node.run(&["position", "close", "BTC/USDT"]).failed_with(1, "NODE-11");
    node.run(&["order", "cancel", "00"]).failed_with(1, "CLI-10");
    node.run(&["order", "cancel", &"0".repeat(32)]).failed_with(1, "NODE-10");
    assert_eq!(node.ask(&["status"])["counters"]["fills"], 0);
}
