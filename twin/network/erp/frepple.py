"""A plan of frePPLe as a model: locations, items, operations, resources, suppliers, demand.

frePPLe plans from orders; a model is played with policies. Where the plan has none, a shelf is
given a reorder point from its demand and lead time, and the README says so.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from twin.network.erp.frepple_demand import Demands
from twin.network.erp.frepple_file import FreppleFile, Record, hours, moment, pairs
from twin.network.erp.frepple_plant import Plants
from twin.network.erp.imported import Imported, Names, number, unique, written

Place = tuple[str, str]  # location, item
_REVIEW_D = 7.0


def read_frepple(path: Path) -> Imported:
    """The model that an export says.

    Raises
    ------
    ImportedError
        If the file is no such export, or a value in it cannot be read.
    """
    return _Export(FreppleFile(path)).model()


class _Export:
    def __init__(self, file: FreppleFile) -> None:
        self.file = file
        self.out = Imported("Imported from frePPLe", file.now())
        self.site_of, self.item_of, self.order_of = Names(), Names(), Names()
        self.items = file.by_name("item")
        self.plants = Plants(file, self.out)
        self.demands = Demands(file, self.out)
        self.ways: defaultdict[Place, list[tuple[int, str, str, Record]]] = defaultdict(list)
        for (item, supplier), row in pairs(file("itemsupplier"), "item", "supplier"):
            for one in self._below(item):
                for place in self._at(row, one):
                    self.ways[place, one].append((_priority(row), "supplier", supplier, row))
        for (item, origin, place), row in pairs(file("itemdistribution"), "item", "origin",
                                                "location"):
            for one in self._below(item):
                self.ways[place, one].append((_priority(row), "lane", origin, row))
        self._rates: dict[Place, float] = {}

    def _below(self, item: str) -> list[str]:
        """An item, or the items of a group."""
        if not hasattr(self, "_children"):
            self._children: defaultdict[str, list[str]] = defaultdict(list)
            for name, row in self.items.items():
                if row.get("owner"):
                    self._children[str(row["owner"])].append(name)
        below = self._children.get(item, [])
        return [leaf for child in below for leaf in self._below(child)] if below else [item]

    def _at(self, row: Record, item: str) -> list[str]:
        """The location of a row, or every location with a buffer of the item."""
        if row.get("location"):
            return [str(row["location"])]
        return sorted({place for (place, one), _ in pairs(self.file("buffer"), "location", "item")
                       if one == item})

    # -- the tables ------------------------------------------------------------------------------
    def model(self) -> Imported:
        """All tables."""
        out = self.out
        out.assume("Times of the export have no zone and are taken as UTC; costs are taken as EUR.")
        self._products()
        places = self._shelves()
        self._sites(places)
        self._supply()
        self._lanes()
        self._stock(places)
        self.plants.write(self.site_of, self.item_of)
        self.demands.write(self.site_of, self.item_of, self.order_of)
        self._orders()
        for kind, what in (("suboperation", "alternates by sub-operation"),
                           ("setupmatrix", "setup matrices")):
            if self.file(kind):
                out.leave_out(f"{what.capitalize()}.")
        out.leave_out("Volumes of items (their unit is not said), time fences, safety lead times, "
                      "and what the plan itself proposes.")
        out.tables["lanes"] = unique(out.tables.get("lanes", []), "origin", "destination", "mode")
        out.tables["sites"] = unique(out.tables["sites"], "site")
        for table in [table for table, rows in out.tables.items() if not rows]:
            del out.tables[table]
        return out

    def _products(self) -> None:
        weighed = False
        for name, row in self.items.items():
            if self._below(name) != [name]:
                continue
            weight = number(row, "weight", "item")
            weighed = weighed or bool(weight)
            self.out.add("products", product=self.item_of(name),
                         value=number(row, "cost", "item") or None, weight_kg=weight or None,
                         lot_size=self.plants.lot_size(name))
        if weighed:
            self.out.assume("Weights of items are taken as kilograms.")

    def _shelves(self) -> list[Place]:
        """Where an item lies: on hand, supplied, or brought from elsewhere to be sold or used."""
        found: dict[Place, None] = {}
        for place, row in pairs(self.file("buffer"), "location", "item"):
            made = self.plants.makes(place[0], place[1])
            if not made or number(row, "onhand", "buffer") > 0 or number(row, "minimum", "buffer"):
                found[place[0], place[1]] = None
        for place in self.ways:
            if not self.plants.makes(*place) or place in self._buffers():
                found[place] = None
        return sorted(found)

    def _buffers(self) -> dict[tuple[str, ...], Record]:
        if not hasattr(self, "_buffered"):
            self._buffered = dict(pairs(self.file("buffer"), "location", "item"))
        return self._buffered

    def _sites(self, places: list[Place]) -> None:
        used = {place for place, _ in places} | self.plants.locations() | self.demands.locations()
        used |= {origin for ways in self.ways.values() for _, kind, origin, _ in ways
                 if kind == "lane"}
        for place in sorted(used):
            self.out.add("sites", site=self.site_of(place),
                         kind="plant" if place in self.plants.locations() else "warehouse")
        for supplier in sorted({origin for ways in self.ways.values()
                                for _, kind, origin, _ in ways if kind == "supplier"}):
            self.out.add("sites", site=self.site_of(f"supplier {supplier}"), kind="supplier")

    def _supply(self) -> None:
        rows = []
        for (place, item), ways in sorted(self.ways.items()):
            for _, kind, origin, row in ways:
                if kind == "supplier":
                    site = self.site_of(f"supplier {origin}")
                    rows.append({
                        "site": site, "product": self.item_of(item),
                        "lead_time": f"constant({written(self._lead(row))}h)",
                        "minimum_order": number(row, "sizeminimum", "itemsupplier") or None,
                        "multiple": _multiple(row), "price": number(row, "cost", "itemsupplier")
                        or None})
                    self.out.add("lanes", origin=site, destination=self.site_of(place),
                                 mode="carrier", transit="constant(0h)")
        for row in unique(rows, "site", "product"):
            self.out.add("supply", **row)
        if rows:
            self.out.assume("A supplier's lead time is from order to receipt and does not vary; "
                            "the way from supplier to location takes no time of its own.")

    def _lead(self, row: Record) -> float:
        return hours(row.get("leadtime"), "itemsupplier")

    def _lanes(self) -> None:
        times: defaultdict[tuple[str, str], set[float]] = defaultdict(set)
        for (place, _), ways in self.ways.items():
            for _, kind, origin, row in ways:
                if kind == "lane":
                    times[origin, place].add(self._lead(row))
        for (origin, place), those in sorted(times.items()):
            self.out.add("lanes", origin=self.site_of(origin), destination=self.site_of(place),
                         mode="carrier", transit=f"constant({written(max(those))}h)")
            if len(those) > 1:
                self.out.assume(f"Items take differently long from {origin} to {place}; the "
                                "longest time is taken for all.")
        if times:
            self.out.leave_out("Smallest and stepwise quantities of distribution.")

    def _source(self, place: Place) -> tuple[str, str, Record | None]:
        """Where a shelf is filled from: the way of the lowest priority number."""
        ways = sorted(self.ways.get(place, ()), key=lambda way: way[0])
        own = self.plants.makes(*place)
        if own is not None and (not ways or _priority(own) <= ways[0][0]):
            return "make", "", own
        if ways:
            return ways[0][1], ways[0][2], ways[0][3]
        return "", "", None

    def _rate(self, place: Place, above: tuple[Place, ...] = ()) -> float:
        """Units a day that leave a place: sold there, sent on, or used there."""
        if place in above:
            return 0.0
        if place not in self._rates:
            location, item = place
            total = self.demands.rate(location, item)
            for other in [key for key in self.ways if key[1] == item and key != place]:
                kind, origin, _ = self._source(other)
                if kind == "lane" and origin == location:
                    total += self._rate(other, (*above, place))
            for product, quantity in self.plants.users(location, item):
                total += quantity * self._rate((location, product), (*above, place))
            self._rates[place] = total
        return self._rates[place]

    def _stock(self, places: list[Place]) -> None:
        if places:
            self.out.assume("A shelf is refilled by a policy that the plan does not have: it is "
                            "ordered for at its minimum plus the demand of its lead time, up to "
                            f"another {_REVIEW_D:g} days of demand, or the smallest order, above.")
        for place in places:
            location, item = place
            row = self._buffers().get(place, {})
            kind, origin, way = self._source(place)
            held = number(row, "onhand", "buffer")
            least = number(row, "minimum", "buffer")
            if not kind:
                self.out.assume(f"Nobody brings {item} to {location}: what is there is all there "
                                "will be.")
                self.out.add("stock", site=self.site_of(location), product=self.item_of(item),
                             on_hand=held)
                continue
            rate = self._rate(place)
            lead = self.plants.lead_d(item) if kind == "make" else self._lead(way or {}) / 24.0
            point = round(least + rate * lead, 3)
            step = max(_REVIEW_D * rate, number(way or {}, "sizeminimum", kind), 1.0)
            source = {"make": "make", "lane": self.site_of(origin)}.get(
                kind, self.site_of(f"supplier {origin}"))
            self.out.add("stock", site=self.site_of(location), product=self.item_of(item),
                         on_hand=held, policy="s_S", reorder_point=point,
                         order_up_to=round(point + step, 3), source=source)

    def _orders(self) -> None:
        """Confirmed orders on the way."""
        start, left = self.out.start, 0
        shelves = {(row["site"], row["product"]) for row in self.out.tables.get("stock", ())}
        for row in self.file("operationplan"):
            if row.get("status") not in ("confirmed", "approved"):
                continue
            supplier, origin = row.get("supplier"), row.get("origin")
            place, item = row.get("location") or row.get("destination"), row.get("item")
            if row.get("type") not in ("PO", "DO") or not (place and item and (supplier or origin)):
                left += 1
                continue
            key = (self.site_of(str(place)), self.item_of(str(item)))
            if key not in shelves:
                left += 1
                continue
            begun = moment(row.get("startdate"), "operationplan")
            due = max(moment(row.get("enddate"), "operationplan"), start)
            self.out.add("orders", order=self.order_of(f"order {row.get('reference')}"),
                         site=key[0], product=key[1],
                         quantity=number(row, "quantity", "operationplan"),
                         placed=_said(min(begun, start)), due=_said(due),
                         source=self.site_of(f"supplier {supplier}" if supplier else str(origin)),
                         status="shipped")
        if left:
            self.out.leave_out(f"{left} confirmed plans that are neither a purchase nor a transfer "
                               "to a shelf (manufacturing orders: work under way is not in the "
                               "tables).")
        if any(row["status"] == "shipped" for row in self.out.tables.get("orders", ())):
            self.out.assume("Confirmed purchases and transfers come on their end date.")


def _priority(row: Record) -> int:
    return int(number(row, "priority", "priority", 1.0))


def _multiple(row: Record) -> Any:
    many = number(row, "sizemultiple", "itemsupplier")
    return many if many > 1.0 else None


def _said(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"
