"""Consistency of a network: one function a question, each names all its offenders.

A check is a generator of `Found`: table, key, what is wrong and the remedy. It copes with names
that do not exist: `dangling` reports those.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from twin.clock import excerpt, format_duration
from twin.network import check_making as making
from twin.network import check_moving as moving
from twin.network import check_ordering as ordering
from twin.network.assets import asset_kinds
from twin.network.attributes import TABLES, Attribute
from twin.network.components import Key
from twin.network.forecast import parse_fuel
from twin.network.network import Network, Where
from twin.network.problems import Found, guess

Check = Callable[[Network], Iterable[Found]]


def problems_of(
    network: Network,
    where: Where,
    incomplete: Collection[str] = (),
    doubtful: Collection[tuple[str, Key]] = (),
) -> list[str]:
    """Everything that is wrong with a network, in words.

    Parameters
    ----------
    network
        The rows.
    where
        Says the file and row, or the address, of a key.
    incomplete
        Tables of which rows could not be read: what would follow from that is not reported.
    doubtful
        Table and key of rows with a cell that was refused already.

    Examples
    --------
    >>> problems_of(Network(), lambda table, key: table)
    []
    """
    found = list(dangling(network, incomplete))
    for check, leans_on in (*ROWS, *making.CHECKS, *moving.CHECKS, *ordering.CHECKS):
        if not any(table in incomplete for table in leans_on):
            found += check(network)
    sure = (f for f in found if (f.table, f.key) not in doubtful)
    return list(dict.fromkeys(f"{where(f.table, f.key)}: {f.what}" for f in sure))


def dangling(network: Network, incomplete: Collection[str] = ()) -> Iterator[Found]:
    """Names that no row of the other table has."""
    names: dict[str, set[object]] = {}
    for table in TABLES.values():
        refs = [a for a in table.attributes if a.base == "ref" and a.words[0] not in incomplete]
        rows = network.table(table.name)
        for a in refs if rows else ():
            known = names.get(a.words[0])
            if known is None:
                known = names[a.words[0]] = _names(network, a.words[0])
            for key, row in rows.items():
                value = getattr(row, a.name)
                if value and value not in known:
                    yield Found(table.name, key, _dangling(a, value, known))


def _names(network: Network, table: str) -> set[object]:
    """The names that a table gives: its first key column."""
    first = TABLES[table].keys[0].name
    names: set[object] = {getattr(row, first) for row in network.table(table).values()}
    return names | {network.currency} if table == "fx" else names


def _dangling(attribute: Attribute, value: str, known: set[object]) -> str:
    table = attribute.words[0]
    options = sorted(map(str, known))
    remedy = guess(value, options) if options else f"Add it to the table {table}."
    return f"{attribute.column} '{excerpt(value)}' is not in {table}. {remedy}"


def places(network: Network) -> Iterator[Found]:
    """Coordinates come in pairs, and a time zone exists."""
    zones: dict[str, bool] = {}
    for key, site in network.sites.items():
        if (site.latitude is None) != (site.longitude is None):
            yield Found("sites", key, "has one of latitude and longitude. Write both or none.")
        if not zones.setdefault(site.timezone, _is_zone(site.timezone)):
            what = f"timezone '{excerpt(site.timezone)}' is unknown."
            yield Found("sites", key, f"{what} Write an IANA name such as Europe/Paris.")


def _is_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True


def temperatures(network: Network) -> Iterator[Found]:
    """A range runs upwards."""
    for table in ("products", "storage"):
        for key, row in network.table(table).items():
            low, high = row.min_c, row.max_c  # type: ignore[attr-defined]
            if low is not None and high is not None and low > high:
                yield Found(table, key, f"min_c {low:g} is above max_c {high:g}. Swap them.")


def shifts(network: Network) -> Iterator[Found]:
    """Every calendar opens, for shifts that do not overlap; a shift may pass midnight."""
    opens: dict[str, bool] = {}
    hours: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for key, row in network.calendars.items():
        opens.setdefault(row.calendar, False)
        if row.from_ is None and row.to is None:
            continue
        if row.from_ is None or row.to is None:
            yield Found("calendars", key, "has one of from and to. Write both, or none for closed.")
            continue
        if row.from_ == row.to or row.from_ == 24:
            yield Found("calendars", key, "closes when it opens. Write 00:00 to 24:00 for all day.")
            continue
        opens[row.calendar] = True
        end = row.to if row.to > row.from_ else row.to + 24
        day = hours.setdefault((row.calendar, row.day), [])
        if any(row.from_ < other_end and start < end for start, other_end in day):
            yield Found("calendars", key, "overlaps another shift of that day. Join the two rows.")
        day.append((row.from_, end))
    for key, row in network.calendars.items():
        if not opens.pop(row.calendar, True):
            yield Found("calendars", key, f"calendar '{row.calendar}' never opens. Add a shift.")


def windows(network: Network) -> Iterator[Found]:
    """A window closes after it opens."""
    for key, row in network.windows.items():
        if row.close <= row.open:
            yield Found("windows", key, "closes before it opens. Write two rows around midnight.")


def demands(network: Network) -> Iterator[Found]:
    """A stream of orders begins, and begins before it ends."""
    factors: dict[str, float] = {}
    for profile in network.profiles.values():
        factors[profile.profile] = factors.get(profile.profile, 0.0) + profile.factor
    for key, row in network.demand.items():
        if row.end is not None and row.start is not None and row.end <= row.start:
            what = f"end {format_duration(row.end)} is not after start {format_duration(row.start)}"
            yield Found("demand", key, f"{what}. Write a later end.")
        if row.profile is not None and factors.get(row.profile) == 0:
            what = f"profile '{row.profile}' is zero at all times. Give it a factor above 0."
            yield Found("demand", key, what)


def firm_orders(network: Network) -> Iterator[Found]:
    """A firm order is due after it was placed; what is shipped arrives at a time to come."""
    for key, row in network.orders.items():
        if row.due is not None and row.due < row.placed:
            yield Found("orders", key, "is due before it was placed. Write a later due date.")
        if row.status == "shipped" and (row.due is None or row.due < 0):
            yield Found("orders", key, "is shipped, but due is blank or past. Write its arrival.")


_NEEDS = {
    "s_S": ("reorder_point", "order_up_to"),
    "s_Q": ("reorder_point", "order_quantity"),
    "base_stock": ("order_up_to",),
    "R_S": ("review", "order_up_to"),
    "kanban": ("order_up_to", "order_quantity"),
    "forecast": ("forecast", "review"),
    "smoothed": ("forecast", "review", "order_up_to"),
    "vendor_managed": ("order_up_to",),
}


def policies(network: Network) -> Iterator[Found]:
    """A policy has its parameters, and they fit together."""
    for key, row in network.stock.items():
        missing = [name for name in _NEEDS.get(row.policy or "", ()) if getattr(row, name) is None]
        if missing:
            what = f"policy {row.policy} needs {' and '.join(missing)}. Fill the blank cells."
            yield Found("stock", key, what)
        elif row.policy == "s_S" and row.order_up_to < row.reorder_point:  # type: ignore[operator]
            what = f"order_up_to {row.order_up_to:g} is below reorder_point {row.reorder_point:g}"
            yield Found("stock", key, f"{what}. Order up to more.")
        elif row.policy == "kanban" and row.order_up_to < row.order_quantity:  # type: ignore[operator]
            what = f"order_up_to {row.order_up_to:g} is less than a card of {row.order_quantity:g}"
            yield Found("stock", key, f"{what}. Write at least one card.")


def substitutes(network: Network) -> Iterator[Found]:
    """No product replaces itself."""
    for key, row in network.products.items():
        if row.substitute == row.product:
            yield Found("products", key, "is its own substitute. Leave substitute blank.")


def assets(network: Network) -> Iterator[Found]:
    """A failure stops one thing that exists, and a service knows when it is due."""
    every = (*network.machines, *network.trucks, *network.sites)
    for key, row in network.failures.items():
        kinds = asset_kinds(network, row.asset) if row.asset else ["?"]
        if not kinds:
            lanes = (":".join(lane) for lane in network.lanes)
            remedy = guess(row.asset, (*every, *lanes) if ":" in row.asset else every)
            what = (
                f"asset '{excerpt(row.asset)}' is no machine, truck, site, lane, storage or dock."
            )
            yield Found("failures", key, f"{what} {remedy}")
        elif len(kinds) > 1:
            what = f"asset '{excerpt(row.asset)}' is a {' and a '.join(kinds)}. Rename one of them."
            yield Found("failures", key, what)
        if row.service_after is None and (row.service_time.mean() > 0 or row.service_cost > 0):
            what = "has a service time or cost but no service_after. Write the age of the service."
            yield Found("failures", key, what)


def fuels(network: Network) -> Iterator[Found]:
    """What a truck burns can be read, and its emissions computed."""
    for key, row in network.trucks.items():
        try:
            points = parse_fuel(row.fuel_l_per_100km)
        except ValueError as problem:
            yield Found("trucks", key, f"fuel_l_per_100km {problem}")
            continue
        if row.fuel is None:
            continue
        per_litre = (row.fuel, "l") in network.emissions
        by_weight = network.emissions.get((row.fuel, "kg"))
        if not per_litre and (by_weight is None or by_weight.kg_per_l is None) and max(points) > 0:
            what = f"fuel '{row.fuel}' has no emissions per l, nor per kg with kg_per_l. Add a row."
            yield Found("trucks", key, what)


def price_breaks(network: Network) -> Iterator[Found]:
    """A price break belongs to something supplied."""
    for key, row in network.prices.items():
        if (row.site, row.product) not in network.supply:
            yield Found("prices", key, "has no row in supply. Add the supply of that product.")


def two_doors(network: Network) -> Iterator[Found]:
    """Doors are for one direction each, or all for both."""
    for key, row in network.docks.items():
        if row.direction != "both" and (row.site, "both") in network.docks:
            what = f"site '{row.site}' also has doors for both. Write in and out, or both."
            yield Found("docks", key, what)


# Each check, and the tables that must have been read completely for it to make sense.
ROWS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (places, ()),
    (temperatures, ()),
    (shifts, ("calendars",)),
    (windows, ()),
    (demands, ("profiles",)),
    (firm_orders, ()),
    (policies, ()),
    (substitutes, ()),
    (assets, ("machines", "trucks", "sites", "lanes", "storage", "docks")),
    (fuels, ("emissions",)),
    (price_breaks, ("supply",)),
    (two_doors, ()),
)
