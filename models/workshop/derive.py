"""Derive the tables of `workshop` from the event log of a metal job shop.

    python models/workshop/derive.py --data FOLDER [--to FOLDER]

FOLDER (or the environment variable TWIN_DATA) holds ``production_log/Production.csv.gz``. The same
log gives the same tables, byte for byte. `README.md` says what is measured and what is assumed.
"""

import argparse
import csv
import os
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

from shop_log import FIT_UNTIL, LOG, OPENING, Fit, Operation, Shift, at_once, hours, read_log, shift

PLANT = "shop"
LEAST_OPERATIONS = 15  # before a family has its own times at a work centre
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Table = list[dict[str, object]]
Times = dict[tuple[str, str], list[float]]


def slug(activity: str) -> str:
    """The name of an activity as a table key.

    Examples
    --------
    >>> slug("Turning & Milling Q.C.")
    'turning_milling_qc'
    """
    kept = "".join(letter if letter.isalnum() else " " for letter in activity.replace("Q.C.", "QC"))
    return "_".join(kept.lower().split())


def tables(fit: Fit) -> dict[str, Table]:
    """Every table of the model by name."""
    return {
        "sites": [{"site": PLANT, "kind": "plant"}],
        "products": [
            {"product": product, "lot_size": 1} for product in sorted(set(fit.family.values()))
        ],
        "groups": [
            {"site": PLANT, "group": slug(activity), "dispatch": "fifo"}
            for activity in sorted({activity for activity, _ in fit.skills})
        ],
        "machines": machines(fit),
        "crews": [
            {"crew": worker, "size": at_once(rows), "site": PLANT, "calendar": worker}
            for worker, rows in fit.workers.items()
        ],
        "calendars": [
            row for worker, rows in fit.workers.items() for row in calendar(worker, shift(rows))
        ],
        **routes(fit),
        "demand": demand(fit),
    }


def machines(fit: Fit) -> Table:
    """A work place for each activity of each worker; the worker is its crew."""
    return [
        {
            "machine": f"{worker}_{slug(activity)}",
            "site": PLANT,
            "group": slug(activity),
            "units": at_once(fit.workers[worker]),
            "crew": worker,
            "calendar": worker,
        }
        for activity, worker in fit.skills
    ]


def calendar(name: str, week: Shift) -> Table:
    """Rows of a weekly calendar; hours after midnight belong to the next day.

    Examples
    --------
    >>> [tuple(row.values()) for row in calendar("w", Shift(14.0, 25.5, (0, 1, 6)))]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('w', 'mon', '00:00', '01:30'), ('w', 'mon', '14:00', '24:00'), ('w', 'tue', '00:00', '01:30'),
     ('w', 'tue', '14:00', '24:00'), ('w', 'wed', '00:00', '01:30'), ('w', 'sun', '14:00', '24:00')]
    """
    spans = [(day, week.start, min(week.end, 24.0)) for day in week.days if week.start < 24]
    low = max(week.start - 24, 0.0)
    spans += [((day + 1) % 7, low, week.end - 24) for day in week.days if week.end > 24]
    return [
        {"calendar": name, "day": DAYS[day], "from": _clock(start), "to": _clock(end)}
        for day, start, end in sorted(spans)
    ]


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1 * 60):02d}"


#: Assumed: the log has no due dates, and a shop of its kind quotes about a month.
PROMISE = "30d"


def demand(fit: Fit) -> Table:
    """Releases of work orders by family.

    The rate is the work done in a week over the work in a case: counting first operations would
    take cases that began before the log for new ones.
    """
    per_case = fmean(sum(op.work_h for op in ops) for ops in fit.used.values())
    done = sum(
        op.work_h for ops in fit.cases.values() for op in ops if OPENING <= op.start < FIT_UNTIL
    )
    rate = done / per_case / hours(FIT_UNTIL - OPENING)
    counts = Counter(fit.family.values())
    return [
        {
            "site": PLANT,
            "product": product,
            "interarrival": f"exponential(mean={len(fit.used) / counts[product] / rate:.2f}h)",
            "size": 1,
            "promise": PROMISE,
        }
        for product in sorted(counts)
    ]


def routes(fit: Fit) -> dict[str, Table]:
    """Routings and branches: per family, what follows what, as often as in its cases."""
    work, wait = _times(fit)
    routings: Table = []
    branches: Table = []
    for product in sorted(set(fit.family.values())):
        cases = [ops for case, ops in fit.used.items() if fit.family[case] == product]
        step = {activity: 20 * place for place, activity in enumerate(_sequence(cases), 1)}
        follows: dict[int, Counter[str]] = {0: Counter()}
        for ops in cases:
            place = 0
            for op in ops:
                # The first operation is the release itself, so nothing is known of a wait before.
                target = step[op.activity] - (10 if place else 0)
                follows.setdefault(place, Counter())[str(target)] += 1
                place = step[op.activity]
            follows.setdefault(place, Counter())["done"] += 1
        routings.append(_step(product, 0, "", "constant(0h)"))
        for activity, number in step.items():
            wait_h = _own(wait, product, activity)
            routings.append(_step(product, number - 10, "", binned(wait_h)))
            work_h = _own(work, product, activity)
            routings.append(_step(product, number, slug(activity), spread(work_h)))
        for number in sorted(follows):
            branches += _shares(product, number, follows[number])
    return {"routings": routings, "branches": branches}


def _sequence(cases: list[list[Operation]]) -> list[str]:
    """The activities of a family, in order of their mean place in a case."""
    places: dict[str, list[float]] = {}
    for ops in cases:
        for place, op in enumerate(ops):
            places.setdefault(op.activity, []).append(place / len(ops))
    return sorted(places, key=lambda activity: (fmean(places[activity]), activity))


def _times(fit: Fit) -> tuple[Times, Times]:
    """Work and delay of every operation by family and activity; family '' is all of them."""
    work: Times = {}
    wait: Times = {}
    for case, ops in fit.used.items():
        for op in ops:
            for family in (fit.family[case], ""):
                work.setdefault((family, op.activity), []).append(op.work_h)
                if op.ready is not None:
                    wait.setdefault((family, op.activity), []).append(fit.delay_h(op))
    return work, wait


def _own(times: Times, family: str, activity: str) -> list[float]:
    """A family's own times where it has enough, else those of all families."""
    mine = times.get((family, activity), [])
    return mine if len(mine) >= LEAST_OPERATIONS else times.get(("", activity), [0.0])


def _step(product: str, number: int, group: str, time: str) -> dict[str, object]:
    return {
        "site": PLANT,
        "product": product,
        "step": number,
        "group": group,
        "process_time": time,
        "per": "lot",
    }


def _shares(product: str, number: int, counts: Counter[str]) -> Table:
    """Branches out of one step; shares add up to one."""
    total = sum(counts.values())
    shares = {to: round(count / total, 4) for to, count in sorted(counts.items())}
    largest = max(shares, key=lambda to: shares[to])
    shares[largest] = round(1 - sum(share for to, share in shares.items() if to != largest), 4)
    return [
        {"site": PLANT, "product": product, "step": number, "next": to, "share": share}
        for to, share in shares.items()
    ]


def spread(values: list[float]) -> str:
    """A gamma with the mean and spread of the values.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0])
    'gamma(mean=2.00h, sd=1.00h)'
    >>> spread([1.0, 1.0])
    'constant(1.00h)'
    """
    deviation = stdev(values) if len(values) > 1 else 0.0
    if deviation < 0.005:
        return f"constant({fmean(values):.2f}h)"
    return f"gamma(mean={fmean(values):.2f}h, sd={deviation:.2f}h)"


def binned(values: list[float], bins: int = 10) -> str:
    """Values as zero with its share and the means of equal bins of the rest, the top bin in halves.

    Examples
    --------
    >>> binned([0.0, 0.0, 1.0, 3.0], bins=2)
    'discrete(0h:0.5, 1.00h:0.25, 3.00h:0.25)'
    """
    rest = sorted(value for value in values if value > 0)
    cuts = [round(len(rest) * place / bins) for place in range(bins + 1)]
    cuts.insert(-1, (cuts[-2] + cuts[-1]) // 2)
    groups = [rest[low:high] for low, high in pairwise(cuts) if high > low]
    if not groups:
        return "constant(0h)"
    zero = 1 - len(rest) / len(values)
    parts = [f"0h:{zero:.6g}"] if zero > 0 else []
    parts += [f"{fmean(group):.2f}h:{len(group) / len(values):.6g}" for group in groups]
    return f"discrete({', '.join(parts)})"


def write(found: dict[str, Table], folder: Path) -> None:
    """One CSV a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in found.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def main() -> None:
    """Read the log that the command line or TWIN_DATA names and write the tables."""
    parser = argparse.ArgumentParser(description="Derive the tables of `workshop` from its log.")
    parser.add_argument("--data", type=Path, default=os.environ.get("TWIN_DATA"))
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    chosen = parser.parse_args()
    if chosen.data is None or not (chosen.data / LOG).exists():
        parser.error(f"{chosen.data} holds no {LOG}. Name its folder by --data or TWIN_DATA.")
    write(tables(Fit(read_log(chosen.data))), chosen.to)


if __name__ == "__main__":
    main()
