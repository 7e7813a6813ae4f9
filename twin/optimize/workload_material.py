"""When the components of a lot are there: from stock, from what is on its way, or by expectation.
"""

from __future__ import annotations

from twin.network import Network
from twin.state import State


class Material:
    """Units of components at plants, promised to one lot after another.

    Parameters
    ----------
    now
        Hours from the start of the model.

    Examples
    --------
    >>> plant = Network(sites=[{"site": "P", "kind": "plant"}, {"site": "S", "kind": "supplier"}],
    ...                 products=[{"product": "bolt"}], stock=[{"site": "P", "product": "bolt",
    ...                 "on_hand": 5}], supply=[{"site": "S", "product": "bolt",
    ...                 "lead_time": "1d"}], lanes=[{"origin": "S", "destination": "P",
    ...                 "transit": "2d"}])
    >>> bolts = Material(plant, None, 0.0)
    >>> bolts.take("P", "bolt", 4), bolts.take("P", "bolt", 4)
    ((0.0, ''), (72.0, 'bolt, of which none is on its way'))
    """

    def __init__(self, network: Network, state: State | None, now: float) -> None:
        self.network, self.state, self.now = network, state, now
        #: what comes at which hour from now, and is not promised yet
        self.coming: dict[tuple[str, str], list[list[float]]] = {}
        for site, product in network.stock:
            self.coming[site, product] = [[0.0, self._on_hand(site, product)]]
        self._inbound()
        for line in self.coming.values():
            line.sort()

    def _on_hand(self, site: str, product: str) -> float:
        told = {} if self.state is None else self.state.actors.get(f"shelf {site}/{product}", {})
        if told:
            return max(0.0, float(told["on_hand"]) - float(told["owed"]))
        return self.network.stock[site, product].on_hand if self.state is None else 0.0

    def _inbound(self) -> None:
        if self.state is None:
            for row in self.network.orders.values():
                if row.source and row.status == "shipped" and (
                        row.site, row.product) in self.coming:
                    self.coming[row.site, row.product].append([row.due or 0.0, row.quantity])
            return
        moving = self._moving()
        for order in self.state.orders:
            buyer = str(order["buyer"])
            site, _, product = buyer.removeprefix("shelf ").partition("/")
            if not buyer.startswith("shelf ") or (site, product) not in self.coming:
                continue
            wait = moving.get(int(order["number"]))
            if wait is None:
                wait = max(1.0, self.lead(site, product) - float(order["age"]))
            self.coming[site, product].append([wait, float(order["undelivered"])])

    def _moving(self) -> dict[int, float]:
        """Hours until each order on a lane or a truck arrives."""
        assert self.state is not None
        found: dict[int, float] = {}
        for told in self.state.actors.values():
            for shipment in told.get("moving") or ():
                for part in shipment["load"]:
                    found[int(part["order"])] = max(0.0, float(shipment["due_in"]))
            if told.get("load") and "leg_age" in told:
                for part in told["load"]:
                    found[int(part["order"])] = max(0.0, float(told.get("left") or 0.0))
        return found

    def lead(self, site: str, product: str, seen: tuple[str, ...] = ()) -> float:
        """Expected hours from an order of today to its arrival."""
        network, best = self.network, float("inf")
        own = network.supply.get((site, product))
        if own is not None:
            return own.lead_time.mean()
        for lane in network.lanes.values():
            if lane.destination == site and lane.origin not in (*seen, site):
                transit = lane.transit.mean() if lane.transit is not None else \
                    (network.distance_km(lane) or 0.0) / 60.0
                before = 0.0 if (lane.origin, product) in network.stock else \
                    self.lead(lane.origin, product, (*seen, site))
                best = min(best, lane.order_delay + transit + before)
        return best

    def take(self, site: str, product: str, units: float) -> tuple[float, str]:
        """Promise units to a lot: the hour from now at which they are there, and a remark."""
        left, when = units, 0.0
        for entry in self.coming.get((site, product), ()):
            if left <= 1e-9:
                break
            used = min(left, entry[1])
            if used > 0.0:
                entry[1] -= used
                left -= used
                when = max(when, entry[0])
        if left <= 1e-9:
            return when, f"{product} on its way" if when > 0.0 else ""
        lead = self.lead(site, product)
        if lead == float("inf"):
            lead = 0.0
        return max(when, lead), f"{product}, of which none is on its way"
