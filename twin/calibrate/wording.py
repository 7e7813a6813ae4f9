"""Learned values as a planner would write them: few digits, one sensible unit."""

from __future__ import annotations

from twin.quantity import KINDS, Quantity

_PURE = frozenset({"shape", "k", "p", "phi"})
_UNITS = (("d", 24.0), ("h", 1.0), ("min", 1 / 60), ("s", 1 / 3600))


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits.

    Examples
    --------
    >>> number(0.028571), number(15234.6), number(3.0)
    ('0.02857', '15235', '3')
    """
    if value == 0.0:
        return "0"
    if abs(value) >= 10.0 ** (digits - 1):
        return f"{value:.0f}" if abs(value) < 1e15 else f"{value:.{digits}e}"
    return f"{value:.{digits}g}"


def duration(hours: float, digits: int = 4) -> str:
    """Hours as a duration in one unit.

    Examples
    --------
    >>> duration(512.88), duration(6.25), duration(0.05)
    ('21.37d', '6.25h', '3min')
    """
    if hours == 0.0:
        return "0h"
    for unit, size in _UNITS:
        if abs(hours) >= (2.0 if unit == "d" else 1.0) * size or unit == "s":
            amount = hours / size
            break
    return f"{number(amount, digits)}{unit}"


def wording(quantity: Quantity, digits: int = 4) -> str:
    """A quantity as a cell.

    Examples
    --------
    >>> wording(Quantity("lognormal", (("mean", 512.88), ("sd", 96.0))), 4)
    'lognormal(mean=512.9, sd=96)'
    >>> wording(Quantity("lognormal", (("mean", 512.88), ("sd", 96.0)), time=True))
    'lognormal(mean=21.37d, sd=4d)'
    """
    def write(name: str, value: float) -> str:
        if quantity.time and name not in _PURE:
            return duration(value, digits)
        return number(value, digits)

    if quantity.kind == "constant":
        return write("value", quantity.get("value"))
    if quantity.kind == "discrete":
        weights = _whole(quantity.weights)
        pairs = zip(quantity.values, weights, strict=True)
        cells = (f"{write('value', value)}:{weight:.6g}" for value, weight in pairs)
        return f"discrete({', '.join(cells)})"
    if not KINDS[quantity.kind]:
        return f"{quantity.kind}({', '.join(write('value', v) for v in quantity.values)})"
    parts = (f"{name}={write(name, value)}" for name, value in quantity.params)
    return f"{quantity.kind}({', '.join(parts)})"


def _whole(weights: tuple[float, ...]) -> list[float]:
    """Weights of six decimals that still add up to one: the largest takes the rest."""
    found = [round(weight, 6) for weight in weights]
    place = found.index(max(found))
    found[place] = round(1.0 - sum(found[:place]) - sum(found[place + 1:]), 6)
    return found
