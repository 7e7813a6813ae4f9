"""Reading a model: what is right is read, what is wrong is named with file, row and remedy."""

import os
from pathlib import Path

import pytest

from twin.network import ModelError, Network, read_network

from .conftest import TEA, Write


def problems(path: Path) -> list[str]:
    """What is wrong with a model."""
    with pytest.raises(ModelError) as refusal:
        read_network(path)
    return refusal.value.problems


def test_a_model_is_read(write: Write) -> None:
    network = read_network(write())
    assert (network.name, network.title, network.currency) == ("tea", "Tea", "EUR")
    assert network.start.isoformat() == "2026-03-01T00:00:00+00:00"
    assert list(network.sites) == ["S", "P", "W", "C"]
    assert network.lanes["P", "W", "road"].transit.values == (24.0, 52.0, 72.0)  # type: ignore[union-attr]
    assert network.orders["1"].due == 96.0
    assert network.orders["1"].placed == -48.0
    assert network.supply["S", "leaf"].price == 1.0
    assert network.calendars["night", "2026-12-25", ""].to is None
    assert read_network(write().with_suffix("")) == network


def test_reading_equals_building_in_code(write: Write) -> None:
    network = read_network(write())
    tables = {table: getattr(network, table) for table in ("sites", "products", "lanes", "trucks")}
    supply = [
        {"site": "S", "product": "leaf", "lead_time": "lognormal(mean=5d, sd=2d)", "price": 1}
    ]
    code = Network(supply=supply, **tables)
    assert code.supply == network.supply


def named(part: object) -> str:
    """A message as the name of its case."""
    return part[:60] if isinstance(part, str) else ""


# One line each: a changed table, and what must be said of it, word for word.
WRONG = [
    (
        {"lanes": TEA["lanes.csv"].replace("road,2d", "road,-2d")},
        "models/tea/lanes.csv row 2: transit '-2d' is negative. Write a duration such as '2d 4h'.",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("road,2d", "road,2 days")},
        "models/tea/lanes.csv row 2: transit '2 days' is not a duration. Write a duration such as "
        "'2d 4h' (units s, min, h, d, w, mo of 30 d, y of 365 d).",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("transit", "tranist")},
        "models/tea/lanes.csv row 1: column 'tranist' is unknown. Did you mean 'transit'?",
    ),
    (
        {"sites": TEA["sites.csv"] + "W,customer,1,1\n"},
        "models/tea/sites.csv row 6: sites[W] is given twice, first in row 4. Keep one.",
    ),
    (
        {"lanes": TEA["lanes.csv"] + "W,Z,road,1d,\n"},
        "models/tea/lanes.csv row 5: destination 'Z' is not in sites. Write one of C, P, S, W.",
    ),
    (
        {"bom": "product,component\nbox,leaf\nleaf,box\n"},
        "models/tea/bom.csv row 2: goes round in a circle (box -> leaf -> box). "
        "Take one of these rows away.",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("W,C,road,,W\n", "")},
        "models/tea/demand.csv row 2: no lane brings 'box' to 'C' (it comes from P). Add a lane.",
    ),
    (
        {"supply": "site,product\n"},
        "models/tea/products.csv row 2: nobody supplies or makes it. "
        "Add a row to supply or routings.",
    ),
    (
        {"products": TEA["products.csv"].replace("box,5", "box,NaN")},
        "models/tea/products.csv row 3: value 'NaN' is not a number. "
        "Write digits with a decimal point, such as 12.5.",
    ),
    (
        {"products": TEA["products.csv"].replace("box,5", "box,1e999")},
        "models/tea/products.csv row 3: value '1e999' is not a number. "
        "Write digits with a decimal point, such as 12.5.",
    ),
    (
        {"demand": TEA["demand.csv"].replace("mean=8h", "mean=-8h")},
        "models/tea/demand.csv row 2: interarrival 'exponential(mean=-8h)' is impossible: "
        "mean -8h must be above 0.",
    ),
    (
        {"demand": TEA["demand.csv"].replace("exponential(mean=8h)", "0h")},
        "models/tea/demand.csv row 2: interarrival '0h' is not above 0h. "
        "Write a duration such as '2d 4h' or exponential(mean=2h).",
    ),
    (
        {"supply": TEA["supply.csv"].replace("sd=2d", "sd=-2d")},
        "models/tea/supply.csv row 2: lead_time 'lognormal(mean=5d, sd=-2d)' is impossible: "
        "sd -2d must not be negative.",
    ),
    (
        {"sites": ""},
        "models/tea/sites.csv row 1: is empty. Write the columns: site,kind,region,record_delay,"
        "count_period,record_error,latitude,longitude,country,timezone,calendar,sourcing,wip_cap,"
        "handling_time,fair.",
    ),
    (
        {"sites": None},
        "models/tea/sites.csv: holds no site. Write at least one.",
    ),
    (
        {"sites": TEA["sites.csv"].encode() + b"K\xf6ln,port,1,1\n"},
        "models/tea/sites.csv: is not UTF-8 (line 6, byte 0xf6). Save it as CSV UTF-8.",
    ),
    (
        {"sites": TEA["sites.csv"].encode("utf-16")},
        "models/tea/sites.csv: is UTF-16, not UTF-8. Save it as CSV UTF-8.",
    ),
    (
        {"sites": TEA["sites.csv"].replace(",", ";")},
        "models/tea/sites.csv row 1: cells are not parted by commas. Save it as CSV with commas.",
    ),
    (
        {"sites": "site,latitude\nS,1\n"},
        "models/tea/sites.csv row 1: column 'kind' is missing. Add it.",
    ),
    (
        {"sites": TEA["sites.csv"] + "X,port,1,1,1\n"},
        "models/tea/sites.csv row 6: 5 cells where the header has 4. "
        "Count the commas, or quote a cell that has one.",
    ),
    (
        {"sites": TEA["sites.csv"] + "X,port\n"},
        "models/tea/sites.csv row 6: 2 cells where the header has 4. "
        "Count the commas, or quote a cell that has one.",
    ),
    (
        {"sites": TEA["sites.csv"] + ",port,1,1\n"},
        "models/tea/sites.csv row 6: site is blank. Write a name.",
    ),
    (
        {"sites": TEA["sites.csv"].replace("site,kind", "site,site,kind").replace(",", ",x,", 0)},
        "models/tea/sites.csv row 1: column 'site' is given twice. Keep one.",
    ),
    (
        {"lane": TEA["lanes.csv"]},
        "models/tea/lane.csv: there is no table 'lane'. Did you mean 'lanes'?",
    ),
    (
        {"sites": TEA["sites.csv"] + '"X,port,1,1\n'},
        "models/tea/sites.csv: is not CSV: unexpected end of data. Check quotes and line ends.",
    ),
    (
        {"lags": None},
        "models/tea/lanes.csv row 3: transit 'empirical(lags.csv)' cannot be read: "
        "file 'lags.csv' does not exist. Write it, or correct the name.",
    ),
    (
        {"lags": "1d\n-2d\n"},
        "models/tea/lanes.csv row 3: transit 'empirical(lags.csv)' is impossible: -2d is negative.",
    ),
    (
        {"lags": "lag\n1d\ntwo\n"},
        "models/tea/lanes.csv row 3: transit 'empirical(lags.csv)' cannot be read: "
        "file 'lags.csv': 'two' is not a duration. Write a duration such as '2d 4h' "
        "(units s, min, h, d, w, mo of 30 d, y of 365 d).",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("lags.csv", "../../../lags.csv")},
        "models/tea/lanes.csv row 3: transit 'empirical(../../../lags.csv)' cannot be read: file "
        "'../../../lags.csv' lies outside the workspace. Copy it into the folder of the model.",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("lags.csv", "../../tea.yaml")},
        "models/tea/lanes.csv row 3: transit 'empirical(../../tea.yaml)' cannot be read: file "
        "'../../tea.yaml' lies outside the workspace. Copy it into the folder of the model.",
    ),
    (
        {"lanes": TEA["lanes.csv"].replace("lags.csv", "../tea.yaml")},
        "models/tea/lanes.csv row 3: transit 'empirical(../tea.yaml)' cannot be read: file "
        "'../tea.yaml' lies outside the workspace. Copy it into the folder of the model.",
    ),
    (
        {"yaml": "title: Tea\ntables: ../../elsewhere\n"},
        "models/tea.yaml: tables '../../elsewhere' lies outside the workspace. "
        "Name a folder beside the model.",
    ),
    (
        {"yaml": "title: Tea\ntables: /etc\n"},
        "models/tea.yaml: tables '/etc' lies outside the workspace. "
        "Name a folder beside the model.",
    ),
    (
        {"yaml": "title: Tea\ntables: coffee\n"},
        "models/tea.yaml: tables 'coffee' is not a folder. Write the name of the folder of tables.",
    ),
    (
        {"yaml": "titel: Tea\n"},
        "models/tea.yaml line 1: 'titel' is unknown. Did you mean 'title'?",
    ),
    (
        {"yaml": "title: Tea\ntitle: Coffee\n"},
        "models/tea.yaml line 2: title is given twice. Keep one.",
    ),
    (
        {"yaml": "title: Tea\nstart: soon\n"},
        "models/tea.yaml: start 'soon' is not a date. "
        "Write it such as 2026-03-01 or 2026-03-01T06:00Z.",
    ),
    (
        {"yaml": "review: sometimes\n"},
        "models/tea.yaml: review 'sometimes' is unknown. Write one of before_demand, after_demand.",
    ),
    (
        {"yaml": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"},
        "models/tea.yaml line 1: only plain values are read. Write one key: value a line, "
        "without lists, anchors or tags.",
    ),
    (
        {"yaml": "title: !!python/object/apply:os.system ['true']\n"},
        "models/tea.yaml line 1: only plain values are read. Write one key: value a line, "
        "without lists, anchors or tags.",
    ),
    (
        {"yaml": "title: 'Tea\n"},
        "models/tea.yaml line 2: is not YAML: found unexpected end of stream. Write key: value.",
    ),
    (
        {"yaml": ""},
        "models/tea.yaml: is empty. Write at least a title, such as title: My chain.",
    ),
    (
        {"yaml": "title: " + "x" * 70_000},
        "models/tea.yaml: is larger than 64 kB. Make it smaller.",
    ),
    (
        {"orders": TEA["orders.csv"].replace("-2d", "3")},
        "models/tea/orders.csv row 2: placed '3' has no unit. Write 3h or 3d.",
    ),
    (
        {"fx": None},
        "models/tea/supply.csv row 2: currency 'USD' is not in fx. Write one of EUR.",
    ),
    (
        {"trucks": TEA["trucks.csv"].replace("by_load(24, 36)", "cmem(1, 2)")},
        "models/tea/trucks.csv row 2: fuel_l_per_100km 'cmem(1, 2)' is not played yet. "
        "Write a number or by_load(empty, ..., full).",
    ),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=named)
def test_bad_input_is_named(write: Write, changes: dict[str, str], message: str) -> None:
    assert message in problems(write(**changes))


ALONE = ("negative", "not a duration", "NaN", "impossible", "given twice, first", "'Z'")


@pytest.mark.parametrize(
    ("changes", "message"),
    [case for case in WRONG if any(word in case[1] for word in ALONE)],
    ids=named,
)
def test_one_mistake_is_one_message(write: Write, changes: dict[str, str], message: str) -> None:
    assert problems(write(**changes)) == [message]


def test_all_offenders_of_all_files_come_together(write: Write) -> None:
    path = write(
        lanes=TEA["lanes.csv"].replace("road,2d", "road,-2d") + "W,Z,road,1d,\n",
        products=TEA["products.csv"].replace("box,5", "box,nan"),
        bom="product,component\nbox,leaf\nleaf,box\n",
        demand=TEA["demand.csv"] + "S,box,,2d,1\n",
        yaml="title: Tea\ncurency: EUR\ncurrency: EUR\n",
    )
    text = "\n".join(problems(path))
    for words in (
        "'-2d' is negative",
        "'Z'",
        "'nan'",
        "circle",
        "brings 'box' to 'S'",
        "'curency'",
    ):
        assert words in text


def test_a_model_that_does_not_exist_names_its_neighbours(write: Write) -> None:
    path = write()
    message = "models/tee.yaml: does not exist. Write it, or correct the name. Did you mean 'tea'?"
    assert problems(path.with_name("tee.yaml")) == [message]


def test_a_link_out_of_the_workspace_is_refused(write: Write, tmp_path: Path) -> None:
    path = write()
    secret = tmp_path.parent / f"{tmp_path.name}-secret.csv"
    secret.write_text("site,kind\nsecret,port\n")
    table = path.parent / "tea" / "sites.csv"
    table.unlink()
    table.symlink_to(secret)
    said = problems(path)
    secret.unlink()
    outside = "lies outside the workspace. Copy it into the folder of the model."
    assert f"models/tea/sites.csv: {outside}" in said
    assert not any("secret" in line for line in said)


def test_a_linked_folder_and_a_linked_model_are_refused(write: Write, tmp_path: Path) -> None:
    path = write(yaml="tables: link\n")
    other = tmp_path.parent / f"{tmp_path.name}-other"
    other.mkdir()
    (path.parent / "link").symlink_to(other)
    assert "lies outside" in problems(path)[0]
    (other / "far.yaml").write_text("title: far\n")
    (path.parent / "far.yaml").symlink_to(other / "far.yaml")
    assert "lies outside" in problems(path.with_name("far.yaml"))[0]


def test_a_link_in_a_circle_is_refused(write: Write) -> None:
    path = write(sites=None)
    table = path.parent / "tea" / "sites.csv"
    table.symlink_to(table)
    assert any("cannot be read" in line for line in problems(path))


def test_what_is_no_plain_file_is_refused_and_never_waited_for(write: Write) -> None:
    path = write(sites=None)
    os.mkfifo(path.parent / "tea" / "sites.csv")
    assert any("is not a file" in line for line in problems(path))


def test_a_byte_order_mark_and_blank_lines_are_forgiven(write: Write) -> None:
    sites = b"\xef\xbb\xbf" + TEA["sites.csv"].replace("\n", "\r\n").encode() + b"\r\n,,,\r\n"
    assert read_network(write(sites=sites)).sites == read_network(write()).sites


def test_nested_brackets_do_not_exhaust_the_stack(write: Write) -> None:
    for bomb in ("[" * 60_000, "{" * 60_000, "- " * 30_000, "? " * 30_000, "a: " + "[" * 60_000):
        assert problems(write(yaml=bomb))


def test_a_thousand_mistakes_are_enough(write: Write) -> None:
    demand = TEA["demand.csv"] + "".join(f"C,box,s{n},soon,1\n" for n in range(5000))
    said = problems(write(demand=demand))
    assert len(said) == 1001
    assert said[-1] == "Too many problems; the rest was not read."


def test_a_section_for_somebody_else_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "tea").mkdir()
    (tmp_path / "tea" / "sites.csv").write_text("site,kind\nW,warehouse\n")
    head = tmp_path / "tea.yaml"
    head.write_text("title: Tea\noperate:\n  rails: {any: {quiet: [22:00-06:00]}}\n  store: x\n"
                    "currency: EUR\n")
    assert read_network(head).currency == "EUR"
    head.write_text("title: Tea\noperate: {a: &x [1], b: *x}\n")
    with pytest.raises(ModelError, match="without lists, anchors or tags"):
        read_network(head)
    head.write_text("title: Tea\nother: {a: 1}\n")
    with pytest.raises(ModelError, match="only plain values are read"):
        read_network(head)
