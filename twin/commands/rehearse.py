"""``twin rehearse``: an operation to listen to."""

from __future__ import annotations

import contextlib
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.live import Live
from rich.text import Text

from twin.clock import format_duration
from twin.commands import Unanswered
from twin.commands.verbs import Call
from twin.network import Network
from twin.rehearse.rehearsal import Rehearsal
from twin.rehearse.truth import Truth, hide, plant, read_truth, write_truth
from twin.rehearse.wire import Wire, WireError
from twin.settings import KEYS, Key, SettingError, describe, duration, read, text, whole, word

if TYPE_CHECKING:
    from twin.commands.show import Screen

_STEP_H = 1.0


def _speed(value: str) -> float:
    if value == "max":
        return math.inf
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not number > 0.0 or math.isinf(number):
        raise ValueError(f"'{value[:40]}' is no speed. Write how many times as fast as the clock, "
                         "such as 3600 (an hour a second), or max.")
    return number


def _spread(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"'{value[:40]}' is not from 0 to 1. Write such as 0.25.")
    return number


REHEARSE_KEYS = {key.name: key for key in (
    KEYS["models"],
    Key("truth", "the hidden truth; written if it is not there yet", "hidden.yaml", text),
    Key("seed", "decides a truth that is written, and the luck of the operation", "1",
        whole(0, 2**63 - 1)),
    Key("spread", "how far hidden parameters lie from the tables (standard deviation of the log)",
        "0.25", _spread),
    Key("faults", "plant faults and a lasting change in a truth that is written: yes or no", "yes",
        word("yes", "no")),
    Key("broker", "where to publish: mqtt://host:port, mqtts://host:port or embedded",
        "embedded", text),
    Key("speed", "how many times as fast as the clock; max waits for nobody", "3600", _speed),
    Key("for", "how long the operation lives after its warm-up", "30d", duration),
    Key("history", "tell the events of the warm-up first: yes or no", "yes", word("yes", "no")),
)}

ABOUT = {
    "rehearse": """\
twin rehearse [key=value ...]

An operation to listen to: plays the model with parameters that the twin is not told, and publishes
what its sensors, scanners and systems say. Faults are planted: readings are lost, doubled, late, in
another unit, or no readings at all; a sensor drifts, one freezes; one lane gets slower for good.
The truth stays in a file, so that what was learned can be scored against it.

  twin rehearse models=harbour                                        with a broker of its own
  twin rehearse models=harbour broker=mqtt://localhost:1883 speed=3600
  twin rehearse models=medicines truth=hidden.yaml seed=7 for=90d speed=max

Listen in another terminal:

  twin listen models=harbour source=mqtt://localhost:1883 clock=stream

Orders come back over the topic orders/MODEL, as JSON: key, site, product, quantity and source; or
as 'twin approve' pushes them, changes of orders and settings of stock included (a connector of
type: topic). Each key is executed once; the answer comes on orders/MODEL/answers. The keys:

""" + describe(REHEARSE_KEYS),
}


@dataclass
class _Tale:
    """What has been going on."""

    sent: int = 0
    orders: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def count(self, sent: list[Any]) -> None:
        self.sent += len(sent)
        self.kinds.update(row.get("kind", "?") if isinstance(row, dict) else "no message"
                          for _, row in sent)


def rehearse_command(call: Call) -> int:
    """Live, publish, take orders."""
    asked = read(call.arguments, REHEARSE_KEYS, "rehearse")
    network = call.workspace.network(asked["models"])
    truth = _truth(asked, network, call.screen)
    rehearsal = Rehearsal(network, truth, settle_h=network.warmup)
    tale = _Tale()
    with _broker(asked["broker"], call.screen) as url, contextlib.closing(
            Wire(url, network.name)) as wire:
        call.screen.note(f"Publishing to {url}, topics twin/{network.name}/#. Stop with Ctrl-C.")
        with contextlib.suppress(KeyboardInterrupt):
            _live(rehearsal, wire, asked, tale, call.screen)
    _tell(rehearsal, asked, tale, call.screen)
    return 0


def _truth(asked: dict[str, Any], network: Network, screen: Screen) -> Truth:
    path = Path(asked["truth"]).expanduser()
    if path.exists():
        truth = read_truth(path)
        if truth.model != network.name:
            raise SettingError(f"truth '{path}' is of the model {truth.model}, not "
                               f"{network.name}. Name another file.")
        return truth
    truth = hide(network, asked["seed"], asked["spread"])
    if asked["faults"] == "yes":
        truth = plant(truth, network, Rehearsal(network, truth).sensors)
    try:
        write_truth(truth, path)
    except OSError as error:
        raise SettingError(f"truth '{path}' cannot be written: {error.strerror}.") from None
    screen.note(f"A new truth is in {path}: {len(truth.cells)} hidden parameters, "
                f"{len(truth.faults)} faults, {len(truth.change.events)} lasting changes. "
                "Do not look before you have guessed.")
    return truth


@contextlib.contextmanager
def _broker(asked: str, screen: Screen) -> Iterator[str]:
    """The address of a broker, one of our own if asked for."""
    if asked != "embedded":
        yield asked
        return
    from twin.sense.broker import embedded_broker

    with embedded_broker() as url:
        yield url


def _live(rehearsal: Rehearsal, wire: Wire, asked: dict[str, Any], tale: _Tale,
          screen: Screen) -> None:
    first = rehearsal.settle_h
    end = first + asked["for"]
    while rehearsal.now < first:  # what happened before was told day by day, as it happened
        with screen.working(f"The operation warms up: {_clock(rehearsal):%Y-%m-%d}"):
            told = rehearsal.step(min(first, rehearsal.now + 24.0))
            if asked["history"] == "yes":
                wire.send(told, rehearsal.times, rehearsal.clock)
                tale.count(told)
    began = time.monotonic()
    with Live(console=screen.err, refresh_per_second=4, transient=True) \
            if screen.err.is_terminal and not screen.quiet else contextlib.nullcontext() as live:
        while rehearsal.now < end:
            try:
                tale.orders += wire.take(rehearsal.execute)
                sent = rehearsal.step(min(end, rehearsal.now + _STEP_H))
                wire.send(sent, rehearsal.times, rehearsal.clock)
            except WireError as error:
                raise Unanswered(str(error)) from None
            tale.count(sent)
            if live is not None:
                live.update(_line(rehearsal, end, tale, time.monotonic() - began))
            due = began + 3600.0 * (rehearsal.now - first) / asked["speed"]
            time.sleep(max(0.0, due - time.monotonic()))


def _line(rehearsal: Rehearsal, end: float, tale: _Tale, seconds: float) -> Text:
    rate = tale.sent / seconds if seconds > 0.0 else 0.0
    left = format_duration(round(end - rehearsal.now))
    return Text(f"{_clock(rehearsal):%Y-%m-%d %H:%M}  {left} left  {tale.sent:,} messages "
                f"({rate:,.0f}/s)  {tale.orders} orders taken")


def _clock(rehearsal: Rehearsal) -> datetime:
    return datetime.fromtimestamp(rehearsal.clock, UTC)


def _tell(rehearsal: Rehearsal, asked: dict[str, Any], tale: _Tale, screen: Screen) -> None:
    if screen.as_json:
        screen.print_json({"model": rehearsal.network.name, "truth": asked["truth"],
                           "now": _clock(rehearsal).isoformat(), "messages": tale.sent,
                           "orders": tale.orders, "kinds": dict(tale.kinds)})
        return
    screen.say(f"{rehearsal.network.name} lived until {_clock(rehearsal):%Y-%m-%d %H:%M} UTC: "
               f"{tale.sent:,} messages, {tale.orders} orders taken.")
    for kind, count in tale.kinds.most_common():
        screen.say(f"  {kind:<16}{count:>10,}")
    screen.say(f"The truth is in {asked['truth']}.")


