"""A supply chain: its tables, in memory, frozen and checked."""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from twin.clock import excerpt, hours_after, parse_duration, parse_moment
from twin.network import components as c
from twin.network.attributes import TABLES
from twin.network.cells import read_cell
from twin.network.components import COMPONENTS, Component, Key
from twin.network.problems import ModelError, address, guess, one_of

REVIEWS = ("before_demand", "after_demand")
Where = Callable[[str, Key], str]
Rows = Iterable[Component | Mapping[str, Any]] | Mapping[Any, Component]

_ADDRESS = re.compile(r"(\w+)\[([^\]]*)\]\.(\w+)")
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Network:
    """What a model's tables say; one dictionary a table, in file order, by the key of its rows.

    Parameters
    ----------
    name, title, start, currency, review, warmup, folder
        Of ``NAME.yaml``; `start` is UTC, `folder` where the tables were read from.
    **tables
        Rows of any table of `twin.network.attributes`: components, or dictionaries of cells.

    Raises
    ------
    ModelError
        With everything that is wrong, at once.

    Examples
    --------
    >>> from twin.network import Demand, Lane, Product, Site, Stock, Supply
    >>> network = Network(
    ...     sites=[Site(site="S", kind="supplier"), Site(site="W", kind="warehouse")],
    ...     products=[Product(product="tea", value=3)],
    ...     supply=[Supply(site="S", product="tea", lead_time="1d")],
    ...     lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "2d"}],
    ...     stock=[Stock(site="W", product="tea", policy="base_stock", order_up_to=9)],
    ...     demand=[Demand(site="W", product="tea", interarrival="exponential(mean=8h)")],
    ... )
    >>> network
    Network('network': 2 sites, 1 products, 1 supply, 1 stock, 1 lanes, 1 demand)
    >>> network.lanes["S", "W", "road"].transit.mean()
    48.0
    >>> network.with_cell("lanes[S,W,road].transit", "3d").lanes["S", "W", "road"].transit.mean()
    72.0
    """

    name: str
    title: str
    start: datetime
    currency: str
    review: str
    warmup: float  #: hours that the chain takes to settle from its opening stock
    folder: Path | None
    sites: dict[str, c.Site]
    storage: dict[tuple[str, str], c.Storage]
    products: dict[str, c.Product]
    bom: dict[tuple[str, str, str], c.BomLine]
    supply: dict[tuple[str, str], c.Supply]
    prices: dict[tuple[str, str, float], c.Price]
    machines: dict[str, c.Machine]
    groups: dict[tuple[str, str], c.Group]
    routings: dict[tuple[str, str, int], c.Step]
    branches: dict[tuple[str, str, int, str], c.Branch]
    setups: dict[tuple[str, str, str, str], c.Setup]
    crews: dict[str, c.Crew]
    failures: dict[tuple[str, str], c.Failure]
    calendars: dict[tuple[str, str, float | str], c.Shift]
    stock: dict[tuple[str, str], c.Stock]
    lanes: dict[tuple[str, str, str], c.Lane]
    trucks: dict[str, c.Truck]
    docks: dict[tuple[str, str], c.Dock]
    emissions: dict[tuple[str, str], c.Emission]
    demand: dict[tuple[str, str, str], c.Demand]
    orders: dict[str, c.FirmOrder]
    returns: dict[tuple[str, str], c.Return]
    sensors: dict[str, c.Sensor]
    windows: dict[tuple[str, str], c.Window]
    capabilities: dict[tuple[str, str, int], c.Capability]
    profiles: dict[tuple[str, int | str, int | str, int | str], c.Profile]
    order_lines: dict[tuple[str, str, str], c.OrderLine]
    byproducts: dict[tuple[str, str, str], c.Byproduct]
    fx: dict[str, c.Currency]

    def __init__(
        self,
        *,
        name: str = "network",
        title: str = "",
        start: str | datetime = datetime(2026, 1, 1, tzinfo=UTC),
        currency: str = "USD",
        review: str = "before_demand",
        warmup: str | float = 0.0,
        folder: Path | None = None,
        **tables: Rows,
    ) -> None:
        problems: list[str] = []
        begin = _start(start, problems)
        if review not in REVIEWS:
            problems.append(f"review '{excerpt(str(review))}' is unknown. {one_of(REVIEWS)}")
        for table in set(tables) - set(TABLES):
            problems.append(f"table '{excerpt(table)}' is unknown. {guess(table, TABLES)}")
        rows = {table: _components(table, tables.get(table, ()), problems) for table in TABLES}
        hours = settling(warmup, problems)
        self._settle(name, title, begin, currency, review, hours, folder, rows, problems, address)
        self._refuse(problems, address, TABLES if problems else ())

    @classmethod
    def from_files(
        cls,
        *,
        name: str,
        title: str,
        start: datetime,
        currency: str,
        review: str,
        warmup: float,
        folder: Path,
        rows: dict[str, list[Component]],
        where: Where,
        problems: list[str],
        incomplete: Collection[str],
        doubtful: Collection[tuple[str, Key]],
    ) -> "Network":
        """A network of rows that were read from files; `where` says the file and row of each,
        `incomplete` names tables of which rows were lost, `doubtful` rows with a refused cell.

        Refused with the problems of reading and of the whole, at once.
        """
        network = cls.__new__(cls)
        network._settle(name, title, start, currency, review, warmup, folder, rows, problems,
                        where)
        network._refuse(problems, where, incomplete, doubtful)
        return network

    def _settle(
        self,
        name: str,
        title: str,
        start: datetime,
        currency: str,
        review: str,
        warmup: float,
        folder: Path | None,
        rows: dict[str, list[Component]],
        problems: list[str],
        where: Where,
    ) -> None:
        """Fill the fields: dates become hours, amounts the model's currency, lists dictionaries."""
        put = object.__setattr__
        for field, value in (
            ("name", name),
            ("title", title or name),
            ("start", start),
            ("currency", currency),
            ("review", review),
            ("warmup", warmup),
            ("folder", folder),
        ):
            put(self, field, value)
        rates = {row.currency: row.rate for row in rows["fx"] if isinstance(row, c.Currency)}
        rates[currency] = 1.0
        for table in TABLES:
            keyed: dict[Key, Component] = {}
            for row in rows[table]:
                key = row.key
                if key in keyed:
                    problems.append(f"{where(table, key)}: given twice. Keep one of the rows.")
                    continue
                keyed[key] = _in_hours(_converted(row, rates), start)
            put(self, table, keyed)

    def _refuse(
        self,
        problems: list[str],
        where: Where,
        incomplete: Collection[str],
        doubtful: Collection[tuple[str, Key]] = (),
    ) -> None:
        """Raise everything that is wrong, or return."""
        from twin.network.checks import problems_of

        problems += problems_of(self, where, incomplete, doubtful)
        if problems:
            raise ModelError(problems)

    def table(self, name: str) -> dict[Any, Component]:
        """The rows of a table by its name."""
        return cast(dict[Any, Component], getattr(self, name))

    def replace(self, **changes: Any) -> "Network":
        """A changed copy: whole tables, or ``name``, ``start`` ... of the model.

        Examples
        --------
        >>> network = Network(sites=[c.Site(site="W", kind="warehouse")])
        >>> network.replace(name="other", sites=[]).name
        'other'
        """
        fields = {field: getattr(self, field) for field in self.__dataclass_fields__}
        return Network(**{**fields, **changes})

    def with_cell(self, address: str, value: Any) -> "Network":
        """A copy with one cell replaced, such as ``lanes[A,B,sea].transit``."""
        return self.with_cells({address: value})

    def with_cells(self, cells: Mapping[str, Any]) -> "Network":
        """A copy with many cells replaced, checked once."""
        changed: dict[str, dict[Any, Component]] = {}
        problems: list[str] = []
        for text, value in cells.items():
            try:
                table, key, name = self.find(text)
                if table not in changed:
                    changed[table] = dict(self.table(table))
                rows = changed[table]
                rows[key] = replace(rows[key], **{name: value})  # type: ignore[type-var]
            except ModelError as error:
                problems += (f"{excerpt(text)}: {problem}" for problem in error.problems)
        if problems:
            raise ModelError(problems)
        return self.replace(**changed)

    def find(self, address: str) -> tuple[str, Key, str]:
        """The table, key and attribute that an address such as ``machines[M1].speed`` names.

        Examples
        --------
        >>> Network(sites=[c.Site(site="W", kind="warehouse")]).find("sites[W].wip_cap")
        ('sites', 'W', 'wip_cap')
        """
        match = _ADDRESS.fullmatch(address.strip())
        if match is None:
            raise ModelError(["is not a cell. Write table[key].column, such as sites[W1].wip_cap."])
        table, inner, column = match.groups()
        if table not in TABLES:
            raise ModelError([f"table '{excerpt(table)}' is unknown. {guess(table, TABLES)}"])
        columns = TABLES[table].by_column
        attribute = columns.get(column) or TABLES[table].by_name.get(column)
        if attribute is None or attribute.key:
            free = [a.column for a in columns.values() if not a.key]
            raise ModelError([f"no value '{excerpt(column)}' to set. {guess(column, free)}"])
        return table, self._find_row(table, inner), attribute.name

    def _find_row(self, table: str, inner: str) -> Key:
        """The key that the text in the brackets names."""
        keys, parts = TABLES[table].keys, [part.strip() for part in inner.split(",")]
        if len(parts) < len(keys):
            parts += [""] * (len(keys) - len(parts))
        try:
            values = [read_cell(*pair) for pair in zip(keys, parts, strict=True)]
        except ValueError:
            values = []
        whole = tuple("" if value is None else value for value in values)
        key = cast(Key, whole[0] if len(whole) == 1 else whole)
        rows = self.table(table)
        if key not in rows:
            near = [address(table, k) for k in rows]
            raise ModelError([f"no such row. {guess(f'{table}[{inner}]', near)}"])
        return key

    def distance_km(self, lane: c.Lane) -> float | None:
        """Length of a lane: its own, or along great circles from origin to destination.

        A port in `via` is passed. None when a place has no coordinates.

        Examples
        --------
        >>> places = [
        ...     c.Site(site="Rotterdam", kind="port", latitude=51.95, longitude=4.14),
        ...     c.Site(site="Accra", kind="customer", latitude=5.55, longitude=-0.2),
        ... ]
        >>> lane = c.Lane(origin="Rotterdam", destination="Accra", mode="sea", transit="20d")
        >>> round(Network(sites=places, lanes=[lane]).distance_km(lane))
        5175
        """
        if lane.distance_km is not None:
            return lane.distance_km
        stops = [lane.origin, *([lane.via] if lane.via else []), lane.destination]
        points = [self.sites[stop] for stop in stops if stop in self.sites]
        legs = [great_circle_km(a, b) for a, b in pairwise(points)]
        return math.fsum(leg for leg in legs if leg is not None) if None not in legs else None

    def lines_of(self, row: c.Demand) -> list[c.OrderLine]:
        """The rows of `order_lines` that orders of a row of demand may contain."""
        return [line for line in self.order_lines.values()
                if (line.site, line.stream) == (row.site, row.stream)
                and line.product != row.product]

    def __repr__(self) -> str:
        sizes = (f"{len(self.table(table))} {table}" for table in TABLES if self.table(table))
        return f"Network({self.name!r}: {', '.join(sizes)})"


def great_circle_km(a: c.Site, b: c.Site) -> float | None:
    """Distance over the globe by the haversine formula; None without coordinates.

    Examples
    --------
    >>> pole = c.Site(site="pole", kind="port", latitude=90, longitude=0)
    >>> round(great_circle_km(pole, c.Site(site="null", kind="port", latitude=0, longitude=0)))
    10008
    """
    if a.latitude is None or b.latitude is None or a.longitude is None or b.longitude is None:
        return None
    phi, psi = math.radians(a.latitude), math.radians(b.latitude)
    across = math.radians(b.longitude - a.longitude) / 2
    half = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(across) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def settling(warmup: str | float, problems: list[str]) -> float:
    """Hours of the warm-up that a model names."""
    try:
        hours = parse_duration(warmup) if isinstance(warmup, str) else float(warmup)
    except ValueError as error:
        problems.append(f"warmup {error}")
        return 0.0
    if not 0.0 <= hours < math.inf:
        problems.append(f"warmup '{excerpt(str(warmup))}' is negative. Write a time such as 90d.")
        return 0.0
    return hours


def _start(start: object, problems: list[str]) -> datetime:
    try:
        return parse_moment(start.isoformat() if isinstance(start, datetime) else str(start))
    except ValueError as problem:
        problems.append(f"start {problem}")
        return datetime(2026, 1, 1, tzinfo=UTC)


def _components(table: str, rows: Rows, problems: list[str]) -> list[Component]:
    """Rows given in code, as components of the table."""
    component, names = COMPONENTS[table], TABLES[table].by_name
    found: list[Component] = []
    for row in rows.values() if isinstance(rows, Mapping) else rows:
        if isinstance(row, component):
            found.append(row)
        elif isinstance(row, Mapping):
            columns = TABLES[table].by_column
            cells = {columns[k].name if k in columns else str(k): v for k, v in row.items()}
            unknown = [k for k in cells if k not in names]
            missing = [
                a.column for a in names.values() if a.default is None and a.name not in cells
            ]
            problems += (
                f"{table}: column '{excerpt(k)}' is unknown. {guess(k, columns)}" for k in unknown
            )
            problems += (f"{table}: column '{column}' is missing." for column in missing)
            if not unknown and not missing:
                try:
                    found.append(component(**cells))
                except ModelError as error:
                    problems += error.problems
        else:
            problems.append(f"{table}: {excerpt(repr(row))} is not a {component.__name__}.")
    return found


def _converted(row: Component, rates: dict[str, float]) -> Component:
    """Amounts in the model's currency; a row in a currency without a rate is left to the checks."""
    currency = getattr(row, "currency", None)
    if row.table == "fx" or currency is None or currency not in rates:
        return row
    money = (a.name for a in TABLES[row.table].attributes if a.is_money)
    amounts = {name: getattr(row, name) * rates[currency] for name in money}
    return replace(row, currency=None, **amounts)  # type: ignore[type-var]


def _in_hours(row: Component, start: datetime) -> Component:
    """A firm order whose dates are hours from the start of the model."""
    if not isinstance(row, c.FirmOrder):
        return row
    dates = {
        name: hours_after(start, moment)
        for name in ("placed", "due")
        if isinstance(moment := getattr(row, name), datetime)
    }
    return replace(row, **dates) if dates else row  # type: ignore[arg-type]
