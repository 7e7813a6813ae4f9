"""What makes two ledgers equal: rows as numbers that are the same wherever they were written.

Times count to the millisecond and other numbers to the sixth decimal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from twin.events import COLUMNS

_MS_PER_H = 3.6e6


def mark(text: str) -> int:
    """A number for a text that is the same in every ledger; 0 for none."""
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def comparable(rows: Mapping[str, np.ndarray[Any, Any]],
               marks: np.ndarray[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Columns as 8-byte numbers that are equal where rows count as equal; 0 where blank."""
    time = np.rint(rows["time"] * _MS_PER_H)
    for name, values in rows.items():
        if name == "time":
            yield name, time + 0.0  # no negative zeros
        elif name == "recorded":
            yield name, np.rint(values * _MS_PER_H) - time
        elif COLUMNS[name] == "s":
            yield name, marks[values]
        elif COLUMNS[name] == "d":
            yield name, np.round(values, 6) + 0.0
        else:
            yield name, values
