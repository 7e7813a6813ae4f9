"""``twin alerts``: what somebody should look at, worst first, and the word that somebody has."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from twin.alert import Alert, worst_first
from twin.clock import parse_moment
from twin.commands.logged import tell_first
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.lock import Lock
from twin.network import Network
from twin.readings import format_instant
from twin.sense.alerts import AlertBook
from twin.sense.catch_up import catch_up
from twin.sense.rules import read_rules
from twin.sense.watch import Watch
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, options, read, text, word
from twin.simulate.draws import left
from twin.store import Store
from twin.workspace import Workspace

_ACTIONS = ("list", "acknowledge")
_COLOURS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_SAID = ("by", "comment")


def _moment(value: str) -> float:
    return math.inf if value == "now" else parse_moment(value).timestamp()


KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("at", "the alerts as they stood then: now, or a date and time", "now", _moment),
    Key("all", "those that are over and acknowledged as well: yes or no", "no", word("yes", "no")),
    Key("clock", "what an acknowledgement is dated by: the last reading (store) or now (wall)",
        "wall", word("store", "wall")),
    Key("by", "who acknowledges", "", text),
    Key("comment", "what they say", "", text),
)}

ABOUT = {"alerts": """\
twin alerts [list | acknowledge ID ...] [key=value ...] [--by NAME] [--comment TEXT]

What somebody should look at: places and lots out of their range, low shelves and full stores,
machines that are down or behave strangely, silent or bad sensors, vehicles off route or stopped,
orders that will come late. A condition is raised once, however long it lasts; an excursion that
becomes a breach is escalated. Everything that happens to an alert is a line in
store/<model>/alerts.jsonl.

  twin alerts models=harbour
  twin alerts models=harbour at=2026-05-12T06:00Z       as they stood then
  twin alerts acknowledge A-3f91c07b models=harbour --by ann --comment "Door left open; closed."

Limits come from the model (ranges, reorder points, safety stocks, capacities, repair times,
intervals of sensors, promises). alerts/<model>.yaml in the workspace changes them:

  rules:
    - kind: temperature
      where: south_dc:*
      high: 7
      after: 30min        # beyond it for so long is a breach
      of: [3, 5]          # three of five readings, before it is believed
    - kind: stock
      where: north_dc/*
      ignore: yes

The keys:

""" + describe(KEYS)}


def alerts_command(call: Call) -> int:
    """List alerts, or acknowledge some."""
    names = [word for word in call.arguments if "=" not in word]
    settings = read([word for word in call.arguments if word.partition("=")[0] not in _SAID
                     and "=" in word], KEYS, "alerts")
    # Free text may hold commas and brackets, which settings take apart.
    said = {key: value for key, equals, value in (word.partition("=") for word in call.arguments)
            if equals and key in _SAID}
    action, ids = (names[0], names[1:]) if names else ("list", [])
    if action not in _ACTIONS:
        raise SettingError(f"twin alerts cannot '{action[:60]}'. {options(action, _ACTIONS)}")
    if (action == "list") == bool(ids):
        raise SettingError(f"twin alerts {action} takes {'no ID' if ids else 'an ID'}. See twin "
                           "alerts --help.")
    workspace, model = call.workspace, settings["models"]
    network, store = workspace.network(model), workspace.store(model)
    with call.screen.working("Catching up"):
        book = book_of(workspace, network, store)
    if action == "acknowledge":
        now = time.time() if settings["clock"] == "wall" else store.watermark() or time.time()
        for name in [book.find(name).id for name in ids] if said.get("by", "").strip() else ():
            tell_first(call, model, "acknowledge", name, None, said["by"])
        return _acknowledge(store, book, ids, said.get("by", ""), said.get("comment", ""), now,
                            call.screen)
    found = book.all(settings["at"]).values()
    shown = worst_first(alert for alert in found if alert.open or settings["all"] == "yes")
    _show(shown, model, network.currency, call.screen)
    return 0


def book_of(workspace: Workspace, network: Network, store: Store) -> AlertBook:
    """The book of alerts of a model, up to date with what its store has heard."""
    rules = read_rules(workspace.home / "alerts" / f"{network.name}.yaml", network)
    return catch_up(store, Watch(network, rules, left))


def _acknowledge(store: Store, book: AlertBook, ids: Sequence[str], by: str, comment: str,
                 now: float, screen: Screen) -> int:
    known = [book.find(name).id for name in ids]
    with Lock(store.folder / "alerts.lock"):
        book.refresh()  # a listener may have raised more meanwhile
        done = [book.acknowledge(name, by, comment, now) for name in known]
    if screen.as_json:
        screen.print_json([alert.document() for alert in done])
    for alert in done if not screen.as_json else ():
        screen.say(f"{alert.id} is acknowledged by {alert.acknowledged_by}: {alert.subject}, "
                   f"{alert.meaning}")
    return 0


def _show(alerts: Sequence[Alert], model: str, currency: str, screen: Screen) -> None:
    if screen.as_json:
        screen.print_json([alert.document() for alert in alerts])
        return
    if not alerts:
        screen.say(f"No alert is open for {model}.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("alert", "severity", "state", "since (UTC)", "what", "meaning"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("alert", "since (UTC)"))
    for alert in alerts:
        said = alert.meaning
        if alert.at_risk and f"{alert.at_risk:,.0f}" not in said:
            said += f"; {alert.at_risk:,.0f} {currency} at risk"
        if alert.acknowledged_by:
            said += f" ({alert.acknowledged_by}: {alert.comment})" if alert.comment else \
                f" ({alert.acknowledged_by})"
        table.add_row(alert.id, Text(alert.severity, _COLOURS[alert.severity]), alert.state,
                      format_instant(alert.since)[:16].replace("T", " "),
                      Text(f"{alert.kind}: {alert.subject}"), Text(said))
    screen.out.print(table)
    active = [alert for alert in alerts if alert.active]
    critical = sum(alert.severity == "critical" for alert in active)
    screen.note(f"{len(active)} active, {critical} of them critical; {len(alerts) - len(active)} "
                "over.")
