"""A purchase order as UN/EDIFACT ORDERS, directory D.96A.

One interchange, one message, one line. Its reference is derived from the key of the message, and
the order number from the key that placed the order, so that a receiver knows a copy, and what a
cancellation is of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import code, control_number, instant, line, plain
from twin.operate.forms.purchase import CANCELLATION, CHANGE, ORIGINAL, PurchaseOrder, purchase_of

_FUNCTION = {ORIGINAL: "9", CANCELLATION: "1", CHANGE: "4"}
_SPECIAL = re.compile(r"([?+:'])")
#: One segment: its tag, then elements, each a text or several components.
Segment = tuple[str, *tuple[str | Sequence[str], ...]]


class EdifactOrders(PurchaseOrder):
    """ORDERS: BGM function 9 places an order, 1 cancels it, 4 changes it.

    The character set is Latin-1 (``UNOC:3``); where a name needs more, UTF-8 (``UNOW:4``).

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> form = EdifactOrders("TWIN", "ACME", clock=lambda: datetime(2026, 5, 12, 6, tzinfo=UTC))
    >>> text = form.write(Message("R-17/1", "order", {"target": "W/tea", "quantity": 4.0,
    ...                                               "source": "O'Hara"})).decode("latin-1")
    >>> print(text.replace("'", "'\\n").rstrip())  # doctest: +ELLIPSIS
    UNA:+.? '
    UNB+UNOC:3+TWIN+ACME+260512:0600+...'
    UNH+1+ORDERS:D:96A:UN'
    BGM+220+R-17/1+9'
    DTM+137:202605120600:203'
    NAD+BY+TWIN::92'
    NAD+SU+O?'
    Hara::92'
    NAD+DP+W::92'
    LIN+1++tea:IN'
    QTY+21:4:PCE'
    UNS+S'
    CNT+2:1'
    UNT+11+1'
    UNZ+1+...'
    """

    name, media_type, suffix = "edifact", "application/EDIFACT", ".edi"

    def write(self, message: Message) -> bytes:
        """The interchange."""
        reference = control_number(message.key, 14)
        body = [("UNH", "1", ("ORDERS", "D", "96A", "UN")), *self._message(message)]
        body.append(("UNT", str(len(body) + 1), "1"))
        text = "".join(map(_segment, body))
        parties = self.sender + self.receiver
        try:
            (text + parties).encode("latin-1")
            syntax, encoding = ("UNOC", "3"), "latin-1"
        except UnicodeEncodeError:
            syntax, encoding = ("UNOW", "4"), "utf-8"
        now = self.clock()
        date = f"{now:%Y%m%d}" if syntax[1] == "4" else f"{now:%y%m%d}"
        head = _segment(("UNB", syntax, code("sender", self.sender, 35, {}),
                         code("receiver", self.receiver, 35, {}), (date, f"{now:%H%M}"),
                         reference))
        tail = _segment(("UNZ", "1", reference))
        return f"UNA:+.? '{head}{text}{tail}".encode(encoding)

    def _message(self, message: Message) -> list[Segment]:
        deed, purpose = purchase_of(message, 35)
        site = code("site", deed.site, 17, self.codes)
        said: list[Segment] = [
            ("BGM", "220", code("order", deed.number, 35, self.codes), _FUNCTION[purpose]),
            ("DTM", ("137", f"{self.clock():%Y%m%d%H%M}", "203"))]
        for qualifier, value in (("4", deed.when), ("2", deed.due)):
            moment = instant(value)
            if moment is not None:
                said.append(("DTM", (qualifier, f"{moment:%Y%m%d%H%M}", "203")))
        note = line(deed.note)
        rows = [note[at:at + 70] for at in range(0, len(note), 70)]
        said += [("FTX", "AAI", "", "", rows[at:at + 5]) for at in range(0, len(rows), 5)]
        said.append(("NAD", "BY", (code("buyer", self.sender, 17, self.codes), "", "92")))
        if deed.source:
            said.append(("NAD", "SU", (code("supplier", deed.source, 17, self.codes), "", "92")))
        said.append(("NAD", "DP", (site, "", "92")))
        if self.currency:
            said.append(("CUX", ("2", self.currency, "9")))
        said += [("LIN", "1", "", (code("product", deed.product, 35, self.codes), "IN")),
                 ("QTY", ("21", plain(deed.quantity), self.unit or "PCE"))]
        if deed.price is not None:
            said.append(("PRI", ("AAA", plain(deed.price))))
        return [*said, ("UNS", "S"), ("CNT", ("2", "1"))]


def _segment(parts: Segment) -> str:
    """A segment as text, blank components and elements at its end left out."""
    said = [_joined((part,) if isinstance(part, str) else part, ":") for part in parts]
    return "+".join(_cut(said)) + "'"


def _joined(components: Sequence[str], mark: str) -> str:
    return mark.join(_cut([_SPECIAL.sub(r"?\1", one) for one in components]))


def _cut(parts: Sequence[str]) -> list[str]:
    """Without what is blank at the end; a mark that is part of a text stays."""
    kept = list(parts)
    while kept and not kept[-1]:
        kept.pop()
    return kept
