"""Networks built in code: same components, same conversions, same refusals."""

import pytest

from twin.network import Demand, Lane, ModelError, Network, Product, Site, Stock, Supply


@pytest.fixture
def shelf() -> Network:
    """A supplier, a lane, a shelf, customers."""
    return Network(
        name="shelf",
        sites=[Site(site="S", kind="supplier"), Site(site="W", kind="warehouse")],
        products=[Product(product="tea")],
        supply=[Supply(site="S", product="tea", lead_time="1d", price=2)],
        lanes=[Lane(origin="S", destination="W", mode="road", transit="2d")],
        stock=[Stock(site="W", product="tea", policy="base_stock", order_up_to=9)],
        demand=[Demand(site="W", product="tea", interarrival="8h")],
    )


def test_tables_are_dictionaries_by_key(shelf: Network) -> None:
    assert list(shelf.sites) == ["S", "W"]
    assert list(shelf.lanes) == [("S", "W", "road")]
    assert list(shelf.demand) == [("W", "tea", "")]
    assert shelf.machines == {}


def test_a_copy_with_a_cell_leaves_the_original(shelf: Network) -> None:
    changed = shelf.with_cell("stock[W,tea].order_up_to", 12)
    assert changed.stock["W", "tea"].order_up_to == 12.0
    assert shelf.stock["W", "tea"].order_up_to == 9.0
    assert changed != shelf
    assert changed.replace(stock=shelf.stock) == shelf


def test_many_cells_are_replaced_together(shelf: Network) -> None:
    changed = shelf.with_cells(
        {"lanes[S,W,road].transit": "uniform(1d, 3d)", "demand[W,tea].interarrival": "4h"}
    )
    assert changed.lanes["S", "W", "road"].transit.mean() == 48.0  # type: ignore[union-attr]
    assert changed.demand["W", "tea", ""].interarrival.mean() == 4.0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("lanes[S,W,raod].transit", "Did you mean 'lanes[S,W,road]'?"),
        ("lane[S,W,road].transit", "Did you mean 'lanes'?"),
        ("lanes[S,W,road].tranist", "Did you mean 'transit'?"),
        ("lanes[S,W,road].mode", "no value 'mode' to set"),
        ("transit", "Write table[key].column"),
        ("sites[a,b,c].kind", "no such row"),
    ],
)
def test_an_address_that_names_nothing_is_refused(shelf: Network, address: str, words: str) -> None:
    with pytest.raises(ModelError) as refusal:
        shelf.with_cell(address, "1d")
    assert words in str(refusal.value)


def test_a_bad_value_for_a_cell_says_the_address(shelf: Network) -> None:
    with pytest.raises(ModelError) as refusal:
        shelf.with_cell("lanes[S,W,road].transit", "-1d")
    assert str(refusal.value) == (
        "lanes[S,W,road].transit: lanes: transit '-1d' is negative. "
        "Write a duration such as '2d 4h'."
    )


def test_rows_may_be_dictionaries_of_cells() -> None:
    network = Network(
        sites=[{"site": "P", "kind": "plant"}],
        calendars=[{"calendar": "day", "day": "mon-fri", "from": "06:00", "to": "14:00"}],
    )
    assert network.calendars["day", "mon-fri", 6.0].to == 14.0
    changed = network.with_cell("calendars[day,mon-fri,06:00].to", "22:00")
    assert changed.calendars["day", "mon-fri", 6.0].to == 22.0


def test_unknown_tables_columns_and_rows_are_named_together() -> None:
    with pytest.raises(ModelError) as refusal:
        Network(
            sites=[{"site": "P", "knd": "plant"}, {"site": "Q"}, 7, {"site": "R", "kind": "shop"}],
            lane=[],
            review="never",
            start="tomorrow",
        )
    text = str(refusal.value)
    for words in (
        "column 'knd' is unknown. Did you mean 'kind'?",
        "column 'kind' is missing",
        "sites: 7 is not a Site",
        "sites: kind 'shop' is unknown. Write one of supplier",
        "table 'lane' is unknown. Did you mean 'lanes'?",
        "review 'never' is unknown",
        "start 'tomorrow' is not a date",
    ):
        assert words in text


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ModelError, match=r"sites\[W\]: given twice. Keep one of the rows."):
        Network(sites=[Site(site="W", kind="plant"), Site(site="W", kind="port")])


def test_amounts_become_the_currency_of_the_model(shelf: Network) -> None:
    supply = [Supply(site="S", product="tea", price=2, order_cost=10, currency="EUR")]
    converted = shelf.replace(supply=supply, fx=[{"currency": "EUR", "rate": 1.5}])
    row = converted.supply["S", "tea"]
    assert (row.price, row.order_cost, row.currency) == (3.0, 15.0, None)
    assert converted.replace(name="again").supply == converted.supply


def test_distance_passes_the_port() -> None:
    places = [
        Site(site="A", kind="supplier", latitude=0, longitude=0),
        Site(site="P", kind="port", latitude=0, longitude=90),
        Site(site="B", kind="customer", latitude=90, longitude=0),
    ]
    lanes = [
        Lane(origin="A", destination="B", mode="air", transit="1d"),
        Lane(origin="A", destination="B", mode="sea", transit="9d", via="P"),
        Lane(origin="A", destination="B", mode="road", transit="9d", distance_km=12000),
    ]
    network = Network(sites=places, lanes=lanes)
    quarter = 10007.557
    direct, by_port, own = (network.distance_km(lane) for lane in network.lanes.values())
    assert direct == pytest.approx(quarter, abs=0.01)
    assert by_port == pytest.approx(2 * quarter, abs=0.01)
    assert own == 12000
