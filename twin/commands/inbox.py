"""``twin inbox``, ``show``, ``approve``, ``reject``, ``undo`` and ``push``: people and advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.table import Table
from rich.text import Text

from twin.clock import format_duration
from twin.commands.effects import format_moment, in_words
from twin.commands.recommend import document
from twin.commands.retrial import again
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.operate.desk import Case, Desk
from twin.operate.inbox import DecisionError, Filed, Standing
from twin.recommendation import Effect, Recommendation
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, read, text, word

_SAID = ("by", "reason")
_MODEL = {"models": RUN_KEYS["models"]}
INBOX_KEYS = _MODEL | {key.name: key for key in (
    Key("status", "open, all, or one of " + ", ".join(s.value for s in Standing if s.value
                                                      != "open"), "open",
        word("open", "all", *(s.value for s in Standing))),)}
_BY = {"by": Key("by", "who decides", "", text)}
_REASON = {"reason": Key("reason", "why not; the twin keeps it", "", text)}
PUSH_KEYS = _MODEL | {"retry": Key("retry", "a dead message that is tried again, by its key", "",
                                   text), **_BY}
_AGAIN = {"again": Key("again", "play it again from what it stood on: yes or no", "no",
                        word("yes", "no"))}
_DECIDING = {"approve": _MODEL | _BY, "reject": _MODEL | _BY | _REASON, "undo": _MODEL | _BY,
             "show": _MODEL | _AGAIN}

ABOUT = {"inbox": """\
twin inbox [key=value ...]

What the twin advises and what has become of it. Advice keeps its number while it stands; new advice
supersedes it by name, and what is no longer advised is withdrawn.

  twin inbox models=harbour
  twin inbox models=harbour status=approved

""" + describe(INBOX_KEYS), "show": """\
twin show NAME [key=value ...]

One recommendation: what to do, what it saves against doing nothing, why, what it is held to, who
has decided what, and where its messages are.

  twin show R-17 models=harbour
  twin show R-17 models=harbour again=yes         plays it again: the same to the last digit

""" + describe(_DECIDING["show"]), "approve": """\
twin approve NAME [key=value ...] --by NAME

Decide to do it. Decision and messages are written in one transaction, then pushed; what cannot be
reached is tried again by twin push and twin watch, and takes effect once. On the rung advise the
decision is written down and nothing is pushed. Guard rails are kept, whoever approves.

  twin approve R-17 models=harbour --by ann

""" + describe(_DECIDING["approve"]), "reject": """\
twin reject NAME [key=value ...] --reason TEXT [--by NAME]

Decide not to do it. The same advice is not given again before it would have expired.

  twin reject R-17 models=harbour --reason "The truck is at the garage." --by ann

""" + describe(_DECIDING["reject"]), "undo": """\
twin undo NAME [key=value ...] --by NAME

Take an approved one back. Messages that wait are dropped; to what was sent a message follows that
undoes it, which the receiver may refuse if it has been executed.

  twin undo R-17 models=harbour --by ann

""" + describe(_DECIDING["undo"]), "push": """\
twin push [key=value ...]

Send what waits and is due. A message that was given up is tried again with retry=KEY.

  twin push models=harbour
  twin push models=harbour retry=harbour/R-17/1 --by ann

""" + describe(PUSH_KEYS)}


def inbox_command(call: Call) -> int:
    """List."""
    asked = read(call.arguments, INBOX_KEYS, "inbox")
    wanted = {"open": [Standing.OPEN], "all": list(Standing)}.get(
        asked["status"], [Standing(asked["status"])] if asked["status"] != "all" else [])
    with Desk.open(call.workspace, asked["models"]) as desk:
        found = desk.inbox(*wanted)
        rungs = desk.rungs()
    if call.screen.as_json:
        call.screen.print_json({"model": asked["models"],
                                "recommendations": [document(one) for one in found],
                                "rungs": {kind: {"rung": rung.value, "why": why}
                                          for kind, (rung, why) in rungs.items()}})
        return 0
    currency = call.workspace.network(asked["models"]).currency
    if found:
        call.screen.out.print(_table(found, currency))
    else:
        call.screen.say(f"Nothing is {asked['status'] if asked['status'] != 'all' else 'there'} "
                        f"for {asked['models']}. Ask for advice with 'twin recommend "
                        f"models={asked['models']}'.")
    for kind, (rung, why) in rungs.items():
        call.screen.say(f"{kind}: {rung.value} ({why.removesuffix('.')})")
    return 0


def show_command(call: Call) -> int:
    """One of them."""
    return _one(call, "show", lambda desk, name, said: desk.show(name))


def approve_command(call: Call) -> int:
    """Do it."""
    return _one(call, "approve", lambda desk, name, said: desk.approve(name, said["by"]))


def reject_command(call: Call) -> int:
    """Do not."""
    return _one(call, "reject",
                lambda desk, name, said: desk.reject(name, said["by"], said["reason"]))


def undo_command(call: Call) -> int:
    """Take it back."""
    return _one(call, "undo", lambda desk, name, said: desk.undo(name, said["by"]))


def push_command(call: Call) -> int:
    """Send what waits."""
    said, rest = _apart(call)
    asked = read(rest, {name: key for name, key in PUSH_KEYS.items() if name != "by"}, "push")
    with Desk.open(call.workspace, asked["models"]) as desk:
        if asked["retry"]:
            if not said["by"]:
                raise DecisionError("a retry needs a name. Write --by NAME.")
            if not desk.retry(asked["retry"], said["by"]):
                raise DecisionError(f"no message '{asked['retry'][:80]}' was given up. See twin "
                                    "show for the keys.")
        done = desk.push()
    if call.screen.as_json:
        call.screen.print_json(done)
    else:
        call.screen.say(f"Sent {done['sent']}, put off {done['pending']}, given up {done['dead']}.")
    return 0


def _one(call: Call, verb: str, act: Callable[[Desk, str, dict[str, str]], Case]) -> int:
    """Do something with the recommendation that is named, and show it."""
    said, rest = _apart(call)
    names = [argument for argument in rest if "=" not in argument]
    keys = _MODEL | (_AGAIN if verb == "show" else {})
    asked = read([argument for argument in rest if "=" in argument], keys, verb)
    if len(names) != 1:
        raise SettingError(f"twin {verb} takes one name, not {len(names)}. Write twin {verb} R-17 "
                           f"models={asked['models']}.")
    for name, value in said.items():
        if value and name not in _DECIDING[verb]:
            raise SettingError(f"twin {verb} has no setting '{name}'. "
                               f"{options(name, _DECIDING[verb])}")
    with Desk.open(call.workspace, asked["models"]) as desk:
        case = act(desk, names[0], said)
    replayed = _replay(call, case, asked["models"]) if asked.get("again") == "yes" else None
    if call.screen.as_json:
        call.screen.print_json(case.document() | ({"again": replayed} if replayed else {}))
    elif verb == "show":
        show(case, desk, call.workspace.network(asked["models"]).currency, call.screen)
    else:
        _tell(case, call.screen)
    if replayed and not call.screen.as_json:
        same = "the same" if replayed["same"] else f"not the same as {replayed['said']:,.6g}"
        call.screen.say(f"Played again: {replayed['mean']:,.6g} "
                        f"{case.filed.advice.effects[0].unit} against doing nothing, {same}.")
    return 0


def _replay(call: Call, case: Case, model: str) -> dict[str, Any]:
    """What the money comes to when it is played again."""
    workspace = call.workspace
    with call.screen.working("Playing again"):
        said, mean = again(case.filed.advice, workspace.store(model).folder,
                           workspace.network(model), workspace.calibration, None)
    return {"said": said, "mean": mean, "same": abs(said - mean) <= 1e-9 * max(1.0, abs(said))}


def _apart(call: Call) -> tuple[dict[str, str], list[str]]:
    """Free text, which may hold commas and brackets, and the other arguments."""
    said = dict.fromkeys(_SAID, "")
    rest = []
    for argument in call.arguments:
        key, equals, value = argument.partition("=")
        if equals and key in said:
            said[key] = value.strip()
        else:
            rest.append(argument)
    return said, rest


# ---- what a person sees ----


def _table(found: list[Filed], currency: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("name", "status", "kind", "what", f"saves, {currency}", "P(better)", "until"):
        table.add_column(heading, justify="right" if heading[:2] in ("sa", "P(") else "left",
                         overflow="fold", no_wrap=heading != "what")
    for filed in found:
        advice = filed.advice
        money, chance = "", ""
        if advice.effects:
            effect, days = advice.effects[0], advice.horizon_h / 24.0
            money = (f"{-effect.mean * days:,.0f} ({-effect.high * days:,.0f} to "
                     f"{-effect.low * days:,.0f})")
            chance = f"{100 * effect.chance:.0f} %"
        table.add_row(filed.name, filed.status.value, advice.kind, Text(advice.title), money,
                      chance, format_moment(filed.expires))
    return table


def show(case: Case, desk: Desk, currency: str, screen: Screen) -> None:
    """Everything about one recommendation."""
    filed, advice = case.filed, case.filed.advice
    days = advice.horizon_h / 24.0
    screen.say(f"{filed.name}  {advice.kind}, {filed.status.value}, made "
               f"{format_moment(filed.made)}, holds until {format_moment(filed.expires)}")
    screen.say("Do:")
    for action in advice.actions[:20]:
        when = desk.start.timestamp() + 3600.0 * action.when_h
        today = f" (today {action.detail['today']})" if "today" in action.detail else ""
        verb = "moves" if action.verb == "set" else "worth"
        worth = f", {verb} {action.value:,.0f} {currency}" if action.value else ""
        screen.say(f"  {_instant(when)}  {action.sentence()}{today}{worth}")
    if len(advice.actions) > 20:
        screen.say(f"  ... and {len(advice.actions) - 20} more")
    screen.say(f"Against {advice.against}, over {format_duration(advice.horizon_h)}, "
               f"{advice.replications} pairs of replications on the same luck:")
    for effect in advice.effects:
        if not effect.kpi.startswith("heard_"):
            screen.say("  " + (in_words(effect, currency, days)
                               or f"{_name(effect)}: nothing changes"))
    held = [effect for effect in advice.effects if effect.kpi.startswith("heard_")]
    if held:
        screen.say("Held to, as events will tell (80 % band):")
        for effect in held:
            screen.say(f"  {_name(effect)} {_band(effect, currency)}")
    for reason in advice.reasons:
        screen.say(f"Why: {reason}")
    screen.say(f"On the rung {case.rung.value}: {case.why.removesuffix('.')}.")
    _tell_decisions(case, screen)
    screen.note(reproduces(advice))


def _tell(case: Case, screen: Screen) -> None:
    """What has become of one recommendation."""
    screen.say(f"{case.filed.name} is {case.filed.status.value}: {case.filed.advice.title}")
    if case.filed.status is Standing.APPROVED and not case.messages:
        screen.say(f"Nothing is pushed: {case.filed.advice.kind} is on the rung {case.rung.value}. "
                   "Do it in your own systems.")
    _tell_decisions(case, screen)


def _tell_decisions(case: Case, screen: Screen) -> None:
    for one in case.decisions:
        reason = f": {one['reason']}" if one["reason"] else ""
        who = one["name"] or "the twin itself"
        screen.say(f"{str(one['verb']).capitalize()} by {who} at {format_moment(str(one['at']))}"
                   f"{reason}")
    for one in case.messages:
        answer = f" ({one['answer']})" if one["answer"] else ""
        screen.say(f"Message {one['key']} to {one['connector']}: {one['status']}{answer}")


def reproduces(advice: Recommendation) -> str:
    """The seed and the fingerprints that give the same numbers again."""
    marks = ", ".join(f"{name} {mark[:8]}" for name, mark in advice.digests.items()
                      if name != "search" and mark)
    return f"Reproduced by seed {advice.seed} ({marks})."


def _name(effect: Effect) -> str:
    return {"otif": "OTIF", "heard_otif": "OTIF", "heard_cost": "cost",
            "running_cost": "running cost"}.get(effect.kpi, effect.kpi)


def _band(effect: Effect, currency: str) -> str:
    low, high = effect.band
    if effect.unit.endswith("/d"):
        return f"{effect.expected:,.0f} {currency} a day ({low:,.0f} to {high:,.0f})"
    return f"{100 * effect.expected:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _instant(time: float) -> str:
    from twin.readings import format_instant

    return format_moment(format_instant(time))

