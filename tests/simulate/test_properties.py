"""What holds in every stock network: material, time, order, luck."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.simulate.customer import Customer
from twin.simulate.play import play
from twin.simulate.streams import Streams
from twin.simulate.world import World

DAY = 24.0
HOURS = 60 * DAY
BASELINE = Scenario.baseline()

TIMES = st.sampled_from(["0h", "6h", "1d", "exponential(mean=1d)", "uniform(low=2h, high=3d)",
                         "gamma(mean=1d, sd=1d)"])
GAPS = st.sampled_from(["exponential(mean=8h)", "exponential(mean=1d)", "12h"])
SIZES = st.sampled_from(["1", "poisson(mean=3)", "uniform(low=0, high=5)",
                         "discrete(1:.5, 20:.5)"])
POLICIES = st.sampled_from([
    {"policy": "base_stock", "order_up_to": 30},
    {"policy": "s_S", "reorder_point": 10, "order_up_to": 40},
    {"policy": "s_Q", "reorder_point": 15, "order_quantity": 12},
    {"policy": "R_S", "order_up_to": 40, "review": "3d"},
    {"policy": "kanban", "order_up_to": 40, "order_quantity": 10},
    {"policy": "forecast", "review": "1d", "forecast": "moving_average(n=4)", "safety_stock": 9},
    {"policy": "smoothed", "review": "2d", "forecast": "4", "order_up_to": 30},
    {"policy": "vendor_managed", "reorder_point": 15, "order_up_to": 35},
])
HAPPENINGS = st.sampled_from([
    {"type": "demand", "factor": 3}, {"type": "demand", "factor": 0},
    {"type": "closure", "sites": "D"}, {"type": "closure", "lanes": "S:*"},
    {"type": "transit", "origins": "*", "factor": 2.5, "add": "6h"},
    {"type": "outage", "suppliers": "S"},
    {"type": "capacity", "sites": "S", "factor": 0.3},
    {"type": "visibility", "mode": "batch_reporting", "error": 0.05},
    {"type": "visibility", "mode": "lost_visibility"},
    {"type": "policy", "order_up_to_factor": 1.5, "reorder_point_factor": 1.5},
    {"type": "expedite", "lanes": "*"},
])


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Supplier, depot, two bases and a customer beyond, with whatever the tables offer."""
    fleet = draw(st.booleans())
    depot = draw(POLICIES)
    bases = {name: draw(POLICIES) for name in ("B1", "B2")}
    lanes: list[dict[str, Any]] = [
        {"origin": "S", "destination": "D", "transit": draw(TIMES),
         "damage": draw(st.sampled_from([0, 0.05])),
         "departures": draw(st.sampled_from([None, "2d"]))}]
    for name in bases:
        lanes.append({"origin": "D", "destination": name, "mode": "truck", "transit": draw(TIMES),
                      "order_delay": draw(st.sampled_from(["0h", "12h"]))})
        if fleet:
            lanes[-1] |= {"fleet": "D", "transit": "4h"}
    lanes.append({"origin": "B2", "destination": "C", "transit": draw(TIMES)})
    life = draw(st.sampled_from([None, "8d"]))
    volume = draw(st.sampled_from([0, 1]))
    tables: dict[str, Any] = {
        "sites": [{"site": "S", "kind": "supplier"}, {"site": "D", "kind": "warehouse",
                                                      "handling_time": draw(TIMES)},
                  *({"site": name, "kind": "warehouse",
                     "record_delay": draw(st.sampled_from(["0h", "1d"]))} for name in bases),
                  {"site": "C", "kind": "customer"}],
        "products": [{"product": "A", "weight_kg": 1, "volume_m3": volume, "shelf_life": life}],
        "supply": [{"site": "S", "product": "A", "lead_time": draw(TIMES),
                    "capacity_per_day": draw(st.sampled_from([None, 20])),
                    "multiple": draw(st.sampled_from([None, 4])),
                    "fill": draw(st.sampled_from(["1", "uniform(low=0.5, high=1)"]))}],
        "lanes": lanes,
        "stock": [{"site": "D", "product": "A", "on_hand": draw(st.integers(0, 40)),
                   **depot},
                  *({"site": name, "product": "A", "on_hand": draw(st.integers(0, 40)), **row}
                    for name, row in bases.items())],
        "demand": [
            {"site": site, "product": "A", "interarrival": draw(GAPS), "size": draw(SIZES),
             "unmet": draw(st.sampled_from(["lost", "backorder"])),
             "partial": draw(st.booleans()), "priority": draw(st.integers(1, 2))}
            for site in ("B1", "B2", "C")],
    }
    if draw(st.booleans()):
        tables["returns"] = [
            {"site": site, "product": "A", "share": draw(st.sampled_from([0.1, 0.5, 1])),
             "after": draw(TIMES), "to": draw(st.sampled_from(["D", "S"])),
             "restock": draw(st.sampled_from([0, 0.7, 1]))}
            for site in ("B1", "C")]
    if draw(st.booleans()):
        tables["products"].append({"product": "B", "weight_kg": 2, "volume_m3": volume})
        tables["supply"].append({"site": "S", "product": "B", "lead_time": draw(TIMES)})
        tables["stock"] += [{"site": site, "product": "B", "on_hand": draw(st.integers(0, 5)),
                             **draw(POLICIES)} for site in ("D", *bases)]
        tables["order_lines"] = [
            {"site": site, "stream": "", "product": "B", "size": draw(SIZES),
             "share": draw(st.sampled_from([0.3, 1]))} for site in ("B1", "C")]
        for row in tables["demand"]:
            row["complete"] = draw(st.booleans())
    if volume:
        tables["storage"] = [{"site": site, "area": "hall", "capacity_m3": 45}
                             for site in ("D", "B1")]
    if fleet:
        tables["trucks"] = [{"truck": "T", "home": "D", "units": draw(st.integers(1, 2)),
                             "capacity_kg": 15}]
        tables["docks"] = [{"site": "D", "direction": "out", "time": "1h"}]
    return Network(**tables)


@st.composite
def what_ifs(draw: st.DrawFn) -> Scenario:
    """Up to two events that begin and, perhaps, end in the run."""
    happenings = draw(st.lists(HAPPENINGS, max_size=2))
    return Scenario(name="what if", events={
        f"e{n}": {**row, "start": f"{draw(st.integers(0, 30))}d",
                  **({"duration": "12d"} if draw(st.booleans()) else {})}
        for n, row in enumerate(happenings)})


def quick(examples: int = 40) -> Any:
    """So many examples, without a clock."""
    return settings(max_examples=examples, deadline=None, derandomize=True,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def carried(world: World) -> float:
    """Units between two shelves: on lanes, at docks, in hands, in trucks, outside a full hall."""
    def rows(values: Any) -> float:
        if isinstance(values, dict):
            if "quantity" in values and "goods" in values:
                return float(values["quantity"])
            return sum(rows(value) for value in values.values())
        return sum(rows(value) for value in values) if isinstance(values, list) else 0.0

    state = world.save()
    return rows(state.actors) + sum(shelf.outside for shelf in world.shelves)


@quick()
@given(networks(), what_ifs())
def test_material_is_conserved(network: Network, what: Scenario) -> None:
    """Opening stock and supplies are on hand, on the way, delivered or wasted."""
    from twin.simulate.disturbances import disturb

    world = World(network, Streams(3, 0))
    disturb(world, what)
    world.start()
    world.env.run(until=HOURS)
    sums = world.sums()

    def total(name: str) -> float:
        return sum(value for (measure, *_), value in sums.items() if measure == name)

    came = sum(row.on_hand for row in network.stock.values()) + total("units_supplied")
    there = sum(shelf.on_hand for shelf in world.shelves) + carried(world)
    came += total("units_returned")
    gone = total("units_delivered") + total("units_expired") + total("units_spoiled")
    assert came == pytest.approx(there + gone, abs=1e-6)
    for shelf in world.shelves:
        assert shelf.on_hand >= 0.0
        assert shelf.owed >= 0.0
        shelf.settle()
        known = shelf.on_hand + shelf.on_order - shelf.owed + shelf.outside
        assert shelf.position == pytest.approx(known, abs=1e-6)
        assert shelf.owed == pytest.approx(sum(order.open for *_, order in shelf.book), abs=1e-6)
        assert shelf.on_order == pytest.approx(
            sum(order.undelivered for order in shelf.orders_out.values()), abs=1e-6)
        if shelf.lots is not None:
            assert shelf.on_hand == pytest.approx(sum(lot.quantity for lot in shelf.lots),
                                                  abs=1e-6)
    for area in world.areas.values():
        assert area.used == pytest.approx(sum(shelf.on_hand for shelf in area.shelves), abs=1e-6)


@pytest.mark.long
@quick()
@given(networks(), what_ifs())
def test_orders_drawn_ahead_change_no_digit(network: Network, what: Scenario) -> None:
    """Playing each order as it comes gives the same sums, levels and state; warm-up or not."""
    def played() -> tuple[Any, ...]:
        run = play(network, what, horizon_h=HOURS, warmup_h=9.3 * DAY, sample_every_h=5 * DAY,
                   save_at=31.7 * DAY)
        levels = {key: list(values) for key, values in run.tally.samples.items()}
        return run.tally.sums, levels, run.state

    ahead = played()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twin.simulate.world.look_ahead", lambda world: None)
        assert played() == ahead


@pytest.mark.parametrize("size", ["1", "0.1", "poisson(mean=1)"])
def test_a_busy_shelf_is_seldom_an_event(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of customers alone with their shelf most come without an event, and none is missed."""
    network = Network(
        sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
        products=[{"product": "A"}], supply=[{"site": "S", "product": "A"}],
        lanes=[{"origin": "S", "destination": "W", "transit": "1d"}],
        stock=[{"site": "W", "product": "A", "on_hand": 50, "policy": "s_S", "reorder_point": 20,
                "order_up_to": 50}],
        demand=[{"site": "W", "product": "A", "interarrival": "exponential(mean=2h)",
                 "size": size, "end": "50d"}])
    turns = 0

    def come(customer: Customer) -> None:
        nonlocal turns
        turns += 1
        each(customer)

    def orders() -> tuple[float, int]:
        nonlocal turns
        turns = 0
        return play(network, BASELINE, horizon_h=HOURS).tally.total("orders"), turns

    each = Customer.come
    monkeypatch.setattr(Customer, "turn", [come])
    ordered, came = orders()
    monkeypatch.setattr("twin.simulate.world.look_ahead", lambda world: None)
    assert orders()[0] == ordered > 350
    assert turns >= ordered
    assert came < turns / 2


@pytest.mark.long
@quick(10)
@given(networks(), what_ifs())
def test_the_ledger_adds_up(network: Network, what: Scenario) -> None:
    """Every lot is stored no more than it was, time never goes back, nothing is negative."""
    ledger = Ledger()
    sums = play(network, what, horizon_h=HOURS, ledger=ledger).tally
    rows = ledger.frame()
    assert rows["time"].is_monotonic_increasing
    assert (rows["quantity"] >= 0).all()
    by_event = rows.groupby("event", observed=True)["quantity"].sum()
    stored, made = by_event.get("storing", 0.0), by_event.get("commissioning", 0.0)
    assert made == pytest.approx(sums.total("units_supplied"))
    opening = sum(row.on_hand for row in network.stock.values())
    assert stored - opening == pytest.approx(sums.total("units_received"))
    assert by_event.get("delivering", 0.0) == pytest.approx(sums.total("units_delivered"))
    # Of no lot does more leave a shelf than came onto it.
    here = rows[rows["event"].isin(["storing", "picking", "expiring", "delivering"])]
    here = here[here["site"].isin(["D", "B1", "B2"]) & (here["cause"] != "returned")]
    for (site, _), part in here.groupby(["site", "lot"], observed=True):
        level = 0.0
        direct = part[part["event"] == "picking"].empty
        for event, units in zip(part["event"], part["quantity"], strict=True):
            if event == "storing":
                level += units
            elif event in ("picking", "expiring") or direct:
                level -= units
            assert level >= -1e-6, site


@pytest.mark.long
@quick(14)
@given(networks(), what_ifs())
def test_a_ledger_changes_no_kpi(network: Network, what: Scenario) -> None:
    plain = play(network, what, horizon_h=HOURS).tally.sums
    traced = play(network, what, horizon_h=HOURS, ledger=Ledger()).tally.sums
    for key in plain.keys() | traced.keys():
        assert traced.get(key, 0.0) == pytest.approx(plain.get(key, 0.0), rel=1e-6, abs=1e-5), key


@quick(8)
@given(networks(), what_ifs())
def test_the_same_seed_is_the_same_run(network: Network, what: Scenario) -> None:
    digests = []
    for seed in (1, 1, 2):
        ledger = Ledger()
        play(network, what, horizon_h=HOURS, seed=seed, ledger=ledger)
        digests.append(ledger.digest())
    assert digests[0] == digests[1]
    assert digests[0] != digests[2] or not len(ledger)


@quick(8)
@given(networks())
def test_who_joins_changes_nobodys_luck(network: Network) -> None:
    """Another customer, of another product, at a new site of its own."""
    more = network.replace(
        sites=[*network.sites.values(), {"site": "Z", "kind": "supplier"}],
        products=[*network.products.values(), {"product": "Z"}],
        supply=[{"site": "Z", "product": "Z"}, *network.supply.values()],
        demand=[{"site": "Z", "product": "Z", "interarrival": "exponential(mean=1h)"},
                *network.demand.values()])
    before = play(network, BASELINE, horizon_h=HOURS).tally.sums
    after = play(more, BASELINE, horizon_h=HOURS).tally.sums
    assert {key: value for key, value in after.items() if key[1] != "Z"} == before


@quick(14)
@given(networks())
def test_first_come_first_served_of_the_same_priority(network: Network) -> None:
    """At a base whose customers all may be served in part, no later order overtakes."""
    rows = [row for row in network.demand.values() if row.site == "B1"]
    same = [{"site": "B1", "product": "A", "stream": name, "interarrival": rows[0].interarrival,
             "size": 2} for name in "xy"]
    ledger = Ledger()
    network = network.replace(demand=same, returns=[], order_lines=[])
    play(network, BASELINE, horizon_h=HOURS, ledger=ledger)
    frame = ledger.frame()
    served = frame[(frame["event"] == "delivering") & (frame["site"] == "B1")]
    firsts = served.drop_duplicates("order")["order"]
    assert firsts.is_monotonic_increasing
