"""Outcomes: what was promised, what happened, and what ignored advice would have saved.

What was taken is held to its promise when its horizon is over: the KPIs that events tell, real ones
against the band that played ones gave. What it saved is the twin's estimate of doing nothing less
what happened. What nobody took is an estimate of the twin alone, and marked as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.operate import audit
from twin.operate.inbox import Filed, Standing
from twin.operate.ladder import Promise
from twin.operate.shared_promise import COST, Held, held_to

if TYPE_CHECKING:
    from sqlalchemy import Connection

GAIN = "gain"
TAKEN = (Standing.APPROVED,)
IGNORED = (Standing.REJECTED, Standing.EXPIRED)

#: What really happened between two times (hours): the value of each KPI; None if nothing was heard.
Happened = Callable[[float, float], Mapping[str, float] | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One KPI of one recommendation, held to its promise.

    Attributes
    ----------
    kpi
        ``gain`` is money over the whole horizon; others are in their own unit.
    promised, low, high
        The band holds 80 % of what may happen; of a gain, its interval.
    realised
        None where it cannot be known.
    estimated
        Whether it is the twin's estimate, of advice that nobody took.
    month
        In which it was advised, ``2026-01``.
    """

    name: str
    kind: str
    title: str
    kpi: str
    promised: float
    low: float
    high: float
    realised: float | None
    estimated: bool
    month: str


def settle(connection: Connection, key: bytes, filed: Sequence[Filed], now_h: float,
           happened: Happened) -> list[Outcome]:
    """Write down the outcome of everything whose horizon is over; what is new.

    Parameters
    ----------
    now_h
        Hours from the start of the model up to which events were heard.
    """
    import sqlalchemy as sa

    known = {row.recommendation for row in connection.execute(sa.text(
        "select distinct recommendation from outcomes"))}
    found: list[Outcome] = []
    taken = [one for one in filed if one.status in TAKEN]
    for one in filed:
        ends = one.advice.made_h + one.advice.horizon_h
        if one.number in known or not one.advice.effects or ends > now_h or one.status not in (
                *TAKEN, *IGNORED):
            continue
        if one.status in TAKEN:
            seen = happened(one.advice.made_h, ends)
            if seen is None:
                continue
            rows = _taken(one, held_to(one, taken), seen)
        else:
            rows = [_ignored(one)]
        for row in rows:
            _write(connection, one.number, row)
        audit.record(connection, key, "outcome", one.name, {
            row.kpi: {"promised": row.promised, "realised": row.realised,
                      "estimated": row.estimated} for row in rows})
        found += rows
    return found


def _taken(filed: Filed, held: Held, seen: Mapping[str, float]) -> list[Outcome]:
    """Each KPI that was promised, and its part of the gain of what was taken together."""
    rows = [_row(filed, effect.kpi, effect.expected, *effect.band, seen[effect.kpi])
            for effect in held.effects if effect.kpi in seen
            and seen[effect.kpi] == seen[effect.kpi]]
    money, days = held.effects[0], held.share * filed.advice.horizon_h / 24.0
    cost = next((effect for effect in held.effects if effect.kpi == COST), None)
    if cost is not None and COST in seen:
        nothing = cost.expected - money.mean
        rows.insert(0, _row(filed, GAIN, -money.mean * days, -money.high * days,
                            -money.low * days, (nothing - seen[COST]) * days))
    return rows


def _ignored(filed: Filed) -> Outcome:
    """What it would have saved, as the twin believes."""
    money, days = filed.advice.effects[0], filed.advice.horizon_h / 24.0
    return _row(filed, GAIN, -money.mean * days, -money.high * days, -money.low * days, None,
                estimated=True)


def _row(filed: Filed, kpi: str, promised: float, low: float, high: float,
         realised: float | None, *, estimated: bool = False) -> Outcome:
    return Outcome(filed.name, filed.advice.kind, filed.advice.title, kpi, promised, low, high,
                   realised, estimated, filed.made[:7])


def _write(connection: Connection, number: int, row: Outcome) -> None:
    import sqlalchemy as sa

    connection.execute(sa.text(
        "insert into outcomes (recommendation, kpi, promised, low, high, realised, estimated, at) "
        "values (:number, :kpi, :promised, :low, :high, :realised, :estimated, :at)"),
        {"number": number, "kpi": row.kpi, "promised": row.promised, "low": row.low,
         "high": row.high, "realised": row.realised, "estimated": row.estimated,
         "at": audit.now()})


def outcomes(connection: Connection, filed: Sequence[Filed]) -> list[Outcome]:
    """Every outcome that is known, oldest advice first, the gain first."""
    import sqlalchemy as sa

    by_number = {one.number: one for one in filed}
    rows = connection.execute(sa.text(
        "select recommendation, kpi, promised, low, high, realised, estimated from outcomes "
        "order by recommendation, case when kpi = 'gain' then 0 else 1 end, kpi"))
    return [_row(by_number[row.recommendation], row.kpi, row.promised, row.low, row.high,
                 row.realised, estimated=bool(row.estimated))
            for row in rows if row.recommendation in by_number]


def promises(found: Sequence[Outcome], kind: str) -> list[Promise]:
    """What was taken of a kind, oldest first, as the ladder looks at it."""
    gains = {row.name: row.realised for row in found if row.kpi == GAIN and not row.estimated}
    return [Promise(gain, row.low, row.high, row.realised)
            for row in found if row.kpi == COST and row.kind == kind and row.realised is not None
            and (gain := gains.get(row.name)) is not None]


@dataclass(frozen=True, slots=True)
class Month:
    """Money by month and kind: what was taken, and what was not."""

    month: str
    kind: str
    taken: int
    promised: float
    realised: float
    kept: int
    ignored: int
    missed: float


def months(found: Sequence[Outcome]) -> list[Month]:
    """Outcomes per month and kind of recommendation.

    Examples
    --------
    >>> rows = [Outcome("R-1", "routes", "", "gain", 90.0, 50.0, 130.0, 80.0, False, "2026-01"),
    ...         Outcome("R-1", "routes", "", "heard_cost", 9.0, 8.0, 10.0, 9.5, False, "2026-01"),
    ...         Outcome("R-2", "routes", "", "gain", 40.0, 20.0, 60.0, None, True, "2026-01")]
    >>> months(rows)
    [Month(month='2026-01', kind='routes', taken=1, promised=90.0, realised=80.0, kept=1, \
ignored=1, missed=40.0)]
    """
    kept = {row.name for row in found if row.kpi == COST and row.realised is not None
            and row.low <= row.realised <= row.high}
    cells = sorted({(row.month, row.kind) for row in found})
    made = []
    for month, kind in cells:
        gains = [row for row in found if (row.month, row.kind, row.kpi) == (month, kind, GAIN)]
        taken = [row for row in gains if not row.estimated]
        missed = [row for row in gains if row.estimated]
        made.append(Month(month, kind, len(taken), sum(row.promised for row in taken),
                          sum(row.realised or 0.0 for row in taken),
                          sum(row.name in kept for row in taken), len(missed),
                          sum(row.promised for row in missed)))
    return made
