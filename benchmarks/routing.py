"""Routes on public instances against PyVRP alone and OR-Tools alone, and against the best known.

Limits are seconds of each of two processes (or of the clock, process start
included); a rival gets both cores as the better of two seeds. Differences are paired by
instance and seed, with a 95 % interval of the mean.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from twin.optimize.route_checker import faults
from twin.optimize.route_problem import RouteProblem, RouteTruck, Stop
from twin.optimize.route_race import Course, Leg, race
from twin.optimize.route_times import Tour, leg_km

if TYPE_CHECKING:
    from run import Finding


@dataclass(frozen=True)
class Instance:
    """A public instance and the best known solution of it."""

    name: str
    problem: RouteProblem
    best: float
    trucks: int = 0


def _metric(points: np.ndarray, whole: bool = False) -> np.ndarray:
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    return np.floor(gaps + 0.5) if whole else gaps


def solomon(path: Path, goal: str) -> RouteProblem:
    """A VRPTW in Solomon's format."""
    lines = path.read_text().splitlines()
    fleet = next(k for k, line in enumerate(lines) if line.startswith("NUMBER")) + 1
    count, capacity = (int(x) for x in lines[fleet].split())
    rows = [[float(x) for x in line.split()] for line in lines[fleet + 1:]
            if len(line.split()) == 7 and line.split()[0].isdigit()]
    gaps = _metric(np.array([[r[1], r[2]] for r in rows]))
    stops = tuple(Stop(str(int(r[0])), k, (r[3],), ((r[4], r[5]),), r[6])
                  for k, r in enumerate(rows) if k)
    trucks = tuple(RouteTruck(f"v{k}", capacity=(float(capacity),), latest=rows[0][5])
                   for k in range(count))
    return RouteProblem(gaps, gaps, stops, trucks, goal=goal)


def li_lim(path: Path, goal: str = "trucks") -> RouteProblem:
    """A PDPTW in Li and Lim's format."""
    lines = [[float(x) for x in line.split()] for line in path.read_text().splitlines() if line]
    count, capacity = int(lines[0][0]), lines[0][1]
    rows = lines[1:]
    gaps = _metric(np.array([[r[1], r[2]] for r in rows]))
    stops = tuple(Stop(str(int(r[0])), k, (-r[3],), ((r[4], r[5]),), r[6])
                  for k, r in enumerate(rows) if k)
    pairs = tuple((k - 1, int(r[8]) - 1) for k, r in enumerate(rows) if k and r[8])
    trucks = tuple(RouteTruck(f"v{k}", capacity=(capacity,), latest=rows[0][5])
                   for k in range(count))
    return RouteProblem(gaps, gaps, stops, trucks, pairs, goal)


def cvrp(path: Path) -> RouteProblem:
    """A CVRP in TSPLIB format, distances rounded."""
    points: list[list[float]] = []
    demand: list[float] = []
    capacity, section = 0.0, ""
    for line in path.read_text().splitlines():
        words = line.replace(":", " ").split()
        if not words:
            continue
        if words[0] == "CAPACITY":
            capacity = float(words[1])
        elif words[0].endswith("_SECTION"):
            section = words[0]
        elif section == "NODE_COORD_SECTION":
            points.append([float(words[1]), float(words[2])])
        elif section == "DEMAND_SECTION":
            demand.append(float(words[1]))
    gaps = _metric(np.array(points), whole=True)
    stops = tuple(Stop(str(k), k, (demand[k],)) for k in range(1, len(points)))
    trucks = tuple(RouteTruck(f"v{k}", capacity=(capacity,)) for k in range(len(stops)))
    least = int(np.ceil(sum(demand) / capacity))
    return RouteProblem(gaps, gaps, stops, trucks[:least + max(5, least // 3)])


def instances(kind: str, pattern: str = "", goal: str = "trucks") -> list[Instance]:
    """The instances present of ``vrptw``, ``pdptw`` or ``cvrp``."""
    if "TWIN_DATA" not in os.environ:
        raise RuntimeError("TWIN_DATA does not say where the public instances are")
    place = Path(os.environ["TWIN_DATA"]) / kind
    best = json.loads((place / "BKS.json").read_text())
    folder = {"vrptw": "solomon", "pdptw": "li_lim_100", "cvrp": "X"}[kind]
    read = {"vrptw": lambda p: solomon(p, goal), "pdptw": lambda p: li_lim(p, goal),
            "cvrp": cvrp}[kind]
    found = []
    for path in sorted((place / folder).iterdir()):
        key = path.stem + ("_distance" if kind == "vrptw" and goal == "cost" else "")
        if key in best and path.stem.startswith(pattern):
            row = best[key]
            found.append(Instance(path.stem, read(path), row["best_known_cost"],
                                  row.get("solved_with_vehicles", 0)))
    return found


@dataclass(frozen=True)
class Row:
    """One instance, one seed: what was reached."""

    name: str
    seed: int
    trucks: int
    gap: float  #: per cent above the best known distance
    beyond: int = 0  #: trucks above the best known


#: A contestant: plays an instance for so many seconds with a seed by a clock.
Play = Callable[[Instance, float, int, str], Row]


def ours(one: Instance, seconds: float, seed: int, clock: str) -> Row:
    """The race."""
    done = race(one.problem, seconds=seconds, seed=seed, counted=False, clock=clock)
    return _row(one, seed, done.tours)


def alone(engine: str, one: Instance, seconds: float, seed: int, clock: str) -> Row:
    """One engine on both cores, each with its own seed; the better of the two."""
    course = Course((Leg(0.97, (engine, engine), from_best=False),))
    done = race(one.problem, seconds=seconds, seed=seed, counted=False, clock=clock, over=course)
    return _row(one, seed, done.tours)


def _row(one: Instance, seed: int, tours: tuple[Tour, ...] | None) -> Row:
    if tours is None or faults(one.problem, tours):
        return Row(one.name, seed, 0, float("inf"), 99)
    km = sum(sum(leg_km(one.problem, tour.trip)) for tour in tours)
    return Row(one.name, seed, len(tours), 100.0 * (km / one.best - 1.0), len(tours) - one.trucks)


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval, by Student's t."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("-inf"), float("inf")
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half


def routing(repeats: int, seconds: float = 10.0, clock: str = "wall",
            only: dict[str, list[str]] | None = None, told: bool = False) -> Iterator[Finding]:
    """The measurements that ``benchmarks/run.py`` prints: three seeds an instance."""
    seeds = range(1, 1 + (3 if repeats >= 3 else 1))

    def chosen(kind: str, goal: str = "trucks", pattern: str = "") -> list[Instance]:
        names = None if only is None else only.get(f"{kind} {goal}", [])
        return [one for one in instances(kind, pattern, goal) if names is None or one.name in names]

    def rows(kind: str, goal: str, *plays: Play) -> list[list[Row]]:
        """What each contestant reached: they take turns at every instance and seed."""
        found: list[list[Row]] = [[] for _ in plays]
        for one in chosen(kind, goal):
            for seed in seeds:
                for play, mine in zip(plays, found, strict=True):
                    mine.append(play(one, seconds, seed, clock))
                    if told:
                        print("   ", mine[-1], flush=True)
        return found

    for kind, what, share in (("vrptw", "VRPTW, vehicles first", 85.0),
                              ("pdptw", "pickup and delivery", 87.5)):
        [done] = rows(kind, "trucks", ours)
        if done:
            yield from _fleet(what, done, share)
    for kind, rivals in (("vrptw", ("pyvrp", "ortools")), ("cvrp", ("pyvrp",))):
        mine, pyvrp, *others = rows(kind, "cost", ours, *(partial(alone, engine)
                                                          for engine in rivals))
        for what, most, low, high in _SIZES[kind]:
            pairs = [(a, b) for a, b in zip(mine, pyvrp, strict=True)
                     if low < int(a.name.partition("-n")[2].partition("-")[0] or 100) <= high]
            if pairs:
                yield from _against(what, [a for a, _ in pairs], [b for _, b in pairs], most)
        for ortools in others:
            both = [(a.gap, b.gap) for a, b in zip(mine, ortools, strict=True)
                    if np.isfinite(b.gap)]
            if both:
                own, theirs = np.mean(both, axis=0)
                yield _finding("VRPTW, distance: gap over that of OR-Tools alone",
                               max(0.0, own) / max(theirs, 1e-9), "<=", 0.25,
                               note=f"{own:.2f} % against {theirs:.2f} %")


#: What each kind is reported as: by size, with the largest mean gap asked, above and up to so many
#: points.
_SIZES: dict[str, list[tuple[str, float | None, int, int]]] = {
    "vrptw": [("VRPTW, distance", None, 0, 1000)],
    "cvrp": [("CVRP X to n=200", 1.2, 0, 200), ("CVRP X, n=200-300", 2.0, 200, 300),
             ("CVRP X above n=300", None, 300, 10_000)]}


def _fleet(what: str, rows: list[Row], share: float) -> Iterator[Finding]:
    equal = [row for row in rows if row.beyond <= 0]
    yield _finding(f"{what}: best-known vehicles", 100.0 * len(equal) / len(rows), ">=", share,
                   "%", f"{len(rows)} runs")
    yield _finding(f"{what}: most vehicles above the best known",
                   max(row.beyond for row in rows), "<=", 1, "")
    if equal:
        mean, low, high = interval([row.gap for row in equal])
        yield _finding(f"{what}: distance where vehicles are equal", mean, "<=", 1.5, "%",
                       f"95 % interval {low:.2f} to {high:.2f}")


def _against(what: str, mine: list[Row], theirs: list[Row], most: float | None
             ) -> Iterator[Finding]:
    mean, low, high = interval([row.gap for row in mine])
    yield _finding(f"{what}: gap to the best known", mean, "<=" if most else "", most or 0.0, "%",
                   f"95 % interval {low:.2f} to {high:.2f}, {len(mine)} runs")
    mean, low, high = interval([a.gap - b.gap for a, b in zip(mine, theirs, strict=True)])
    yield _finding(f"{what}: behind PyVRP alone by, lower end", low, "<=", 0.0, "%",
                   f"paired {mean:+.3f} %, 95 % interval {low:+.3f} to {high:+.3f}")


def _finding(what: str, value: float, sign: str, target: float, unit: str = "x",
             note: str = "") -> Finding:
    from run import Finding

    return Finding(what, value, sign, target, unit, note)


def main() -> None:
    """A part of the measurements: ``routing.py 'vrptw trucks=C101,R104' --seconds 5``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("what", nargs="*", help="kind, goal and instances; default all")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--seeds", type=int, default=3, choices=(1, 3))
    asked = parser.parse_args()
    only = {part.split("=")[0]: part.split("=")[1].split(",") for part in asked.what} or None
    for finding in routing(asked.seeds, asked.seconds, asked.clock, only, told=True):
        print(finding.row(), flush=True)


if __name__ == "__main__":
    main()
