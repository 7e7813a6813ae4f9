"""Speed of calibration: parameters learned as data come, and whole refits, against SciPy.

A stream is 100 times of one cell, a quarter of them censored; the family is chosen among four. The
rival fits the same censored data with ``scipy.stats.fit``'s likelihood (``rv_continuous.fit`` of
``CensoredData``), one stream and one family at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from twin.calibrate.distribution import Distribution
from twin.calibrate.estimator import Cell
from twin.calibrate.sample import Batch

if TYPE_CHECKING:
    from run import Finding

_TIMES = 100
_RIVALS = (stats.expon, stats.lognorm, stats.gamma, stats.weibull_min)


def streams(count: int, seed: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times and whether each is exact: gamma, lognormal and Weibull streams in turn."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        mean = float(np.exp(rng.normal(3.0, 1.0)))
        draw = (rng.gamma(4.0, 0.25, _TIMES), rng.lognormal(-0.1, 0.45, _TIMES),
                rng.weibull(1.8, _TIMES) / 0.889)[number % 3]
        horizon = rng.exponential(3.0, _TIMES)
        found.append((mean * np.minimum(draw, horizon), draw <= horizon))
    return found


def estimators(count: int, data: list[tuple[np.ndarray, np.ndarray]], upto: int = _TIMES
               ) -> list[Distribution]:
    """One estimator a stream, with its first times."""
    made = []
    for number in range(count):
        value, exact = data[number]
        one = Distribution(Cell("lanes", f"A,B{number},sea", "transit"))
        one.update(_batch(value, exact, 0, upto))
        made.append(one)
    return made


def _batch(value: np.ndarray, exact: np.ndarray, first: int, last: int) -> Batch:
    rows = np.arange(first, last)
    return Batch.of(rows, value[rows], at=rows.astype(float), state=exact[rows].astype(int))


def refit_seconds(count: int) -> float:
    """Seconds to fit so many streams anew, choice of the family included."""
    made = estimators(count, streams(count))
    began = time.perf_counter()
    found = Distribution.learn(made, 1e9)
    assert all(one.variance > 0.0 for one in found)
    return time.perf_counter() - began


def update_seconds(count: int, rounds: int = 5) -> float:
    """Seconds to take in ten more times of each parameter and to tell all of them, a round."""
    data = streams(count)
    made = estimators(count, data, 50)
    began = time.perf_counter()
    for turn in range(rounds):
        for number, one in enumerate(made):
            one.update(_batch(*data[number], 50 + 10 * turn, 60 + 10 * turn))
        Distribution.learn(made, 1e9)
    return (time.perf_counter() - began) / rounds


def rival_seconds(count: int) -> float:
    """Seconds that SciPy takes for the same fits in a loop."""
    began = time.perf_counter()
    with np.errstate(all="ignore"):
        for value, exact in streams(count):
            data = stats.CensoredData(value[exact], right=value[~exact])
            for family in _RIVALS:
                fitted = family.fit(data, floc=0.0)
                family.nnlf(fitted, value)
    return time.perf_counter() - began


def calibrate(repeats: int) -> Iterator[Finding]:
    """The measurement that ``benchmarks/run.py`` prints."""
    from run import Finding

    turns = max(1, repeats // 3)
    update = min(update_seconds(1_000) for _ in range(turns))
    yield Finding("1,000 parameters updated and told", update, "<=", 10.0, " s",
                  note="ten more times each, all fitted and chosen anew")
    refit = min(refit_seconds(1_000) for _ in range(turns))
    yield Finding("full refit of 1,000 streams of 100 times", refit, "<=", 30.0, " s",
                  note="a quarter censored, four families")
    yield Finding("full refit of 10,000 streams", refit_seconds(10_000), "<=", 300.0, " s")
    few = 20
    ratio = rival_seconds(few) / few / (refit / 1_000)
    yield Finding("refit: faster than SciPy in a loop", ratio, ">=", 10.0,
                  note=f"SciPy on {few} streams, by stream")


if __name__ == "__main__":
    for finding in calibrate(3):
        print(finding.row())
