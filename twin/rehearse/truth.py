"""The hidden truth of a rehearsal: parameters that the twin is not told, and planted faults.

A truth is a YAML file beside a CSV of cells in the format of a calibration, so that a score is one
comparison of two tables of the same shape.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from twin.clock import format_duration
from twin.document import DocumentError, read_document
from twin.network import Network
from twin.parameters import COLUMNS, Calibration, Parameter, read_parameters
from twin.quantity import Quantity
from twin.rehearse.failing import Failing, failing_machine, read_failing
from twin.rehearse.fault import FAULTS, Fault, read_faults
from twin.scenario import Scenario

#: Cells whose true value may differ from the tables: table, column.
HIDEABLE = (
    ("lanes", "transit"), ("supply", "lead_time"), ("routings", "process_time"),
    ("routings", "setup_time"), ("setups", "time"), ("failures", "time_to_failure"),
    ("failures", "time_to_repair"), ("demand", "interarrival"), ("demand", "size"),
)
#: Families that can be stretched and stay what they are.
_STRETCHED = {"exponential": ("mean",), "lognormal": ("mean", "sd"), "gamma": ("mean", "sd"),
              "weibull": ("scale",), "normal": ("mean", "sd"), "poisson": ("mean",),
              "uniform": ("low", "high"), "triangular": ("low", "mode", "high"),
              "erlang": ("mean",)}
_HEAD = ("title", "model", "seed", "cells", "events", "faults", "failing")


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really so.

    Attributes
    ----------
    model, seed
        Of which chain; the seed is the luck of the operation and of its instruments.
    cells
        True values of table cells.
    change
        Events planted in the operation, such as a lane that becomes slower for good; times from
        the moment when listening begins.
    faults
        Planted faults of the instruments and of the transmission.
    failing
        Machines whose degradation runs away.
    """

    model: str
    seed: int
    cells: tuple[Parameter, ...] = ()
    change: Scenario = field(default_factory=Scenario.baseline)
    faults: tuple[Fault, ...] = ()
    failing: tuple[Failing, ...] = ()

    def scenario(self) -> Scenario:
        """Everything planted in the operation: lasting changes and breakdowns."""
        events = dict(self.change.document()["events"]) if self.change.events else {}
        for one in self.failing:
            events |= one.events()
        return Scenario(name="planted", events=events) if events else self.change

    def apply(self, network: Network) -> Network:
        """The network as it really is."""
        return Calibration("truth", rows=self.cells, file="the truth").apply(network)


def hide(network: Network, seed: int, spread: float = 0.25) -> Truth:
    """A random truth near what the tables say.

    Parameters
    ----------
    seed
        Decides everything.
    spread
        Standard deviation of the logarithm of true over written values.

    Examples
    --------
    >>> shop = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "exponential(mean=10h)"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    ...     stock=[{"site": "W", "product": "tea", "on_hand": 9}],
    ...     demand=[{"site": "W", "product": "tea", "interarrival": "exponential(mean=1d)"}],
    ... )
    >>> [cell.cell for cell in hide(shop, 1).cells]
    ['supply[S,tea].lead_time', 'demand[W,tea,].interarrival']
    """
    random = np.random.default_rng([seed, 0x7217])
    cells = []
    for table, column in HIDEABLE:
        for key, row in network.table(table).items():
            law = getattr(row, column)
            factor = math.exp(random.normal(0.0, spread))  # drawn for all: each has its own luck
            if isinstance(law, Quantity) and law.kind in _STRETCHED and law.mean() > 0.0:
                cells.append(Parameter(table, written_key(key), column,
                                       value=str(stretched(law, factor)), source="truth"))
    return Truth(network.name, seed, tuple(cells))


def written_key(key: object) -> str:
    """The key of a row as it stands in a cell's address."""
    parts = key if isinstance(key, tuple) else (key,)
    return ",".join("" if part is None else str(part) for part in parts)


def stretched(law: Quantity, factor: float) -> Quantity:
    """The same law with every value times a factor.

    Examples
    --------
    >>> from twin.quantity import parse_quantity
    >>> str(stretched(parse_quantity("gamma(mean=2h, sd=1h)", True), 2.0))
    'gamma(mean=4h, sd=2h)'
    """
    scaled = _STRETCHED[law.kind]
    return replace(law, params=tuple(
        (name, float(f"{value * factor:.6g}") if name in scaled else value)
        for name, value in law.params))


def read_truth(path: Path) -> Truth:
    """Read a truth.

    Raises
    ------
    DocumentError
        If the file is none; every problem at once.
    """
    head = read_document(path)
    problems = [f"{path.name}: '{key}' is unknown. There are {', '.join(_HEAD)}."
                for key in head if key not in _HEAD]
    for key in ("model", "seed"):
        if key not in head:
            problems.append(f"{path.name}: {key} is missing. Write it.")
    seed = head.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        problems.append(f"{path.name}: seed '{seed}' is not a whole number.")
    name = str(head.get("cells", f"{path.stem}.csv"))
    cells = path.parent / name
    if not cells.resolve().is_relative_to(path.parent.resolve()):
        problems.append(f"{path.name}: cells '{name}' lies outside the folder. Put it beside.")
    elif "cells" in head and not cells.is_file():
        problems.append(f"{path.name}: cells '{name}' is not a file.")
    faults, wrong = read_faults(head.get("faults", []), path.name)
    failing, wrong_too = read_failing(head.get("failing", []), path.name)
    problems += [*wrong, *wrong_too]
    if problems:
        raise DocumentError("\n".join(problems))
    change = Scenario.from_document(path.stem, {"title": "Planted", "means": "Planted changes.",
                                                "events": head["events"]}) \
        if head.get("events") else Scenario.baseline()
    return Truth(str(head["model"]), seed, read_parameters(cells) if cells.is_file() else (),
                 change, faults, failing)


def write_truth(truth: Truth, path: Path) -> None:
    """Write a truth: PATH and the cells beside it."""
    cells = path.with_suffix(".csv")
    with cells.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in truth.cells)
    head: dict[str, Any] = {"title": "Hidden truth of a rehearsal", "model": truth.model,
                            "seed": truth.seed, "cells": cells.name}
    if truth.change.events:
        head["events"] = {name: {**event, "start": format_duration(event.get("start", 0.0))}
                          for name, event in truth.change.document()["events"].items()}
    if truth.faults:
        head["faults"] = [fault.document() for fault in truth.faults]
    if truth.failing:
        head["failing"] = [one.document() for one in truth.failing]
    path.write_text(yaml.safe_dump(head, sort_keys=False, allow_unicode=True), encoding="utf-8")


def plant(truth: Truth, network: Network, sensors: Sequence[str]) -> Truth:
    """The truth with one fault of every kind, on sensors drawn by its seed, one machine that fails
    ever sooner, and one lane that becomes half as slow again for good.
    """
    random = np.random.default_rng([truth.seed, 0xFA17])
    faults = tuple(_one_of_each(random, list(sensors)))
    truth = replace(truth, failing=failing_machine(network, 15 * 24.0, 4 * 24.0, np.random
                                                   .default_rng([truth.seed, 0xFA11])))
    lanes = [lane for lane in network.lanes.values()
             if lane.transit is not None and lane.transit.kind != "constant"]
    if not lanes:
        return replace(truth, faults=faults)
    lane = lanes[int(random.integers(len(lanes)))]
    event = {"type": "transit", "origins": lane.origin, "destinations": lane.destination,
             "modes": lane.mode, "factor": 1.5, "start": "20d"}
    return replace(truth, faults=faults,
                   change=Scenario(name="planted", events={"slower_lane": event}))


def _one_of_each(random: np.random.Generator, sensors: list[str]) -> Iterator[Fault]:
    """Faults of values go to thermometers, if there are any, where they mean something."""
    warm = [name for name in sensors if name.startswith("temperature")] or sensors
    for name, law in FAULTS.items():
        among = warm if law.of_values else sensors
        chosen = among[int(random.integers(len(among)))] if among else "*"
        yield Fault.planted(name, chosen, random)
