"""Vehicles under pseudonyms: who drives is known by the vehicle, so its name is for the fleet."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any


class Masks:
    """Puts a pseudonym in the place of each name of a vehicle, in texts and documents.

    The same name always gets the same pseudonym; without the key nobody can tell which name it is.

    Parameters
    ----------
    names
        Of the vehicles; units of one (``reefer#2``) are told apart.
    key
        Secret; that of the log.

    Examples
    --------
    >>> masks = Masks(["reefer"], b"0" * 32)
    >>> masks.text("truck reefer#2 stands still, reefers do not")
    'truck V-89311a1f stands still, reefers do not'
    >>> masks.document({"truck": "reefer#2", "km": 5.0})
    {'truck': 'V-89311a1f', 'km': 5.0}
    """

    def __init__(self, names: Iterable[str], key: bytes) -> None:
        self._key = key
        words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._names = re.compile(rf"(?<!\w)(?:{words})(?:#\d+)?(?!\w)") if words else None

    def name(self, name: str) -> str:
        """The pseudonym of one name."""
        mark = hmac.new(self._key, f"vehicle\x00{name}".encode(), hashlib.sha256)
        return f"V-{mark.hexdigest()[:8]}"

    def text(self, text: str) -> str:
        """A text without names of vehicles."""
        if self._names is None:
            return text
        return self._names.sub(lambda found: self.name(found.group()), text)

    def document(self, value: Any) -> Any:
        """Plain values without names of vehicles; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.document(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(part) for part in value]
        return value
