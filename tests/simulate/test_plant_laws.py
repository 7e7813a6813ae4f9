"""Laws that hold in every plant: nothing is lost, nothing is counted twice, luck is repeatable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulate.shops import BASELINE, at, shop
from twin.ledger import Ledger
from twin.network import Network
from twin.simulate.play import play

TIMES = ("1h", "exponential(mean=1h)", "uniform(0h, 2h)", "0h", "erlang(k=2, mean=90min)")
GROUPS = ("saw", "drill", None)


@st.composite
def shops(draw: st.DrawFn, *, certain: bool = False) -> Network:
    """A plant with a saw and a drill that makes A, B and what is assembled of both.

    In a `certain` one nothing is random, and hardly two things end at the same instant.
    """
    odd = (f"{minutes}min {seconds}s" for minutes, seconds in
           zip((61, 97, 0, 83, 149, 31, 127, 71, 43), (3, 17, 0, 29, 41, 7, 53, 11, 37),
               strict=True))
    life = "10h" if certain else "exponential(mean=10h)"

    def step() -> dict[str, Any]:
        group = draw(st.sampled_from(GROUPS))
        columns: dict[str, Any] = {"per": draw(st.sampled_from(("unit", "lot", "batch")))}
        columns["batch"] = draw(st.integers(1, 3))
        columns["yield"] = 1 if certain else draw(st.sampled_from((1, 1, 0.8)))
        columns["setup_time"] = draw(st.sampled_from(("0h", "0h", "30min")))
        if draw(st.booleans()):
            columns["crew"] = "hands"
        return at(group, next(odd) if certain else draw(st.sampled_from(TIMES)), **columns)

    steps = {name: [step() for _ in range(draw(st.integers(1, 3)))] for name in ("P", "A", "B")}
    used = dict.fromkeys(row["group"] for rows in steps.values() for row in rows if row["group"])
    groups = [{"group": name, "preempt": draw(st.booleans()),
               "dispatch": draw(st.sampled_from(("fifo", "priority", "due_date", "shortest",
                                                 "family", "wheel")))} for name in used]
    machines = [{"machine": name, "group": name, "units": draw(st.integers(1, 3)),
                 "speed": draw(st.sampled_from((1, 2))),
                 "calendar": draw(st.sampled_from((None, "day")))} for name in used]
    failures = [{"asset": name, "time_to_failure": life,
                 "time_to_repair": "1h", "clock": draw(st.sampled_from(("operating", "elapsed"))),
                 "after": draw(st.sampled_from(("resume", "restart", "scrap"))),
                 "crew": draw(st.sampled_from((None, "hands"))),
                 **draw(st.sampled_from(({}, {"service_after": "7h", "service_time": "1h"})))}
                for name in used if draw(st.booleans())]
    branches = [{"product": name, "step": 10 * len(rows), "next": draw(st.sampled_from(
        ("10", "scrap", "done"))), "share": 0.2} for name, rows in steps.items()
        if not certain and draw(st.booleans())]
    orders = [{"product": draw(st.sampled_from(("P", "A", "B"))),
               "quantity": draw(st.integers(1, 6)), "placed": f"{draw(st.integers(0, 9))}h",
               "priority": draw(st.integers(1, 3)), "due": f"{draw(st.integers(9, 40))}h"}
              for _ in range(draw(st.integers(1, 8)))]
    return shop(steps, machines=machines, groups=groups, failures=failures, branches=branches,
                orders=orders, lot_size=draw(st.sampled_from((1, 2, None))),
                wip_cap=draw(st.sampled_from((None, 1, 3))), crews=[{"crew": "hands", "size": 2}],
                calendars=[{"calendar": "day", "day": "daily", "from": "00:00", "to": "16:00"}],
                bom=[{"product": "P", "component": "A", "quantity": 2},
                     {"product": "P", "component": "B"}])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=shops(), seed=st.integers(0, 5))
def test_every_order_is_served_and_every_hour_counted_once(network: Network, seed: int) -> None:
    sums = play(network, BASELINE, horizon_h=3000.0, seed=seed).tally
    ordered = sum(row.quantity for row in network.orders.values())
    assert sums.total("units_delivered") == ordered
    assert sums.total("orders_delivered") == len(network.orders)
    assert sums.total("jobs_queued") == sums.total("jobs_processed")
    assert sums.total("queue_time") == pytest.approx(sums.total("queue_length_time"), abs=1e-6)
    for machine in network.machines.values():
        for number in range(machine.units):
            name = machine.machine if machine.units == 1 else f"{machine.machine}#{number + 1}"
            hours = sum(sums.total(kind, name)
                        for kind in ("busy_time", "setup_time", "blocked_time", "down_time"))
            assert hours <= sums.total("machine_clock_time", name) + 1e-6
    if not network.branches:
        lots = sums.total("lots_released")
        assert sums.total("lots_finished") <= lots


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(network=shops(), seed=st.integers(0, 5))
def test_a_ledger_changes_nothing_and_luck_can_be_repeated(network: Network, seed: int) -> None:
    digests = []
    for _ in range(2):
        ledger = Ledger()
        traced = play(network, BASELINE, horizon_h=300.0, seed=seed, ledger=ledger).tally
        digests.append(ledger.digest())
    plain = play(network, BASELINE, horizon_h=300.0, seed=seed).tally
    assert digests[0] == digests[1]
    assert plain.sums == pytest.approx(traced.sums)
