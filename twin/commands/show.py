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
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from twin.result import Result

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"better": "green", "worse": "red", "no effect shown": "bright_black"}
_FILES = ("report.html", "kpis.csv", "worth.csv", "ledger.parquet", "figures", "manifest.json")
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
    def progress(self, title: str, counted: str = "replications"
                 ) -> Iterator[Callable[[str, int, int], None] | None]:
        """A live bar for each setting; plain lines where there is no terminal."""
        if self.quiet:
            yield None
        elif self.err.is_terminal:
            bars = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                            TimeRemainingColumn(), console=self.err, transient=True)
            with bars:
                yield _Bars(bars)
        else:
            yield lambda label, done, total: self._line(label, done, total, counted)

    def _line(self, label: str, done: int, total: int, counted: str) -> None:
        if done == total:
            self.note(f"{label}: {done} of {total} {counted}")

    def show(self, made: Sequence[tuple[Result, str]], folder: Path | None) -> None:
        """The answer: tables of headline KPIs, or JSON."""
        if self.as_json:
            runs = [_document(result, text) for result, text in made]
            self.print_json({"folder": folder.as_posix() if folder else None, "runs": runs})
            return
        for result, text in made:
            self._one(result, text)
        if folder is not None:
            names = ", ".join(name for name in _FILES if (folder / name).exists())
            self.say(f"In {folder.as_posix()}: {names}. kpis.csv has every KPI by place and "
                     "product.")

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
            some = labels[first:first + _PER_TABLE]
            table = _table(rows, result.baseline, some, " ")
            roomy = self.out.options.update(width=10_000)
            if Measurement.get(self.out, roomy, table).maximum > self.out.width:
                table = _table(rows, result.baseline, some, "\n")
            self.out.print(table)
        if manifest.draws:
            self._doubt(result)
        level = f"{manifest.confidence:.0%}"
        if manifest.replications < 2:
            self.note("One replication gives no interval. Write replications=30.")
        elif labels:
            self.note(f"± is the half-width of a {level} interval; differences are paired and "
                      "judged together. (+n) says how many more replications a verdict may need.")


    def _doubt(self, result: Result) -> None:
        """How much of the intervals is ignorance, and what is worth more data."""
        from twin.measure.ignorance_chart import doubts, of_setting

        rows = doubts(result.kpis, result.worth)
        if rows:
            self.say(f"Of the variance behind the intervals ({result.manifest.draws} draws of the "
                     "parameters), ignorance is: "
                     + "; ".join(f"{row.title} {row.sentence}" for row in rows) + ".")
        if result.worth is not None:
            best = of_setting(result.worth, result.baseline)
            shown = [f"{name} ({100 * share:.0f} %)" for name, share, telling
                     in zip(best["parameter"], best["share"], best["shown"], strict=True)
                     if telling]
            self.say("Worth more data: " + (", ".join(shown) or "no single parameter stands out "
                                            "of the luck of these draws") + ".")


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
    # A lane is named A:hotel:van, which is no picture of a hotel.
    console = Console(file=stream, soft_wrap=False, emoji=False)
    return console if console.is_terminal else Console(file=stream, width=_PIPED_WIDTH,
                                                       emoji=False)


def _table(rows: pd.DataFrame, baseline: str, labels: Sequence[str], gap: str) -> Table:
    """KPIs down, the baseline and some settings across; `gap` stands before a verdict."""
    from twin.measure.kpis import KPIS

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("KPI", no_wrap=True)
    for label in (baseline, *labels):
        table.add_column(escape(_heading(label)), justify="right", overflow="fold")
    columns = {label: _by_kpi(rows, label) for label in (baseline, *labels)}
    for kpi, base in columns[baseline].items():
        unit = "" if base["unit"] in ("share", "1") else f" [{base['unit']}]"
        cells = [_mean(base)]
        for label in labels:
            row = columns[label].get(kpi)
            cells.append(_difference(row, gap) if row is not None else Text("-"))
        table.add_row(escape(KPIS[kpi].title + unit), *cells)
    return table


def _by_kpi(rows: pd.DataFrame, label: str) -> dict[str, dict[str, Any]]:
    scenario, _, settings = label.partition(" ")
    mine = rows[(rows["scenario"] == scenario) & (rows["settings"] == settings)]
    return {str(row["kpi"]): {str(k): v for k, v in row.items()}
            for row in mine.to_dict("records")}


def _mean(row: dict[str, Any]) -> Text:
    half = (row["high"] - row["low"]) / 2
    return Text(_with_half(row["mean"], half, row["unit"]))


def _heading(label: str) -> str:
    """A setting as a heading: the scenario, then one changed key a line.

    Examples
    --------
    >>> _heading("spike events.spike.factor=1.2 seed=2")
    'spike\\nfactor=1.2\\nseed=2'
    """
    scenario, *keys = label.split(" ")
    short = [key.split(".", 2)[2] if key.startswith("events.") else key for key in keys]
    return "\n".join([scenario, *short])


def _difference(row: dict[str, Any], gap: str) -> Text:
    """A paired difference with its half-width and verdict."""
    if math.isnan(row["difference"]):
        return Text("-")
    half = (row["difference_high"] - row["difference_low"]) / 2
    value = _with_half(row["difference"], half, row["unit"], share="pt")
    text = value if value.startswith("-") else f"+{value}"
    verdict = row["verdict"]
    more = row["replications_for_verdict"]
    if verdict == "no effect shown":
        verdict = "no effect shown" + (f" (+{more:,})" if _is_count(more) else "")
    if row["difference"] == 0 and half == 0:
        text, verdict = "no change", ""
    return Text(f"{text}{gap}{verdict}".rstrip(), style=_COLOURS.get(row["verdict"], ""))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < 1_000_000


def _with_half(value: float, half: float, unit: str, *, share: str = "%") -> str:
    """A value and its half-width, as exact as the half-width says; shares in per cent.

    A difference of two shares is in percentage points (`pt`).

    Examples
    --------
    >>> _with_half(0.97312, 0.0123, "share"), _with_half(1234567.0, 4321.0, "EUR")
    ('97.3 ± 1.2 %', '1,234,567 ± 4,321')
    >>> _with_half(12.345, float("nan"), "d")
    '12.3'
    """
    if math.isnan(value):
        return "-"
    percent, scale = (f" {share}", 100.0) if unit == "share" else ("", 1.0)
    value, half = scale * value, scale * half
    places = _places(value, 3) if math.isnan(half) or half == 0 else _places(half, 2)
    text = f"{value:,.{places}f}"
    return text + percent if math.isnan(half) else f"{text} ± {half:,.{places}f}{percent}"


def _places(value: float, figures: int) -> int:
    """Decimal places that show so many figures."""
    if value == 0 or math.isnan(value):
        return 0
    return min(6, max(0, figures - 1 - math.floor(math.log10(abs(value)))))


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
