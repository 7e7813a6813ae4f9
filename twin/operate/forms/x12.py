"""A purchase order as ANSI X12 850, release 004010.

X12 has no way to escape a separator, so separators are chosen that do not occur in what is said; a
reader finds them in the ISA segment, whose length is fixed.

The interchange control number is derived from the key and has nine digits only, as the standard
wants it: of 10,000 messages, two share one with a chance of 5 %. A receiver that refuses copies
should look at the order number (BEG03) and purpose (BEG01) together.
"""

from __future__ import annotations

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import code, control_number, instant, line, plain
from twin.operate.forms.purchase import CANCELLATION, CHANGE, ORIGINAL, PurchaseOrder, purchase_of

_PURPOSE = {ORIGINAL: "00", CANCELLATION: "01", CHANGE: "04"}
_ELEMENTS, _SEGMENTS, _COMPONENTS = "*|^\x1d", "~!\x1c", ">:\x1f"


class X12Order(PurchaseOrder):
    """850: BEG01 is 00 for an order, 01 for its cancellation, 04 for a change.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> form = X12Order("TWIN", "ACME", clock=lambda: datetime(2026, 5, 12, 6, tzinfo=UTC))
    >>> text = form.write(Message("R-17/1", "order", {"target": "W/tea", "quantity": 4.0,
    ...                                               "source": "ACME"})).decode()
    >>> print("\\n".join(text.split("~")[2:-3]))
    ST*850*0001
    BEG*00*SA*R-17/1**20260512
    N1*BY**92*TWIN
    N1*SU**92*ACME
    N1*ST**92*W
    PO1*1*4*EA***BP*tea
    CTT*1
    SE*8*0001
    """

    name, media_type, suffix = "x12", "application/EDI-X12", ".x12"

    def write(self, message: Message) -> bytes:
        """The interchange, UTF-8."""
        now = self.clock()
        control = control_number(message.key, 9)
        sender = code("sender", self.sender, 15, {})
        receiver = code("receiver", self.receiver, 15, {})
        order = [("ST", "850", "0001"), *self._order(message)]
        order.append(("SE", str(len(order) + 1), "0001"))
        group = [("GS", "PO", sender, receiver, f"{now:%Y%m%d}", f"{now:%H%M}",
                  str(int(control)), "X", "004010"), *order, ("GE", "1", str(int(control)))]
        said = "".join(part for segment in group for part in segment)
        element, end, component = (_unused(choices, said) for choices in
                                   (_ELEMENTS, _SEGMENTS, _COMPONENTS))
        head = ("ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{sender:<15}", "ZZ",
                f"{receiver:<15}", f"{now:%y%m%d}", f"{now:%H%M}", "U", "00401", control, "0", "P",
                component)
        whole = [head, *group, ("IEA", "1", control)]
        return "".join(element.join(segment).rstrip(element) + end for segment in whole).encode()

    def _order(self, message: Message) -> list[tuple[str, ...]]:
        deed, purpose = purchase_of(message, 22)
        placed = instant(deed.when) or self.clock()
        said: list[tuple[str, ...]] = [("BEG", _PURPOSE[purpose], "SA",
                                        code("order", deed.number, 22, self.codes), "",
                                        f"{placed:%Y%m%d}")]
        if self.currency:
            said.append(("CUR", "BY", self.currency))
        due = instant(deed.due)
        if due is not None:
            said.append(("DTM", "002", f"{due:%Y%m%d}", f"{due:%H%M}"))
        parties = (("BY", "buyer", self.sender), ("SU", "supplier", deed.source),
                   ("ST", "site", deed.site))
        said += [("N1", role, "", "92", code(of, value, 80, self.codes))
                 for role, of, value in parties if value or role != "SU"]
        price = "" if deed.price is None else plain(deed.price)
        said.append(("PO1", "1", plain(deed.quantity), self.unit or "EA", price, "", "BP",
                     code("product", deed.product, 48, self.codes)))
        note = line(deed.note)
        said += [("PID", "F", "", "", "", note[at:at + 80]) for at in range(0, len(note), 80)]
        return [*said, ("CTT", "1")]


def _unused(choices: str, said: str) -> str:
    for choice in choices:
        if choice not in said:
            return choice
    raise ValueError("names hold every separator that X12 could use: "
                     f"{', '.join(repr(choice) for choice in choices)}. Give them codes under "
                     "'codes' of the connector.")
