"""What the two forms of a purchase order share: which actions they can say, and of whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from twin.operate.connectors.contract import Message
from twin.operate.forms.contract import Deed, deed_of, number_of, order_number

ORIGINAL, CHANGE, CANCELLATION = "original", "change", "cancellation"
_PURPOSE = {"order": ORIGINAL, "cancel": CANCELLATION, "expedite": CHANGE, "defer": CHANGE,
            "increase": CHANGE, "decrease": CHANGE}


def moment_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class PurchaseOrder:
    """Settings of a purchase order in any form.

    Parameters
    ----------
    sender, receiver
        Addresses of the interchange, as agreed with the partner.
    codes
        Name in the model -> code that the partner knows it by (GTIN, GLN, item number).
    unit
        Unit code of quantities, in the form's own code list.
    currency
        Of prices, ISO 4217.
    clock
        When it is written.
    """

    def __init__(self, sender: str, receiver: str, codes: Mapping[str, str] | None = None,
                 unit: str = "", currency: str = "",
                 clock: Callable[[], datetime] = moment_now) -> None:
        self.sender, self.receiver = sender, receiver
        self.codes, self.unit, self.currency, self.clock = dict(codes or {}), unit, currency, clock


def purchase_of(message: Message, longest: int) -> tuple[Deed, str]:
    """What is bought, and whether it is placed, changed or cancelled.

    Raises
    ------
    ValueError
        If the action is no purchase, or names no order to change, or buys nothing.
    """
    deed = deed_of(message, longest)
    purpose = _PURPOSE.get(deed.verb)
    if purpose is None:
        raise ValueError(f"'{deed.verb[:40]}' is no purchase order. Send it by another connector, "
                         f"or use one of {', '.join(_PURPOSE)}.")
    if deed.verb != "order" and not message.body.get("order"):
        raise ValueError(f"'{deed.verb}' of {deed.site[:40]}/{deed.product[:40]} names no order. "
                         "Give the number of the purchase order as 'order'.")
    if "was" in deed.more and deed.verb != "order":
        deed, purpose = _changed(message, deed, purpose)
    elif deed.back:
        if deed.verb != "order":
            raise ValueError(f"'{deed.verb}' cannot be taken back by a purchase order: what stood "
                             "before is not known. Call the supplier.")
        purpose = CANCELLATION
    if purpose == ORIGINAL and not deed.quantity > 0:
        raise ValueError(f"quantity {deed.quantity:g} orders nothing. Order more than 0.")
    return deed, purpose


def _changed(message: Message, deed: Deed, purpose: str) -> tuple[Deed, str]:
    """A change of an open order as the order is to stand; taken back, as it stood before.

    An order that was cancelled is placed again under a number of its own, as partners refuse one
    that they have seen cancelled.
    """
    was = number_of(message, "was", deed.more["was"])
    if deed.back and deed.verb == "cancel":
        return replace(deed, number=order_number(message.key, longest=22), quantity=was,
                       due=str(deed.more.get("was_due", ""))), ORIGINAL
    if deed.back:
        return replace(deed, quantity=was, due=str(deed.more.get("was_due", ""))), CHANGE
    if deed.verb in ("increase", "decrease"):
        sign = 1.0 if deed.verb == "increase" else -1.0
        deed = replace(deed, quantity=max(0.0, was + sign * deed.quantity))
    return deed, purpose
