"""Inventory routing on public instances (DIMACS 2021), against the best-known upper bounds.

``python benchmarks/inventory_routing.py [instance ...]``; data from TWIN_DATA.
"""

from __future__ import annotations

import csv
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scheduling import SEEDS

from twin.optimize.inventory_problem import Replenished
from twin.optimize.inventory_routing import deliver

if TYPE_CHECKING:
    from run import Finding

#: Small instances: 5 to 50 customers, three periods, dear and cheap holding.
CHOSEN = ("S_abs1n5_2_H3", "S_abs1n10_3_L3", "S_abs2n20_2_H3", "S_abs1n30_3_L3", "S_abs3n40_4_H3",
          "S_abs1n50_3_H3")
SECONDS = 60.0


def instance(text: str) -> Replenished:
    """An instance: size, the depot, a line a customer; distances are rounded.

    Holding counts what is left at the end of each period. With every tour of the smallest instances
    at hand the published optima come out to the cent.
    """
    (_, periods, capacity, trucks), depot, *rows = (
        line.split() for line in text.splitlines() if line.strip())
    places = np.array([[float(row[1]), float(row[2])] for row in (depot, *rows)])
    km = np.rint(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    start, most, demand = (tuple(int(row[k]) for row in rows) for k in (3, 4, 6))
    return Replenished(start, most, demand, tuple(float(row[7]) for row in rows), int(depot[4]),
                       int(depot[3]), float(depot[5]), km, int(capacity), int(trucks), int(periods))


def gaps(names: tuple[str, ...], seconds: float = SECONDS) -> list[float]:
    """Share over the best-known upper bound, by instance and seed."""
    folder = Path(os.environ.get("TWIN_DATA", "data")) / "irp"
    if not folder.is_dir():
        raise RuntimeError("irp is not in TWIN_DATA")
    with open(folder / "bounds.csv", encoding="utf-8") as file:
        known = {row["instance"]: float(row["ub"]) for row in csv.DictReader(file)}
    found = []
    with zipfile.ZipFile(folder / "irp_instances.zip") as packed:
        for name in names:
            problem = instance(packed.read(f"{name}.dat").decode())
            for seed in SEEDS:
                answer = deliver(problem, seconds, seed=seed).answer
                cost = float("inf") if answer.objective is None else answer.objective
                found.append(cost / known[name] - 1.0)
                print(f"  {name} seed {seed}: {cost:,.2f}, best known {known[name]:,.2f}, over it "
                      f"{100 * found[-1]:.2f} %, {answer.seconds:.0f} s, {answer.stopped_by}",
                      file=sys.stderr, flush=True)
    return found


def irp(repeats: int) -> Iterator[Finding]:
    """Small instances in 60 s each, three seeds."""
    from run import Finding

    found = gaps(CHOSEN)
    yield Finding(f"inventory routing, {len(CHOSEN)} small, 60 s: worst over the best known",
                  100 * max(found), "<=", 10, " %", f"mean {100 * sum(found) / len(found):.2f} %")


if __name__ == "__main__":
    gaps(tuple(sys.argv[1:]) or CHOSEN)
