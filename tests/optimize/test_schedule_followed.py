"""A schedule that the simulation follows without noise is kept to the minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.optimize.shops import FT06
from twin.commands.optimize_schedule import open_hours
from twin.ledger import Ledger
from twin.network import Network
from twin.optimize.schedule import Solved, plan_of, solve
from twin.optimize.schedule_work import GOALS
from twin.optimize.workload import workload
from twin.plan import Answer, Operation, Plan, Status
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.state import State


def shop(routings: Sequence[Mapping[str, Any]], machines: Sequence[Mapping[str, Any]],
         orders: Sequence[Mapping[str, Any]], **tables: Any) -> Network:
    products = list(dict.fromkeys(str(row["product"]) for row in routings))
    return Network(
        sites=[{"site": "shop", "kind": "plant"}],
        products=[{"product": name, "lot_size": 1} for name in products],
        machines=[{"site": "shop", **row} for row in machines],
        routings=[{"site": "shop", "per": "lot", **row} for row in routings],
        orders=[{"order": str(i), "site": "shop", "quantity": 1, **row}
                for i, row in enumerate(orders, 1)],
        **{name: [{"site": "shop", **row} if name in ("setups", "groups") else row
                  for row in rows] for name, rows in tables.items()})


def job_shop(rows: Sequence[Sequence[int]]) -> Network:
    """A job shop of the books: an order of one lot of each product at the start."""
    routings = [{"product": f"part{i}", "step": k, "group": f"G{row[2 * k]}",
                 "process_time": f"{row[2 * k + 1]}h"}
                for i, row in enumerate(rows) for k in range(len(row) // 2)]
    groups = sorted({str(row["group"]) for row in routings})
    return shop(routings, [{"machine": name.replace("G", "M"), "group": name} for name in groups],
                [{"product": f"part{i}", "due": "40h"} for i in range(len(rows))])


def scheduled(network: Network, goal: str = "makespan", state: State | None = None,
              seconds: float = 20.0) -> tuple[Plan, Solved]:
    work = workload(network, state, hours=open_hours(network), goal=GOALS[goal], span=480.0)
    solved = solve(work, seconds=seconds)
    return plan_of(solved, network.name, 0.0 if state is None else state.clock_h), solved


def lived(network: Network, plan: Plan, state: State | None = None,
          hours: float = 300.0) -> list[tuple[str, int, float, float]]:
    """Machine, order, start and end of every operation that begins while the plan is followed."""
    book = Ledger()
    play(network, Scenario.baseline(), horizon_h=hours, ledger=book, state=state, plan=plan)
    rows = book.frame()
    rows = rows[~rows.asset.str.contains("/")]  # steps without a machine have no turn
    ends: dict[tuple[str, int], list[float]] = {}
    for row in rows[rows.event == "completing"].itertuples():
        ends.setdefault((row.asset, row.order), []).append(row.time)
    found = []
    for row in rows[rows.event == "starting"].itertuples():
        found.append((row.asset, int(row.order), round(row.time, 4),
                      round(ends[row.asset, row.order].pop(0), 4)))
    return sorted(found)


def planned(plan: Plan) -> list[tuple[str, int, float, float]]:
    return sorted((one.machine, one.order, round(one.start, 4), round(one.end, 4))
                  for one in plan.operations if not one.started)


@pytest.mark.long
def test_ft06_takes_its_fifty_five_hours() -> None:
    network = job_shop([[int(word) for word in row.split()] for row in FT06])
    plan, solved = scheduled(network)
    assert solved.score.makespan == 55 * 60
    followed = lived(network, plan)
    assert followed == planned(plan)
    assert max(end for *_, end in followed) == 55.0


@pytest.mark.long
def test_alternative_machines_are_followed() -> None:
    network = shop(
        [{"product": "a", "step": 10, "group": "mill", "process_time": "4h"},
         {"product": "a", "step": 20, "group": "drill", "process_time": "2h"},
         {"product": "b", "step": 10, "group": "drill", "process_time": "3h"},
         {"product": "b", "step": 20, "process_time": "1h"},
         {"product": "b", "step": 30, "group": "mill", "process_time": "5h"}],
        [{"machine": "fast", "group": "mill", "speed": 2}, {"machine": "old", "group": "mill"},
         {"machine": "D", "group": "drill", "units": 2}],
        [{"product": "a"}, {"product": "b"}, {"product": "a"}, {"product": "b"}],
        capabilities=[{"machine": "old", "product": "b", "step": 30, "process_time": "9h"}])
    plan, _ = scheduled(network)
    assert lived(network, plan) == planned(plan)


@pytest.mark.long
def test_set_ups_shifts_and_a_crew_are_followed() -> None:
    network = shop(
        [{"product": "red", "step": 10, "group": "paint", "process_time": "3h",
          "setup_time": "30min"},
         {"product": "blue", "step": 10, "group": "paint", "process_time": "2h"},
         {"product": "red", "step": 20, "group": "pack", "process_time": "2h"},
         {"product": "blue", "step": 20, "group": "pack", "process_time": "1h"}],
        [{"machine": "booth", "group": "paint", "calendar": "day"},
         {"machine": "P1", "group": "pack", "crew": "packers", "calendar": "day"},
         {"machine": "P2", "group": "pack", "crew": "packers", "calendar": "day"}],
        [{"product": name, "due": due} for name, due in
         (("red", "8h"), ("blue", "6h"), ("red", "30h"), ("blue", "20h"), ("red", "40h"))],
        setups=[{"group": "paint", "from_family": "red", "to_family": "blue", "time": "2h"},
                {"group": "paint", "from_family": "blue", "to_family": "red", "time": "1h"}],
        crews=[{"crew": "packers", "size": 1, "site": "shop"}],
        calendars=[{"calendar": "day", "day": "daily", "from": "06:00", "to": "16:00"}])
    plan, solved = scheduled(network, "tardiness")
    assert any(one.setup > 0.0 for one in plan.operations)
    assert lived(network, plan) == planned(plan)
    assert solved.answer.objective is not None


@pytest.mark.long
def test_ovens_wait_for_the_batch_that_is_planned() -> None:
    network = shop(
        [{"product": "cake", "step": 10, "group": "mix", "process_time": "1h"},
         {"product": "cake", "step": 20, "group": "oven", "process_time": "4h", "per": "batch",
          "batch": 3}],
        [{"machine": "M", "group": "mix"}, {"machine": "oven", "group": "oven"}],
        [{"product": "cake"}] * 4)
    plan, solved = scheduled(network)
    assert solved.score.makespan == 9 * 60  # 1 alone or 3 after 3, and the rest at once
    assert lived(network, plan) == planned(plan)


@pytest.mark.long
def test_a_schedule_from_a_state_leaves_started_work_alone() -> None:
    network = job_shop([[int(word) for word in row.split()] for row in FT06])
    state = play(network, Scenario.baseline(), horizon_h=9.5, save_at=9.5).state
    assert state is not None
    plan, _ = scheduled(network, state=state)
    assert any(one.started for one in plan.operations)
    assert all(one.start >= 9.5 for one in plan.operations if not one.started)
    assert lived(network, plan, state) == planned(plan)


@pytest.mark.long
def test_a_planned_service_is_done_where_the_plan_has_it() -> None:
    network = shop(
        [{"product": "a", "step": 10, "group": "mill", "process_time": "4h"}],
        [{"machine": "mill", "group": "mill"}],
        [{"product": "a", "due": f"{4 * (i + 1)}h"} for i in range(4)],
        failures=[{"asset": "mill", "cause": "wear", "service_after": "13h",
                   "service_time": "2h", "clock": "operating"}])
    plan, _ = scheduled(network, "tardiness")
    assert len(plan.services) == 1
    book = Ledger()
    play(network, Scenario.baseline(), horizon_h=40.0, ledger=book, plan=plan)
    rows = book.frame()
    served = rows[(rows.event == "failing") & (rows.cause == "service")]
    assert served.time.tolist()[0] == pytest.approx(plan.services[0].start)
    assert lived(network, plan, hours=40.0) == planned(plan)


@pytest.mark.long
def test_a_plan_for_another_model_is_refused() -> None:
    network = job_shop([[0, 1]])
    plan, _ = scheduled(job_shop([[5, 1]]))
    with pytest.raises(ValueError, match="works on M5"):
        lived(network, plan)


def by_hand(*rows: tuple[str, str, int, int, float, float]) -> Plan:
    """A plan of lots of one operation or two: machine, product, order, step, start, end."""
    return Plan("schedule", "shop", 0.0, Answer(Status.FEASIBLE), tuple(
        Operation("shop", machine, machine[0], product, order, 1, step, start, end)
        for machine, product, order, step, start, end in rows))


def test_a_late_lot_keeps_no_machine_waiting() -> None:
    network = shop(
        [{"product": "a", "step": 10, "group": "N", "process_time": "5h"},
         {"product": "a", "step": 20, "group": "M", "process_time": "2h"},
         {"product": "b", "step": 20, "group": "M", "process_time": "2h"},
         {"product": "c", "step": 20, "group": "M", "process_time": "4h"}],
        [{"machine": "N", "group": "N"}, {"machine": "M", "group": "M"}],
        [{"product": "a"}, {"product": "b"}, {"product": "c"}])
    plan = by_hand(("N", "a", 1, 10, 0.0, 2.0), ("M", "a", 1, 20, 2.0, 4.0),
                   ("M", "b", 2, 20, 4.0, 6.0), ("M", "c", 3, 20, 6.0, 10.0))
    late = 1.0 / 60.0
    followed = {order: start for machine, order, start, _ in lived(network, plan)
                if machine == "M"}
    assert followed == pytest.approx({2: 2.0 + late, 3: 4.0 + late, 1: 8.0 + late}, abs=1e-3)


def test_a_machine_beside_takes_what_is_late_and_what_is_in_time_waits() -> None:
    network = shop(
        [{"product": name, "step": 10, "group": "M", "process_time": "5h"} for name in "abc"],
        [{"machine": "M1", "group": "M"}, {"machine": "M2", "group": "M"}],
        [{"product": name} for name in "abc"])
    plan = by_hand(("M1", "a", 1, 10, 0.0, 2.0), ("M1", "b", 2, 10, 2.0, 4.0),
                   ("M1", "c", 3, 10, 9.0, 14.0))
    followed = {order: (machine, start) for machine, order, start, _ in lived(network, plan)}
    assert followed == {1: ("M1", 0.0), 2: ("M2", pytest.approx(2.0 + 1.0 / 60.0, abs=1e-3)),
                        3: ("M1", pytest.approx(5.0, abs=1e-3))}


def test_a_crew_goes_on_when_what_it_was_to_do_first_is_late() -> None:
    network = shop(
        [{"product": "a", "step": 10, "group": "N", "process_time": "5h"},
         {"product": "a", "step": 20, "group": "M", "process_time": "2h"},
         {"product": "b", "step": 10, "group": "O", "process_time": "2h"}],
        [{"machine": "N", "group": "N"}, {"machine": "M", "group": "M", "crew": "two"},
         {"machine": "O", "group": "O", "crew": "two"}],
        [{"product": "a"}, {"product": "b"}], crews=[{"crew": "two", "size": 1, "site": "shop"}])
    plan = by_hand(("N", "a", 1, 10, 0.0, 2.0), ("M", "a", 1, 20, 2.0, 4.0),
                   ("O", "b", 2, 10, 4.0, 6.0))
    followed = {machine: start for machine, _, start, _ in lived(network, plan)}
    assert followed == pytest.approx({"N": 0.0, "O": 2.0 + 1.0 / 60.0, "M": 5.0}, abs=1e-3)


def test_a_model_that_makes_nothing_and_a_step_without_a_machine_are_refused() -> None:
    with pytest.raises(ValueError, match="makes nothing"):
        workload(Network(sites=[{"site": "W", "kind": "warehouse"}]))
