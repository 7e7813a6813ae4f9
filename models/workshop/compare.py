"""Hold the twin of `workshop` against the event log: what was fitted and what came later.

    python models/workshop/compare.py --data FOLDER [--replications 20]

Prints the tables that `README.md` shows. The log ends on 31 March, 46 days after the last release
in it, so a cycle time is what lies within 45 days of release, for the log and for the twin alike.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean, quantiles, stdev
from typing import NamedTuple

from shop_log import FIT_UNTIL, OPENING, Fit, Row, at_once, by_case, hours, length, read_log, shift

from twin.ledger import Ledger
from twin.network import Network, read_network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.tally import Tally

WITHIN_H = 45 * 24.0
WARMUP_H = 60 * 24.0
RELEASED_H = 120 * 24.0  # of simulated releases per replication, after the warm-up
#: After the last release in the log its workers also serve cases that it does not hold.
HELD_UNTIL = datetime(2012, 2, 14, 12)


class Visit(NamedTuple):
    """An operation of a work order, in hours of one clock."""

    case: str
    start: float
    end: float


class Figures(NamedTuple):
    """What the log and the twin are compared on."""

    released_per_week: float
    cycle_mean_h: float
    cycle_sd_h: float
    cycle_median_h: float
    operations_each: float
    operations_per_week: float


def figures(visits: Sequence[Visit], low: float, high: float) -> Figures:
    """Releases and operations in [low, high), each release followed for 45 days.

    Examples
    --------
    >>> world = [Visit("a", 0.0, 4.0), Visit("a", 10.0, 12.0), Visit("b", 20.0, 21.0)]
    >>> figures(world, 0.0, 168.0)[:3]
    (2.0, 6.5, 7.7781745930520225)
    """
    cases: dict[str, list[Visit]] = {}
    for visit in visits:
        cases.setdefault(visit.case, []).append(visit)
    spans: list[float] = []
    counts: list[int] = []
    for mine in cases.values():
        release = min(visit.start for visit in mine)
        if low <= release < high:
            seen = [visit for visit in mine if visit.start < release + WITHIN_H]
            spans.append(max(visit.end for visit in seen) - release)
            counts.append(len(seen))
    done = sum(low <= visit.end < high for visit in visits)
    week = (high - low) / 168
    return Figures(
        released_per_week=len(spans) / week,
        cycle_mean_h=fmean(spans),
        cycle_sd_h=stdev(spans),
        cycle_median_h=quantiles(spans, n=2)[0],
        operations_each=fmean(counts),
        operations_per_week=done / week,
    )


def logged(fit: Fit) -> list[Visit]:
    """The operations of the log, in hours after the fitted weeks."""
    return [
        Visit(op.case, hours(op.start - FIT_UNTIL), hours(op.end - FIT_UNTIL))
        for ops in fit.cases.values()
        for op in ops
    ]


def busy_share(fit: Fit, rows: Sequence[Row], low: datetime, high: datetime) -> dict[str, float]:
    """Hours at work over hours of the derived calendar, by worker."""
    share: dict[str, float] = {}
    for worker, early in fit.workers.items():
        mine = by_case(row for row in rows if row.worker == worker and low <= row.start < high)
        work = sum(length((row.start, row.end) for row in each) for each in mine.values())
        week = shift(early)
        planned = (week.end - week.start) * len(week.days) * hours(high - low) / 168
        share[worker] = work / planned / at_once(early)
    return share


def played(network: Network, replication: int) -> tuple[Figures, dict[str, float]]:
    """One replication: its figures and the busy share of each crew."""
    ledger = Ledger()
    end = WARMUP_H + RELEASED_H + WITHIN_H
    scenario = Scenario(name="baseline", title="baseline", means="As it is.")
    run = play(
        network, scenario, horizon_h=end, warmup_h=WARMUP_H, replication=replication, ledger=ledger
    )
    frame = ledger.frame()
    frame = frame[frame["event"].isin(["starting", "completing"])]
    frame = frame[~frame["asset"].str.contains("/")]  # a delay is no operation
    started: dict[tuple[int, str], float] = {}
    visits: list[Visit] = []
    for time, event, order, asset in frame[["time", "event", "order", "asset"]].itertuples(
        index=False
    ):
        if event == "starting":
            started.setdefault((order, asset), time)
        else:
            visits.append(Visit(str(order), started.pop((order, asset)), time))
    return figures(visits, WARMUP_H, WARMUP_H + RELEASED_H), crew_share(network, run.tally)


def crew_share(network: Network, tally: Tally) -> dict[str, float]:
    """Hours worked at any of a worker's places over his hours, by crew."""
    worked = dict.fromkeys(network.crews, 0.0)
    for (measure, place, _, _), value in tally.sums.items():
        if measure == "busy_time":
            crew = network.machines[place.partition("#")[0]].crew
            if crew is not None:
                worked[crew] += value
    planned = {crew: tally.sums["crew_planned_time", crew, "", ""] for crew in worked}
    return {crew: value / planned[crew] for crew, value in worked.items()}


def main() -> None:
    """Print the comparison as two Markdown tables."""
    parser = argparse.ArgumentParser(description="Compare `workshop` with its log.")
    parser.add_argument("--data", type=Path, default=os.environ.get("TWIN_DATA"))
    parser.add_argument("--replications", type=int, default=20)
    chosen = parser.parse_args()
    if chosen.data is None:
        parser.error("name the folder of the log by --data or TWIN_DATA.")
    rows = read_log(chosen.data)
    fit = Fit(rows)
    visits = logged(fit)
    sides = [
        figures(visits, hours(OPENING - FIT_UNTIL), 0.0),
        figures(visits, 0.0, hours(HELD_UNTIL - FIT_UNTIL)),
    ]
    network = read_network(Path(__file__).parent.parent / "workshop.yaml")
    runs = [played(network, replication) for replication in range(chosen.replications)]
    print("| quantity | log, fitted | log, later | twin | half-width |\n|---|---|---|---|---|")
    for name in Figures._fields:
        values = [getattr(each, name) for each, _ in runs]
        half = 2 * stdev(values) / len(values) ** 0.5
        cells = [getattr(side, name) for side in sides] + [fmean(values), half]
        print(f"| {name} |" + "|".join(f" {cell:.1f} " for cell in cells) + "|")
    before = busy_share(fit, rows, datetime(2012, 1, 2), FIT_UNTIL)
    after = busy_share(fit, rows, FIT_UNTIL, HELD_UNTIL)
    print("\n| worker | log, fitted | log, later | twin |\n|---|---|---|---|")
    for worker in before:
        share = fmean(shares[worker] for _, shares in runs)
        print(f"| {worker} | {before[worker]:.2f} | {after[worker]:.2f} | {share:.2f} |")


if __name__ == "__main__":
    main()
