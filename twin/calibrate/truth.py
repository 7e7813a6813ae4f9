"""Is the truth recovered? Hidden parameters, and a score of what was learned against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell, Estimate, Estimator
from twin.calibrate.ignorance import stretched
from twin.calibrate.laws import Floats
from twin.calibrate.learning import Learned
from twin.calibrate.likelihood import EXACT
from twin.calibrate.sample import Batch
from twin.calibrate.total import Total
from twin.calibrate.wording import number, wording
from twin.network import Network
from twin.network.attributes import TABLES
from twin.network.forecast import parse_fuel
from twin.parameters import Calibration, Parameter
from twin.quantity import Quantity, constant

#: Columns whose cells a hidden world changes.
HIDDEN = (("lanes", "transit"), ("lanes", "damage"), ("supply", "lead_time"), ("supply", "fill"),
          ("routings", "process_time"), ("routings", "setup_time"), ("routings", "yield"),
          ("capabilities", "process_time"), ("setups", "time"), ("branches", "share"),
          ("failures", "time_to_failure"), ("failures", "time_to_repair"),
          ("demand", "interarrival"), ("demand", "size"), ("trucks", "speed_kmh"))
_NEAR = 2e-4  #: relative rounding of what is written with four digits

Draws = Callable[[Quantity, int, np.random.Generator], Floats]


@dataclass(frozen=True, slots=True)
class Score:
    """How well the truth was recovered.

    Attributes
    ----------
    cells
        Parameters learned that have a truth.
    inside
        Of them, those whose 95 % interval holds the true mean.
    missed
        The others.
    width
        Median of high over low, as a logarithm, of all that vary.
    """

    cells: int
    inside: int
    missed: tuple[str, ...]
    width: float

    @property
    def coverage(self) -> float:
        """Share of parameters whose interval holds the truth."""
        return self.inside / self.cells if self.cells else math.nan

    def __add__(self, other: Score) -> Score:
        cells = self.cells + other.cells
        width = (self.width * self.cells + other.width * other.cells) / max(cells, 1)
        return Score(cells, self.inside + other.inside, (*self.missed, *other.missed), width)


def hidden(network: Network, rng: np.random.Generator, *, spread: float = 0.2) -> Calibration:
    """Parameters that nobody is told: each cell's mean and scatter differ from the plan.

    Parameters
    ----------
    spread
        Standard deviation of the logarithm of the factor on each mean; that on sd over mean has
        half of it. Shares move in their log odds by twice as much.

    Examples
    --------
    >>> from twin.network import Product, Site, Supply
    >>> plan = Network(sites=[Site(site="S", kind="supplier")], products=[Product(product="tea")],
    ...                supply=[Supply(site="S", product="tea", lead_time="gamma(10d, 2d)")])
    >>> hidden(plan, np.random.default_rng(1)).rows[0].value
    'gamma(mean=10.7156d, sd=2.32664d)'
    """
    rows = []
    for table, column in HIDDEN:
        attribute = TABLES[table].by_column[column]
        for row in network.table(table).values():
            value = getattr(row, attribute.name)
            if value in (None, "", 0.0) or (isinstance(value, Quantity) and value.mean() <= 0.0):
                continue
            first, second = rng.normal(0.0, 1.0, 2).tolist()
            text = _other(value, attribute.bounds[1] <= 1.0, math.exp(spread * first),
                          math.exp(0.5 * spread * second), 2.0 * spread * first)
            key = ",".join(_text(part) for part in (
                row.key if isinstance(row.key, tuple) else (row.key,)))
            rows.append(Parameter(table, key, column, value=text))
    return Calibration("hidden", "What the twin is not told", rows=tuple(rows))


def _text(part: object) -> str:
    return "" if part is None else str(part)


def _other(value: object, is_share: bool, factor: float, scatter: float, tilt: float) -> str:
    """Another value for a cell."""
    if is_share:
        mean = value.mean() if isinstance(value, Quantity) else float(str(value))
        if (isinstance(value, Quantity) and value.sd() > 0.0) or not 0.0 < mean < 1.0:
            return str(value)
        odds = math.log(mean / (1.0 - mean)) + tilt
        return number(1.0 / (1.0 + math.exp(-odds)), 6)
    if not isinstance(value, Quantity):
        return number(float(str(value)) * factor, 6)
    law = stretched(value, factor)
    if law.kind in ("gamma", "lognormal"):
        law = replace(law, params=(law.params[0], ("sd", law.get("sd") * scatter)))
    elif law.kind == "weibull":
        shape = law.get("shape") / scatter
        scale = law.mean() / math.gamma(1.0 + 1.0 / shape)
        law = replace(law, params=(("shape", shape), ("scale", scale)))
    return wording(law, 6)


def score(estimates: Iterable[Estimate], truth: Network) -> Score:
    """How many 95 % intervals hold the true means, and how wide they are."""
    cells = inside = 0
    missed, widths = [], []
    for estimate in estimates:
        cell = estimate.cell
        true = true_mean(truth, cell)
        if true is None:
            continue
        cells += 1
        if estimate.low * (1.0 - _NEAR) <= true <= estimate.high * (1.0 + _NEAR):
            inside += 1
        else:
            missed.append(str(cell))
        if 0.0 < estimate.low < estimate.high < math.inf:
            widths.append(math.log(estimate.high / estimate.low))
    return Score(cells, inside, tuple(missed), float(np.median(widths)) if widths else 0.0)


def true_mean(truth: Network, cell: Cell) -> float | None:
    """The mean that stands in a cell of the true network."""
    value = true_law(truth, cell)
    return None if value is None else value.mean()


def true_law(truth: Network, cell: Cell) -> Quantity | None:
    """What stands in a cell of the true network, as a quantity."""
    attribute = TABLES[cell.table].by_column[cell.column]
    for row in truth.table(cell.table).values():
        parts = row.key if isinstance(row.key, tuple) else (row.key,)
        if ",".join(_text(part) for part in parts) == cell.key:
            value = getattr(row, attribute.name)
            if isinstance(value, Quantity):
                return value
            try:
                return constant(float(value))
            except (TypeError, ValueError):
                # Of a law of fuel, the mean from empty to full, as its interval is.
                return constant(float(np.mean(parse_fuel(value)))) if _is_fuel(cell) else None
    return None


def _is_fuel(cell: Cell) -> bool:
    return (cell.table, cell.column) == ("trucks", "fuel_l_per_100km")


def clean_widths(learned: Learned, truth: Network, draws: Draws, rng: np.random.Generator
                 ) -> dict[str, tuple[float, float]]:
    """The widths of intervals learned, and of those from as many clean values.

    Clean means: drawn from the true law itself, exact, as many as were seen exactly.

    Parameters
    ----------
    draws
        Values of a quantity: how the simulation draws them, passed in by the door.

    Returns
    -------
    dict
        Cell -> logarithm of high over low, learned and clean; only of cells that vary.
    """
    pairs: dict[str, tuple[float, float]] = {}
    work: dict[type[Estimator], list[tuple[str, Estimator]]] = {}
    for name, estimate in learned.estimates.items():
        law, rows = true_law(truth, estimate.cell), learned.batches[name]
        exact = rows.of_rows(rows.state == EXACT)
        if law is None or law.sd() == 0.0 or not len(exact):
            continue
        kind: type[Estimator] = Total if (exact.size != 1.0).any() else Distribution
        if estimate.cell.attribute.base in ("num", "share") or estimate.cell.column == "yield":
            continue
        clean = kind(replace(estimate.cell, pool=""))
        if kind is Total:
            values = np.array([draws(law, int(size), rng).sum() for size in exact.size])
        else:
            values = draws(law, len(exact), rng)
        clean.update(Batch.of(exact.id, values, at=exact.at, size=exact.size))
        work.setdefault(kind, []).append((name, clean))
    for kind, those in work.items():
        for (name, _), found in zip(those, kind.learn([one for _, one in those], math.inf),
                                    strict=True):
            mine = learned.estimates[name]
            if 0.0 < mine.low < mine.high < math.inf and 0.0 < found.low < found.high < math.inf:
                pairs[name] = (math.log(mine.high / mine.low), math.log(found.high / found.low))
    return pairs
