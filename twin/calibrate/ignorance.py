"""What is not known about the parameters: other calibrations that the evidence allows as well.

A run with one calibration shows luck; runs with many draws of it show luck and ignorance.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from twin.calibrate.laws import FAMILIES, Floats
from twin.calibrate.wording import duration, number, wording
from twin.clock import parse_duration
from twin.network.attributes import TABLES
from twin.network.forecast import parse_fuel
from twin.parameters import Calibration, Parameter
from twin.quantity import Quantity, parse_number, parse_quantity

_DIGITS = 7


def draw(calibration: Calibration, rng: np.random.Generator,
         only: Collection[str] | None = None) -> Calibration:
    """A calibration that the evidence allows as well.

    Parameters
    ----------
    calibration
        With evidence: each row's `spread`, or else its `n`. A row without either stays.
    rng
        Asked once. Every cell has luck of its own, named by the cell, so that its draw does not
        depend on which others are drawn.
    only
        Cells that are drawn, such as ``lanes[A,B,sea].transit``; None for all.

    Returns
    -------
    Calibration
        The same rows in the same order; only their values differ.

    Notes
    -----
    A draw is normal around the value on its free scale (logarithms; for shares, log odds), with
    the covariance of `spread`: the usual large-sample posterior. Weights of a ``discrete`` are
    Dirichlet with their number of observations. The family of a law is taken as known.

    Examples
    --------
    >>> row = Parameter("lanes", "A,B,sea", "transit", value="lognormal(mean=20d, sd=4d)", n="30")
    >>> other = draw(Calibration("seen", rows=(row,)), np.random.default_rng(1))
    >>> other.rows[0].value
    'lognormal(mean=19.41862d, sd=4.025795d)'
    """
    root = int(rng.integers(2**63))
    rows = []
    for row in calibration.rows:
        if row.value and (only is None or row.cell in only):
            row = replace(row, value=_drawn(row, np.random.default_rng([root, _mark(row.cell)])))
        rows.append(row)
    return replace(calibration, rows=tuple(_together(rows)))


def _mark(cell: str) -> int:
    return int.from_bytes(hashlib.blake2b(cell.encode(), digest_size=8).digest(), "little")


def _drawn(row: Parameter, rng: np.random.Generator) -> str:
    """Another value of one cell."""
    n = _count(row.n)
    spread = [float(part) for part in row.spread.split()]
    if not spread and n <= 0.0:
        return row.value
    attribute = TABLES[row.table].by_column[row.column]
    if attribute.base in ("rq", "rq_time"):
        quantity = parse_quantity(row.value, attribute.base == "rq_time")
        bounded = attribute.bounds[1] <= 1.0
        return wording(_drawn_quantity(quantity, spread, n, rng, bounded=bounded), _DIGITS)
    luck = float(rng.standard_normal())
    if attribute.base == "share":
        return number(_tilted(parse_number(row.value), spread, n, luck), _DIGITS)
    if attribute.base == "dur":
        return duration(parse_duration(row.value) * _stretch(spread, n, luck), _DIGITS)
    try:
        value = parse_number(row.value)
    except ValueError:
        return _more_or_less(row.value, _stretch(spread, n, luck))
    return number(value * _stretch(spread, n, luck), _DIGITS)


def _more_or_less(text: str, factor: float) -> str:
    """A law of fuel with every point times a factor; other words stay as they are."""
    try:
        points = parse_fuel(text)
    except ValueError:
        return text
    return f"by_load({', '.join(number(point * factor, _DIGITS) for point in points)})"


def _stretch(spread: list[float], n: float, luck: float) -> float:
    return math.exp(luck * math.sqrt(spread[0] if spread else 1.0 / n))


def _tilted(share: float, spread: list[float], n: float, luck: float) -> float:
    """Another share: normal in its log odds."""
    inside = min(max(share, 1e-9), 1.0 - 1e-9)
    variance = spread[0] if spread else 1.0 / (n * inside * (1.0 - inside) + 0.5)
    odds = math.log(inside / (1.0 - inside)) + luck * math.sqrt(variance)
    return 1.0 / (1.0 + math.exp(-odds))


def _drawn_quantity(quantity: Quantity, spread: list[float], n: float,
                    rng: np.random.Generator, *, bounded: bool) -> Quantity:
    """Another law."""
    if quantity.kind == "discrete" and n > 0.0 and len(spread) != 1:
        weights = rng.dirichlet(np.maximum(np.array(quantity.weights) * n, 1e-3))
        return replace(quantity, weights=tuple((weights / weights.sum()).tolist()))
    family = FAMILIES.get(quantity.kind)
    size = 0 if family is None else family.size
    if family is not None and all(value > 0.0 for _, value in quantity.params) and (
            len(spread) == size * (size + 1) // 2 or not spread):
        theta = family.free(quantity)
        covariance = _matrix(spread, size) if spread else _expected(quantity, theta, n)
        return family.quantity(theta + _root(covariance) @ rng.standard_normal(size),
                               time=quantity.time)
    luck = float(rng.standard_normal())
    if bounded and quantity.kind == "constant":
        share = _tilted(quantity.get("value"), spread, n, luck)
        return replace(quantity, params=(("value", share),))
    cv = quantity.sd() / quantity.mean() if quantity.mean() else 0.0
    if not spread and cv == 0.0:
        return quantity  # what never varied is known
    stretch = _stretch(spread or [max(cv * cv, 1e-12) / n], n, luck)
    return stretched(quantity, stretch)


def stretched(quantity: Quantity, factor: float) -> Quantity:
    """The same law in another unit: every time or size times a factor.

    Examples
    --------
    >>> str(stretched(parse_quantity("uniform(2d, 6d)", True), 1.5))
    'uniform(low=3d, high=9d)'
    """
    pure = ("shape", "k", "p", "phi")
    params = tuple((name, value if name in pure else value * factor)
                   for name, value in quantity.params)
    return replace(quantity, params=params,
                   values=tuple(value * factor for value in quantity.values))


def _matrix(spread: list[float], size: int) -> Floats:
    """A symmetric matrix from its lower triangle."""
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = spread
    return np.asarray(matrix + np.tril(matrix, -1).T)


def triangle(matrix: Floats) -> str:
    """The lower triangle of a covariance, as `Parameter.spread` holds it.

    Examples
    --------
    >>> triangle(np.array([[0.25, 0.1], [0.1, 0.5]]))
    '0.25 0.1 0.5'
    """
    return " ".join(f"{value:.6g}" for value in matrix[np.tril_indices(len(matrix))])


def _expected(quantity: Quantity, theta: Floats, n: float) -> Floats:
    """Covariance of the free parameters after `n` complete values: numerical information."""
    family = FAMILIES[quantity.kind]
    shares = (np.arange(400) + 0.5) / 400
    values = family.inverse(np.repeat(theta[:, None], 400, axis=1), shares)
    scores = []
    for i in range(family.size):
        step = np.zeros(family.size)
        step[i] = 1e-4
        ahead, behind = (np.repeat((theta + sign * step)[:, None], 400, axis=1) for sign in (1, -1))
        scores.append((family.log_density(ahead, values) - family.log_density(behind, values))
                      / 2e-4)
    return np.asarray(np.linalg.inv(np.cov(np.array(scores)).reshape(family.size, -1)) / n)


def _root(covariance: Floats) -> Floats:
    """A square root, of a matrix that may be a little wrong by rounding."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _count(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0


def _together(rows: list[Parameter]) -> list[Parameter]:
    """Branches of one step whose shares add up to more than one are scaled down."""
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.table == "branches" and row.column == "share" and row.value:
            groups.setdefault(row.key.rpartition(",")[0], []).append(place)
    for places in groups.values():
        total = sum(float(rows[place].value) for place in places)
        if total > 1.0:
            for place in places:
                share = float(rows[place].value) / total
                rows[place] = replace(rows[place], value=number(share * (1 - 1e-9), 9))
    return rows
