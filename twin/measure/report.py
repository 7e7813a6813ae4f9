"""The report of a result: one HTML file that opens anywhere and asks for nothing outside."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twin.measure.charts import headlines, settings_of
from twin.measure.figures import Picture, pictures
from twin.measure.ignorance_chart import doubts, of_setting
from twin.measure.kpis import KPIS
from twin.measure.style import VERDICTS, number, title_of
from twin.network import Network
from twin.network.attributes import TABLES
from twin.result import Result

_MOST_ROWS = 1500
_MOST_COLUMNS = 9
_KINDS = ("Sites", "Work centres", "Machines", "Crews", "Trucks", "Lanes", "Modes of transport",
          "Storage areas and docks", "Products", "Streams")


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a table, as text and as a number to sort by."""

    text: str
    value: float
    difference: str = ""
    bounds: str = ""
    verdict: str = ""
    note: str = ""

    @property
    def sign(self) -> str:
        """The sign that stands with the verdict's word."""
        return VERDICTS[self.verdict][2] if self.verdict else ""

    @property
    def css(self) -> str:
        """The verdict as a class name."""
        return self.verdict.split(" ")[0]


@dataclass(frozen=True, slots=True)
class Line:
    """A row: a KPI (of a place) and its cell for every setting."""

    place: str
    title: str
    unit: str
    cells: list[Cell | None]


@dataclass(slots=True)
class Card:
    """What one setting does, in a few words."""

    title: str
    means: str
    counts: list[tuple[str, int]] = field(default_factory=list)
    largest: list[tuple[str, str, Cell]] = field(default_factory=list)
    more: int | None = None


def write_report(result: Result, network: Network, folder: Path,
                 drawn: Mapping[str, Picture] | None = None) -> Path:
    """Write `report.html` into a folder; gives the file.

    Every name from a table is escaped, and the page may load nothing but what is in it.
    `drawn` spares drawing twice what `figures.pictures` has drawn already.
    """
    drawn = drawn if drawn is not None else pictures(result, network)
    settings = settings_of(result.kpis)
    shown = settings[:_MOST_COLUMNS]
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.get_template("report.html.j2").render(
        signs={verdict: sign for verdict, (_, _, sign) in VERDICTS.items()},
        title=network.title or network.name or result.manifest.model,
        manifest=result.manifest,
        facts=_facts(result),
        cards=list(_cards(result, settings)),
        settings=[title_of(name) for name in settings],
        shown=[title_of(name) for name in shown],
        headline=_lines(headlines(result.kpis), settings),
        places=_by_place(result.kpis, network, shown),
        pictures=[(picture, base64.b64encode(picture.png).decode()) for picture in drawn.values()],
        contents=_contents(network),
        record=_record(result),
        replications=_replications(result),
        doubts=[(doubt, difference(doubt.half_width, doubt.unit).removeprefix("+"))
                for doubt in doubts(result.kpis, result.worth)],
        worth=[] if result.worth is None else list(
            of_setting(result.worth, settings[0]).itertuples()),
    )
    file = Path(folder) / "report.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")
    return file


def difference(value: float, unit: str) -> str:
    """A difference with its sign; of shares, in percentage points.

    Examples
    --------
    >>> difference(-0.037, "share"), difference(12400.0, "EUR/d")
    ('−3.70 points', '+12.4 k')
    """
    if value != value:
        return "–"
    text = f"{number(100 * value)} points" if unit == "share" else number(value)
    return text if text.startswith("−") or value == 0 else "+" + text


def _cell(row: Any) -> Cell:
    unit = row.unit
    if not row.verdict:
        half = row.high - row.mean
        width = difference(half, unit).removeprefix("+")
        return Cell(number(row.mean, unit), row.mean, bounds="" if half != half else f"± {width}")
    bounds = "one replication: no interval"
    if row.difference_low == row.difference_high == 0.0:
        bounds = "the same in every replication"
    elif row.difference_low == row.difference_low:
        bounds = (f"{difference(row.difference_low, unit).removesuffix(' points')} to "
                  f"{difference(row.difference_high, unit)}")
    more = row.replications_for_verdict
    note = "" if pd.isna(more) or more == 0 else _more(int(more))
    return Cell(number(row.mean, unit), row.mean, difference(row.difference, unit), bounds,
                row.verdict, note)


def _unit(row: Any) -> str:
    return "" if row.unit in ("share", "1") else str(row.unit)


def _more(count: int) -> str:
    if count >= 1_000_000:
        return "never, by these figures"
    return f"may show after {count:,} more"


def _lines(rows: pd.DataFrame, settings: list[str]) -> list[Line]:
    """One line a KPI and place, in the order of the rows.

    Those that are good at zero and always are zero are left out.
    """
    at = {name: i for i, name in enumerate(settings)}
    lines: dict[tuple[str, str], Line] = {}
    for row in rows.itertuples():
        column = at.get(f"{row.scenario} {row.settings}".strip())
        if column is None:
            continue
        place = str(row.place or row.product or row.stream).removeprefix("*:*:")
        key = (place, str(row.kpi))
        if key not in lines:
            lines[key] = Line(place, KPIS[str(row.kpi)].title, _unit(row), [None] * len(settings))
        lines[key].cells[column] = _cell(row)
    return [line for (_, kpi), line in lines.items()
            if KPIS[kpi].better == "higher" or any(c and c.value for c in line.cells)]


def _by_place(kpis: pd.DataFrame, network: Network,
              shown: list[str]) -> list[tuple[str, list[Line], int]]:
    """Tables of the KPIs by kind of place, then by product and by stream: title, rows, left out."""
    parts = (kpis[["place", "product", "stream"]] != "").sum(axis=1)
    rows = kpis[parts == 1]
    kinds = {place: kind_of(place, network) for place in rows["place"].unique() if place}
    tables = []
    for kind in _KINDS:
        if kind == "Products":
            part = rows[rows["product"] != ""]
        elif kind == "Streams":
            part = rows[rows["stream"] != ""]
        else:
            part = rows[[kinds.get(place) == kind for place in rows["place"]]]
        lines = _lines(part, shown)
        if lines:
            tables.append((kind, lines[:_MOST_ROWS], max(0, len(lines) - _MOST_ROWS)))
    return tables


def kind_of(place: str, network: Network) -> str:
    """Which table of the report a place stands in."""
    if place in network.sites:
        return "Sites"
    if place.startswith("*:*:"):
        return "Modes of transport"
    if place.count(":") == 2:
        return "Lanes"
    unit = place.split("#")[0]
    for kind, table in (("Machines", network.machines), ("Trucks", network.trucks),
                        ("Crews", network.crews)):
        if unit in table:
            return kind
    site, _, part = place.partition("/")
    return "Work centres" if (site, part) in network.groups else "Storage areas and docks"


def _cards(result: Result, settings: list[str]) -> Iterator[Card]:
    """For every setting beside the baseline: counts of verdicts, and its largest shown effects."""
    rows = headlines(result.kpis)
    base = rows[rows["setting"] == settings[0]].set_index("kpi")["mean"]
    for name in settings[1:]:
        own = rows[(rows["setting"] == name) & (rows["verdict"] != "")]
        card = Card(title_of(name), _means(result, name))
        counts = own["verdict"].value_counts()
        card.counts = [(verdict, int(counts[verdict])) for verdict in VERDICTS
                       if verdict in counts.index]
        called = own[own["verdict"] != "no effect shown"].copy()
        sizes = called["kpi"].map(base).astype(float).abs()
        called["size"] = called["difference"].abs() / sizes
        for row in called.nlargest(4, "size").itertuples():
            card.largest.append((KPIS[str(row.kpi)].title, _unit(row), _cell(row)))
        if called.empty:
            waiting = own["replications_for_verdict"].dropna()
            card.more = int(waiting.min()) if len(waiting) else None
        yield card


def _means(result: Result, setting: str) -> str:
    content = result.manifest.scenarios.get(setting, {})
    return str(content.get("means", "") or "")


def _replications(result: Result) -> int:
    return max((len(runs) for runs in result.tallies.values()), default=0)


def _facts(result: Result) -> list[tuple[str, str]]:
    manifest = result.manifest
    facts = [("Model", manifest.model), ("Calibration", manifest.calibration),
             ("Length of a run", manifest.horizon), ("Warm-up", manifest.warmup),
             ("Replications", str(_replications(result))),
             ("Draws of the parameters", str(manifest.draws or "")), ("Seed", str(manifest.seed)),
             ("Confidence", f"{100 * manifest.confidence:g} %")]
    return [(name, value) for name, value in facts if value and value != "0d"]


def _contents(network: Network) -> list[tuple[str, int]]:
    """How many rows each table of the model has."""
    return [(table, len(network.table(table))) for table in TABLES if network.table(table)]


def _record(result: Result) -> list[tuple[str, str]]:
    """The manifest, line by line."""
    return list(_flat("", asdict(result.manifest)))


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{prefix} \u203a {key}" if prefix else str(key), inner)
    elif isinstance(value, list | tuple):
        yield prefix, ", ".join(str(item) for item in value)
    elif value not in (None, "", {}):
        yield prefix, str(value)
