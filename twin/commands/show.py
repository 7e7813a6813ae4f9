"""What a person sees in the terminal: progress, the table of KPIs, notes."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from twin.result import Result

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"better": "green", "worse": "red", "no effect shown": "bright_black"}
_PER_TABLE = 4
_PIPED_WIDTH = 140


class Screen:
    """Standard output and error of one command.

    Parameters
    ----------
    as_json
        Print one JSON document instead of a table.
    quiet
        No progress and no notes.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def note(self, text: str) -> None:
        """One line for a person, beside the answer."""
        if not self.quiet:
            self.err.print(escape(text), highlight=False, soft_wrap=True)

    def say(self, text: str = "") -> None:
        """One line of the answer, as it is."""
        self.out.print(escape(text), highlight=False, soft_wrap=True)

    def print_json(self, value: Any) -> None:
        """The answer for a program."""
        sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show that something is being done."""
        if self.quiet or not self.err.is_terminal:
            yield
        else:
            with self.err.status(f"{escape(what)} ..."):
                yield

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[str, int, int], None] | None]:
        """A live bar for each setting; plain lines where there is no terminal."""
        if self.quiet:
            yield None
        elif self.err.is_terminal:
            bars = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                            TimeRemainingColumn(), console=self.err, transient=True)
            with bars:
                yield _Bars(bars)
        else:
            yield self._line

    def _line(self, label: str, done: int, total: int) -> None:
        if done == total:
            self.note(f"{label}: {done} of {total} replications")

    def show(self, made: Sequence[tuple[Result, str]], folder: Path | None) -> None:
        """The answer: tables of headline KPIs, or JSON."""
        if self.as_json:
            runs = [_document(result, text) for result, text in made]
            self.print_json({"folder": folder.as_posix() if folder else None, "runs": runs})
            return
        for result, text in made:
            self._one(result, text)
        if folder is not None:
            self.say(f"Everything in {folder.as_posix()}: report.html, kpis.csv (every KPI by "
                     "place and product), figures, manifest.json")

    def _one(self, result: Result, text: str) -> None:
        manifest, rows = result.manifest, result.headline
        labels = [label for label in result.tallies if label != result.baseline]
        title = f"{manifest.model}  {text}".rstrip()
        runs = f"{manifest.replications} replication{'s' if manifest.replications > 1 else ''}"
        warm = "" if manifest.warmup == "0h" else f", warm-up {manifest.warmup}"
        self.out.print(Text(f"\n{title}: {runs} of {manifest.horizon}{warm}, seed {manifest.seed}, "
                            f"calibration {manifest.calibration}", style="bold"))
        if rows.empty:
            self.say("No headline KPI was touched by this run.")
        for first in range(0, max(len(labels), 1), _PER_TABLE):
            self.out.print(_table(rows, result.baseline, labels[first:first + _PER_TABLE]))
        level = f"{manifest.confidence:.0%}"
        if manifest.replications < 2:
            self.note("One replication gives no interval. Write replications=30.")
        elif labels:
            self.note(f"± is the half-width of a {level} interval; differences are paired and "
                      "judged together. (+n) says how many more replications a verdict may need.")


class _Bars:
    """One bar a setting, added as it first reports."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, Any] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        if label not in self.tasks:
            self.tasks[label] = self.bars.add_task(escape(label), total=total)
        self.bars.update(self.tasks[label], completed=done, total=total)


def _console(stream: Any) -> Console:
    console = Console(file=stream, soft_wrap=False)
    return console if console.is_terminal else Console(file=stream, width=_PIPED_WIDTH)


def _table(rows: pd.DataFrame, baseline: str, labels: Sequence[str]) -> Table:
    """KPIs down, the baseline and some settings across."""
    from twin.measure.kpis import KPIS

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("KPI")
    table.add_column(escape(baseline), justify="right")
    for label in labels:
        table.add_column(escape(label), justify="right")
    columns = {label: _by_kpi(rows, label) for label in (baseline, *labels)}
    for kpi, base in columns[baseline].items():
        unit = "" if base["unit"] in ("share", "1") else f" [{base['unit']}]"
        cells = [_mean(base)]
        for label in labels:
            row = columns[label].get(kpi)
            cells.append(_difference(row) if row is not None else Text("-"))
        table.add_row(escape(KPIS[kpi].title + unit), *cells)
    return table


def _by_kpi(rows: pd.DataFrame, label: str) -> dict[str, dict[str, Any]]:
    scenario, _, settings = label.partition(" ")
    mine = rows[(rows["scenario"] == scenario) & (rows["settings"] == settings)]
    return {str(row["kpi"]): {str(k): v for k, v in row.items()}
            for row in mine.to_dict("records")}


def _mean(row: dict[str, Any]) -> Text:
    half = (row["high"] - row["low"]) / 2
    text = amount(row["mean"], row["unit"])
    return Text(text if math.isnan(half) else f"{text} ± {amount(half, row['unit'])}")


def _difference(row: dict[str, Any]) -> Text:
    """A paired difference with its half-width and verdict."""
    if math.isnan(row["difference"]):
        return Text("-")
    half = (row["difference_high"] - row["difference_low"]) / 2
    value = amount(row["difference"], row["unit"])
    text = value if value.startswith("-") or row["difference"] == 0 else f"+{value}"
    if not math.isnan(half):
        text += f" ± {amount(half, row['unit'])}"
    verdict = row["verdict"]
    more = row["replications_for_verdict"]
    if verdict == "no effect shown":
        verdict = "no effect shown" + (f" (+{more:,})" if _is_count(more) else "")
    if row["difference"] == 0 and half == 0:
        text, verdict = "no change", ""
    return Text(f"{text} {verdict}".rstrip(), style=_COLOURS.get(row["verdict"], ""))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def amount(value: float, unit: str = "") -> str:
    """A number with three or four figures; shares as per cent.

    Examples
    --------
    >>> amount(0.9731, "share"), amount(1234567.0), amount(12.345), amount(0.0123)
    ('97.3 %', '1,234,567', '12.3', '0.0123')
    """
    if math.isnan(value):
        return "-"
    if unit == "share":
        percent = 100 * value
        return f"{percent:.1f} %" if abs(percent) >= 0.095 or value == 0 else f"{percent:.2g} %"
    size = abs(value)
    if size >= 999.5:
        return f"{value:,.0f}"
    if size == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(size)))}f}"


def _document(result: Result, text: str) -> dict[str, Any]:
    """A result for a program: its manifest, and the KPIs of the whole chain."""
    kpis = result.kpis
    whole = kpis[(kpis["place"] == "") & (kpis["product"] == "") & (kpis["stream"] == "")]
    return {"run": text, "manifest": asdict(result.manifest), "headlines": result.headlines,
            "kpis": whole.astype(object).to_dict("records")}


def _plain(value: Any) -> Any:
    """Values that JSON has: no NaN, no NumPy."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if type(value).__name__.startswith("int") else number
