"""Hours, orders and people for `sequence_moves`, compiled with it.

Numba keeps the machine code of whoever calls these until *that* module changes: whoever changes one
here has to clear the caches of `sequence_moves` beside it, or touch it.
"""

from __future__ import annotations

from typing import Any

from twin.optimize.tabu_moves import compiled


@compiled
def opening_at(low: int, high: int, shut: Any, opens: Any, time: int) -> int:
    """The first open minute at or after a time; closed spans are those from low to high."""
    least = low
    while low < high:  # behind the last span that begins at or before it
        middle = (low + high) // 2
        if shut[middle] <= time:
            low = middle + 1
        else:
            high = middle
    if low > least and time < opens[low - 1]:
        return int(opens[low - 1])
    return time


@compiled
def over_at(low: int, high: int, shut: Any, opens: Any, time: int, minutes: int) -> int:
    """When so many open minutes are over that begin at a time."""
    if minutes == 0:
        return time
    end, most = time + minutes, high
    while low < high:
        middle = (low + high) // 2
        if opens[middle] <= time:
            low = middle + 1
        else:
            high = middle
    while low < most and shut[low] < end:
        end += opens[low] - max(shut[low], time)
        low += 1
    return int(end)


@compiled
def sort_by(order: Any, keys: Any) -> None:
    """Put numbers in the order of their keys; quick where few are out of place."""
    for i in range(1, len(order)):
        v = order[i]
        k = i - 1
        while k >= 0 and (keys[order[k]] > keys[v] or (keys[order[k]] == keys[v]
                                                       and order[k] > v)):
            order[k + 1] = order[k]
            k -= 1
        order[k + 1] = v


@compiled
def soonest(people: Any, low: int, high: int) -> int:
    """Who of a crew is free first."""
    found = low
    for k in range(low + 1, high):
        if people[k] < people[found]:
            found = k
    return found
