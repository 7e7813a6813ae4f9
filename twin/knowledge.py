"""Knowledge: what the twin knows about a chain at one moment, and on what each fact rests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: What a fact can be about, and what that is.
SUBJECTS = {
    "stock": "a product on a shelf: site/product",
    "lot": "a lot on a shelf",
    "order": "an open order, of a customer or for replenishment",
    "shipment": "goods under way",
    "truck": "a truck and its trip",
    "work": "a lot that is being made",
    "machine": "a machine and its wear",
    "area": "a storage area, or a place with a sensor",
}
#: How good a fact is.
QUALITIES = {
    "good": "as the sensor or system said",
    "uncertain": "said so by the sensor itself, or worked out from what is known",
    "bad": "said so by the sensor itself",
    "stale": "older than three intervals of its sensor",
    "assumed": "nobody has told: from the tables of the model",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known.

    Attributes
    ----------
    kind, subject
        What it is about: a word of `SUBJECTS`, and which one.
    attribute, value, unit
        What is so.
    time
        Of the evidence, seconds since 1970-01-01 UTC; NaN if there is none.
    age_h
        Hours from the evidence to the moment of the knowledge.
    quality
        A word of `QUALITIES`.
    source
        The sensor or system that said it last.
    readings
        How many readings stand behind it.
    """

    kind: str
    subject: str
    attribute: str
    value: float | str
    unit: str
    time: float
    age_h: float
    quality: str
    source: str
    readings: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What was physically seen, against what systems have booked.

    Attributes
    ----------
    site, product
        Where, and of what.
    seen, booked
        Units.
    explanation
        `in transit`, `not yet recorded`, `shrinkage`, `misplaced`, `unrecorded receipt`,
        `record error` or `unexplained`.
    flagged
        Whether somebody should look.
    units
        Units that this explanation accounts for: seen less booked.
    detail
        The lot, shipment or count that shows it.
    time
        Of the physical evidence, seconds since 1970-01-01 UTC.
    source
        Who saw it.
    """

    site: str
    product: str
    seen: float
    booked: float
    explanation: str
    flagged: bool
    units: float
    detail: str
    time: float
    source: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known at a moment.

    Attributes
    ----------
    model
        Name of the network.
    at
        The moment, seconds since 1970-01-01 UTC.
    clock_h
        The same in hours from the model's start.
    readings
        How many readings of events stand behind it.
    facts, differences
        What is known, and where what was seen differs from what was booked.
    going_on
        What is going on as it was folded, from which a simulation begins.

    Examples
    --------
    >>> on_hand = Fact("stock", "W/tea", "on hand", 5.0, "units", 0.0, 24.0, "good", "wms", 3)
    >>> known = Knowledge("shop", 86400.0, 24.0, 3, (on_hand,), (), {})
    >>> known.value("stock", "W/tea", "on hand")
    5.0
    >>> Knowledge.from_document(known.document()).digest() == known.digest()
    True
    """

    model: str
    at: float
    clock_h: float
    readings: int
    facts: tuple[Fact, ...] = ()
    differences: tuple[Difference, ...] = ()
    going_on: dict[str, Any] = field(default_factory=dict)

    def value(self, kind: str, subject: str, attribute: str) -> float | str | None:
        """The value of one fact; None if it is not known."""
        return next((fact.value for fact in self.facts if (fact.kind, fact.subject, fact.attribute)
                     == (kind, subject, attribute)), None)

    def select(self, kinds: Collection[str]) -> tuple[Fact, ...]:
        """The facts about some kinds of subject."""
        return tuple(fact for fact in self.facts if fact.kind in kinds)

    def frame(self) -> pd.DataFrame:
        """The facts as a table, one row each."""
        import pandas as pd

        return pd.DataFrame([asdict(fact) for fact in self.facts],
                            columns=list(Fact.__dataclass_fields__))

    def digest(self) -> str:
        """A fingerprint of everything that is known.

        The same readings give the same one, in whatever order and however often they came.
        """
        text = json.dumps(self.document(), sort_keys=True, allow_nan=False)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    # -- files -----------------------------------------------------------------------------------
    def document(self) -> dict[str, Any]:
        """The knowledge as plain values; a time that is not there is None."""
        facts = [{**asdict(fact), "time": _number(fact.time), "age_h": _number(fact.age_h)}
                 for fact in self.facts]
        return {"model": self.model, "at": self.at, "clock_h": self.clock_h,
                "readings": self.readings, "facts": facts,
                "differences": [asdict(row) for row in self.differences],
                "going_on": json.loads(json.dumps(self.going_on))}

    @classmethod
    def from_document(cls, values: dict[str, Any]) -> Knowledge:
        """The knowledge that plain values say."""
        facts = tuple(Fact(**{**row, "time": _or_nan(row["time"]), "age_h": _or_nan(row["age_h"])})
                      for row in values["facts"])
        differences = tuple(Difference(**row) for row in values["differences"])
        return cls(**{**values, "facts": facts, "differences": differences})

    def write(self, path: Path | str) -> None:
        """Write the knowledge as JSON."""
        Path(path).write_text(json.dumps(self.document(), indent=1, allow_nan=False) + "\n",
                              encoding="utf-8")

    @classmethod
    def read(cls, path: Path | str) -> Knowledge:
        """Read what `write` wrote.

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        try:
            return cls.from_document(json.loads(Path(path).read_text(encoding="utf-8")))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is no knowledge of a chain: {error}. "
                             "Write one with 'twin state'.") from None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
