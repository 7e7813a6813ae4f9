"""Checks of plants: bills of materials, routings, branches, work centres, setups."""

from collections.abc import Iterator

from twin.clock import excerpt
from twin.network import graph
from twin.network.components import Step
from twin.network.network import Network
from twin.network.problems import Found, guess


def cycles(network: Network) -> Iterator[Found]:
    """No product goes into itself."""
    for knot in graph.bom_cycles(network):
        members = set(knot)
        for key, line in network.bom.items():
            if line.product in members and line.component in members:
                ring = " -> ".join([*knot, knot[0]]) if len(knot) < 8 else f"{len(knot)} products"
                what = f"goes round in a circle ({ring}). Take one of these rows away."
                yield Found("bom", key, what)


def bills(network: Network) -> Iterator[Found]:
    """What has a bill of materials is made, where the bill says."""
    made = {(site, product) for site, product, _ in network.routings}
    anywhere = {product for _, product in made}
    for key, line in network.bom.items():
        if line.product not in anywhere:
            what = f"product '{line.product}' has no routing. Add its steps, or remove the row."
            yield Found("bom", key, what)
        elif line.site and (line.site, line.product) not in made:
            what = f"product '{line.product}' has no routing at '{line.site}'. Add its steps there."
            yield Found("bom", key, what)
    for key, row in network.byproducts.items():
        if (row.site, row.product) not in made:
            what = f"product '{row.product}' has no routing at '{row.site}'. Add its steps there."
            yield Found("byproducts", key, what)


def work_centres(network: Network) -> Iterator[Found]:
    """A group that is named has machines, as many as it needs."""
    units: dict[tuple[str, str], int] = {}
    for machine in network.machines.values():
        place = (machine.site, machine.group)
        units[place] = units.get(place, 0) + machine.units
    for table in ("routings", "groups", "setups"):
        for key, row in network.table(table).items():
            site, group = row.site, row.group  # type: ignore[attr-defined]
            if group and (site, group) not in units:
                near = [name for place, name in units if place == site]
                remedy = guess(group, near) if near else f"Add a machine of the group at '{site}'."
                what = f"group '{excerpt(group)}' has no machine at '{site}'. {remedy}"
                yield Found(table, key, what)
    for place, centre in network.groups.items():
        if centre.needed > units.get(place, centre.needed):
            what = f"needed {centre.needed} is more than its {units[place]} machines. Lower it."
            yield Found("groups", place, what)


def changeovers(network: Network) -> Iterator[Found]:
    """A setup is between families that the group works on."""
    families: dict[tuple[str, str | None], set[str]] = {}
    for step in network.routings.values():
        families.setdefault((step.site, step.group), set()).add(family(step))
    for key, row in network.setups.items():
        known = families.get((row.site, row.group), set())
        for column in ("from_family", "to_family"):
            name = getattr(row, column)
            if name not in known and name:
                what = f"{column} '{excerpt(name)}' is no family of group '{row.group}'."
                yield Found("setups", key, f"{what} {guess(name, sorted(known))}")


def family(step: Step) -> str:
    """The setup family of a step: its own, or the product."""
    return step.setup_family or step.product


def branchings(network: Network) -> Iterator[Found]:
    """A branch leaves a step that exists for one that exists, with shares up to one."""
    shares: dict[tuple[str, str, int], float] = {}
    for key, row in network.branches.items():
        step = (row.site, row.product, row.step)
        if step not in network.routings:
            what = f"step {row.step} of '{row.product}' is not in routings. Correct the step."
            yield Found("branches", key, what)
        elif row.next not in ("done", "scrap") and not (
            row.next.isdecimal() and (*step[:2], int(row.next)) in network.routings
        ):
            what = f"next '{excerpt(row.next)}' is no step of '{row.product}'."
            yield Found("branches", key, f"{what} Write a step, done or scrap.")
        before = shares.get(step, 0.0)
        shares[step] = before + row.share
        if before <= 1 + 1e-9 < shares[step]:
            what = f"shares after step {row.step} add up to {shares[step]:g}. Keep them to 1."
            yield Found("branches", key, what)


def endless(network: Network) -> Iterator[Found]:
    """From every step of a routing with rework, work comes to an end."""
    steps: dict[tuple[str, str], list[int]] = {}
    for site, product, step in network.routings:
        steps.setdefault((site, product), []).append(step)
    exits: dict[tuple[str, str, int], dict[str, float]] = {}
    for row in network.branches.values():
        exits.setdefault((row.site, row.product, row.step), {})[row.next] = row.share
    for place in dict.fromkeys((site, product) for site, product, _ in exits):
        order = sorted(steps.get(place, ()))
        ends = _steps_that_end(place, order, exits)
        for step in order:
            if step not in ends:
                what = f"from step {step} on, '{place[1]}' is never done. Lower a rework share."
                yield Found("routings", (*place, step), what)


def _steps_that_end(
    place: tuple[str, str], order: list[int], exits: dict[tuple[str, str, int], dict[str, float]]
) -> set[int]:
    """The steps from which done or scrap can be reached."""
    ends: set[int] = set()
    following = {a: str(b) for a, b in zip(order, [*order[1:], "done"], strict=True)}
    changed = True
    while changed:
        changed = False
        for step in order:
            out = exits.get((*place, step), {})
            targets = {name for name, share in out.items() if share > 0}
            if sum(out.values()) < 1 - 1e-12:
                targets.add(following[step])
            good = targets & {"done", "scrap"} or any(
                name.isdecimal() and int(name) in ends for name in targets
            )
            if good and step not in ends:
                ends.add(step)
                changed = True
    return ends


def abilities(network: Network) -> Iterator[Found]:
    """A machine's own time is for a step of its own group."""
    for key, row in network.capabilities.items():
        machine = network.machines.get(row.machine)
        if machine is None:
            continue
        step = network.routings.get((machine.site, row.product, row.step))
        if step is None:
            what = f"step {row.step} of '{row.product}' is not in routings of '{machine.site}'."
            yield Found("capabilities", key, f"{what} Correct the step.")
        elif step.group != machine.group:
            what = f"step {row.step} is done by group '{step.group}', not '{machine.group}'."
            yield Found("capabilities", key, f"{what} Name a machine of that group.")


# Each check, and the tables that must have been read completely for it to make sense.
CHECKS = (
    (cycles, ()),
    (bills, ("routings",)),
    (work_centres, ("machines",)),
    (changeovers, ("routings",)),
    (branchings, ("routings",)),
    (endless, ("routings", "branches")),
    (abilities, ("machines", "routings")),
)
