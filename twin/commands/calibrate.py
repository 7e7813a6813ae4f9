"""``twin calibrate``: what the store says of a model's parameters, and what has moved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.calibrate.evidence import Evidence
from twin.calibrate.learning import Learned, learn
from twin.calibrate.likelihood import CENSORED, EXACT
from twin.calibrate.regime import share_below
from twin.calibrate.snapshot import Move, kept, last_snapshot, moves, write_snapshot
from twin.calibrate.streams import Stream, read_streams
from twin.calibrate.timeline import Timeline
from twin.calibrate.wording import duration as in_words
from twin.clock import hours_after, parse_duration, parse_moment
from twin.commands.logged import tell_log
from twin.commands.show import Screen
from twin.commands.verbs import Call
from twin.ledger import Ledger
from twin.network import Network
from twin.parquet import connected
from twin.sense.history import ledger_of
from twin.settings import KEYS as RUN_KEYS
from twin.settings import (
    Key,
    SettingError,
    describe,
    duration,
    maybe,
    read,
    share,
    text,
    whole,
    word,
)
from twin.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 40


def _at(value: str) -> str:
    if value != "now":
        if re.match(r"\d{4}-\d", value):
            parse_moment(value)
        else:
            parse_duration(value)
    return value


KEYS = {key.name: key for key in (
    RUN_KEYS["models"],
    Key("since", "how far back to look; blank is as far as there is", "",
        maybe(duration)),
    Key("at", "the end of what is looked at: now (the last that was heard), a date, or a time "
        "after the model's start", "now", _at),
    Key("calibration", "what is believed until something is seen", "nominal", text),
    Key("ledger", "learn from a ledger file (Parquet) instead of the store", "", maybe(text)),
    Key("fresh", "whether all assets were new when the record began: yes or no", "no",
        word("yes", "no")),
    Key("false_alarms", "chance that a change is told of though nothing changed", "0.01",
        share),
    Key("pictures", "cells that are drawn, data against law", "12", whole(0, 60)),
    Key("write", "whether the snapshot is written: yes or no", "yes", word("yes", "no")),
)}

ABOUT = {"calibrate": """\
twin calibrate [key=value ...]

Learns the cells of a model from what was heard: transit and lead times (with what is still under
way), process times, yields, lives and repairs, gaps and sizes of orders, speeds. Writes
calibration/<model>-<date>.yaml and .csv, each value with its interval, its number of observations
and how it was learned, and prints what has moved since the last one. Which reading feeds which
estimator stands in calibration/streams/.

  twin calibrate models=medicines since=90d
  twin calibrate models=harbour at=2025-06-01
  twin calibrate models=harbour ledger=outputs/latest/ledger.parquet
  twin run models=harbour calibration=harbour-2025-06-30       play with what was learned

The keys:

""" + describe(KEYS)}


def calibrate_command(call: Call) -> int:
    """Learn, write the snapshot, tell what has moved."""
    settings = read(call.arguments, KEYS, "calibrate")
    workspace, screen, model = call.workspace, call.screen, settings["models"]
    planned = workspace.calibration(settings["calibration"]).apply(workspace.network(model))
    with screen.working("Reading"):
        ledger, signals, source = _heard(workspace, planned, settings)
        begin, now = _span(ledger, planned, settings["at"])
    fresh = settings["fresh"] == "yes"
    since = None if settings["since"] is None else now - settings["since"]
    evidence = evidence_of(ledger, planned, now, begin=min(begin, 0.0) if fresh else begin,
                           fresh=fresh, signals=signals)
    date = (planned.start + timedelta(hours=now)).date().isoformat()
    folders = [root / "calibration" for root in (workspace.home, *workspace.roots)]
    with screen.working("Learning"):
        learned = learn(evidence, streams_of(workspace),
                        name=f"{model}-{date}", as_of=date, source=source, since=since,
                        false_alarms=settings["false_alarms"])
    before = last_snapshot(folders, model)
    learned = replace(learned, calibration=kept(before, learned.calibration))
    found = moves(before, learned.calibration)
    written = None
    if settings["write"] == "yes" and learned.calibration.rows:
        written = write_snapshot(workspace.home / "calibration", learned.calibration)
        if written.is_relative_to(Path.cwd()):
            written = written.relative_to(Path.cwd())
    if written is not None:
        tell_log(call, model, "calibrated", {
            "calibration": learned.calibration.name, "digest": learned.calibration.digest(),
            "source": source, "parameters": len(learned.calibration.rows),
            "alarms": [f"{change.cell} has changed" for change in learned.changes]})
    picture = _pictures(learned, found, settings["pictures"], call.output, model)
    if screen.as_json:
        screen.print_json(_document(learned, found, before.name if before else None, written,
                                    picture))
    else:
        _tell(learned, found, before.name if before else "", written, picture, planned, screen)
    return 0


# ---- what was heard ------------------------------------------------------------------------------


def _heard(workspace: Workspace, network: Network, settings: Mapping[str, Any]
           ) -> tuple[Ledger, dict[str, pd.DataFrame], str]:
    """The ledger of what happened, the signals, and where they come from."""
    if settings["ledger"] is not None:
        path = Path(settings["ledger"]).expanduser()
        return Ledger.read(path, "baseline" if _has_scenarios(path) else None), {}, path.name
    store = workspace.store(settings["models"])
    if not store.day_files() and not (store.folder / "segments").is_dir():
        raise SettingError(f"nothing was heard about {settings['models']} yet: store/"
                           f"{settings['models']} is empty. Run twin listen, or give ledger=FILE.")
    frame = store.frame()
    return ledger_of(frame, network.start), signals_of(frame, network), "the store"


def _has_scenarios(path: Path) -> bool:
    import duckdb

    if not path.is_file():
        return False
    with connected() as base:
        try:
            table = base.read_parquet(str(path))
        except duckdb.Error:
            return False
        return "scenario" in table.columns


def signals_of(frame: pd.DataFrame, network: Network) -> dict[str, pd.DataFrame]:
    """Measured signals by kind, in hours after the model's start."""
    kinds = ("fuel", "odometer", "door", "count")
    rows = frame[frame["kind"].isin(kinds)]
    hours = (rows["time"] - network.start.timestamp()) / 3600.0
    units = rows["value"].where(rows["kind"] != "count", rows["quantity"])
    rows = rows.assign(time=hours, value=units)[["kind", "time", "asset", "site", "product",
                                                 "value"]]
    return {kind: rows[rows["kind"] == kind] for kind in kinds if (rows["kind"] == kind).any()}


def _span(ledger: Ledger, network: Network, at: str) -> tuple[float, float]:
    """When the record begins, and the end of what is looked at; hours."""
    frame = ledger.frame()
    if frame.empty:
        raise SettingError("nothing has happened yet: the ledger is empty. Listen longer.")
    first, last = float(frame["time"].min()), float(frame["time"].max())
    if at == "now":
        return first, last
    now = hours_after(network.start, parse_moment(at)) if "-" in at[1:] else parse_duration(at)
    if now <= first:
        raise SettingError(f"at '{at}' lies before the first event. Write a later time.")
    return first, now


def evidence_of(ledger: Ledger, network: Network, now: float, *, begin: float = 0.0,
                fresh: bool = False,
                signals: Mapping[str, pd.DataFrame] | None = None) -> Evidence:
    """A ledger as estimators need it, with the calendars and profiles that the simulation knows.

    Parameters
    ----------
    ledger, network
        What happened, and the model as planned.
    now, begin
        The end and the beginning of the record, hours after the model's start.
    fresh
        Whether all assets were new when the record began.
    signals
        Measured signals by kind: columns time (hours), asset, site, product, value (of a count,
        units).
    """
    from twin.simulate.calendar import Calendar, calendars_of
    from twin.simulate.profile import patterns

    shifts, rates = calendars_of(network), patterns(network)
    known: dict[tuple[str, str], Timeline] = {}

    def opening(name: str, site: str) -> Timeline:
        zone = network.sites[site].timezone if site in network.sites else "UTC"
        if (name, zone) not in known:
            calendar = Calendar(shifts.get(name, []), network.start, zone)
            edges, time = [0.0], 0.0
            while (time := calendar.next_edge(time)) <= now:
                edges.append(time)
            known[name, zone] = Timeline(edges, [float(calendar.is_open(edge)) for edge in edges])
        return known[name, zone]

    def pattern(name: str) -> Timeline:
        if (name, "") not in known:
            hours = [float(hour) for hour in range(int(now) + 2)]
            known[name, ""] = Timeline(hours, [rates[name](hour) for hour in hours])
        return known[name, ""]

    return Evidence(network, ledger.frame(), now, begin, fresh, signals or {}, opening, pattern)


# ---- what is told --------------------------------------------------------------------------------


def _pictures(learned: Learned, found: list[Move], most: int, output: Path, model: str
              ) -> Path | None:
    """A picture of the cells that moved most, and of those with most evidence."""
    from twin.measure.fits import Fit, fits

    verdicts = {move.cell: move.verdict for move in found}
    names = [name for name, estimate in learned.estimates.items()
             if estimate.quantity.sd() > 0.0 and len(learned.batches[name]) > 1
             and (learned.batches[name].size == 1.0).all()]
    names.sort(key=lambda name: (verdicts.get(name) != "moved", -learned.estimates[name].n))
    cells = []
    for name in names[:most]:
        estimate, rows = learned.estimates[name], learned.batches[name]
        hours = estimate.cell.time
        scale, unit = (24.0, "days") if hours and estimate.high > 96.0 else (
            1.0, "hours" if hours else "units")

        def below(values: np.ndarray[Any, Any], estimate: Any = estimate,
                  scale: float = scale) -> np.ndarray[Any, Any]:
            return share_below(estimate.quantity, np.maximum(values, 1e-12) * scale)

        row = next(row for row in learned.calibration.rows if row.cell == name)
        cells.append(Fit(name, row.value, rows.value[rows.state == EXACT] / scale,
                         rows.value[rows.state == CENSORED] / scale, below,
                         estimate.low / scale, estimate.high / scale, unit))
    if not cells:
        return None
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"fits-{learned.calibration.name}.png"
    fits(cells, f"{model}: what was seen, and the laws learned from it").savefig(path, dpi=120)
    return path


def _document(learned: Learned, found: list[Move], before: str | None, written: Path | None,
              picture: Path | None) -> dict[str, Any]:
    return {"calibration": learned.calibration.name, "as_of": learned.calibration.as_of,
            "before": before, "file": written.as_posix() if written else None,
            "picture": picture.as_posix() if picture else None,
            "parameters": [asdict(row) for row in learned.calibration.rows],
            "moves": [asdict(move) for move in found],
            "changes": [asdict(change) for change in learned.changes],
            "unheard": list(learned.unheard), "refused": list(learned.refused)}


def _tell(learned: Learned, found: list[Move], before: str, written: Path | None,
          picture: Path | None, network: Network, screen: Screen) -> None:
    rows = {row.cell: row for row in learned.calibration.rows}
    counts = {verdict: sum(move.verdict == verdict for move in found)
              for verdict in ("moved", "within", "same", "new", "kept")}
    against = f"against {before}: " if before else "the first snapshot: "
    screen.say(f"{learned.calibration.name}: {len(rows)} parameters; {against}" + ", ".join(
        f"{count} {verdict}" for verdict, count in counts.items() if count) + ".")
    shown = [move for move in found if move.verdict not in ("same", "kept")][:_MOST_ROWS]
    if shown:
        width = max(len(move.cell) for move in shown)
        screen.say()
        for move in shown:
            row = rows.get(move.cell)
            words = f"{move.before} -> {move.after}" if move.before and move.after else \
                move.after or move.before
            evidence = f"  mean {row.low} to {row.high}, n={row.n}" if row is not None else ""
            size = f"  {move.change:+.0%}, {abs(move.widths):.1f} half widths" \
                if move.verdict in ("moved", "within") else ""
            screen.say(f"{move.verdict:<6}  {move.cell:<{width}}  {words}{evidence}{size}")
        left = sum(move.verdict not in ("same", "kept") for move in found) - len(shown)
        if left > 0:
            screen.say(f"... and {left} more in the snapshot.")
    for change in learned.changes:
        when = (network.start + timedelta(hours=change.at)).date().isoformat()
        back = in_words(max(24.0, learned_now(learned, network) - change.at), 3)
        screen.say(f"CHANGED {change.cell} about {when}: median {change.before:.4g} before, "
                   f"{change.after:.4g} in the {change.count} since (p {change.p:.2g}). "
                   f"Learn it again with since={back}.")
    for refused in learned.refused:
        screen.say(f"left out {refused}")
    if learned.unheard:
        screen.note(f"Nothing was heard for {', '.join(learned.unheard)}.")
    if written is not None:
        screen.say(f"In {written.as_posix()} and {written.with_suffix('.csv').name}.")
    if picture is not None:
        screen.say(f"Fits are drawn in {picture.as_posix()}.")


def learned_now(learned: Learned, network: Network) -> float:
    """The end of what was looked at, hours: the day after the snapshot's date."""
    return hours_after(network.start, parse_moment(learned.calibration.as_of)) + 24.0


def streams_of(workspace: Workspace) -> tuple[Stream, ...]:
    """The streams of a workspace, its own first."""
    return read_streams([root / "calibration" / "streams"
                         for root in (workspace.home, *workspace.roots)])
