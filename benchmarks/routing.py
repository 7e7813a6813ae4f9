"""Public instances for routing: readers first."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twin.optimize.route_problem import RouteProblem, RouteTruck, Stop


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


_ = replace
