"""The state that readings tell, against the state of the world that told them."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import Any

import pytest

from tests.sense.chains import BASELINE, DAY, differences, fresh, lived, model, rules, state_of
from tests.simulate.test_told import CHAIN
from twin.network import Network
from twin.simulate import play
from twin.state import State

#: What no reading tells, with what stands for it: what is left of a random time is drawn anew,
#: errors of a record show when it is counted, what customers will give back shows then, scores
#: begin anew, ids of lots in work are our own.
UNLIKE = frozenset({"left", "period", "gap", "number", "certain", "queued", "due_in"})


def tidy(state: State) -> dict[str, Any]:
    """A state's document without what luck or bookkeeping alone decides."""
    document = state.document()
    orders = {row["number"]: {**row, "due_in": None if row["due_in"] is None
                              else row["due_in"] + 0.0} for row in document["orders"]}
    actors = {}
    for name, values in document["actors"].items():
        row = dict(values)
        if name.startswith(("plant ", "group ", "crew ", "pass ", "returns ")):
            continue
        if name.startswith("shelf "):
            lots: dict[int, list[float]] = {}
            for number, units, expires, *_ in row["lots"] or ():
                lots.setdefault(int(number), [0.0, expires])[0] += units
            row["lots"] = lots
            row.pop("period")
            if not row["policy"]:
                row.pop("seen_demand")
                row.pop("seen_age")
        if name.startswith("fleet "):  # legs by distance and speed
            for truck in row.values():
                truck["rest"] = truck["left"]
        if name.startswith("supplier "):
            row["preparing"] = [[number, worked] for number, _, worked in row["preparing"]]
        if "moving" in row:
            for each in row["moving"]:
                each["due"] = each["due_in"] if each["delayed"] else None
            row["moving"] = sorted(row["moving"], key=lambda each: (
                -each["age"], each["load"][0]["order"]))
        if "family" in row:
            row["jobs"] = len(row["jobs"])
            if row["phase"] not in ("busy", "setup"):
                row.pop("worked")
            row.pop("begun_set_up", None)
        if row.get("record"):  # what is booked wrong is not known
            row["record"]["pending"] = [[wait, units > 0.0, asked]
                                        for wait, units, asked in row["record"]["pending"]]
        if name.startswith("customer ") and row.get("certain"):
            row["waits"] = max(row["left"] or 0.0, 0.0)
        actors[name] = row
    return {"orders": orders, "actors": actors, "posted": document["posted"]}


def lots_in_work(state: State) -> list[Any]:
    """Every lot in a plant: order, step, units, since when, and its components."""
    found = []
    for name, values in state.actors.items():
        if name.startswith("plant "):
            for job in values["jobs"]:
                parts = sorted((part["product"], round(part["goods"][0][1], 5))
                               for part in job["parts"])
                found.append((name, job["order"], job["place"], round(job["units"], 5),
                              round(job["released"], 4), round(job["missing"], 4), parts))
    return sorted(found)


WORLDS = [("harbour", 33.55, 1), ("harbour", 60.43, 3), ("harbour", 90.7, 5),
          ("harbour", 123.45, 9), ("harbour", 201.61, 6), ("harbour", 250.35, 8),
          ("medicines", 300.37, 3), ("medicines", 500.3, 2)]
QUICK = (WORLDS[0], WORLDS[2])


@pytest.mark.parametrize(("name", "days", "seed"), [
    pytest.param(*world, marks=[] if world in QUICK else [pytest.mark.long]) for world in WORLDS])
def test_what_was_told_is_what_was_so(name: str, days: float, seed: int) -> None:
    network = model(name)
    readings, truth, _ = lived(network, days * DAY, seed=seed)
    state = state_of(network, readings, days * DAY)
    true, told = tidy(truth), tidy(state)
    assert differences(true["orders"], told["orders"], UNLIKE - {"due_in", "number"}) == []
    assert differences(true["posted"], told["posted"]) == []
    assert lots_in_work(truth) == lots_in_work(state)
    found = differences(true["actors"], told["actors"], UNLIKE)
    # A customer who wanted nothing (an order of size zero) has told nobody.
    assert [row for row in found if not row[0].endswith(".placed")] == []
    assert all("cafe" in path and 0 < so - said < 3 for path, so, said in found)


@pytest.mark.parametrize("hours", [6.0, 10.0])
def test_who_waits_for_a_window_was_seen_to_come(hours: float) -> None:
    network = Network(**{**CHAIN, "windows": [
        {"site": "R", "open": "08:00", "close": "09:00"},
        {"site": "C", "open": "12:00", "close": "13:00"}]})
    readings, truth, _ = lived(network, hours)
    told = state_of(network, readings, hours).actors
    gates = {name: row for name, row in truth.actors.items() if name.startswith("reception ")}
    assert sum(len(row["queue"]) for row in gates.values()) == 1
    for name, row in gates.items():
        assert [(one["visitor"], one["step"], pytest.approx(one["age"])) for one in row["queue"]
                ] == [(one["visitor"], one["step"], one["age"]) for one in told[name]["queue"]]


@pytest.mark.parametrize("complete", [True, False])
def test_open_lines_are_known_to_be_one_order(complete: bool) -> None:
    base = {"policy": "base_stock", "source": "S"}
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
               {"site": "C", "kind": "customer"}],
        products=[{"product": "A"}, {"product": "B"}],
        supply=[{"site": "S", "product": "A"}, {"site": "S", "product": "B"}],
        lanes=[{"origin": "S", "destination": "W", "transit": "31h"},
               {"origin": "W", "destination": "C", "transit": "5h"}],
        stock=[{"site": "W", "product": "A", "on_hand": 8, "order_up_to": 8, **base},
               {"site": "W", "product": "B", "on_hand": 4, "order_up_to": 4, **base}],
        demand=[{"site": "C", "product": "A", "interarrival": "7h", "size": 2, "start": "1h",
                 "complete": complete}],
        order_lines=[{"site": "C", "stream": "", "product": "B", "size": 3, "share": 0.7}])
    readings, truth, _ = lived(network, 8.2 * DAY)
    told = state_of(network, readings, 8.2 * DAY)
    true, found = (state.actors["customer C/A/"]["wholes"] for state in (truth, told))
    assert len(true) > 2
    assert found == [{**one, "age": pytest.approx(one["age"]),
                      "due_in": pytest.approx(one["due_in"])} for one in true]
    groups = [{row["number"]: row.get("together") for row in state.orders}
              for state in (truth, told)]
    assert groups[0] == groups[1]
    assert any(groups[0].values()) == complete


@pytest.mark.long
def test_a_workshop_that_shares_its_workers() -> None:
    """Who works at which of several machines of one worker follows from starts and shifts."""
    network = model("workshop")
    readings, truth, _ = lived(network, 120.3 * DAY)
    state = state_of(network, readings, 120.3 * DAY)
    assert lots_in_work(truth) == lots_in_work(state)
    machines = {name: (row["phase"], row["worked"]) for name, row in truth.actors.items()
                if "family" in row}
    told = {name: (row["phase"], row["worked"]) for name, row in state.actors.items()
            if "family" in row}
    busy = {name for name, (phase, _) in machines.items() if phase == "busy"}
    assert busy == {name for name, (phase, _) in told.items() if phase == "busy"}
    for name in busy:
        assert told[name][1] == pytest.approx(machines[name][1], abs=1e-4), name
    delays = [sorted((round(row["worked"], 3), row["begun"]) for row in actors["delays"])
              for actors in (truth.actors["plant shop"], state.actors["plant shop"])]
    assert delays[0] == delays[1]
    # What stands at a machine whose worker is elsewhere looks like a queue; few lots do.
    unlike = [name for name in machines if machines[name][0] != told[name][0]]
    assert len(unlike) <= 3
    assert {machines[name][0] for name in unlike} <= {"staff"}


def test_a_state_at_a_moment_is_told_by_what_was_before_alone() -> None:
    network = model("harbour")
    early, _, _ = lived(network, 40 * DAY)
    late, _, _ = lived(network, 60 * DAY)
    assert state_of(network, early, 40 * DAY) == state_of(network, late, 40 * DAY)


def test_from_nothing_the_tables_are_believed() -> None:
    network = model("harbour")
    nothing = lived(network, 1.0)[0].iloc[:0]
    state = state_of(network, nothing, 0.0)
    for (site, product), row in network.stock.items():
        assert state.actors[f"shelf {site}/{product}"]["on_hand"] == row.on_hand
    assert play(network, BASELINE, horizon_h=240.0, state=state).tally.sums


# -- going on ------------------------------------------------------------------------------------

#: Not known: how wrong a record is until somebody counts.
UNTOLD = {"record_gap_time"}


def scores(network: Network, name: str, hours: float, after: float,
           replications: int) -> dict[str, float]:
    """Standardised mean differences of all sums: going on from what was told, and unbroken."""
    from twin.sense.begin import begin_from
    from twin.sense.fold import Fold
    from twin.sense.history import events_of

    gaps: dict[str, list[float]] = {}
    for replication in range(replications):
        readings, _, unbroken = lived(network, hours, seed=5, after=after, replication=replication)
        fold = Fold(network, rules(name))
        fold.take(events_of(readings, network.start))
        state = begin_from(fold.state(), hours, network, fresh(name), rules(name))
        broken = play(network, BASELINE, horizon_h=after, state=state, seed=5,
                      replication=1000 + replication).tally.sums
        gap: dict[str, float] = {}
        for sums, sign in ((unbroken, -1.0), (broken, 1.0)):
            for (measure, *_), value in sums.items():
                gap[measure] = gap.get(measure, 0.0) + sign * value
        for measure, value in gap.items():
            gaps.setdefault(measure, [0.0] * replications)[replication] = value
    return {measure: fmean(found) / (stdev(found) / math.sqrt(replications))
            for measure, found in gaps.items() if stdev(found) > 0.0 and measure not in UNTOLD}


def check_alike(found: dict[str, float], looks: int) -> None:
    """No score is further out than chance takes the worst of so many looks: one in a thousand."""
    from scipy.stats import norm

    limit = float(norm.isf(0.0005 / looks))
    assert {measure: round(score, 1) for measure, score in found.items()
            if abs(score) > limit} == {}


@pytest.mark.long
def test_going_on_from_what_was_told_is_as_good_as_going_on() -> None:
    found = scores(model("harbour"), "harbour", 20.37 * DAY, 5 * DAY, 24)
    assert len(found) > 60
    check_alike(found, len(found))


@pytest.mark.long
@pytest.mark.parametrize(("name", "days", "after", "replications"), [
    ("harbour", 60.8, 14.0, 60), ("medicines", 300.37, 60.0, 24), ("workshop", 100.37, 30.0, 30)])
def test_going_on_over_many_replications(name: str, days: float, after: float,
                                         replications: int) -> None:
    found = scores(model(name), name, days * DAY, after * DAY, replications)
    assert len(found) > 30
    check_alike(found, len(found))
