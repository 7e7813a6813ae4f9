"""Guards of shelves and areas: too little of a product, too much in an area."""

from __future__ import annotations

from twin.events import WALK_IN
from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.debounce import Debounce
from twin.sense.guard import Guard, Post
from twin.sense.storage_area import area_of


class ShelfGuard(Guard):
    """Units on shelves against reorder point and safety stock, and areas against their capacity.

    Stock is what was last counted, or the opening stock of the model, plus what was put on the
    shelf since, minus what was taken off; a door that knows it better says so with `observe`.
    """

    hears = frozenset({"count", "storing", "picking", "expiring", "delivering"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self.on_hand: dict[tuple[str, str], float] = {}
        self._opened: dict[tuple[str, str], float] = {}
        self._changed: dict[tuple[str, str], None] = {}
        self._instant = -float("inf")
        self._alarms: dict[tuple[str, str, str], Debounce] = {}
        self._since: dict[tuple[str, str, str], float] = {}

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in a count or a booking."""
        key = reading.site, reading.product
        row = self.network.stock.get(key)
        if reading.kind == "count":
            return self.observe(*key, reading.quantity, reading.time)
        if not reading.site or (reading.kind == "delivering" and reading.role != WALK_IN):
            return []
        known = self.on_hand.get(key, row.on_hand if row is not None else None)
        if reading.kind == "storing" and reading.cause == "stock":
            # An opening stock, told lot by lot at one instant, replaces what was thought.
            if self._opened.get(key) != reading.time:
                self._opened[key], known = reading.time, 0.0
        if known is None:  # nobody knows what a booking leads to
            return []
        change = reading.quantity if reading.kind == "storing" else -reading.quantity
        return self.observe(*key, max(0.0, known + change), reading.time)

    def observe(self, site: str, product: str, on_hand: float, time: float) -> list[Finding]:
        """Take in what is on a shelf; it is judged when its instant is over."""
        found = self._settle() if time > self._instant else []
        self._instant = max(time, self._instant)
        self.on_hand[site, product] = on_hand
        self._changed.setdefault((site, product))
        return found

    def look(self, now: float) -> list[Finding]:
        """Judge what has changed."""
        return self._settle()

    def _settle(self) -> list[Finding]:
        changed, self._changed = self._changed, {}
        return [finding for site, product in changed for finding in
                (*self._stock(site, product, self._instant),
                 *self._fill(site, product, self._instant))]

    def _stock(self, site: str, product: str, time: float) -> list[Finding]:
        row, name = self.network.stock.get((site, product)), f"{site}/{product}"
        rule = self.rules.find("stock", name)
        if row is None or rule is None or not (
                row.policy or row.reorder_point or row.safety_stock or rule.low == rule.low):
            return []  # nobody keeps it in stock on purpose
        reorder = rule.low if rule.low == rule.low else row.reorder_point or 0.0
        levels = [("info", reorder, "reorder point"),
                  ("warning", row.safety_stock, "safety stock"), ("critical", 0.0, "nothing")]
        on_hand, severity, limit, what = self.on_hand[site, product], "", reorder, ""
        for word, level, called in levels:
            if word == "critical" or level > 0:
                # At 0 there is no share of a limit to come back over: one unit is enough.
                far = 2.0 - on_hand / level if level > 0 else float(on_hand <= 0)
                if self._holds(("stock" + word, site, product), far, time):
                    severity, limit, what = word, level, called
        since = min((when for key, when in self._since.items()
                     if key[1:] == (site, product) and key[0].startswith("stock")), default=time)
        said = f"{on_hand:g} units left, at or below the {what} ({limit:g})" if what != "nothing" \
            else "nothing is left"
        return [Finding("stock", f"shelf {name}", severity, time, since, on_hand, limit, 0.0,
                        said if severity else "")]

    def _fill(self, site: str, product: str, time: float) -> list[Finding]:
        area = area_of(self.network, site, product)
        row, rule = self.network.storage.get((site, area)), self.rules.find("fill",
                                                                            f"{site}:{area}")
        if row is None or row.capacity_m3 is None or rule is None:
            return []
        held = sum(units * self.network.products[other].volume_m3
                   for (place, other), units in self.on_hand.items()
                   if place == site and other in self.network.products
                   and area_of(self.network, site, other) == area)
        share, key = held / row.capacity_m3, ("fill", site, area)
        over = self._holds(key, share / rule.high, time)
        severity = ("critical" if share >= 1.0 else rule.severity) if over else ""
        meaning = f"{held:g} of {row.capacity_m3:g} m3 are full ({100 * share:.0f} %)"
        return [Finding("fill", f"area {site}:{area}", severity, time,
                        self._since.get(key, time), share, rule.high, 0.0, meaning)]

    def _holds(self, key: tuple[str, str, str], severity: float, time: float) -> bool:
        alarm = self._alarms.setdefault(key, Debounce(m=1, n=1, clear=0.95))
        alarm.update(severity)
        if alarm.get():
            self._since.setdefault(key, time)
        else:
            self._since.pop(key, None)
        return alarm.get()
