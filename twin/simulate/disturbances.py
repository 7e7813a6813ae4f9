"""Disturbances and responses: what each event of a scenario does to the actors it addresses.

One function an event type: it finds its targets and returns what to do at the start and at the
end. Factors of several events on one thing are multiplied, additions added, so that scenarios
compose in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from math import inf, prod
from typing import TYPE_CHECKING, Any

from twin.network import Stock
from twin.quantity import parse_quantity
from twin.scenario import EVENTS, Scenario, ScenarioError, matches
from twin.simulate.kernel import FAILURE
from twin.simulate.storage import WARM_TOLERANCE_H
from twin.state import State

if TYPE_CHECKING:
    from twin.simulate.lane import Lane
    from twin.simulate.world import World

Act = Callable[[], None]


def disturb(world: World, scenario: Scenario) -> None:
    """Schedule every event of a scenario.

    Raises
    ------
    ScenarioError
        If an event addresses nothing in this world.
    """
    for name, event in scenario.events.items():
        last = inf if event.end is None else world.epoch + event.end
        _schedule(world, name, event, world.epoch + event.start, last)


def go_on(world: World, state: State) -> None:
    """Let the events that were under way in a state go on for the time they have left."""
    for row in state.disturbances:
        event: Any = EVENTS[row["event"]["type"]](**row["event"])
        if event.type == "breakdown":
            continue  # the machines know of their repair
        if event.type == "transit":
            event = event.model_copy(update={"in_transit": False})
        begin, end = _EFFECTS[event.type](world, row["name"], event)
        last = inf if row["left"] is None else world.env._now + row["left"]
        _begin(world, row["name"], event, last, begin)
        if last < inf and end is not None:
            _call_off(world, row["name"], last, end)


def _schedule(world: World, name: str, event: Any, first: float, last: float) -> None:
    begin, end = _EFFECTS[event.type](world, name, event)
    world.env.call(first, FAILURE, lambda _: _begin(world, name, event, last, begin))
    if last < inf and end is not None:
        _call_off(world, name, last, end)


def _call_off(world: World, name: str, last: float, act: Act) -> None:
    world.env.call(last, FAILURE, lambda _: _end(world, name, act))


def _begin(world: World, name: str, event: Any, last: float, act: Act) -> None:
    world.under_way[name] = (event, last)
    act()


def _end(world: World, name: str, act: Act) -> None:
    world.under_way.pop(name, None)
    act()


class Dial:
    """A value of an actor that several causes turn at once."""

    def __init__(self, world: World) -> None:
        self.world = world

    def turn(self, thing: str, cause: str, value: float | None,
             combine: Callable[[Iterable[float]], float] = prod) -> float:
        """Let a cause hold a value of a thing (None: let go); the values combined."""
        held: dict[str, float] = self.world.dials.setdefault(thing, {})
        if value is None:
            held.pop(cause, None)
        else:
            held[cause] = value
        return combine(held.values())


def _some(name: str, event: Any, targets: list[Any], options: Iterable[str]) -> list[Any]:
    if not targets:
        known = ", ".join(list(dict.fromkeys(options))[:12]) or "none"
        raise ScenarioError(f"events.{name}: {event.type} addresses nothing in this model. "
                            f"Write names or patterns of: {known}.")
    return targets


def _demand(world: World, name: str, event: Any) -> tuple[Act, Act]:
    sites = world.network.sites
    found = [
        customer for customer in world.customers
        if matches(customer.site, event.sites) and matches(customer.product, event.products)
        and matches(customer.stream, event.streams)
        and matches(customer.row.region or sites[customer.site].region or "", event.regions)
    ]
    _some(name, event, found, (c.site for c in world.customers))
    dial = Dial(world)

    def set_to(value: float | None) -> None:
        for customer in found:
            customer.set_factor(dial.turn(customer.name, name, value))

    return lambda: set_to(event.factor), lambda: set_to(None)


def _delay(world: World, lanes: list[Lane], name: str, factor: float | None, add: float | None,
           *, in_transit: bool) -> None:
    dial = Dial(world)
    for lane in lanes:
        lane.delay(dial.turn(f"{lane.name} factor", name, factor),
                   dial.turn(f"{lane.name} add", name, add, sum), in_transit=in_transit)


def _transit(world: World, name: str, event: Any) -> tuple[Act, Act]:
    lanes = [
        lane for lane in world.lanes.values()
        if matches(lane.origin, event.origins) and matches(lane.destination, event.destinations)
        and matches(lane.row.mode, event.modes)
    ]
    _some(name, event, lanes, world.lanes)
    return (lambda: _delay(world, lanes, name, event.factor, event.add,
                           in_transit=event.in_transit),
            lambda: _delay(world, lanes, name, None, None, in_transit=False))


def _closure(world: World, name: str, event: Any) -> tuple[Act, Act]:
    shut: dict[str, tuple[Lane, bool]] = {}
    for lane in world.lanes.values():
        places = (lane.origin, lane.destination, lane.row.via or "")
        if matches(lane.name, event.lanes) or matches(places[0], event.sites):
            shut[lane.name] = (lane, False)
        if matches(places[1], event.sites) or (places[2] and matches(places[2], event.sites)):
            shut[lane.name] = (lane, True)
    _some(name, event, list(shut), world.lanes)

    def begin() -> None:
        for lane, arrivals in shut.values():
            lane.close(name, arrivals=arrivals)

    def end() -> None:
        for lane, _ in shut.values():
            lane.reopen(name)

    return begin, end


def _suppliers(world: World, sites: Iterable[str], products: Iterable[str]) -> list[Any]:
    return [world.node(site, product, "supply") for site, product in world.network.supply
            if matches(site, tuple(sites)) and matches(product, tuple(products))]


def _outage(world: World, name: str, event: Any) -> tuple[Act, Act]:
    found = _suppliers(world, event.suppliers, event.products)
    _some(name, event, found, (site for site, _ in world.network.supply))

    def begin() -> None:
        for supplier in found:
            supplier.stop(name)

    def end() -> None:
        for supplier in found:
            supplier.restart(name)

    return begin, end


def _capacity(world: World, name: str, event: Any) -> tuple[Act, Act]:
    groups = [
        group for plant in world.plants.values() for group in plant.groups.values()
        if matches(plant.site, event.sites) or matches(group.name, event.groups)
    ]
    areas = [area for area in world.areas.values()
             if matches(area.name, event.storage) or matches(area.site, event.sites)]
    found = [*_suppliers(world, event.sites, ("*",)), *groups, *areas]
    _some(name, event, found, world.network.sites)
    dial = Dial(world)

    def set_to(value: float | None) -> None:
        for actor in found:
            actor.set_capacity_factor(dial.turn(f"{actor.name} capacity", name, value))

    return lambda: set_to(event.factor), lambda: set_to(None)


def _machines(world: World, name: str, event: Any) -> list[Any]:
    every = [machine for plant in world.plants.values() for machine in plant.machines]
    found = [machine for machine in every
             if matches(machine.name, event.machines) or matches(machine.row.machine,
                                                                 event.machines)]
    return _some(name, event, found, (machine.name for machine in every))


def _breakdown(world: World, name: str, event: Any) -> tuple[Act, None]:
    found = _machines(world, name, event)

    def begin() -> None:
        for machine in found:
            machine.break_down(event.repair)

    return begin, None


def _slowdown(world: World, name: str, event: Any) -> tuple[Act, Act]:
    found = _machines(world, name, event)
    dial = Dial(world)

    def set_to(value: float | None) -> None:
        for machine in found:
            machine.set_speed_factor(dial.turn(f"{machine.name} speed", name, value))

    return lambda: set_to(event.factor), lambda: set_to(None)


def _quality(world: World, name: str, event: Any) -> tuple[Act, Act]:
    found = [
        (plant, product) for plant in world.plants.values() for product in plant.products
        if matches(plant.site, event.sites) and matches(product, event.products)
    ]
    _some(name, event, found, world.plants)
    dial = Dial(world)

    def set_to(value: float | None) -> None:
        for plant, product in found:
            plant.set_yield_factor(
                product, dial.turn(f"{plant.site}/{product} yield", name, value))

    return lambda: set_to(event.yield_factor), lambda: set_to(None)


def _refrigeration(world: World, name: str, event: Any) -> tuple[Act, Act]:
    areas = [area for area in world.areas.values() if matches(area.name, event.areas)]

    def trucks() -> list[Any]:
        """Those that there are now: more may have been hired."""
        return [truck for fleet in world.fleets.values() for truck in fleet.trucks
                if truck.refrigerated and (matches(truck.name, event.trucks)
                                           or matches(truck.row.truck, event.trucks))]

    _some(name, event, [*trucks(), *areas],
          [*(t.name for f in world.fleets.values() for t in f.trucks if t.refrigerated),
           *(area.name for area in world.areas.values())])
    things: list[Any] = []

    def begin() -> None:
        things.extend((*trucks(), *areas))
        for thing in things:
            thing.warm(WARM_TOLERANCE_H)

    def end() -> None:
        for thing in things:
            thing.cold()

    return begin, end


def _fuel_price(world: World, name: str, event: Any) -> tuple[Act, Act]:
    fuels = sorted({row.fuel for row in world.network.trucks.values()
                    if row.fuel and matches(row.fuel, event.fuels)})
    _some(name, event, fuels, (row.fuel or "" for row in world.network.trucks.values()))
    dial = Dial(world)

    def set_to(value: float | None) -> None:
        for fuel in fuels:
            world.fuel_price[fuel] = dial.turn(f"price of {fuel}", name, value)

    return lambda: set_to(event.factor), lambda: set_to(None)


def _visibility(world: World, name: str, event: Any) -> tuple[Act, Act]:
    shelves = [shelf for shelf in world.shelves if matches(shelf.site, event.sites)]
    _some(name, event, shelves, (shelf.site for shelf in world.shelves))

    def know(shelf: Any, last: Any) -> None:
        if last is None:
            shelf.keep_own_record()
        elif last.mode == "real_time":
            shelf.keep_record(0.0, None, None)
        elif last.mode == "lost_visibility":
            shelf.keep_record(inf, None, None)
        else:
            delay = 24.0 if last.delay is None else last.delay
            error = last.error or 0.0
            spread = parse_quantity(f"normal(mean=0, sd={error!r})", False) if error else None
            shelf.keep_record(delay, last.count_period, spread, batch=True)

    return _held(world, "record", name, event, shelves, lambda shelf, events: know(
        shelf, events[-1] if events else None))


def _held(world: World, what: str, name: str, event: Any, actors: list[Any],
          settle: Callable[[Any, list[Any]], None]) -> tuple[Act, Act]:
    """Begin and end of an event that holds a setting: `settle` is told all that hold it now."""

    def tell(change: Callable[[dict[str, Any]], object]) -> None:
        for actor in actors:
            held = world.held.setdefault((what, actor.name), {})
            change(held)
            settle(actor, list(held.values()))

    return (lambda: tell(lambda held: held.__setitem__(name, event)),
            lambda: tell(lambda held: held.pop(name, None)))


def _expedite(world: World, name: str, event: Any) -> tuple[Act, Act]:
    lanes = [lane for lane in world.lanes.values() if matches(lane.name, event.lanes)]
    _some(name, event, lanes, world.lanes)
    dial = Dial(world)

    def set_to(factor: float | None, cost: float | None) -> None:
        _delay(world, lanes, name, factor, None if factor is None else 0.0, in_transit=False)
        for lane in lanes:
            lane.cost_factor = dial.turn(f"{lane.name} cost", name, cost)

    return lambda: set_to(event.factor, event.cost_factor), lambda: set_to(None, None)


def _extra_trucks(world: World, name: str, event: Any) -> tuple[Act, Act]:
    found = [
        (world.fleets[row.home], row) for row in world.network.trucks.values()
        if matches(row.home, event.home) and matches(row.truck, event.truck)
    ]
    _some(name, event, found, world.network.trucks)
    hired: list[tuple[Any, list[Any]]] = []

    def begin() -> None:
        hired.extend((fleet, fleet.add(row, event.units, name)) for fleet, row in found)

    def end() -> None:
        for fleet, trucks in hired:
            fleet.dismiss(trucks)

    return begin, end


def _alternate_source(world: World, name: str, event: Any) -> tuple[Act, Act]:
    shelves = [shelf for shelf in world.shelves
               if matches(shelf.site, event.sites) and matches(shelf.product, event.products)
               and len(shelf.every_source().sources) > 1]
    _some(name, event, shelves, (shelf.site for shelf in world.shelves))

    return _held(world, "source", name, event, shelves, lambda shelf, events: shelf.source_from(
        events[-1].source if events else None))


def _policy(world: World, name: str, event: Any) -> tuple[Act, Act]:
    shelves = [shelf for shelf in world.shelves
               if matches(shelf.site, event.sites) and matches(shelf.product, event.products)
               and shelf.row.policy is not None]
    _some(name, event, shelves, (shelf.site for shelf in world.shelves))

    return _held(world, "policy", name, event, shelves, lambda shelf, events: shelf.set_policy(
        reduce(_changed, events, shelf.row)))


def _changed(row: Stock, event: Any) -> Stock:
    """A row of `stock` with other settings, first replaced, then multiplied."""
    changes: dict[str, float] = {}
    for field in ("reorder_point", "order_up_to"):
        value = getattr(event, field)
        value = getattr(row, field) if value is None else value
        if value is not None:
            changes[field] = value * getattr(event, f"{field}_factor")
    for field in ("order_quantity", "safety_stock"):
        value = getattr(event, field)
        if value is not None:
            changes[field] = value
    return replace(row, **changes)  # type: ignore[arg-type]


_EFFECTS: dict[str, Callable[[Any, str, Any], tuple[Act, Act | None]]] = {
    "demand": _demand, "transit": _transit, "closure": _closure, "outage": _outage,
    "capacity": _capacity, "breakdown": _breakdown, "slowdown": _slowdown, "quality": _quality,
    "refrigeration": _refrigeration, "fuel_price": _fuel_price, "visibility": _visibility,
    "expedite": _expedite, "extra_trucks": _extra_trucks,
    "alternate_source": _alternate_source, "policy": _policy,
}
