"""Writes btc-usdt-1h-simulated.csv: hourly bars of the simulated market of `tradewind exchange`.

A local exchange draws two days of minutes before it opens, and those are a function of its seed alone. This script starts
it once for each of the seeds 500 to 681, folds the minutes into hours, and joins the pieces: each begins at the price at
which the one before ended. The result is the same, byte for byte, on every run.

    python3 examples/data/make.py [PROGRAM [FILE]]

PROGRAM is `tradewind` in the path unless it is given. Needs Python 3.11 and nothing else.
"""

import json
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

SEEDS = range(500, 682)
MINUTES = 2_880  # drawn before the opening
OPENING = 6_000_000  # at which every seed begins, in cents
START = datetime(2024, 1, 1, tzinfo=timezone.utc)  # a name for the first hour: no market was looked at


def ask(url, start):
    """Up to 1,000 minutes from `start` milliseconds on, oldest first."""
    query = f"{url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000&startTime={start}"
    with urllib.request.urlopen(query, timeout=30) as answer:
        return json.load(answer)


def minutes(program, seed):
    """The minutes before the opening of a seed's market: open, high, low, close in cents, volume in lots of 0.00001."""
    command = [program, "exchange", "--seed", str(seed), "-o", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exchange:
        try:
            url = json.loads(exchange.stdout.readline())["url"]
            rows = ask(url, 0)
            while len(rows) < MINUTES:
                rows += ask(url, rows[-1][0] + 60_000)
        finally:
            exchange.kill()  # it keeps nothing that could be lost
    rows = rows[:MINUTES]  # what is beyond them was drawn after the opening
    assert rows[-1][0] - rows[0][0] == (MINUTES - 1) * 60_000, f"seed {seed}: a minute is missing"
    return [[int(Decimal(cell) * 100) for cell in row[1:5]] + [int(Decimal(row[5]) * 100_000)] for row in rows]


def hours(rows):
    """Folds minutes into hours."""
    for at in range(0, len(rows), 60):
        opens, highs, lows, closes, volumes = zip(*rows[at : at + 60])
        yield opens[0], max(highs), min(lows), closes[-1], sum(volumes)


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "tradewind"
    file = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("btc-usdt-1h-simulated.csv")
    lines, last, when = ["time,open,high,low,close,volume"], OPENING, START
    for seed in SEEDS:
        began = last
        for *prices, volume in hours(minutes(program, seed)):
            prices = [(price * began + OPENING // 2) // OPENING for price in prices]
            texts = [f"{price // 100}.{price % 100:02}" for price in prices]
            lines.append(",".join([f"{when:%Y-%m-%dT%H:%M:%SZ}", *texts, f"{volume // 100_000}.{volume % 100_000:05}"]))
            last, when = prices[-1], when + timedelta(hours=1)
    file.write_bytes("".join(line + "\n" for line in lines).encode())
    print(f"{file}: {len(lines) - 1} bars")


if __name__ == "__main__":
    main()
