"""Drives a local exchange with two SDKs: binance-connector, the vendor's own, and python-binance.

Each lists markets, reads books, trades and candles, places an order, has it filled in part, cancels it, lists it, and
hears of all that over the private stream; with HMAC keys, and once with an Ed25519 key that is made here.

usage: check_sdks.py URL SERVE        (SERVE is the program `examples/serve`, URL what a running one printed)
"""

import asyncio
import json
import logging
import queue
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from typing import Callable, NamedTuple

from Crypto.PublicKey import ECC
from harness import MAKER, PORT, TAKER, URL, finish, run, want

# python-binance and binance-connector share the package `binance`, and its __init__ is that of whichever was
# installed last: nothing is taken from it.
from binance.async_client import AsyncClient
from binance.client import Client
from binance.error import ClientError
from binance.exceptions import BinanceAPIException
from binance.lib.utils import websocket_api_signature
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from binance.ws.streams import BinanceSocketManager

SERVE = sys.argv[2]
SIGNER = "tradewind-test-key-ed25519"  # the account that `serve --ed25519` adds
SYMBOL = "BTCUSDT"
RESTING, TAKEN = "10.00000", "0.00400"  # of a partial fill; no simulated taker wants as much as rests


class Sdk(NamedTuple):
    """The verbs of one client, under one name each; all take the venue's own parameters by name."""

    markets: Callable
    book: Callable
    trades: Callable
    candles: Callable
    place: Callable
    order: Callable
    open_orders: Callable
    all_orders: Callable
    fills: Callable
    cancel: Callable
    code: Callable  # the venue's code of an error
    error: type


def connector(key, secret=None, private_key=None, url=URL):
    spot = Spot(api_key=key, api_secret=secret, private_key=private_key, base_url=url)
    return Sdk(
        spot.exchange_info, spot.depth, spot.trades, spot.klines, spot.new_order, spot.get_order, spot.get_open_orders,
        spot.get_orders, spot.my_trades, spot.cancel_order, lambda error: error.error_code, ClientError,
    )


def python_binance(key, secret=None, private_key=None, url=URL):
    Client.API_URL = f"{url}/api"
    client = Client(key, secret, private_key=private_key)
    return Sdk(
        client.get_exchange_info, client.get_order_book, client.get_recent_trades, client.get_klines,
        client.create_order, client.get_order, client.get_open_orders, client.get_all_orders, client.get_my_trades,
        client.cancel_order, lambda error: error.code, BinanceAPIException,
    )


# --- what every SDK does


def market_data(sdk):
    listed = {market["symbol"]: market for market in sdk.markets()["symbols"]}
    want(set(listed) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}, list(listed))
    filters = {rule["filterType"]: rule for rule in listed[SYMBOL]["filters"]}
    want(float(filters["PRICE_FILTER"]["tickSize"]) == 0.01, filters)
    want(float(filters["LOT_SIZE"]["stepSize"]) == 0.00001, filters)
    book = sdk.book(symbol=SYMBOL, limit=20)
    want(len(book["bids"]) == len(book["asks"]) == 20 and book["lastUpdateId"] > 0, "the book is short")
    want(float(book["bids"][0][0]) < float(book["asks"][0][0]), "the book is crossed")
    until = time.monotonic() + 15  # a market that has just opened may have no trades for a moment
    while not (trades := sdk.trades(symbol=SYMBOL, limit=10)) and time.monotonic() < until:
        time.sleep(0.1)
    want(trades and float(trades[-1]["price"]) > 0, trades)
    want([trade["id"] for trade in trades] == sorted(trade["id"] for trade in trades), "trades are not in order")
    candles = sdk.candles(symbol=SYMBOL, interval="1m", limit=500)
    want(len(candles) == 500, len(candles))
    want(all(b[0] - a[0] == 60_000 for a, b in zip(candles, candles[1:])), "candles have holes")
    bounds = [[float(text) for text in candle[1:5]] for candle in candles]  # open, high, low, close
    want(all(low <= min(o, c) and high >= max(o, c) for o, high, low, c in bounds), "a candle contradicts itself")


def partial_fill(maker, taker, reports):
    """Our maker rests a large order ahead of the market and our taker takes a little of it.

    The lists, the trades and the maker's private stream must tell the same, from its placing to the cancel.
    """
    resting, taken = meet(maker, taker)
    which = {"symbol": SYMBOL, "orderId": resting["orderId"]}
    want(maker.order(**which)["status"] == "PARTIALLY_FILLED", maker.order(**which))
    want([order["orderId"] for order in maker.open_orders(symbol=SYMBOL)] == [resting["orderId"]], "open orders")
    cancelled = maker.cancel(**which)
    want(cancelled["status"] == "CANCELED", cancelled)
    filled = float(cancelled["executedQty"])
    want(float(TAKEN) <= filled < float(RESTING), cancelled)
    want(maker.open_orders(symbol=SYMBOL) == [], "nothing is open after the cancel")
    listed = [order for order in maker.all_orders(symbol=SYMBOL) if order["orderId"] == resting["orderId"]]
    states = [(order["status"], order["executedQty"]) for order in listed]
    want(states == [("CANCELED", cancelled["executedQty"])], listed)
    fills = maker.fills(**which)
    want(abs(sum(float(fill["qty"]) for fill in fills) - filled) < 1e-9, (fills, filled))
    want(all(fill["isMaker"] and not fill["isBuyer"] for fill in fills), fills)
    mine = taker.fills(symbol=SYMBOL, orderId=taken["orderId"])
    want(not any(fill["isMaker"] for fill in mine), mine)
    streamed(reports, resting["orderId"], [fill["id"] for fill in fills], cancelled["executedQty"])
    try:
        maker.cancel(**which)
    except maker.error as error:
        want(maker.code(error) == -2011, error)
    else:
        raise AssertionError("a second cancel must fail")


def meet(maker, taker):
    """Sells a tick below the best ask and buys a little at that price; returns the two orders.

    The simulated market goes on in between, so this is tried anew until the two have a trade in common.
    """
    for _ in range(10):
        price = f"{float(maker.book(symbol=SYMBOL, limit=5)['asks'][0][0]) - 0.01:.2f}"
        try:
            resting = maker.place(
                symbol=SYMBOL, side="SELL", type="LIMIT_MAKER", quantity=RESTING, price=price,
                newOrderRespType="RESULT",  # the venue only acknowledges this type otherwise
            )
        except maker.error as error:
            want(maker.code(error) == -2010, error)
            time.sleep(0.1)  # a bid stands there by now
            continue
        want(resting["status"] == "NEW", resting)
        taken = taker.place(symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="IOC", quantity=TAKEN, price=price)
        want(taken["status"] == "FILLED" and taken["executedQty"].startswith(TAKEN), taken)
        bought = taker.fills(symbol=SYMBOL, orderId=taken["orderId"])
        sold = maker.fills(symbol=SYMBOL, orderId=resting["orderId"])
        if {fill["id"] for fill in bought} & {fill["id"] for fill in sold}:
            return resting, taken
        maker.cancel(symbol=SYMBOL, orderId=resting["orderId"])  # somebody else offered for less
    raise AssertionError("our maker and our taker never met")


def streamed(reports, order, trades, filled, seconds=15):
    """The private stream told of the order once and in this order: placed, each of its trades, cancelled."""
    seen, until = [], time.monotonic() + seconds
    while not (seen and seen[-1]["X"] == "CANCELED"):
        try:
            event = reports.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            states = [(event["x"], event["X"]) for event in seen]
            raise AssertionError(f"no streamed end of the order within {seconds} s, only {states}") from None
        if event["e"] == "executionReport" and event["i"] == order:
            seen.append(event)
    states = [(event["x"], event["X"]) for event in seen]
    middle = [("TRADE", "PARTIALLY_FILLED")] * len(trades)
    want(states == [("NEW", "NEW"), *middle, ("CANCELED", "CANCELED")], states)
    want([event["t"] for event in seen[1:-1]] == trades, (seen, trades))
    want(seen[-2]["z"] == seen[-1]["z"] == filled, (seen, filled))


# --- binance-connector


class Heard:
    """What one of the connector's sockets hears: its thread calls back, and the messages wait here."""

    def __init__(self):
        self.messages = queue.Queue()

    def __call__(self, _, text):
        self.messages.put(json.loads(text))

    def next(self, fits, seconds=15):
        """The next message that fits; the ones before it are gone."""
        until = time.monotonic() + seconds
        try:
            while not fits(message := self.messages.get(timeout=max(until - time.monotonic(), 0))):
                pass
        except queue.Empty:
            raise AssertionError(f"the socket said nothing that fits within {seconds} s") from None
        return message


def lost(*_):
    """Takes the end of a socket, which the client raises in its own thread otherwise; who waits for a message tells."""


class Socket:
    """The connector's client of the WebSocket API."""

    def __init__(self, key):
        self.heard, self.key, self.last = Heard(), key, 0
        self.client = SpotWebsocketAPIClient(
            f"ws://127.0.0.1:{PORT}/ws-api/v3", api_key=key[0], api_secret=key[1],
            on_message=self.heard, on_error=lost,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop()

    def ask(self, method, **parameters):
        """Calls one of the client's methods and waits for the answer to it."""
        self.last += 1
        method(**parameters, id=self.last)
        return self.answer()

    def answer(self):
        answer = self.heard.next(lambda message: message.get("id") == self.last)
        want(answer["status"] == 200, answer)
        return answer["result"]

    def subscribe(self):
        """Asks for the private stream.

        The client has names for the listen keys alone, which the venue has retired: this is signed by its own function
        and goes out through its own `send`.
        """
        self.last += 1
        parameters = websocket_api_signature(*self.key, {})
        self.client.send({"id": self.last, "method": "userDataStream.subscribe.signature", "params": parameters})
        want("subscriptionId" in self.answer(), "no subscription")

    def reports(self):
        """What the private stream told so far and will tell, as events."""
        return Events(self.heard.messages)


class Events:
    """The events among the messages of a queue."""

    def __init__(self, messages):
        self.messages = messages

    def get(self, timeout):
        until = time.monotonic() + timeout
        while "event" not in (message := self.messages.get(timeout=max(until - time.monotonic(), 0))):
            pass
        return message["event"]


def connector_orders():
    exchange = Spot(api_key=TAKER[0], api_secret=TAKER[1], base_url=URL)
    want(exchange.ping() == {}, "ping")
    want(len(exchange.account()["balances"]) == 4, "balances")
    price = f"{float(exchange.ticker_price(SYMBOL)['price']) * 0.9:.2f}"
    order = exchange.new_order(symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.001, price=price)
    want(order["status"] == "NEW", order)
    replaced = exchange.cancel_and_replace(
        symbol=SYMBOL, side="BUY", type="LIMIT", cancelReplaceMode="STOP_ON_FAILURE", timeInForce="GTC",
        quantity=0.002, price=price, cancelOrderId=order["orderId"],
    )
    want(replaced["cancelResult"] == replaced["newOrderResult"] == "SUCCESS", replaced)
    want(len(exchange.get_open_orders(SYMBOL)) == 1, "one order is open")
    want(len(exchange.cancel_open_orders(SYMBOL)) == 1, "it is cancelled")
    above, below = f"{float(price) / 0.9 * 1.1:.2f}", price
    listed = exchange.new_oco_order(
        symbol=SYMBOL, side="SELL", quantity=0.001, aboveType="LIMIT_MAKER", abovePrice=above,
        belowType="STOP_LOSS_LIMIT", belowStopPrice=below, belowPrice=below, belowTimeInForce="GTC",
    )
    want(listed["listOrderStatus"] == "EXECUTING" and len(listed["orders"]) == 2, listed)
    ended = exchange.cancel_oco_order(symbol=SYMBOL, orderListId=listed["orderListId"])
    want(ended["listOrderStatus"] == "ALL_DONE", ended)
    want(exchange.get_order_rate_limit()[0]["count"] > 0, "orders are counted")


def connector_partial_fill():
    with Socket(MAKER) as socket:
        socket.subscribe()
        partial_fill(connector(*MAKER), connector(*TAKER), socket.reports())


def connector_socket_orders():
    with Socket(TAKER) as socket:
        client = socket.client
        want(len(socket.ask(client.exchange_info)["symbols"]) == 3, "three symbols")
        book = socket.ask(client.order_book, symbol=SYMBOL, limit=5)
        want(float(book["bids"][0][0]) < float(book["asks"][0][0]), book)
        want(len(socket.ask(client.recent_trades, symbol=SYMBOL, limit=1)) == 1, "a trade")
        want(len(socket.ask(client.klines, symbol=SYMBOL, interval="1h", limit=24)) == 24, "hourly candles")
        price = f"{float(book['bids'][0][0]) * 0.9:.2f}"
        order = socket.ask(
            client.new_order, symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.00100",
            price=price, newOrderRespType="RESULT",
        )
        want(order["status"] == "NEW", order)
        which = {"symbol": SYMBOL, "orderId": order["orderId"]}
        want(socket.ask(client.get_order, **which)["status"] == "NEW", "order.status")
        resting = [other["orderId"] for other in socket.ask(client.get_open_orders, symbol=SYMBOL)]
        want(resting == [order["orderId"]], "openOrders.status")
        want(socket.ask(client.cancel_order, **which)["status"] == "CANCELED", "order.cancel")
        want(socket.ask(client.order_history, symbol=SYMBOL)[-1]["status"] == "CANCELED", "allOrders")
        want(len(socket.ask(client.my_trades, symbol=SYMBOL)) > 0, "the partial fill stands in myTrades")


def connector_streams():
    heard = Heard()
    client = SpotWebsocketStreamClient(f"ws://127.0.0.1:{PORT}", on_message=heard, on_error=lost)
    try:
        client.diff_book_depth(SYMBOL, speed=100)
        first = heard.next(lambda message: message.get("e") == "depthUpdate")
        second = heard.next(lambda message: message.get("e") == "depthUpdate")
        want(second["U"] == first["u"] + 1, "update ids follow one another")
        client.trade(SYMBOL)
        want(float(heard.next(lambda message: message.get("e") == "trade")["p"]) > 0, "a trade")
        client.kline(SYMBOL, "1m")
        want(heard.next(lambda message: message.get("e") == "kline")["k"]["i"] == "1m", "a candle")
    finally:
        client.stop()


# --- python-binance


async def python_binance_streams():
    async with python_binance_client(*TAKER) as exchange:
        sockets = BinanceSocketManager(exchange)
        async with sockets.multiplex_socket(["btcusdt@trade", "ethusdt@bookTicker"]) as stream:
            seen = set()
            while len(seen) < 2:
                seen.add((await asyncio.wait_for(stream.recv(), 15))["stream"])
        async with sockets.depth_socket(SYMBOL) as stream:
            first = await asyncio.wait_for(stream.recv(), 15)
            second = await asyncio.wait_for(stream.recv(), 15)
            want(second["U"] == first["u"] + 1, "update ids follow one another")


@asynccontextmanager
async def python_binance_client(key, secret=None, private_key=None, url=URL):
    """An asynchronous client that is closed at the end."""
    host = url.removeprefix("http://")
    AsyncClient.API_URL = f"{url}/api"
    AsyncClient.WS_API_URL = f"ws://{host}/ws-api/v3"
    BinanceSocketManager.STREAM_URL = f"ws://{host}/"
    client = await AsyncClient.create(key, secret, private_key=private_key)
    client.ws_api.TIMEOUT = 5  # seconds; it closes a silent socket only when so long a wait for a message is over
    try:
        yield client
    finally:
        await client.close_connection()


async def python_binance_partial_fill(maker, taker, **key):
    """The partial fill in a thread, while the user socket of the maker, which `key` opens, is read here."""
    reports = queue.Queue()
    async with python_binance_client(**key) as exchange:
        async with BinanceSocketManager(exchange).user_socket() as stream:
            reader = asyncio.ensure_future(put_reports(stream, reports))
            try:
                await asyncio.to_thread(partial_fill, maker, taker, reports)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)


async def put_reports(stream, reports):
    while True:
        reports.put(await stream.recv())


# --- Ed25519


@contextmanager
def exchange_with(public):
    """Another exchange, which knows the Ed25519 key besides the two others; its address."""
    process = subprocess.Popen([SERVE, "--ed25519", public.hex()], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        want(address, "the exchange did not say where it listens")
        yield address
    finally:
        process.terminate()
        process.wait()


def ed25519():
    """An account whose key only its owner holds: requests and the private stream signed by it, with both SDKs."""
    private = ECC.generate(curve="Ed25519")
    pem = private.export_key(format="PEM")
    stranger = ECC.generate(curve="Ed25519").export_key(format="PEM")
    with exchange_with(private.public_key().export_key(format="raw")) as url:
        key = {"key": SIGNER, "private_key": pem, "url": url}
        maker, taker = python_binance(**key), python_binance(*TAKER, url=url)
        asyncio.run(python_binance_partial_fill(maker, taker, **key))
        want(connector(**key).open_orders(symbol=SYMBOL) == [], "nothing is open")
        for sdk in (python_binance, connector):
            other = sdk(**{**key, "private_key": stranger})
            try:
                other.open_orders(symbol=SYMBOL)
            except other.error as error:
                want(other.code(error) == -1022, error)
            else:
                raise AssertionError("another key signed for this account")


def main():
    logging.disable(logging.CRITICAL)  # both SDKs log the end of every socket that is closed
    run("binance-connector market data", market_data, connector(*TAKER))
    run("binance-connector orders", connector_orders)
    run("binance-connector partial fill and private stream", connector_partial_fill)
    run("binance-connector socket orders", connector_socket_orders)
    run("binance-connector streams", connector_streams)
    maker, taker = python_binance(*MAKER), python_binance(*TAKER)
    run("python-binance market data", market_data, taker)
    key = {"key": MAKER[0], "secret": MAKER[1]}
    run(
        "python-binance partial fill and private stream",
        lambda: asyncio.run(python_binance_partial_fill(maker, taker, **key)),
    )
    run("python-binance streams", lambda: asyncio.run(python_binance_streams()))
    run("SDKs with an Ed25519 key", ed25519)
    finish()


main()
