"""What a connector asks of a form, and what forms share: how an action is taken apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from twin.operate.connectors.contract import Message

_PLAIN = re.compile(r"[A-Za-z0-9/_.-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OWN = ("verb", "target", "quantity", "unit", "when", "of", "site", "product", "source", "order",
        "due", "price", "note")


class Form(Protocol):
    """One way to write a message.

    Attributes
    ----------
    name
        As in the configuration.
    media_type
        Of what it writes, for a header.
    suffix
        Of a file of it, with its dot.
    """

    name: str
    media_type: str
    suffix: str

    def write(self, message: Message) -> bytes:
        """The message in this form.

        Raises
        ------
        ValueError
            If the form cannot say it; sending it again is no use.
        """
        ...


@dataclass(frozen=True, slots=True)
class Deed:
    """A message taken apart: what is to be done, whatever form says it.

    Attributes
    ----------
    verb
        Of the action itself, also where the message takes it back.
    back
        Whether the message takes the action back.
    number
        Of the order: derived from the key of the message that placed it, or the order that the
        action names.
    more
        What the action says besides.
    """

    verb: str
    back: bool
    number: str
    site: str
    product: str
    quantity: float
    unit: str
    when: str
    source: str
    due: str
    price: float | None
    note: str
    more: Mapping[str, Any] = field(default_factory=dict)


def deed_of(message: Message, longest: int = 35) -> Deed:
    """What a message asks for.

    Parameters
    ----------
    longest
        Characters that an order number may have.

    Raises
    ------
    ValueError
        If a number in it is none.

    Examples
    --------
    >>> deed = deed_of(Message("harbour/R-17/1", "order", {"target": "W/tea", "quantity": 4}))
    >>> deed.site, deed.product, deed.quantity, deed.number
    ('W', 'tea', 4.0, 'harbour/R-17/1')
    >>> undone = Message("harbour/R-17/1/undo", "undo", {"of": "order", "target": "W/tea"},
    ...                  undoes="harbour/R-17/1")
    >>> deed_of(undone).back, deed_of(undone).verb, deed_of(undone).number
    (True, 'order', 'harbour/R-17/1')
    """
    body = message.body
    back = bool(message.undoes)
    verb = str(body.get("of") or body.get("verb") or message.kind) if back else message.kind
    place, _, thing = str(body.get("target", "")).partition("/")
    named = str(body.get("order", ""))
    number = named if named and verb != "order" else order_number(
        message.undoes or message.key, longest)
    price = body.get("price")
    return Deed(
        verb, back, number, str(body.get("site", place)), str(body.get("product", thing)),
        number_of(message, "quantity", body.get("quantity", 0.0)), str(body.get("unit", "units")),
        str(body.get("when", "")), str(body.get("source", "")), str(body.get("due", "")),
        None if price is None else number_of(message, "price", price), str(body.get("note", "")),
        {key: value for key, value in body.items() if key not in _OWN})


def number_of(message: Message, name: str, value: Any) -> float:
    """A number of a message.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number) < 1e15:
        raise ValueError(f"message {message.key[:60]}: {name} {str(value)[:40]!r} is no number.")
    return number


def order_number(key: str, longest: int) -> str:
    """An order number that stands for a key: the key if it may be one, or else a short name of it.

    Examples
    --------
    >>> order_number("R-17/1", 22)
    'R-17/1'
    >>> order_number("the medicines of the north/R-17/1", 22)
    'the_medicines-bde8785c'
    """
    if len(key) <= longest and _PLAIN.fullmatch(key):
        return key
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", key)[:longest - 9]
    return f"{plain}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def control_number(key: str, digits: int) -> str:
    """A control number that a key always has, and others hardly ever; never 0.

    Examples
    --------
    >>> control_number("R-17/1", 9) == control_number("R-17/1", 9) != control_number("R-18/1", 9)
    True
    """
    value = int(hashlib.sha256(key.encode()).hexdigest(), 16)
    return f"{1 + value % (10**digits - 1):0{digits}d}"


def code(of: str, value: str, longest: int, codes: Mapping[str, str]) -> str:
    """A name as a code of at most so many characters: the partner's own, or the name itself.

    A name is never cut: two products must not become one.

    Raises
    ------
    ValueError
        If it is too long, or has a line break or another control character.

    Examples
    --------
    >>> code("product", "juice", 35, {"juice": "4006381333931"})
    '4006381333931'
    """
    said = codes.get(value, value)
    if not said.strip():
        raise ValueError(f"the {of} has no name, so nobody could tell what is meant.")
    if _CONTROL.search(said):
        raise ValueError(f"{of} {said[:40]!r} holds a control character. Give it a code under "
                         "'codes' of the connector.")
    if len(said) > longest:
        raise ValueError(f"{of} '{said[:20]}...' has {len(said):,} characters, and a code holds "
                         f"{longest}. Give it a code under 'codes' of the connector.")
    return said


def line(value: str) -> str:
    """Free text in one line: control characters become blanks.

    Examples
    --------
    >>> line("cold\\r\\nchain")
    'cold  chain'
    """
    return _CONTROL.sub(" ", value)


def instant(value: str) -> datetime | None:
    """The moment that an action names, None where it names none.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    if not value:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"'{value[:40]}' is no moment. Write such as 2026-05-12T06:00:00Z."
                         ) from None


def plain(value: float) -> str:
    """A number without exponent or needless zeros.

    Examples
    --------
    >>> plain(40.0), plain(1e-7), plain(1234567.25)
    ('40', '0.0000001', '1234567.25')
    """
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
