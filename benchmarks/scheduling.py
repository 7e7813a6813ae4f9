"""Schedules against published optima, plain CP-SAT, PyJobShop and every dispatch rule.

Limits are wall seconds with the start of processes, on both cores, for everybody; three seeds. The
instances are read from TWIN_DATA (sets `jobshop` and `fjsp`); set-up shops are drawn here from a
seed. TWIN_BENCH_SEEDS=1 takes one seed, for a first look.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.optimize.schedule import Solved, solve
from twin.optimize.schedule_work import GOALS, Job, Task, Tool, Work

if TYPE_CHECKING:
    from run import Finding

HERE = Path(__file__).resolve().parent
SEEDS = tuple(range(1, 1 + int(os.environ.get("TWIN_BENCH_SEEDS", "3"))))
Jobs = list[list[list[list[int]]]]


def data(name: str) -> Path:
    """A folder of public data."""
    place = Path(os.environ.get("TWIN_DATA", "")) / name
    if "TWIN_DATA" not in os.environ or not place.is_dir():
        raise RuntimeError(f"TWIN_DATA has no {name}")
    return place


def job_shops() -> dict[str, tuple[Jobs, int]]:
    """Jobs and best known makespan of the classic instances present."""
    folder = data("jobshop")
    with gzip.open(folder / "benchmark_instances.json.gz") as file:
        told = json.load(file)
    with (folder / "best_known.csv").open() as rows:
        best = {row["instance"]: int(row["bks_ub"]) for row in csv.DictReader(rows)}
    return {name: ([[[[m, t]] for m, t in zip(ms, ts, strict=True)] for ms, ts in zip(
        one["machines_matrix"], one["duration_matrix"], strict=True)], best[name])
        for name, one in sorted(told.items()) if name in best}


def flexible_shops() -> dict[str, tuple[Jobs, int]]:
    """Brandimarte's instances present."""
    folder = data("fjsp")
    with (folder / "best_known_all.csv").open() as rows:
        best = {row["instance"]: int(row["bks_ub"]) for row in csv.DictReader(rows)}
    found = {}
    for file in sorted((folder / "brandimarte").glob("mk*.txt")):
        lines = file.read_text().split("\n")
        jobs: Jobs = []
        for line in lines[1:1 + int(lines[0].split()[0])]:
            numbers = iter(int(word) for word in line.split())
            jobs.append([[[next(numbers), next(numbers)] for _ in range(next(numbers))]
                         for _ in range(next(numbers))])
        low = min(m for job in jobs for ways in job for m, _ in ways)
        found[file.stem] = ([[[[m - low, t] for m, t in ways] for ways in job] for job in jobs],
                            best[file.stem])
    return found


def work_of(jobs: Jobs) -> Work:
    """A job shop as work."""
    machines = 1 + max(m for job in jobs for ways in job for m, _ in ways)
    return Work(tuple(Job(tuple(Task(tuple((m, t) for m, t in ways), k)
                                for k, ways in enumerate(job)), f"job {j}")
                      for j, job in enumerate(jobs)),
                tuple(Tool(f"M{m}") for m in range(machines)), goal=GOALS["makespan"])


def ours(work: Work, seconds: float, seed: int) -> Solved:
    """The twin's schedule within a limit by the clock."""
    began = time.time()
    found = solve(work, seconds=seconds, seed=seed, counted=False, explain=False)
    if time.time() - began > seconds + 0.5:
        print(f"  over the limit: {time.time() - began:.1f} s of {seconds:g}", file=sys.stderr)
    return found


def rival(program: Sequence[str], jobs: Jobs, seconds: float, seed: int) -> int | None:
    """The makespan that another process finds, its start included in the limit."""
    began = time.time()
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        start = 1.0  # what importing a solver takes, off its limit
        asked = {"jobs": jobs, "seconds": seconds - start, "seed": seed}
        out, err = process.communicate(json.dumps(asked))
    if process.returncode:
        raise RuntimeError(err.strip().split("\n")[-1])
    if time.time() - began > seconds + 3.0:
        print(f"  rival took {time.time() - began:.1f} s of {seconds:g}", file=sys.stderr)
    return None if json.loads(out) is None else int(json.loads(out))


def plain_cp_sat() -> None:
    """The textbook model on two workers: JSON in, the makespan out."""
    from ortools.sat.python import cp_model

    asked = json.load(sys.stdin)
    jobs: Jobs = asked["jobs"]
    horizon = sum(max(t for _, t in ways) for job in jobs for ways in job)
    model = cp_model.CpModel()
    on: dict[int, list[Any]] = {}
    makespan = model.new_int_var(0, horizon, "makespan")
    for job in jobs:
        before: Any = None
        for ways in job:
            begin, end = (model.new_int_var(0, horizon, "") for _ in range(2))
            here = [model.new_bool_var("") for _ in ways]
            model.add_exactly_one(here)
            for literal, (machine, minutes) in zip(here, ways, strict=True):
                model.add(end == begin + minutes).only_enforce_if(literal)
                on.setdefault(machine, []).append(
                    model.new_optional_fixed_size_interval_var(begin, minutes, literal, ""))
            if before is not None:
                model.add(begin >= before)
            before = end
        model.add(makespan >= before)
    for spans in on.values():
        model.add_no_overlap(spans)
    model.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = asked["seconds"]
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = asked["seed"]
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    print(json.dumps(int(solver.objective_value) if found else None))


CP_SAT = (sys.executable, str(Path(__file__).resolve()), "cp-sat")
PYJOBSHOP = (str(HERE / ".venv" / "bin" / "python"), str(HERE / "play_pyjobshop.py"))


def gaps(shops: dict[str, tuple[Jobs, int]], seconds: float, program: Sequence[str],
         ) -> tuple[list[float], list[float]]:
    """Gaps to the best known in per cent, ours and the rival's, by instance and seed."""
    mine, theirs = [], []
    for name, (jobs, best) in shops.items():
        for seed in SEEDS:
            found = ours(work_of(jobs), seconds, seed).score.makespan
            other = rival(program, jobs, seconds, seed)
            mine.append(100.0 * (found / best - 1.0))
            theirs.append(100.0 if other is None else 100.0 * (other / best - 1.0))
            print(f"  {name} seed {seed}: {found}, rival {other}, best known {best}",
                  file=sys.stderr, flush=True)
    return mine, theirs


def _told(what: str, mine: list[float], theirs: list[float], target: float,
          who: str) -> Iterator[Finding]:
    from run import Finding

    note = f"{len(mine)} runs, worst {max(mine):.2f} %, {who} {mean(theirs):.2f} %"
    yield Finding(f"{what}: mean gap to the best known", mean(mine), "<=", target, " %", note)
    yield Finding(f"{what}: gap below that of {who} by", mean(theirs) - mean(mine), ">=", 0.0,
                  " pt")


def _among(names: Sequence[str]) -> dict[str, tuple[Jobs, int]]:
    return {name: shop for name, shop in job_shops().items() if name in names}


def jobshop(repeats: int) -> Iterator[Finding]:
    """Job shops of 15 x 10 to 15 x 15, 10 s, and of 20 x 20, 60 s."""
    for what, names, seconds, target in (
            ("job shop la21-39, 10 s", [f"la{i}" for i in range(21, 40)], 10.0, 1.0),
            ("job shop ta01-09, 10 s", [f"ta{i:02}" for i in range(1, 10)], 10.0, 1.0),
            ("job shop ta21-29, 60 s", [f"ta{i}" for i in range(21, 30)], 60.0, 1.8)):
        yield from _told(what, *gaps(_among(names), seconds, CP_SAT), target, "plain CP-SAT")


def flexible(repeats: int) -> Iterator[Finding]:
    """Flexible job shops of Brandimarte, 10 s, against PyJobShop."""
    yield from _told("flexible job shop mk, 10 s", *gaps(flexible_shops(), 10.0, PYJOBSHOP), 3.0,
                     "PyJobShop")


# -- drawn shops ---------------------------------------------------------------------------------
def families(seed: int, lots: int = 20, machines: int = 5, kinds: int = 4) -> Work:
    """A job shop with set-ups between families and due dates that not all can keep."""
    luck = np.random.default_rng([seed, 0x5E7])
    drawn = [(f"f{luck.integers(kinds)}", luck.permutation(machines).tolist(),
              luck.integers(10, 100, machines).tolist(), int(luck.integers(1, 6)))
             for _ in range(lots)]
    setups = {}
    for m in range(machines):
        points = luck.integers(0, 60, (kinds, 2))  # set-ups are distances: no short cuts
        for a in range(kinds):
            for b in range(kinds):
                if a != b:
                    way = int(np.abs(points[a] - points[b]).sum())
                    setups[f"g{m}", f"f{a}", f"f{b}"] = (10 + way // 2, 0)
    load = max(sum(t for _, order, times, _ in drawn for at, t in zip(order, times, strict=True)
                   if at == m) for m in range(machines))
    jobs = tuple(Job(tuple(Task(((m, t),), k, family=family) for k, (m, t) in enumerate(
        zip(order, times, strict=True))), f"lot {i}", due=int(luck.uniform(0.4, 1.1) * load),
        weight=weight, order=i + 1, lot=i + 1, product=family)
        for i, (family, order, times, weight) in enumerate(drawn))
    return Work(jobs, tuple(Tool(f"M{m}", f"g{m}") for m in range(machines)), setups)


def setups(repeats: int) -> Iterator[Finding]:
    """Weighted tardiness with set-ups by family, 20 x 5, 5 s, against every dispatch rule."""
    from run import Finding

    ratios = []
    for number in range(1, 11):
        work = families(number)
        for seed in SEEDS:
            found = ours(work, 5.0, seed)
            best = min(rule.cost for rule in found.rules.values())
            ratios.append(found.score.cost / best)
            print(f"  shop {number} seed {seed}: {found.score.cost / 100:.0f}, best rule "
                  f"{best / 100:.0f}", file=sys.stderr, flush=True)
    yield Finding("set-ups by family 20x5, 5 s: worst cost over the best rule's", max(ratios),
                  "<=", 0.999, note=f"mean {mean(ratios):.2f} over {len(ratios)} runs")


if __name__ == "__main__" and sys.argv[1:] == ["cp-sat"]:
    plain_cp_sat()
