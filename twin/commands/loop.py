"""``twin loop``: the closed loop, shown once or counted over many hidden truths."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twin.commands import Unanswered
from twin.commands.calibrate import streams_of
from twin.commands.verbs import Call
from twin.rehearse.channel import OverBroker
from twin.rehearse.loop import Looped, Terms, close_loop
from twin.rehearse.loop_study import Pair, run_pair, summary
from twin.rehearse.truth import hide
from twin.rehearse.wire import WireError
from twin.sense.source import SourceError
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, duration, maybe, read, text, whole

_LOCAL = "mqtt://localhost:1883"


def _share(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"'{value[:40]}' is not from 0 to 1. Write such as 0.5.")
    return number


KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("seed", "of the first hidden truth, and its luck", "1", whole(0, 2**63 - 1)),
    Key("truths", "1 shows one pair over a broker; more are counted, in process", "1",
        whole(1, 10_000)),
    Key("spread", "how far hidden parameters lie from the tables (standard deviation of the log)",
        "0.25", _share),
    Key("broker", f"an address, embedded, or auto: TWIN_TEST_MQTT, else {_LOCAL} if somebody "
        "answers there, else embedded", "auto", text),
    Key("for", "how long the twin listens and advises after the warm-up", "84d", duration),
    Key("after", "how long both live on, unheard and unadvised: what was only put off comes due",
        "252d", duration),
    Key("every", "time between two rounds of advice", "42d", duration),
    Key("horizon", "over which plans are judged; blank: as the gate does, longer than lead times",
        "", maybe(duration)),
    Key("replications", "of a verdict, at most", "40", whole(8, 10_000)),
    Key("budget", "replications of the search for policies", "12", whole(1, 10_000)),
    Key("approve", "share of the advice that is approved, by a coin; the rest is ignored", "1",
        _share),
    Key("workers", "processes; blank is one a core", "", maybe(whole(1, 10_000))),
)}

ABOUT = {"loop": """\
twin loop [key=value ...]

The loop, closed: an operation with hidden parameters streams its telemetry over a broker on a
lockstep clock. The twin hears it, calibrates, recommends; what passes the gate is approved and
pushed, and the operation executes it. Beside it the same operation lives without a twin, on the
same luck. One pair is an example; truths=20 counts the paired gain over twenty hidden truths,
with its interval, and scores P(better) and the estimates for advice that was ignored.

  twin loop models=medicines
  twin loop models=harbour for=28d every=14d horizon=14d
  twin loop models=medicines truths=20 workers=2

The keys:

""" + describe(KEYS)}


def loop_command(call: Call) -> int:
    """One pair, or many."""
    asked = read(call.arguments, KEYS, "loop")
    network = call.workspace.network(asked["models"])
    for name in ("for", "every", "horizon"):
        if asked[name] is not None and not asked[name] > 0.0:
            raise SettingError(f"{name} is no time at all. Write a time such as 42d.")
    many = asked["truths"] > 1
    terms = Terms(asked["for"] / 24.0, asked["every"] / 24.0, asked["after"] / 24.0,
                  (asked["horizon"] or 0.0) / 24.0,
                  replications=asked["replications"], budget=asked["budget"],
                  approve=asked["approve"],
                  branches=4 if many else 0, sample=0.0 if many else 24.0,
                  workers=1 if many else asked["workers"])
    if many:
        return _count(call, asked, terms)
    with _broker(asked["broker"]) as url, tempfile.TemporaryDirectory() as folder:
        call.screen.note(f"{network.name} lives {terms.days:g} days with a twin and without, and "
                         f"{terms.after:g} more, seed {asked['seed']}; telemetry and orders over "
                         f"{url}.")
        try:
            found = close_loop(
                network, hide(network, asked["seed"], asked["spread"]), terms,
                lambda rehearsal, store, _: OverBroker(rehearsal, store, url), Path(folder),
                call.screen.note, streams_of(call.workspace))
        except (WireError, SourceError) as error:
            raise Unanswered(str(error)) from None
    _show(call, found)
    return 0


def _show(call: Call, found: Looped) -> None:
    """The example: figures, and the picture."""
    from twin.measure.loop_chart import loop_picture

    call.output.mkdir(parents=True, exist_ok=True)
    path = call.output / f"{found.model}-loop.png"
    loop_picture([(one.day, one.cost, one.otif) for one in found.taken],
                 [(one.day, one.cost, one.otif) for one in found.plain],
                 [one.day for one in found.rounds if one.done],
                 model=found.model, currency=found.currency).savefig(path, dpi=120)
    if call.screen.as_json:
        call.screen.print_json({**_document(found), "picture": path.as_posix()})
        return
    days = found.plain[-1].day
    call.screen.say(f"An example, one hidden truth of {found.model} (seed {found.seed}), "
                    f"{days:g} days:")
    for label, points, otif in (("with the twin", found.taken, found.otif[0]),
                                ("without", found.plain, found.otif[1])):
        call.screen.say(f"  {label:<14} {points[-1].cost / days:>14,.0f} {found.currency}/d "
                        f"running cost, {otif:7.1%} on time in full")
    word = "less" if found.gain >= 0.0 else "more"
    call.screen.say(f"  {abs(found.gain):,.0f} {found.currency} a day {word} with the twin, "
                    f"{abs(found.share):.1%} of what it cost without. One pair proves nothing: "
                    "count with truths=20.")
    for text_ in found.refused[:5]:
        call.screen.say(f"  the operation refused: {text_}")
    call.screen.say(f"Cost and service over time: {path.as_posix()}")


def _count(call: Call, asked: dict[str, Any], terms: Terms) -> int:
    """Many truths, in process."""
    from twin.simulate.replications import replicate

    pairs = [Pair(call.folder, asked["models"], asked["seed"] + number, asked["spread"], terms)
             for number in range(asked["truths"])]
    found: list[Looped] = []
    call.output.mkdir(parents=True, exist_ok=True)
    path = call.output / f"{asked['models']}-loop-study.json"
    batch = 2 * (asked["workers"] or os.cpu_count() or 1)
    for first in range(0, len(pairs), batch):
        for one in replicate(run_pair, pairs[first:first + batch], workers=asked["workers"]):
            found.append(one)
            call.screen.note(f"{len(found)} of {len(pairs)}: seed {one.seed}, saved "
                             f"{one.gain:+,.0f} {one.currency}/d ({one.share:+.1%})")
        # What is done stays, should the rest be stopped.
        path.write_text(json.dumps([_document(one) for one in found], indent=1) + "\n",
                        encoding="utf-8")
    if call.screen.as_json:
        call.screen.print_json([_document(one) for one in found])
    else:
        summary(found, call.screen.say)
        call.screen.say(f"Each pair and each piece of advice: {path.as_posix()}")
    return 0


def _document(found: Looped) -> dict[str, Any]:
    return {**asdict(found), "gain_per_day": found.gain, "gain_share": found.share}


@contextmanager
def _broker(asked: str) -> Iterator[str]:
    """The address of a broker: as asked, one that is there, or one of our own."""
    from twin.sense.broker import embedded_broker

    if asked == "auto":
        asked = os.environ.get("TWIN_TEST_MQTT") or (_LOCAL if _answers(_LOCAL) else "embedded")
    if asked != "embedded":
        yield asked if "://" in asked else f"mqtt://{asked}"
        return
    with embedded_broker() as url:
        yield url


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 1883), timeout=0.5):
            return True
    except OSError:
        return False
