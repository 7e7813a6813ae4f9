"""The contract of estimators: `update` with observations, `get` what they say of one cell."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy import special, stats

from twin.calibrate.ignorance import stretched, triangle
from twin.calibrate.laws import Floats
from twin.calibrate.sample import Batch, Sample
from twin.calibrate.wording import duration, number, wording
from twin.network.attributes import TABLES, Attribute
from twin.parameters import Parameter
from twin.quantity import Quantity, parse_quantity


@dataclass(frozen=True)
class Cell:
    """The address of a table cell, and what a planner wrote there.

    Examples
    --------
    >>> Cell("lanes", "A,B,sea", "transit", "uniform(2d, 6d)").quantity.mean()
    96.0
    """

    table: str
    key: str
    column: str
    planned: str = ""  #: as the planner wrote it; blank if nobody did
    pool: str = ""  #: cells of the same word are like one another

    def __str__(self) -> str:
        return f"{self.table}[{self.key}].{self.column}"

    @property
    def attribute(self) -> Attribute:
        """The column."""
        return TABLES[self.table].by_column[self.column]

    @property
    def time(self) -> bool:
        """Whether its values are hours."""
        return self.attribute.base in ("rq_time", "dur")

    @cached_property
    def quantity(self) -> Quantity | None:
        """What the planner wrote, if it is a number, a time or a law of them."""
        try:
            return parse_quantity(self.planned, self.time) if self.planned else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the observations say of one cell.

    Attributes
    ----------
    quantity
        The value as a law, a number or a time.
    log_mean, variance
        Logarithm of its mean, and the variance of that.
    low, high
        95 % interval of the mean.
    n
        Observations (weighted by their age if older ones are forgotten).
    covariance
        Of the parameters on their free scale, lower triangle; blank where `n` says it all.
    notes
        How it was learned, in words.
    text
        What is to stand in the cell, where that is no quantity.
    """

    cell: Cell
    quantity: Quantity
    log_mean: float
    variance: float
    low: float
    high: float
    n: float
    covariance: str = ""
    notes: tuple[str, ...] = ()
    text: str = ""

    def parameter(self, as_of: str) -> Parameter:
        """The row of a calibration."""
        write = duration if self.cell.time else number
        cell = self.cell
        return Parameter(cell.table, cell.key, cell.column,
                         value=self.text or wording(self.quantity, 5), low=write(self.low, 4),
                         high=write(self.high, 4), n=number(self.n),
                         as_of=as_of, source="; ".join(self.notes), spread=self.covariance)

    def moved(self, log_mean: float, variance: float, note: str) -> Estimate:
        """The same law with another mean, known with another variance."""
        quantity = stretched(self.quantity, math.exp(log_mean - self.log_mean))
        low, high = log_interval(log_mean, variance)
        shrunk = variance / self.variance if self.variance else 1.0
        matrix = [float(part) for part in self.covariance.split()]
        matrix = [value * shrunk for value in matrix]
        return replace(self, quantity=quantity, log_mean=log_mean, variance=variance, low=low,
                       high=high, notes=(*self.notes, note),
                       covariance=" ".join(f"{value:.6g}" for value in matrix))


class Estimator(ABC):
    """Learns one cell from a stream of observations.

    Parameters
    ----------
    cell
        Which.
    since
        Observations that began earlier do not count; hours after the model's start.
    half_life
        Hours after which an observation counts half; None: all count alike.

    Notes
    -----
    Neither the order of updates nor the way they are cut into batches changes what is learned, an
    observation that comes again replaces itself, and the state goes to plain values and back.
    """

    #: Observations kept.
    capacity: ClassVar[int] = 5_000

    def __init__(self, cell: Cell, *, since: float = -math.inf,
                 half_life: float | None = None) -> None:
        self.cell = cell
        self.since = since
        self.half_life = half_life
        self.sample = Sample(self.capacity)

    def update(self, batch: Batch) -> None:
        """Take in observations."""
        self.sample.update(batch)

    def get(self, as_of: float) -> Parameter:
        """What is known at a time, hours; the plan, with n = 0, where nothing was seen."""
        return self.learn([self], as_of)[0].parameter(duration(as_of))

    @classmethod
    @abstractmethod
    def learn(cls, estimators: Sequence[Any], as_of: float) -> list[Estimate]:
        """What many estimators of this class know, worked out together."""

    def known(self, as_of: float) -> tuple[Batch, Floats]:
        """The observations of the window, and how much each counts."""
        rows = self.sample.window(self.since, as_of)
        if self.half_life is None:
            return rows, np.ones(len(rows))
        return rows, np.asarray(0.5 ** ((as_of - rows.at) / self.half_life))

    def prior(self) -> Estimate:
        """What the planner says: the value until something is seen."""
        quantity = self.cell.quantity or Quantity("constant", (("value", 0.0),),
                                                  time=self.cell.time)
        mean = quantity.mean()
        return Estimate(self.cell, quantity, math.log(mean) if mean > 0.0 else 0.0, math.inf,
                        mean, mean, 0.0, notes=("as planned: nothing seen yet",))

    def to_json(self) -> dict[str, Any]:
        """Everything it knows, as plain values."""
        since = None if self.since == -math.inf else self.since
        return {"estimator": type(self).__name__, "table": self.cell.table, "key": self.cell.key,
                "column": self.cell.column, "planned": self.cell.planned, "pool": self.cell.pool,
                "since": since, "half_life": self.half_life, "sample": self.sample.to_json()}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Any:
        """The estimator that `to_json` told of."""
        cell = Cell(state["table"], state["key"], state["column"], state["planned"], state["pool"])
        since = -math.inf if state["since"] is None else float(state["since"])
        found = cls(cell, since=since, half_life=state["half_life"])
        found.sample = Sample.from_json(state["sample"])
        return found


def log_interval(log_mean: float, variance: float, df: float = math.inf) -> tuple[float, float]:
    """95 % interval of a mean whose logarithm is about normal (Student's t for a few values).

    Examples
    --------
    >>> [round(bound, 4) for bound in log_interval(0.0, 0.01)]
    [0.822, 1.2165]
    """
    if not math.isfinite(variance):
        return 0.0, math.inf
    reach = quantile_t(df) * math.sqrt(variance)
    return math.exp(log_mean - reach), math.exp(log_mean + reach)


def gamma_interval(log_mean: float, variance: float, df: float = math.inf) -> tuple[float, float]:
    """95 % interval of a mean estimated by a sum of positive times: exact for exponential ones.

    Examples
    --------
    >>> [round(bound, 4) for bound in gamma_interval(0.0, 0.1)]  # ten exponential times
    [0.5853, 2.0853]
    """
    if variance <= 0.0 or not math.isfinite(variance):
        return log_interval(log_mean, variance)
    count = 1.0 / (variance * (quantile_t(df) / 1.959964) ** 2)
    mean = math.exp(log_mean)
    return (mean * count / float(special.gammaincinv(count, 0.975)),
            mean * count / float(special.gammaincinv(count, 0.025)))


def quantile_t(df: float) -> float:
    """The 97.5 % quantile of Student's t.

    Examples
    --------
    >>> round(quantile_t(9), 3)
    2.262
    """
    return 1.959964 if df > 1e6 else float(stats.t.ppf(0.975, max(df, 1.0)))


__all__ = ["Cell", "Estimate", "Estimator", "gamma_interval", "log_interval", "quantile_t",
           "triangle"]
