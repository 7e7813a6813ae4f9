"""The books of an operation: what it really costs and how well it serves, which no twin is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twin.measure.kpis import kpi_arrays
from twin.measure.running_cost import running_cost
from twin.network import Network
from twin.simulate.operation import Operation
from twin.tally import Key, Tally

_MEMORY = 4  #: windows that one point of service looks back on


@dataclass(frozen=True, slots=True)
class Point:
    """How an operation stands at a time.

    Attributes
    ----------
    day
        Since the books were opened.
    cost
        Running cost since then, in the model's currency; goods bought and sold are not in it.
    otif
        Share of orders on time and in full, over the last few windows; NaN without an order.
    """

    day: float
    cost: float
    otif: float


@dataclass(slots=True)
class Books:
    """Keeps points of an operation.

    Parameters
    ----------
    network
        The chain as it really is: its prices value what happened.
    """

    operation: Operation
    network: Network
    points: list[Point] = field(default_factory=list)
    _sums: list[tuple[float, Mapping[Key, float]]] = field(default_factory=list)

    def write(self) -> Point:
        """Write down how it stands now; the first time opens the books."""
        self._sums.append((self.operation.now, self.operation.world.sums()))
        whole = self._between(0)
        recent = self._between(max(0, len(self._sums) - 1 - _MEMORY))
        days = whole.hours / 24.0
        point = Point(days, running_cost(whole, self.network) * days,
                      otif_of(recent) if days else float("nan"))
        self.points.append(point)
        return point

    def otif(self) -> float:
        """Over all the time since the books were opened."""
        return otif_of(self._between(0))

    def _between(self, place: int) -> Tally:
        (start, before), (end, after) = self._sums[place], self._sums[-1]
        sums = {key: value - before.get(key, 0.0) for key, value in after.items()}
        return Tally("books", 0, start, end, {key: value for key, value in sums.items() if value})


def otif_of(tally: Tally) -> float:
    """Share of orders on time and in full; NaN without an order."""
    values = kpi_arrays([tally], chain_only=True).get(("otif", "", "", ""))
    return float("nan") if values is None else float(values[0])
