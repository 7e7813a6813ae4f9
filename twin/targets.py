"""Whether a scenario fits a model: what it needs, and what its events address."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from twin.event import EVERY, matches
from twin.network import Network
from twin.scenario import NEEDS, Scenario, ScenarioError

_Rows = Callable[[Network], Iterable[tuple[str, ...]]]
_KINDS = ("supplier", "plant", "warehouse", "customer", "port")
_SHOWN = 12


class UnmetNeed(ScenarioError):
    """A model lacks what a scenario needs: an answer about the pair, not a mistake in either."""


def unmet(scenario: Scenario, network: Network) -> list[str]:
    """What a scenario needs and a model does not have.

    Examples
    --------
    >>> network = Network(sites=[{"site": "W", "kind": "warehouse"}])
    >>> unmet(Scenario(name="closed", needs=["port"]), network)
    ['port']
    """
    return [need for need in scenario.needs if not _HAS[need](network)]


def fit(scenario: Scenario, network: Network) -> Scenario:
    """The scenario with its ``@`` words turned into names of the model.

    Raises
    ------
    UnmetNeed
        If the model lacks something that the scenario needs.
    ScenarioError
        If an event addresses nothing that the model has; the message says what there is.

    Examples
    --------
    >>> network = Network(sites=[{"site": "rotterdam", "kind": "port"}])
    >>> closed = Scenario(name="c", events={"x": {"type": "closure", "sites": "@port"}})
    >>> fit(closed, network).events["x"].sites
    ('rotterdam',)
    """
    lacking = unmet(scenario, network)
    if lacking:
        raise UnmetNeed(
            f"scenario {scenario.name} needs '{need}' ({NEEDS[need]}), which model {network.name} "
            "does not have. Choose another scenario or model."
            for need in lacking
        )
    problems: list[str] = []
    events = {}
    for key, event in scenario.events.items():
        changes: dict[str, tuple[str, ...]] = {}
        found = False
        for fields, rows in _TARGETS[event.type]:
            wanted = [tuple(getattr(event, field)) for field in fields]
            if not all(wanted):
                continue
            where = f"scenario {scenario.name}: events.{key}"
            known = list(rows(network))
            for i, field in enumerate(fields):
                names = list(dict.fromkeys(row[i] for row in known))
                wanted[i], wrong = _named(wanted[i], names, field, network)
                problems += (f"{where}.{field}: {problem}" for problem in wrong)
                changes[field] = wanted[i]
            found = found or any(
                all(w == EVERY or matches(name, w) for name, w in zip(row, wanted, strict=True))
                for row in known
            )
        if not found and not problems:
            problems.append(f"scenario {scenario.name}: events.{key} ({event.type}) addresses "
                            f"nothing in model {network.name}. {_existing(event.type, network)}")
        events[key] = event.model_copy(update=changes)
    if problems:
        raise ScenarioError(problems)
    return scenario.model_copy(update={"events": events})


def _named(wanted: tuple[str, ...], names: list[str], field: str, network: Network,
           ) -> tuple[tuple[str, ...], list[str]]:
    """Targets with `@` words resolved, and what is wrong with those that name nothing."""
    resolved: list[str] = []
    problems: list[str] = []
    for pattern in wanted:
        if "@" not in pattern:
            if not any(letter in pattern for letter in "*?[") and pattern not in names:
                near = difflib.get_close_matches(pattern, names, 1)
                hint = f"Did you mean '{near[0]}'? " if near else ""
                problems.append(f"'{pattern}' is not in model {network.name}. "
                                f"{hint}There are {_few(names)}.")
            resolved.append(pattern)
            continue
        try:
            resolved += _words(pattern, names, field, network)
        except ValueError as error:
            problems.append(str(error))
    return tuple(dict.fromkeys(resolved)), problems


def _words(pattern: str, names: list[str], field: str, network: Network) -> Iterator[str]:
    """The names that a pattern with an ``@`` word stands for."""
    if pattern == "@first":
        yield from names[:1]
        return
    parts = pattern.split(":") if field == "lanes" else [pattern]
    for part in parts:
        if part.startswith("@") and part[1:] not in (*_KINDS, "carrier", "fleet"):
            raise ValueError(f"'{part}' is unknown. Write a name, a pattern, @first, @carrier, "
                             f"@fleet or {', '.join('@' + kind for kind in _KINDS)}.")
    if field == "modes":
        lanes = network.lanes.values()
        yield from (lane.mode for lane in lanes if (lane.fleet is None) == (pattern == "@carrier"))
    elif field == "lanes" and len(parts) == 3:
        for lane in network.lanes.values():
            is_carrier = ("@carrier" if lane.fleet is None else "@fleet",)
            tests = ((parts[0], lane.origin, _kind(network, lane.origin)),
                     (parts[1], lane.destination, _kind(network, lane.destination)),
                     (parts[2], lane.mode, is_carrier))
            if all(part in words or matches(name, (part,)) for part, name, words in tests):
                yield f"{lane.origin}:{lane.destination}:{lane.mode}"
    else:
        yield from (name for name in names if pattern in _kind(network, name))


def _kind(network: Network, site: str) -> tuple[str, ...]:
    return (f"@{network.sites[site].kind}",) if site in network.sites else ()


def _existing(event: str, network: Network) -> str:
    """What the event could address."""
    parts = []
    for fields, rows in _TARGETS[event]:
        known = list(rows(network))
        for i, field in enumerate(fields):
            names = [name for name in dict.fromkeys(row[i] for row in known) if name]
            parts.append(f"{field}: {_few(names)}")
    return f"There are {'; '.join(parts)}."


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN]) or "none"
    return shown if len(names) <= _SHOWN else f"{shown} ... ({len(names)} in all)"


# ---- what there is to address, by event type: fields that must match together, and the rows ------


def _demand(network: Network) -> Iterator[tuple[str, ...]]:
    for row in network.demand.values():
        region = row.region or network.sites[row.site].region or ""
        yield row.site, row.product, region, row.stream or ""


def _lane_parts(network: Network) -> Iterator[tuple[str, ...]]:
    return ((lane.origin, lane.destination, lane.mode) for lane in network.lanes.values())


def _lanes(network: Network) -> Iterator[tuple[str, ...]]:
    return ((":".join(key),) for key in network.lanes)


def _makers(network: Network) -> Iterator[tuple[str, ...]]:
    places = {site for site, _ in network.supply} | {m.site for m in network.machines.values()}
    places |= {row.site for row in network.storage.values() if row.capacity_m3 is not None}
    return ((site,) for site in network.sites if site in places)


def _machines(network: Network) -> Iterator[tuple[str, ...]]:
    for name, machine in network.machines.items():
        yield (name,)
        if (machine.units or 1) > 1:
            yield from ((f"{name}#{unit}",) for unit in range(1, machine.units + 1))


def _areas(network: Network) -> Iterator[tuple[str, ...]]:
    for row in network.storage.values():
        if row.min_c is not None or row.max_c is not None:
            yield (f"{row.site}/{row.area}",)


_TARGETS: dict[str, list[tuple[tuple[str, ...], _Rows]]] = {
    "demand": [(("sites", "products", "regions", "streams"), _demand)],
    "transit": [(("origins", "destinations", "modes"), _lane_parts)],
    "closure": [(("lanes",), _lanes), (("sites",), lambda n: ((site,) for site in n.sites))],
    "outage": [(("suppliers", "products"), lambda n: iter(n.supply))],
    "capacity": [
        (("sites",), _makers),
        (("groups",), lambda n: (("/".join(key),) for key in n.groups)),
        (("storage",), lambda n: ((f"{row.site}/{row.area}",) for row in n.storage.values()
                                  if row.capacity_m3 is not None)),
    ],
    "breakdown": [(("machines",), _machines)],
    "slowdown": [(("machines",), _machines)],
    "quality": [(("sites", "products"), lambda n: (key[:2] for key in n.routings))],
    "refrigeration": [
        (("trucks",), lambda n: ((t.truck,) for t in n.trucks.values() if t.refrigerated)),
        (("areas",), _areas),
    ],
    "fuel_price": [(("fuels",), lambda n: ((t.fuel,) for t in n.trucks.values() if t.fuel))],
    "visibility": [(("sites",), lambda n: ((site,) for site, _ in n.stock))],
    "expedite": [(("lanes",), _lanes)],
    "extra_trucks": [(("home", "truck"), lambda n: ((t.home, t.truck) for t in n.trucks.values()))],
    "alternate_source": [(("sites", "products"), lambda n: iter(n.stock))],
    "policy": [(("sites", "products"),
                lambda n: (key for key, row in n.stock.items() if row.policy))],
}

# ---- what a scenario may need --------------------------------------------------------------------


def _has_port(network: Network) -> bool:
    passed = {place for lane in network.lanes.values()
              for place in (lane.origin, lane.destination, lane.via)}
    return any(s.kind == "port" and s.site in passed for s in network.sites.values())


def _has_several_sources(network: Network) -> bool:
    inbound: dict[str, set[str]] = {}
    for lane in network.lanes.values():
        inbound.setdefault(lane.destination, set()).add(lane.origin)
    holders: dict[str, set[str]] = {}
    for table in (network.supply, network.stock):
        for site, product in table:
            holders.setdefault(product, set()).add(site)
    for site, product, *_ in network.routings:
        holders.setdefault(product, set()).add(site)
    return any(len(inbound.get(site, set()) & holders[product]) > 1
               for (site, product), row in network.stock.items() if row.policy)


_HAS: dict[str, Callable[[Network], bool]] = {
    "demand": lambda n: bool(n.demand),
    "regions": lambda n: any(region for _, _, region, _ in _demand(n)),
    "lane": lambda n: bool(n.lanes),
    "carrier_lane": lambda n: any(lane.fleet is None for lane in n.lanes.values()),
    "customer_lane": lambda n: any(n.sites[lane.destination].kind == "customer"
                                   for lane in n.lanes.values()),
    "fleet": lambda n: bool(n.trucks) and any(lane.fleet for lane in n.lanes.values()),
    "refrigerated_fleet": lambda n: any(True for _, rows in _TARGETS["refrigeration"]
                                        for _ in rows(n)),
    "fuel": lambda n: any(truck.fuel for truck in n.trucks.values()),
    "port": _has_port,
    "supplier": lambda n: bool(n.supply),
    "production": lambda n: bool(n.machines) or any(row.capacity_per_day is not None
                                                    for row in n.supply.values()),
    "operations": lambda n: bool(n.routings),
    "machines": lambda n: bool(n.machines),
    "storage_area": lambda n: any(row.capacity_m3 is not None for row in n.storage.values()),
    "stock_policy": lambda n: any(row.policy for row in n.stock.values()),
    "reorder_point": lambda n: any(row.reorder_point is not None or row.order_up_to is not None
                                   for row in n.stock.values()),
    "several_sources": _has_several_sources,
}
