"""An ERP's purchasing and production tables, in the shape of Microsoft's AdventureWorks.

One CSV file a table (``.csv`` or ``.csv.gz``): Product, BillOfMaterials, ProductInventory, Vendor,
ProductVendor, PurchaseOrderHeader, PurchaseOrderDetail.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from twin.network.erp.imported import Imported, ImportedError, Names, days, number

_NEEDED = {
    "Product": ("ProductID", "ProductNumber", "MakeFlag", "ReorderPoint"),
    "BillOfMaterials": ("ProductAssemblyID", "ComponentID", "PerAssemblyQty"),
    "Vendor": ("BusinessEntityID", "Name"),
    "ProductVendor": ("ProductID", "BusinessEntityID", "AverageLeadTime"),
}
_OPTIONAL = {
    "ProductInventory": ("ProductID", "Quantity"),
    "PurchaseOrderHeader": ("PurchaseOrderID", "Status", "VendorID", "OrderDate"),
    "PurchaseOrderDetail": ("PurchaseOrderID", "PurchaseOrderDetailID", "ProductID", "OrderQty",
                            "DueDate"),
}
_KILOGRAMS = {"LB": 0.45359237, "G": 0.001, "KG": 1.0, "OZ": 0.028349523125}
_PLANT = "plant"
_OPEN = ("1", "2")  # pending, approved
_LONGEST_LEAD_D = 30.0

Row = dict[str, str]


def read_adventureworks(folder: Path) -> Imported:
    """The model that an export says.

    Raises
    ------
    ImportedError
        If a file or column is missing, or a value cannot be read.
    """
    return _Export(folder).model()


class _Export:
    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ImportedError(f"'{folder}' is no folder. Give the folder of the exported tables.")
        self.folder = folder
        self.rows = {name: self._read(name, columns, needed=True)
                     for name, columns in _NEEDED.items()}
        self.rows |= {name: self._read(name, columns, needed=False)
                      for name, columns in _OPTIONAL.items()}
        self.product_of = Names()
        self.vendor_of = Names()
        self.products = {row["ProductID"]: row for row in self.rows["Product"]}
        self.vendors = {row["BusinessEntityID"]: row for row in self.rows["Vendor"]}
        self.offers: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows["ProductVendor"]:
            self._known(row, "ProductVendor")
            if row["BusinessEntityID"] not in self.vendors:
                raise ImportedError(f"ProductVendor: vendor '{row['BusinessEntityID'][:40]}' is "
                                    "not in Vendor. Export both at one time.")
            self.offers[row["ProductID"]].append(row)
        self.parts: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._bills()
        self.out = Imported("Imported from an ERP", self._start(), "USD")
        for row in self.vendors.values():
            account, comma, begun = row.get("AccountNumber", "").partition(",")
            if comma:
                row["AccountNumber"], row["Name"] = account, f"{begun}, {row['Name']}"
                self.out.assume("Names of vendors that the export had cut at a comma are put "
                                "together again.")

    def _read(self, name: str, columns: tuple[str, ...], *, needed: bool) -> list[Row]:
        for path in (self.folder / f"{name}.csv", self.folder / f"{name}.csv.gz"):
            if path.is_file():
                raw = path.read_bytes()
                break
        else:
            if needed:
                raise ImportedError(f"{self.folder}/{name}.csv is not there. Export it as well.")
            return []
        try:
            text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError, EOFError):
            raise ImportedError(f"{path.name} is no text in UTF-8. Export it again.") from None
        rows = csv.DictReader(io.StringIO(text, newline=""))
        for column in columns:
            if column not in (rows.fieldnames or ()):
                raise ImportedError(f"{path.name}: column {column} is missing. It has "
                                    f"{', '.join(rows.fieldnames or ['none'])[:200]}.")
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in rows]

    def _known(self, row: Row, table: str, column: str = "ProductID") -> None:
        if row[column] not in self.products:
            raise ImportedError(f"{table}: {column} '{row[column][:40]}' is not in Product. Export "
                                "both at one time.")

    def _bills(self) -> None:
        """Rows that are valid now: without an end."""
        for row in self.rows["BillOfMaterials"]:
            if row["ProductAssemblyID"] and not row.get("EndDate"):
                for column in ("ProductAssemblyID", "ComponentID"):
                    self._known(row, "BillOfMaterials", column)
                parts = self.parts[row["ProductAssemblyID"]]
                parts[row["ComponentID"]] = parts.get(row["ComponentID"], 0.0) + number(
                    row, "PerAssemblyQty", "BillOfMaterials", 1.0)

    def _start(self) -> datetime:
        """The day after the last order."""
        days_ = [_date(row["OrderDate"], "PurchaseOrderHeader")
                 for row in self.rows["PurchaseOrderHeader"] if row["OrderDate"]]
        return max(days_, default=datetime(2025, 12, 31, tzinfo=UTC)) + timedelta(days=1)

    # -- the tables ------------------------------------------------------------------------------
    def model(self) -> Imported:
        """All tables."""
        out = self.out
        out.assume(f"The export has no date of its own: the model starts at {out.start:%Y-%m-%d}, "
                   "the day after its last purchase order. The currency is taken as USD.")
        out.assume("There is one plant, with all storage locations as one shelf.")
        out.add("sites", site=_PLANT, kind="plant")
        for vendor in sorted({row["BusinessEntityID"] for row in self.rows["ProductVendor"]}):
            out.add("sites", site=self._vendor(vendor), kind="supplier")
        made = {key for key, row in self.products.items()
                if row["MakeFlag"] in ("1", "True", "true")}
        for key, row in self.products.items():
            self._product(key, row)
            if key in made:
                self._making(key, row)
        self._supply()
        self._stock(made)
        self._demand(made)
        self._orders()
        out.leave_out("Work centres (Location with a cost rate): without routings by work centre, "
                      "nobody knows who uses them; making takes time, but no capacity.")
        out.leave_out("Largest order quantities of vendors, scrap, units of measure, shelves and "
                      "bins.")
        return out

    def _name(self, key: str) -> str:
        return self.product_of(self.products[key]["ProductNumber"] or key)

    def _vendor(self, key: str) -> str:
        return self.vendor_of(self.vendors[key]["Name"] or key)

    def _product(self, key: str, row: Row) -> None:
        weight = number(row, "Weight", "Product")
        unit = row.get("WeightUnitMeasureCode", "")
        if weight and unit not in _KILOGRAMS:
            self.out.assume(f"Weights in '{unit or 'no unit'}' are taken as kilograms.")
        self.out.add("products", product=self._name(key),
                     value=number(row, "StandardCost", "Product") or None,
                     weight_kg=weight * _KILOGRAMS.get(unit, 1.0) or None)

    def _making(self, key: str, row: Row) -> None:
        took = number(row, "DaysToManufacture", "Product")
        self.out.assume("Making takes the days to manufacture of the product, whatever the "
                        "quantity: routings by work centre are not in the export.")
        self.out.add("routings", site=_PLANT, product=self._name(key), step=10,
                     process_time=f"constant({days(took)})", per="lot")
        if not self.parts.get(key):
            self.out.assume(f"{self._name(key)} is made of nothing: it has no bill of materials.")
        for part, quantity in self.parts.get(key, {}).items():
            self.out.add("bom", product=self._name(key), component=self._name(part),
                         quantity=quantity)

    def _supply(self) -> None:
        self.out.assume("A vendor's average lead time is from order to receipt and does not vary; "
                        "so the way from vendor to plant takes no time of its own.")
        lanes: dict[str, None] = {}
        for key, rows in self.offers.items():
            for row in rows:
                vendor = self._vendor(row["BusinessEntityID"])
                lanes[vendor] = None
                lead = number(row, "AverageLeadTime", "ProductVendor")
                self.out.add("supply", site=vendor, product=self._name(key),
                             lead_time=f"constant({days(lead)})",
                             minimum_order=number(row, "MinOrderQty", "ProductVendor") or None,
                             price=number(row, "StandardPrice", "ProductVendor") or None)
            if len(rows) > 1:
                self.out.assume("Of several vendors of a product, the fastest is ordered from.")
        for vendor in lanes:
            self.out.add("lanes", origin=vendor, destination=_PLANT, mode="carrier",
                         transit="constant(0h)")

    def _stock(self, made: set[str]) -> None:
        there: defaultdict[str, float] = defaultdict(float)
        for row in self.rows["ProductInventory"]:
            self._known(row, "ProductInventory")
            there[row["ProductID"]] += number(row, "Quantity", "ProductInventory")
        if not self.rows["ProductInventory"]:
            self.out.assume("ProductInventory is not in the export: shelves are empty at the "
                            "start.")
        self.out.assume("A product is ordered at its reorder point, up to reorder point plus "
                        "safety stock level.")
        for key, row in self.products.items():
            if key not in made and not self.offers.get(key):
                if there[key]:
                    self.out.assume(f"{self._name(key)} has no vendor: what is there is all there "
                                    "will be.")
                    self.out.add("stock", site=_PLANT, product=self._name(key), on_hand=there[key])
                continue
            point = number(row, "ReorderPoint", "Product")
            self.out.add("stock", site=_PLANT, product=self._name(key), on_hand=there[key],
                         policy="s_S", reorder_point=point,
                         order_up_to=point + max(1.0, number(row, "SafetyStockLevel", "Product")),
                         source="make" if key in made else None)

    def _demand(self, made: set[str]) -> None:
        self.out.assume("No sales are in the export. Each finished product that is still sold is "
                        "ordered as fast as its reorder point covers its lead time (of making and "
                        "of its slowest part, 30 d at most), one unit at a time.")
        leads: dict[str, float] = {}
        for key, row in self.products.items():
            sold = row.get("FinishedGoodsFlag") in ("1", "True", "true") and not row.get(
                "SellEndDate") and not row.get("DiscontinuedDate")
            point = number(row, "ReorderPoint", "Product")
            if not sold or not point or (key not in made and not self.offers.get(key)):
                continue
            lead = min(_LONGEST_LEAD_D, max(1.0, self._lead(key, leads, ())))
            self.out.add("demand", site=_PLANT, product=self._name(key),
                         interarrival=f"exponential(mean={days(lead / point)})",
                         price=number(row, "ListPrice", "Product") or None)

    def _lead(self, key: str, known: dict[str, float], above: tuple[str, ...]) -> float:
        """Days from nothing to a unit: of making and of the slowest part, or of the vendor."""
        if key in above:
            raise ImportedError(f"BillOfMaterials: product '{key[:40]}' goes into itself. Correct "
                                "the bills.")
        if key not in known:
            own = min((number(row, "AverageLeadTime", "ProductVendor")
                       for row in self.offers.get(key, ())),
                      default=number(self.products[key], "DaysToManufacture", "Product"))
            known[key] = own + max((self._lead(part, known, (*above, key))
                                    for part in self.parts.get(key, ())), default=0.0)
        return known[key]

    def _orders(self) -> None:
        heads = {row["PurchaseOrderID"]: row for row in self.rows["PurchaseOrderHeader"]}
        offered = {(row["BusinessEntityID"], row["ProductID"])
                   for row in self.rows["ProductVendor"]}
        late = 0
        for row in self.rows["PurchaseOrderDetail"]:
            head = heads.get(row["PurchaseOrderID"])
            if head is None or head["Status"] not in _OPEN:
                continue
            left = number(row, "OrderQty", "PurchaseOrderDetail") - number(
                row, "ReceivedQty", "PurchaseOrderDetail")
            if left <= 0.0 or (head["VendorID"], row["ProductID"]) not in offered:
                continue
            due = _date(row["DueDate"], "PurchaseOrderDetail")
            late += due < self.out.start
            self.out.add("orders",
                         order=f"PO-{row['PurchaseOrderID']}-{row['PurchaseOrderDetailID']}",
                         site=_PLANT, product=self._name(row["ProductID"]), quantity=left,
                         placed=_written(_date(head["OrderDate"], "PurchaseOrderHeader")),
                         due=_written(max(due, self.out.start)),
                         source=self._vendor(head["VendorID"]), status="shipped")
        if "orders" in self.out.tables:
            self.out.assume("Of a pending or approved purchase order, what was ordered and not yet "
                            "received comes on its due date"
                            + (f"; {late} overdue lines come at the start." if late else "."))


def _date(value: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise ImportedError(f"{where}: '{value[:40]}' is no date. Write such as 2014-09-22."
                            ) from None


def _written(moment: datetime) -> Any:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
