"""A state: everything that is going on in a supply chain at one moment.

Times in a state are relative to its moment: ages (hours since) and waits (hours until). A
simulation that starts from it draws what is left of every random time given its age.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class State:
    """What is going on, as plain values.

    Attributes
    ----------
    model
        Name of the network.
    clock_h
        Hours from the model's start to the moment of the state.
    orders
        Open orders: who asked, who owes, how much is still to leave and to arrive.
    actors
        What each actor is doing, by its name.
    disturbances
        Events under way: name, event and hours left (None: to the end).
    agenda
        Who has something to come and in how many hours, in the order in which it comes: it
        settles what happens first where times are equal. May be empty.

    Examples
    --------
    >>> state = State("harbour", 24.0, actors={"shelf W/A": {"on_hand": 7.0}})
    >>> State.from_document(state.document()) == state
    True
    """

    model: str
    clock_h: float
    orders: list[dict[str, Any]] = field(default_factory=list)
    actors: dict[str, dict[str, Any]] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    disturbances: list[dict[str, Any]] = field(default_factory=list)
    agenda: list[list[Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The state as a mapping of plain values."""
        return asdict(self)

    def digest(self) -> str:
        """A fingerprint of the document."""
        text = json.dumps(self.document(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_document(cls, values: dict[str, Any]) -> State:
        """The state that a mapping says.

        Raises
        ------
        ValueError
            If a part is missing or is of another kind.
        """
        try:
            state: Any = cls(**values)
        except TypeError as error:
            raise ValueError(f"a part is unknown or missing ({error})") from None
        kinds = {"clock_h": int | float, "actors": dict, "orders": list, "posted": list,
                 "disturbances": list, "agenda": list}
        wrong = [name for name, kind in kinds.items() if not isinstance(getattr(state, name), kind)]
        if not wrong and not 0.0 <= state.clock_h < inf:
            wrong.append("clock_h")
        if wrong:
            raise ValueError(f"what it says of {' and '.join(wrong)} cannot be used")
        return cast("State", state)

    def write(self, path: Path | str) -> None:
        """Write the state as JSON."""
        Path(path).write_text(json.dumps(self.document(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path | str) -> State:
        """Read a state written by `write`.

        Raises
        ------
        ValueError
            If the file is no state.
        """
        try:
            return cls.from_document(json.loads(Path(path).read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a state: {error}. Write one with `save_at`.") from None
