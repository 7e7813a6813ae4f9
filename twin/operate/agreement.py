"""Agreements: what each partner may see, and how long telemetry is kept.

``governance/<model>.yaml`` in the workspace:

    suppliers:
      glassworks:
        fields: [stock, consumption, forecast]
    customers:
      market:
        fields: [promise, eta]
    keep:
      telemetry: 400d

A partner that is not named sees nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from twin.clock import excerpt, parse_duration
from twin.document import DocumentError, read_document
from twin.network import Network
from twin.settings import options

#: What can be agreed with a supplier, and what it says of each of its items.
ITEM_FIELDS = {
    "stock": "units on the shelf, with age and quality of what is known",
    "on_order": "units ordered and not yet there",
    "consumption": "units a day over four weeks, with interval",
    "forecast": "units a day for two weeks, with 80 % band",
}
#: What can be agreed with a customer, and what it says of each of its orders.
ORDER_FIELDS = {
    "quantity": "units still to come",
    "promise": "when it is due",
    "eta": "when it is expected, with 80 % interval",
    "chance_late": "the chance that it comes after it is due",
    "source": "the site that owes it",
}
_LEAST_H = 24.0


class SupplierTerms(BaseModel):
    """What a supplier sees of its items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Literal["stock", "on_order", "consumption", "forecast"], ...]


class CustomerTerms(BaseModel):
    """What a customer sees of its orders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Literal["quantity", "promise", "eta", "chance_late", "source"], ...]


class Keep(BaseModel):
    """How long something is kept, hours; None is for ever.

    Attributes
    ----------
    telemetry
        Signals of every kind that has no time of its own.
    positions, drivers
        Where vehicles were, and how they were driven; as telemetry if left out.

    Examples
    --------
    >>> Keep(telemetry="400d").telemetry
    9600.0
    >>> Keep(telemetry="400d", positions="30d").times()
    {'telemetry': 9600.0, 'positions': 720.0, 'drivers': 9600.0}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    telemetry: float | None = None
    positions: float | None = None
    drivers: float | None = None

    @field_validator("telemetry", "positions", "drivers", mode="before")
    @classmethod
    def _hours(cls, value: Any) -> float | None:
        if value is None:
            return None
        hours = parse_duration(str(value))
        if hours < _LEAST_H:
            raise ValueError(f"'{excerpt(str(value))}' is less than a day. Days are kept or "
                             "dropped whole.")
        return hours

    def times(self) -> dict[str, float]:
        """Hours by what is kept; what is kept for ever is left out."""
        own = {"telemetry": self.telemetry, "positions": self.positions, "drivers": self.drivers}
        found = {name: self.telemetry if hours is None else hours for name, hours in own.items()}
        return {name: hours for name, hours in found.items() if hours is not None}


class Agreement(BaseModel):
    """Everything that was agreed about one model.

    Examples
    --------
    >>> terms = Agreement(suppliers={"glassworks": {"fields": ["stock"]}})
    >>> terms.suppliers["glassworks"].fields
    ('stock',)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suppliers: Mapping[str, SupplierTerms] = Field(default_factory=dict)
    customers: Mapping[str, CustomerTerms] = Field(default_factory=dict)
    keep: Keep = Keep()


def read_agreement(path: Path, network: Network) -> Agreement:
    """The agreement of a file; nothing is agreed where there is none.

    Raises
    ------
    DocumentError
        If the file says something else, with every offender.
    """
    if not path.is_file():
        return Agreement()
    label = f"{path.parent.name}/{path.name}"
    try:
        found = Agreement.model_validate(read_document(path, label))
    except ValidationError as error:
        raise DocumentError("\n".join(
            f"{label}: {'.'.join(map(str, one['loc']))} {_told(one)}"
            for one in error.errors())) from None
    wrong = [(word, site) for word, partners in (("suppliers", found.suppliers),
                                                 ("customers", found.customers))
             for site in partners if site not in network.sites]
    if wrong:
        raise DocumentError("\n".join(
            f"{label}: {word} names '{excerpt(site)}'. {options(site, network.sites)}"
            for word, site in wrong))
    return found


def _told(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is unknown. Leave it out."
    return str(error["msg"]).removeprefix("Value error, ") + "."
