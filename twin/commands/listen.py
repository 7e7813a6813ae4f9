"""``twin listen``: hear a source into the store of a model."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from twin.alert import Alert
from twin.commands import Unanswered
from twin.commands.folding import fold_days
from twin.commands.logged import tell_log, without_password
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.network import Network
from twin.readings import format_instant
from twin.segment import SegmentError
from twin.sense.broker import embedded_broker
from twin.sense.known import Known
from twin.sense.listener import Heard, Listener, Rules
from twin.sense.live import LiveWatch
from twin.sense.quarantine import REASONS
from twin.sense.register import Register
from twin.sense.rules import read_rules
from twin.sense.source import SIBLINGS, Place, open_source
from twin.sense.watch import Watch
from twin.settings import KEYS as RUN_KEYS
from twin.settings import Key, SettingError, describe, duration, maybe, read, text, whole, word
from twin.simulate.draws import left
from twin.store import Store

_LOOK_S = 60.0  # between two looks at who is silent
_MOST_ALERTS = 20  # lines at once


def _speed(value: str) -> float:
    try:
        factor = float(value)
    except ValueError:
        factor = -1.0
    if not 0.0 <= factor < 1e9:
        raise ValueError(f"'{value[:20]}' is not a speed. Write a factor such as 60, or 0 for as "
                         "fast as possible.")
    return factor


KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("source", "what to listen to", "mqtt://127.0.0.1:1883", text),
    Key("broker", "embedded starts a broker here for the time of listening", "",
        maybe(word("embedded"))),
    Key("for", "stop after this time; blank listens until Ctrl-C, or the end of a file", "",
        maybe(duration)),
    Key("limit", "stop after so many readings", "", maybe(whole(1, 10**15))),
    Key("listener", "its name, unlike that of others that share the load", "1", text),
    Key("share", "group of listeners that share the load; blank is the model, none is no sharing",
        "", text),
    Key("mqtt", "version: 5 or 3.1.1; blank tries both", "", maybe(word("5", "3.1.1"))),
    Key("speed", "of a replay: times as fast as it was; 0 is as fast as possible", "0", _speed),
    Key("register", "open takes any device, enforced those of twin devices; blank enforces once "
        "there are any", "", maybe(word("open", "enforced"))),
    Key("names", "refuse places, products and assets that the model lacks: yes or no", "yes",
        word("yes", "no")),
    Key("clock", "wall, or stream: the clock of a rehearsal, which runs faster", "wall",
        word("wall", "stream")),
    Key("watch", "raise alerts as readings come: yes or no; blank is yes for what is live, no for "
        "files, whose alerts 'twin alerts' finds in order of time", "", maybe(word("yes", "no"))),
    Key("skew", "how far in the future a clock may be", "5min", duration),
    Key("oldest", "how old a reading may be when it comes", "30d", duration),
    Key("late", "how far the watermark runs behind the latest reading", "1h", duration),
)}

ABOUT = {"listen": """\
twin listen [key=value ...]

Hears what sensors, scanners and systems say into store/<model>/. A reading is on disk before its
sender is thanked, so that a crash loses nothing; it is known by its sensor and id, so that nothing
counts twice. What cannot be goes to store/<model>/quarantine/ with its reason, and can be heard
again after a fix. Ctrl-C stops it; what was heard is kept.

Alerts are raised as readings come: one line each, once, in the same book that 'twin alerts' shows
and acknowledges. After a stop or a crash it first catches up with what the store holds. When
several listeners share the load none of them hears everything: then the last one to stop raises
what there was, or 'twin alerts' does.

  twin listen models=harbour broker=embedded for=10min         a broker of its own, to try it
  twin listen models=harbour source=mqtts://plant.example:8883
  twin listen models=harbour source=mqtt://plant:1883 listener=2   a second one shares the load
  twin listen models=harbour source=replay/day.parquet speed=3600  an hour a second
  twin listen models=harbour clock=stream                      to a rehearsal
  twin listen models=harbour source=quarantine                 what was refused, once more

User and password come from TWIN_MQTT_USER and TWIN_MQTT_PASSWORD, certificates from TWIN_MQTT_CA,
TWIN_MQTT_CERT and TWIN_MQTT_KEY. For OPC UA they are TWIN_OPCUA_USER and TWIN_OPCUA_PASSWORD;
TWIN_OPCUA_SECURITY names policy, mode, certificate and key of this listener and, if it is to be
checked, the server's certificate: Basic256Sha256,SignAndEncrypt,cert.der,key.pem,server.der.
A source is one of:

""" + "".join(f"  {sibling.means}\n" for sibling in SIBLINGS) + "\nThe keys:\n\n" + describe(KEYS)}


def listen_command(call: Call) -> int:
    """Listen until the time is over, the source has ended, or Ctrl-C."""
    settings = read(call.arguments, KEYS, "listen")
    network = call.workspace.network(settings["models"])
    store = call.workspace.store(settings["models"])
    register = _register(settings, store, call.screen)
    alerts = read_rules(call.workspace.home / "alerts" / f"{settings['models']}.yaml", network)
    rules = Rules(skew_s=3600 * settings["skew"], oldest_s=3600 * settings["oldest"],
                  late_s=3600 * settings["late"])
    share = settings["share"] or settings["models"]
    began = time.monotonic()
    with ExitStack() as stack:
        if settings["broker"] is not None:
            stack.enter_context(embedded_broker(_port(settings["source"])))
        source = open_source(Place(
            settings["source"], settings["models"], settings["listener"], store.folder,
            {"speed": settings["speed"], "share": "" if share == "none" else share,
             "mqtt": settings["mqtt"] or ("3.1.1" if settings["broker"] else None),
             "clock": f"clock/{settings['models']}" if settings["clock"] == "stream" else "",
             "sensors": tuple(network.sensors.values()),
             "sizes": {row.product: (row.weight_kg, row.volume_m3)
                       for row in network.products.values()}}))
        stack.callback(source.close)
        with _stoppable():
            live = None
            if settings["watch"] == "yes" or (settings["watch"] is None and source.live):
                with call.screen.working("Catching up with alerts"):
                    live = LiveWatch(store, lambda: Watch(network, alerts, left),
                                     lambda found: _alert(found, call.screen),
                                     name=settings["listener"], late_s=rules.late_s)
            listener = Listener(source, store, name=settings["listener"], rules=rules,
                                known=Known(network) if settings["names"] == "yes" else None,
                                register=register, fold=live.hear if live else None,
                                refused=live.refused if live else None)
            try:
                _listen(listener, live, network, settings, call.screen, began)
            except SegmentError as error:
                raise Unanswered(str(error)) from None
            finally:
                with call.screen.working("Merging"):
                    listener.close()
                    if live is not None:
                        live.end()
                fold_days(store, network, call.screen)
    heard = listener.heard
    tell_log(call, settings["models"], "heard", {
        "source": without_password(settings["source"]), "readings": heard.readings,
        "new": heard.merged.new, "quarantined": dict(heard.quarantined)})
    _tell(heard, settings, call.screen, time.monotonic() - began)
    return 0


def _alert(alerts: Sequence[Alert], screen: Screen) -> None:
    """A line for each alert; beside the answer where that is for a program."""
    say = screen.note if screen.as_json else screen.say
    for alert in alerts[:_MOST_ALERTS]:
        say(f"ALERT {alert.severity} {alert.id} since {format_instant(alert.since)[:16]}Z, "
            f"{alert.kind}: {alert.subject}: {alert.meaning}")
    if len(alerts) > _MOST_ALERTS:
        say(f"... and {len(alerts) - _MOST_ALERTS:,} alerts more: see twin alerts.")


def _listen(listener: Listener, live: LiveWatch | None, network: Network,
            settings: dict[str, Any], screen: Screen, began: float) -> None:
    until = began + 3600 * settings["for"] if settings["for"] is not None else None
    heard, look_at, days = listener.heard, time.monotonic() + _LOOK_S, 0
    try:
        with _progress(screen) as show:
            while listener.step() and not (
                    (until is not None and time.monotonic() >= until)
                    or (settings["limit"] is not None and heard.readings >= settings["limit"])):
                show(heard)
                if listener.source.live and len(heard.merged.days) > days:
                    days = len(heard.merged.days)
                    fold_days(listener.store, network, screen)
                if live and settings["clock"] == "wall" and time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_S
                    live.look(time.time())
    except KeyboardInterrupt:
        screen.note("Stopped.")


def _register(settings: dict[str, Any], store: Store, screen: Screen) -> Register | None:
    """The register if it is enforced; else a warning."""
    register = Register(store.folder / "devices.db")
    model = settings["models"]
    there = bool(register.devices())
    if settings["register"] == "enforced" and not there:
        raise SettingError(f"the register of {model} holds no device. Add them first: twin devices "
                           f"add NAME models={model}")
    if there and settings["register"] != "open":
        return register
    if not settings["source"].startswith("quarantine") and "://" in settings["source"]:
        screen.note("WARNING: any device may speak, and say anything. Name those that may: twin "
                    f"devices add NAME models={model}")
    return None


def _port(address: str) -> int:
    parts = urlsplit(address)
    if parts.scheme not in ("mqtt", "spb") or parts.hostname not in ("127.0.0.1", "localhost"):
        raise SettingError(f"broker=embedded serves this machine alone, not '{address[:60]}'. "
                           "Write source=mqtt://127.0.0.1:1883, or leave it out.")
    return parts.port or 1883


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM, with which services are stopped, end it as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ---- what a person sees ----


@contextmanager
def _progress(screen: Screen) -> Iterator[Callable[[Heard], None]]:
    """A live line on a terminal; elsewhere a line each half minute."""
    live = screen.err.is_terminal and not screen.quiet
    pace = 0.5 if live else 30.0
    last = [time.monotonic(), 0.0]
    with ExitStack() as stack:
        status = stack.enter_context(screen.err.status("Listening ...")) if live else None

        def show(heard: Heard) -> None:
            now = time.monotonic()
            if now - last[0] >= pace:
                rate = (heard.readings - last[1]) / (now - last[0])
                last[:] = [now, heard.readings]
                line = f"{rate:,.0f} readings/s, {_line(heard)}"
                if status is not None:
                    status.update(line)
                else:
                    screen.note(line)

        yield show


def _line(heard: Heard) -> str:
    parts = [f"{heard.accepted:,} accepted", *(f"{count:,} {reason}" for reason, count in
                                               heard.quarantined.most_common())]
    if heard.late:
        parts.append(f"{heard.late:,} late")
    if heard.merged.read:
        parts.append(f"last merge {format_instant(heard.merged_at)[11:19]} UTC")
    return ", ".join(parts)


def _tell(heard: Heard, settings: dict[str, Any], screen: Screen, took_s: float) -> None:
    merged = heard.merged
    known = merged.read - merged.new
    if screen.as_json:
        screen.print_json({
            "model": settings["models"], "source": settings["source"], "seconds": round(took_s, 3),
            "messages": heard.messages, "readings": heard.readings, "accepted": heard.accepted,
            "new": merged.new, "known": known, "late": heard.late,
            "quarantined": dict(heard.quarantined), "damaged": merged.damaged,
            "days": [day.isoformat() for day in merged.days]})
        return
    screen.say(f"{heard.readings:,} readings in {heard.messages:,} messages: {merged.new:,} new, "
               f"{known:,} known already, {heard.quarantined.total():,} quarantined")
    for reason, count in heard.quarantined.most_common():
        screen.say(f"  {count:>9,} {reason}: {REASONS.get(reason, 'see the quarantine')}")
    if heard.late:
        screen.say(f"  {heard.late:>9,} late: {REASONS['late']}")
    if merged.damaged:
        screen.say(f"  {merged.damaged:>9,} lines of segments were damaged on disk and left out")
    if merged.days:
        first, last = merged.days[0].isoformat(), merged.days[-1].isoformat()
        screen.say(f"In store/{settings['models']}/days: " + (
            first if first == last else f"{first} to {last}, {len(merged.days)} days"))
