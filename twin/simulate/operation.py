"""An operation to practise on: a simulated world that is lived in step by step.

A replication is played to its end; an operation goes on for as long as somebody asks, shows what
instruments could see, and takes orders in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twin.ledger import Ledger
from twin.network import Network
from twin.plan import Answer, Order, Plan, Status
from twin.scenario import Scenario
from twin.simulate.carry_out import carry_out
from twin.simulate.disturbances import disturb, go_on
from twin.simulate.failure import Failure
from twin.simulate.shipment import Shipment
from twin.simulate.streams import Streams
from twin.simulate.world import World
from twin.state import State


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A truck, or a carrier's shipment, as it stands now.

    Attributes
    ----------
    name
        Of the truck; of the lane and the number of the shipment.
    phase
        ``idle``, ``to_origin``, ``loading``, ``out``, ``unloading``, ``back``, ``home``.
    origin, destination
        Of the lane that it serves; empty for an idle truck, which stands at `home`.
    share
        Of the present leg, 0 to 1.
    km
        Length of the lane.
    units
        On board.
    cold
        Whether it can cool; `warm` whether that has failed.
    full
        Share of its capacity that is taken.
    """

    name: str
    truck: bool
    home: str
    phase: str
    origin: str = ""
    destination: str = ""
    share: float = 0.0
    km: float = 0.0
    units: float = 0.0
    shipment: int = 0
    cold: bool = False
    warm: bool = False
    full: float = 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """A storage area: the range that it holds, and whether it has lost it."""

    name: str
    site: str
    low: float | None
    high: float | None
    warm: bool
    used_m3: float


@dataclass(frozen=True, slots=True)
class Tool:
    """A machine: what it does, and how worn it is (age over life of the cause nearest to its end).
    """

    name: str
    site: str
    state: str
    product: str
    wear: float


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of a product on a shelf, physically there."""

    site: str
    product: str
    on_hand: float


@dataclass(frozen=True, slots=True)
class View:
    """What instruments could see at one moment; time in hours from the start of the model."""

    time: float
    vehicles: tuple[Vehicle, ...]
    rooms: tuple[Room, ...]
    tools: tuple[Tool, ...]
    shelves: tuple[Shelf, ...]


#: Settings of a shelf that must fit together.
_LEVELS = ("reorder_point", "order_up_to")
_STATES = {"idle": "idle", "busy": "processing", "setup": "setup", "blocked": "blocked",
           "staff": "idle"}


class Operation:
    """A world on a clock that somebody else moves.

    Parameters
    ----------
    network, scenario
        What exists, and what will happen to it (times from the start of the operation).
    seed
        Its luck.
    state
        Where to start from, instead of the tables' opening stock.

    Examples
    --------
    >>> from twin.network import Network
    >>> shop = Network(
    ...     sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"}],
    ...     products=[{"product": "tea"}],
    ...     supply=[{"site": "S", "product": "tea", "lead_time": "1d"}],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    ...     stock=[{"site": "W", "product": "tea", "on_hand": 9}],
    ...     demand=[{"site": "W", "product": "tea", "interarrival": "constant(1d)"}],
    ... )
    >>> life = Operation(shop, Scenario.baseline())
    >>> life.run(36.0)
    >>> number = life.order("W", "tea", 4.0)
    >>> life.run(120.0)
    >>> life.view().shelves[0].on_hand, len(life.ledger) > 5
    (9.0, True)
    """

    def __init__(self, network: Network, scenario: Scenario, *, seed: int = 1,
                 state: State | None = None) -> None:
        self.network = network
        self.ledger = Ledger()
        self._waiting: dict[Any, dict[str, str]] = {}  # settings that need another one, by shelf
        self.world = World(network, Streams(seed, 0), self.ledger,
                           None if state is None else state.clock_h)
        if state is not None:
            go_on(self.world, state)
            self.world.resume(state)
        disturb(self.world, scenario)
        self.world.start()

    @property
    def now(self) -> float:
        """Hours from the start of the model."""
        return float(self.world.env.now)

    def run(self, until_h: float) -> None:
        """Live until a time, hours from the start of the model."""
        if until_h > self.now:
            self.world.env.run(until=until_h)

    def save(self) -> State:
        """Everything that is going on, as only the operation itself can know it."""
        return self.world.save()

    # -- taking orders ---------------------------------------------------------------------------
    def order(self, site: str, product: str, quantity: float, source: str = "") -> int:
        """Place a replenishment order now; its number.

        Raises
        ------
        ValueError
            If the site does not stock the product, or the source does not serve it.
        """
        if not quantity > 0.0:
            raise ValueError(f"quantity {quantity:g} orders nothing. Order more than 0.")
        if (site, product) not in self.network.stock:
            raise ValueError(f"{site} does not stock {product}. Order for a row of stock.")
        shelf = self.world.node(site, product, "stock")
        chosen = None
        if source:
            sources = shelf.every_source().sources
            chosen = next((s for s in sources if source in (s.site, s.kind)), None)
            if chosen is None:
                known = ", ".join(sorted({s.site for s in sources})) or "none"
                raise ValueError(f"{source} does not send {product} to {site}. Sources: {known}.")
        known_before = set(shelf.orders_out)
        shelf.replenish(quantity, deferred=True, source=chosen)
        fresh = set(shelf.orders_out) - known_before
        if not fresh:
            raise ValueError(f"nobody sends {product} to {site} now. Name another source.")
        return int(fresh.pop())

    def do(self, order: Order) -> None:
        """Do what an order of a plan says, now: order, transfer, expedite, cancel, decrease.

        Raises
        ------
        ValueError
            If the site does not stock the product.
        """
        carry_out(self.world, Plan("order", self.network.name, self.now, Answer(Status.FEASIBLE),
                                   orders=(replace(order, when=self.now),)))

    def set(self, cell: str, value: str) -> bool:
        """Change a setting of replenishment, such as ``stock[W,tea].reorder_point``.

        A level that only fits with another one still to come (an order-up-to level below today's
        reorder point) waits for it.

        Returns
        -------
        bool
            Whether it is in force now.

        Raises
        ------
        ValueError
            If there is no such cell, or nobody could change it while the chain is running.
        """
        table, key, column = self.network.find(cell)
        if table != "stock":
            raise ValueError(f"{cell} is no setting of stock. Only those are changed in a chain "
                             "that is running.")
        both = {**self._waiting.pop(key, {}), cell: value}
        try:
            self.network = self.network.with_cells(both)
        except ValueError:
            if column not in _LEVELS or len(both) > 1 or not _is_number(value):
                raise
            self._waiting[key] = both
            return False
        row = self.network.stock[key]  # type: ignore[index]
        self.world.node(row.site, row.product, "stock").set_policy(row)
        return True

    # -- looking ---------------------------------------------------------------------------------
    def view(self) -> View:
        """What instruments could see now."""
        world, now = self.world, self.now
        vehicles = [self._truck(truck, now) for fleet in world.fleets.values()
                    for truck in fleet.trucks]
        for lane in world.lanes.values():
            if lane.row.fleet is None:
                vehicles += [_parcel(lane, shipment, now) for shipment in lane.moving.values()]
        for shelf in world.shelves:
            shelf.settle()
        return View(
            now, tuple(vehicles),
            tuple(Room(area.name, area.row.site, area.row.min_c, area.row.max_c,
                       area.spoiling is not None, area.used) for area in world.areas.values()),
            tuple(self._tool(machine) for plant in world.plants.values()
                  for machine in plant.machines),
            tuple(Shelf(shelf.site, shelf.product, shelf.on_hand) for shelf in world.shelves))

    def _truck(self, truck: Any, now: float) -> Vehicle:
        lane = truck.lane
        home = truck.row.home
        warm = truck.warm_since is not None
        if lane is None:
            return Vehicle(truck.name, True, home, "idle", cold=truck.refrigerated, warm=warm)
        left = truck.left_now() if truck.moving else 0.0
        gone = now - truck.leg_began
        share = gone / (gone + left) if gone + left > 0.0 else 1.0
        return Vehicle(truck.name, True, home, truck.phase, lane.origin, lane.destination,
                       share if truck.moving else 0.0, lane.km,
                       sum(part.quantity for part in truck.load),
                       truck.shipment.number if truck.shipment else 0, truck.refrigerated, warm,
                       truck.load_share())

    def _tool(self, machine: Any) -> Tool:
        wear = max((_wear(failure) for failure in self.world.failures.values()
                    if failure.asset is machine), default=0.0)
        state = _STATES.get(machine.phase, machine.phase)
        if machine.stops:  # by a failure or an accident, or else by the calendar
            broken = any(cause in self.world.failures for cause in machine.stops)
            state = "down" if broken else "off"
        product = machine.job.maker.product if machine.job is not None else ""
        return Tool(machine.name, machine.row.site, state, product, wear)


def _wear(failure: Failure) -> float:
    """Age over life; 1 while it is down."""
    if failure.phase != "up":
        return 1.0
    age = failure.age
    if not failure.by_work:
        age += failure.env.now - failure.since
    elif failure.stretch is not None:
        age += failure.stretch()
    return min(1.0, age / failure.life) if failure.life > 0.0 else 1.0


def _parcel(lane: Any, shipment: Shipment, now: float) -> Vehicle:
    whole = shipment.due - shipment.departed
    share = (now - shipment.departed) / whole if whole > 0.0 else 1.0
    return Vehicle(f"{lane.name}#{shipment.number}", False, "", "out", lane.origin,
                   lane.destination, min(1.0, max(0.0, share)), lane.km,
                   sum(part.quantity for part in shipment.load), shipment.number,
                   bool(lane.row.refrigerated), bool(shipment.warm))


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
