"""Consistency: each question a careful planner would ask, with its answer in words."""

from typing import Any

import pytest

from twin.network import Branch, ModelError, Network, Step

SITES = [
    {"site": "S", "kind": "supplier", "latitude": 0, "longitude": 0},
    {"site": "P", "kind": "plant"},
    {"site": "W", "kind": "warehouse"},
    {"site": "C", "kind": "customer"},
]
CHAIN: dict[str, list[dict[str, Any]]] = {
    "sites": SITES,
    "products": [
        {"product": "leaf", "weight_kg": 1},
        {"product": "box", "weight_kg": 2, "volume_m3": 0.1},
    ],
    "bom": [{"product": "box", "component": "leaf"}],
    "supply": [{"site": "S", "product": "leaf"}],
    "machines": [{"machine": "M1", "site": "P", "group": "pack", "units": 2}],
    "routings": [
        {"site": "P", "product": "box", "step": 1, "group": "pack", "process_time": "2min"},
        {"site": "P", "product": "box", "step": 2, "group": None, "process_time": "1h"},
    ],
    "lanes": [
        {"origin": "S", "destination": "P", "transit": "2d"},
        {"origin": "P", "destination": "W", "transit": "1d"},
        {"origin": "W", "destination": "C", "fleet": "W", "distance_km": 50},
    ],
    "trucks": [{"truck": "T", "home": "W", "capacity_kg": 100}],
    "stock": [{"site": "W", "product": "box", "policy": "base_stock", "order_up_to": 40}],
    "demand": [{"site": "C", "product": "box", "interarrival": "8h"}],
}


def said(**changes: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the chain after tables were replaced; nothing is an empty list."""
    try:
        Network(**{**CHAIN, **changes})
    except ModelError as error:
        return error.problems
    return []


def plus(table: str, *rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of a table and more."""
    return {table: [*CHAIN.get(table, []), *rows]}


def with_first(table: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    """The table with cells of its first row changed."""
    first, *others = CHAIN[table]
    return {table: [{**first, **cells}, *others]}


def with_last(table: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    """The table with cells of its last row changed."""
    *others, last = CHAIN[table]
    return {table: [*others, {**last, **cells}]}


def test_the_chain_is_sound() -> None:
    assert said() == []


CASES = [
    # names
    (with_first("bom", component="tea"), "bom[box,tea,]: component 'tea' is not in products."),
    (with_first("lanes", via="Q"), "lanes[S,P,road]: via 'Q' is not in sites."),
    (plus("failures", {"asset": "M1", "crew": "fitters"}), "Add it to the table crews."),
    # places and ranges
    (with_first("sites", longitude=None), "sites[S]: has one of latitude and longitude."),
    (with_first("sites", timezone="Mars"), "sites[S]: timezone 'Mars' is unknown."),
    (with_first("sites", timezone="../etc"), "sites[S]: timezone '../etc' is unknown."),
    (with_first("products", min_c=8, max_c=2), "products[leaf]: min_c 8 is above max_c 2."),
    (with_first("products", substitute="leaf"), "products[leaf]: is its own substitute."),
    # hours
    (
        plus("calendars", {"calendar": "day", "from": "06:00", "to": "06:00"}),
        "calendars[day,daily,06:00]: closes when it opens.",
    ),
    (plus("calendars", {"calendar": "day", "from": "06:00"}), "has one of from and to."),
    (plus("calendars", {"calendar": "day"}), "calendar 'day' never opens. Add a shift."),
    (
        plus(
            "calendars",
            {"calendar": "day", "from": "06:00", "to": "14:00"},
            {"calendar": "day", "from": "13:00", "to": "22:00"},
        ),
        "calendars[day,daily,13:00]: overlaps another shift of that day.",
    ),
    (
        plus("windows", {"site": "C", "open": "12:00", "close": "08:00"}),
        "windows[C,daily]: closes before it opens.",
    ),
    # demand and orders
    (with_first("demand", start="5d", end="4d"), "end 4d is not after start 5d."),
    (with_first("demand", priority=0), "demand: priority '0' is out of range."),
    (with_first("demand", size=0), "demand: size '0' is not above 0."),
    (
        {**with_first("demand", profile="off"), "profiles": [{"profile": "off", "factor": 0}]},
        "profile 'off' is zero at all times.",
    ),
    (
        plus(
            "orders",
            {
                "order": "1",
                "site": "W",
                "product": "box",
                "quantity": 1,
                "placed": "3d",
                "due": "1d",
            },
        ),
        "orders[1]: is due before it was placed.",
    ),
    (
        plus(
            "orders",
            {"order": "1", "site": "W", "product": "box", "quantity": 1, "status": "shipped"},
        ),
        "orders[1]: is shipped, but due is blank or past.",
    ),
    (
        plus("orders", {"order": "1", "site": "W", "product": "box", "quantity": 1, "source": "S"}),
        "orders[1]: source 'S' is not joined to 'W'. Add a lane.",
    ),
    # policies
    (with_first("stock", policy="s_S"), "policy s_S needs reorder_point. Fill the blank cells."),
    (with_first("stock", policy="s_Q"), "needs reorder_point and order_quantity."),
    (with_first("stock", policy="R_S"), "policy R_S needs review."),
    (with_first("stock", policy="kanban"), "policy kanban needs order_quantity."),
    (with_first("stock", policy="forecast"), "policy forecast needs forecast and review."),
    (with_first("stock", policy="smoothed"), "policy smoothed needs forecast and review."),
    (
        with_first("stock", policy="vendor_managed", order_up_to=None),
        "policy vendor_managed needs order_up_to.",
    ),
    (
        with_first("stock", policy="s_S", reorder_point=50),
        "order_up_to 40 is below reorder_point 50.",
    ),
    (with_first("stock", policy="kanban", order_quantity=50), "is less than a card of 50."),
    (with_first("stock", policy="magic"), "stock: policy 'magic' is unknown."),
    (with_first("stock", review="0d"), "stock: review '0d' is not above 0h."),
    (with_first("stock", forecast="moving_average(n=0)"), "n must be a whole number of reviews"),
    (with_first("stock", forecast="smoothing(alpha=2)"), "alpha must lie above 0"),
    (with_first("stock", forecast="guess(3)"), "is not a forecast."),
    # making
    (
        plus("bom", {"product": "leaf", "component": "box"}),
        "goes round in a circle (box -> leaf -> box).",
    ),
    (plus("bom", {"product": "box", "component": "box"}), "goes round in a circle (box -> box)."),
    (with_first("bom", quantity=0), "bom: quantity '0' is not above 0."),
    (with_first("bom", site="W"), "product 'box' has no routing at 'W'."),
    (
        {
            **plus("products", {"product": "set"}),
            **plus("bom", {"product": "set", "component": "box"}),
        },
        "bom[set,box,]: product 'set' has no routing. Add its steps, or remove the row.",
    ),
    (
        plus("byproducts", {"site": "W", "product": "box", "byproduct": "leaf", "quantity": 1}),
        "product 'box' has no routing at 'W'.",
    ),
    (
        with_first("routings", group="pac"),
        "group 'pac' has no machine at 'P'. Did you mean 'pack'?",
    ),
    ({"machines": []}, "group 'pack' has no machine at 'P'. Add a machine of the group at 'P'."),
    (plus("groups", {"site": "P", "group": "weld"}), "groups[P,weld]: group 'weld' has no machine"),
    (
        plus("groups", {"site": "P", "group": "pack", "needed": 3}),
        "needed 3 is more than its 2 machines.",
    ),
    (
        plus(
            "setups",
            {"site": "P", "group": "pack", "from_family": "bx", "to_family": "box", "time": "1h"},
        ),
        "from_family 'bx' is no family of group 'pack'. Did you mean 'box'?",
    ),
    (
        plus("branches", {"site": "P", "product": "box", "step": 9, "next": "done", "share": 0.1}),
        "step 9 of 'box' is not in routings.",
    ),
    (
        plus("branches", {"site": "P", "product": "box", "step": 1, "next": "7", "share": 0.1}),
        "next '7' is no step of 'box'. Write a step, done or scrap.",
    ),
    (
        plus(
            "branches",
            {"site": "P", "product": "box", "step": 1, "next": "done", "share": 0.6},
            {"site": "P", "product": "box", "step": 1, "next": "scrap", "share": 0.6},
        ),
        "shares after step 1 add up to 1.2. Keep them to 1.",
    ),
    (
        plus("branches", {"site": "P", "product": "box", "step": 2, "next": "1", "share": 1}),
        "routings[P,box,1]: from step 1 on, 'box' is never done. Lower a rework share.",
    ),
    (
        plus("capabilities", {"machine": "M1", "product": "box", "step": 7, "process_time": "1h"}),
        "step 7 of 'box' is not in routings of 'P'.",
    ),
    (
        plus("capabilities", {"machine": "M1", "product": "box", "step": 2, "process_time": "1h"}),
        "step 2 is done by group 'None', not 'pack'.",
    ),
    # what stops
    (
        plus("failures", {"asset": "M2"}),
        "asset 'M2' is no machine, truck, site, lane, storage or dock.",
    ),
    (plus("failures", {"asset": "M1#3"}), "asset 'M1#3' is no machine"),
    (plus("failures", {"asset": "S:P:sea"}), "Did you mean 'S:P:road'?"),
    (
        {**plus("trucks", {"truck": "M1", "home": "W"}), "failures": [{"asset": "M1"}]},
        "asset 'M1' is a machine and a truck. Rename one of them.",
    ),
    (plus("failures", {"asset": "M1", "service_time": "1h"}), "but no service_after."),
    (
        plus("failures", {"asset": "M1", "time_to_failure": "0h"}),
        "failures: time_to_failure '0h' is not above 0h.",
    ),
    # moving
    (
        plus("lanes", {"origin": "S", "destination": "S", "transit": "1d"}),
        "leads back to its origin.",
    ),
    (with_first("lanes", via="S"), "via 'S' is one of its ends."),
    (with_first("lanes", transit=None), "lanes[S,P,road]: has no transit and no fleet."),
    (with_first("lanes", min_load=0.5), "has a min_load but no fleet."),
    (with_last("lanes", fleet="P"), "fleet 'P' has no trucks."),
    (with_last("lanes", distance_km=None), "lanes[W,C,road]: has no distance."),
    (with_last("lanes", refrigerated=True), "is refrigerated, but no truck of 'W' is."),
    (
        {**with_last("lanes", min_load=1), **with_first("trucks", capacity_kg=None)},
        "min_load 1 is never reached",
    ),
    (with_first("trucks", capacity_kg=0), "trucks: capacity_kg '0' is not above 0."),
    (with_first("trucks", capacity_kg=0.5), "trucks[T]: can carry no unit of any product."),
    (with_first("trucks", fuel_l_per_100km="lots"), "fuel_l_per_100km 'lots' is not a number."),
    (with_first("trucks", fuel_l_per_100km="by_load(-1, 3)"), "is negative. Write litres"),
    (with_first("trucks", fuel_l_per_100km="by_wind(3)"), "is not a fuel use."),
    (
        {
            **with_first("trucks", fuel="diesel", fuel_l_per_100km="30"),
            "emissions": [{"source": "diesel", "per": "kg", "direct": 3, "total": 4}],
        },
        "fuel 'diesel' has no emissions per l, nor per kg with kg_per_l.",
    ),
    (
        plus("docks", {"site": "W", "direction": "in"}, {"site": "W", "direction": "both"}),
        "docks[W,in]: site 'W' also has doors for both.",
    ),
    # storage
    (
        plus("storage", {"site": "W", "area": "hall", "capacity_m3": 0}),
        "storage: capacity_m3 '0' is not above 0.",
    ),
    (with_last("products", max_c=8), "site 'W' is ambient, 'box' is not. Add a row to storage."),
    (
        {
            **with_last("products", min_c=2, max_c=8),
            "storage": [{"site": "W", "area": "cold", "min_c": -20, "max_c": -10}],
        },
        "no storage of 'W' holds the range of 'box'.",
    ),
    (
        {
            **with_first("stock", on_hand=11),
            "storage": [{"site": "W", "area": "hall", "capacity_m3": 1}],
        },
        "on_hand fills 1.1 m3, the storage of 'W' 1.",
    ),
    (
        {
            "demand": [{"site": "W", "product": "box", "interarrival": "8h", "partial": False,
                        "size": "discrete(1: 0.9, 30: 0.1)"}],
            "storage": [{"site": "W", "area": "hall", "capacity_m3": 2}],
        },
        "asks for 30 units at once, 3 m3, which never fit into the storage of 'W' (2 m3)",
    ),
    # whatever is wanted comes from somewhere
    ({"supply": []}, "products[leaf]: nobody supplies or makes it."),
    (
        {"lanes": CHAIN["lanes"][1:]},
        "bom[box,leaf,]: no lane brings 'leaf' to 'P' (it comes from S).",
    ),
    ({"lanes": CHAIN["lanes"][:2]}, "demand[C,box,]: no lane brings 'box' to 'C'"),
    (
        {"lanes": [CHAIN["lanes"][0], CHAIN["lanes"][2]]},
        "stock[W,box]: no lane brings 'box' to 'W' (it comes from P). Add a lane.",
    ),
    (with_first("stock", source="C"), "source 'C' is not joined to 'W'."),
    (with_first("stock", source="make"), "source is make, but 'box' has no routing at 'W'."),
    (with_first("stock", source="W"), "source 'W' is the site itself."),
    (
        with_first("stock", source="cheap"),
        "source 'cheap' is no site or rule. Did you mean 'cheapest'?",
    ),
    (
        {
            **plus("lanes", {"origin": "S", "destination": "W", "transit": "1d"}),
            **with_first("stock", source="S"),
        },
        "source 'S' cannot get 'box'. Name another source.",
    ),
    (
        {
            "lanes": [CHAIN["lanes"][0], {**CHAIN["lanes"][1], "share": 0}, CHAIN["lanes"][2]],
            **with_first("stock", source="split"),
        },
        "splits orders over lanes of share 0.",
    ),
    (
        plus("prices", {"site": "S", "product": "box", "from_quantity": 5, "price": 1}),
        "prices[S,box,5]: has no row in supply.",
    ),
]


@pytest.mark.parametrize(("changes", "words"), CASES, ids=[words[:70] for _, words in CASES])
def test_an_offender_is_named(changes: dict[str, Any], words: str) -> None:
    assert [line for line in said(**changes) if words in line], said(**changes)


SOUND = [
    plus("calendars", {"calendar": "night", "day": "mon-fri", "from": "22:00", "to": "06:00"}),
    plus("failures", {"asset": "M1#2", "time_to_failure": "30d"}, {"asset": "S", "cause": "flood"}),
    plus("failures", {"asset": "S:P:road", "time_to_failure": "30d", "time_to_repair": "1d"}),
    plus("branches", {"site": "P", "product": "box", "step": 2, "next": "1", "share": 0.3}),
    plus("sensors", {"sensor": "t1", "site": "W", "measure": "temperature", "unit": "C"}),
    plus("capabilities", {"machine": "M1", "product": "box", "step": 1, "process_time": "1min"}),
    plus("orders", {"order": "1", "site": "C", "product": "box", "quantity": 9, "due": "3d"}),
    with_first("stock", source="split"),
    with_first("stock", policy="forecast", forecast="moving_average(n=5)", review="1d"),
    with_last("products", min_c=15, max_c=25),
    {
        **with_last("products", min_c=2, max_c=8),
        "storage": [{"site": "W", "area": "cold", "min_c": 2, "max_c": 8}],
    },
    {"supply": [], "stock": [{"site": "S", "product": "leaf", "on_hand": 100}]},
    {
        **plus("products", {"product": "herb"}),
        "bom": [
            {"product": "box", "component": "leaf", "alternative": "fill"},
            {"product": "box", "component": "herb", "alternative": "fill", "rank": 2},
        ],
    },
]


@pytest.mark.parametrize("changes", SOUND, ids=[next(iter(changes)) for changes in SOUND])
def test_what_is_sound_passes(changes: dict[str, Any]) -> None:
    assert said(**changes) == []


def test_a_job_shop_needs_nothing_but_a_plant() -> None:
    """A queue is a made-to-order product: a plant, a machine, a routing, demand at the plant."""
    network = Network(
        sites=[{"site": "P", "kind": "plant"}],
        products=[{"product": "job"}],
        machines=[{"machine": "M", "site": "P", "group": "G"}],
        routings=[
            Step(site="P", product="job", step=1, group="G", process_time="exponential(mean=1h)")
        ],
        demand=[{"site": "P", "product": "job", "interarrival": "exponential(rate=.8/h)"}],
    )
    assert network.demand["P", "job", ""].interarrival.mean() == 1.25


def test_rework_may_jump_as_long_as_it_ends() -> None:
    steps = [
        Step(site="P", product="job", step=n, process_time="1h", group=None) for n in (10, 20, 30)
    ]
    branches = [
        Branch(site="P", product="job", step=10, next="30", share=1),
        Branch(site="P", product="job", step=30, next="20", share=0.5),
    ]
    places = {"sites": [{"site": "P", "kind": "plant"}], "products": [{"product": "job"}]}
    assert Network(routings=steps, branches=branches, **places)
    never = Branch(site="P", product="job", step=30, next="20", share=1)
    with pytest.raises(ModelError, match="from step 20 on, 'job' is never done"):
        Network(routings=steps, branches=[never], **places)


def test_what_comes_back_has_been_ordered() -> None:
    assert said(returns=[{"site": "W", "product": "box", "share": 0.1, "to": "W"}]) == [
        "returns[W,box]: no customer at 'W' orders 'box'. Add the demand."]
    back = {"site": "C", "product": "box", "share": 0.1, "to": "W"}
    assert said(returns=[back]) == []
    products = [{"product": "leaf"}, {"product": "box", "substitute": "leaf"}]
    assert said(returns=[back], products=products) == [
        "returns[C,box]: product 'box' has a substitute, which nobody could tell from it on its "
        "return. Leave substitute blank."]


def test_lines_belong_to_one_row_of_demand() -> None:
    line = {"site": "C", "stream": "", "product": "leaf", "size": 1}
    ask = {"site": "C", "interarrival": "8h"}
    stock = [{"site": "W", "product": product} for product in ("box", "leaf")]
    assert said(order_lines=[line], stock=stock) == []
    assert said(order_lines=[{**line, "stream": "web"}]) == [
        "order_lines[C,web,leaf]: no demand row of 'C' with stream 'web'. Name the stream of a "
        "demand row, or add one."]
    assert said(order_lines=[line], stock=stock,
                demand=[{**ask, "product": "box"}, {**ask, "product": "leaf"}]) == [
        "order_lines[C,,leaf]: 2 demand rows of 'C' with stream '', so it is not clear whose line "
        "it is. Give the one it belongs to a stream of its own."]
    assert said(order_lines=[{**line, "product": "box"}]) == [
        "order_lines[C,,box]: product 'box' is that of the demand itself. Write its size there."]


def test_complete_orders_come_from_one_place() -> None:
    line = {"site": "C", "stream": "", "product": "leaf", "size": 1}
    whole = [{"site": "C", "product": "box", "interarrival": "8h", "complete": True}]
    assert said(demand=whole) == []
    assert said(demand=whole, order_lines=[line]) == [
        "demand[C,box,]: complete 'yes', but no one place with a single lane to 'C' stocks all of "
        "'box', 'leaf'. Stock them there, or write no."]
    stock = [{"site": "W", "product": product} for product in ("box", "leaf")]
    assert said(demand=whole, order_lines=[line], stock=stock) == []
