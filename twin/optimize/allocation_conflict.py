"""The smallest set of requirements that cannot hold together."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def smallest_conflict(names: Sequence[str],
                      feasible: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Requirements that cannot hold together, of which none can be spared.

    Parameters
    ----------
    names
        All requirements.
    feasible
        Whether a plan can keep these requirements (and whatever is never given up).

    Returns
    -------
    tuple of str
        Empty if all can be kept. Any one of them left out, the others can be kept.

    Examples
    --------
    >>> smallest_conflict("abcd", lambda kept: not {"b", "d"} <= set(kept))
    ('b', 'd')
    """
    if feasible(names):
        return ()

    def needed(known: list[str], added: bool, rest: list[str]) -> list[str]:
        """QuickXplain (Junker 2004): what of `rest` it takes, beside `known`, to conflict."""
        if added and not feasible(known):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        left, right = rest[:half], rest[half:]
        second = needed([*known, *left], bool(left), right)
        first = needed([*known, *second], bool(second), left)
        return [*first, *second]

    found = set(needed([], False, list(names)))
    return tuple(name for name in names if name in found)
