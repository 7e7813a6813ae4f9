"""What the event log of the job shop says: operations, families, shifts, skills, delays.

`derive.py` writes what is measured here into the tables of `workshop`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

LOG = Path("production_log") / "Production.csv.gz"
ZONE = ZoneInfo("Asia/Jerusalem")
#: Cases first seen in the opening week began before the log did, unless they start by cutting.
OPENING = datetime(2012, 1, 9)
#: Figures come from what happened before this moment; what was released later is held out.
FIT_UNTIL = datetime(2012, 1, 30)
CUTTING = ("Turning & Milling", "Turning", "Milling", "Turn & Mill. & Screw Assem")
#: A family is the set of these that a case visits.
SIGNATURE = {
    "Turning & Milling": "turnmill",
    "Turning": "turn",
    "Milling": "mill",
    "Round Grinding": "round",
    "Flat Grinding": "flat",
    "Lapping": "lap",
}
LEAST_CASES = 3  # of a family of its own
LEAST_STINTS = 4  # in the fitted weeks; who comes less is a helper and has no calendar
BREAK_H = 16.0  # rows of one activity further apart are two operations (a night is shorter)
IDLE_H = 0.5  # a worker with so long a gap was free to take the job


class Row(NamedTuple):
    """One line of the log, in the shop's own clock."""

    case: str
    activity: str
    worker: str
    start: datetime
    end: datetime


class Operation(NamedTuple):
    """Rows of one activity of one case that follow one another within `BREAK_H`."""

    case: str
    activity: str
    worker: str
    start: datetime
    end: datetime
    work_h: float
    ready: datetime | None


class Shift(NamedTuple):
    """When a worker is in: hours of the day (an end above 24 is after midnight) and weekdays."""

    start: float
    end: float
    days: tuple[int, ...]


def hours(gap: timedelta) -> float:
    """Hours in a time difference."""
    return gap.total_seconds() / 3600


def read_log(data: Path) -> list[Row]:
    """The rows of the log in order of start, its workers renamed in order of appearance."""
    frame = pd.read_csv(data / LOG)
    frame = frame[~frame["Activity"].isin(["Start", "End"])]
    rows = sorted(
        (_clock(start), _clock(end), case, activity, worker)
        for case, activity, worker, start, end in frame[
            ["case:concept:name", "Activity", "Resource", "start_timestamp", "time:timestamp"]
        ].itertuples(index=False)
    )
    names: dict[str, str] = {}
    for *_, worker in rows:
        names.setdefault(worker, f"worker_{len(names) + 1:02d}")
    return [Row(case, act, names[who], start, end) for start, end, case, act, who in rows]


def _clock(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZONE).replace(tzinfo=None)


def by_case(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows of each case, in order of start."""
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row.case, []).append(row)
    return cases


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The union of time spans: disjoint, in order.

    Examples
    --------
    >>> day = datetime(2012, 1, 2)
    >>> at = lambda hour: day + timedelta(hours=hour)
    >>> spans = [(at(1), at(3)), (at(2), at(4)), (at(6), at(7))]
    >>> [hours(end - start) for start, end in merged(spans)]
    [3.0, 1.0]
    """
    union: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def length(spans: Iterable[tuple[datetime, datetime]]) -> float:
    """Hours in the union of time spans."""
    return sum(hours(end - start) for start, end in merged(spans))


def operations(rows: Sequence[Row]) -> list[Operation]:
    """The operations of a case: its rows, those of one activity in a row taken together."""
    runs: list[list[Row]] = []
    for row in rows:
        last = runs[-1] if runs else None
        if (
            last
            and last[0].activity == row.activity
            and hours(row.start - max(each.end for each in last)) <= BREAK_H
        ):
            last.append(row)
        else:
            runs.append([row])
    found: list[Operation] = []
    ready: datetime | None = None
    for run in runs:
        done = max(row.end for row in run)
        work = length((row.start, row.end) for row in run)
        first = run[0]
        found.append(Operation(*first[:4], done, work, ready))
        ready = done if ready is None else max(ready, done)
    return found


def stints(rows: Iterable[Row]) -> list[tuple[datetime, datetime]]:
    """When a worker was in: work with gaps under five hours, at most 14 h long."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in merged((row.start, row.end) for row in rows):
        if found and hours(start - found[-1][1]) < 5 and hours(end - found[-1][0]) <= 14:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def shift(rows: Sequence[Row]) -> Shift:
    """The usual shift of a worker: a fixed weekly pattern with as many days as were worked.

    Shifts rotate in the log and a calendar is weekly, so the shift worked most often stands. Days
    are counted from a worker's first day, since some start in the middle of the fitted weeks.
    """
    present = stints(rows)
    starts = {0: [], 1: [], 2: []}  # type: dict[int, list[tuple[datetime, datetime]]]
    for start, end in present:
        hour = start.hour + start.minute / 60
        starts[0 if 1 <= hour < 11 else 1 if 11 <= hour < 18.5 else 2].append((start, end))
    usual = max(starts.values(), key=len)
    begin = [start.hour + start.minute / 60 for start, _ in usual]
    begin = [hour + 24 if hour < 1 else hour for hour in begin]
    span = [hours(end - start) for start, end in usual]
    low, high = _low(begin), _high([b + s for b, s in zip(begin, span, strict=True)])
    low, high = round(2 * low) / 2, round(2 * high) / 2
    high = min(max(high, low + 1), low + 12)
    counts = [0] * 7
    for start, _ in present:
        counts[start.weekday()] += 1
    known = max(1.0, hours(FIT_UNTIL - present[0][0]) / 168)
    wanted = min(6, max(1, round(len(present) / known)))
    days = sorted(range(7), key=lambda day: (-counts[day], day))[:wanted]
    return Shift(low, high, tuple(sorted(days)))


def _low(values: list[float]) -> float:
    return quantiles(values, n=4)[0] if len(values) > 1 else values[0]


def _high(values: list[float]) -> float:
    return quantiles(values, n=4)[2] if len(values) > 1 else values[0]


def at_once(rows: Sequence[Row]) -> int:
    """How many cases a worker attends at once: work by case over time at work, to the nearest.

    The packer books every case of a day in one hour, so there it is the most in one hour.
    """
    spans = {
        case: merged((row.start, row.end) for row in of_case)
        for case, of_case in by_case(rows).items()
    }
    ratio = sum(length(each) for each in spans.values()) / length(
        (row.start, row.end) for row in rows
    )
    if ratio < 2:
        return 2 if ratio >= 1.25 else 1
    per_start: dict[datetime, set[str]] = {}
    for row in rows:
        per_start.setdefault(row.start, set()).add(row.case)
    return max(len(cases) for cases in per_start.values())


def signature(ops: Sequence[Operation]) -> tuple[str, ...]:
    """The main activities that a case visits."""
    seen = {op.activity for op in ops}
    return tuple(word for activity, word in SIGNATURE.items() if activity in seen)


def families(cases: dict[str, list[Operation]]) -> dict[str, str]:
    """The family of each case: its signature, or the nearest one that enough cases have.

    Nearest is the largest share of main activities in common; the more frequent wins a tie.
    """
    marks = {case: signature(ops) for case, ops in cases.items()}
    counts: dict[tuple[str, ...], int] = {}
    for mark in marks.values():
        counts[mark] = counts.get(mark, 0) + 1
    kept = [mark for mark, count in counts.items() if count >= LEAST_CASES and mark]

    def nearest(mark: tuple[str, ...]) -> tuple[str, ...]:
        return max(
            sorted(kept),
            key=lambda other: (len({*mark} & {*other}) / len({*mark, *other}), counts[other]),
        )

    return {case: "_".join(mark if mark in kept else nearest(mark)) for case, mark in marks.items()}


class Fit:
    """What the fitted weeks of the log say, measured once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Measure; `rows` is the whole log."""
        self.cases = {case: operations(each) for case, each in by_case(rows).items()}
        self.released = {case: ops[0].start for case, ops in self.cases.items()}
        self.used = {
            case: ops
            for case, ops in self.cases.items()
            if self.released[case] < FIT_UNTIL
            and (self.released[case] >= OPENING or ops[0].activity in CUTTING)
        }
        self.family = families(self.used)
        early = [row for row in rows if row.start < FIT_UNTIL]
        worked: dict[str, list[Row]] = {}
        for row in sorted(early, key=lambda row: row.worker):
            worked.setdefault(row.worker, []).append(row)
        # A job cannot change hands in the tables: with a helper it would rest for a week.
        self.workers = {
            who: mine for who, mine in worked.items() if len(stints(mine)) >= LEAST_STINTS
        }
        self.skills = self._skills(rows)
        self.idle = {worker: self._idle(rows, worker) for worker in self.workers}

    def _skills(self, rows: Sequence[Row]) -> list[tuple[str, str]]:
        """Who does what: an activity with two rows and one in ten of a worker's own, or his most.

        One that no such worker does goes to whoever did it most at any time, then to the busiest.
        """
        counts = {who: Counter(row.activity for row in mine) for who, mine in self.workers.items()}
        pairs: list[tuple[str, str]] = []
        for activity in sorted({op.activity for ops in self.used.values() for op in ops}):
            able = [
                who
                for who, done in counts.items()
                if done[activity] >= max(2, done.total() / 10)
                or (done[activity] and done[activity] == max(done.values()))
            ]
            if not able:
                ever = Counter(row.worker for row in rows if row.activity == activity)
                able = [max(self.workers, key=lambda who: (ever[who], len(self.workers[who])))]
            pairs += [(activity, who) for who in able]
        return pairs

    def _idle(self, rows: Sequence[Row], worker: str) -> list[tuple[datetime, datetime]]:
        """Gaps of at least `IDLE_H` between two jobs of one stint."""
        mine = [row for row in rows if row.worker == worker]
        work = merged((row.start, row.end) for row in mine)
        within = stints(mine)
        return [
            (end, start)
            for (_, end), (start, _) in pairwise(work)
            if hours(start - end) >= IDLE_H and any(a <= end and start <= b for a, b in within)
        ]

    def delay_h(self, op: Operation) -> float:
        """Hours that an operation waited although one of its workers was free."""
        if op.ready is None or op.start <= op.ready:
            return 0.0
        able = [worker for activity, worker in self.skills if activity == op.activity]
        last = op.ready
        for worker in able:
            for start, end in self.idle[worker]:
                if start < op.start and end > op.ready:
                    last = max(last, min(end, op.start))
        return hours(last - op.ready)
