"""``twin recommend`` and ``twin watch``: rounds from the live state to the inbox."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twin.clock import format_duration
from twin.commands.effects import against, format_moment, in_words
from twin.commands.optimize_stocking import count, state_of
from twin.commands.planning import seconds
from twin.commands.proposals import KINDS
from twin.commands.rounds import Round, play_round
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.operate.desk import Desk
from twin.operate.gate import Verdict
from twin.operate.inbox import DecisionError, Filed
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, duration, options, parse, read, text, word
from twin.state import State


def _every(value: str) -> float:
    """Hours from a duration; here ``15m`` means minutes, since nobody looks every few months."""
    return duration(re.sub(r"(?<=\d)m$", "min", value))


_ROUND = (
    Key("models", "which model", "medicines", text),
    Key("calibration", "which learned values go into its cells; blank: the newest learned of the "
        "model, else nominal", "", text),
    Key("from", "a state document; blank: what was heard, else the state after the model's own "
        "warm-up", "", text),
    Key("kinds", f"of proposals, separated by commas: {', '.join(KINDS)}", "all", text),
    Key("limit", "seconds of the clock at most for a schedule or routes; they stop on work", "10s",
        seconds),
    Key("budget", "replications of the search for policies", "40", count),
    RUN_KEYS["seed"], RUN_KEYS["simulate.workers"],
)
RECOMMEND_KEYS = {key.name: key for key in _ROUND}
WATCH_KEYS = RECOMMEND_KEYS | {key.name: key for key in (
    Key("every", "time between the starts of two rounds", "15m", _every),
    Key("once", "one round, for cron or a timer: yes or no", "no",
        word("yes", "no", "true", "false")),
)}

ABOUT = {"recommend": """\
twin recommend [key=value ...]

From the present state: what to order, move, service or set, each plan played against doing nothing
on the same luck, with what the calibration does not know. What is shown to be better is put into
the inbox, ranked by what it saves; for the rest it says: no effect shown. How hard a plan has to
prove itself, how long advice holds and what a change is worth stand under operate: gate: in
models/NAME.yaml.

  twin recommend models=harbour
  twin recommend models=medicines kinds=policies,orders
  twin recommend models=harbour from=outputs/harbour-state/state.json --json

""" + describe(RECOMMEND_KEYS), "watch": """\
twin watch [key=value ...]

Recommends again and again: each round looks at the state, judges what stands and what is new,
pushes what waits, and reviews what is automatic. A round that fails says why, and the next one
comes in its time. Ctrl-C or SIGTERM ends it after the step that it is in.

  twin watch models=harbour every=15m
  twin watch models=harbour once=true                          from cron or a systemd timer

""" + describe(WATCH_KEYS)}


def recommend_command(call: Call) -> int:
    """One round."""
    asked = _read(call, RECOMMEND_KEYS, "recommend")
    with Desk.open(call.workspace, asked["models"]) as desk:
        show(one_round(call, desk, asked), call.workspace.network(asked["models"]).currency,
             call.screen)
    return 0


def watch_command(call: Call) -> int:
    """Rounds until somebody stops it; the exit code of a single round says whether it failed."""
    asked = _read(call, WATCH_KEYS, "watch")
    once, failed = asked["once"] in ("yes", "true"), 0
    currency = call.workspace.network(asked["models"]).currency
    if not asked["every"] > 0.0:
        raise SettingError("every is no time at all. Write a time such as 15min.")
    with Desk.open(call.workspace, asked["models"]) as desk, _stop() as stopped:
        while not stopped.is_set():
            began = time.monotonic()
            try:
                show(one_round(call, desk, asked), currency, call.screen)
                _tend(call, desk)
                failed = 0
            except KeyboardInterrupt:
                break
            except Exception as error:  # whatever goes wrong in a round must not end the watch
                failed = 1
                call.screen.note(f"This round failed: {type(error).__name__}: "
                                 f"{' '.join(str(error).split())[:500]}")
            if once:
                return failed
            left = asked["every"] * 3600.0 - (time.monotonic() - began)
            call.screen.note(f"Next round in {format_duration(round(max(0.0, left)) / 3600.0)}.")
            stopped.wait(max(0.0, left))
    call.screen.note("Stopped.")
    return 0


def _tend(call: Call, desk: Desk) -> None:
    """Push what waits, and hold what is over to its promise."""
    from twin.commands.outcomes import happened

    try:
        done = desk.push()
    except DecisionError as error:  # the kill switch
        call.screen.note(str(error))
        done = {}
    if any(done.values()):
        call.screen.say(f"Pushed {done['sent']}, put off {done['pending']}, given up "
                        f"{done['dead']}.")
    new = desk.settle(happened(call.workspace.store(desk.model),
                               call.workspace.network(desk.model)))
    if new:
        call.screen.say(f"{len({one.name for one in new})} outcomes are known now. See twin "
                        f"outcomes models={desk.model}.")


@contextmanager
def _stop() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second SIGINT interrupts."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, _frame: object) -> None:
        if stopped.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- one round ----


def _read(call: Call, keys: dict[str, Key], verb: str) -> dict[str, Any]:
    """The settings, and the kinds that are asked for."""
    kinds = [said for said in call.arguments if said.strip().startswith("kinds=")]
    asked = read([said for said in call.arguments if said not in kinds], keys, verb)
    wanted = parse(kinds).get("kinds", ("all",))
    for kind in wanted:
        if kind not in (*KINDS, "all"):
            raise SettingError(f"kinds: '{kind[:40]}' is unknown. {options(kind, KINDS)}")
    asked["kinds"] = list(KINDS) if "all" in wanted else [k for k in KINDS if k in wanted]
    return asked


def one_round(call: Call, desk: Desk, asked: dict[str, Any]) -> Round:
    """State, proposals, gate, inbox."""
    workspace, screen = call.workspace, call.screen
    model = workspace.network(asked["models"])
    learned = workspace.calibration(asked["calibration"] or newest(call, asked["models"]))
    with screen.working("Looking at the state"):
        state = present(call, asked["models"], asked["from"], learned.apply(model), asked["seed"])
    with screen.progress(f"{asked['models']}: pairs") as progress:
        return play_round(desk, model, learned, state, seed=asked["seed"], kinds=asked["kinds"],
                          seconds=asked["limit"], budget=asked["budget"],
                          workers=asked["simulate.workers"], told=progress, told_note=screen.note)


def newest(call: Call, model: str) -> str:
    """The newest calibration that was learned for a model; nominal if there is none."""
    from twin.calibrate.snapshot import last_snapshot

    roots = (call.workspace.home, *call.workspace.roots)
    found = last_snapshot([root / "calibration" for root in roots], model)
    return found.name if found is not None else "nominal"


def present(call: Call, model: str, source: str, network: Any, seed: int) -> State:
    """The state now: as given, as heard, or after the model's own warm-up."""
    from twin.commands.state import fresh_state, sensed

    store = call.workspace.store(model)
    if not source and (heard := store.watermark()) is not None:
        return sensed(store, network, heard + 1e-3)[1]
    return state_of(source, network, seed) or fresh_state(network)


# ---- what a person sees ----


def show(found: Round, currency: str, screen: Screen) -> None:
    """What is advised and what it saves, then what showed no effect."""
    if screen.as_json:
        screen.print_json({
            "model": found.model, "at": found.at, "made_h": found.made_h,
            "recommendations": [document(filed) for filed in found.filed],
            "judged": {name: _judged(verdict) for name, verdict in found.verdicts.items()},
            "together": None if found.joint is None else _judged(found.joint),
            "in_hand": list(found.in_hand), "notes": list(found.notes)})
        return
    terms = found.terms
    count = len(found.verdicts)
    screen.say(f"{found.model} at {format_moment(found.at)}: {count} plan"
               f"{'' if count == 1 else 's'} played against doing nothing over "
               f"{format_duration(terms.horizon)}, on the same luck.")
    for filed in found.filed:
        screen.say(f"{filed.name:<6} {filed.advice.kind}: {filed.advice.title}")
        days = terms.horizon / 24.0
        for effect in filed.advice.effects[:2]:
            said = in_words(effect, currency, days)
            if said:
                screen.say(f"       {said}")
        screen.say(f"       {filed.status.value}, until {format_moment(filed.expires)}")
    if found.joint is not None:
        screen.say("       All of them together: "
                   + in_words(found.joint.effects[0], currency, terms.horizon / 24.0))
    advised = {filed.advice.digests.get("plan") for filed in found.filed}
    left = [name for name, verdict in found.verdicts.items() if not verdict.passes]
    for name in left:
        verdict = found.verdicts[name]
        why = against(verdict, currency, terms.horizon / 24.0)
        screen.say(f"Not advised: {name}: {why} ({verdict.pairs} pairs)")
    for line in found.in_hand:
        screen.say(f"In hand: {line}")
    for line in found.notes:
        screen.note(line)
    if not found.filed:
        screen.say("Nothing is advised: no plan was shown to be better than doing nothing."
                   if found.verdicts else "Nothing is advised: nothing was proposed.")
    elif advised:
        screen.note(f"Look closer with 'twin show {found.filed[0].name} models={found.model}', "
                    f"decide with 'twin approve {found.filed[0].name} models={found.model} --by "
                    "NAME'.")


def document(filed: Filed) -> dict[str, Any]:
    """A recommendation in the inbox as plain values, without the plan behind it."""
    advice = {name: value for name, value in filed.advice.document().items() if name != "plan"}
    return {"name": filed.name, "status": filed.status.value, "title": filed.advice.title,
            "made": filed.made, "expires": filed.expires, "recommendation": advice}


def _judged(verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    return {"passes": verdict.passes, "pairs": verdict.pairs, "stopped": verdict.stopped,
            "effects": [asdict(effect) for effect in verdict.effects]}
