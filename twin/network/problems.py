"""What is wrong with a model, all of it at once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

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
