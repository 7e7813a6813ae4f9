"""Customers: gaps between orders and their sizes, by stream of demand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from twin.calibrate.estimator import Cell
from twin.calibrate.evidence import Evidence
from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import CENSORED, EXACT, RENEWING, Ints, Mask
from twin.calibrate.sample import Batch
from twin.events import WALK_IN
from twin.network import Demand

Found = Iterator[tuple[Cell, Batch]]
_SLACK = 1e-6


def gaps(evidence: Evidence) -> Found:
    """Hours between orders, counted by the rate of the profile; the running gap is censored.

    The gap under way when the record began is of unknown age: it counts as the rest of one.
    """
    for row, times, _, ids in _streams(evidence):
        if row.limit is not None or row.end is not None:
            continue
        clock = evidence.pattern(row.profile) if row.profile else None
        passed = times if clock is None else clock.upto(times)
        now = evidence.now if clock is None else float(clock.upto(evidence.now))
        begin = evidence.begin if clock is None else float(clock.upto(evidence.begin))
        values = np.append(np.diff(passed), now - passed[-1])
        state = np.append(np.full(len(times) - 1, EXACT), CENSORED)
        # The running gap is told of again by the order that ends it: it is named by its start.
        batch = Batch.of(ids, values, at=times, state=state)
        if row.start is None:
            first = Batch.of([-1], [max(passed[0] - begin, 1e-9)], at=[evidence.begin],
                             state=[EXACT if evidence.fresh else RENEWING])
            batch = Batch.joined([first, batch])
        yield _cell(row, "interarrival", str(row.interarrival)), batch


def sizes(evidence: Evidence) -> Found:
    """Units of each order."""
    for row, times, quantity, ids in _streams(evidence):
        yield _cell(row, "size", str(row.size)), Batch.of(ids, quantity, at=times)


def _cell(row: Demand, column: str, planned: str) -> Cell:
    return Cell("demand", f"{row.site},{row.product},{row.stream or ''}", column, planned)


def _streams(evidence: Evidence) -> Iterator[tuple[Demand, Floats, Floats, Ints]]:
    """The orders of each row of `demand` that can be told apart: times, sizes, ids.

    An order names its stream. Where it does not and a customer has several for one product, those
    with orders at fixed times are taken out by their times; if one is left, it is known. Firm
    orders are taken out.
    """
    rows = evidence.rows("ordering", "delivering")
    rows = rows[((rows["event"] == "ordering") & (rows["role"] == "customer"))
                | (rows["role"] == WALK_IN)]
    rows = rows[rows["time"] >= evidence.begin]
    plans: dict[tuple[str, str], list[Demand]] = {}
    for row in evidence.network.demand.values():
        plans.setdefault((row.site, row.product), []).append(row)
    for pair, orders in rows.groupby(["site", "product"], sort=True):
        key = (str(pair[0]), str(pair[1]))
        orders = orders[~_firm(evidence, key, orders)]
        for plan, mine in _apart(plans.get(key, []), orders):
            if mine.any():
                yield (plan, orders["time"].to_numpy()[mine], orders["quantity"].to_numpy()[mine],
                       orders["id"].to_numpy(np.int64)[mine])


def _apart(plans: list[Demand], orders: pd.DataFrame) -> Iterator[tuple[Demand, Mask]]:
    """Which orders are of which stream, where that can be known."""
    if len(plans) == 1:
        yield plans[0], np.ones(len(orders), bool)
        return
    names = {row.stream or "": row for row in plans}
    stream = orders["source"].to_numpy()
    nameless = (orders["role"] == WALK_IN).to_numpy() if (stream != "").any() else stream == ""
    unsettled = [row for row in plans if not _timed(row)]
    times = orders["time"].to_numpy()
    clocked = np.zeros(len(orders), bool)
    for name, row in names.items():
        mine = (stream == name) & ~nameless
        if _timed(row):
            on = nameless & _at_its_times(row, times)
            clocked |= on
            yield row, mine | on
    if len(unsettled) == 1:
        mine = (stream == (unsettled[0].stream or "")) & ~nameless
        yield unsettled[0], mine | (nameless & ~clocked)
    elif not nameless.any():
        for row in unsettled:
            yield row, stream == (row.stream or "")


def _timed(row: Demand) -> bool:
    """Whether the times of a stream are known beforehand."""
    return row.interarrival.kind == "constant" and row.start is not None


def _at_its_times(row: Demand, times: Floats) -> Mask:
    gap = max(row.interarrival.mean(), 1e-9)
    since = (times - (row.start or 0.0)) / gap
    on = (np.abs(since - np.rint(since)) * gap < _SLACK) & (since > -_SLACK)
    if row.limit is not None:
        on &= since < row.limit - 0.5
    return np.asarray(on)


def _firm(evidence: Evidence, key: tuple[str, str], orders: pd.DataFrame) -> Mask:
    """Which orders are firm ones of the table `orders`."""
    firm = np.zeros(len(orders), bool)
    for row in evidence.network.orders.values():
        if (row.site, row.product) == key:
            firm |= (np.abs(orders["time"].to_numpy() - max(row.placed, 0.0)) < _SLACK) \
                & (np.abs(orders["quantity"].to_numpy() - row.quantity) < _SLACK)
    return firm
