"""What is wrong with a model, all of it at once."""

import difflib
from collections.abc import Iterable
from typing import Any, NamedTuple

from twin.network.attributes import TABLES
from twin.network.cells import write_cell

_SHOWN = 200


class ModelError(ValueError):
    """A model that cannot be used.

    Parameters
    ----------
    problems
        One line each: where, the value, the remedy.

    Examples
    --------
    >>> ModelError(["lanes[A,B,sea]: share '-1' is negative. Write 0 or more."]).problems
    ["lanes[A,B,sea]: share '-1' is negative. Write 0 or more."]
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = self.problems[:_SHOWN]
        if len(self.problems) > _SHOWN:
            lines = [*lines, f"... and {len(self.problems) - _SHOWN} more."]
        return "\n".join(lines)


class Found(NamedTuple):
    """A problem of one row: its table, its key, and what is wrong with the remedy."""

    table: str
    key: Any
    what: str


def address(table: str, key: Any) -> str:
    """How a row is named: ``lanes[A,B,sea]``.

    Examples
    --------
    >>> address("lanes", ("A", "B", "sea"))
    'lanes[A,B,sea]'
    """
    parts = key if isinstance(key, tuple) else (key,)
    keys = TABLES[table].keys
    return f"{table}[{','.join(write_cell(a, p) for a, p in zip(keys, parts, strict=True))}]"


def guess(word: str, options: Iterable[str]) -> str:
    """A remedy for a word that is not among the options.

    Examples
    --------
    >>> guess("transite", ["transit", "share"])
    "Did you mean 'transit'?"
    """
    names = [option for option in options if option]
    near = difflib.get_close_matches(word[:100], names[:5000], n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else one_of(names)


def one_of(options: Iterable[str]) -> str:
    """A remedy that lists the options.

    Examples
    --------
    >>> one_of(["in", "out"])
    'Write one of in, out.'
    """
    names = list(options)
    if not names:
        return "There are none."
    more = f" ... ({len(names)} in all)" if len(names) > 40 else ""
    return f"Write one of {', '.join(names[:40])}{more}."
