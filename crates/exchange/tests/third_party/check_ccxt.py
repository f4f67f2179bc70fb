"""Drives a local exchange with ccxt over REST and WebSocket.

usage: check_ccxt.py URL        (the URL that `examples/serve` prints)
"""

import asyncio
import time
from urllib.parse import urlsplit

import ccxt
import ccxt.pro
from harness import MAKER, PORT, TAKER, finish, run, want

SYMBOL = "BTC/USDT"
RESTING, TAKEN = 10, 0.004  # of a partial fill; no simulated taker wants as much as rests


def redirect(value):
    """Every ccxt address, wherever it points, to the local exchange."""
    if isinstance(value, dict):
        return {key: redirect(inner) for key, inner in value.items()}
    parts = urlsplit(value)
    scheme = "ws" if parts.scheme.startswith("ws") else "http"
    return f"{scheme}://127.0.0.1:{PORT}{parts.path}"


def client(module, key, markets=("spot",)):
    exchange = module.binance({
        "apiKey": key[0], "secret": key[1], "enableRateLimit": False,
        "options": {"fetchMarkets": {"types": list(markets)}},
    })
    exchange.urls["api"] = redirect(exchange.urls["api"])
    return exchange


# --- ccxt over REST


def ccxt_markets():
    everything = client(ccxt, TAKER, ("spot", "linear", "inverse"))
    everything.load_markets()
    market = everything.market(SYMBOL)
    want(market["precision"]["price"] == 0.01, market["precision"])
    want(market["precision"]["amount"] == 0.00001, market["precision"])
    want(market["limits"]["cost"]["min"] == 5, market["limits"])
    want({"BTC/USDT", "ETH/USDT", "SOL/USDT"} <= set(everything.markets), list(everything.markets))


def ccxt_market_data(exchange):
    book = exchange.fetch_order_book(SYMBOL, 20)
    want(len(book["bids"]) == 20 and book["bids"][0][0] < book["asks"][0][0], "the book is short or crossed")
    trades = first_trades(exchange)
    want(trades and trades[0]["price"] > 0, trades)
    candles = exchange.fetch_ohlcv(SYMBOL, "1m", limit=500)
    want(len(candles) == 500, len(candles))
    want(all(b[0] - a[0] == 60_000 for a, b in zip(candles, candles[1:])), "candles have holes")
    want(all(c[3] <= min(c[1], c[4]) and c[2] >= max(c[1], c[4]) for c in candles), "a candle contradicts itself")
    ticker = exchange.fetch_ticker(SYMBOL)
    want(ticker["bid"] < ticker["ask"] and ticker["last"] > 0, ticker)
    want(len(exchange.fetch_tickers()) == 3, "three tickers")
    want(abs(exchange.fetch_time() - time.time() * 1000) < 2000, "the clock is off")


def first_trades(exchange, seconds=15):
    """The latest trades; a market that has just opened may have none for a moment."""
    until = time.monotonic() + seconds
    while not (trades := exchange.fetch_trades(SYMBOL, limit=10)) and time.monotonic() < until:
        time.sleep(0.1)
    return trades


def ccxt_place_cancel_list(exchange):
    price = round(exchange.fetch_ticker(SYMBOL)["bid"] * 0.9, 2)
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.001, price, {"clientOrderId": "check-one"})
    want(order["status"] == "open" and order["clientOrderId"] == "check-one", order)
    want([o["id"] for o in exchange.fetch_open_orders(SYMBOL)] == [order["id"]], "open orders")
    want(exchange.fetch_order(order["id"], SYMBOL)["price"] == price, "fetch_order")
    locked = exchange.fetch_balance()["USDT"]["used"]
    want(abs(locked - price * 0.001) < 1e-6, locked)
    cancelled = exchange.cancel_order(order["id"], SYMBOL)
    want(cancelled["status"] == "canceled", cancelled)
    want(exchange.fetch_open_orders(SYMBOL) == [], "nothing is open after the cancel")
    want(exchange.fetch_balance()["USDT"]["used"] == 0, "funds are free after the cancel")
    want(exchange.fetch_orders(SYMBOL)[-1]["status"] == "canceled", "the list shows it as cancelled")


def ccxt_market_orders(exchange):
    bought = exchange.create_order(SYMBOL, "market", "buy", 0.002)
    want(bought["status"] == "closed" and bought["filled"] == 0.002, bought)
    spent = exchange.create_order(SYMBOL, "market", "buy", None, None, {"quoteOrderQty": 100})
    want(90 < spent["cost"] <= 100, spent)
    sold = exchange.create_order(SYMBOL, "market", "sell", 0.002)
    want(sold["status"] == "closed" and sold["fee"]["currency"] == "USDT", sold)


def ccxt_stop_order(exchange):
    last = exchange.fetch_ticker(SYMBOL)["last"]
    stop = exchange.create_order(
        SYMBOL, "limit", "sell", 0.001, round(last * 0.8, 2), {"stopLossPrice": round(last * 0.81, 2)}
    )
    want(exchange.fetch_order(stop["id"], SYMBOL)["status"] == "open", stop)
    exchange.cancel_order(stop["id"], SYMBOL)


def refuses(kind, act):
    try:
        act()
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__}")


def ccxt_refusals(exchange):
    last = exchange.fetch_ticker(SYMBOL)["last"]
    buy = lambda amount, price, **params: exchange.create_order(SYMBOL, "limit", "buy", amount, price, params)
    refuses(ccxt.InsufficientFunds, lambda: buy(round(4_000_000 / last, 5), round(last * 0.9, 2)))
    refuses(ccxt.OrderImmediatelyFillable, lambda: buy(0.001, round(last * 1.01, 2), postOnly=True))
    refuses(ccxt.OrderNotFound, lambda: exchange.cancel_order("999999999", SYMBOL))
    refuses(ccxt.OrderNotFound, lambda: exchange.fetch_order("999999999", SYMBOL))
    refuses(ccxt.BadRequest, lambda: buy(0.00001, round(last * 0.9, 2)))  # ccxt's word for -1013
    stranger = client(ccxt, (TAKER[0], "not the secret"))
    refuses(ccxt.AuthenticationError, stranger.fetch_balance)
    nobody = client(ccxt, ("nobody", "nothing"))
    refuses(ccxt.AuthenticationError, nobody.fetch_balance)
    late = client(ccxt, TAKER)
    late.nonce = lambda: int(time.time() * 1000) - 60_000
    refuses(ccxt.InvalidNonce, late.fetch_balance)


# --- ccxt over WebSocket


async def ccxt_streams():
    taker, maker = client(ccxt.pro, TAKER), client(ccxt.pro, MAKER)
    try:
        for exchange in (taker, maker):
            await exchange.load_markets()
        within = lambda awaitable, seconds=15: asyncio.wait_for(awaitable, seconds)
        book = await within(taker.watch_order_book(SYMBOL))
        for _ in range(20):
            book = await within(taker.watch_order_book(SYMBOL))
            want(book["bids"][0][0] < book["asks"][0][0], "the streamed book is crossed")
        rest = await taker.fetch_order_book(SYMBOL, 100)
        want(abs(rest["bids"][0][0] / book["bids"][0][0] - 1) < 0.01, "the streamed book left the market")
        want((await within(taker.watch_trades(SYMBOL)))[0]["price"] > 0, "trades")
        want((await within(taker.watch_ticker(SYMBOL)))["last"] > 0, "ticker")
        want((await within(taker.watch_ohlcv(SYMBOL, "1m")))[-1][1] > 0, "candles")
        want((await within(taker.watch_bids_asks([SYMBOL])))[SYMBOL]["bid"] > 0, "best prices")
        await ccxt_user_stream(taker, within)
        await ccxt_socket_order(taker, within)
    finally:
        await taker.close()
        await maker.close()


async def ccxt_user_stream(exchange, within):
    watched = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
    balance = asyncio.ensure_future(exchange.watch_balance())
    await asyncio.sleep(1)  # the subscription has no event of its own to wait for
    price = round((await exchange.fetch_ticker(SYMBOL))["bid"] * 0.9, 2)
    order = await exchange.create_order(SYMBOL, "limit", "buy", 0.001, price)
    seen = await within(watched)
    want(seen[-1]["id"] == order["id"] and seen[-1]["status"] == "open", seen)
    want((await within(balance))["USDT"]["used"] > 0, "the streamed balance shows the lock")
    await exchange.cancel_order(order["id"], SYMBOL)
    while True:
        seen = await within(exchange.watch_orders(SYMBOL))
        if seen[-1]["id"] == order["id"] and seen[-1]["status"] == "canceled":
            break
    trade = asyncio.ensure_future(exchange.watch_my_trades(SYMBOL))
    bought = await exchange.create_order(SYMBOL, "market", "buy", 0.001)
    want((await within(trade))[-1]["order"] == bought["id"], "the streamed trade is ours")


async def ccxt_socket_order(exchange, within):
    price = round((await exchange.fetch_ticker(SYMBOL))["bid"] * 0.9, 2)
    order = await within(exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, price))
    want(order["status"] == "open", order)
    want((await within(exchange.fetch_order_ws(order["id"], SYMBOL)))["id"] == order["id"], "order.status")
    want(order["id"] in [o["id"] for o in await within(exchange.fetch_open_orders_ws(SYMBOL))], "openOrders.status")
    want((await within(exchange.cancel_order_ws(order["id"], SYMBOL)))["status"] == "canceled", "order.cancel")
    status = (await within(exchange.fetch_balance_ws()))["info"]  # ccxt 4.5.90 does not unify it for spot
    want(len(status["balances"]) == 4, "account.status")


async def ccxt_partial_fill():
    """Our maker rests a large order ahead of the market and our taker takes a little of it.

    REST and the private stream must both show the part while the order is open, and keep it after the cancel.
    """
    taker, maker = client(ccxt.pro, TAKER), client(ccxt.pro, MAKER)
    reports, reader = asyncio.Queue(), None
    try:
        for exchange in (taker, maker):
            await exchange.load_markets()
        reader = asyncio.ensure_future(put_order_reports(maker, reports))
        await asyncio.sleep(1)  # the subscription has no event of its own to wait for
        resting, taken = await ccxt_meet(taker, maker)
        streamed = await order_report(reports, resting, "a fill", lambda report: report["filled"] > 0)
        want_part_filled(streamed, streamed["info"]["X"])
        seen = await maker.fetch_order(resting["id"], SYMBOL)
        want_part_filled(seen, seen["info"]["status"])
        trade = (await trades_of(taker, taken))[-1]
        want(trade["takerOrMaker"] == "taker", trade)
        want(trade["fee"]["currency"] == "BTC" and trade["fee"]["cost"] > 0, trade["fee"])
        cancelled = await maker.cancel_order(resting["id"], SYMBOL)
        want(cancelled["status"] == "canceled", cancelled)
        want(seen["filled"] <= cancelled["filled"] < RESTING, cancelled)
        ended = await order_report(reports, resting, "the end", lambda report: report["status"] != "open")
        kept = await maker.fetch_order(resting["id"], SYMBOL)
        want(ended["status"] == kept["status"] == "canceled", (ended, kept))
        want(ended["filled"] == kept["filled"] == cancelled["filled"], (ended, kept))
        traded = sum(trade["amount"] for trade in await trades_of(maker, resting))
        want(abs(traded - kept["filled"]) < 1e-9, f"the trades sum to {traded}, the order to {kept['filled']}")
    finally:
        if reader:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        await taker.close()
        await maker.close()


async def put_order_reports(exchange, reports):
    while True:
        for order in await exchange.watch_orders(SYMBOL):
            reports.put_nowait(dict(order))  # a copy: ccxt writes later reports into the same object


async def ccxt_meet(taker, maker):
    """Sells a tick below the best ask and buys a little at that price; returns the two orders.

    The simulated market goes on in between, so this is tried anew until the two have a trade in common.
    """
    for _ in range(10):
        best_ask = (await maker.fetch_order_book(SYMBOL, 5))["asks"][0][0]
        price = round(best_ask - 0.01, 2)
        try:
            resting = await maker.create_order(SYMBOL, "limit", "sell", RESTING, price, {"postOnly": True})
        except ccxt.OrderImmediatelyFillable:
            await asyncio.sleep(0.1)  # a bid stands there by now
            continue
        taken = await taker.create_order(SYMBOL, "limit", "buy", TAKEN, price, {"timeInForce": "IOC"})
        want(taken["filled"] == TAKEN, taken)
        bought, sold = await trades_of(taker, taken), await trades_of(maker, resting)
        if {trade["id"] for trade in bought} & {trade["id"] for trade in sold}:
            return resting, taken
        await maker.cancel_order(resting["id"], SYMBOL)  # somebody else offered for less
    raise AssertionError("our maker and our taker never met")


async def trades_of(exchange, order):
    return [trade for trade in await exchange.fetch_my_trades(SYMBOL) if trade["order"] == order["id"]]


async def order_report(reports, order, what, shows, seconds=15):
    """The next streamed report of `order` that shows what is wanted."""
    seen = []
    try:
        async with asyncio.timeout(seconds):
            while not (seen and shows(seen[-1])):
                report = await reports.get()
                if report["id"] == order["id"]:
                    seen.append(report)
    except TimeoutError:
        statuses = [(report["status"], report["filled"]) for report in seen]
        raise AssertionError(f"no streamed report of {what} within {seconds} s, only {statuses}") from None
    return seen[-1]


def want_part_filled(order, venue_status):
    shown = {key: order[key] for key in ("id", "status", "amount", "filled", "remaining")}
    want(order["status"] == "open" and venue_status == "PARTIALLY_FILLED", f"{venue_status}: {shown}")
    want(order["amount"] == RESTING and 0 < order["filled"] < RESTING, shown)
    want(order["remaining"] > 0 and abs(order["filled"] + order["remaining"] - RESTING) < 1e-9, shown)


def main():
    taker = client(ccxt, TAKER)
    run("ccxt load_markets", ccxt_markets)
    run("ccxt market data", ccxt_market_data, taker)
    run("ccxt place, cancel, list", ccxt_place_cancel_list, taker)
    run("ccxt partial fill", lambda: asyncio.run(ccxt_partial_fill()))
    run("ccxt market orders", ccxt_market_orders, taker)
    run("ccxt stop order", ccxt_stop_order, taker)
    run("ccxt refusals", ccxt_refusals, taker)
    run("ccxt streams and socket orders", lambda: asyncio.run(ccxt_streams()))
    finish()


main()
