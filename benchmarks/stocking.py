"""Stock plans on public instances: guaranteed service (Willems 2008), lots under scenarios.

``python benchmarks/stocking.py [service|lots|trees|trigeiro|cases ...]``; data from TWIN_DATA.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from twin.optimize.guaranteed_service import ServiceNetwork, Stage, square_root
from twin.optimize.lot_plan import LotItem, LotProblem, sampled
from twin.optimize.lot_race import solve_lots

if TYPE_CHECKING:
    from run import Finding

# ---- guaranteed service ----


def willems_chain(folder: Path, number: int) -> ServiceNetwork:
    """A chain as a service network.

    Holding a unit costs what was spent on it so far (one unit of each supplier's); a unit of
    demand takes as many units of a stage as there are paths to it; the safety factor is that of
    the highest service level below; stage times are rounded to whole days.
    """
    with open(folder / f"chains/{number:02d}_stages.csv", encoding="utf-8") as file:
        rows = {row["Stage Name"]: row for row in csv.DictReader(file)}
    with open(folder / f"chains/{number:02d}_arcs.csv", encoding="utf-8") as file:
        arcs = tuple((row["sourceStage"], row["destinationStage"])
                     for row in csv.DictReader(file))
    plain = ServiceNetwork(tuple(Stage(name, 0, float) for name in rows), arcs)
    order, users, suppliers = plain.order(), plain.users(), plain.suppliers()
    value: dict[str, float] = {}
    for name in order:
        value[name] = _number(rows[name]["stageCost"]) + sum(value[up] for up in suppliers[name])
    level: dict[str, float] = {}
    needs: dict[str, np.ndarray] = {}  # units of each stage that one unit of every demand takes
    sds = np.array([_number(rows[name]["stdDevDemand"]) for name in order])
    for place, name in reversed(list(enumerate(order))):
        needs[name] = np.zeros(len(order))
        needs[name][place] = 1.0
        for down in users[name]:
            needs[name] += needs[down]
        level[name] = max([_number(rows[name]["serviceLevel"]),
                           *(level[down] for down in users[name])])
    return ServiceNetwork(tuple(
        Stage(name, days(rows[name]["stageTime"]),
              square_root(value[name], float(np.sqrt(((needs[name] * sds) ** 2).sum())),
                          float(stats.norm.ppf(level[name]))),
              most_quoted=days(rows[name]["maxServiceTime"]) if rows[name]["maxServiceTime"]
              else None if users[name] else 0)
        for name in order), arcs)


def days(text: str) -> int:
    """Whole days of a stage time."""
    return round(_number(text))


def _number(text: str) -> float:
    return float(text) if text else 0.0


def service(folder: Path, seconds: float, chains: list[int]) -> list[dict[str, object]]:
    """Cost of every chain against its reference, or its own bound."""
    known: dict[int, dict[str, str]] = {}
    with open(folder / "gsm_reference/gsm_optimal_costs.csv", encoding="utf-8") as file:
        known = {int(row["chain"]): row for row in csv.DictReader(file)}
    rows: list[dict[str, object]] = []
    for number in chains:
        network = willems_chain(folder, number)
        zero = network.evaluate({stage.name: 0 for stage in network.stages}).answer.objective
        began = time.perf_counter()
        found = network.best(seconds).answer
        row: dict[str, object] = {
            "chain": number, "stages": len(network.stages), "arcs": len(network.arcs),
            "cost": round(found.objective or 0.0, 2), "gap_to_bound": round(found.gap or 0.0, 5),
            "engine": found.engine, "seconds": round(time.perf_counter() - began, 1),
            "every_quote_0": round(zero or 0.0, 2)}
        if number in known:
            row["reference_quote_0"] = float(known[number]["cost_if_every_stage_quotes_0"])
            row["over_reference"] = round(
                (found.objective or 0.0) / float(known[number]["gsm_safety_stock_cost"]) - 1.0, 5)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def random_tree(stages: int, seed: int) -> ServiceNetwork:
    """A random tree of stages, arcs in both directions."""
    rng = np.random.default_rng(seed)
    arcs = [(str(at), str(new)) if rng.random() < 0.5 else (str(new), str(at))
            for new in range(1, stages) for at in (int(rng.integers(max(0, new - 10), new)),)]
    users = {up for up, _ in arcs}
    return ServiceNetwork(tuple(
        Stage(str(k), int(rng.integers(1, 6)),
              square_root(float(rng.uniform(1, 20)), float(rng.uniform(1, 10)), 1.645),
              most_quoted=None if str(k) in users else int(rng.integers(0, 3)))
        for k in range(stages)), tuple(arcs))


# ---- case studies ----

#: Networks with a published solution: file, file of its cost, and what holding a unit of cost costs
#: a year (the two large ones give costs, not rates, and their solutions in whole units).
CASES = (("battery_small_divergent", "brute_force_battery_small_divergent_sol_1", 1.0),
         ("bulldozer_small_linear", "brute_force_bulldozer_small_linear_sol_1", 1.0),
         ("bulldozer_small_convergent", "brute_force_bulldozer_small_convergent_sol_1", 1.0),
         ("battery", "battery_solution", 0.25), ("bulldozer", "bulldozer_solution", 0.3))


def case_network(text: str, rate: float = 1.0) -> ServiceNetwork:
    """A case study: holding costs what was spent so far, demands below are pooled."""
    rows = {cells[0]: cells for cells in (line.split(",") for line in text.splitlines()[1:])}
    ups = {name: [(cells[k], float(cells[k + 1])) for k in range(8, len(cells) - 1, 2) if cells[k]]
           for name, cells in rows.items()}
    arcs = tuple((up, name) for name, found in ups.items() for up, _ in found)
    plain = ServiceNetwork(tuple(Stage(name, 0, float) for name in rows), arcs)
    order, users = plain.order(), plain.users()
    value: dict[str, float] = {}
    for name in order:
        value[name] = rate * _number(rows[name][3]) + sum(n * value[up] for up, n in ups[name])
    sd: dict[str, float] = {}
    factor: dict[str, float] = {}
    for name in reversed(order):
        pool = _number(rows[name][4]) or 1.0
        below = [(dict(ups[down])[name] * sd[down], factor[down]) for down in users[name]]
        own = [(_number(rows[name][6]), _number(rows[name][7]))] if rows[name][6] else []
        sd[name] = sum(s**pool for s, _ in [*own, *below]) ** (1.0 / pool)
        factor[name] = max(k for _, k in [*own, *below])
    return ServiceNetwork(tuple(
        Stage(name, days(rows[name][1]), square_root(value[name], sd[name], factor[name]),
              most_quoted=days(rows[name][2]) if rows[name][2] else None if users[name] else 0)
        for name in order), arcs)


def cases(folder: Path) -> list[dict[str, object]]:
    """Cost of every case study against its published solution."""
    rows: list[dict[str, object]] = []
    for name, solution, rate in CASES:
        text = (folder / f"{name}.txt").read_text(encoding="utf-8")
        found = case_network(text, rate).best().answer
        told = json.loads((folder / f"{solution}.json").read_text(encoding="utf-8"))
        known = told["cost"] if isinstance(told, dict) else sum(one["cost"] for _, one in told)
        rows.append({"case": name, "cost": found.objective, "status": found.status.value,
                     "over_reference": (found.objective or 0.0) / known - 1.0})
        print(json.dumps(rows[-1]), flush=True)
    return rows


# ---- lots ----


def lots_instance(seed: int, items: int = 5, periods: int = 12, scenarios: int = 20) -> LotProblem:
    """A seeded instance: seasonal gamma demand (cv 0.3), load 85 % before set-ups, a set-up worth
    1.5 to 4 periods of demand, an owed unit ten times as dear as one held.
    """
    rng = np.random.default_rng(seed)
    made = []
    load = 0.0
    for number in range(items):
        level = rng.uniform(40, 120)
        season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(periods) / periods + rng.random()))
        holding, cover = rng.uniform(0.5, 1.5), rng.uniform(1.5, 4)
        made.append(LotItem(f"product {number + 1}", sampled(level * season, 0.3, scenarios, rng),
                            setup_cost=0.5 * holding * level * cover**2, holding=holding,
                            backlog=10 * holding, setup_time=rng.uniform(5, 15)))
        load += level
    return LotProblem(tuple(made), (round(load / 0.85 + 20, 1),) * periods)


def lots(seconds: float, seeds: int) -> list[dict[str, object]]:
    """Certified gap of lots over 20 scenarios."""
    rows: list[dict[str, object]] = []
    for seed in range(1, seeds + 1):
        began = time.perf_counter()
        answer = solve_lots(lots_instance(seed), seconds, work=math.inf).answer
        rows.append({"seed": seed, "cost": round(answer.objective or 0.0, 2),
                     "bound": round(answer.bound or 0.0, 2), "gap": round(answer.gap or 1.0, 5),
                     "engine": answer.engine, "seconds": round(time.perf_counter() - began, 2)})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def trigeiro(folder: Path, seconds: float, most: int) -> list[dict[str, object]]:
    """Known demand with set-up times: cost against the reference."""
    with open(folder / "computed_reference_costs.csv", encoding="utf-8") as file:
        known = {row["instance"]: row for row in csv.DictReader(file)}
    rows: list[dict[str, object]] = []
    with zipfile.ZipFile(folder / "clsp_instances.zip") as packed:
        names = {Path(name).stem: name for name in packed.namelist()}
        for name in [one for one in known if one in names][:most]:
            answer = solve_lots(_trigeiro(packed.read(names[name]).decode()), seconds,
                                work=math.inf).answer
            rows.append({"instance": name, "cost": answer.objective, "gap": answer.gap,
                         "over_reference": None if answer.objective is None else
                         round(answer.objective / float(known[name]["best_cost"]) - 1.0, 5)})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _trigeiro(text: str) -> LotProblem:
    """Products and periods; unit cost; capacity; by product unit time, holding, set-up time and
    set-up cost; demand by period and product.
    """
    lines = [line.split() for line in text.splitlines() if line.split()]
    items, periods = int(lines[0][0]), int(lines[0][1])
    capacity = (float(lines[2][0]),) * periods
    heads = [[float(value) for value in line] for line in lines[3:3 + items]]
    blocks = -(-items // 15)  # at most 15 products a row
    rows = lines[3 + items:3 + items + blocks * periods]
    table = [[value for block in range(blocks) for value in rows[block * periods + period]]
             for period in range(periods)]
    return LotProblem(tuple(
        LotItem(f"product {k + 1}", (tuple(float(row[k]) for row in table),),
                setup_cost=head[3], holding=head[1], setup_time=head[2], unit_time=head[0])
        for k, head in enumerate(heads)), capacity)


# ---- for `make bench` ----


def stocking(repeats: int) -> Iterator[Finding]:
    """Guaranteed service and lots; data sets that are not there are said to be missing."""
    from run import Finding

    data = Path(os.environ.get("TWIN_DATA", "data"))
    spent = []
    for seed in (1, 2, 3):
        network = random_tree(200, seed)
        began = time.perf_counter()
        answer = network.best().answer
        spent.append(time.perf_counter() - began if answer.status.value == "optimal" else 1e9)
    yield Finding("guaranteed service, trees of 200: seconds to the optimum", max(spent), "<=", 1,
                  " s")
    found = [abs(float(str(row["over_reference"]))) for row in cases(_there(data,
             "gsm_case_studies"))]
    yield Finding("guaranteed service, case studies: furthest from the published", 100 * max(found),
                  "<=", 0.1, " %", f"{len(found)} networks")
    folder = _there(data, "willems2008")
    chains = sorted(int(path.name[:2]) for path in (folder / "chains").glob("*_stages.csv"))
    rows = service(folder, 30.0, chains)
    over = [float(str(row["over_reference"])) for row in rows if "over_reference" in row]
    gaps = [float(str(row["gap_to_bound"])) for row in rows if "over_reference" not in row]
    if over:
        yield Finding("guaranteed service, Willems, 30 s: worst over the reference",
                      100 * max(over), "<=", 1, " %", f"{len(over)} chains")
    if gaps:
        yield Finding("guaranteed service, other Willems: gap to the own bound", 100 * max(gaps),
                      note=f"{len(gaps)} chains", unit=" %")
    rows = lots(10.0, 3)
    yield Finding("lots over 20 scenarios, 10 s: worst certified gap",
                  100 * max(float(str(row["gap"])) for row in rows), "<=", 1.5, " %")
    rows = trigeiro(_there(data, "clsp_trigeiro"), 10.0, 6)
    yield Finding("lots, Trigeiro, 10 s: mean over the reference", 100 * sum(
        float(str(row["over_reference"])) for row in rows) / len(rows), unit=" %",
        note=f"{len(rows)} instances")


def _there(data: Path, name: str) -> Path:
    if not (data / name).is_dir():
        raise RuntimeError(f"{name} is not in TWIN_DATA")
    return data / name


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["trees", "service", "lots", "trigeiro",
                                                    "cases"])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--chains", default="")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    data = Path(os.environ.get("TWIN_DATA", "data"))
    if "trees" in asked.what:
        for seed in range(1, asked.seeds + 1):
            network = random_tree(200, seed)
            began = time.perf_counter()
            answer = network.best().answer
            print(json.dumps({"tree": seed, "stages": 200, "status": answer.status.value,
                              "seconds": round(time.perf_counter() - began, 3)}), flush=True)
    for what, folder in (("service", data / "willems2008"), ("trigeiro", data / "clsp_trigeiro"),
                         ("cases", data / "gsm_case_studies")):
        if what in asked.what and not folder.is_dir():
            print(f"{what}: {folder.name} is not in TWIN_DATA; skipped")
            asked.what = [one for one in asked.what if one != what]
    if "service" in asked.what:
        there = sorted(int(path.name[:2])
                       for path in (data / "willems2008/chains").glob("*_stages.csv"))
        chosen = [int(one) for one in asked.chains.split(",") if one] or there
        service(data / "willems2008", asked.seconds or 30.0, chosen)
    if "lots" in asked.what:
        lots(asked.seconds or 10.0, asked.seeds)
    if "cases" in asked.what:
        cases(data / "gsm_case_studies")
    if "trigeiro" in asked.what:
        trigeiro(data / "clsp_trigeiro", asked.seconds or 10.0, 6)


if __name__ == "__main__":
    main()
