"""A rehearsal: a hidden operation, its instruments, and what goes out over the wire.

The clock is virtual and lockstep: whoever drives it says until when to live, and gets everything
that was sent meanwhile. The same truth gives the same messages, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from twin.clock import hours_after, parse_moment
from twin.network import Network
from twin.plan import Order
from twin.rehearse.fault import Message, Outgoing, Transmission
from twin.rehearse.instruments import Instrument, instruments_of
from twin.rehearse.truth import Truth
from twin.simulate.operation import Operation

if TYPE_CHECKING:
    from twin.rehearse.wire import Command

_EPS = 1e-9
_CLERK_H = 0.25  #: how often somebody looks whether a late record is due
#: Which system of a site tells of an event.
_SYSTEM = {
    **dict.fromkeys(("ordering", "lost", "delivering", "shipping", "returning"), "erp"),
    **dict.fromkeys(("receiving", "storing", "picking", "expiring", "arriving", "departing"),
                    "wms"),
    **dict.fromkeys(("commissioning", "consuming", "transforming", "scrapping", "starting",
                     "completing", "setup", "failing", "repairing"), "mes"),
}
_REFERENCES = ("lot", "parent", "order", "shipment")
#: Events at whose place a reader sees the tag of the lot.
_SEEN = {"storing": "shelf", "departing": "dock", "arriving": "dock"}


@dataclass(slots=True)
class Rehearsal:
    """An operation with instruments.

    Parameters
    ----------
    network
        What the twin is told.
    truth
        What is really so.
    settle_h
        Hours that the operation has lived before instruments look; events of that time are told.
    sensing
        Whether instruments are there, or only the systems (ERP, WMS, MES).

    Examples
    --------
    >>> from twin.experiment import read_model
    >>> from twin.rehearse.truth import hide
    >>> harbour = read_model("harbour")
    >>> rehearsal = Rehearsal(harbour, hide(harbour, seed=3))
    >>> sent = rehearsal.step(6.0)
    >>> len({sensor for sensor, _ in sent}) > 20, round(rehearsal.now, 6)
    (True, 6.0)
    """

    network: Network
    truth: Truth
    settle_h: float = 0.0
    sensing: bool = True
    operation: Operation = field(init=False)
    instruments: list[Instrument] = field(init=False)
    line: Transmission = field(init=False)
    times: list[float] = field(init=False, default_factory=list)
    _told: int = field(init=False, default=0)
    _clerks: bool = field(init=False, default=False)
    _seen: dict[str, float] = field(init=False, default_factory=dict)
    _numbers: dict[str, int] = field(init=False, default_factory=dict)
    _late: list[tuple[float, int, Message]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        real = self.truth.apply(self.network)
        self.operation = Operation(real, self.truth.scenario().later(self.settle_h),
                                   seed=self.truth.seed)
        self.instruments = instruments_of(self.network, self.truth.seed) if self.sensing else []
        for one in self.instruments:
            one.fails([failing for failing in self.truth.failing if failing.machine == one.asset],
                      self.settle_h)
        self._clerks = any(site.record_delay for site in real.sites.values())
        self.line = Transmission(self.truth.faults, self.truth.seed)

    @property
    def now(self) -> float:
        """Hours from the start of the model."""
        return self.operation.now

    @property
    def clock(self) -> float:
        """The same in seconds since 1970."""
        return self.network.start.timestamp() + 3600.0 * self.now

    @property
    def sensors(self) -> list[str]:
        """The names of the instruments."""
        return [instrument.name for instrument in self.instruments]

    def step(self, until_h: float) -> list[Outgoing]:
        """Live until a time, and give what was sent: (sensor, message or raw bytes), in order.

        `times` then says when each message went out.
        """
        sent: list[Outgoing] = []
        self.times = []
        while self.now < until_h - _EPS:
            before = self.clock
            self.operation.run(min(until_h, self._next_look()))
            out = self.line.send([*self._events(), *self._looks()], self.now - self.settle_h)
            self.times += _when(out, before, self.clock)
            sent += out
        return sent

    def order(self, site: str, product: str, quantity: float, source: str = "") -> int:
        """Take an order from outside; its number."""
        return self.operation.order(site, product, quantity, source)

    def execute(self, command: Command) -> int:
        """Do what was asked from outside; the number of the new order, 0 if there is none.

        Raises
        ------
        ValueError
            If it cannot be done; who asked is told why.
        """
        if command.verb == "set":
            self.operation.set(command.cell, command.value)
            return 0
        if command.verb == "order" and not command.mode:
            return self.order(command.site, command.product, command.quantity, command.source)
        due = None
        if command.due:
            due = hours_after(self.network.start, parse_moment(command.due))
        self.operation.do(Order(command.verb, command.site, command.product, command.quantity,
                                self.now, command.source, command.mode, due, command.order))
        return command.order

    # -- events ----------------------------------------------------------------------------------
    def _events(self) -> Iterator[Message]:
        for row in self.operation.ledger.tail(self._told):
            self._told = row["id"]
            system = _SYSTEM.get(row["event"])
            if system is None:
                continue  # disturbances are nobody's knowledge
            place = row.get("site") or row.get("to_site") or "chain"
            said: Message = {"sensor": f"{system}_{place}", "id": f"e{row['id']}",
                             "ts": self._ts(row["time"]), "kind": row["event"], "source": system}
            for name, value in row.items():
                if name in _REFERENCES:
                    said[name] = str(value)
                elif name not in ("id", "time", "event", "recorded", "source"):
                    said[name] = value
            if row.get("quantity") is None and row["event"] not in ("failing", "repairing"):
                said["quantity"] = 0.0
            site = self.operation.network.sites.get(place)
            if site is not None and site.record_delay and system == "wms":
                heappush(self._late, (row["time"] + site.record_delay, row["id"], said))
            else:
                yield said
            yield from self._witnessed(row, said["ts"], place)
        while self._late and self._late[0][0] <= self.now + _EPS:
            yield heappop(self._late)[2]

    def _witnessed(self, row: dict[str, Any], ts: float, place: str) -> Iterator[Message]:
        """What instruments see of an event: tags at a reader, a machine's cycle counter."""
        if not self.sensing or self.now < self.settle_h:
            return
        event = row["event"]
        if event in _SEEN and row.get("lot"):
            yield self._numbered(f"reader_{_SEEN[event]}_{place}", {
                "ts": ts, "kind": "sighting", "site": place, "area": _SEEN[event],
                "lot": str(row["lot"]), "product": row.get("product", "")})
        elif event == "starting" and row.get("asset"):
            self._seen[f"cycle {row['asset']}"] = row["time"]
        elif event == "completing" and row.get("asset"):
            began = self._seen.pop(f"cycle {row['asset']}", None)
            if began is not None:
                yield self._numbered(f"plc_{row['asset']}", {
                    "ts": ts, "kind": "cycle", "site": place, "asset": row["asset"],
                    "product": row.get("product", ""), "value": round(row["time"] - began, 6),
                    "unit": "h", "quantity": row.get("quantity", 0.0)})
        elif event == "scrapping" and row.get("asset"):
            yield self._numbered(f"plc_{row['asset']}", {
                "ts": ts, "kind": "reject", "site": place, "asset": row["asset"],
                "quantity": row.get("quantity", 0.0)})

    # -- instruments -----------------------------------------------------------------------------
    def _next_look(self) -> float:
        """When an instrument looks next, or a late record is made."""
        if not self.instruments or self.now < self.settle_h:
            look = self.now + (_CLERK_H if self._clerks else 24.0)
            look = min(look, self.settle_h) if self.now < self.settle_h else look
        else:
            look = min(self._due(one) for one in self.instruments)
        return min(look, max(self.now, self._late[0][0])) if self._late else look

    def _due(self, one: Instrument) -> float:
        last = self._seen.get(one.name)
        return max(self.settle_h, self.now) if last is None else last + one.every

    def _looks(self) -> Iterator[Message]:
        if not self.instruments or self.now < self.settle_h:
            return
        due = [one for one in self.instruments if self._due(one) <= self.now + _EPS]
        if not due:
            return
        view = self.operation.view()
        for one in due:
            first = one.name not in self._seen
            elapsed = one.every if first else self.now - self._seen[one.name]
            self._seen[one.name] = self.now
            place = {key: value for key, value in (("site", one.site), ("asset", one.asset))
                     if value}
            for said in one.read(view, elapsed):
                yield self._numbered(one.name, {"ts": self._ts(self.now), **place, **said})
            yield from self._own(one)

    def _own(self, one: Instrument) -> Iterator[Message]:
        """Once a day each device tells of its battery."""
        if self._seen.get(f"battery {one.name}", -1e9) + 24.0 > self.now + _EPS:
            return
        self._seen[f"battery {one.name}"] = self.now
        one.charge = max(5.0, one.charge - 0.2)
        yield self._numbered(one.name, {"ts": self._ts(self.now), "kind": "battery",
                                        "value": round(one.charge, 1)})

    def _numbered(self, sensor: str, said: Message) -> Message:
        number = self._numbers[sensor] = self._numbers.get(sensor, 0) + 1
        return {"sensor": sensor, "id": str(number), **said}

    def _ts(self, hours: float) -> float:
        """Milliseconds since 1970 of an hour of the model."""
        return round(1000.0 * self.network.start.timestamp() + 3.6e6 * hours)


def _when(sent: Sequence[Outgoing], before: float, now: float) -> Iterator[float]:
    """When each message went out, seconds since 1970: at the time that it names, if that lies in
    the step, else at its end; never before the message ahead of it.
    """
    last = before
    for _, row in sent:
        at = row["ts"] / 1000.0 if isinstance(row, dict) else last
        last = max(last, at if before <= at <= now else now)
        yield last
