"""Forms: how a message is written for who reads it. Siblings of one contract (`contract`).

| form | for | what it writes |
|---|---|---|
| ``cloudevents`` | anybody | a CloudEvent 1.0, as JSON |
| ``json`` | anybody | the action as one JSON object |
| ``csv`` | anybody | a header and one row |
| ``edifact`` | a supplier | a purchase order, UN/EDIFACT ORDERS D.96A |
| ``x12`` | a supplier | a purchase order, ANSI X12 850, release 004010 |
| ``isa95`` | a MES | an operations schedule of ISA-95, as JSON |
| ``job_order`` | a MES | one job order of ISA-95, as JSON |
| ``epcis`` | partners | a movement, EPCIS 2.0 |

Examples
--------
>>> from twin.operate.connectors.contract import Message
>>> form_of("csv").write(Message("k1", "order", {"target": "W/tea", "quantity": 4})).decode()
'key,kind,site,product,quantity,unit,when,source,undoes,more\\r\\nk1,order,W,tea,4,units,,,,\\r\\n'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from types import FunctionType
from typing import Any

from twin.operate.forms.contract import Form
from twin.operate.forms.edifact import EdifactOrders
from twin.operate.forms.isa95 import Isa95Job, Isa95Schedule
from twin.operate.forms.movement import EpcisMovement
from twin.operate.forms.plain import CloudEvent, Csv, Json
from twin.operate.forms.x12 import X12Order

__all__ = ["FORMS", "Form", "form_of"]

#: Name in the configuration -> what makes the form of its settings.
FORMS: dict[str, Callable[..., Form]] = {
    "cloudevents": CloudEvent, "json": Json, "csv": Csv, "edifact": EdifactOrders,
    "x12": X12Order, "isa95": Isa95Schedule, "job_order": Isa95Job, "epcis": EpcisMovement,
}


def form_of(name: str, settings: Mapping[str, Any] | None = None) -> Form:
    """The form of a name with its settings.

    Raises
    ------
    ValueError
        If the name or a setting is unknown, or a needed one is missing.

    Examples
    --------
    >>> form_of("edifact", {"sender": "TWIN", "receiver": "ACME"}).suffix
    '.edi'
    >>> form_of("xml")
    Traceback (most recent call last):
    ...
    ValueError: form 'xml' is unknown. Use one of cloudevents, csv, edifact, epcis, isa95, ...
    """
    make = FORMS.get(name)
    if make is None:
        raise ValueError(f"form '{name[:40]}' is unknown. Use one of {', '.join(sorted(FORMS))}.")
    said, takes = dict(settings or {}), _settings(make)
    for key in said:
        if key not in takes:
            raise ValueError(f"form {name}: '{key[:40]}' is unknown. It takes "
                             f"{', '.join(takes) or 'no settings'}.")
    for key, needed in takes.items():
        if needed and key not in said:
            raise ValueError(f"form {name}: {key} is missing.")
    return make(**said)


def _settings(make: Callable[..., Form]) -> dict[str, bool]:
    """What a form is made of, and whether it cannot do without."""
    own = make if isinstance(make, FunctionType) else make.__init__
    if not isinstance(own, FunctionType):
        return {}
    return {name: one.default is Parameter.empty for name, one in signature(own).parameters.items()
            if name != "self"}
