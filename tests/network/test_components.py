"""Components are the rows of the attribute table, word for word."""

import dataclasses
import pickle

import pytest

from twin.network import (
    Demand,
    Failure,
    FirmOrder,
    Lane,
    ModelError,
    Network,
    Product,
    Shift,
    Site,
    Truck,
)
from twin.network.attributes import TABLES, Attribute, Table
from twin.network.cells import blank, read_cell, take, write_cell
from twin.network.components import COMPONENTS
from twin.quantity import constant, parse_quantity

ALL = [attribute for table in TABLES.values() for attribute in table.attributes]
TYPES = {
    "id": "str",
    "ref": "str",
    "text": "str",
    "choice": "str",
    "day": "str",
    "yn": "bool",
    "int": "int",
    "weekday": "int",
    "num": "float",
    "share": "float",
    "dur": "float",
    "time": "float",
    "moment": "float",
    "rq": "Quantity",
    "rq_time": "Quantity",
    "forecast": "Forecast",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_component_has_the_fields_of_its_table(table: Table) -> None:
    component = COMPONENTS[table.name]
    assert component.__name__ == table.component
    fields = dataclasses.fields(component)  # type: ignore[arg-type]
    assert [field.name for field in fields] == [a.name for a in table.attributes]
    for field, attribute in zip(fields, table.attributes, strict=True):
        optional = " | None" if not is_required(attribute) and blank(attribute) is None else ""
        annotation = getattr(field.type, "__name__", None) or str(field.type)
        assert annotation.rpartition(".")[2] == TYPES[attribute.base] + optional or (
            annotation.replace("twin.quantity.", "").replace("twin.network.forecast.", "")
            == TYPES[attribute.base] + optional
        )
        if is_required(attribute):
            assert field.default is dataclasses.MISSING
        else:
            assert field.default == blank(attribute)


def is_required(attribute: Attribute) -> bool:
    return attribute.default is None


@pytest.mark.parametrize("attribute", ALL, ids=lambda a: f"{a.table}.{a.column}")
def test_every_attribute_is_complete(attribute: Attribute) -> None:
    assert attribute.meaning
    assert attribute.base
    if attribute.base == "ref":
        assert attribute.words[0] in TABLES
    if not is_required(attribute):
        value = blank(attribute)
        assert read_cell(attribute, write_cell(attribute, value)) == value
        if value is not None and value != "":
            assert take(attribute, value) == value


def test_the_names_of_the_contract_are_kept() -> None:
    assert [a.column for a in TABLES["lanes"].keys] == ["origin", "destination", "mode"]
    assert TABLES["routings"].by_column["yield"].name == "yield_"
    assert TABLES["calendars"].by_column["from"].name == "from_"
    assert TABLES["crews"].by_column["break"].name == "break_"


def test_text_in_code_is_read_as_in_a_table() -> None:
    demand = Demand(
        site="W", product="tea", interarrival="exponential(mean=2h)", size=3, promise="2d"
    )
    assert demand.interarrival == parse_quantity("exponential(mean=2h)", time=True)
    assert demand.size == constant(3.0)
    assert demand.promise == 48.0
    assert demand.key == ("W", "tea", "")


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    with pytest.raises(ModelError) as refusal:
        Lane(
            origin="A,B", destination="B", transit="-2d", share=-1, mode="sea", refrigerated="maybe"
        )
    assert refusal.value.problems == [
        "lanes: origin 'A,B' is not a name. Leave out commas, colons, brackets, #, *, ?, quotes.",
        "lanes: transit '-2d' is negative. Write a duration such as '2d 4h'.",
        "lanes: refrigerated 'maybe' is neither yes nor no. Write yes or no.",
        "lanes: share '-1' is negative. Write 0 or more.",
    ]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, True, object(), [1], b"1", "1_0", "١", "1,000"]
)
def test_a_number_is_a_finite_number(value: object) -> None:
    with pytest.raises(ModelError):
        Product(product="tea", value=value)  # type: ignore[arg-type]


def test_a_component_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Site(site="W", kind="warehouse").kind = "plant"  # type: ignore[misc]


def test_fuel_by_load_has_points_from_empty_to_full() -> None:
    truck = Truck(truck="T", home="W", fuel_l_per_100km="by_load(24, 30, 36)")
    assert truck.fuel_points == (24.0, 30.0, 36.0)
    assert Truck(truck="T", home="W").fuel_points == (0.0,)


def test_a_firm_order_takes_a_duration_or_a_date() -> None:
    network = Network(
        start="2026-03-01",
        sites=[Site(site="W", kind="warehouse"), Site(site="S", kind="supplier")],
        products=[Product(product="tea")],
        supply=[{"site": "S", "product": "tea"}],
        lanes=[Lane(origin="S", destination="W", transit="1d")],
        orders=[
            FirmOrder(
                order="1", site="W", product="tea", quantity=5, placed="-2d", due="2026-03-03"
            ),
        ],
    )
    assert (network.orders["1"].placed, network.orders["1"].due) == (-48.0, 48.0)
    with pytest.raises(ModelError, match="has no unit"):
        FirmOrder(order="1", site="W", product="tea", quantity=5, due="3")


def test_a_network_can_be_sent_to_another_process() -> None:
    network = Network(
        sites=[Site(site="W", kind="warehouse")],
        failures=[Failure(asset="W", time_to_failure="exponential(mean=30d)", time_to_repair="1d")],
    )
    assert pickle.loads(pickle.dumps(network)) == network


def test_an_hour_given_in_code_lies_within_the_day() -> None:
    with pytest.raises(ModelError, match="from 0 to 24"):
        Shift(calendar="day", from_=25, to=30)
    assert Shift(calendar="day", from_=6, to="14:00").key == ("day", "daily", 6.0)
