"""Guards of ranges: a place outside its limits, and the lots that have suffered from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from twin.kinds import KINDS
from twin.readings import Reading
from twin.sense.alerts import Finding
from twin.sense.debounce import Debounce
from twin.sense.excursion import Excursion, limits_of
from twin.sense.exposure import Exposure, LotCondition, place_of
from twin.sense.guard import Guard, Post, clock
from twin.sense.rules import MEASURED, Rule

_BELIEVED_H = 2.0  # a value is believed for so long without a new one
_MOST = 50_000  # places that are watched: shipments come and go, and anybody may name one


class _Watch:
    """One place and signal against its rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.debounce = Debounce(rule.m, rule.n, rule.clear)
        self.fresh()

    def fresh(self) -> None:
        """Begin again, as after an alert that is over."""
        rule = self.rule
        low = None if rule.low != rule.low else rule.low
        high = None if rule.high != rule.high else rule.high
        hours = rule.after if rule.after == rule.after else 1.0
        self.excursion = Excursion(limits_of(low, high, hours), longest=_BELIEVED_H)
        self.since = math.nan
        self.worst = math.nan

    def severity_of(self, value: float) -> float:
        """1 at a limit; below `clear` (0.9) once it is a margin inside.

        The margin is a twentieth of the range, or a tenth of a single limit, at least 0.5.
        """
        rule, sides = self.rule, []
        if rule.low == rule.low and rule.high == rule.high:
            margin = 0.05 * (rule.high - rule.low)
        else:
            limit = rule.high if rule.high == rule.high else rule.low
            margin = max(0.5, 0.1 * abs(limit))
        margin = max(margin, 1e-9)
        if rule.high == rule.high:
            sides.append(1.0 + (value - rule.high) / (10.0 * margin))
        if rule.low == rule.low:
            sides.append(1.0 + (rule.low - value) / (10.0 * margin))
        side = max(sides)
        return math.nextafter(1.0, 0.0) if side == 1.0 else side  # the limit itself is good


class RangeGuard(Guard):
    """Measured values against the rule of their place: an excursion, then a breach."""

    hears = frozenset(MEASURED)

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        self._watches: dict[tuple[str, str, str], _Watch | None] = {}
        self._lit: set[tuple[str, str, str]] = set()
        self._calm: set[tuple[str, str, str]] = set()

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in a value."""
        noun, name = place_of(reading)
        if reading.lot and not (reading.shipment or reading.asset or reading.site):
            noun, name = "lot", reading.lot
        if not name:
            noun, name = "sensor", reading.sensor
        key = reading.kind, noun, name
        if key not in self._watches:
            if len(self._watches) >= _MOST:
                self._drop()
            rule = self.rules.find(reading.kind, name)
            self._watches[key] = None if rule is None else _Watch(rule)
        watch = self._watches[key]
        if watch is None or reading.quality == "bad":
            return []
        watch.excursion.update(reading)
        severity = watch.severity_of(reading.value)
        if severity >= 1.0:
            watch.since = reading.time if watch.since != watch.since else watch.since
            watch.worst = reading.value if watch.worst != watch.worst else max(
                watch.worst, reading.value, key=watch.severity_of)
        was = watch.debounce.get()
        watch.debounce.update(severity)
        if watch.debounce.get():
            self._lit.add(key)
            return [self._finding(key, watch, reading.time)]
        calm = severity < watch.rule.clear
        if was or (key in self._lit and calm):
            watch.fresh()
        if was or (calm and (key in self._lit or key not in self._calm)):
            # The first calm value is told too: an alert may be open from before we listened.
            self._lit.discard(key)
            self._calm.add(key)
            return [Finding(reading.kind, f"{noun} {name}", "", reading.time)]
        if severity < 1.0:
            watch.since = math.nan
        return []

    def _drop(self) -> None:
        """Forget the places watched longest, but for those that are in trouble."""
        for key in list(self._watches)[:_MOST // 10]:
            if key not in self._lit:
                del self._watches[key]

    def look(self, now: float) -> list[Finding]:
        """Whether an excursion has become a breach."""
        found = []
        for key, watch in self._watches.items():
            if watch is not None and watch.since == watch.since:
                watch.excursion.advance(now)
                if watch.excursion.get().breaches:
                    self._lit.add(key)
                    found.append(self._finding(key, watch, now))
        return found

    def _finding(self, key: tuple[str, str, str], watch: _Watch, now: float) -> Finding:
        kind, noun, name = key
        breaches = watch.excursion.get().breaches
        rule, unit = watch.rule, KINDS[kind].unit
        limit = rule.high if rule.high == rule.high and not watch.worst < rule.low else rule.low
        since = watch.since if watch.since == watch.since else now
        word = "breach" if breaches else "excursion"
        meaning = (f"{word}: {kind} {watch.worst:g} {unit}, limit {limit:g} {unit}, since "
                   f"{clock(since)}")
        return Finding(kind, f"{noun} {name}", "critical" if breaches else rule.severity, now,
                       since, watch.worst, limit, 0.0, meaning)


class LotGuard(Guard):
    """Lots against the limits and the life of their products, with their value at risk."""

    hears = frozenset({
        "temperature", "storing", "receiving", "commissioning", "sighting", "shipping", "starting",
        "departing", "arriving", "delivering", "consuming", "expiring", "scrapping", "lost"})

    def __init__(self, post: Post) -> None:
        super().__init__(post)
        rule = self.rules.find("lot", "*")
        hours = rule.after if rule and rule.after == rule.after else 1.0
        self.exposure = Exposure(self.network, hours)
        self._told: dict[tuple[str, str], str] = {}
        self._again = -float("inf")

    def hear(self, reading: Reading) -> list[Finding]:
        """Take in what happened to lots and what they feel."""
        self.exposure.update(reading)
        if reading.kind == "temperature":
            lots = {part.lot for part in self.exposure.around(reading)
                    if part.suffers(reading.value) or self._told.get(("lot", part.lot))}
        else:
            lots = {lot for kind, lot in self._told if lot == reading.lot}
        return [finding for lot in sorted(lots) for finding in self._judge(lot, reading.time)]

    def look(self, now: float) -> list[Finding]:
        """Whose life is nearly used up; every six hours."""
        if now < self._again:
            return []
        self._again = now + 6 * 3600.0
        rule = self.rules.find("shelf_life", "*")
        return [finding for lot in self.exposure.worn(now, rule.high if rule else 1.0)
                for finding in self._judge(lot, now)]

    def _judge(self, lot: str, now: float) -> list[Finding]:
        parts, found = self.exposure.of(lot), []
        for kind in ("lot", "shelf_life"):
            finding = self._about(kind, lot, parts, now)
            if finding.severity or self._told.get((kind, lot)):
                found.append(finding)
            if finding.severity:
                self._told[kind, lot] = finding.severity
            else:
                self._told.pop((kind, lot), None)
        return found

    def _about(self, kind: str, lot: str, parts: Sequence[LotCondition], now: float) -> Finding:
        rule = self.rules.find(kind, lot)
        subject, over = f"lot {lot}", Finding(kind, f"lot {lot}", "", now)
        if rule is None or not parts:
            return over
        if kind == "shelf_life":
            used = max((part.remaining.used for part in parts if part.remaining), default=0.0)
            if not used > rule.high:
                return over
            spent = sum(part.units * self.network.products[part.product].value for part in parts)
            return Finding(kind, subject, "critical" if used >= 1.0 else rule.severity, now, now,
                           used, rule.high, spent, f"{100 * used:.0f} % of its shelf life is used")
        hurt = [part for part in parts if part.condition.state in ("excursion", "breach")]
        if not hurt:
            return over
        worst = max(hurt, key=lambda part: (part.condition.state == "breach",
                                            part.condition.hours_outside))
        condition = worst.condition
        stays = [stay for stay in condition.stays if stay.since == stay.since]
        since = min([stay.since for stay in stays], default=now)
        units, money = sum(part.units for part in hurt), sum(part.at_risk for part in hurt)
        low, high = condition.lowest, condition.highest
        meaning = (f"{condition.state}: {units:g} units of {worst.product} saw {low:g} to {high:g} "
                   f"C, {condition.hours_outside:.1f} h outside; {money:,.0f} "
                   f"{self.network.currency} at risk")
        return Finding(kind, subject, "critical" if condition.state == "breach" else rule.severity,
                       now, since, condition.hours_outside, rule.after, money, meaning)
