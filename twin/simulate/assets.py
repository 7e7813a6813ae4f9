"""Assets that fail and that keep hours: rows of `failures` and `calendars` find theirs here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.network import Failure as FailureRow
from twin.simulate.calendar import Calendar, OpeningHours
from twin.simulate.failure import Failure, RoadWear

if TYPE_CHECKING:
    from twin.simulate.world import World


class Several:
    """Actors that stop together, under one name."""

    def __init__(self, name: str, actors: list[Any]) -> None:
        self.name = name
        self.actors = actors

    def stop(self, cause: str) -> None:
        """Stop all."""
        for actor in self.actors:
            actor.stop(cause)

    def restart(self, cause: str) -> None:
        """Let all go on."""
        for actor in self.actors:
            actor.restart(cause)


def failures_of(world: World) -> None:
    """Give every row of `failures` its assets."""
    machines = {machine.name: machine
                for plant in world.plants.values() for machine in plant.machines}
    trucks = {truck.name: truck for fleet in world.fleets.values() for truck in fleet.trucks}
    for row in world.network.failures.values():
        by_work = row.clock == "operating"
        found = [m for m in machines.values() if row.asset in (m.name, m.row.machine)]
        for machine in found:
            failure = Failure(world, row, machine, machine.row.site, by_work=by_work)
            (machine.wear if by_work else machine.clocked).append(failure)
            world.add_failure(failure)
        vehicles = [t for t in trucks.values() if row.asset in (t.name, t.row.truck)]
        for truck in vehicles:
            failure = Failure(world, row, truck, truck.row.home, by_work=by_work)
            if by_work:
                truck.hooks.append(RoadWear(failure))
            world.add_failure(failure)
        if not found and not vehicles:
            asset, site = _fixed(world, row)
            world.add_failure(Failure(world, row, asset, site, by_work=False))


def _fixed(world: World, row: FailureRow) -> tuple[Any, str]:
    """A lane, a storage area, a dock or a site; they age by the clock."""
    name = row.asset
    if name in world.lanes:
        return world.lanes[name], world.lanes[name].origin
    site, _, part = name.partition(":")
    if (site, part) in world.areas:
        return world.areas[site, part], site
    dock = world.docks.get((site, part)) or (world.docks.get((site, "in"))
                                             if part == "both" else None)
    if dock is not None:
        return Several(name, [dock]), site
    suppliers = [world.node(at, product, "supply") for at, product in world.network.supply
                 if at == name]
    machines = [machine for plant in world.plants.values() for machine in plant.machines
                if plant.site == name]
    if suppliers or machines:
        return Several(name, [*suppliers, *machines]), name
    return Several(name, world.lanes_from.get(name, [])), name


def keep_hours(world: World) -> None:
    """Tell everyone with a calendar when to work."""
    network = world.network
    for plant in world.plants.values():
        for machine in plant.machines:
            if machine.calendar is not None:
                machine.calendar.listen(machine)
    for crew in world.crews.values():
        _listen(world.calendar(crew.row.calendar, crew.row.site), crew)
    for dock in {id(dock): dock for dock in world.docks.values()}.values():
        _listen(world.calendar(dock.row.calendar, dock.site), dock)
    for reception in world.receptions.values():
        _listen(reception.calendar, reception)
    for fleet in world.fleets.values():
        for truck in fleet.trucks:
            _listen(world.calendar(truck.row.calendar, truck.row.home), truck)
    for site in network.sites.values():
        calendar = world.calendar(site.calendar, site.site)
        if calendar is not None:
            leaving = world.lanes_from.get(site.site, [])
            coming = world.lanes_into.get(site.site, [])
            calendar.listen(OpeningHours(site.site, leaving, coming))
    for calendar in world.calendars.values():
        if calendar.listeners:
            calendar.run(world.env, resumed=world.resumed)


def _listen(calendar: Calendar | None, listener: Any) -> None:
    if calendar is not None:
        calendar.listen(listener)
