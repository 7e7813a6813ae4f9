"""After a breakdown: tardiness against operations moved, in shops of work centres and job shops.

How the shops, their due dates and the breakdowns are drawn is said in the README; it was settled
before anything was measured. `TWIN_BENCH_SEEDS=1` takes one seed, for a first look.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np
from scheduling import SEEDS, job_shops, ours, work_of

from twin.optimize.rescheduling import in_force
from twin.optimize.schedule import plan_of, solve
from twin.optimize.schedule_repair import repaired
from twin.optimize.schedule_score import Schedule, firsts, moved, score
from twin.optimize.schedule_work import GOALS, Job, Task, Tool, Work
from twin.plan import Plan

if TYPE_CHECKING:
    from run import Finding

HERE = Path(__file__).resolve().parent
SHARES = (0.0, 0.05, 0.1, 0.2, None)  #: of operations that may move
CENTRES = (1, 2, 2, 3)  #: machines in each work centre
CLASSIC = ("abz5", "la17", "la19", "orb01", "orb03")
FLOW = 1.5  #: due date: release and so many times the work (Singer and Pinedo 1998)


def centres(number: int, lots: int = 40, steps: int = 5) -> Work:
    """A shop of work centres, 90 % busy with lots that come over days."""
    luck = np.random.default_rng([number, 0xB4EA])
    group = [c for c, size in enumerate(CENTRES) for _ in range(size)]
    drawn = [[(group[int(luck.integers(len(group)))], int(luck.integers(30, 121)))
              for _ in range(steps)] for _ in range(lots)]
    span = sum(minutes for lot in drawn for _, minutes in lot) / (0.9 * len(group))
    jobs = []
    for i, lot in enumerate(drawn):
        release = max(0, int(luck.uniform(-0.25, 1.0) * span))
        jobs.append(Job(
            tuple(Task(tuple((m, minutes) for m, at in enumerate(group) if at == centre), k)
                  for k, (centre, minutes) in enumerate(lot)),
            f"lot {i + 1}", release, release + int(FLOW * sum(minutes for _, minutes in lot)),
            (4, 2, 2, 2, 1)[i % 5], order=i + 1, lot=i + 1, product="part"))
    return Work(tuple(jobs), tuple(Tool(f"M{m}", f"g{c}") for m, c in enumerate(group)))


def classic(number: int) -> Work:
    """A 10 x 10 job shop with the due dates and weights of Singer and Pinedo."""
    work = work_of(job_shops()[CLASSIC[number - 1]][0])
    lots = len(work.jobs)
    return replace(work, goal=GOALS["tardiness"], jobs=tuple(replace(
        job, due=int(FLOW * sum(task.ways[0][1] for task in job.tasks)),
        weight=4 if i < lots // 5 else 2 if i < lots - lots // 5 else 1,
        order=i + 1, lot=i + 1, product="part") for i, job in enumerate(work.jobs)))


@dataclass(frozen=True)
class Breakdown:
    """What is left of some work when a machine fails, and the plan that was in force."""

    work: Work
    plan: Plan
    now: int

    def held(self, share: float | None) -> Work:
        """The work with so many operations free to move, at no price."""
        return in_force(self.work, self.plan, self.now / 60.0, 0.0, share=share)


def breakdown(work: Work, schedule: Schedule, plan: Plan, number: int) -> Breakdown:
    """A busy machine fails in its first half, for 10 to 15 % of its work (Al-Hinai and ElMekkawy).
    """
    luck = np.random.default_rng([number, 0xD0])
    spans = list(zip(schedule.machine, schedule.start, schedule.end, strict=True))
    busy = np.array([sum(b - a for at, a, b in spans if at == m) for m in range(len(work.tools))])
    down = int(luck.choice(len(busy), p=busy / busy.sum()))
    worked = luck.uniform(0.0, 0.5) * busy[down]
    length = max(1, int(luck.uniform(0.10, 0.15) * busy[down]))
    begin = 0
    for begin, end in sorted((a, b) for at, a, b in spans if at == down):
        if worked < end - begin:
            break
        worked -= end - begin
    now = begin + int(worked)
    first, jobs = firsts(work), []
    for j, job in enumerate(work.jobs):
        left = [task if schedule.start[v] >= now else replace(
            task, ways=((schedule.machine[v], schedule.end[v] - now),),
            started=now - schedule.start[v])
            for v, task in enumerate(job.tasks, first[j]) if schedule.end[v] > now]
        if left:
            assert job.due is not None
            jobs.append(replace(job, tasks=tuple(left), release=max(0, job.release - now),
                                due=job.due - now))
    tools = tuple(replace(tool, closed=((0, length),)) if m == down else tool
                  for m, tool in enumerate(work.tools))
    return Breakdown(replace(work, jobs=tuple(jobs), tools=tools), plan, now)


Runs = dict[float | None, list[tuple[int, float, int]]]


def measured(make: Callable[[int], Work], kind: str) -> tuple[Runs, list[float], list[int]]:
    """Instance, share moved and tardiness of each run; the least share of each instance that has
    to move; and the tardiness of shifting the plan to the right."""
    runs: Runs = {share: [] for share in SHARES}
    fewest, shifted = [], []
    for number in range(1, 6):
        work = make(number)
        first = solve(work, seconds=100.0, seed=number, explain=False)
        case = breakdown(work, first.schedule, plan_of(first, "shop", 0.0), number)
        counted = sum(one is not None for one in case.held(None).plan)
        shifted.append(score(case.work, repaired(case.held(None))[0]).tardiness)
        least = 0
        for seed in SEEDS:
            line = []
            for share in SHARES:
                one = ours(case.held(share), 5.0, seed)
                away = len(moved(case.held(share), one.schedule))
                least = max(least, one.fewest or 0)
                runs[share].append((number, away / counted, one.score.tardiness))
                line.append(f"{away} at {one.score.tardiness}")
            print(f"  {kind} {number} seed {seed}, {counted} held, shifted {shifted[-1]}, at "
                  f"least {least}: {', '.join(line)}", file=sys.stderr, flush=True)
        fewest.append(least / counted)
    return runs, fewest, shifted


def rescheduling(repeats: int) -> Iterator[Finding]:
    """After a breakdown: how many operations move, at which tardiness; the frontier drawn."""
    from run import Finding

    for kind, make in (("work centres", centres), ("job shop", classic)):
        runs, fewest, shifted = measured(make, kind)
        free = sum(late for _, _, late in runs[None])
        points = [(mean(away for _, away, _ in rows), sum(late for _, _, late in rows)
                   / max(1, free)) for rows in runs.values()]
        best = {n: min(late for rows in runs.values() for m, _, late in rows if m == n)
                for n in range(1, 6)}
        tenth = runs[0.1]
        each = [late / max(1, best[n]) for n, _, late in tenth]
        note = "; ".join(f"{100 * away:.0f} % at {late:.2f}" for away, late in points)
        note += (f"; over the best of any run {sum(late for _, _, late in tenth)}/"
                 f"{sum(best[n] for n, _, _ in tenth)}, median {median(each):.2f}, worst "
                 f"{max(each):.2f}; shifted right {len(SEEDS) * sum(shifted) / max(1, free):.2f}")
        yield Finding(f"after a breakdown, {kind}, 5 s: tardiness at 10 %, over free", points[2][1],
                      "<=", 1.15, note=note)
        yield Finding("  operations moved, most of any run", 100 * max(a for _, a, _ in tenth),
                      "<=", 10.0, " %", "have to move in any plan: " + ", ".join(
                          f"{100 * share:.0f} %" for share in fewest))
        _draw(points, kind)


def _draw(points: list[tuple[float, float]], kind: str) -> None:
    from twin.measure.gantt import frontier

    file = HERE / "evidence" / f"rescheduling_{kind.replace(' ', '_')}.png"
    frontier([(100.0 * away, late) for away, late in points],
             f"Moving fewer operations costs lateness ({kind})", "operations moved, %",
             "tardiness over a free re-optimisation").savefig(file, dpi=110)
