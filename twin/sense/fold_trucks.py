"""Trucks, folded from history: on which leg of which trip each one is, and for how long."""

from __future__ import annotations

from typing import Any

from twin.driver_hours import DriverHours
from twin.network import Crew, Network
from twin.sense.fold_shelves import mark
from twin.sense.history import Event


class Trucks:
    """Takes rows of history that tell where trucks are."""

    def __init__(self, network: Network) -> None:
        self.homes = {name: row.home for row in network.trucks.values() for name in (
            [row.truck] if row.units == 1
            else [f"{row.truck}#{number}" for number in range(1, row.units + 1)])}
        self.trucks: dict[str, dict[str, Any]] = {}
        self._crews: dict[str, Crew] = {}  #: of trucks whose drivers have to rest
        for row in network.trucks.values():
            if row.crew and DriverHours(crew := network.crews[row.crew]).limited:
                self._crews[row.truck] = crew

    def truck(self, name: str) -> dict[str, Any]:
        """What is known of a truck; one of which nobody has told stands at home."""
        found = self.trucks.get(name)
        if found is None:
            base = name.split("+")[0].split("#")[0]
            home = self.homes.get(name) or next(
                (home for truck, home in self.homes.items() if truck.split("#")[0] == base), "")
            found = self.trucks[name] = {
                "phase": "idle", "home": home, "lane": None, "began": 0.0, "leg": 0.0,
                "since": 0.0, "at": home, "to": "", "shipment": 0, "departed": None,
                "stopped": {}, "halted": None, "driven": 0.0, "delayed": False,
                "hours": None, "wheel": 0.0, "told": 0.0}
        return found

    def hours(self, name: str, now: float) -> DriverHours | None:
        """Hours of a truck's driver at a moment; None where nothing limits them."""
        return self._until(name, now)[0]

    def at_wheel(self, name: str, now: float) -> float:
        """Hours driven of the present leg: those of breakdowns and rests do not count."""
        return self._until(name, now)[1]

    def _until(self, name: str, now: float) -> tuple[DriverHours | None, float]:
        """The driver's hours, and those at the wheel of the present leg, at a moment."""
        truck = self.trucks.get(name)
        crew = None if "+" in name else self._crews.get(name.split("#")[0])  # hired with a driver
        kept = None if truck is None else truck["hours"]
        hours = None if crew is None else \
            DriverHours(crew) if kept is None else DriverHours.recalled(crew, kept)
        if truck is None:
            return hours, 0.0
        wheel: float = truck["wheel"]
        if not truck["to"] or truck["halted"] is not None:
            return hours, wheel
        spans = [(truck["told"], now)] if hours is None else hours.drive(truck["told"], now)
        return hours, wheel + sum(end - begin for begin, end in spans)

    def _keep(self, name: str, now: float, *, sets_out: bool = False) -> None:
        """Remember what was driven until now; of a leg that begins, nothing yet."""
        hours, wheel = self._until(name, now)
        if sets_out:
            wheel = 0.0
            if hours is not None:
                hours.rested = 0.0
        self.trucks[name] |= {"wheel": wheel, "told": now,
                              "hours": None if hours is None else hours.kept()}

    def loading(self, row: Event) -> bool:
        """It loads at the origin of a lane."""
        truck = self.truck(row.asset)
        if truck["phase"] in ("idle", "home", "back"):
            truck["began"] = row.time
        if truck["phase"] != "loading":
            truck["since"] = row.time
        mark(truck, row)
        truck |= {"phase": "loading", "lane": [row.site, row.to_site], "at": row.site}
        return True

    def departing(self, row: Event) -> bool:
        """It leaves: loaded, back from where it unloaded, or empty between home and a load."""
        truck = self.truck(row.asset)
        before = truck["phase"]
        if truck["to"]:
            return False  # it has to come first
        mark(truck, row)
        self._keep(row.asset, row.time, sets_out=True)
        if row.shipment:
            if before != "loading":
                truck["began"] = row.time
            phase = "out"
            truck |= {"lane": [row.site, row.to_site], "shipment": row.shipment,
                      "departed": row.time}
        elif before == "unloading":
            phase = "back"
            truck |= {"shipment": 0, "departed": None}
        elif before == "back":
            phase = "home"
        else:
            phase, truck["began"] = "to_origin", row.time
            truck["lane"] = None
        truck |= {"phase": phase, "at": row.site, "to": row.to_site, "leg": row.time,
                  "since": row.time, "delayed": bool(truck["stopped"]),
                  "halted": row.time if truck["stopped"] else None}
        return True

    def arriving(self, row: Event) -> bool:
        """It is there."""
        truck = self.truck(row.asset)
        if truck["to"] != row.site:
            return False
        mark(truck, row)
        self._keep(row.asset, row.time)
        truck["driven"] += truck["wheel"]
        after = {"to_origin": "loading", "out": "unloading", "home": "idle"}.get(truck["phase"])
        if after is None:  # back: a trip from elsewhere than home ends with a drive home
            after = "idle" if row.site == truck["home"] else "back"
        truck |= {"phase": after, "at": row.site, "to": "", "since": row.time, "halted": None}
        if after == "idle":
            truck["lane"] = None
        return True

    def stop(self, row: Event) -> None:
        """It breaks down."""
        truck = self.truck(row.asset)
        mark(truck, row)
        self._keep(row.asset, row.time)
        truck["stopped"][row.cause] = row.time
        truck["delayed"] = truck["delayed"] or bool(truck["to"])
        if truck["to"] and truck["halted"] is None:
            truck["halted"] = row.time

    def restart(self, row: Event) -> None:
        """It works again."""
        truck = self.truck(row.asset)
        mark(truck, row)
        for cause in (row.cause, "service"):
            if truck["stopped"].pop(cause, None) is not None:
                break
        if not truck["stopped"] and truck["halted"] is not None:
            truck |= {"halted": None, "told": row.time}

    def driven(self, name: str, now: float) -> float:
        """Hours that a truck has driven in its life."""
        truck = self.trucks.get(name)
        if truck is None:
            return 0.0
        hours: float = truck["driven"]
        return hours + (self.at_wheel(name, now) if truck["to"] else 0.0)
