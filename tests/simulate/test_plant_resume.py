"""A certain plant, saved at any moment and taken up again, goes on as if nothing had been."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.simulate.shops import BASELINE, at, shop
from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State

#: Sums of these are exact, so that much happens at the same instant.
EVEN = ("15min", "30min", "1h", "1h", "90min", "2h", "3h")
#: Of these they are not: what falls together does so but for rounding.
ODD = ("20min", "0h", "1h", "50min", "71min 3s", "6min", "2h 10min")
GROUPS = ("saw", "drill", "lathe", None)
RULES = ("fifo", "priority", "due_date", "shortest", "family", "wheel")
CREWS = (None, None, "hands", "experts")


@st.composite
def plants(draw: st.DrawFn, times: tuple[str, ...]) -> Network:
    """A plant of up to three work centres that makes A, B, C and P, assembled of A, B and D."""
    def some(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    def time() -> str:
        return str(some(*times))

    def step() -> dict[str, Any]:
        return at(some(*GROUPS), time(), per=some("unit", "lot", "batch"), batch=some(1, 1, 2, 3),
                  setup_time=some("0h", "0h", time()), crew=some(*CREWS),
                  setup_family=some(None, None, "red"))

    steps = {name: [step() for _ in range(draw(st.integers(1, 3)))] for name in "PABC"}
    used = list(dict.fromkeys(row["group"] for rows in steps.values() for row in rows
                              if row["group"]))
    groups = [{"group": name, "preempt": draw(st.booleans()), "dispatch": some(*RULES),
               "buffer": some(None, None, 1, 2), "blocking": some("after", "after", "before")}
              for name in used]
    machines = [{"machine": f"{name}{number}", "group": name, "units": some(1, 1, 2),
                 "speed": some(1, 1, 2, 0.5), "calendar": some(None, None, "day", "late"),
                 "crew": some(*CREWS)}
                for name in used for number in range(draw(st.integers(1, 2)))]
    failures = [{"asset": row["machine"], "cause": cause, "time_to_failure": some("5h", "8h"),
                 "time_to_repair": time(), "clock": some("operating", "elapsed"),
                 "after": some("resume", "restart", "scrap"), "crew": some(*CREWS),
                 "spare": some(None, None, "D"),
                 **some({}, {"service_after": "6h", "service_time": "1h"})}
                for row in machines for cause in ("wear", "dirt") if some(True, False, False)]
    setups = []
    for name in used:
        families = sorted({row["setup_family"] or product for product, rows in steps.items()
                           for row in rows if row["group"] == name})
        if len(families) > 1 and draw(st.booleans()):
            setups.append({"group": name, "from_family": families[0], "to_family": families[-1],
                           "time": time()})
    branches = [{"product": name, "step": 10, "next": some("20", "done"), "share": 1}
                for name in "ABC" if len(steps[name]) > 1 and some(True, False, False)]
    orders = [{"product": some(*"PABC"), "quantity": draw(st.integers(1, 5)),
               "placed": f"{draw(st.integers(0, 24)) / 2}h", "priority": draw(st.integers(1, 3)),
               "due": some(None, "13h", "20h")} for _ in range(draw(st.integers(1, 8)))]
    demand = [{"site": "shop", "product": some(*"AB"), "interarrival": some("4h", "7h"),
               "unmet": some("lost", "backorder"), "limit": 4, "stream": stream}
              for stream in ("x", "y") if draw(st.booleans())]
    return shop(
        steps, machines=machines, groups=groups, failures=failures, branches=branches,
        setups=setups, orders=orders, demand=demand, lot_size=some(1, 2, None),
        wip_cap=some(None, 1, 3), crews=[{"crew": "hands", "size": some(1, 2),
                                          "site": "shop", "calendar": some(None, "day")},
                                         {"crew": "experts", "size": 1}],
        calendars=[{"calendar": "day", "day": "daily", "from": "00:00", "to": "06:00"},
                   {"calendar": "day", "day": "daily", "from": "07:00", "to": "16:00"},
                   {"calendar": "late", "day": "daily", "from": "04:00", "to": "22:00"}],
        products=[{"product": "D"}],
        stock=[{"product": "D", "on_hand": 2, **some(
            {"policy": "base_stock", "order_up_to": 3},
            {"policy": "R_S", "order_up_to": 3, "review": "5h"})}],
        sites=[{"site": "maker", "kind": "supplier"}],
        supply=[{"site": "maker", "product": "D", "lead_time": "1h"}],
        lanes=[{"origin": "maker", "destination": "shop", "transit": time()}],
        bom=[{"product": "P", "component": "A", "quantity": 2},
             {"product": "P", "component": "B"}, {"product": "P", "component": "D"}])


WHAT_IFS = st.sampled_from([BASELINE] * 3 + [
    Scenario(name="what if", events={"it": {"start": "2h", **row}}) for row in (
        {"type": "breakdown", "machines": "*", "repair": "3h"},
        {"type": "slowdown", "machines": "*", "factor": 0.5, "duration": "8h"},
        {"type": "capacity", "sites": "shop", "factor": 0.4, "duration": "6h"})])


def rest(ledger: Ledger, after: float) -> list[tuple[Any, ...]]:
    """The rows from a moment on; numbers of orders and lots by the order of their coming."""
    rows = ledger.frame()
    rows = rows[(rows.time >= after) & ~rows.cause.isin(["stock"])]
    rows = rows[~((rows.event == "departing") & (rows.time == after))]
    names: dict[tuple[str, int], int] = {}

    def named(kind: str, number: Any) -> int:
        number = 0 if pd.isna(number) else int(number)
        return number and names.setdefault((kind, number), len(names) + 1)

    return [(round(row.time, 6), row.event, row.site, row.to_site, row.asset, row.cause,
             row.product, round(row.quantity, 6), named("order", row.order), named("lot", row.lot),
             named("order" if row.event == "ordering" else "lot", row.parent))
            for row in rows.itertuples()]


def check(network: Network, what: Scenario, moment: float, hours: float = 48.0) -> None:
    """What follows the moment is the same in one run and in a run from its state."""
    whole, more = Ledger(), Ledger()
    state = play(network, what, horizon_h=hours, save_at=moment, ledger=whole).state
    assert state is not None
    state = State.from_document(json.loads(json.dumps(state.document(), allow_nan=False)))
    play(network, BASELINE, horizon_h=hours - moment, state=state, ledger=more)
    found, expected = rest(more, moment), rest(whole, moment)
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        if one != other:
            note(f"row {number}: {one} instead of {other}")
            break
    assert found == expected


MANY: Any = {"deadline": None, "suppress_health_check": list(HealthCheck),
             "phases": [Phase.explicit, Phase.reuse, Phase.generate]}  # it shrinks for minutes
#: Whole and half hours, when much happens, or any moment.
EVENLY, ODDLY = st.integers(9, 96).map(lambda quarters: quarters / 4), st.floats(2.01, 24.0)


@settings(max_examples=15, **MANY)
@given(plants(EVEN), WHAT_IFS, EVENLY)
def test_where_much_falls_together(network: Network, what: Scenario, moment: float) -> None:
    check(network, what, moment)


@settings(max_examples=10, **MANY)
@given(plants(ODD), WHAT_IFS, ODDLY)
def test_where_times_are_rounded(network: Network, what: Scenario, moment: float) -> None:
    check(network, what, moment)


@pytest.mark.long
@settings(max_examples=160, **MANY)
@given(plants(EVEN) | plants(ODD), WHAT_IFS, EVENLY | ODDLY)
def test_often(network: Network, what: Scenario, moment: float) -> None:
    check(network, what, moment)
