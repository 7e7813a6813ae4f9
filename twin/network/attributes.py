"""The one table of attributes: every table and column that a planner may write.

Components, reading, checks and ``docs/tables.md`` (``python -m twin.network.attributes``) all
follow from it. A column whose name is a Python keyword has a trailing underscore in code.
"""

import keyword
import re
from dataclasses import dataclass, field
from functools import cached_property

# What a cell of each type holds, in words for planners.
TYPES = {
    "id": "a name; no comma, colon, brackets, `#`, `*`, `?` or quotes",
    "ref": "a name from the table in brackets",
    "text": "words",
    "choice": "one of the words in brackets",
    "yn": "yes or no",
    "int": "a whole number",
    "num": "a number with a decimal point",
    "share": "a number from 0 to 1",
    "dur": "a duration such as `2d 4h`",
    "rq_time": "a duration or a random one such as `lognormal(mean=5d, sd=2d)`",
    "rq": "a number or a random one such as `poisson(mean=4)`",
    "time": "a time of day, `HH:MM`",
    "day": "`daily`, `mon`, `mon-fri` or a date",
    "weekday": "`mon` to `sun`",
    "moment": "a duration from the start of the model (negative: before it) or an ISO date",
    "forecast": "`moving_average(n=5)`, `smoothing(alpha=.3, start=4)` or a number",
}
_WHOLE = re.compile(r"(\w+)(?:\((.*)\))?")


@dataclass(frozen=True)
class Attribute:
    """One column of one table.

    Parameters
    ----------
    table, column
        Where a planner writes it.
    type
        A name of `TYPES`, with the table of a ``ref`` or the words of a ``choice`` in brackets.
    meaning
        What it says of the supply chain.
    default
        What a blank cell means, as a planner would write it; None when a blank is refused.
    unit
        Of a number; a time is a duration and needs none.
    range
        ``any``, ``>0``, ``>=0`` or ``low..high``; of a random quantity: where its mean may lie.
    key
        Whether it is part of the name of the row.
    """

    table: str
    column: str
    type: str
    meaning: str
    default: str | None = ""
    unit: str = ""
    range: str = ">=0"
    key: bool = False

    @property
    def name(self) -> str:
        """The attribute of the component, such as ``from_``."""
        return self.column + "_" if keyword.iskeyword(self.column) else self.column

    @cached_property
    def base(self) -> str:
        """The type without its brackets."""
        match = _WHOLE.fullmatch(self.type)
        assert match is not None, self.type
        return match[1]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What stands in the brackets of the type."""
        match = _WHOLE.fullmatch(self.type)
        inner = match[2] if match else None
        return tuple(word.strip() for word in inner.split(",")) if inner else ()

    @cached_property
    def bounds(self) -> tuple[float, float, bool]:
        """Lowest and highest number, and whether the lowest itself is refused."""
        fixed = {"share": 1.0, "time": 24.0, "weekday": 6.0}.get(self.base)
        if fixed is not None:
            return 0.0, fixed, False
        if self.range == "any" or self.base == "moment":
            return float("-inf"), float("inf"), False
        if self.range.startswith(">"):
            return (float(self.range.lstrip(">=")), float("inf"), not self.range.startswith(">="))
        low, high = self.range.split("..")
        return float(low), float(high), False

    @property
    def is_money(self) -> bool:
        """Whether the number is an amount in a currency."""
        return self.unit.startswith("currency")


@dataclass(frozen=True)
class Table:
    """A table: its name, the component of one row, its meaning and its columns."""

    name: str
    component: str
    meaning: str
    attributes: tuple[Attribute, ...] = field(repr=False)

    @cached_property
    def keys(self) -> tuple[Attribute, ...]:
        """The columns that name a row."""
        return tuple(a for a in self.attributes if a.key)

    @cached_property
    def by_column(self) -> dict[str, Attribute]:
        """Attributes by the name of their column."""
        return {a.column: a for a in self.attributes}

    @cached_property
    def by_name(self) -> dict[str, Attribute]:
        """Attributes by their name in code."""
        return {a.name: a for a in self.attributes}


REQUIRED = None


def _table(
    name: str, component: str, meaning: str, keys: int, *rows: tuple[str | None, ...]
) -> Table:
    """A table whose first columns are its key; a row is what `Attribute` takes after the table."""
    attributes = tuple(
        Attribute(name, *row, key=place < keys)  # type: ignore
        for place, row in enumerate(rows)
    )
    return Table(name, component, meaning, attributes)


_SITE = ("site", "ref(sites)", "the site", REQUIRED)
_PRODUCT = ("product", "ref(products)", "the product", REQUIRED)
_CURRENCY = ("currency", "ref(fx)", "of the amounts in this row; blank is the model's")
_PROFILE = "pattern over hours, weekdays and months that multiplies"
_POLICIES = "s_S, s_Q, base_stock, R_S, kanban, forecast, smoothed, vendor_managed"

_ALL = (
    _table(
        "sites",
        "Site",
        "Places: suppliers, plants, warehouses, customers, ports.",
        1,
        ("site", "id", "name of the site", REQUIRED),
        ("kind", "choice(supplier, plant, warehouse, customer, port)", "what it is", REQUIRED),
        ("region", "text", "a group of sites that scenarios can name"),
        ("record_delay", "dur", "how late the record of its stock is", "0"),
        ("count_period", "dur", "how often the record is trued up by a count", "", "", ">0"),
        ("record_error", "rq", "relative error of each booking in the record", "0", "", "any"),
        ("latitude", "num", "north of the equator", "", "degrees", "-90..90"),
        ("longitude", "num", "east of Greenwich", "", "degrees", "-180..180"),
        ("country", "text", "the country"),
        ("timezone", "text", "of its calendars, an IANA name", "UTC"),
        ("calendar", "ref(calendars)", "opening and receiving hours; blank is always open"),
        (
            "sourcing",
            "choice(fixed, cheapest, fastest, in_stock, split)",
            "rule that chooses among sources where stock names none",
            "fastest",
        ),
        ("wip_cap", "int", "most lots released and unfinished", "", "lots", ">=1"),
        ("handling_time", "rq_time", "to unload or pick one shipment", "0"),
        ("fair", "yn", "scarce goods are shared in proportion instead of by turn", "no"),
    ),
    _table(
        "storage",
        "Storage",
        "Areas of a site that hold goods; without a row a site is unlimited and ambient.",
        2,
        _SITE,
        ("area", "id", "name of the area", REQUIRED),
        ("capacity_m3", "num", "most volume held; blank is unlimited", "", "m3", ">0"),
        ("min_c", "num", "lowest temperature held; blank is ambient", "", "C", "-273.15..1000"),
        ("max_c", "num", "highest temperature held; blank is ambient", "", "C", "-273.15..1000"),
    ),
    _table(
        "products",
        "Product",
        "What is made, moved and sold.",
        1,
        ("product", "id", "name of the product", REQUIRED),
        ("value", "num", "worth of a unit", "0", "currency/unit"),
        ("weight_kg", "num", "weight of a unit", "0", "kg"),
        ("volume_m3", "num", "volume of a unit", "0", "m3"),
        ("shelf_life", "dur", "from making to expiry; blank keeps for ever", "", "", ">0"),
        ("min_c", "num", "lowest temperature it bears", "", "C", "-273.15..1000"),
        ("max_c", "num", "highest temperature it bears", "", "C", "-273.15..1000"),
        ("lot_size", "num", "travels together through a plant; blank: all", "", "units", ">0"),
        ("substitute", "ref(products)", "delivered when this one is short"),
    ),
    _table(
        "bom",
        "BomLine",
        "Bill of materials: what goes into one unit of a product.",
        3,
        _PRODUCT,
        ("component", "ref(products)", "what goes into it", REQUIRED),
        ("site", "ref(sites)", "the plant; blank is every plant"),
        ("quantity", "num", "units in one unit of the product", "1", "units", ">0"),
        ("alternative", "text", "components that share this name replace one another"),
        ("rank", "int", "order in which alternatives are tried", "1", "", ">=1"),
    ),
    _table(
        "supply",
        "Supply",
        "What a supplier sells.",
        2,
        _SITE,
        _PRODUCT,
        ("lead_time", "rq_time", "from order to ready to ship at the supplier's dock", "0"),
        ("capacity_per_day", "num", "most units a day; blank unlimited", "", "units/d", ">0"),
        ("minimum_order", "num", "smallest order taken", "0", "units"),
        ("multiple", "num", "orders are rounded up to it", "", "units", ">0"),
        ("order_cost", "num", "paid per order", "0", "currency/order"),
        ("price", "num", "paid per unit", "0", "currency/unit"),
        ("fill", "rq", "share of an order that is delivered", "1", "", "0..1"),
        ("payment", "dur", "terms of payment", "0"),
        _CURRENCY,
    ),
    _table(
        "prices",
        "Price",
        "Price breaks of a supplier.",
        3,
        _SITE,
        _PRODUCT,
        ("from_quantity", "num", "orders of at least this", REQUIRED, "units"),
        ("price", "num", "paid per unit", REQUIRED, "currency/unit"),
        _CURRENCY,
    ),
    _table(
        "machines",
        "Machine",
        "Machines of a plant.",
        1,
        ("machine", "id", "name of the machine", REQUIRED),
        _SITE,
        ("group", "id", "work centre that it belongs to", REQUIRED),
        ("units", "int", "identical machines, named M#1, M#2 ...", "1", "", "1..10000"),
        ("speed", "num", "divides process times", "1", "", ">0"),
        ("crew", "ref(crews)", "operators it needs"),
        ("calendar", "ref(calendars)", "working hours; blank is always"),
        ("power_kw", "num", "while working", "0", "kW"),
        ("cost_per_hour", "num", "while working", "0", "currency/h"),
    ),
    _table(
        "groups",
        "Group",
        "Work centres; a group of machines without a row has the defaults.",
        2,
        _SITE,
        ("group", "id", "name of the work centre", REQUIRED),
        ("buffer", "int", "waiting places; blank is unlimited", "", "lots"),
        (
            "dispatch",
            "choice(fifo, priority, due_date, shortest, family, wheel)",
            "which lot is next; family stays while it has work, wheel takes families in turn",
            "fifo",
        ),
        ("preempt", "yn", "a more urgent lot interrupts, work is resumed later", "no"),
        (
            "blocking",
            "choice(after, before)",
            "after: a done lot is held until there is room; before: starts only with room",
            "after",
        ),
        ("needed", "int", "machines up for the group to count as up", "1", "", "1..10000"),
    ),
    _table(
        "routings",
        "Step",
        "How a plant makes a product, step by step.",
        3,
        _SITE,
        _PRODUCT,
        ("step", "int", "place in the sequence", REQUIRED),
        ("group", "id", "work centre; blank is a pure delay"),
        ("process_time", "rq_time", "working time", REQUIRED),
        ("per", "choice(unit, lot, batch)", "what the process time is for", "unit"),
        ("ideal_time", "dur", "for OEE; blank is the mean process time"),
        ("setup_time", "rq_time", "when the family changes", "0"),
        ("setup_family", "text", "lots of one family need no setup; blank is the product"),
        ("batch", "int", "most lots processed together: a machine starts with those that wait", "1",
         "lots", ">=1"),
        ("yield", "rq", "share that is good", "1", "", "0..1"),
        ("crew", "ref(crews)", "workers it needs besides the machine's"),
    ),
    _table(
        "branches",
        "Branch",
        "Rework and inspection: where a share goes after a step; the rest follows the routing.",
        4,
        _SITE,
        _PRODUCT,
        ("step", "int", "the step after which it branches", REQUIRED),
        ("next", "text", "a step, done or scrap", REQUIRED),
        ("share", "share", "share that goes there", REQUIRED),
    ),
    _table(
        "setups",
        "Setup",
        "Setup by sequence; overrides the setup time of the routing.",
        4,
        _SITE,
        ("group", "id", "work centre", REQUIRED),
        ("from_family", "text", "family before", REQUIRED),
        ("to_family", "text", "family after", REQUIRED),
        ("time", "rq_time", "to change over", REQUIRED),
        ("cost", "num", "of a changeover", "0", "currency"),
    ),
    _table(
        "crews",
        "Crew",
        "People: operators, repairers, drivers.",
        1,
        ("crew", "id", "name of the crew", REQUIRED),
        ("size", "int", "people, one for one task", "1", "people", "1..10000"),
        ("site", "ref(sites)", "where they work; blank is anywhere"),
        ("calendar", "ref(calendars)", "shifts; blank is always"),
        ("cost_per_hour", "num", "while working", "0", "currency/h"),
        ("drive_max", "dur", "longest driving without a break", "", "", ">0"),
        ("break", "dur", "rest after it", "", "", ">0"),
        ("day_max", "dur", "longest driving in a day", "", "", ">0"),
    ),
    _table(
        "failures",
        "Failure",
        "What stops a machine, truck, site, lane `A:B:mode`, storage `A:area` or dock `A:in`.",
        2,
        ("asset", "text", "what stops; one unit of several is `M3#2`", REQUIRED),
        ("cause", "text", "name of the cause", "breakdown"),
        ("time_to_failure", "rq_time", "blank: only scenarios break it", "", "", ">0"),
        (
            "clock",
            "choice(operating, elapsed)",
            "operating: ages only while working; elapsed: all the time",
            "operating",
        ),
        ("time_to_repair", "rq_time", "work of the repair", "0"),
        ("crew", "ref(crews)", "repairers; blank is always free"),
        ("after", "choice(resume, restart, scrap)", "what becomes of the work", "resume"),
        ("repair_cost", "num", "of a repair", "0", "currency"),
        ("spare", "ref(products)", "product that a repair consumes"),
        ("service_after", "dur", "preventive renewal at this age", "", "", ">0"),
        ("service_time", "rq_time", "work of a preventive renewal", "0"),
        ("service_cost", "num", "of a preventive renewal", "0", "currency"),
    ),
    _table(
        "calendars",
        "Shift",
        "Working hours, one row a shift; on a date without times it is closed.",
        3,
        ("calendar", "id", "name of the calendar", REQUIRED),
        ("day", "day", "days that the row holds for; a date overrides weekdays", "daily"),
        ("from", "time", "start; blank is closed"),
        ("to", "time", "end; before the start: the next morning"),
    ),
    _table(
        "stock",
        "Stock",
        "Products that a site keeps on its shelf, and how they are replenished.",
        2,
        _SITE,
        _PRODUCT,
        ("on_hand", "num", "at the start", "0", "units"),
        ("policy", f"choice({_POLICIES})", "replenishment; blank is none"),
        ("reorder_point", "num", "order when the position falls to it", "", "units", "any"),
        ("order_up_to", "num", "order up to this position", "", "units", "any"),
        ("order_quantity", "num", "order this much", "", "units", ">0"),
        (
            "trigger",
            "choice(at_or_below, below)",
            "whether a position exactly at the reorder point orders",
            "at_or_below",
        ),
        ("review", "dur", "time between reviews; blank is continuous", "", "", ">0"),
        ("first_review", "dur", "time of the first review", "0"),
        ("source", "text", "a site, make, or a rule; blank is the rule of the site"),
        ("forecast", "forecast", "of demand per review"),
        ("cover", "dur", "that the forecast level covers; blank: lead plus review time"),
        ("safety_stock", "num", "on top of the forecast level", "0", "units", "any"),
        ("safety_factor", "num", "times the standard deviation", "0", "", "any"),
        ("adjust", "num", "smoothed: share of the gap ordered", "1", "", ">=0"),
        ("pipeline_weight", "num", "smoothed: share of the pipeline seen", "1", "", ">=0"),
        ("holding_cost", "num", "of a unit in stock", "0", "currency/unit/d"),
        ("backorder_cost", "num", "of a unit owed", "0", "currency/unit/d"),
        ("service_level", "num", "share of the time that plans are to keep it from running out; "
         "blank: what `backorder_cost` is worth", "", "", "0.01..0.9999"),
    ),
    _table(
        "lanes",
        "Lane",
        "How goods go from one site to another.",
        3,
        ("origin", "ref(sites)", "from", REQUIRED),
        ("destination", "ref(sites)", "to", REQUIRED),
        ("mode", "id", "road, sea, air, rail ...", "road"),
        ("via", "ref(sites)", "a port or hub that it passes"),
        ("transit", "rq_time", "blank: distance by the speed of the truck"),
        ("order_delay", "dur", "an order takes this long upstream", "0"),
        ("distance_km", "num", "blank: great circle", "", "km"),
        ("cost_per_shipment", "num", "at departure", "0", "currency"),
        ("cost_per_kg", "num", "at departure", "0", "currency/kg"),
        ("fleet", "ref(sites)", "home of the trucks that drive it; blank is a carrier"),
        ("refrigerated", "yn", "goods are kept cold", "no"),
        ("min_load", "share", "of a truck, needed to leave", "0"),
        ("max_wait", "dur", "leaves after it however empty", "", "", ">=0"),
        ("departures", "dur", "timetable: leaves every", "", "", ">0"),
        ("share", "num", "weight when orders are split", "1"),
        ("owner", "choice(none, origin, destination)", "who bears holding cost in transit", "none"),
        ("damage", "share", "of the goods", "0"),
        ("wrong_documents", "share", "of the shipments", "0"),
        ("profile", "ref(profiles)", f"{_PROFILE} transit"),
    ),
    _table(
        "trucks",
        "Truck",
        "Vehicles of a site.",
        1,
        ("truck", "id", "name of the truck", REQUIRED),
        ("units", "int", "identical trucks", "1", "", "1..10000"),
        ("home", "ref(sites)", "where it starts and returns", REQUIRED),
        ("capacity_kg", "num", "blank is unlimited", "", "kg", ">0"),
        ("capacity_m3", "num", "blank is unlimited", "", "m3", ">0"),
        ("speed_kmh", "num", "on average", "60", "km/h", ">0"),
        ("cost_per_km", "num", "driven", "0", "currency/km"),
        ("cost_per_hour", "num", "away from home", "0", "currency/h"),
        ("fuel", "ref(emissions)", "what it burns"),
        ("fuel_l_per_100km", "text", "a number, or `by_load(empty, ..., full)`", "0", "l/100 km"),
        ("refrigerated", "yn", "keeps goods cold", "no"),
        ("crew", "ref(crews)", "drivers"),
        ("calendar", "ref(calendars)", "driving hours; blank is always"),
        ("profile", "ref(profiles)", f"{_PROFILE} driving time"),
    ),
    _table(
        "docks",
        "Dock",
        "Doors of a site; without a row they are unlimited and instant.",
        2,
        _SITE,
        ("direction", "choice(in, out, both)", "unloading, loading or both", "both"),
        ("doors", "int", "trucks at once", "1", "doors", "1..10000"),
        ("time", "rq_time", "per truck", "0"),
        ("time_per_m3", "dur", "per cubic metre", "0"),
        ("calendar", "ref(calendars)", "opening hours; blank is always"),
    ),
    _table(
        "emissions",
        "Emission",
        "Emission factors of a mode of transport or a fuel.",
        2,
        ("source", "id", "a mode or a fuel", REQUIRED),
        ("per", "choice(tkm, l, kg)", "tonne-kilometre, litre or kilogram", REQUIRED),
        ("direct", "num", "from the vehicle", REQUIRED, "kg CO2e"),
        ("total", "num", "with making the fuel", REQUIRED, "kg CO2e"),
        ("kg_per_l", "num", "density of the fuel", "", "kg/l", ">0"),
    ),
    _table(
        "demand",
        "Demand",
        "Streams of orders.",
        3,
        _SITE,
        _PRODUCT,
        ("stream", "text", "name, where a site orders a product in several ways"),
        ("interarrival", "rq_time", "between orders", REQUIRED, "", ">0"),
        ("size", "rq", "of an order", "1", "units", ">0"),
        ("region", "text", "a group of streams that scenarios can name; blank: the site's"),
        ("start", "dur", "first order; blank: after one gap"),
        ("end", "dur", "no orders from here on", "", "", ">0"),
        ("limit", "int", "most orders", "", "orders"),
        ("unmet", "choice(backorder, lost)", "what happens to an order not met", "backorder"),
        ("partial", "yn", "ship what is there; no: an order leaves whole, or waits", "yes"),
        ("complete", "yn", "lines of an order leave only together", "no"),
        ("promise", "dur", "delivery is promised within", "0"),
        ("early", "dur", "earlier than this is not on time; blank: never too early"),
        ("late", "dur", "later than this is not on time", "0"),
        ("price", "num", "paid by the customer", "0", "currency/unit"),
        ("priority", "int", "1 goes first", "1", "", ">=1"),
        ("lost_cost", "num", "of a unit lost", "0", "currency/unit"),
        ("payment", "dur", "terms of payment", "0"),
        ("profile", "ref(profiles)", f"{_PROFILE} the rate of orders"),
        _CURRENCY,
    ),
    _table(
        "orders",
        "FirmOrder",
        "Firm orders: order book, scheduled receipts, goods in transit.",
        1,
        ("order", "id", "name of the order", REQUIRED),
        ("site", "ref(sites)", "who ordered", REQUIRED),
        _PRODUCT,
        ("quantity", "num", "ordered", REQUIRED, "units", ">0"),
        ("placed", "moment", "when it was placed", "0", "", "any"),
        ("due", "moment", "when it is due", "", "", "any"),
        ("priority", "int", "1 goes first", "1", "", ">=1"),
        ("source", "ref(sites)", "the site that owes it; blank: by the rule"),
        ("status", "choice(open, shipped)", "shipped: arrives when due", "open"),
    ),
    _table(
        "returns",
        "Return",
        "Goods that customers send back.",
        2,
        _SITE,
        _PRODUCT,
        ("share", "share", "of what was delivered", REQUIRED),
        ("after", "rq_time", "delivery", "0"),
        ("to", "ref(sites)", "where they go", REQUIRED),
        ("restock", "share", "that goes back on the shelf", "1"),
    ),
    _table(
        "sensors",
        "Sensor",
        "What measures the real chain; described here, not simulated.",
        1,
        ("sensor", "id", "name of the sensor", REQUIRED),
        ("site", "ref(sites)", "where it is"),
        ("asset", "text", "what it watches: a machine, truck or storage area"),
        ("measure", "text", "what it measures, such as temperature"),
        ("unit", "text", "of its readings"),
        ("interval", "dur", "between readings", "", "", ">0"),
        ("topic", "text", "where its readings arrive"),
    ),
    _table(
        "windows",
        "Window",
        "When a customer or dock receives.",
        2,
        _SITE,
        ("day", "day", "days that the row holds for", "daily"),
        ("open", "time", "first arrival", REQUIRED),
        ("close", "time", "last arrival", REQUIRED),
        ("service", "dur", "per stop", "0"),
    ),
    _table(
        "capabilities",
        "Capability",
        "A machine's own process time; others of its group use the routing's.",
        3,
        ("machine", "ref(machines)", "the machine", REQUIRED),
        _PRODUCT,
        ("step", "int", "step of the routing", REQUIRED),
        ("process_time", "rq_time", "working time on this machine", REQUIRED),
    ),
    _table(
        "profiles",
        "Profile",
        "Named patterns that a rate, time or price may carry.",
        4,
        ("profile", "id", "name of the pattern", REQUIRED),
        ("hour", "int", "hour of the day; blank is any", "", "", "0..23"),
        ("weekday", "weekday", "blank is any"),
        ("month", "int", "month of the year; blank is any", "", "", "1..12"),
        ("factor", "num", "multiplies", REQUIRED),
        ("trend", "num", "growth of the factor", "0", "/y", "any"),
    ),
    _table(
        "order_lines",
        "OrderLine",
        "Orders of several products.",
        3,
        _SITE,
        ("stream", "text", "of the demand"),
        _PRODUCT,
        ("share", "num", "of the orders that have this line", "1", "", "0..1"),
        ("size", "rq", "of the line", REQUIRED, "units", ">0"),
    ),
    _table(
        "byproducts",
        "Byproduct",
        "Co-products and recoverable scrap.",
        3,
        _SITE,
        _PRODUCT,
        ("byproduct", "ref(products)", "what also comes out", REQUIRED),
        ("quantity", "num", "per unit of the product", REQUIRED, "units", ">0"),
    ),
    _table(
        "fx",
        "Currency",
        "Exchange rates; amounts are converted when the model is read.",
        1,
        ("currency", "id", "name of the currency", REQUIRED),
        ("rate", "num", "one unit in the model's currency", REQUIRED, "", ">0"),
    ),
)
TABLES: dict[str, Table] = {table.name: table for table in _ALL}


def tables_page() -> str:
    """The reference page of all tables, in Markdown."""
    lines = [
        "# The tables of a model",
        "",
        "Written by `python -m twin.network.attributes`; do not edit. A model is `NAME.yaml` with",
        "`title`, `start` (UTC), `currency`, `tables` (the folder), `review` (`before_demand` or",
        "`after_demand`), `warmup` (played before day 0 of a run), and a folder of CSV tables.",
        "A missing table means none. Columns in bold name the row; a column without a default must",
        "be filled.",
        "",
        "## Types",
        "",
        "| type | a cell holds |",
        "|---|---|",
        *(f"| {name} | {words} |" for name, words in TYPES.items()),
        "",
        "Durations have units: s, min, h, d, w, mo (30 d), y (365 d). Random quantities:",
        "`constant exponential lognormal gamma weibull normal uniform triangular erlang geometric",
        "ar1 poisson discrete empirical series`; `scv=` may stand for `sd=` and `rate=1.5/y` for",
        "`mean=`. `empirical(FILE)` and `series(FILE)` read one value a line from the folder.",
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", table.meaning, ""]
        lines += [
            "| column | type | unit | default | range | meaning |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_line(attribute) for attribute in table.attributes]
    return "\n".join(lines) + "\n"


def _line(a: Attribute) -> str:
    column = f"**{a.column}**" if a.key else a.column
    default = "required" if a.default is None else a.default
    ranged = a.base in ("int", "num", "dur", "rq", "rq_time") and a.range != "any"
    cells = (column, a.type, a.unit, default, a.range if ranged else "", a.meaning)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    from pathlib import Path

    page = Path(__file__).parents[2] / "docs" / "tables.md"
    page.write_text(tables_page(), encoding="utf-8")
