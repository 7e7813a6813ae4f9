"""The components of a supply chain: one frozen row of each table.

The fields are those of `twin.network.attributes` (a test compares them), where their units and
meanings stand; times are hours, a blank cell is None. In code a field may be given as a planner
would write it: it is read when the component is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import ClassVar, Self

from twin.network.attributes import TABLES, Attribute
from twin.network.cells import take
from twin.network.forecast import Forecast, parse_fuel
from twin.network.problems import ModelError
from twin.quantity import Quantity, constant

AT_ONCE = constant(0.0, time=True)
NOTHING = constant(0.0)
ONE = constant(1.0)
Key = str | tuple[str | int | float, ...]


class Component:
    """A row of a table.

    Examples
    --------
    >>> lane = Lane(origin="A", destination="B", mode="sea", transit="uniform(2d, 6d)")
    >>> lane.transit.mean(), lane.min_load, lane.key
    (96.0, 0.0, ('A', 'B', 'sea'))
    >>> Lane(origin="A", destination="B", transit="-2d")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    twin.network.problems.ModelError: lanes: transit '-2d' is negative. Write a duration such as ...
    """

    __slots__ = ()
    table: ClassVar[str]

    def __post_init__(self) -> None:
        problems = []
        for name, attribute, plain in _fields(self.table):
            value = getattr(self, name)
            if type(value) is plain:
                continue
            try:
                taken = take(attribute, value)
            except ValueError as problem:
                problems.append(f"{self.table}: {attribute.column} {problem}")
            else:
                if taken is not value:
                    object.__setattr__(self, name, taken)
        if problems:
            raise ModelError(problems)

    @classmethod
    def of_values(cls, values: Mapping[str, object]) -> Self:
        """A component of finished values, not read again; what is left out has its default."""
        component = cls.__new__(cls)
        for name, default in _defaults(cls.table):
            object.__setattr__(component, name, values.get(name, default))
        return component

    @property
    def key(self) -> Key:
        """What names the row in its table; a blank part is the empty string."""
        names = _key_names(self.table)
        if len(names) == 1:
            return getattr(self, names[0])  # type: ignore[no-any-return]
        parts = (getattr(self, name) for name in names)
        return tuple("" if part is None else part for part in parts)


@cache
def _fields(table: str) -> tuple[tuple[str, Attribute, type | None], ...]:
    """Name, attribute and, where no check is needed, the type of a finished value."""
    return tuple((a.name, a, bool if a.base == "yn" else None) for a in TABLES[table].attributes)


@cache
def _defaults(table: str) -> tuple[tuple[str, object], ...]:
    """Name and default of each field."""
    return tuple((field.name, field.default) for field in fields(COMPONENTS[table]))  # type: ignore[arg-type]


@cache
def _key_names(table: str) -> tuple[str, ...]:
    return tuple(a.name for a in TABLES[table].keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Component):
    """A place."""

    table = "sites"
    site: str
    kind: str
    region: str | None = None
    record_delay: float = 0.0
    count_period: float | None = None
    record_error: Quantity = NOTHING
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    timezone: str = "UTC"
    calendar: str | None = None
    sourcing: str = "fastest"
    wip_cap: int | None = None
    handling_time: Quantity = AT_ONCE
    fair: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage(Component):
    """An area of a site that holds goods."""

    table = "storage"
    site: str
    area: str
    capacity_m3: float | None = None
    min_c: float | None = None
    max_c: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Component):
    """What is made, moved and sold."""

    table = "products"
    product: str
    value: float = 0.0
    weight_kg: float = 0.0
    volume_m3: float = 0.0
    shelf_life: float | None = None
    min_c: float | None = None
    max_c: float | None = None
    lot_size: float | None = None
    substitute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BomLine(Component):
    """What goes into one unit of a product."""

    table = "bom"
    product: str
    component: str
    site: str = ""
    quantity: float = 1.0
    alternative: str | None = None
    rank: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply(Component):
    """What a supplier sells."""

    table = "supply"
    site: str
    product: str
    lead_time: Quantity = AT_ONCE
    capacity_per_day: float | None = None
    minimum_order: float = 0.0
    multiple: float | None = None
    order_cost: float = 0.0
    price: float = 0.0
    fill: Quantity = ONE
    payment: float = 0.0
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Component):
    """A price break."""

    table = "prices"
    site: str
    product: str
    from_quantity: float
    price: float
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Component):
    """A machine, or several identical ones."""

    table = "machines"
    machine: str
    site: str
    group: str
    units: int = 1
    speed: float = 1.0
    crew: str | None = None
    calendar: str | None = None
    power_kw: float = 0.0
    cost_per_hour: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Component):
    """A work centre."""

    table = "groups"
    site: str
    group: str
    buffer: int | None = None
    dispatch: str = "fifo"
    preempt: bool = False
    blocking: str = "after"
    needed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Component):
    """A step of a routing."""

    table = "routings"
    site: str
    product: str
    step: int
    group: str | None = None
    process_time: Quantity
    per: str = "unit"
    ideal_time: float | None = None
    setup_time: Quantity = AT_ONCE
    setup_family: str | None = None
    batch: int = 1
    yield_: Quantity = ONE
    crew: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Component):
    """Where a share goes after a step."""

    table = "branches"
    site: str
    product: str
    step: int
    next: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup(Component):
    """A changeover between two families."""

    table = "setups"
    site: str
    group: str
    from_family: str
    to_family: str
    time: Quantity
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew(Component):
    """People who operate, repair or drive."""

    table = "crews"
    crew: str
    size: int = 1
    site: str | None = None
    calendar: str | None = None
    cost_per_hour: float = 0.0
    drive_max: float | None = None
    break_: float | None = None
    day_max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Component):
    """A cause that stops an asset."""

    table = "failures"
    asset: str
    cause: str = "breakdown"
    time_to_failure: Quantity | None = None
    clock: str = "operating"
    time_to_repair: Quantity = AT_ONCE
    crew: str | None = None
    after: str = "resume"
    repair_cost: float = 0.0
    spare: str | None = None
    service_after: float | None = None
    service_time: Quantity = AT_ONCE
    service_cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift(Component):
    """Working hours of a calendar."""

    table = "calendars"
    calendar: str
    day: str = "daily"
    from_: float | None = None
    to: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock(Component):
    """A product on the shelf of a site, and its policy."""

    table = "stock"
    site: str
    product: str
    on_hand: float = 0.0
    policy: str | None = None
    reorder_point: float | None = None
    order_up_to: float | None = None
    order_quantity: float | None = None
    trigger: str = "at_or_below"
    review: float | None = None
    first_review: float = 0.0
    source: str | None = None
    forecast: Forecast | None = None
    cover: float | None = None
    safety_stock: float = 0.0
    safety_factor: float = 0.0
    adjust: float = 1.0
    pipeline_weight: float = 1.0
    holding_cost: float = 0.0
    backorder_cost: float = 0.0
    service_level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane(Component):
    """A way from one site to another."""

    table = "lanes"
    origin: str
    destination: str
    mode: str = "road"
    via: str | None = None
    transit: Quantity | None = None
    order_delay: float = 0.0
    distance_km: float | None = None
    cost_per_shipment: float = 0.0
    cost_per_kg: float = 0.0
    fleet: str | None = None
    refrigerated: bool = False
    min_load: float = 0.0
    max_wait: float | None = None
    departures: float | None = None
    share: float = 1.0
    owner: str = "none"
    damage: float = 0.0
    wrong_documents: float = 0.0
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truck(Component):
    """A vehicle, or several identical ones."""

    table = "trucks"
    truck: str
    units: int = 1
    home: str
    capacity_kg: float | None = None
    capacity_m3: float | None = None
    speed_kmh: float = 60.0
    cost_per_km: float = 0.0
    cost_per_hour: float = 0.0
    fuel: str | None = None
    fuel_l_per_100km: str = "0"
    refrigerated: bool = False
    crew: str | None = None
    calendar: str | None = None
    profile: str | None = None

    @property
    def fuel_points(self) -> tuple[float, ...]:
        """Litres per 100 km at equally spaced loads from empty to full; one point is any load."""
        return parse_fuel(self.fuel_l_per_100km)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dock(Component):
    """Doors of a site."""

    table = "docks"
    site: str
    direction: str = "both"
    doors: int = 1
    time: Quantity = AT_ONCE
    time_per_m3: float = 0.0
    calendar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission(Component):
    """Emission factors of a mode or fuel."""

    table = "emissions"
    source: str
    per: str
    direct: float
    total: float
    kg_per_l: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand(Component):
    """A stream of orders."""

    table = "demand"
    site: str
    product: str
    stream: str = ""
    interarrival: Quantity
    size: Quantity = ONE
    region: str | None = None
    start: float | None = None
    end: float | None = None
    limit: int | None = None
    unmet: str = "backorder"
    partial: bool = True
    complete: bool = False
    promise: float = 0.0
    early: float | None = None
    late: float = 0.0
    price: float = 0.0
    priority: int = 1
    lost_cost: float = 0.0
    payment: float = 0.0
    profile: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmOrder(Component):
    """A firm order."""

    table = "orders"
    order: str
    site: str
    product: str
    quantity: float
    placed: float = 0.0
    due: float | None = None
    priority: int = 1
    source: str | None = None
    status: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Component):
    """Goods that customers send back."""

    table = "returns"
    site: str
    product: str
    share: float
    after: Quantity = AT_ONCE
    to: str
    restock: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(Component):
    """What measures the real chain."""

    table = "sensors"
    sensor: str
    site: str | None = None
    asset: str | None = None
    measure: str | None = None
    unit: str | None = None
    interval: float | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Component):
    """When a site receives."""

    table = "windows"
    site: str
    day: str = "daily"
    open: float
    close: float
    service: float = 0.0

    @property
    def calendar(self) -> str:
        """The name of the calendar that the windows of a site make."""
        return f"(windows of {self.site})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability(Component):
    """A machine's own process time."""

    table = "capabilities"
    machine: str
    product: str
    step: int
    process_time: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile(Component):
    """One entry of a pattern over time."""

    table = "profiles"
    profile: str
    hour: int | None = None
    weekday: int | None = None
    month: int | None = None
    factor: float
    trend: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine(Component):
    """A line of orders of several products."""

    table = "order_lines"
    site: str
    stream: str = ""
    product: str
    share: float = 1.0
    size: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Byproduct(Component):
    """What else comes out of making a product."""

    table = "byproducts"
    site: str
    product: str
    byproduct: str
    quantity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency(Component):
    """An exchange rate."""

    table = "fx"
    currency: str
    rate: float


COMPONENTS: dict[str, type[Component]] = {
    component.table: component
    for component in (
        Site,
        Storage,
        Product,
        BomLine,
        Supply,
        Price,
        Machine,
        Group,
        Step,
        Branch,
        Setup,
        Crew,
        Failure,
        Shift,
        Stock,
        Lane,
        Truck,
        Dock,
        Emission,
        Demand,
        FirmOrder,
        Return,
        Sensor,
        Window,
        Capability,
        Profile,
        OrderLine,
        Byproduct,
        Currency,
    )
}
