"""What the third-party checks share: where the exchange is, whose keys it knows, how a check is run and told."""

import json
import sys
import time
from urllib.parse import urlsplit

URL = sys.argv[1].rstrip("/")
PORT = urlsplit(URL).port
TAKER = ("tradewind-test-key-taker", "tradewind-test-secret-taker")
MAKER = ("tradewind-test-key-maker", "tradewind-test-secret-maker")
CHECKS, FAILED = {}, []


def want(condition, what):
    if not condition:
        raise AssertionError(what)


def run(name, check, *arguments):
    began = time.monotonic()
    try:
        check(*arguments)
        CHECKS[name] = round(time.monotonic() - began, 3)
    except Exception as error:  # a check fails in any way it likes
        CHECKS[name] = f"{type(error).__name__}: {error}"[:400]
        FAILED.append(name)


def finish():
    """Prints one JSON line: {"checks": {name: seconds or "error"}, "failed": [names]}; exits 1 if a check failed."""
    print(json.dumps({"checks": CHECKS, "failed": FAILED}))
    sys.exit(1 if FAILED else 0)
