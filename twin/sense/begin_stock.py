"""Shelves, storage, suppliers, customers and passing sites of a sensed chain, as a state says them.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

from twin.network import Demand, Stock, Storage
from twin.sense.begin_orders import Row, Scene
from twin.sense.fold_shelves import EPS

_CERTAIN = ("constant", "series", "ar1")
_DAY_H = 24.0


def shelves(scene: Scene, corrections: dict[str, float]) -> dict[str, Row]:
    """Every shelf; `corrections` are units that counts found more (or less) than was booked."""
    return {f"shelf {key[0]}/{key[1]}": _shelf(scene, row, corrections.get("/".join(key), 0.0))
            for key, row in scene.network.stock.items()}


def _shelf(scene: Scene, row: Stock, correction: float) -> Row:
    name = f"{row.site}/{row.product}"
    orders, at = scene.orders, scene.at
    book = sorted(orders.owed_by(f"shelf {name}"),
                  key=lambda number: (orders.rows[number]["priority"], orders.reaches[number],
                                      number))
    owed = sum(orders.rows[number]["open"] for number in book)
    on_order = sum(order["undelivered"] for order in orders.rows.values()
                   if order["buyer"] == f"shelf {name}")
    lots = _lots(scene, row, correction)
    on_hand = sum(lot[1] for lot in lots)
    state = {**scene.actors[f"shelf {name}"], "on_hand": on_hand, "owed": owed,
             "on_order": on_order, "book": book, "lots": lots, "seen_age": at}
    state["period"] = [0.0, 0.0, None if row.review else _DAY_H - at % _DAY_H]
    if row.review is not None:
        turns = max(0, ceil((at - row.first_review) / row.review - 1e-9))
        state["review_in"] = row.first_review + turns * row.review - at
    memory = scene.fold.demand.shelves.get(name)
    if memory is not None:
        state |= {"policy": memory["policy"], "seen_demand": memory["seen"],
                  "seen_age": at - memory["seen_at"], "review_in": memory["next"] - at}
    if state["record"] is not None:
        state["record"] = _record(scene, row, name, correction)
    state["sourcing"] = given(scene, row.site, row.product, row.source, own=True)
    return state


def _lots(scene: Scene, row: Stock, correction: float) -> list[list[float]]:
    """What stands on a shelf, what expires first first; a correction falls on the oldest lots."""
    shelf = scene.goods.shelves.get(f"{row.site}/{row.product}")
    if shelf is None:
        held: dict[int, list[float]] = {0: [row.on_hand, 0.0]} if row.on_hand > 0.0 else {}
    else:
        held = {lot: list(units) for lot, units in shelf["lots"].items()}
        if area_of(scene, row.product, row.site) is None:
            for lot, (units, since) in shelf["outside"].items():
                held.setdefault(lot, [0.0, since])[0] += units
    ordered = sorted(held.items(), key=lambda item: (item[1][1], item[0]))
    gone = -correction
    for _, units in ordered:
        took = min(units[0], gone) if gone > 0.0 else 0.0
        units[0] -= took
        gone -= took
    if correction > 0.0:
        if ordered:
            ordered[-1][1][0] += correction
        else:
            ordered = [(0, [correction, scene.at])]
    rows = [scene.lot(lot, row.product, units, since) for lot, (units, since) in ordered
            if units > EPS]
    return sorted(rows, key=lambda lot: (lot[2] == -1.0, lot[2]))


def _record(scene: Scene, row: Stock, name: str, correction: float) -> Row:
    """What the system does not know yet: late bookings, and what only a count found."""
    site, at = scene.network.sites[row.site], scene.at
    shelf = scene.goods.shelves.get(name, {})
    period = site.count_period
    counted = -1.0 if period is None else period * floor(at / period)
    pending = [[time + site.record_delay - at, units, 0.0]
               for time, units in shelf.get("issues", ())
               if time + site.record_delay > at and time > counted]
    memory = scene.fold.demand.shelves.get(name)
    if memory is not None and site.record_delay > 0.0:
        pending += [[time - at, 0.0, units] for time, units, _ in memory["coming"] if time > at]
    return {"gap": sum(units for _, units, _ in pending) - correction, "unseen": 0.0,
            "pending": sorted(pending),
            "count_in": None if period is None else period * (floor(at / period) + 1.0) - at}


def given(scene: Scene, site: str, product: str, named: str | None, *, own: bool) -> Row:
    """How much each source was given, where orders are split."""
    sources = _sources(scene, site, product, named, own=own)
    rule = named if named == "split" else scene.network.sites[site].sourcing
    told = scene.goods.given.get(f"{site}/{product}", {})
    if rule != "split" or len(sources) < 2:
        return {"total": 0.0, "given": [0.0] * len(sources)}
    units = [told.get(source, 0.0) for source in sources]
    return {"total": sum(units), "given": units}


_RULES = ("cheapest", "fastest", "fixed", "in_stock", "split")


def _sources(scene: Scene, site: str, product: str, named: str | None, *, own: bool) -> list[str]:
    """The places that could send a product to a site, in the order of the tables."""
    if named in _RULES:
        named = None
    found = []
    if own and named in (None, "make") and (site, product) in scene.made:
        found.append(site)
    if own and named in (None, site, "supply") and (site, product) in scene.network.supply:
        found.append(site)
    return found + [lane.origin for lane in scene.into.get(site, ())
                    if named in (None, lane.origin)
                    and scene.provides(lane.origin, product, beyond=site)]


# -- storage -------------------------------------------------------------------------------------


def area_of(scene: Scene, product: str, site: str) -> Storage | None:
    """The storage area in which a product stands at a site, if the tables have one."""
    thing = scene.network.products[product]
    low, high = thing.min_c, thing.max_c
    rows = [row for (place, _), row in scene.network.storage.items() if place == site]
    if low is None and high is None:
        return next((row for row in rows if row.min_c is None and row.max_c is None),
                    rows[0] if rows else None)
    return next((row for row in rows if (low is None or (row.min_c is not None
                                                         and row.min_c >= low))
                 and (high is None or (row.max_c is not None and row.max_c <= high))), None)


def outside(scene: Scene, name: str) -> dict[int, list[float]]:
    """Lots that have come and are not yet put away."""
    found: dict[int, list[float]] = scene.goods.shelves.get(name, {}).get("outside", {})
    return found


def areas(scene: Scene, stock: dict[str, Row]) -> dict[str, Row]:
    """Storage areas: the volume in use, and what waits for room."""
    found: dict[str, Row] = {
        f"{row.site}/{row.area}": {"waiting": [], "used": 0.0, "spoils_in": None}
        for row in scene.network.storage.values()}
    for site, product in scene.network.stock:
        row = area_of(scene, product, site)
        if row is None:
            continue
        area = found[f"{row.site}/{row.area}"]
        area["used"] += stock[f"shelf {site}/{product}"]["on_hand"] * scene.volume(product)
        for lot, (units, since) in outside(scene, f"{site}/{product}").items():
            area["waiting"].append((since, [f"shelf {site}/{product}", units,
                                            [scene.lot(lot, product, units, since)]]))
    for area in found.values():
        area["waiting"] = [entry for _, entry in sorted(area["waiting"], key=lambda e: e[0])]
    return found


# -- suppliers -----------------------------------------------------------------------------------


def suppliers(scene: Scene) -> dict[str, Row]:
    """Orders that wait for a supplier's capacity, and those that it prepares."""
    return {f"supplier {site}/{product}": _supplier(scene, site, product)
            for site, product in scene.network.supply
            if f"supplier {site}/{product}" in scene.actors}


def _supplier(scene: Scene, site: str, product: str) -> Row:
    row, at = scene.network.supply[site, product], scene.at
    name = f"supplier {site}/{product}"
    halts = scene.goods.halts.get(site, [])
    stopped = bool(halts) and halts[-1][1] is None
    now = halts[-1][0] if stopped else at
    numbers = scene.orders.owed_by(name)
    made = {number: _made(scene, number) for number in numbers}
    ready = [number for number in numbers if made[number] <= now]
    queue = [number for number in numbers if made[number] > now]
    preparing = []
    for number in ready:
        worked = at - made[number] - _halted(halts, made[number], at)
        preparing.append([number, scene.rules.left(row.lead_time, worked, 0.5), worked])
    state: dict[str, Any] = {**scene.actors[name], "queue": queue, "preparing": preparing,
                             "working": False, "left": 0.0}
    if queue and row.capacity_per_day is not None and scene.orders.reaches[queue[0]] <= now:
        rate = row.capacity_per_day / 24.0
        order = scene.orders.rows[queue[0]]["open"]
        state |= {"working": True, "left": min(order, (made[queue[0]] - now) * rate)}
    return state


def _made(scene: Scene, number: int) -> float:
    """When a supplier's capacity has been, or will be, given to an order."""
    order = scene.goods.orders[number]
    made: float = order.get("made") or 0.0
    return max(made, scene.orders.reaches[number])


def _halted(halts: list[list[Any]], since: float, until: float) -> float:
    """Hours within a span in which a supplier stood still."""
    return sum(max(0.0, float(min(until, until if end is None else end) - max(since, begin)))
               for begin, end in halts)


# -- customers -----------------------------------------------------------------------------------


def customers(scene: Scene) -> dict[str, Row]:
    """Where each stream of demand stands."""
    found = {}
    for (site, product, stream), row in scene.network.demand.items():
        name = f"customer {site}/{product}/{stream}"
        if name in scene.actors:
            told = scene.goods.streams.get(f"{site}/{product}/{stream}", {})
            found[name] = _customer(scene, row, told)
            if wholes := scene.orders.wholes(row):
                found[name]["wholes"] = wholes
    for name, state in scene.actors.items():
        if name.startswith("customer ") and name not in found and "of" not in state:
            # behind firm orders
            found[name] = {**state, "age": scene.at, "worked": scene.at, "left": -scene.at}
    return found


def _customer(scene: Scene, row: Demand, told: Row) -> Row:
    at, last, placed = scene.at, told.get("last", 0.0), told.get("placed", 0)
    first = placed == 0 and row.start is not None
    sure = row.interarrival.kind in _CERTAIN
    worked = at - last if not row.profile else scene.rules.pattern(row.profile, last, at)
    left: float | None = scene.rules.left(row.interarrival, worked, 0.5)
    if first:
        start = row.start or 0.0
        left = max(0.0, start - at) if not row.profile else scene.rules.pattern(
            row.profile, at, start)
    over = (row.limit is not None and placed >= row.limit) or (row.end is not None and at > row.end)
    return {"age": at - last, "worked": worked, "placed": placed, "left": None if over else left,
            "certain": first or over or sure}


def passes(scene: Scene) -> dict[str, Row]:
    """Sites that pass orders up, and how they have shared them among sources."""
    asked = {(site, product) for site, product, _ in scene.network.demand
             if scene.node(site, product).startswith("pass ")}
    for row in scene.orders.rows.values():
        if row["buyer"].startswith("pass "):
            site, _, product = row["buyer"][5:].partition("/")
            asked.add((site, product))
    return {f"pass {site}/{product}": given(scene, site, product, None, own=False)
            for site, product in sorted(asked)}
