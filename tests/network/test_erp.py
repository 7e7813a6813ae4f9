"""Exports of an ERP become a model that is sound, says what it assumed, and can be played."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from twin.__main__ import main
from twin.network.reading import read_network

ERP: dict[str, str] = {
    "Product": """\
ProductID,Name,ProductNumber,MakeFlag,FinishedGoodsFlag,SafetyStockLevel,ReorderPoint,StandardCost,\
ListPrice,WeightUnitMeasureCode,Weight,DaysToManufacture,SellEndDate
1,"Kettle, steel",KE-1,1,1,20,10,30.5,60,LB,2,2,
2,Spout: long,SP-2,0,0,50,40,4,0,,,0,
3,Handle,HA-3,0,0,50,40,2,0,,,0,
4,Old kettle,KE-0,1,1,20,10,30,60,,,1,2012-01-01
""",
    "BillOfMaterials": """\
BillOfMaterialsID,ProductAssemblyID,ComponentID,StartDate,EndDate,PerAssemblyQty
1,,1,2010-01-01,,1
2,1,2,2010-01-01,,1.00
3,1,3,2010-01-01,,2.00
4,1,2,2009-01-01,2009-12-31,7.00
""",
    "ProductInventory": """\
ProductID,LocationID,Shelf,Bin,Quantity
1,7,A,1,15
2,1,A,1,20
2,6,B,2,30
3,1,A,1,100
""",
    "Vendor": """\
BusinessEntityID,AccountNumber,Name,ActiveFlag
9,METAL0001,Metal Works,1
10,"HANDY0001,Handy Parts", Inc.,1
""",
    "ProductVendor": """\
ProductID,BusinessEntityID,AverageLeadTime,StandardPrice,MinOrderQty
2,9,5,4.25,10
3,10,3,1.5,20
3,9,8,1.25,20
""",
    "PurchaseOrderHeader": """\
PurchaseOrderID,Status,VendorID,OrderDate
1,4,9,2014-09-01
2,2,9,2014-09-20
3,1,10,2014-09-21
""",
    "PurchaseOrderDetail": """\
PurchaseOrderID,PurchaseOrderDetailID,DueDate,OrderQty,ProductID,ReceivedQty
1,1,2014-09-06,40,2,40
2,2,2014-09-25,40,2,15
3,3,2014-09-10,30,3,0
""",
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for group in ("models", "calibration", "scenarios"):
        (tmp_path / group).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def erp(folder: Path, **changed: str) -> Path:
    folder.mkdir()
    for name, text in {**ERP, **changed}.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def table(workspace: Path, model: str, name: str) -> list[dict[str, str]]:
    with (workspace / "models" / model / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_erp_export_becomes_a_model_that_runs(workspace: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "adventureworks", str(erp(workspace / "erp")), "into=kettles"]) == 0
    said = capsys.readouterr().out
    assert "No sales are in the export." in said
    network = read_network(workspace / "models" / "kettles.yaml")
    assert network.start.isoformat() == "2014-09-22T00:00:00+00:00"
    assert sorted(network.sites) == ["Handy Parts Inc.", "Metal Works", "plant"]
    assert {(row.product, row.component): row.quantity for row in network.bom.values()} == {
        ("KE-1", "SP-2"): 1.0, ("KE-1", "HA-3"): 2.0}
    assert network.products["KE-1"].weight_kg == pytest.approx(0.907185, abs=1e-6)
    shelf = network.stock["plant", "SP-2"]
    assert (shelf.on_hand, shelf.reorder_point, shelf.order_up_to) == (50.0, 40.0, 90.0)
    assert network.supply["Metal Works", "SP-2"].lead_time.mean() == 120.0
    # 10 kettles cover the 7 days of making one and its slowest part.
    assert network.demand["plant", "KE-1", ""].interarrival.mean() == pytest.approx(16.8)
    assert list(network.demand) == [("plant", "KE-1", "")]
    assert [(row["order"], row["quantity"], row["due"], row["source"])
            for row in table(workspace, "kettles", "orders")] == [
        ("PO-2-2", "25", "2014-09-25T00:00:00Z", "Metal Works"),
        ("PO-3-3", "30", "2014-09-22T00:00:00Z", "Handy Parts Inc.")]
    readme = (workspace / "models" / "kettles" / "README.md").read_text()
    assert "1 overdue lines come at the start" in readme
    assert "cut at a comma" in readme
    assert main(["check", "models=kettles"]) == 0
    assert main(["run", "models=kettles", "scenarios=baseline", "horizon=20d", "replications=1",
                 "simulate.workers=1", "report=no"]) == 0


def record(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": f"input.{model}", "fields": fields}


#: Tables are sawn and put together in a factory, and sold in a shop.
PLAN = [
    {"model": "common.parameter", "pk": "currentdate", "fields": {"value": "2021-01-04 00:00:00"}},
    record("location", name="factory", available_id="Work"), record("location", name="shop"),
    record("calendar", name="Work", defaultvalue=0),
    record("calendarbucket", calendar_id="Work", value=1, startdate="2001-01-01 00:00:00",
           enddate="2030-12-31 00:00:00", priority=100, saturday=False, sunday=False,
           starttime="08:00:00", endtime="23:59:59"),
    record("calendarbucket", calendar_id="Work", value=0, startdate="2021-01-06 00:00:00",
           enddate="2021-01-07 00:00:00", priority=1),
    record("item", name="everything"), record("item", name="table", owner_id="everything", cost=80),
    record("item", name="leg, round", owner_id="everything", cost=5, weight=2),
    record("item", name="beam", owner_id="everything", cost=3),
    record("operation", name="saw", type="time_per", duration="600", duration_per="60",
           item_id="leg, round", location_id="factory", sizemaximum=100),
    record("operation", name="build", type="routing", item_id="table", location_id="factory"),
    record("operation", name="glue", type="time_per", duration_per="0:30:00", owner_id="build",
           location_id="factory", priority=1),
    record("operation", name="dry", type="fixed_time", duration="21600.0", owner_id="build",
           location_id="factory", priority=2),
    record("operationmaterial", operation_id="saw", item_id="leg, round", quantity=1),
    record("operationmaterial", operation_id="saw", item_id="beam", quantity="-0.25"),
    record("operationmaterial", operation_id="glue", item_id="leg, round", quantity=-4),
    record("operationmaterial", operation_id="build", item_id="table", quantity=1),
    record("resource", name="saw 1", maximum=1, location_id="factory"),
    record("resource", name="bench", maximum=2, location_id="factory"),
    record("resource", name="Ann", maximum=1), record("resource", name="Bob", maximum=1),
    record("skill", name="joiner"),
    record("resourceskill", resource_id="Ann", skill_id="joiner"),
    record("resourceskill", resource_id="Bob", skill_id="joiner"),
    record("operationresource", operation_id="saw", resource_id="saw 1", quantity=1),
    record("operationresource", operation_id="glue", resource_id="bench", quantity=1),
    record("operationresource", operation_id="glue", resource_id="Ann", skill_id="joiner",
           quantity=1),
    record("buffer", item_id="table", location_id="shop", onhand=12, minimum=4),
    record("buffer", item_id="beam", location_id="factory", onhand=40),
    record("supplier", name="forest"),
    record("itemsupplier", item_id="beam", location_id="factory", supplier_id="forest",
           leadtime="172800", sizeminimum=20, sizemultiple=5, cost=2.5),
    record("itemdistribution", item_id="everything", location_id="shop", origin_id="factory",
           leadtime="86400"),
    record("customer", name="town"),
    *(record("demand", name=f"past {day}", status="closed", quantity=day % 3 + 1,
             due=f"2020-12-{day:02} 00:00:00", item_id="table", location_id="shop",
             customer_id="town") for day in range(1, 31)),
    record("demand", name="next", status="open", quantity=6, due="2021-01-08 00:00:00",
           item_id="table", location_id="shop", customer_id="town", priority=2),
    record("operationplan", type="PO", status="confirmed", reference="PO#1", quantity=20,
           startdate="2021-01-02 00:00:00", enddate="2021-01-05 00:00:00", item_id="beam",
           location_id="factory", supplier_id="forest"),
    record("operationplan", type="MO", status="confirmed", reference="MO#1", quantity=20,
           startdate="2021-01-02 00:00:00", enddate="2021-01-05 00:00:00", item_id="table"),
]


def plan(path: Path, rows: list[dict[str, Any]] = PLAN) -> Path:
    path.write_text(json.dumps(rows))
    return path


def test_a_plan_becomes_a_model_that_runs(workspace: Path) -> None:
    assert main(["import", "frepple", str(plan(workspace / "plan.json")), "into=tables"]) == 0
    network = read_network(workspace / "models" / "tables.yaml")
    kinds = {name: site.kind for name, site in network.sites.items()}
    assert kinds == {"factory": "plant", "shop": "warehouse", "supplier forest": "supplier",
                     "customer town": "customer"}
    assert {(row.product, row.component): row.quantity for row in network.bom.values()} == {
        ("leg round", "beam"): 0.25, ("table", "leg round"): 4.0}
    steps = {(row.product, row.step): (row.group, row.crew, row.process_time.mean())
             for row in network.routings.values()}
    assert steps["table", 10] == ("bench", "crew joiner", 0.5)
    assert steps["table", 20] == (None, None, 6.0)
    assert steps["leg round", 10][0] == "saw 1"
    assert steps["leg round", 10][2] == pytest.approx(1 / 60, abs=1e-5)
    assert network.crews["crew joiner"].size == 2
    assert network.machines["bench"].units == 2
    assert network.products["leg round"].lot_size == 100
    shifts = table(workspace, "tables", "calendars")
    hours = [(row["day"], row["from"], row["to"]) for row in shifts]
    assert hours == [*((day, "08:00", "24:00") for day in ("mon", "tue", "wed", "thu", "fri")),
                     ("2021-01-06", "", "")]
    sold = network.demand["customer town", "table", ""]
    assert (sold.interarrival.mean(), sold.size.mean()) == (24.0, pytest.approx(2.0, abs=0.2))
    shelf = network.stock["shop", "table"]
    assert shelf.on_hand == 12
    assert shelf.reorder_point == pytest.approx(4 + 2.0)  # minimum and the demand of a day
    beams = network.stock["factory", "beam"]  # 2 tables a day of 4 legs of a quarter, for two days
    assert (beams.reorder_point, beams.order_up_to) == (pytest.approx(4.0), pytest.approx(24.0))
    orders = {row["order"]: row for row in table(workspace, "tables", "orders")}
    assert orders["demand next"]["site"] == "customer town"
    assert orders["order PO 1"]["due"] == "2021-01-05T00:00:00Z"
    assert "1 confirmed plans that are neither" in (
        workspace / "models" / "tables" / "README.md").read_text()
    assert main(["run", "models=tables", "scenarios=baseline", "horizon=20d", "replications=1",
                 "simulate.workers=1", "report=no"]) == 0


@pytest.mark.parametrize(("changed", "why"), [
    ({"Product": "ProductID,Name\n1,x\n"}, "Product.csv: column ProductNumber is missing"),
    ({"ProductVendor": "ProductID,BusinessEntityID,AverageLeadTime\n77,9,5\n"},
     "ProductVendor: ProductID '77' is not in Product"),
    ({"ProductVendor": "ProductID,BusinessEntityID,AverageLeadTime\n2,9,soon\n"},
     "ProductVendor: AverageLeadTime 'soon' is no number"),
    ({"PurchaseOrderHeader": "PurchaseOrderID,Status,VendorID,OrderDate\n1,2,9,22.9.14\n"},
     "'22.9.14' is no date"),
    ({"BillOfMaterials": "ProductAssemblyID,ComponentID,PerAssemblyQty\n1,4,1\n4,1,1\n"},
     "goes into itself"),
])
def test_a_wrong_export_is_named(workspace: Path, changed: dict[str, str], why: str,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    source = erp(workspace / "erp", **changed)
    assert main(["import", "adventureworks", str(source), "into=kettles"]) == 2
    assert why in capsys.readouterr().err
    assert not list((workspace / "models").iterdir())


@pytest.mark.parametrize(("words", "why"), [
    (["frepple", "none.json", "into=x"], "'none.json' is not there"),
    (["frepple", ".", "into=x"], "holds 0 exports (none)"),
    (["sap", ".", "into=x"], "format 'sap' is unknown"),
    (["frepple", "."], "into which model?"),
    (["frepple", "into=x"], "takes FORMAT and SOURCE"),
    (["frepple", "bad.json", "into=x"], "is no list of records"),
    (["frepple", "plan.json", "into=a/b"], "is no name of a model"),
])
def test_a_wrong_import_is_named(workspace: Path, words: list[str], why: str,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    if "bad.json" in words:
        (workspace / "bad.json").write_text('[{"model": "input.item"}]')
    if "plan.json" in words:
        plan(workspace / "plan.json")
    assert main(["import", *words]) == 2
    assert why in capsys.readouterr().err


def test_a_model_is_not_written_over(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["import", "frepple", str(plan(workspace / "plan.json")), "into=tables"]
    assert main(words) == 0
    assert main(words) == 2
    assert "there is a model tables" in capsys.readouterr().err


DATA = os.environ.get("TWIN_DATA", "")


@pytest.mark.long
@pytest.mark.skipif(not DATA, reason="no real exports: set TWIN_DATA")
@pytest.mark.parametrize(("form", "source", "least"), [
    ("adventureworks", "adventureworks_erp", {"products": 500, "bom": 2000, "supply": 400}),
    ("frepple", "frepple_demo/manufacturing_demo.json.gz", {"orders": 20, "machines": 3}),
    ("frepple", "frepple_demo/distribution_demo.json.gz", {"demand": 20, "stock": 30}),
    ("frepple", "frepple_demo/flow_line.json.gz", {"routings": 70, "machines": 8}),
    ("frepple", "frepple_demo/jobshop.json.gz", {"routings": 100, "orders": 10}),
], ids=["erp", "manufacturing", "distribution", "flow_line", "jobshop"])
def test_a_real_export_is_sound_and_runs(workspace: Path, form: str, source: str,
                                         least: dict[str, int]) -> None:
    path = Path(DATA) / source
    if not path.exists():
        pytest.skip(f"{source} is not in TWIN_DATA")
    assert main(["import", form, str(path), "into=real"]) == 0
    for name, count in least.items():
        assert len(table(workspace, "real", name)) >= count
    assert main(["run", "models=real", "scenarios=baseline", "horizon=14d", "replications=1",
                 "simulate.workers=1", "report=no"]) == 0
