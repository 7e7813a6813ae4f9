"""Lanes, fleets and docks of a sensed chain, as a state says them."""

from __future__ import annotations

from typing import Any

from twin.network import Dock, great_circle_km
from twin.network import Lane as LaneRow
from twin.network import Truck as TruckRow
from twin.sense.begin_orders import Row, Scene, lane_name
from twin.sense.fold_shelves import EPS

_CERTAIN = ("constant", "series", "ar1")


class Moves:
    """What waits to leave, is under way, is handled at a dock, and every truck's trip."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.lanes = {lane_name(row): row for row in scene.network.lanes.values()}
        self.docks: dict[tuple[str, str], Dock] = {}
        self.visits: dict[str, list[Row]] = {}
        self.hands: dict[str, list[Row]] = {}
        self.windows = {row.site for row in scene.network.windows.values()}
        self.drivers: dict[str, list[str]] = {}  #: crew -> seats of trucks on a trip
        self.gates: dict[str, list[Row]] = {}  #: who waits for the window of a site
        for dock in scene.network.docks.values():
            for way in ("in", "out") if dock.direction == "both" else (dock.direction,):
                self.docks[dock.site, way] = dock

    def state(self) -> dict[str, Row]:
        """Every lane, fleet, dock and pair of hands."""
        fleets = self._fleets()
        found = {name: self._lane(name, row) for name, row in self.lanes.items()}
        found |= fleets | self._seats()
        for row in self.scene.network.docks.values():
            found[f"{row.site}/{row.direction}"] = self._dock(row)
        for name in self.scene.actors:
            if name.startswith("hands "):
                visits = sorted(self.hands.get(name[6:], ()), key=lambda visit: -visit["age"])
                found[name] = {"queue": [], "serving": visits}
        for site in self.windows:
            gate = sorted(self.gates.get(site, ()), key=lambda visit: -visit["age"])
            found[f"reception {site}"] = {"queue": gate}
        return found

    # -- lanes -----------------------------------------------------------------------------------
    def _lane(self, name: str, row: LaneRow) -> Row:
        scene, at = self.scene, self.scene.at
        state = {**scene.actors[name], "waiting": self._waiting(name, row), "moving": [],
                 "held": []}
        for number, shipment in sorted(scene.goods.shipments.items()):
            if shipment["lane"] != name or self._carried(number, shipment):
                continue
            load = scene.load(shipment["parts"])
            if not load:
                continue
            if shipment["gate"] is not None or shipment["unloaded"] is not None:
                self._at_door(row, shipment, load, state)
                continue
            age = at - shipment["departed"]
            due, delayed = self._due(row, shipment, age)
            state["moving"].append({"load": load, "age": age, "due_in": due, "delayed": delayed})
        return state

    def _carried(self, number: int, shipment: Row) -> bool:
        """Whether a shipment is on a truck now."""
        truck = self.scene.trucks.trucks.get(shipment["truck"])
        return truck is not None and truck["shipment"] == number

    def _due(self, row: LaneRow, shipment: Row, age: float) -> tuple[float, bool]:
        """Hours until a shipment comes, and whether that is a date that somebody named."""
        scene = self.scene
        for order, *_ in shipment["parts"]:
            told = scene.goods.orders.get(order, {})
            firm = scene.network.orders.get(told.get("source", ""))
            if told.get("role") == "firm" and firm is not None and firm.due is not None:
                return max(0.0, firm.due - scene.at), True
        if row.transit is None:
            return max(0.0, scene.mean_transit(row) - age), False
        if row.profile:
            factor = scene.rules.factor(row.profile, shipment["departed"])
            return max(0.0, row.transit.mean() * factor - age), False
        return scene.rules.left(row.transit, age, 0.5), False

    def _at_door(self, row: LaneRow, shipment: Row, load: list[Row], state: Row) -> None:
        """A shipment that has come: at a dock, in somebody's hands, or held at a closed gate."""
        scene, at = self.scene, self.scene.at
        since = shipment["unloaded"] if shipment["unloaded"] is not None else shipment["gate"]
        dock = self.docks.get((row.destination, "in"))
        site = scene.network.sites[row.destination]
        handled = site.handling_time.mean() > 0.0
        visit = {"age": at - since, "volume": 0.0, "visitor": lane_name(row), "load": load,
                 "warm": False}
        in_hand = shipment["unloaded"] is not None or dock is None or (
            handled and at - since > dock.time.mean())
        if in_hand and handled:
            self.hands.setdefault(row.destination, []).append({**visit, "step": "put_away"})
        elif dock is not None:
            volume = self._volume(load)
            self.visits.setdefault(f"{dock.site}/{dock.direction}", []).append(
                {**visit, "volume": volume, "step": "unload"})
        elif row.destination in self.windows:
            self.gates.setdefault(row.destination, []).append({**visit, "step": "unload"})
        else:
            state["held"].append({"load": load, "age": at - shipment["departed"]})

    def _volume(self, load: list[Row]) -> float:
        """Cubic metres of consignments."""
        rows = self.scene.orders.rows
        return float(sum(part["quantity"] * self.scene.volume(rows[part["order"]]["product"])
                         for part in load))

    def _waiting(self, name: str, row: LaneRow) -> list[Row]:
        """Goods that wait at the origin of a lane; those still being picked are in hands."""
        scene, at = self.scene, self.scene.at
        picking = scene.network.sites[row.origin].handling_time.mean()
        parts = []
        for number, order in scene.goods.orders.items():
            known = scene.orders.rows.get(number)
            if known is not None and known["lane"] == name:
                parts += [[number, lot, product, units, ready]
                          for lot, product, units, ready in order["out"] if units > EPS]
        parts.sort(key=lambda part: (part[4], part[0]))
        for each in scene.load([part for part in parts if at - part[4] < picking]):
            self.hands.setdefault(row.origin, []).append(
                {"age": each["age"], "volume": 0.0, "visitor": name, "step": "picked",
                 "load": [each], "warm": None})
        return scene.load([part for part in parts if at - part[4] >= picking])

    # -- docks -----------------------------------------------------------------------------------
    def _dock(self, row: Dock) -> Row:
        """Who stands at a door and who waits for one: first come, first served."""
        visits = sorted(self.visits.get(f"{row.site}/{row.direction}", ()),
                        key=lambda visit: -visit["age"])
        serving, queue = visits[:row.doors], visits[row.doors:]
        if row.doors == 1 and serving:
            serving[0]["age"] = min(serving[0]["age"], self.scene.at - self._freed(row))
        return {"queue": queue, "serving": serving}

    def _freed(self, row: Dock) -> float:
        """When the only door of a dock was last left."""
        last = 0.0
        for name, lane in self.lanes.items():
            if lane.destination == row.site and row.direction != "out":
                last = max(last, self.scene.goods.served.get(name, 0.0))
            if lane.origin == row.site and row.direction != "in":
                last = max(last, self.scene.goods.served.get(f"{name} out", 0.0))
        return last

    # -- trucks ----------------------------------------------------------------------------------
    def _fleets(self) -> dict[str, Row]:
        scene = self.scene
        found: dict[str, Row] = {}
        for name, blank in scene.actors.items():
            if name.startswith("fleet "):
                home = name[6:]
                found[name] = {truck: self._truck(truck, state) for truck, state in blank.items()}
                for truck, known in scene.trucks.trucks.items():
                    if known["home"] == home and truck not in blank and known["phase"] != "idle" \
                            and blank:
                        found[name][truck] = self._truck(truck, next(iter(blank.values())))
                for truck, state in found[name].items():
                    row = self._row(truck)
                    if row is not None and row.crew and state["lane"] and "+" not in truck:
                        self.drivers.setdefault(f"crew {row.crew}", []).append(f"driver {truck}")
        return found

    def _seats(self) -> dict[str, Row]:
        """Hours at the wheel of drivers that have to rest."""
        found = {}
        for name in self.scene.actors:
            if name.startswith("driver "):
                hours = self.scene.trucks.hours(name.removeprefix("driver "), self.scene.at)
                if hours is not None:
                    found[name] = hours.state(self.scene.at)
        return found

    def _truck(self, name: str, blank: Row) -> Row:
        scene, at = self.scene, self.scene.at
        known = scene.trucks.trucks.get(name)
        if known is None:
            return {**blank, "age": at, "leg_age": at}
        phase, row = known["phase"], self._row(name)
        lane = self._truck_lane(name, known)
        hours = scene.trucks.hours(name, at)
        rested = 0.0 if hours is None else hours.resting(at)
        state = {**blank, "phase": phase, "lane": None, "age": at - known["began"],
                 "leg_age": at - known["leg"] - rested, "delayed": known["delayed"]}
        if phase == "idle" or lane is None or row is None:
            return {**state, "phase": "idle"}
        state["lane"] = lane_name(lane)
        shipment = scene.goods.shipments.get(known["shipment"])
        if phase in ("loading", "to_origin"):
            state["load"] = scene.load(scene.goods.loads.get(name, []))
        elif phase in ("out", "unloading") and shipment is not None:
            state["load"] = scene.load(shipment["parts"])
            state["departed_age"] = at - shipment["departed"]
        if phase in ("loading", "to_origin", "out", "unloading") and not state["load"]:
            return {**state, "phase": "back" if phase == "out" else "idle",
                    "lane": state["lane"] if phase == "out" else None,
                    "left": self._left(name, row, known, lane, phase), "departed_age": None}
        if known["to"]:
            state["left"] = self._left(name, row, known, lane, phase)
        state["at_dock"] = self._docks(name, known, lane, state)
        return state

    def _row(self, name: str) -> TruckRow | None:
        base = name.split("+")[0].split("#")[0]
        return self.scene.network.trucks.get(base)

    def _truck_lane(self, name: str, known: Row) -> LaneRow | None:
        """The lane that a truck serves; on its way to a load, the lane of what waits there."""
        if known["lane"] is not None:
            origin, destination = known["lane"]
        elif known["phase"] == "to_origin":
            waiting = [lane for lane in self.lanes.values()
                       if lane.origin == known["to"] and lane.fleet == known["home"]]
            return waiting[0] if waiting else None
        else:
            return None
        fit = [lane for lane in self.lanes.values() if lane.fleet == known["home"]
               and (lane.origin, lane.destination) == (origin, destination)]
        return fit[0] if fit else None

    def _left(self, name: str, row: TruckRow, known: Row, lane: LaneRow,
              phase: str) -> float:
        """Hours left of a leg: as planned where it is no matter of luck, else in the middle."""
        scene = self.scene
        driven = scene.trucks.at_wheel(name, scene.at)
        if phase in ("to_origin", "home"):
            sites = scene.network.sites
            begin, end = sites.get(known["at"]), sites.get(known["to"])
            km = 0.0 if begin is None or end is None else great_circle_km(begin, end) or 0.0
            return max(0.0, km / row.speed_kmh - driven)
        way = lane
        if phase == "back":
            way = self.lanes.get(f"{lane.destination}:{lane.origin}:{lane.mode}", lane)
            way = way if way.fleet else lane
        factor = 1.0
        for profile in (way.profile, row.profile):
            if profile:
                factor *= scene.rules.factor(profile, known["leg"])
        if way.transit is None:
            km = scene.network.distance_km(way) or 0.0
            return max(0.0, km / row.speed_kmh * factor - driven)
        if way.transit.kind in _CERTAIN or factor != 1.0:
            return max(0.0, way.transit.mean() * factor - driven)
        return scene.rules.left(way.transit, driven, 0.5)

    def _docks(self, name: str, known: Row, lane: LaneRow, state: Row) -> bool:
        """Whether a truck waits for a door or stands at one; its visit is noted."""
        way = {"loading": "out", "unloading": "in"}.get(known["phase"])
        site = lane.origin if way == "out" else lane.destination
        dock = self.docks.get((site, way or ""))
        gate = dock is None and way == "in" and site in self.windows
        if dock is None and not gate:
            return False
        scene = self.scene
        volume = self._volume(state["load"])
        age = scene.at - known["since"]
        if dock is not None and way == "in" and self._full(lane.destination) \
                and age > 2.0 * (dock.time.mean() + volume * dock.time_per_m3):
            return False
        visit: dict[str, Any] = {"age": age, "volume": volume, "visitor": name, "step": "docked",
                                 "load": None, "warm": None}
        if dock is None:
            self.gates.setdefault(site, []).append(visit)
        else:
            self.visits.setdefault(f"{dock.site}/{dock.direction}", []).append(visit)
        return True

    def _full(self, site: str) -> bool:
        """Whether goods wait for room at a site."""
        return any(shelf["outside"] for key, shelf in self.scene.goods.shelves.items()
                   if key.split("/", 1)[0] == site)
