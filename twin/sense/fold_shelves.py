"""Shelves, folded from history: which lots stand on each, what waits before it, what was found."""

from __future__ import annotations

from typing import Any

from twin.network import Network
from twin.sense.history import Event

EPS = 1e-6  #: units that count as none


def mark(record: dict[str, Any], row: Event) -> None:
    """Note what a record rests on: when, how many readings, who, how good."""
    record["last"], record["by"] = row.time, row.sensor
    record["n"] = record.get("n", 0) + 1
    record["quality"] = row.quality


class Shelves:
    """Takes rows of history about stock."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.lots: dict[int, dict[str, Any]] = {}
        self.shelves: dict[str, dict[str, Any]] = {}
        self._delay = {site.site: site.record_delay for site in network.sites.values()}

    def shelf(self, site: str, product: str, row: Event) -> dict[str, Any]:
        """What is known of a shelf; before anybody told, it holds what the tables say."""
        key = f"{site}/{product}"
        found = self.shelves.get(key)
        if found is None:
            table = self.network.stock.get((site, product))
            opening = table.on_hand if table is not None else 0.0
            found = self.shelves[key] = {
                "opened": None, "lots": {0: [opening, 0.0]} if opening > 0.0 else {},
                "outside": {}, "count": None, "issues": []}
        mark(found, row)
        return found

    def _before(self, row: Event) -> None:
        """Goods stand before a shelf that has not taken them in."""
        outside = self.shelf(row.site, row.product, row)["outside"]
        units = outside.get(row.lot, [0.0, row.time])
        outside[row.lot] = [units[0] + row.quantity, units[1]]

    def storing(self, row: Event) -> bool:
        """Goods are put on a shelf; an opening stock replaces what was thought to be there."""
        shelf = self.shelf(row.site, row.product, row)
        if row.cause == "stock":
            if shelf["opened"] != row.time:
                shelf["opened"], shelf["lots"], shelf["outside"] = row.time, {}, {}
        else:
            self._put_away(shelf["outside"], row.lot, row.quantity)
        held = shelf["lots"].get(row.lot)
        if held is None:
            shelf["lots"][row.lot] = [row.quantity, row.time]
        else:
            held[0] += row.quantity
        if row.lot and row.lot not in self.lots:
            self.lots[row.lot] = {"product": row.product, "site": row.site, "born": row.time}
        return True

    @staticmethod
    def _put_away(outside: dict[int, list[float]], lot: int, units: float) -> None:
        """Goods that stood before a shelf are on it, under a lot number that they may get now."""
        number = lot if lot in outside else 0
        if number in outside:
            outside[number][0] -= units
            if outside[number][0] <= EPS:
                del outside[number]

    def _off(self, row: Event, lot: int, units: float) -> None:
        """Units leave a shelf: of the lot named, or of those that have stood there longest."""
        shelf = self.shelf(row.site, row.product, row)
        lots, count = shelf["lots"], shelf["count"]
        if count is not None and row.time <= count["time"] + self._delay.get(row.site, 0.0):
            count["issued"] += units  # gone before it was counted, booked after
        delay = self._delay.get(row.site, 0.0)
        if delay > 0.0:
            shelf["issues"] = [issue for issue in shelf["issues"]
                               if issue[0] + delay > row.time]
            if shelf["issues"] and shelf["issues"][-1][0] == row.time:
                shelf["issues"][-1][1] += units
            else:
                shelf["issues"].append([row.time, units])
        order = [lot] if lot in lots or (lot and 0 not in lots) else sorted(
            lots, key=lambda other: (other != 0, lots[other][1], other))
        for other in order:
            held = lots.setdefault(other, [0.0, row.time])
            took = units if other == order[-1] else min(units, held[0])
            held[0] -= took
            units -= took
            if abs(held[0]) <= EPS:
                del lots[other]
            if units <= EPS:
                return

    def counted(self, row: Event) -> bool:
        """Somebody has counted a shelf: what it found, beside what was booked then."""
        shelf = self.shelf(row.site, row.product, row)
        booked = sum(units for units, _ in shelf["lots"].values())
        shelf["count"] = {"time": row.time, "units": row.quantity, "booked": booked,
                          "outside": sum(units for units, _ in shelf["outside"].values()),
                          "by": row.sensor, "quality": row.quality, "issued": 0.0}
        return True
