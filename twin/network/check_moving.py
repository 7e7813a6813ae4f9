"""Checks of what moves: lanes, fleets, storage, and whether every need can be met."""

from collections.abc import Iterator

from twin.clock import excerpt
from twin.network.components import Product, Storage, Truck
from twin.network.graph import Flow, upstream
from twin.network.network import Network
from twin.network.problems import Found, guess
from twin.quantity import Quantity

RULES = ("fixed", "cheapest", "fastest", "in_stock", "split")
# What a site without storage rows, or an area without a range, is taken to be.
AMBIENT_C = (15.0, 25.0)


def lane_ends(network: Network) -> Iterator[Found]:
    """A lane leads somewhere else, by way of somewhere else."""
    for key, lane in network.lanes.items():
        if lane.origin == lane.destination:
            yield Found("lanes", key, "leads back to its origin. Correct the destination.")
        if lane.via is not None and lane.via in (lane.origin, lane.destination):
            yield Found("lanes", key, f"via '{lane.via}' is one of its ends. Leave via blank.")


def travel_times(network: Network) -> Iterator[Found]:
    """How long a lane takes is given, or follows from distance and the speed of trucks."""
    homes: dict[str, list[Truck]] = {}
    for truck in network.trucks.values():
        homes.setdefault(truck.home, []).append(truck)
    for key, lane in network.lanes.items():
        if lane.fleet is not None and lane.fleet not in network.sites:
            continue
        if lane.fleet is None:
            if lane.transit is None:
                yield Found("lanes", key, "has no transit and no fleet. Write a transit time.")
            if lane.min_load > 0:
                yield Found("lanes", key, "has a min_load but no fleet. Write the home of trucks.")
            continue
        trucks = homes.get(lane.fleet, [])
        if not trucks:
            yield Found("lanes", key, f"fleet '{lane.fleet}' has no trucks. Add a row to trucks.")
            continue
        if network.distance_km(lane) is None and (lane.transit is None or _needs_km(trucks)):
            what = "has no distance. Write distance_km, or coordinates of both sites."
            yield Found("lanes", key, what)
        if lane.refrigerated and not any(truck.refrigerated for truck in trucks):
            what = f"is refrigerated, but no truck of '{lane.fleet}' is. Set trucks.refrigerated."
            yield Found("lanes", key, what)
        if lane.min_load > 0 and lane.max_wait is None and not _can_fill(network, trucks):
            what = f"min_load {lane.min_load:g} is never reached: no truck's capacity is filled by"
            yield Found("lanes", key, f"{what} any product. Write capacities, weights or volumes.")


def _needs_km(trucks: list[Truck]) -> bool:
    """Whether cost or fuel of any truck is by distance."""
    return any(t.cost_per_km > 0 or t.fuel_l_per_100km.strip() not in ("0", "") for t in trucks)


def _can_fill(network: Network, trucks: list[Truck]) -> bool:
    heavy = any(product.weight_kg > 0 for product in network.products.values())
    bulky = any(product.volume_m3 > 0 for product in network.products.values())
    return any(
        (truck.capacity_kg is not None and heavy) or (truck.capacity_m3 is not None and bulky)
        for truck in trucks
    )


def carrying(network: Network) -> Iterator[Found]:
    """A truck can carry one unit of something."""
    products = network.products.values()
    for key, truck in network.trucks.items():
        if products and not any(_fits(product, truck) for product in products):
            what = "can carry no unit of any product. Raise capacity_kg or capacity_m3."
            yield Found("trucks", key, what)


def _fits(product: Product, truck: Truck) -> bool:
    weight_fits = truck.capacity_kg is None or product.weight_kg <= truck.capacity_kg
    return weight_fits and (truck.capacity_m3 is None or product.volume_m3 <= truck.capacity_m3)


def cold_places(network: Network) -> Iterator[Found]:
    """A stocked product finds an area of the site that holds its temperature."""
    areas: dict[str, list[Storage]] = {}
    for area in network.storage.values():
        areas.setdefault(area.site, []).append(area)
    for key, row in network.stock.items():
        product = network.products.get(row.product)
        if product is None or (product.min_c is None and product.max_c is None):
            continue
        there = areas.get(row.site)
        if there is None:
            if not _holds(product, *AMBIENT_C):
                what = (
                    f"site '{row.site}' is ambient, '{row.product}' is not. Add a row to storage."
                )
                yield Found("stock", key, what)
        elif not any(_holds(product, *_range(area)) for area in there):
            what = f"no storage of '{row.site}' holds the range of '{row.product}'."
            yield Found("stock", key, f"{what} Add an area, or correct min_c and max_c.")


def _range(area: Storage) -> tuple[float, float]:
    """The range of an area; an end left blank is ambient, but never beyond the other end."""
    low = AMBIENT_C[0] if area.min_c is None else area.min_c
    high = AMBIENT_C[1] if area.max_c is None else area.max_c
    if area.min_c is None:
        low = min(low, high)
    if area.max_c is None:
        high = max(low, high)
    return low, high


def _holds(product: Product, low: float, high: float) -> bool:
    above = product.min_c is None or low >= product.min_c
    return above and (product.max_c is None or high <= product.max_c)


def full_at_start(network: Network) -> Iterator[Found]:
    """What is on hand fits into the site."""
    room: dict[str, float] = {}
    for area in network.storage.values():
        size = float("inf") if area.capacity_m3 is None else area.capacity_m3
        room[area.site] = room.get(area.site, 0.0) + size
    held: dict[str, float] = {}
    for key, row in network.stock.items():
        product = network.products.get(row.product)
        before = held.get(row.site, 0.0)
        held[row.site] = before + (row.on_hand * product.volume_m3 if product else 0.0)
        space = room.get(row.site, float("inf"))
        if before <= space < held[row.site] - 1e-9:
            what = f"on_hand fills {held[row.site]:g} m3, the storage of '{row.site}' {space:g}."
            yield Found("stock", key, f"{what} Lower on_hand, or add storage.")


def whole_orders(network: Network) -> Iterator[Found]:
    """An order that leaves only whole fits into the storage of the shelf that answers it."""
    most: dict[str, float] = {}
    for area in network.storage.values():
        size = float("inf") if area.capacity_m3 is None else area.capacity_m3
        most[area.site] = max(most.get(area.site, 0.0), size)
    for key, row in network.demand.items():
        product = network.products.get(row.product)
        if row.partial or product is None or (row.site, row.product) not in network.stock:
            continue
        units, space = _most(row.size), most.get(row.site, float("inf"))
        if units * product.volume_m3 > space + 1e-9:
            what = (f"size '{row.size}' asks for {units:g} units at once, "
                    f"{units * product.volume_m3:g} m3, which never fit into the storage of "
                    f"'{row.site}' ({space:g} m3), and partial is no.")
            yield Found("demand", key, f"{what} Write partial yes, or a smaller size.")


def _most(size: Quantity) -> float:
    """The largest value that is certain to come up; 0 where none is."""
    if size.values:
        return max(size.values)
    return size.mean() if size.kind == "constant" else 0.0


def met(network: Network) -> Iterator[Found]:
    """Whatever is wanted is supplied or made somewhere, and lanes bring it."""
    flow = Flow(network)
    wanted: list[tuple[str, object, str, str]] = []
    wanted += (("demand", key, row.site, row.product) for key, row in network.demand.items())
    wanted += (
        ("orders", key, row.site, row.product)
        for key, row in network.orders.items()
        if row.status == "open"
    )
    wanted += (
        ("stock", key, row.site, row.product)
        for key, row in network.stock.items()
        if row.policy is not None
    )
    nobody: dict[str, None] = {}
    for table, key, site, product in wanted:
        if not flow.sources(product):
            nobody[product] = None
        elif site in network.sites and site not in flow.reached(product):
            yield Found(table, key, _unreached(flow, site, product))
    for product in (name for name in nobody if name in network.products):
        what = "nobody supplies or makes it. Add a row to supply or routings."
        yield Found("products", product, what)
    yield from _components(network, flow, nobody)


def _unreached(flow: Flow, site: str, product: str) -> str:
    sources = sorted(flow.sources(product))
    shown = ", ".join(sources[:5]) + (" ..." if len(sources) > 5 else "")
    return f"no lane brings '{product}' to '{site}' (it comes from {shown}). Add a lane."


def _components(network: Network, flow: Flow, nobody: dict[str, None]) -> Iterator[Found]:
    """What goes into a product gets to the plant; of alternatives, one at least."""
    plants: dict[str, list[str]] = {}
    for site, product in dict.fromkeys((site, product) for site, product, _ in network.routings):
        plants.setdefault(product, []).append(site)
    choices: dict[tuple[str, str], set[str]] = {}
    for line in network.bom.values():
        if line.alternative:
            choices.setdefault((line.product, line.alternative), set()).add(line.component)
    for key, line in network.bom.items():
        either = choices.get((line.product, line.alternative or ""), {line.component})
        for site in [line.site] if line.site else plants.get(line.product, []):
            if any(site in flow.reached(component) for component in either):
                continue
            if flow.sources(line.component):
                yield Found("bom", key, _unreached(flow, site, line.component))
            elif line.component in network.products and line.component not in nobody:
                nobody[line.component] = None
                what = "nobody supplies or makes it. Add a row to supply or routings."
                yield Found("products", line.component, what)


def sources(network: Network) -> Iterator[Found]:
    """The source of a stock row is a site that a lane joins, make, or a rule."""
    joined = {(lane.origin, lane.destination) for lane in network.lanes.values()}
    made = {(site, product) for site, product, _ in network.routings}
    flow = Flow(network)
    for key, row in network.stock.items():
        source = row.source
        if source is None or source in RULES:
            continue
        if source == "make":
            if (row.site, row.product) not in made:
                what = f"source is make, but '{row.product}' has no routing at '{row.site}'."
                yield Found("stock", key, f"{what} Add its steps.")
        elif source not in network.sites:
            remedy = guess(source, [*upstream(network, row.site), "make", *RULES])
            yield Found("stock", key, f"source '{excerpt(source)}' is no site or rule. {remedy}")
        elif source == row.site:
            if (row.site, row.product) not in network.supply:
                what = f"source '{source}' is the site itself. Write another site, or make."
                yield Found("stock", key, what)
        elif (source, row.site) not in joined:
            what = f"source '{source}' is not joined to '{row.site}'. Add a lane."
            yield Found("stock", key, what)
        elif flow.sources(row.product) and source not in flow.reached(row.product):
            what = f"source '{source}' cannot get '{row.product}'. Name another source."
            yield Found("stock", key, what)


def owed(network: Network) -> Iterator[Found]:
    """A firm order names a source that can send it."""
    joined = {(lane.origin, lane.destination) for lane in network.lanes.values()}
    for key, row in network.orders.items():
        if row.source is None or row.source == row.site or row.status == "shipped":
            continue
        if (row.source, row.site) not in joined:
            what = f"source '{row.source}' is not joined to '{row.site}'. Add a lane."
            yield Found("orders", key, what)


def splits(network: Network) -> Iterator[Found]:
    """Where orders are split, some lane has a weight."""
    weights: dict[str, float] = {}
    for lane in network.lanes.values():
        weights[lane.destination] = weights.get(lane.destination, 0.0) + lane.share
    for key, row in network.stock.items():
        site = network.sites.get(row.site)
        rule = row.source or (site.sourcing if site else "")
        if rule == "split" and weights.get(row.site) == 0:
            yield Found("stock", key, "splits orders over lanes of share 0. Raise lanes.share.")


_SOURCES = ("sites", "lanes", "supply", "routings", "byproducts", "stock")
# Each check, and the tables that must have been read completely for it to make sense.
CHECKS = (
    (lane_ends, ()),
    (travel_times, ("sites", "trucks", "products")),
    (carrying, ("products",)),
    (cold_places, ("storage",)),
    (full_at_start, ("storage",)),
    (whole_orders, ("storage", "products", "stock")),
    (met, _SOURCES),
    (sources, _SOURCES),
    (owed, ("lanes",)),
    (splits, ("lanes",)),
)
