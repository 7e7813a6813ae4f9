"""Policy parameters tuned in the simulation itself, and the winner confirmed on new luck.

Every shelf's cost can be read from a run of the whole chain. A few runs in which all shelves are
scaled alike therefore tell, shelf by shelf, which scale suits it; the mixture made of these, and
the scales themselves, then compete with today's policies by ranking and selection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.network import Network
from twin.optimize.policy_parameters import backorder_price, policies_for
from twin.optimize.selection import Gain, Selected, paired, select
from twin.plan import Answer, Plan, Progress, Reason, Status
from twin.tally import Tally

Cells = Mapping[str, str]
Node = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trial:
    """One replication with some cells changed: same seed and replication, same luck."""

    cells: tuple[tuple[str, str], ...]
    seed: int
    replication: int


#: Plays trials, in their order.
Play = Callable[[Sequence[Trial]], Sequence[Tally]]
#: Told as the search goes: what is being done, replications so far, leader, its cost a day.
Told = Callable[[str, int, str, float], None]

_COLUMNS = ("reorder_point", "order_up_to", "safety_stock")
SCALES = (0.6, 0.75, 0.9, 1.1, 1.25)
_SEED_APART = 1_000_003  #: of the luck that confirms, from the luck that searches


@dataclass(frozen=True, slots=True)
class StockCost:
    """What stock decisions cost a day: holding, orders, waste, shortage.

    Goods bought and made are left out: they follow demand, and a stock run down within the horizon
    would count as a saving.
    """

    network: Network
    service: float = 0.95

    def rows(self, tally: Tally) -> dict[Node, float]:
        """Cost a day of each shelf; units owed are priced at its backorder cost."""
        price = {node: backorder_price(row, self.service)
                 for node, row in self.network.stock.items()}
        found = dict.fromkeys(price, 0.0)
        days = tally.hours / 24.0
        for (measure, site, product, _), value in tally.sums.items():
            node = site, product
            if node in found:
                if measure in ("holding_cost", "ordering_cost", "waste_cost"):
                    found[node] += value / days
                elif measure == "backorder_time":
                    found[node] += price[node] * value / 24.0 / days
        return found

    def total(self, tally: Tally) -> float:
        """Cost a day of all shelves, with lost sales and fixed costs of shipments."""
        days = tally.hours / 24.0
        fixed = {":".join((lane.origin, lane.destination, lane.mode)): lane.cost_per_shipment
                 for lane in self.network.lanes.values() if lane.cost_per_shipment > 0.0}
        more = sum(value for (measure, _, _, _), value in tally.sums.items()
                   if measure == "lost_cost")
        more += sum(value * fixed.get(place, 0.0)
                    for (measure, place, _, _), value in tally.sums.items()
                    if measure == "shipments")
        return sum(self.rows(tally).values()) + more / days


@dataclass(frozen=True, slots=True)
class Tuned:
    """The tuned plan, and how it was found.

    Attributes
    ----------
    gain
        Saving a day against today's policies, paired, on luck that the search never saw.
    row_gain
        The same for each shelf.
    tallies
        Of the confirmation: today's and the plan's.
    """

    plan: Plan
    selected: Selected
    gain: Gain
    row_gain: Mapping[Node, Gain]
    tallies: tuple[Sequence[Tally], Sequence[Tally]]


def tune(network: Network, play: Play, *, seed: int = 1, service: float = 0.95, pilots: int = 3,
         budget: int = 90, confirm: int = 30, scales: Sequence[float] = SCALES,
         told: Told | None = None) -> Tuned:
    """Tune reorder points, order-up-to levels and safety stocks by playing them.

    Parameters
    ----------
    network
        With the calibration applied; today's policies are its own.
    play
        Plays trials on a horizon of the caller's choice.
    pilots
        Replications of each scale before the mixture is made.
    budget
        Replications of the selection; `confirm` more pairs follow it.

    Returns
    -------
    Tuned
        Its plan keeps today's cells (none) if today's policies win.

    Raises
    ------
    ValueError
        If no shelf has a policy to tune.
    """
    began = time.perf_counter()
    today = tunable(network)
    if not today:
        raise ValueError(f"model {network.name} has no shelf with a policy to tune. Fill "
                         "`policy` in its table stock.")
    score = StockCost(network, service)
    book = _Book(play, score, seed)
    settings = settings_of(network, service, scales)
    progress: list[Progress] = []

    def tell(what: str, leader: str, cost: float) -> None:
        progress.append(Progress(time.perf_counter() - began, cost))
        if told is not None:
            told(what, book.played, leader, cost)

    rows = {name: book.rows(cells, range(pilots)) for name, cells in settings.items()}
    means = {name: float(np.mean(book.costs(cells, range(pilots))))
             for name, cells in settings.items()}
    first = min(means, key=lambda name: means[name])
    tell("scales", first, means[first])
    mixture = mixed(network, settings, rows)
    competing: dict[str, Cells] = {"today": {}, "mixture": mixture} | {
        name: settings[name] for name in sorted(means, key=lambda name: means[name])[:3]}
    chosen = select(
        lambda names, runs: {name: book.costs(competing[name], runs) for name in names},
        list(competing), indifference=max(0.005 * means["today"], 1e-9), budget=budget,
        told=lambda spent, leader, mean, left: tell(f"selection, {left} left", leader, mean))
    cells: Cells = competing[chosen.best]
    sure = _Book(play, score, seed + _SEED_APART)
    old, new = sure.tallies({}, range(confirm)), sure.tallies(cells, range(confirm))
    gain = paired([score.total(one) for one in old], [score.total(one) for one in new])
    old_rows, new_rows = [score.rows(one) for one in old], [score.rows(one) for one in new]
    row_gain = {node: paired([one[node] for one in old_rows], [one[node] for one in new_rows])
                for node in today}
    book.played += sure.played
    cost = float(np.mean([score.total(one) for one in new]))
    tell("confirmed", chosen.best, cost)
    if gain.verdict == "worse":  # what luck had promised: today's policies stay
        cells, cost = {}, float(np.mean([score.total(one) for one in old]))
    answer = Answer(
        Status.FEASIBLE, objective=cost, unit=f"{network.currency}/d",
        engine=f"ranking and selection ({chosen.best})", seconds=time.perf_counter() - began,
        work=float(book.played), stopped_by="proof" if chosen.proved else "work",
        start=float(np.mean([score.total(one) for one in old])), progress=tuple(progress),
        reasons=_reasons(network, cells, gain, row_gain, chosen))
    return Tuned(Plan("replenishment", network.name, 0.0, answer, cells=dict(cells)), chosen, gain,
                 row_gain, (old, new))


def tunable(network: Network) -> dict[Node, dict[str, float]]:
    """The cells that are tuned: of each shelf with a policy, by column, as they are today.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}], supply=[{"site": "W", "product": "tea"}],
    ...     stock=[{"site": "W", "product": "tea", "policy": "s_S", "reorder_point": 4,
    ...             "order_up_to": 9}])
    >>> tunable(network)
    {('W', 'tea'): {'reorder_point': 4.0, 'order_up_to': 9.0}}
    """
    found: dict[Node, dict[str, float]] = {}
    for node, row in network.stock.items():
        if row.policy is None:
            continue
        values = {column: float(getattr(row, column)) for column in _COLUMNS
                  if getattr(row, column)}
        if values:
            found[node] = values
    return found


def settings_of(network: Network, service: float, scales: Sequence[float]) -> dict[str, Cells]:
    """Candidates by name: today's, textbook, and today's with all shelves scaled alike."""
    today = tunable(network)
    book = {address: value for address, value in policies_for(network, service).cells.items()
            if address.rsplit(".", 1)[1] in (*_COLUMNS, "cover")}
    found: dict[str, Cells] = {"today": {}, "textbook": book}
    for scale in scales:
        found[f"today x {scale:g}"] = {
            cell: value for node, columns in today.items()
            for cell, value in _scaled(node, columns, scale).items()}
    return found


def mixed(network: Network, settings: Mapping[str, Cells],
          rows: Mapping[str, Sequence[Mapping[Node, float]]]) -> dict[str, str]:
    """Of each shelf the cells of the setting that was cheapest for it."""
    found: dict[str, str] = {}
    for node in tunable(network):
        cost = {name: float(np.mean([one[node] for one in seen])) for name, seen in rows.items()}
        best = min(cost, key=lambda name: cost[name])
        address = f"stock[{node[0]},{node[1]}]."
        found |= {cell: value for cell, value in settings[best].items()
                  if cell.startswith(address)}
    return found


def table(network: Network, tuned: Tuned) -> list[dict[str, object]]:
    """Rows of cell, today, proposed, and the effect on the shelf's cost a day."""
    found: list[dict[str, object]] = []
    for cell, value in tuned.plan.cells.items():
        table_name, key, column = network.find(cell)
        row = network.table(table_name)[key]
        old = getattr(row, column)
        gain = tuned.row_gain.get((str(key[0]), str(key[1]))) if isinstance(key, tuple) else None
        found.append({"cell": cell, "today": old, "proposed": value,
                      "saves": None if gain is None else gain.mean,
                      "low": None if gain is None else gain.low,
                      "high": None if gain is None else gain.high})
    return found


def _scaled(node: Node, columns: Mapping[str, float], scale: float) -> dict[str, str]:
    """A shelf's cells at a scale; an (s, S) keeps its gap, which sizes its orders."""
    values = {column: value * scale for column, value in columns.items()}
    if "reorder_point" in columns and "order_up_to" in columns:
        values["order_up_to"] = (values["reorder_point"] + columns["order_up_to"]
                                 - columns["reorder_point"])
    return {f"stock[{node[0]},{node[1]}].{column}": f"{value:.6g}"
            if abs(value) < 1e5 else f"{value:.0f}" for column, value in values.items()}


def _reasons(network: Network, cells: Cells, gain: Gain, rows: Mapping[Node, Gain],
             chosen: Selected) -> tuple[Reason, ...]:
    unit = f"{network.currency}/d"
    said = [Reason("binding", network.name,
                   f"{chosen.best} saves {gain.mean:,.2f} {unit} ({gain.low:,.2f} to "
                   f"{gain.high:,.2f}, {gain.replications} pairs on new luck): {gain.verdict}")]
    for node, one in sorted(rows.items(), key=lambda item: -abs(item[1].mean)):
        address = f"stock[{node[0]},{node[1]}]"
        if any(cell.startswith(address) for cell in cells):
            said.append(Reason("binding", address, f"saves {one.mean:,.2f} {unit} "
                               f"({one.low:,.2f} to {one.high:,.2f}): {one.verdict}",
                               price=one.mean))
    return tuple(said)


class _Book:
    """Tallies of settings, each played once a replication."""

    def __init__(self, play: Play, score: StockCost, seed: int) -> None:
        self.play, self.score, self.seed = play, score, seed
        self.known: dict[Trial, Tally] = {}
        self.played = 0

    def tallies(self, cells: Cells, runs: Sequence[int]) -> list[Tally]:
        trials = [Trial(tuple(sorted(cells.items())), self.seed, run) for run in runs]
        missing = [trial for trial in trials if trial not in self.known]
        if missing:
            for trial, tally in zip(missing, self.play(missing), strict=True):
                self.known[trial] = replace(tally, samples={}, times=np.empty(0))
            self.played += len(missing)
        return [self.known[trial] for trial in trials]

    def costs(self, cells: Cells, runs: Sequence[int]) -> list[float]:
        return [self.score.total(tally) for tally in self.tallies(cells, runs)]

    def rows(self, cells: Cells, runs: Sequence[int]) -> list[dict[Node, float]]:
        return [self.score.rows(tally) for tally in self.tallies(cells, runs)]
