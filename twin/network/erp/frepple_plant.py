"""What frePPLe's operations say of plants: routings, bills of materials, machines, crews, hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from twin.network.erp.frepple_file import FreppleFile, Record, hours, moment, pairs
from twin.network.erp.imported import Imported, Names, number, written

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TYPES = ("time_per", "fixed_time", "routing")
_AHEAD = timedelta(days=730)  # how far ahead days off are written


class Plants:
    """The operations of an export, each product made in one way."""

    def __init__(self, file: FreppleFile, out: Imported) -> None:
        self.file, self.out = file, out
        self.operations = file.by_name("operation")
        self.steps: defaultdict[str, list[Record]] = defaultdict(list)
        for row in self.operations.values():
            if row.get("owner"):
                self.steps[str(row["owner"])].append(row)
        self.flows: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for (operation, item), row in pairs(file("operationmaterial"), "operation", "item"):
            self.flows[operation][item] = (self.flows[operation].get(item, 0.0)
                                           + number(row, "quantity", "operationmaterial"))
        self.loads: defaultdict[str, list[Record]] = defaultdict(list)
        for (operation, _), row in pairs(file("operationresource"), "operation", "resource"):
            self.loads[operation].append(row)
        self.made: dict[tuple[str, str], Record] = {}
        self._choose()
        self.crews: dict[str, None] = {}

    def _choose(self) -> None:
        """Of several operations for an item at a place, the one with the lowest priority."""
        asked = {str(row["operation"]): str(row["item"]) for row in self.file("demand")
                 if row.get("operation") and row.get("item")}
        for name, row in sorted(self.operations.items(), key=lambda one: number(
                one[1], "priority", "operation", 1.0)):
            if row.get("owner") or not row.get("location"):
                continue
            if row.get("type", "fixed_time") not in _TYPES:
                self.out.leave_out(f"Operation {name}: type {row.get('type')} is not one of "
                                   f"{', '.join(_TYPES)}.")
                continue
            made = [one for step in (name, *(str(s["name"]) for s in self.steps[name]))
                    for one, many in self.flows[step].items() if many > 0]
            item = row.get("item") or asked.get(name) or next(iter(made), None)
            if made and item not in made:
                self.out.assume(f"Operation {name} names {item} and makes {made[0]}: what it makes "
                                "is believed.")
                item = made[0]
            if item is None:
                self.out.leave_out(f"Operation {name} makes nothing.")
            elif (str(row["location"]), str(item)) in self.made:
                self.out.leave_out(f"Operation {name}: {item} is made in another way already.")
            else:
                self.made[str(row["location"]), str(item)] = row

    def makes(self, location: str, item: str) -> Record | None:
        """The operation that makes an item at a place."""
        return self.made.get((location, item))

    def locations(self) -> set[str]:
        """Places where something is made."""
        return {place for place, _ in self.made}

    def lot_size(self, item: str) -> float | None:
        """The largest quantity of one manufacturing order."""
        sizes = [number(row, "sizemaximum", "operation") for (_, one), row in self.made.items()
                 if one == item]
        return max(sizes, default=0.0) or None

    def lead_d(self, item: str) -> float:
        """Days that one unit takes, without queueing."""
        return sum(hours(step.get("duration"), "operation")
                   + hours(step.get("duration_per"), "operation")
                   for (_, one), row in self.made.items() if one == item
                   for step in self._steps(row)) / 24.0

    def users(self, location: str, item: str) -> Iterator[tuple[str, float]]:
        """What an item goes into at a place, and how many units a unit of it takes."""
        for (place, product), row in self.made.items():
            if place == location:
                for part, quantity in self._parts(product, row).items():
                    if part == item:
                        yield product, quantity

    def _steps(self, row: Record) -> list[Record]:
        if row.get("type") != "routing":
            return [row]
        return sorted(self.steps[str(row["name"])],
                      key=lambda step: (number(step, "priority", "operation", 1.0), step["name"]))

    def _parts(self, product: str, row: Record) -> dict[str, float]:
        """Components of one unit."""
        flows: defaultdict[str, float] = defaultdict(float)
        for name in dict.fromkeys([str(row["name"]), *(str(s["name"]) for s in self._steps(row))]):
            for item, quantity in self.flows[name].items():
                flows[item] += quantity
        made = flows.get(product, 0.0)
        return {item: -quantity / (made if made > 0 else 1.0)
                for item, quantity in flows.items() if quantity < 0}

    # -- the tables ------------------------------------------------------------------------------
    def write(self, site_of: Names, item_of: Names) -> None:
        """Routings, bills of materials, machines, crews and calendars."""
        resources = self.file.by_name("resource")
        groups: dict[tuple[str, str], None] = {}
        for (place, product), row in sorted(self.made.items()):
            for step, operation in enumerate(self._steps(row), start=1):
                group, crew = self._work(operation, site_of)
                if group:
                    groups[place, group] = None
                self.out.add("routings", site=site_of(place), product=item_of(product),
                             step=10 * step, group=site_of(group) if group else None,
                             crew=crew, **_times(operation))
            for part, quantity in self._parts(product, row).items():
                self.out.add("bom", site=site_of(place), product=item_of(product),
                             component=item_of(part), quantity=round(quantity, 9))
        for place, group in groups:
            resource = resources.get(group, {})
            self.out.add("machines", machine=site_of(group), site=site_of(place),
                         group=site_of(group), units=max(1, int(self._size(resource))),
                         calendar=self._hours(place, site_of))
        if self.made:
            self.out.assume("Machines and operators are there whenever their location is open; a "
                            "resource with a calendar of its own has the size that stands in it at "
                            "the start.")

    def _work(self, operation: Record, site_of: Names) -> tuple[str, str | None]:
        """The machine of a step, and its crew: the first resource, and the second or the skilled.
        """
        loads = self.loads[str(operation["name"])]
        skilled = [row for row in loads if row.get("skill")]
        others = [row for row in loads if not row.get("skill")]
        if len(loads) > 2 or (len(others) == 0 and len(skilled) > 1):
            self.out.leave_out(f"Operation {operation['name']} needs more than a machine and a "
                               "crew; the rest is left out.")
        group = str(others[0]["resource"]) if others else ""
        second = skilled[0] if skilled else others[1] if len(others) > 1 else None
        if second is None:
            return group, None
        name = site_of(f"crew {second.get('skill') or second['resource']}")
        if name not in self.crews:
            self.crews[name] = None
            skill = second.get("skill")
            able = [str(row["resource"]) for row in self.file("resourceskill")
                    if skill and row.get("skill") == skill]
            if skill:
                self.out.assume(f"All who have {skill} are one crew, whatever else they can do.")
            resource = self.file.by_name("resource").get(str(second["resource"]), {})
            self.out.add("crews", crew=name, size=len(able) or max(1, int(self._size(resource))))
        return group, name

    def _size(self, resource: Record) -> float:
        """How many there are: at the start, by its calendar, or its maximum."""
        calendar = resource.get("maximum_calendar")
        if calendar:
            now = self.out.start
            valid = [row for row in self._buckets(str(calendar))
                     if _begin(row) <= now < _end(row)]
            if valid:
                best = min(valid, key=lambda row: number(row, "priority", "bucket"))
                return number(best, "value", "calendarbucket", 1.0)
        return number(resource, "maximum", "resource", 1.0)

    def _buckets(self, calendar: str) -> list[Record]:
        return [row for row in self.file("calendarbucket") if str(row.get("calendar")) == calendar]

    def _hours(self, place: str, site_of: Callable[[str], str]) -> str | None:
        """The calendar of a location, written once."""
        location = self.file.by_name("location").get(place, {})
        calendar = str(location.get("available") or "")
        rows = self._buckets(calendar)
        usual = number(self.file.by_name("calendar").get(calendar, {}), "defaultvalue", "calendar")
        start = self.out.start
        off = {(start + timedelta(days=n)).date() for n in range(_AHEAD.days) for row in rows
               if not number(row, "value", "calendarbucket")
               and _begin(row) <= start + timedelta(days=n) < _end(row)
               and row.get(_DAYS[(start + timedelta(days=n)).weekday()], True)}
        shifts = [row for row in rows if number(row, "value", "calendarbucket") > 0
                  and _end(row) > start]
        if not calendar or (usual > 0 and not off) or not (shifts or usual > 0):
            return None
        name = site_of(f"hours {calendar}")
        if any(row["calendar"] == name for row in self.out.tables.get("calendars", ())):
            return name
        if usual > 0:
            self.out.add("calendars", calendar=name, day="daily", **{"from": "00:00",
                                                                     "to": "24:00"})
        for row in shifts if not usual > 0 else ():
            for day in _DAYS:
                if row.get(day, True):
                    self.out.add("calendars", calendar=name, day=day[:3],
                                 **{"from": _clock(row.get("starttime"), "00:00"),
                                    "to": _clock(row.get("endtime"), "24:00")})
        for date in sorted(off):
            self.out.add("calendars", calendar=name, day=date.isoformat())
        if off:
            self.out.assume(f"Days off of {calendar} are written for two years from the start.")
        return name


def _times(operation: Record) -> dict[str, Any]:
    """Process time of a step: by the unit with a fixed part as set-up, or by the lot."""
    fixed = hours(operation.get("duration"), "operation")
    each = hours(operation.get("duration_per"), "operation")
    if operation.get("type") == "time_per":
        return {"process_time": f"constant({_precise(each)}h)", "per": "unit",
                "setup_time": f"constant({_precise(fixed)}h)" if fixed else None}
    return {"process_time": f"constant({_precise(fixed)}h)", "per": "lot"}


def _precise(value: float) -> str:
    return written(value) if value > 0.01 or value == 0 else f"{value:.12f}".rstrip("0")


def _begin(row: Record) -> datetime:
    value = row.get("startdate")
    return moment(value or "1970-01-01 00:00:00", "calendarbucket")


def _end(row: Record) -> datetime:
    value = row.get("enddate")
    return moment(value or "2100-01-01 00:00:00", "calendarbucket")


def _clock(value: Any, default: str) -> str:
    text = str(value or default)[:5]
    return "24:00" if text == "23:59" else text
